"""Counting: every reason code with its ledger word, the time rules, and local days across zones."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.counting import (
    QUARANTINED,
    REASONS,
    Association,
    DeviceFacts,
    Verdict,
    countable,
    refused_word,
)
from devices.kinds import KINDS
from devices.local_day import local_day, local_time_in
from devices.reading import Reading, component

LEDGER_WORDS = {
    "manual_entry", "device_not_qualified", "not_physiologic", "time_suspect", "out_of_range",
    "excluded", "other",
}  # fmt: skip
ZONE = "America/New_York"
AT = datetime(2026, 1, 31, 12, 42, 10, tzinfo=UTC)
SINCE = Association(datetime(2025, 1, 1, tzinfo=UTC))
LISTED = DeviceFacts(fda_listed=True, automatic=True)


def _reading(kind: str = "weight", **fields: Any) -> Reading:
    parts = tuple(
        component(KINDS[kind], quantity.code, str(quantity.flag[0]), quantity.ucum)
        for quantity in KINDS[kind].quantities
        if quantity.required
    )
    reading = Reading("dev-1", kind, parts, AT, AT.isoformat(), entry_method="device")
    return replace(reading, **fields)


def _pressure(systolic: int, diastolic: int) -> Reading:
    kind = KINDS["bp"]
    parts = (
        component(kind, "systolic", str(systolic), "mmHg"),
        component(kind, "diastolic", str(diastolic), "mmHg"),
    )
    return _reading("bp", components=parts)


def _verdict(reading: Reading, **given: Any) -> Verdict:
    arguments = {
        "association": SINCE,
        "device": LISTED,
        "received_at": (reading.measured_at or AT) + timedelta(seconds=30),
        "zone": ZONE,
        **given,
    }
    return countable(reading, **arguments)


@pytest.mark.parametrize(
    ("kind", "counts"),
    [
        ("weight", True),
        ("heart_rate", True),
        ("resp_rate", True),
        ("glucose", True),
        ("glucose_cgm", True),
        ("spo2", True),
        ("temperature", True),
        ("peak_flow", True),
        ("fev1", True),
        ("steps", False),
        ("sleep", False),
        ("ecg_flag", False),
        ("medication", False),
    ],
)
def test_physiologic_kinds_count(kind: str, *, counts: bool) -> None:
    """Vital signs from a device count; wellness figures and medication events do not."""
    reason = "" if counts else "not_physiologic"
    assert _verdict(_reading(kind))[:2] == (counts, reason)


REFUSALS: dict[str, list[tuple[Reading, dict[str, Any]]]] = {
    "manual_entry": [(_reading(entry_method="manual"), {})],
    "entry_unknown": [(_reading(entry_method="unknown"), {})],
    "control_solution": [(_reading("glucose", entry_method="control"), {})],
    "vendor_test": [(_reading(entry_method="test"), {})],
    "owner_ambiguous": [
        (_reading(flags=("owner_ambiguous",)), {}),
        (_reading(flags=("owner_ambiguous",), entry_method="unknown"), {}),
    ],
    "not_physiologic": [(_reading("steps"), {}), (_reading("steps", entry_method="manual"), {})],
    "void": [(_reading(status="deleted"), {})],
    "unknown_device": [(_reading(), {"device": None, "association": None})],
    "not_assigned": [(_reading(), {"association": None})],
    "not_listed_device": [
        (_reading(), {"device": DeviceFacts(fda_listed=False, automatic=True)}),
        (_reading(), {"device": DeviceFacts(fda_listed=True, automatic=False)}),
    ],
    "time_suspect": [
        (_reading(measured_at=None), {}),
        (_reading(time_quality="suspect"), {}),
        (_reading(measured_at=datetime(1970, 1, 3, tzinfo=UTC)), {}),
        (_reading(measured_at=datetime(2000, 1, 1, 5, tzinfo=UTC)), {}),
        (_reading(measured_at=datetime(2019, 1, 1, 12, tzinfo=UTC)), {}),
        (_reading(), {"received_at": AT - timedelta(days=3)}),
        (_reading(), {"received_at": AT - timedelta(hours=24, seconds=1)}),
        (_reading(), {"received_at": AT - timedelta(hours=12)}),
        (_reading(time_quality="estimated", measured_at=datetime(2026, 2, 1, 4, tzinfo=UTC)), {}),
    ],
    "before_assignment": [(_reading(), {"association": Association(AT + timedelta(seconds=1))})],
    "after_return": [(_reading(), {"association": Association(SINCE.from_at, AT)})],
    "out_of_range": [(_pressure(301, 80), {}), (_pressure(120, 19), {}), (_pressure(80, 80), {})],
}
GIVEN_ELSEWHERE = {"goal", "no_consent", "superseded", "excluded", "duplicate"}


@pytest.mark.parametrize("reason", REFUSALS)
def test_refused_readings_say_why(reason: str) -> None:
    """Every reason given here stands for its cause, and the reading does not count."""
    for reading, given_facts in REFUSALS[reason]:
        assert _verdict(reading, **given_facts)[:2] == (False, reason)


def test_what_the_table_does_not_know_does_not_count() -> None:
    """A kind that is not in the table is no vital sign, and a foreign component has no range."""
    assert _verdict(_reading(), received_at=AT).countable
    assert _verdict(replace(_reading(), kind="horoscope")) == (False, "not_physiologic", ())
    foreign = replace(_reading("spo2").components[0], loinc="0-0", value=Decimal(10**6))
    assert _verdict(_reading(components=(foreign,))) == (True, "", ())


def test_every_reason_is_given_here_or_elsewhere() -> None:
    """The table holds the reasons given here and those that parsers and the store give."""
    assert set(REASONS) == set(REFUSALS) | GIVEN_ELSEWHERE
    assert set(REASONS) >= QUARANTINED


def test_every_reason_has_a_word_of_the_ledger() -> None:
    """Each reason maps to one of the ledger's refusal words; no reason maps to the empty word."""
    assert {refused_word(reason) for reason in REASONS} == LEDGER_WORDS
    assert refused_word("") == ""
    with pytest.raises(KeyError):
        refused_word("no such reason")


