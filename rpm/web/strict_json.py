"""JSON bodies of the API, read strictly before anything else sees them.

Owns what is refused: other encodings, doubled keys, numbers that are none, texts that no database
keeps. Does not own the fields: input models do. (Vendors' bodies have rules of their own in
``devices``.)
"""

import json
from typing import Any

from rpm.web.problems import BadRequest

MOST_LEVELS = 32
MOST_KEYS = 1_000
MOST_ITEMS = 10_000
LARGEST_INTEGER = 2**53 - 1
_ALLOWED_CONTROLS = frozenset("\t\n\r")


def check_json(body: bytes) -> None:
    """``BadRequest`` unless the body is UTF-8 JSON that every reader understands alike.

    Refused: NaN and infinities, a key twice in one object, whole numbers beyond 2^53, control
    characters and lone surrogates in texts, more than 32 levels, 1,000 keys of one
    object or 10,000 items of one list.
    """
    try:
        text = body.decode("utf-8")
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer
        )
    except UnicodeDecodeError as error:
        raise BadRequest("the body is not UTF-8") from error
    except RecursionError as error:
        raise BadRequest("the body is nested too deeply") from error
    except ValueError as error:
        raise BadRequest("the body is not JSON") from error
    _check_values(value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MOST_KEYS:
        raise BadRequest("an object has too many keys")
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadRequest("an object has the same key twice")
    return found


def _constant(_text: str) -> Any:
    raise BadRequest("NaN and infinities are not JSON")


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > LARGEST_INTEGER:
        raise BadRequest("a whole number is too large")
    return int(text)


def _check_values(value: Any) -> None:
    waiting = [(value, 1)]
    while waiting:
        found, level = waiting.pop()
        if level > MOST_LEVELS:
            raise BadRequest("the body is nested too deeply")
        if isinstance(found, str):
            check_text(found)
        elif isinstance(found, float) and found in (float("inf"), float("-inf")):
            raise BadRequest("a number is too large")
        elif isinstance(found, list):
            if len(found) > MOST_ITEMS:
                raise BadRequest("a list has too many items")
            waiting += [(inner, level + 1) for inner in found]
        elif isinstance(found, dict):
            waiting += [(inner, level + 1) for pair in found.items() for inner in pair]


def check_text(text: str) -> None:
    """``BadRequest`` for control characters but tab and line ends, and for lone surrogates."""
    if text.isprintable():
        return
    for character in text:
        if character < " " and character not in _ALLOWED_CONTROLS:
            raise BadRequest("a text holds a control character")
        if character == "\x7f" or "\ud800" <= character <= "\udfff":
            raise BadRequest("a text holds a character that cannot be kept")
