"""Digests and the keyed chain, without a database."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpm.audit import canonical_json, event_hmac, facts_digest, organization_key, row_digest

ROW: dict[str, Any] = {
    "id": UUID(int=1),
    "name": "Ann",
    "count": 3,
    "flag": True,
    "day": date(2026, 1, 15),
    "at": datetime(2026, 1, 15, 12, tzinfo=UTC),
    "body": b"\x00\xff",
    "content": {"a": [1, "é", None]},
    "empty": None,
}


@given(st.permutations(list(ROW)))
def test_a_digest_does_not_depend_on_the_order_of_columns(names: list[str]) -> None:
    """The same row gives the same digest in whatever order its columns come."""
    assert row_digest("t", {name: ROW[name] for name in names}) == row_digest("t", ROW)


def test_a_later_empty_column_changes_no_digest() -> None:
    """A column added by a later version, empty in old rows, leaves their digests as they were."""
    assert row_digest("t", {**ROW, "added": None}) == row_digest("t", ROW)


def test_the_zone_an_instant_is_written_in_does_not_matter() -> None:
    """One instant in two zones is one value."""
    moved = ROW["at"].astimezone(timezone(timedelta(hours=-5)))
    assert row_digest("t", {**ROW, "at": moved}) == row_digest("t", ROW)


@pytest.mark.parametrize("name", sorted(set(ROW) - {"empty"}))
def test_every_column_counts(name: str) -> None:
    """Emptying any column changes the digest, and so does another table."""
    assert row_digest("t", {**ROW, name: None}) != row_digest("t", ROW)
    assert row_digest("u", ROW) != row_digest("t", ROW)


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
