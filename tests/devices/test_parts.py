"""Parts of one physical reading join in any order, and only where they can be one."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations

import pytest

from devices.kinds import KINDS
from devices.parts import joined, joined_items
from devices.reading import Reading, component

AT = datetime(2026, 1, 15, 13, 15, tzinfo=UTC)


def _part(kind: str, *flags: str, **values: str) -> Reading:
    units = {"systolic": "mm[Hg]", "diastolic": "mm[Hg]", "pulse": "/min", "spo2": "%"}
    units |= {"fev1": "L", "peak_flow": "L/min", "weight": "kg"}
    return Reading(
        device_id="D-1",
        kind=kind,
        components=tuple(
            component(KINDS[kind], name, value, units[name]) for name, value in values.items()
        ),
        measured_at=AT,
        vendor_time="2026-01-15T13:15:00Z",
        vendor_reading_id="D-1/2026-01-15T13:15:00Z/1",
        entry_method="device",
        flags=flags,
        is_part=True,
    )


PRESSURE = _part("bp", systolic="128", diastolic="79")
PULSE = _part("heart_rate", pulse="66")
IRREGULAR = _part("ecg_flag", "irregular_heartbeat")


@pytest.mark.parametrize("order", list(permutations([PRESSURE, PULSE, IRREGULAR])))
def test_a_cuff_inflation_is_one_reading_in_any_order(order: tuple[Reading, ...]) -> None:
    """Pressure, pulse and irregular-beat mark make the same reading whichever comes first."""
    first, second, third = order
    whole = joined(first, second)
    assert whole is not None
    whole = joined(whole, third)
    assert whole is not None
    assert whole.kind == "bp"
    assert [(part.loinc, int(part.value)) for part in whole.components] == [
        ("8480-6", 128),
        ("8462-4", 79),
        ("8867-4", 66),
    ]
    assert whole.flags == ("irregular_heartbeat",)
    assert joined_items(order) == (whole,)


def test_a_part_that_says_nothing_new_changes_nothing() -> None:
    """A repeat of a part leaves the whole exactly as it was."""
    whole = joined(PRESSURE, PULSE)
    assert whole is not None
    assert joined(whole, PULSE) is whole
    assert joined(whole, whole) is whole


def test_the_pulse_of_an_oximeter_joins_its_saturation() -> None:
    """The kind follows from the quantities: the same pulse part makes an oximetry here."""
    whole = joined(PULSE, _part("spo2", spo2="97"))
    assert whole is not None
    assert whole.kind == "spo2"


def test_peak_flow_and_fev1_join() -> None:
    """The two numbers of a spirometer's blow are one reading."""
    whole = joined(_part("fev1", fev1="2.1"), _part("peak_flow", peak_flow="410"))
    assert whole is not None
    assert whole.kind == "peak_flow"


def test_a_missing_half_is_marked_until_it_comes() -> None:
    """A pressure without its lower value is marked incomplete, and no longer once it is there."""
    upper = _part("bp", systolic="128")
    lower = _part("bp", diastolic="79")
    whole = joined(upper, PULSE)
    assert whole is not None
    assert whole.flags == ("incomplete",)
    whole = joined(whole, lower)
    assert whole is not None
    assert whole.flags == ()


@pytest.mark.parametrize(
    "later",
    [
        _part("bp", systolic="131", diastolic="79"),
        _part("spo2", spo2="97"),
        _part("weight", weight="80"),
        replace(PULSE, device_id="D-2"),
        replace(PULSE, measured_at=None),
        replace(PULSE, entry_method="test"),
        replace(PULSE, is_part=False),
    ],
    ids=["other value", "other kind", "weight", "device", "instant", "test", "no part"],
)
def test_what_cannot_be_one_reading_stays_apart(later: Reading) -> None:
    """Other values of a quantity or another nature are not mixed in, and not lost either."""
    assert joined(PRESSURE, later) is None
    assert joined_items((PRESSURE, later)) == (PRESSURE, later)


def test_the_least_certain_time_holds() -> None:
    """A part with an estimated time makes the time of the whole estimated."""
    whole = joined(PRESSURE, replace(PULSE, time_quality="estimated", patient_ref="MRN-1"))
    assert whole is not None
    assert (whole.time_quality, whole.patient_ref) == ("estimated", "MRN-1")


def test_parts_of_other_readings_and_other_items_keep_their_order() -> None:
    """Only what bears the same id joins; everything else stays where it was."""
    other = replace(PULSE, vendor_reading_id="D-1/2026-01-15T13:15:00Z/2")
    whole = joined(PRESSURE, PULSE)
    assert joined_items((PRESSURE, "notice", other, PULSE)) == (whole, "notice", other)
