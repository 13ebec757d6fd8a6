"""Cells: the text of one field of one row, by the rules of a profile.

Owns finding it (first non-empty column, then the fixed text, then the word list) and reading it.
Does not own what fields together mean.
"""

from collections.abc import Mapping

from rpm.imports.fields import FIELDS
from rpm.imports.profile import ImportProfile
from rpm.imports.refusals import DateOrderError, RowRefusedError

Cells = Mapping[str, str]
"""One row: column name to text."""


def text_of(field: str, cells: Cells, profile: ImportProfile) -> str:
    """The text of a field, empty if there is none; RowRefusedError for a word not in the list."""
    texts = (column_text(name, cells, profile) for name in profile.columns.get(field, []))
    text = next((text for text in texts if text), profile.fixed.get(field, ""))
    return translated(field, text, profile)


def column_text(column: str, cells: Cells, profile: ImportProfile) -> str:
    """The text of a column, empty where it means that nothing is there."""
    text = cells.get(column, "")
    return "" if text in profile.no_value else text


def translated(field: str, text: str, profile: ImportProfile) -> str:
    """``text`` by the profile's word list for ``field``, if it has one."""
    words = profile.words.get(field)
    if words is None or not text:
        return text
    known = {word.casefold(): ours for word, ours in words.items()}
    if text.casefold() not in known:
        raise RowRefusedError(field, "a word that the profile does not list")
    return known[text.casefold()]


def values_of(cells: Cells, profile: ImportProfile) -> dict[str, object]:
    """Every field of the profile's kind, read; RowRefusedError names the first that cannot be."""
    values: dict[str, object] = {}
    for field, rule in FIELDS[profile.kind].items():
        text = text_of(field, cells, profile)
        if not text and rule.required:
            raise RowRefusedError(field, "is empty")
        try:
            values[field] = rule.read(text, profile.date_order or "YMD") if text else rule.default
        except DateOrderError:
            raise
        except ValueError as error:
            raise RowRefusedError(field, str(error)) from None
    return values
