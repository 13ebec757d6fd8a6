"""A claim as JSON values and back, without loss: how a store keeps it.

Owns both directions, made from the fields of the shapes themselves, so that a field added to a
shape is kept without a word here. Does not own the shapes (``claim``). Empty values are left out;
days are ISO text.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from datetime import date
from functools import cache
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from billing.claims.claim import Claim

Json = dict[str, Any]
_Decode = Callable[[Any], Any]


def claim_to_json(claim: Claim) -> Json:
    """The claim as values that JSON has; the same claim gives the same values."""
    content: dict[str, Any] = _encoded(claim)
    return content


def json_to_claim(content: Mapping[str, Any]) -> Claim:
    """The claim that ``claim_to_json`` gave.

    Raises ValueError for a name that no field has, TypeError for a value that a field lacks.
    """
    claim: Claim = _decoder(Claim)(content)
    return claim


def _encoded(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_encoded(one) for one in value]
    if hasattr(value, "__dataclass_fields__"):
        return {
            one.name: _encoded(told)
            for one in fields(value)
            if _is_told(one, told := getattr(value, one.name))
        }
    return value


def _is_told(field: Field[Any], value: Any) -> bool:
    return field.default is MISSING or value != field.default


@cache
def _decoder(kind: Any) -> _Decode:
    """What gives a value of a field's type back."""
    if get_origin(kind) is tuple:
        each = _decoder(get_args(kind)[0])
        return lambda values: tuple(map(each, values))
    if NoneType in get_args(kind):
        (told,) = (one for one in get_args(kind) if one is not NoneType)
        return _decoder(told)  # None is left out, as every default
    if kind is date:
        return date.fromisoformat
    if hasattr(kind, "__dataclass_fields__"):
        return _of_shape(kind)
    return lambda value: value


def _of_shape(kind: Any) -> _Decode:
    hints = get_type_hints(kind)

    def decode(content: Mapping[str, Any]) -> Any:
        if not content.keys() <= hints.keys():
            raise ValueError("a field of the content is not known")
        return kind(**{name: _decoder(hints[name])(value) for name, value in content.items()})

    return decode
