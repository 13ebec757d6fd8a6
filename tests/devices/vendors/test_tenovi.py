"""Tenovi: what each field and trap of the gateways' posts becomes."""

import json
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest
from vendor_samples import items_of, notices_of, readings_of, sample, values

from devices.delivery import UnreadableDeliveryError
from devices.identity import identity_key
from devices.parts import joined
from devices.reading import Reading, RejectedReading
from devices.vendors.tenovi import MAX_ITEMS, Tenovi

TENOVI = Tenovi()
INFLATION = [sample("tenovi", name) for name in ("blood-pressure", "pulse", "irregular-heartbeat")]
WHOLE = {"8480-6": "128", "8462-4": "79", "8867-4": "66"}


def _one(content: Any, **chosen: str) -> Reading:
    (reading,) = readings_of(TENOVI, content, **chosen)
    return reading


def test_a_pressure_is_read_field_by_field() -> None:
    """Values as text, the activated device as key, the practice's own patient id, UTC."""
    reading = _one(sample("tenovi", "blood-pressure"))
    assert reading.device_id == "e9c24a26-7d69-490f-9546-93c5a31486aa"
    assert (reading.kind, values(reading)) == ("bp", {"8480-6": "128", "8462-4": "79"})
    assert reading.measured_at == datetime(2026, 1, 15, 13, 15, tzinfo=UTC)
    assert (reading.patient_ref, reading.time_quality) == ("MRN-1", "exact")
    assert (reading.offset_minutes, reading.offset_origin) == (None, "unknown")
    assert reading.is_part


def test_the_gateway_and_created_play_no_part() -> None:
    """A swapped gateway and ``created``, which repeats the timestamp, change nothing."""
    content = sample("tenovi", "blood-pressure")
    swapped = content | {"hardware_uuid": "GW-999999", "created": "2026-02-01T00:00:00Z"}
    assert _one(swapped) == _one(content)


@pytest.mark.parametrize("order", list(permutations(INFLATION)))
def test_an_array_of_one_inflation_is_one_reading(order: tuple[Any, ...]) -> None:
    """Pressure, pulse and irregular-beat mark in one array, in any order: one reading."""
    reading = _one(list(order))
    assert (reading.kind, values(reading)) == ("bp", WHOLE)
    assert reading.flags == ("irregular_heartbeat",)


@pytest.mark.parametrize("order", list(permutations(INFLATION)))
def test_posts_of_one_inflation_share_an_identity_and_join(order: tuple[Any, ...]) -> None:
    """Sent one by one they bear the same identity, and joining them gives what the array gives."""
    parts = [_one(content) for content in order]
    assert len({identity_key(part, adapter="tenovi", account="A") for part in parts}) == 1
    whole: Reading | None = parts[0]
    for part in parts[1:]:
        assert whole is not None
        whole = joined(whole, part)
    assert whole is not None
    assert values(whole) == WHOLE


def test_the_index_tells_two_inflations_of_one_time_apart() -> None:
    """Two readings under one timestamp stay two where the index says so."""
    readings = readings_of(TENOVI, sample("tenovi", "array-of-two-inflations-at-one-time"))
    assert [values(reading)["8480-6"] for reading in readings] == ["128", "131"]
    assert [values(reading)["8867-4"] for reading in readings] == ["66", "68"]


def test_a_contradiction_in_one_array_keeps_both() -> None:
    """Two pressures under one key do not become one: the second is there to be shown beside."""
    content = sample("tenovi", "blood-pressure")
    readings = readings_of(TENOVI, [content, content | {"value_1": 150}])
    assert [values(reading)["8480-6"] for reading in readings] == ["128", "150"]


def test_a_second_value_of_the_oximeter_is_a_deviation() -> None:
    """``value_2`` of saturation and pulse is no reading; perfusion is told, not measured in."""
    content = sample("tenovi", "oximeter-array")
    reading = _one(content)
    assert (reading.kind, values(reading)) == ("spo2", {"59408-5": "97", "8867-4": "71"})
    assert notices_of(TENOVI, content) == {"not_a_vital": "perfusion_index"}


