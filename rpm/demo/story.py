"""The story: every step of the demo in the order in which it happens.

Owns the order, the month-end, the limits and the deliveries that go wrong on purpose. Does not own
the parts it is made of. The same number of patients gives the same steps, so a story can be taken
up again where it was left; only signatures differ, with the gateways' secrets.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from itertools import chain

from devices.simulator import Sent
from rpm.demo.enrollment import device_ref, enrollments
from rpm.demo.happenings import EXCLUDED, exclusion, happenings, special_talks
from rpm.demo.people import people
from rpm.demo.person import Person
from rpm.demo.practice import CELLULAR, CLOSE_ON_DAY, DOCTOR, HUB, LAST_DAY, LIMITS_DAY, START, at
from rpm.demo.sending import measured, posts, reading_on, signed, single_reading
from rpm.demo.steps import Call, CloseOf, Post, Step
from rpm.demo.visits import visits
from rpm.demo.work import calls, usual_talks

_NOT_AUTHENTIC, _DEAD_LETTER = 401, 202
_WRONG_SECRET = "whsec_bm90IHRoZSBzZWNyZXQgb2YgdGhpcyBnYXRld2F5"  # noqa: S105 - signs for nobody
_REPEATED_SINCE = at(date(2025, 12, 1), "00:00")
_QUINN, _THEA = "CG-0035", "CG-0001"


def story(patients: int, secrets: Mapping[str, str]) -> list[Step]:
    """All steps after the opening of the practice; ``secrets`` are the gateways', by key."""
    cast = people(patients)
    keys = frozenset(person.key for person in cast)
    sent = measured(cast)
    for person in cast:
        if person.key == _QUINN:
            sent[person.devices[0].gateway.key] += _doubtful(person)
    steps: list[Step] = [
        *enrollments(cast),
        *calls(chain(special_talks(keys), usual_talks(cast))),
        *happenings(keys),
        *visits(keys),
        *_month_ends(),
        *_limits(),
    ]
    kept: set[str] = set()
    for person in cast:
        if person.key == EXCLUDED.person_key:
            device = person.devices[0]
            ref = device_ref(person, device)
            kept.add(reading_on(sent[device.gateway.key], ref, EXCLUDED.day))
    steps += [exclusion(reading_id) for reading_id in sorted(kept)]
    delivered = list(posts(sent, secrets, frozenset(kept)))
    steps += [*delivered, *_gone_wrong(delivered, secrets)]
    return sorted(steps, key=lambda step: step.at)


def _doubtful(person: Person) -> Iterator[Sent]:
    """A value that no cuff measures, and a reading whose clock was reset."""
    device = person.devices[0]
    measured_at = at(date(2025, 11, 20), "07:40")
    yield single_reading(
        person, device, measured_at, measured_at + timedelta(seconds=20), "400", "90"
    )
    arrived = at(date(2025, 12, 3), "07:41")
    yield single_reading(person, device, at(date(2000, 1, 1), "00:12"), arrived, "131", "82")


def _gone_wrong(delivered: list[Post], secrets: Mapping[str, str]) -> Iterator[Post]:
    """A delivery sent again, one that cannot be read, and one that somebody else signed."""
    again = next(one for one in delivered if one.gateway == HUB.key and one.at >= _REPEATED_SINCE)
    yield replace(again, at=again.at + timedelta(minutes=1))
    broken = at(date(2025, 12, 4), "11:15")
    body = b'{"readings": [{"id": "cut-off'
    yield signed(broken, CELLULAR.key, body, secrets[CELLULAR.key], _DEAD_LETTER)
    forged = at(date(2025, 12, 5), "03:20")
    yield signed(forged, HUB.key, b'{"readings": []}', _WRONG_SECRET, _NOT_AUTHENTIC)


def _limits() -> Iterator[Call]:
    """Published starting points, a limit of the practice's own, and a closer one for a patient."""
    reason = {"reason": "decided by the medical director"}
    adopted = {
        "points": [
            "clinic-systolic-high",
            "clinic-diastolic-high",
            "heart-failure-weight-week",
            "missed-two-days",
            "threshold-next-day",
        ],
        "band": "amber",
    }
    own = {
        "kind": "bp",
        "quantity": "systolic",
        "comparison": "at_least",
        "value": "150",
        "band": "amber",
        "in_a_row": 2,
        "window_hours": 72,
    }
    closer = {**own, "value": "135", "patient_id": f"@patient:{_THEA}"}
    calls = (("12:30", "/adopt", adopted), ("12:31", "", own), ("12:32", "", closer))
    for clock_time, path, body in calls:
        yield Call(at(LIMITS_DAY, clock_time), DOCTOR.key, f"/v1/limits{path}", {**body, **reason})


def _month_ends() -> Iterator[CloseOf]:
    month = START.date().replace(day=1)
    while True:
        following = (month + timedelta(days=31)).replace(day=1)
        if following > LAST_DAY:
            return
        yield CloseOf(at(following.replace(day=CLOSE_ON_DAY), "06:30"), month)
        month = following
