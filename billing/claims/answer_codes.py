"""What bare codes of answers mean, in short words of our own, or of a list the practice loads.

Owns reading ``data/answer-codes.toml`` and a licensed list. Does not own what follows from a code.
X12's texts are copyrighted: a code without words of ours is shown bare, never guessed.
"""

import csv
import io
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

LISTS = ("group", "claim_status", "carc", "rarc", "category", "status")
"""Adjustment groups, CLP02, CARC, RARC, and the category and status of a 277CA."""
_FILE = "answer-codes.toml"
_COLUMNS = ("list", "code", "text")
_LONGEST = 500

Texts = Mapping[str, Mapping[str, str]]
"""Words by list and code."""


@cache
def own_texts() -> Texts:
    """The words that are shipped."""
    content = resources.files("billing.claims").joinpath("data", _FILE).read_text("utf-8")
    told: dict[str, dict[str, str]] = tomllib.loads(content)
    return {name: told[name] for name in LISTS}


def words(kind: str, code: str, texts: Texts | None = None) -> str:
    """What a code means; empty when neither the loaded list nor ours says. KeyError: no such list.

    ``texts`` are words of a licensed list, which come first.
    """
    own = own_texts()[kind].get(code, "")
    return own if texts is None else texts.get(kind, {}).get(code, own)


def told(kind: str, code: str, texts: Texts | None = None) -> str:
    """A code with its words, as a person reads it: ``CARC 45, charge above the allowed amount``."""
    name = {"carc": "CARC", "rarc": "RARC"}.get(kind, "")
    shown = f"{name} {code}".strip()
    meaning = words(kind, code, texts)
    return f"{shown}, {meaning}" if meaning else shown


def adjustment_told(group: str, reason: str, texts: Texts | None = None) -> str:
    """An adjustment as a person reads it: ``CO-45, charge above the allowed amount``."""
    meaning = words("carc", reason, texts)
    return f"{group}-{reason}, {meaning}" if meaning else f"{group}-{reason}"


def read_texts(content: str) -> Texts:
    """Words of a list that the practice has a license for: a CSV of list, code and text.

    Raises ValueError, naming the line, for anything else.
    """
    rows = csv.reader(io.StringIO(content, newline=""), strict=True)
    found: dict[str, dict[str, str]] = {}
    try:
        for place, row in enumerate(rows, 1):
            if place == 1:
                if tuple(one.strip().lower() for one in row) != _COLUMNS:
                    raise ValueError("line 1: the columns are list, code and text")
                continue
            if len(row) != len(_COLUMNS) or row[0] not in LISTS or not row[1].isalnum():
                raise ValueError(f"line {place}: a known list, a code and a text are wanted")
            found.setdefault(row[0], {})[row[1]] = row[2][:_LONGEST]
    except csv.Error:
        raise ValueError(f"line {rows.line_num}: not CSV") from None
    return found