@pytest.mark.parametrize(
    ("name", "kind", "value", "unit"),
    [
        ("weight", "weight", "81.74", "[lb_av]"),
        ("temperature", "temperature", "37.00", "[degF]"),
        ("glucose", "glucose", "112.00", "mg/dL"),
        ("blood-glucose-metric", "glucose", "112.00", "mg/dL"),
        ("sleep", "sleep", "7.50", "h"),
    ],
)
def test_units_are_those_of_the_device_pages(name: str, kind: str, value: str, unit: str) -> None:
    """Payloads carry no units: pounds, Fahrenheit, mg/dL and hours are converted where needed."""
    reading = _one(sample("tenovi", name))
    (part,) = reading.components
    assert (reading.kind, f"{part.value:.2f}", part.original_unit) == (kind, value, unit)
    assert not reading.is_part


def test_peak_flow_and_fev1_of_one_blow_are_one_reading() -> None:
    """Liters a minute and liters, sent as two metrics of one moment."""
    reading = _one(sample("tenovi", "spirometer-array"))
    assert (reading.kind, values(reading)) == ("peak_flow", {"33452-4": "410", "20150-9": "2.1"})


def test_two_glucose_values_of_one_time_are_two_readings() -> None:
    """For glucose the value belongs to what makes a reading one."""
    content = sample("tenovi", "glucose")
    keys = {
        identity_key(_one(sent), adapter="tenovi", account="A")
        for sent in (content, content, content | {"value_1": 118})
    }
    assert len(keys) == 2


def test_an_estimated_time_is_kept_as_one() -> None:
    """``estimated_timestamp`` lowers the quality of the time."""
    assert _one(sample("tenovi", "estimated-time")).time_quality == "estimated"


def test_the_vendor_s_test_data_is_a_test() -> None:
    """``dummy_data`` is never a measurement of the patient."""
    assert _one(sample("tenovi", "dummy-data")).entry_method == "test"


def test_a_time_without_zone_is_utc() -> None:
    """The vendor's times are UTC, also where no zone is written; optional fields may be away."""
    reading = _one(sample("tenovi", "minimal"))
    assert reading.measured_at == datetime(2026, 1, 15, 13, 15, tzinfo=UTC)
    assert (reading.vendor_time, reading.patient_ref) == ("2026-01-15T13:15:00", None)


@pytest.mark.parametrize(
    ("chosen", "sent", "minutes", "flags"),
    [
        ("ignored", -300, None, ()),
        ("minutes_east", -300, -300, ()),
        ("minutes_west", 300, -300, ()),
        ("minutes_east", -5, None, ("offset_refused",)),
        ("minutes_east", -18000, None, ("offset_refused",)),
        ("minutes_east", None, None, ()),
    ],
)
def test_the_offset_is_used_as_the_practice_says(
    chosen: str, sent: int | None, minutes: int | None, flags: tuple[str, ...]
) -> None:
    """Its unit and sign are not documented: ignored by default, checked where it is used."""
    content = sample("tenovi", "blood-pressure") | {"timezone_offset": sent}
    reading = _one(content, timezone_offset=chosen)
    assert (reading.offset_minutes, reading.flags) == (minutes, flags)


def test_steps_battery_and_statistics_are_no_vitals() -> None:
    """What the vendor itself leaves out of its days with data is told and not measured."""
    assert notices_of(TENOVI, sample("tenovi", "notice-battery")) == {"battery": "84"}
    found = items_of(TENOVI, sample("tenovi", "notice-steps-and-heart-rate-statistics"))
    assert [(item.kind, item.value) for item in found] == [
        ("not_a_vital", "steps"),
        ("not_a_vital", "heart_rate_statistics"),
    ]


def test_a_pillbox_event_is_medication() -> None:
    """Every ``pillbox_`` metric is an event of medication, without a value."""
    reading = _one(sample("tenovi", "pillbox-opened"))
    assert (reading.kind, reading.components) == ("medication", ())
    assert reading.flags == ("pillbox_opened",)


def test_one_bad_metric_leaves_the_others() -> None:
    """In an array each object is read by itself, and the refusal tells which it was."""
    good = sample("tenovi", "blood-pressure")
    items = items_of(TENOVI, [good, good | {"metric": "horoscope"}, sample("tenovi", "pulse")])
    assert [type(item) for item in items] == [Reading, RejectedReading]
    assert (items[1].reason, items[1].where) == ("kind", "body[1]")
    assert values(items[0]) == WHOLE


def test_an_array_too_large_waits_as_a_dead_letter() -> None:
    """A body of more objects than a batch may hold is not read in part."""
    with pytest.raises(UnreadableDeliveryError):
        items_of(TENOVI, json.dumps([{}] * (MAX_ITEMS + 1)).encode())
