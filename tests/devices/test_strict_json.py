"""Strict JSON: what is refused, and that nothing else is."""

import gzip
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.delivery import UnreadableDeliveryError
from devices.strict_json import MAX_DEPTH, loads

HOSTILE = {
    "nested 10,000 deep": b"[" * 10_000 + b"]" * 10_000,
    "nested objects 10,000 deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "nested and cut off": b"[" * 1_000_000,
    "one level too deep": b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2),
    "NaN": b'{"value": NaN}',
    "Infinity": b'{"value": -Infinity}',
    "huge exponent": b'{"value": 1e999}',
    "tiny exponent": b'{"value": 1e-999}',
    "exponent of many digits": b'{"value": 1e' + b"9" * 5_000 + b"}",
    "integer of many digits": b"1" * 100_000,
    "duplicate keys": b'{"id": "a", "id": "b"}',
    "duplicate keys by escape": b'{"id": "a", "\\u0069d": "b"}',
    "an exponent beyond Decimal": b'{"a": 1e99999999999999999999}',
    "many keys": b"{" + b",".join(b'"k%d": 0' % n for n in range(1_001)) + b"}",
    "UTF-16": '{"id": "a"}'.encode("utf-16"),
    "UTF-16 without mark": '{"id": "a"}'.encode("utf-16-le"),
    "Latin-1": '{"id": "é"}'.encode("latin-1"),
    "byte order mark": '\ufeff{"id": "a"}'.encode(),
    "truncated": b'{"id": "a", "readings": [',
    "truncated gzip": gzip.compress(b'{"id": "a"}')[:-5],
    "empty": b"",
    "only blanks": b" \n\t ",
    "two values": b"{} {}",
    "single quotes": b"{'id': 'a'}",
    "trailing comma": b'{"id": "a",}',
    "comment": b'{"id": "a"} // note',
    "leading zero": b"[01]",
    "raw control character": b'{"id": "a\x01"}',
    "escaped NUL": b'{"id": "a\\u0000"}',
    "escaped control character in a key": b'{"a\\u001f": 1}',
    "escaped delete": b'{"id": "\\u007f"}',
    "lone surrogate": b'{"id": "\\ud800"}',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bodies_are_unreadable(body: bytes) -> None:
    """Every hostile body ends in the one error for unreadable deliveries."""
    with pytest.raises(UnreadableDeliveryError):
        loads(body)


def test_the_reason_holds_nothing_of_the_body() -> None:
    """The error's text says what is wrong without quoting what was sent."""
    with pytest.raises(UnreadableDeliveryError) as caught:
        loads(b'{"SMITH^JANE": 1, "SMITH^JANE": 2}')
    assert "SMITH" not in str(caught.value)


def test_numbers_keep_their_digits() -> None:
    """Fractions come as the decimal that was written, whole numbers as integers."""
    assert loads(b"[72.50, 0.1, 120, -3, 1.2E2]") == [
        Decimal("72.50"),
        Decimal("0.1"),
        120,
        -3,
        Decimal(120),
    ]


def test_the_deepest_allowed_is_read() -> None:
    """Nesting to the limit is read."""
    body = b"[" * MAX_DEPTH + b"7" + b"]" * MAX_DEPTH
    value = loads(body)
    for _ in range(MAX_DEPTH):
        assert isinstance(value, list)
        value = value[0]
    assert value == 7


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(10**15), 10**15)
        | st.text(st.characters(exclude_categories=["Cc", "Cs"])),
        lambda below: (
            st.lists(below, max_size=4)
            | st.dictionaries(
                st.text(st.characters(exclude_categories=["Cc", "Cs"])), below, max_size=4
            )
        ),
        max_leaves=20,
    )
)
def test_plain_json_is_read_as_it_is(value: object) -> None:
    """What an ordinary encoder writes comes back unchanged, escaped or not."""
    assert loads(json.dumps(value).encode()) == value
    assert loads(json.dumps(value, ensure_ascii=False).encode()) == value
