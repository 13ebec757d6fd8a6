"""Strict JSON: bodies of strangers read with no room for two readings of one text.

Owns what is refused: anything but UTF-8, a byte order mark, NaN and Infinity, a key given twice,
control characters and lone surrogates in texts, deep nesting, objects of more than 1,000 keys,
numbers beyond all measure. Does not own what the content means.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from devices.delivery import UnreadableDeliveryError

MAX_DEPTH = 32
MAX_KEYS = 1_000
_MAX_NUMBER_CHARACTERS = 32
_MAX_EXPONENT = 30
_FORBIDDEN = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

Json = dict[str, Any] | list[Any] | str | int | Decimal | bool | None


def loads(body: bytes, *, any_text: bool = False) -> Json:
    """The value of a JSON text. Fractions and exponents come as Decimal, never as float.

    ``any_text`` lets control characters into texts, for bodies with texts that people typed; who
    uses one of those texts checks it. UnreadableDeliveryError with a reason that holds nothing of
    the body.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise UnreadableDeliveryError("not UTF-8") from None
    if text.startswith("\ufeff"):
        raise UnreadableDeliveryError("begins with a byte order mark")
    try:
        value: Json = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_decimal,
            parse_constant=_constant,
        )
    except UnreadableDeliveryError:
        raise
    except RecursionError:
        raise UnreadableDeliveryError("nested too deeply") from None
    except ValueError:
        raise UnreadableDeliveryError("not JSON") from None
    _check_texts_and_depth(value, any_text=any_text)
    return value


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    if len(pairs) > MAX_KEYS:
        raise UnreadableDeliveryError("too many keys in one object")
    members = dict(pairs)
    if len(members) != len(pairs):
        raise UnreadableDeliveryError("a key is given twice")
    return members


def _integer(text: str) -> int:
    if len(text) > _MAX_NUMBER_CHARACTERS:
        raise UnreadableDeliveryError("a number is out of bounds")
    return int(text)


def _decimal(text: str) -> Decimal:
    if len(text) > _MAX_NUMBER_CHARACTERS:
        raise UnreadableDeliveryError("a number is out of bounds")
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent beyond what Decimal can hold
        raise UnreadableDeliveryError("a number is out of bounds") from None
    if abs(number.adjusted()) > _MAX_EXPONENT:
        raise UnreadableDeliveryError("a number is out of bounds")
    return number


def _constant(_: str) -> Json:
    raise UnreadableDeliveryError("not a JSON number")


def _check_texts_and_depth(value: Json, *, any_text: bool) -> None:
    """Level by level, so that depth costs no stack."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH + 1):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item)
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, str) and not any_text and _FORBIDDEN.search(item):
                raise UnreadableDeliveryError("a control character in a text")
        if not below:
            return
        level = below
    raise UnreadableDeliveryError("nested too deeply")