@pytest.mark.parametrize(
    ("ahead", "counts", "flags"),
    [
        (timedelta(minutes=10), True, ()),
        (timedelta(minutes=11), True, ("clock_skew",)),
        (timedelta(hours=7), True, ("clock_skew",)),
        (timedelta(hours=8), False, ("clock_skew",)),
        (timedelta(days=3), False, ("clock_skew",)),
    ],
)
def test_a_clock_ahead(ahead: timedelta, flags: tuple[str, ...], *, counts: bool) -> None:
    """A clock ahead is marked beyond ten minutes and counts while its date is not tomorrow's."""
    verdict = _verdict(_reading(), received_at=AT - ahead)
    assert (verdict.countable, verdict.flags) == (counts, flags)


def test_a_date_one_day_ahead_does_not_count() -> None:
    """Twenty minutes ahead across local midnight: marked, and not counted for tomorrow."""
    just_after_midnight = datetime(2026, 2, 1, 5, 5, tzinfo=UTC)
    verdict = _verdict(
        _reading(measured_at=just_after_midnight),
        received_at=just_after_midnight - timedelta(minutes=20),
    )
    assert verdict == (False, "time_suspect", ("clock_skew",))


def test_late_uploads_count_whatever_their_age() -> None:
    """A reading from memory counts on its own day, months later too."""
    assert _verdict(_reading(), received_at=AT + timedelta(days=300)).countable


@pytest.mark.parametrize(("hour", "counts"), [(1, False), (2, True), (21, True), (22, False)])
def test_estimated_times_near_midnight_do_not_count(hour: int, *, counts: bool) -> None:
    """An estimated time within two hours of local midnight leaves the date uncertain."""
    at = datetime(2026, 1, 31, hour, 30 if hour < 12 else 0, tzinfo=ZoneInfo(ZONE))
    at += timedelta(seconds=1) if hour == 22 else timedelta()
    verdict = _verdict(_reading(measured_at=at, time_quality="estimated"))
    assert verdict.countable is counts
    assert _verdict(_reading(measured_at=at)).countable


def test_the_assignment_begins_and_ends_at_its_instants() -> None:
    """The first instant of an association belongs to it, the instant of return does not."""
    assert _verdict(_reading(), association=Association(AT)).countable
    assert _verdict(_reading(), association=Association(AT, AT + timedelta(seconds=1))).countable


@pytest.mark.parametrize(
    ("reading", "flags"),
    [
        (_pressure(120, 80), ()),
        (_pressure(251, 100), ("out_of_range",)),
        (_pressure(90, 78), ("out_of_range",)),
        (_pressure(300, 200), ("out_of_range",)),
        (_pressure(301, 80), ("implausible",)),
        (_pressure(80, 90), ("implausible",)),
    ],
)
def test_unusual_values_are_marked(reading: Reading, flags: tuple[str, ...]) -> None:
    """Unusual values count and are marked; implausible ones are marked and wait for a person."""
    verdict = _verdict(reading)
    assert verdict.flags == flags
    assert verdict.countable is ("implausible" not in flags)


