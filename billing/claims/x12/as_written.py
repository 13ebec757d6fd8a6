"""Values as a file holds them: what reading a file back must give, to the last of them.

Owns which texts are cut where, and what a file leaves out. Does not own how an element is written
(``element``) nor the file (``p837``).
"""

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from billing.claims.claim import Claim, Coverage, Name, Person
from billing.claims.x12.element import element
from billing.claims.x12.p837 import (
    CITY_LENGTH,
    FIRST_LENGTH,
    LAST_LENGTH,
    MIDDLE_LENGTH,
    NOTE_LENGTH,
    ORGANIZATION_LENGTH,
    STREET_LENGTH,
    SUFFIX_LENGTH,
)

T = TypeVar("T")
_OF_SHAPE = {
    (Name, "last"): LAST_LENGTH,
    (Name, "first"): FIRST_LENGTH,
    (Name, "middle"): MIDDLE_LENGTH,
    (Name, "suffix"): SUFFIX_LENGTH,
    (Claim, "note"): NOTE_LENGTH,
}
_LIMITS = {
    "street": STREET_LENGTH,
    "street_more": STREET_LENGTH,
    "city": CITY_LENGTH,
    "name": ORGANIZATION_LENGTH,
    "contact": ORGANIZATION_LENGTH,
    "group_name": ORGANIZATION_LENGTH,
}


def as_written(value: T) -> T:
    """A file, or any part of one, with every text as the file holds it."""
    written: T = _as_written(value, type(value), "")
    return written


def _as_written(value: Any, kind: type, name: str) -> Any:
    if isinstance(value, str):
        return element(value, _OF_SHAPE.get((kind, name), _LIMITS.get(name)))
    if isinstance(value, tuple):
        return tuple(_as_written(one, kind, "") for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        told = {one.name: getattr(value, one.name) for one in fields(value)}
        inner = {name: _as_written(one, type(value), name) for name, one in told.items()}
        return _left_out(replace(value, **inner))
    return value


def _left_out(value: Any) -> Any:
    if isinstance(value, Person) and value.birth_day is None:
        return replace(value, sex="")  # a file tells both or neither
    if isinstance(value, Coverage) and value.group_number:
        return replace(value, group_name="")  # the group has either a number or a name
    return value
