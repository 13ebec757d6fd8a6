"""Digests and the keyed chain, without a database."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from rpm.audit import (
    canonical_json,
    canonical_value,
    event_hmac,
    facts_digest,
    organization_key,
    row_digest,
)

VALUES: list[tuple[Any, Any]] = [
    (UUID(int=1), "0" * 31 + "1"),
    ("Ann", "Ann"),
    (3, 3),
    (True, 1),
    (None, None),
    (date(2026, 1, 15), "2026-01-15"),
    (datetime(2026, 1, 15, 12, tzinfo=UTC), "2026-01-15 12:00:00.000000"),
    (
        datetime(2026, 1, 15, 7, 0, 0, 5, tzinfo=timezone(timedelta(hours=-5))),
        "2026-01-15 12:00:00.000005",
    ),
    ({"b": [1, "é", None], "a": {}}, '{"a":{},"b":[1,"é",null]}'),
    (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
]


@pytest.mark.parametrize(("value", "stored"), VALUES)
def test_a_value_has_one_stored_form(value: Any, stored: Any) -> None:
    """Digests cover values as SQLite stores them, and the form is its own form."""
    assert canonical_value(value) == stored
    assert canonical_value(stored) == stored


def test_a_value_that_no_column_holds_is_refused() -> None:
    """A number with a fraction outside JSON is a programming error, not a digest."""
    with pytest.raises(TypeError, match="float"):
        canonical_value(1.5)


def test_every_column_its_name_and_the_table_count() -> None:
    """Another value, another name or another table makes another digest."""
    digests = {
        row_digest("t", {"a": "1"}),
        row_digest("t", {"a": "2"}),
        row_digest("t", {"a": 1}),
        row_digest("t", {"b": "1"}),
        row_digest("u", {"a": "1"}),
        row_digest("t", {"a": "1", "b": ""}),
    }
    assert len(digests) == 6


def test_text_cannot_pose_as_another_column() -> None:
    """Values that spell out another row's form do not share its digest."""
    assert row_digest("t", {"a": '1","b":"2'}) != row_digest("t", {"a": "1", "b": "2"})


def test_not_a_number_is_not_json() -> None:
    """NaN and infinities have no canonical form."""
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"value": float("nan")})


def test_the_order_of_rows_counts() -> None:
    """Rows are digested in a fixed order, so swapped digests differ."""
    assert facts_digest([b"a" * 32, b"b" * 32]) != facts_digest([b"b" * 32, b"a" * 32])


def test_each_organization_signs_with_a_key_of_its_own() -> None:
    """The same event signed for two organizations carries different signatures."""
    keys = [organization_key(b"k" * 32, UUID(int=number)) for number in (1, 2)]
    event = {"number": 1, "action": "x", "hmac": "ignored"}
    first, second = (event_hmac(key, event) for key in keys)
    assert first != second
    assert event_hmac(keys[0], {**event, "hmac": "other"}) == first
    assert event_hmac(keys[0], {**event, "action": "y"}) != first
