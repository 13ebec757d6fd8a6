"""Mio: what each field and trap of Transtek's messages becomes."""

from datetime import UTC, datetime
from typing import Any

import pytest
from vendor_samples import items_of, notices_of, readings_of, sample, values

from devices.counting import countable
from devices.reading import Reading
from devices.vendors.mio import Mio

MIO = Mio()


def _one(content: Any, **chosen: str) -> Reading:
    (reading,) = readings_of(MIO, content, **chosen)
    return reading


def test_a_pressure_is_read_field_by_field() -> None:
    """Epoch seconds, the IMEI as device, irregular beat and movement as marks."""
    reading = _one(sample("mio", "blood-pressure"))
    assert reading.measured_at == datetime(2026, 1, 15, 13, 15, tzinfo=UTC)
    assert (reading.vendor_time, reading.time_quality) == ("1768482900", "exact")
    assert (reading.device_id, reading.kind) == ("864351055723276", "bp")
    assert values(reading) == {"8480-6": "128", "8462-4": "79", "8867-4": "66"}
    assert reading.flags == ("irregular_heartbeat", "movement")
    assert reading.entry_method == "device"


def test_a_mean_of_three_is_marked() -> None:
    """Three inflations averaged by the cuff are one reading."""
    assert _one(sample("mio", "mean-of-three")).flags == ("mean_of_three",)


def test_the_device_can_be_the_vendor_s_own_id() -> None:
    """A practice that registers the vendor's ids says so in a setting."""
    assert _one(sample("mio", "blood-pressure"), device_id="deviceId").device_id == "000117"


def test_a_scale_sends_grams_and_the_time_of_sending() -> None:
    """Grams become kilograms; ``upload_time`` is when it was sent, not when it was measured."""
    reading = _one(sample("mio", "weight-in-grams"))
    assert values(reading) == {"29463-7": "81.74"}
    assert (reading.vendor_time, reading.time_quality) == ("1768482925", "received")


def test_both_glucose_units_and_times() -> None:
    """Unit 2 is mg/dL, 1 is mmol/L; the time is ``uptime`` or ``ts``; the meal is a mark."""
    reading = _one(sample("mio", "glucose"))
    assert (values(reading), reading.flags) == ({"41653-7": "112"}, ("before_meal",))
    assert reading.vendor_time == "1768482900"
    reading = _one(sample("mio", "glucose-millimoles-after-meal"))
    assert (values(reading), reading.flags) == ({"41653-7": "111.696658"}, ("after_meal",))
    assert reading.vendor_time == "1768482900"


def test_control_solution_is_never_the_patient() -> None:
    """Sample type 2 is control solution."""
    reading = _one(sample("mio", "control-solution"))
    assert (reading.entry_method, reading.flags) == ("control", ())


def test_a_test_message_is_never_the_patient() -> None:
    """``isTest`` is kept, and makes no day."""
    reading = _one(sample("mio", "test-message"))
    assert reading.entry_method == "test"
    verdict = countable(
        reading,
        association=None,
        device=None,
        received_at=datetime(2026, 1, 15, 14, tzinfo=UTC),
        zone="America/New_York",
    )
    assert verdict.reason == "vendor_test"


@pytest.mark.parametrize(
    ("name", "kind", "found"),
    [
        ("oximetry", "spo2", {"59408-5": "97", "8867-4": "71"}),
        ("oximetry-no-pulse", "spo2", {"59408-5": "97"}),
        ("oximetry-no-saturation", "heart_rate", {"8867-4": "71"}),
    ],
)
def test_127_and_255_are_no_values(name: str, kind: str, found: dict[str, str]) -> None:
    """A saturation of 127 and a pulse of 255 say that there is none; the other value stands."""
    reading = _one(sample("mio", name))
    assert (reading.kind, values(reading)) == (kind, found)


def test_an_oximetry_without_any_value_is_no_reading() -> None:
    """Both sentinels: nothing was measured, and that is told."""
    found = notices_of(MIO, sample("mio", "notice-oximetry-no-value"))
    assert found == {"not_a_vital": "no value", "battery": "84 %", "signal": "21"}


def test_an_oximeter_is_known_by_its_model() -> None:
    """The type of its messages is not published: model and values tell."""
    content = sample("mio", "oximetry")
    del content["data"]["data_type"]
    assert _one(content).kind == "spo2"


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("status", "device_status", "bpm_gen2_status"),
        ("heartbeat", "heartbeat", "bgm_gen1_heartbeat"),
        ("log", "device_status", "bpm_gen2_log"),
    ],
)
def test_status_messages_are_notices(name: str, kind: str, value: str) -> None:
    """Status, heartbeat and log tell of the device, with its battery and signal."""
    content = sample("mio", f"notice-{name}")
    assert notices_of(MIO, content) == {kind: value, "battery": "84 %", "signal": "21"}
    assert {item.device_id for item in items_of(MIO, content)} == {"864351055723276"}


def test_a_reset_clock_is_kept_for_a_person() -> None:
    """A cuff that thinks it is the year 2000 gives a reading whose time is suspect, not none."""
    reading = _one(sample("mio", "clock-reset"))
    assert reading.measured_at == datetime(2000, 1, 1, 0, 0, 5, tzinfo=UTC)
