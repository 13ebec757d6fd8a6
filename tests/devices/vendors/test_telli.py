"""Telli: what each field and trap of the vendor's messages becomes."""

from datetime import UTC, datetime

import pytest
from vendor_samples import items_of, notices_of, readings_of, sample, values

from devices.delivery import UnreadableDeliveryError
from devices.identity import identity_key
from devices.vendors.telli import Telli

TELLI = Telli()


def test_the_published_pressure_is_read_field_by_field() -> None:
    """Milliseconds written as text, an IMEI, three values: the vendor's own example."""
    (reading,) = readings_of(TELLI, sample("telli", "v1-blood-pressure"))
    assert reading.measured_at == datetime(2024, 7, 19, 9, 48, 44, tzinfo=UTC)
    assert (reading.vendor_time, reading.time_quality) == ("1721382524000", "exact")
    assert (reading.device_id, reading.kind) == ("864593054464085", "bp")
    assert values(reading) == {"8480-6": "122", "8462-4": "98", "8867-4": "62"}
    assert (reading.entry_method, reading.vendor_reading_id, reading.flags) == ("device", None, ())


def test_an_offset_that_does_not_exist_is_refused_and_the_reading_kept() -> None:
    """``-200`` of the published example is no offset: the patient's zone will decide the day."""
    (reading,) = readings_of(TELLI, sample("telli", "v2-blood-pressure"))
    assert (reading.offset_minutes, reading.offset_origin) == (None, "unknown")
    assert reading.flags == ("offset_refused",)


def test_an_offset_that_exists_is_the_device_s() -> None:
    """A stored reading tells where the device was, and that it was sent late from memory."""
    (reading,) = readings_of(TELLI, sample("telli", "v2-from-memory-with-offset"))
    assert (reading.offset_minutes, reading.offset_origin) == (-300, "device")
    assert reading.flags == ("from_memory",)


def test_the_offset_can_be_left_out_of_account() -> None:
    """A practice that does not trust the vendor's offsets lets the patient's zone decide."""
    content = sample("telli", "v2-from-memory-with-offset")
    (reading,) = readings_of(TELLI, content, tz_offset="ignored")
    assert (reading.offset_minutes, reading.flags) == (None, ("from_memory",))


def test_what_a_device_does_not_support_is_null() -> None:
    """Null memory, offset and device data say nothing."""
    items = items_of(TELLI, sample("telli", "v2-no-device-data"))
    assert len(items) == 1
    assert (items[0].offset_minutes, items[0].flags) == (None, ())


@pytest.mark.parametrize(
    ("name", "kind", "found"),
    [
        ("v2-spo2", "spo2", {"59408-5": "98", "8867-4": "83"}),
        ("v2-peak-flow", "peak_flow", {"33452-4": "322", "20150-9": "1.85"}),
        ("v1-weight", "weight", {"29463-7": "61.23496995"}),
        ("v1-device-is-a-uuid", "weight", {"29463-7": "61.2"}),
        ("v2-blood-glucose", "glucose", {"41653-7": "110"}),
    ],
)
def test_each_type_is_kept_in_its_unit(name: str, kind: str, found: dict[str, str]) -> None:
    """Pounds become kilograms exactly; what is in the kept unit stays as it is."""
    (reading,) = readings_of(TELLI, sample("telli", name))
    assert (reading.kind, values(reading)) == (kind, found)


def test_fahrenheit_becomes_celsius_and_is_kept_as_sent() -> None:
    """97.2 degrees Fahrenheit are 36.2 Celsius; the text sent stays beside it."""
    (reading,) = readings_of(TELLI, sample("telli", "v2-temperature"))
    (part,) = reading.components
    assert f"{part.value:.1f} {part.ucum}" == "36.2 Cel"
    assert (part.original_value, part.original_unit) == ("97.2", "F")


def test_glucose_without_a_unit_is_marked_until_the_practice_says() -> None:
    """Version 1 names no unit: mg/dL is inferred and marked; a confirmed unit is not."""
    content = sample("telli", "v1-blood-glucose")
    (reading,) = readings_of(TELLI, content)
    assert reading.flags == ("before_meal", "unit_inferred")
    assert values(reading) == {"41653-7": "110"}
    (reading,) = readings_of(TELLI, content, glucose_unit="mg/dL")
    assert reading.flags == ("before_meal",)
    content["data"]["glucose"] = 6.1
    (reading,) = readings_of(TELLI, content, glucose_unit="mmol/L")
    assert values(reading) == {"41653-7": "109.895099"}


def test_a_unit_that_was_sent_beats_the_setting() -> None:
    """The setting speaks only where the message does not."""
    (reading,) = readings_of(TELLI, sample("telli", "v2-blood-glucose"), glucose_unit="mmol/L")
    assert values(reading) == {"41653-7": "110"}


def test_an_irregular_beat_is_marked() -> None:
    """``arrhythmia`` 1 marks the reading it came with."""
    content = sample("telli", "v1-blood-pressure")
    content["data"]["arrhythmia"] = 1
    (reading,) = readings_of(TELLI, content)
    assert reading.flags == ("irregular_heartbeat",)


def test_battery_and_signal_come_beside_the_reading() -> None:
    """The state of the device is told apart from the reading, as sent."""
    assert notices_of(TELLI, sample("telli", "v2-blood-pressure")) == {
        "battery": "9",
        "signal": "1",
    }
    content = sample("telli", "v2-spo2") | {"devdata": None}
    assert notices_of(TELLI, content) == {"battery": "61", "signal": "24"}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("heartbeat", {"heartbeat": "Heartbeat", "battery": "pwr", "signal": "3"}),
        ("reminder-cleared", {"device_status": "ReminderCleared", "battery": "pwr", "signal": "3"}),
        ("settings-response", {"settings": "SettingsResponse"}),
        ("sleeping-mat", {"not_a_vital": "SleepingMatDuration", "battery": "9", "signal": "1"}),
    ],
)
def test_other_messages_are_notices_and_no_readings(name: str, found: dict[str, str]) -> None:
    """Heartbeats, reminders, settings and sleep tell of a device or a night, not of a vital."""
    content = sample("telli", f"notice-{name}")
    assert notices_of(TELLI, content) == found
    assert readings_of(TELLI, content) == []


def test_an_unknown_type_waits_as_a_dead_letter() -> None:
    """A type the vendor adds later is not lost: it can be read again after an update."""
    with pytest.raises(UnreadableDeliveryError):
        items_of(TELLI, sample("telli", "v1-weight") | {"readingType": "Oximeter9"})


def test_a_repeat_has_the_same_identity_and_a_second_glucose_another() -> None:
    """There is no event id: device, kind and time make the reading, for glucose the value too."""
    content = sample("telli", "v1-blood-glucose")
    other = content | {"data": {"glucose": 115}}
    keys = [
        identity_key(readings_of(TELLI, sent)[0], adapter="telli", account="A")
        for sent in (content, content, other)
    ]
    assert keys[0] == keys[1]
    assert keys[0] != keys[2]
