"""Identifiers: the form of UUID version 7 and their order."""

import threading
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpm import ids
from rpm.ids import uuid7

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


@given(st.lists(st.integers(min_value=-5_000, max_value=5_000), min_size=2, max_size=50))
def test_ids_sort_in_the_order_they_were_made(steps: list[int]) -> None:
    """Each id is greater than the one before, also when the clock stands or goes back."""
    made = [uuid7(NOW + timedelta(milliseconds=step)) for step in steps]
    assert made == sorted(set(made))
    assert [i.hex for i in made] == sorted(i.hex for i in made)


def test_an_id_is_version_7_and_carries_its_millisecond(monkeypatch: pytest.MonkeyPatch) -> None:
    """Version and variant are those of RFC 9562, and the first 48 bits are the time."""
    monkeypatch.setattr(ids, "_last", 0)
    made = uuid7(NOW)
    assert (made.version, made.variant) == (7, RFC_4122)
    assert made.int >> 80 == int(NOW.timestamp() * 1000)


def test_all_bits_come_from_the_given_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """With random bits of ones only time, version and variant show, and the counter half full."""
    monkeypatch.setattr(ids, "_last", 0)
    made = uuid7(NOW, lambda count: b"\xff" * count)
    assert made == UUID(f"{int(NOW.timestamp() * 1000):012x}77ffbfffffffffffffff")


def test_threads_never_make_the_same_id() -> None:
    """Ids made at one instant by several threads are all different."""
    made: list[UUID] = []
    threads = [
        threading.Thread(target=lambda: made.extend(uuid7(NOW) for _ in range(2_000)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8_000


def test_a_naive_instant_makes_no_id() -> None:
    """An id is refused without a zone: its time would mean nothing."""
    with pytest.raises(ValueError, match="aware"):
        uuid7(datetime(2026, 1, 15))  # noqa: DTZ001 - what is refused
