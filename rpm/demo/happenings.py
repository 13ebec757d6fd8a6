"""Happenings: what befalls single patients on single days.

Owns these days and what is said about them. Does not own the usual course (``work``, ``sending``).
Each function is one small story, named by its patient's record number.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from rpm.demo.enrollment import consent, device_ref, episode, handed_over
from rpm.demo.named import NAMED
from rpm.demo.person import Person
from rpm.demo.practice import BILLER, DOCTOR, MIA, NEIL, NORA, Worker, at
from rpm.demo.steps import Call
from rpm.demo.work import Talk

_PERSON = {person.key: person for person in NAMED}
_NOON = "12:05"


def _call(
    day: date, clock_time: str, by: Worker, path: str, body: dict[str, Any], keep: str | None = None
) -> Call:
    return Call(at(day, clock_time), by.key, f"/v1{path}", body, keep)


def special_talks(keys: frozenset[str]) -> Iterator[Talk]:
    """Talks that somebody's story needs exactly so, for the patients that are there."""
    return (talk for talk in _TALKS if talk.person_key in keys)


_TALKS = (
    # 18:00 in February when the clock stops
    Talk("CG-0001", date(2025, 11, 12), 1_260),
    Talk("CG-0001", date(2025, 12, 9), 1_320),
    Talk("CG-0001", date(2026, 1, 13), 1_290),
    Talk("CG-0001", date(2026, 2, 5), 600),
    Talk("CG-0001", date(2026, 2, 18), 480, mode="async"),
    # the review that New York Medicaid pays, and one that is too short
    Talk("CG-0015", date(2025, 12, 3), 960, DOCTOR, "async", "99091"),
    Talk("CG-0015", date(2025, 12, 17), 900, DOCTOR, "async", "99091"),
    Talk("CG-0015", date(2026, 1, 14), 1_500, DOCTOR, "async", "99091"),
    Talk("CG-0015", date(2026, 2, 11), 1_860, DOCTOR, "async", "99091"),
    # CCM beside RPM: the minutes stay where they were logged
    Talk("CG-0021", date(2025, 12, 4), 1_260, NORA, "live", "CCM"),
    Talk("CG-0021", date(2026, 1, 8), 1_320, NORA, "live", "CCM"),
    # nurse and practitioner at once: fifteen and fifteen minutes are twenty
    Talk("CG-0022", date(2025, 12, 10), 900, NORA, starts="14:00:00"),
    Talk("CG-0022", date(2025, 12, 10), 900, DOCTOR, starts="14:05:00"),
    Talk("CG-0022", date(2026, 1, 14), 900, NORA, starts="14:00:00"),
    Talk("CG-0022", date(2026, 1, 14), 900, DOCTOR, starts="14:04:00"),
    # one nurse and two patients: the entry recorded later yields
    Talk("CG-0023", date(2025, 12, 11), 1_260, NEIL, starts="15:00:00"),
    Talk("CG-0024", date(2025, 12, 11), 1_260, NEIL, starts="15:09:00"),
    Talk("CG-0023", date(2026, 1, 15), 1_260, NEIL, starts="15:00:00"),
    Talk("CG-0024", date(2026, 1, 15), 1_320, NEIL, starts="15:10:00"),
    # minutes on the day of a visit by the same practitioner
    Talk("CG-0025", date(2025, 12, 8), 840, NORA),
    Talk("CG-0025", date(2025, 12, 15), 720, DOCTOR, starts="13:00:00"),
    Talk("CG-0025", date(2026, 1, 12), 780, NORA),
    # texts only
    Talk("CG-0026", date(2025, 12, 5), 780, MIA, "text"),
    Talk("CG-0026", date(2025, 12, 16), 600, MIA, "async"),
    Talk("CG-0026", date(2026, 1, 9), 780, MIA, "text"),
    # 101:00 in December, above the unit limit; 99:59 in January
    *(Talk("CG-0027", date(2025, 12, day), 1_010) for day in (2, 5, 9, 12, 16, 19)),
    *(Talk("CG-0027", date(2026, 1, day), 1_000) for day in (6, 9, 13, 16, 20)),
    Talk("CG-0027", date(2026, 1, 23), 999),
    # therapeutic monitoring: the practitioner's own minutes
    Talk("CG-0029", date(2025, 12, 9), 1_260, DOCTOR, "live", "RTM"),
    Talk("CG-0029", date(2026, 1, 13), 780, DOCTOR, "live", "RTM"),
    Talk("CG-0029", date(2026, 2, 10), 1_320, DOCTOR, "live", "RTM"),
    # 25:00 in December until one entry was taken back
    Talk("CG-0003", date(2025, 12, 4), 540),
    Talk("CG-0003", date(2025, 12, 11), 480, NEIL, name="taken-back"),
    Talk("CG-0003", date(2025, 12, 18), 480),
    Talk("CG-0003", date(2026, 1, 15), 1_260),
)


def _swap() -> Iterator[Call]:
    person, day = _PERSON["CG-0030"], date(2025, 12, 12)
    old, new = (device_ref(person, device) for device in person.devices)
    registered, _given = handed_over(person, person.devices[1], at(day, _NOON))
    yield registered
    body = {
        "new_device_id": f"@device:{new}",
        "at": at(day, "11:30").isoformat(),
        "reason": "cuff broke; another one given",
    }
    yield _call(day, _NOON, MIA, f"/devices/@device:{old}/swap", body)