@given(
    st.sampled_from(sorted(KINDS)),
    st.sampled_from(["device", "manual", "control", "test", "unknown"]),
    st.sampled_from(["exact", "estimated", "received", "suspect"]),
    st.sampled_from([None, LISTED, DeviceFacts(fda_listed=False, automatic=True)]),
    st.sampled_from([None, SINCE, Association(AT)]),
    st.timedeltas(timedelta(days=-40), timedelta(days=40)),
)
def test_the_answer_is_a_reason_or_a_count(
    kind: str, entry: Any, quality: Any, device: Any, association: Any, lag: timedelta
) -> None:
    """Every reading is counted or refused for a listed reason; never manual or from a stranger."""
    verdict = _verdict(
        _reading(kind, entry_method=entry, time_quality=quality),
        device=device,
        association=association,
        received_at=AT + lag,
    )
    assert verdict.countable is (verdict.reason == "")
    assert refused_word(verdict.reason) in LEDGER_WORDS | {""}
    if verdict.countable:
        assert (entry, device) == ("device", LISTED)
        assert association is not None


DST_NIGHTS = [
    # zone, last instant of the day as UTC in spring 2026, the same in autumn 2026
    ("America/New_York", "2026-03-09T03:59:59", "2026-11-02T04:59:59"),
    ("America/Chicago", "2026-03-09T04:59:59", "2026-11-02T05:59:59"),
    ("America/Denver", "2026-03-09T05:59:59", "2026-11-02T06:59:59"),
    ("America/Phoenix", "2026-03-09T06:59:59", "2026-11-02T06:59:59"),
    ("America/Los_Angeles", "2026-03-09T06:59:59", "2026-11-02T07:59:59"),
]


@pytest.mark.parametrize(("zone", "spring", "autumn"), DST_NIGHTS)
def test_days_of_23_and_25_hours_end_at_local_midnight(zone: str, spring: str, autumn: str) -> None:
    """On the nights the clock changes, a day still ends at the patient's midnight."""
    for last_second, day in ((spring, date(2026, 3, 8)), (autumn, date(2026, 11, 1))):
        at = datetime.fromisoformat(last_second).replace(tzinfo=UTC)
        for seconds, expected in ((0, day), (1, day + timedelta(days=1))):
            found = local_day(
                at + timedelta(seconds=seconds),
                offset_minutes=None,
                offset_origin="unknown",
                patient_zone=zone,
                practice_zone="Pacific/Auckland",
            )
            assert found == (expected, zone, "patient")


def test_the_repeated_hour_is_one_day() -> None:
    """Both passes of the repeated hour belong to the same date and keep their order."""
    first = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    second = first + timedelta(hours=1)
    assert local_time_in(first, ZONE).replace(tzinfo=None) == local_time_in(second, ZONE).replace(
        tzinfo=None
    )
    assert local_time_in(first, ZONE).date() == local_time_in(second, ZONE).date()


@pytest.mark.parametrize(
    ("offset_minutes", "origin", "patient_zone", "expected"),
    [
        (-480, "device", ZONE, (date(2026, 1, 31), "-08:00", "device")),
        (330, "vendor", ZONE, (date(2026, 2, 1), "+05:30", "vendor")),
        (330, "profile", ZONE, (date(2026, 1, 31), ZONE, "patient")),
        (None, "unknown", ZONE, (date(2026, 1, 31), ZONE, "patient")),
        (None, "unknown", None, (date(2026, 2, 1), "Pacific/Auckland", "practice")),
    ],
)
def test_zones_are_trusted_in_order(
    offset_minutes: int | None, origin: Any, patient_zone: str | None, expected: tuple[object, ...]
) -> None:
    """A device's or vendor's offset first, then the patient's zone, then the practice's."""
    evening = datetime(2026, 2, 1, 4, 30, tzinfo=UTC)
    found = local_day(
        evening,
        offset_minutes=offset_minutes,
        offset_origin=origin,
        patient_zone=patient_zone,
        practice_zone="Pacific/Auckland",
    )
    assert found == expected


def test_times_and_zones_that_are_none_are_refused() -> None:
    """A naive instant and an unknown zone name are errors, not a guess."""
    with pytest.raises(ValueError, match="no zone"):
        local_time_in(AT.replace(tzinfo=None), ZONE)
    with pytest.raises(ZoneInfoNotFoundError):
        local_time_in(AT, "America/Nowhere")
