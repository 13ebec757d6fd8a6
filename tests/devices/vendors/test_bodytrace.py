"""BodyTrace: what each field and trap of the small messages becomes."""

from datetime import UTC, datetime
from typing import Any

import pytest
from vendor_samples import items_of, notices_of, readings_of, sample, values

from devices.device_ids import same_device_ids
from devices.reading import Reading
from devices.vendors.bodytrace import BodyTrace

BODYTRACE = BodyTrace()


def _one(content: Any, **chosen: str) -> Reading:
    (reading,) = readings_of(BODYTRACE, content, **chosen)
    return reading


def test_a_weight_is_grams_whatever_unit_says() -> None:
    """The public example: milliseconds since 1970, 69,800 grams, a tare of nothing."""
    content = sample("bodytrace", "weight")
    reading = _one(content)
    assert reading.measured_at == datetime(2013, 9, 30, 17, 36, 15, 798_000, tzinfo=UTC)
    assert (reading.kind, values(reading), reading.flags) == ("weight", {"29463-7": "69.8"}, ())
    assert (reading.vendor_time, reading.entry_method) == ("1380562575798", "device")
    content["values"]["unit"] = 2
    assert values(_one(content)) == {"29463-7": "69.8"}


def test_the_device_is_the_imei_without_zeros_and_check_digit() -> None:
    """It answers to the 15 digits printed on the box; a number reads as its text."""
    reading = _one(sample("bodytrace", "weight-device-is-a-number"))
    assert reading.device_id == "1355400123456"
    assert "013554001234567" in same_device_ids(reading.device_id)
    assert values(reading) == {"29463-7": "69.8005"}


def test_a_tare_above_100_is_a_calibration_fault() -> None:
    """100 is still good, 101 marks the reading."""
    assert _one(sample("bodytrace", "weight-device-is-a-number")).flags == ()
    assert _one(sample("bodytrace", "weight-calibration-fault")).flags == ("calibration",)


@pytest.mark.parametrize(
    ("chosen", "flags"),
    [("unconfirmed", ("unit_inferred",)), ("mm[Hg]", ())],
)
def test_a_cuff_is_marked_until_its_unit_is_confirmed(chosen: str, flags: tuple[str, ...]) -> None:
    """mmHg is taken and marked; once the practice confirmed it, the mark is gone."""
    reading = _one(sample("bodytrace", "cuff"), cuff_unit=chosen)
    assert values(reading) == {"8480-6": "128", "8462-4": "79", "8867-4": "66"}
    assert (reading.kind, reading.flags) == ("bp", flags)


@pytest.mark.parametrize(
    ("chosen", "systolic", "diastolic"), [("kPa", 17.1, 10.5), ("Pa", 17100, 10500)]
)
def test_a_cuff_in_another_unit(chosen: str, systolic: float, diastolic: float) -> None:
    """Kilopascals and pascals are converted, and the values as sent stay beside."""
    content = sample("bodytrace", "cuff")
    content["values"] = {"systolic": systolic, "diastolic": diastolic}
    reading = _one(content, cuff_unit=chosen)
    assert [f"{part.value:.1f}" for part in reading.components] == ["128.3", "78.8"]
    assert [part.original_unit for part in reading.components] == [chosen, chosen]


def test_half_a_pressure_is_marked() -> None:
    """A pressure without its lower value is kept and marked incomplete."""
    assert _one(sample("bodytrace", "cuff-without-diastolic")).flags == (
        "incomplete",
        "unit_inferred",
    )


def test_oximeter_and_pulse() -> None:
    """Saturation with its pulse is one reading; a pulse alone is a heart rate."""
    reading = _one(sample("bodytrace", "oximeter"))
    assert (reading.kind, values(reading)) == ("spo2", {"59408-5": "97", "8867-4": "71"})
    reading = _one(sample("bodytrace", "pulse-only"))
    assert (reading.kind, values(reading)) == ("heart_rate", {"8867-4": "71"})


def test_an_empty_message_is_a_heartbeat() -> None:
    """No values: the device is alive, with battery and signal as sent."""
    content = sample("bodytrace", "notice-heartbeat")
    assert notices_of(BODYTRACE, content) == {
        "heartbeat": "",
        "battery": "5522 mV",
        "signal": "91",
    }
    (item,) = items_of(BODYTRACE, sample("bodytrace", "notice-heartbeat-bare"))
    assert (item.kind, item.at) == (
        "heartbeat",
        datetime(2026, 1, 15, 13, 15, 0, 798_000, tzinfo=UTC),
    )


def test_a_reset_clock_is_kept_for_a_person() -> None:
    """Zero is the first of January 1970: a reading whose time is suspect, not none."""
    assert _one(sample("bodytrace", "clock-reset")).measured_at == datetime(1970, 1, 1, tzinfo=UTC)