def _late_consent() -> Iterator[Call]:
    day = date(2025, 11, 20)
    body = {"episode_id": "@episode:CG-0011", **consent(day)}
    yield _call(day, "10:00", NORA, "/consents", body)


def _farewell() -> Iterator[Call]:
    body = {
        "episode_id": "@episode:CG-0019",
        "last_day": "2026-01-14",
        "end_reason": "death",
    }
    yield _call(date(2026, 1, 15), "10:00", NORA, "/episode-ends", body)


def _goal_met() -> Iterator[Call]:
    person = _PERSON["CG-0020"]
    ended, again = date(2025, 12, 19), date(2026, 1, 20)
    end = {
        "episode_id": f"@episode:{person.key}",
        "last_day": ended.isoformat(),
        "end_reason": "goals_met",
    }
    yield _returned(person, person.opened_day, ended, "goals met")
    yield _call(ended, _NOON, DOCTOR, "/episode-ends", end)
    opened = episode(person, again, again=True)
    yield _call(again, "11:00", NORA, "/episodes", opened, f"episode:{person.key}:again")
    device = person.devices[1]
    yield from handed_over(person, device, at(again, _NOON), f"episode:{person.key}:again")


def _visit() -> Iterator[Call]:
    body = {
        "patient_id": "@patient:CG-0025",
        "code": "99213",
        "service_day": "2025-12-15",
        "own": True,
        "practitioner_id": "@practitioner:doctor",
        "actor_user_id": f"@user:{DOCTOR.key}",
    }
    yield _call(date(2025, 12, 16), "09:00", BILLER, "/services", body)


def _elsewhere() -> Iterator[Call]:
    for day in (date(2025, 12, 11), date(2026, 1, 10)):
        body = {
            "patient_id": "@patient:CG-0028",
            "code": "99454",
            "service_day": day.isoformat(),
            "own": False,
            "note": "told by the payer",
        }
        yield _call(day + timedelta(days=1), "09:05", BILLER, "/services", body)


def _taken_back() -> Iterator[Call]:
    body = {"entry_id": "@entry:taken-back", "reason": "logged for the wrong patient"}
    yield _call(date(2026, 1, 8), "09:30", NEIL, "/entry-reversals", body)


def _new_payer() -> Iterator[Call]:
    day = date(2026, 1, 5)
    end = {
        "coverage_id": "@coverage:CG-0036",
        "last_day": "2025-12-31",
        "reason": "patient changed payers",
    }
    yield _call(day, "09:00", MIA, "/coverage-ends", end)
    begin = {
        "patient_id": "@patient:CG-0036",
        "payer_id": "@payer:MA_GENERIC",
        "member_id": "DEMO100036",
        "from_day": "2026-01-01",
    }
    yield _call(day, "09:01", MIA, "/coverages", begin)


def _withdrawn() -> Iterator[Call]:
    person = _PERSON["CG-0037"]
    given = {"episode_id": f"@episode:{person.key}", **consent(person.opened_day)}
    yield _call(person.opened_day, "13:00", NORA, "/consents", given, f"consent:{person.key}")
    end = {
        "consent_id": f"@consent:{person.key}",
        "last_day": "2026-01-15",
        "reason": "patient withdrew",
    }
    yield _call(date(2026, 1, 15), "15:30", NORA, "/consent-ends", end)


def _surgery() -> Iterator[Call]:
    body = {
        "episode_id": "@episode:CG-0039",
        "gate": "global-period",
        "from_day": "2025-12-01",
        "to_day": "2026-02-28",
        "reference": "surgery on 2025-12-01, another practice",
    }
    yield _call(date(2025, 12, 2), "09:00", NORA, "/episode-gates", body)


def _returned(person: Person, since: date, day: date, reason: str) -> Call:
    ref = device_ref(person, person.devices[0])
    body = {
        "association_id": f"@association:{ref}:{since}",
        "to_at": at(day, "11:29").isoformat(),
        "reason": reason,
    }
    return _call(day, "11:29", MIA, "/device-association-ends", body)


@dataclass(frozen=True)
class ExcludedReading:
    """A reading that a nurse takes out, by patient and local day."""

    person_key: str
    day: date
    decided_at: datetime
    reason: str


EXCLUDED = ExcludedReading(
    "CG-0034", date(2025, 11, 20), at(date(2025, 11, 21), "09:15"), "a visitor stood on the scale"
)


def exclusion(reading_id: str) -> Call:
    """The nurse takes a reading out of the count."""
    path = f"/v1/readings/@reading:{reading_id}/exclusion"
    return Call(EXCLUDED.decided_at, NORA.key, path, {"reason": EXCLUDED.reason})


_HAPPENINGS: dict[str, Callable[[], Iterator[Call]]] = {
    "CG-0030": _swap,
    "CG-0011": _late_consent,
    "CG-0019": _farewell,
    "CG-0020": _goal_met,
    "CG-0025": _visit,
    "CG-0028": _elsewhere,
    "CG-0003": _taken_back,
    "CG-0036": _new_payer,
    "CG-0037": _withdrawn,
    "CG-0039": _surgery,
}


def happenings(keys: frozenset[str]) -> Iterator[Call]:
    """What happens to the patients that are there."""
    for key, story in _HAPPENINGS.items():
        if key in keys:
            yield from story()
