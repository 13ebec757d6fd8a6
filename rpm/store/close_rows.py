"""Rows of a close as it keeps them: periods, events and findings in runs of one kind.

Owns the form of a run and the way back to rows. Does not own which rows a close keeps
(``rpm.actions.compute_close``). A run is encoded once, by who computed it: what is digested and
what is stored are the same text, and rows of a large practice wait as text until they are stored.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from rpm.audit import JsonText, canonical_json
from rpm.store.outcomes import Columns

_ROWS_TOGETHER = 500


def runs_of(kind: str, columns: Columns) -> Iterator[JsonText]:
    """Rows of one kind (``period``, ``event``, ``finding``) as runs, in their order."""
    rows = list(zip(*(_as_json(values) for values in columns.values()), strict=True))
    names = list(columns)
    for start in range(0, len(rows), _ROWS_TOGETHER):
        some = rows[start : start + _ROWS_TOGETHER]
        yield JsonText(canonical_json({"row": kind, "columns": names, "rows": some}))


def rows_in(content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of a run; closes of the first release kept each row by itself."""
    if "columns" not in content:
        yield dict(content)
        return
    for values in content["rows"]:
        yield {"row": content["row"], **dict(zip(content["columns"], values, strict=True))}


def rows_in_text(run: JsonText) -> Iterator[dict[str, Any]]:
    """The rows of a run that is not stored yet."""
    return rows_in(json.loads(run))


def _as_json(values: list[Any]) -> list[Any]:
    """Values of a column in the form that JSON has for them: days and ids are text."""
    if not values or not isinstance(values[0], date | UUID):
        return values
    texts = {value: str(value) for value in set(values)}
    return [texts[value] for value in values]
