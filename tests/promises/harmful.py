"""Bodies that mean harm to a reader of JSON, by name; none of them is a reading that may count.

For the door of the ``generic`` vendor, and as good as any for the other formats: what is no JSON is
none anywhere.
"""

import gzip
import json
import zlib
from collections.abc import Iterator
from typing import Any

from intake_door import weight

LIMIT = 1_048_576
_DEEP = 10_000


def harmful_bodies() -> dict[str, bytes]:
    """All of them."""
    named = [*_texts(), *_numbers(), *_shapes(), *_large()]
    # each with an id of its own, so that none is taken for a repeat of another
    return {
        name: body.replace(b'"h-1"', f'"h-{number}"'.encode())
        for number, (name, body) in enumerate(named)
    }


def _reading(**changed: Any) -> Any:
    return weight("h-1") | changed


def _valued(text: str) -> bytes:
    """A reading whose value is written so, unquoted."""
    return json.dumps(_reading()).replace('"72.5"', text).encode()


def _with_value(value: Any) -> bytes:
    return json.dumps(_reading(components=[_component(value=value)])).encode()


def _component(**changed: Any) -> Any:
    return {"code": "29463-7", "value": "72.5", "unit": "kg"} | changed


def _texts() -> Iterator[tuple[str, bytes]]:
    """Bytes that are no text, or text that no database keeps."""
    whole = json.dumps(_reading()).encode()
    text = whole.decode()
    yield "nothing", b""
    yield "a space", b" "
    yield "a byte order mark", b"\xef\xbb\xbf" + whole
    for name in ("utf-16", "utf-16-be", "utf-32", "cp037"):
        yield name, text.encode(name)
    yield "not UTF-8", whole.replace(b"scale-1", b"scale-\xff")
    yield "overlong UTF-8", whole.replace(b"scale-1", b"scale-\xc0\x80")
    yield "a surrogate as UTF-8", whole.replace(b"scale-1", b"scale-\xed\xa0\x80")
    yield "a lone surrogate", whole.replace(b"scale-1", rb"scale-\ud800")
    yield "a null character", whole.replace(b"scale-1", rb"scale-\u0000")
    yield "a null byte", whole.replace(b"scale-1", b"scale-\x00")
    yield "a control character", whole.replace(b"scale-1", b"scale-\x1b[2J")
    yield "null bytes", b"\x00" * 1_000
    yield "cut off", whole[:-1]
    yield "cut within a text", whole[: whole.index(b"scale-1") + 3]
    yield "cut within an escape", b'{"id": "\\u00'
    yield "two texts", whole + whole
    yield "more behind it", whole + b"x"
    yield "a comment", b"/* */" + whole
    yield "single quotes", text.replace('"', "'").encode()
    yield "a trailing comma", whole[:-1] + b",}"
    packed = gzip.compress(whole)
    yield "gzip", packed
    yield "truncated gzip", packed[:-9]
    yield "a gzip bomb", gzip.compress(b" " * 100_000_000, 9)
    yield "deflated", zlib.compress(whole)
    yield "a picture", b"\x89PNG\r\n\x1a\n" + bytes(range(256))
    yield (
        "XML",
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    )
    yield "a form", b"id=h-1&device_id=scale-1&value=72.5"
    yield "a page", b"<script>alert(1)</script>"


def _numbers() -> Iterator[tuple[str, bytes]]:
    """Numbers that are none, or beyond all measure."""
    for written in ("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e-999", "072.5", "+72.5"):
        yield written, _valued(written)
    for written in (".5", "72.", "0x48", "72,5", "1_000", "--1", "1e", "0e99999999999"):
        yield written, _valued(written)
    yield "5,000 digits", _valued("9" * 5_000)
    yield "a million digits", _valued("9" * 1_000_000)
    yield "an exponent of a million digits", _valued("1e" + "9" * 1_000_000)
    yield "beyond 64 bits", _valued("9223372036854775808")
    for value in ("NaN", "Infinity", "1e999999999", "9" * 500, "", "-0", "1e3", "٧٢", "72.5\n"):
        yield f"the value {value[:12]!r}", _with_value(value)


def _shapes() -> Iterator[tuple[str, bytes]]:
    """JSON of the wrong shape, or of two meanings."""
    whole = json.dumps(_reading()).encode()
    yield "a key twice", whole[:-1] + b', "kind": "bp"}'
    yield "a value twice", _valued('"72.5", "value": "999"')
    yield "10,000 levels of lists", b"[" * _DEEP + b"]" * _DEEP
    yield "10,000 levels of objects", b'{"a":' * _DEEP + b"1" + b"}" * _DEEP
    yield "10,000 levels in a value", _valued("[" * _DEEP + "]" * _DEEP)
    yield "levels without end", b"[" * (LIMIT - 1)
    for value in (None, True, False, 0, -1.5, "text", [], {}, [[]], [None], {"readings": None}):
        yield json.dumps(value), json.dumps(value).encode()
    for value in (None, True, [], {}, ["72.5"], {"$gt": ""}):
        yield f"the value {value}", _with_value(value)
    for name in ("id", "device_id", "kind", "measured_at", "entry_method", "components"):
        yield f"no {name}", json.dumps({k: v for k, v in _reading().items() if k != name}).encode()
        yield f"{name} is a list", json.dumps(_reading(**{name: [1]})).encode()
    yield "an unknown field", json.dumps(_reading(countable=True)).encode()
    yield "a prototype", json.dumps(_reading(__proto__={"countable": True})).encode()
    for written in ("9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "now", "1e12", ""):
        yield f"measured at {written}", json.dumps(_reading(measured_at=written)).encode()
    yield "SQL", json.dumps(_reading(kind="'; DROP TABLE reading; --")).encode()


def _large() -> Iterator[tuple[str, bytes]]:
    """Bodies within the limit that could take long or much."""
    yield "1,001 readings", json.dumps({"readings": [_reading()] * 1_001}).encode()
    yield "1,000 numbers", json.dumps({"readings": list(range(1_000))}).encode()
    yield "100,000 keys", json.dumps({f"k{n}": 0 for n in range(70_000)}).encode()
    yield "100,000 lists", b"[" + b"[]," * 100_000 + b"[]]"
    yield "long escapes", json.dumps(_reading(id="\u00e9" * 170_000)).encode()
    yield "a long id", json.dumps(_reading(id="x" * 1_000_000)).encode()
    yield "a long unit", _with_value("7").replace(b'"kg"', b'"' + b"k" * 1_000_000 + b'"')
    yield "a thousand components", json.dumps(_reading(components=[_component()] * 1_000)).encode()
    yield "blanks", json.dumps(_reading()).encode()[:-1] + b" " * (LIMIT - 300)
    yield "backslashes", b'{"id": "' + b"\\" * 1_000_000
    yield "quotes", b'"' * 1_000_000
