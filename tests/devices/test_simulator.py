"""The simulator: the same seed gives the same bytes, and what it sends the product reads."""

import base64
from datetime import UTC, date, datetime, timedelta

import pytest

from devices.authenticity import verify
from devices.delivery import Incoming, Secret, Verified
from devices.identity import identity_key
from devices.reading import Reading
from devices.simulator import (
    Habits,
    PatientPlan,
    Sent,
    deliveries,
    practice,
    readings,
    usual_series,
)
from devices.vendor import VENDORS

SECRET = Secret("whsec_" + base64.b64encode(b"s" * 32).decode())
FIRST, LAST = date(2025, 11, 1), date(2025, 12, 30)
FAITHFUL = Habits(adherence=1, repeat=0, late=0, manual=0, missed_run=0)
GENERIC = VENDORS["generic"]


def _plan(habits: Habits, *kinds: str) -> PatientPlan:
    series = tuple(usual_series(kind, f"dev-{kind}") for kind in kinds or ("weight",))
    return PatientPlan("SYN-1", "America/Chicago", series, habits)


def _local_days(sent: list[Sent]) -> set[str]:
    return {str(item.reading["measured_at"])[:10] for item in sent}


def _all(seed: int, patients: int) -> list[Sent]:
    return [
        item for plan in practice(seed, patients) for item in readings(plan, FIRST, LAST, seed=seed)
    ]


def test_the_same_seed_gives_the_same_requests() -> None:
    """Headers, bodies and times are the same in every run, and others with another seed."""
    once = list(deliveries(_all(7, 5), SECRET))
    assert once == list(deliveries(_all(7, 5), SECRET))
    assert once != list(deliveries(_all(8, 5), SECRET))


def test_another_patient_changes_no_other() -> None:
    """A larger practice begins with the same patients and the same readings."""
    assert _all(7, 6)[: len(_all(7, 5))] == _all(7, 5)


def test_the_door_takes_what_it_sends() -> None:
    """Every request is authentic when posted, every reading in it is read, none is lost."""
    sent = _all(3, 8)
    read: list[str] = []
    for request in deliveries(sent, SECRET):
        outcome = verify(
            GENERIC.schemes[0], Incoming(request.headers, request.body), [SECRET], request.sent_at
        )
        assert isinstance(outcome, Verified)
        for item in GENERIC.parse(request.body, {}).items:
            assert isinstance(item, Reading), item
            assert item.measured_at is not None
            assert item.measured_at <= request.sent_at
            read.append(str(item.vendor_reading_id))
    assert sorted(read) == sorted(str(item.reading["id"]) for item in sent)


def test_a_faithful_patient_misses_no_day() -> None:
    """With every chance at its best there is one weight on each of the sixty local days."""
    sent = readings(_plan(FAITHFUL), FIRST, LAST, seed=1)
    assert len(sent) == len(_local_days(sent)) == 60


def test_missed_runs_leave_days_out() -> None:
    """Missed runs leave whole days without readings, all within the days asked for."""
    habits = Habits(adherence=1, repeat=0, late=0, manual=0, missed_run=0.2)
    days = _local_days(readings(_plan(habits), FIRST, LAST, seed=1))
    assert 10 < len(days) < 60
    assert FIRST.isoformat() <= min(days) <= max(days) <= LAST.isoformat()


def test_repeats_are_one_reading() -> None:
    """A device that sends everything twice brings no new identity."""
    habits = Habits(adherence=1, repeat=1, late=0, manual=0, missed_run=0)
    sent = readings(_plan(habits), FIRST, LAST, seed=1)
    items = [
        item
        for request in deliveries(sent, SECRET)
        for item in GENERIC.parse(request.body, {}).items
        if isinstance(item, Reading)
    ]
    keys = {identity_key(item, adapter="generic", account="a") for item in items}
    assert (len(items), len(keys)) == (120, 60)


def test_late_uploads_come_later_and_manual_entries_say_so() -> None:
    """From memory, readings come six hours to four days late; typed-in ones are marked."""
    habits = Habits(adherence=1, repeat=0, late=1, manual=1, missed_run=0)
    for item in readings(_plan(habits), FIRST, LAST, seed=1):
        lag = item.sent_at - datetime.fromisoformat(item.reading["measured_at"])
        assert timedelta(hours=6) <= lag <= timedelta(days=4, minutes=1)
        assert item.reading["entry_method"] == "manual"


def test_requests_are_bounded_in_number_and_time() -> None:
    """No request holds more readings or a longer time than allowed, and they are in order."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    sent = [Sent(start + timedelta(minutes=n), {"id": str(n)}) for n in range(100)]
    by_time = list(deliveries(sent, SECRET, window=timedelta(minutes=10)))
    by_number = list(deliveries(sent, SECRET, window=timedelta(days=1), at_most=30))
    assert (len(by_time), len(by_number)) == (10, 4)
    assert list(deliveries([], SECRET)) == []
    times = [request.sent_at for request in by_time]
    assert times == sorted(times)


def test_an_unknown_kind_has_no_figures() -> None:
    """A kind the simulator has no figures for is an error."""
    with pytest.raises(KeyError):
        usual_series("horoscope", "dev-1")
