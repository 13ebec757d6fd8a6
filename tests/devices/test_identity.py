"""Identity: repeats share key and digest, conflicts share the key only."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.identity import content_hash, identity_key, replaced_key
from devices.kinds import KINDS
from devices.reading import Reading, component

AT = datetime(2026, 1, 31, 12, 42, 10, tzinfo=UTC)


def _reading(kind: str = "weight", value: str = "72.5", **fields: Any) -> Reading:
    unit = KINDS[kind].quantities[0].ucum
    part = component(KINDS[kind], KINDS[kind].quantities[0].code, value, unit)
    reading = Reading("dev-1", kind, (part,), AT, "2026-01-31T12:42:10", entry_method="device")
    return replace(reading, **fields)


def _key(reading: Reading, account: str = "account-1") -> str:
    return identity_key(reading, adapter="generic", account=account)


READINGS = st.builds(
    lambda kind, value, vendor_id, second: _reading(
        kind,
        value,
        vendor_reading_id=vendor_id,
        measured_at=AT + timedelta(seconds=second),
        vendor_time=(AT + timedelta(seconds=second)).isoformat(),
    ),
    st.sampled_from(["weight", "glucose", "spo2"]),
    st.integers(50, 400).map(str),
    st.none() | st.sampled_from(["r-1", "r-2"]),
    st.integers(0, 3),
)


@given(st.lists(READINGS, max_size=12), st.randoms())
def test_order_and_repeats_change_no_identity(readings: list[Reading], random: Random) -> None:
    """However often and in whatever order readings come, the set of identities is the same."""
    again = readings * 2
    random.shuffle(again)
    first = {(_key(reading), content_hash(reading)) for reading in readings}
    assert {(_key(reading), content_hash(reading)) for reading in again} == first


def test_a_sender_id_is_the_identity() -> None:
    """With an id of the sender's, another value is the same reading with other content."""
    first = _reading(vendor_reading_id="r-1")
    changed = _reading(value="80", vendor_reading_id="r-1", vendor_time="later")
    assert _key(first) == _key(changed)
    assert content_hash(first) != content_hash(changed)


def test_sender_ids_are_unique_within_an_account() -> None:
    """The same id from another account is another reading."""
    reading = _reading(vendor_reading_id="r-1")
    assert _key(reading, "account-1") != _key(reading, "account-2")


def test_without_an_id_the_device_time_is_the_identity() -> None:
    """Two gateways that correct a device's clock differently still bring one reading."""
    first = _reading()
    corrected = replace(first, measured_at=AT + timedelta(seconds=40), offset_minutes=-300)
    assert _key(first, "gateway-1") == _key(corrected, "gateway-2")
    assert _key(first) != _key(replace(first, vendor_time="2026-01-31T12:42:11"))
    assert _key(first) != _key(replace(first, device_id="dev-2"))


@pytest.mark.parametrize("text", ["2026-01-31T12:42:10", "1795430400", "1795430400000"])
def test_a_time_to_the_second_identifies_without_the_value(text: str) -> None:
    """A weight at the same second with another value is a conflict, not another reading."""
    assert _key(_reading(vendor_time=text)) == _key(_reading(value="80", vendor_time=text))


@pytest.mark.parametrize("text", ["2026-01-31 12:42", "01/31/2026", "", "31-1-2026 12:42"])
def test_a_coarse_time_needs_the_value(text: str) -> None:
    """Where the time is no finer than a minute, another value is another reading."""
    assert _key(_reading(vendor_time=text)) != _key(_reading(value="80", vendor_time=text))


@pytest.mark.parametrize("kind", ["glucose", "glucose_cgm"])
def test_glucose_needs_the_value(kind: str) -> None:
    """Two glucose values at the same second of one device are two readings."""
    assert _key(_reading(kind, "100")) != _key(_reading(kind, "101"))


def test_the_same_value_written_otherwise_is_a_repeat() -> None:
    """72.5 and 72.50 kg, and 500 g and half a kilogram, are the same content."""
    assert content_hash(_reading(value="72.5")) == content_hash(_reading(value="72.50"))
    kind = KINDS["weight"]
    grams = _reading(components=(component(kind, "weight", "500", "g"),))
    kilograms = _reading(components=(component(kind, "weight", "0.5", "kg"),))
    assert content_hash(grams) == content_hash(kilograms)
    assert grams.components[0].value == Decimal("0.5")


def test_the_order_of_components_is_no_content() -> None:
    """Systolic first or diastolic first is the same reading."""
    kind = KINDS["bp"]
    upper = component(kind, "systolic", "120", "mmHg")
    lower = component(kind, "diastolic", "80", "mmHg")
    first = _reading(kind="weight", components=(upper, lower))
    assert content_hash(first) == content_hash(replace(first, components=(lower, upper)))


@pytest.mark.parametrize(
    "change",
    [
        {"value": "72.6"},
        {"measured_at": AT + timedelta(seconds=1)},
        {"entry_method": "manual"},
        {"status": "deleted"},
        {"patient_ref": "MRN-2"},
        {"offset_minutes": -300},
        {"device_id": "dev-2"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_a_reading_says_is_content(change: dict[str, Any]) -> None:
    """A change of value, time, offset, origin, status, device or patient is other content."""
    assert content_hash(_reading()) != content_hash(_reading(**change))


def test_a_correction_names_what_it_replaces() -> None:
    """``replaces`` leads to the key of the first reading; without it there is none."""
    first = _reading(vendor_reading_id="r-1")
    correction = _reading(vendor_reading_id="r-2", replaces="r-1", status="corrected")
    assert replaced_key(correction, adapter="generic", account="account-1") == _key(first)
    assert replaced_key(first, adapter="generic", account="account-1") is None
