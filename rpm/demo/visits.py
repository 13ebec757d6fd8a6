"""Visits of the demo: each shows one way that telehealth comes out, and the biller decides on some.

Owns these visits and what is said of them. Does not own their coding (``billing.coding``): a visit
tells what was documented, and today's rules tell the rest.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from rpm.demo.practice import ADMIN, BILLER, START, at
from rpm.demo.steps import Call

_VIDEO = {"level_basis": "MDM", "mdm": "MOD", "fields": "consent=documented;dx=I10"}
_PHONE = {"modality": "AUDIO", "level_basis": "MDM", "mdm": "LOW", "fields": "dx=I10"}
_PHOTO = {"modality": "ASYNC", "fields": "service=image_review;dx=L30.9"}
_COUNSELOR = {
    "provider_type": "LPC",
    "state": "WI",
    "fields": "service=therapy;minutes.therapy=45;licence=IL:ACTIVE",
}
_BY_THE_DOCTOR = {"practitioner_id": "@practitioner:doctor"}


@dataclass(frozen=True)
class ToldVisit:
    """A visit as it is told; ``accepted`` None: nobody has decided on it."""

    person_key: str
    day: date
    facts: Mapping[str, Any]
    accepted: bool | None = None
    reason: str | None = None
    person: Mapping[str, str] = field(default_factory=lambda: _BY_THE_DOCTOR)


VISITS = (
    # a photo, a video and a call, as Medicare pays them
    ToldVisit("CG-0034", date(2026, 1, 14), _PHOTO, accepted=True),
    ToldVisit("CG-0002", date(2026, 1, 20), _VIDEO, accepted=True),
    ToldVisit("CG-0009", date(2026, 1, 22), _PHONE, accepted=True),
    # this payer takes no visit by phone
    ToldVisit(
        "CG-0016", date(2026, 1, 21), {**_PHONE, "payer": "UHC_COM"},
        accepted=False, reason="this payer takes no visit by phone",
    ),
    # a counselor licensed in Illinois, and a patient who was in Wisconsin
    ToldVisit("CG-0032", date(2026, 1, 23), _COUNSELOR, person={}),
    # the place of service of a clinic, though the patient was at home
    ToldVisit("CG-0008", date(2026, 2, 17), {**_VIDEO, "submitted": "99214@11"}),
)  # fmt: skip


def visits(keys: frozenset[str]) -> Iterator[Call]:
    """The visits of the patients that are there, and what was decided the day after."""
    yield Call(START + timedelta(minutes=30), ADMIN.key, "/v1/practitioner-authorities", _LICENSE)
    for visit in VISITS:
        if visit.person_key in keys:
            yield from _told(visit)


_LICENSE = {
    **_BY_THE_DOCTOR,
    "kind": "STATE_LICENSE",
    "jurisdiction": "IL",
    "identifier": "036-000000",
    "valid_from": "2020-01-01",
    "valid_to": "2026-07-31",
    "verified_on": "2025-11-01",
}


def _told(visit: ToldVisit) -> Iterator[Call]:
    ordinary = {
        "payer": "MCR",
        "state": "IL",
        "dos": visit.day.isoformat(),
        "provider_type": "MD",
        "provider_site": "OFFICE",
        "patient_location": "HOME",
        "modality": "AV",
        "patient_status": "EST",
    }
    recorded = {
        "patient_id": f"@patient:{visit.person_key}",
        **visit.person,
        "facts": {**ordinary, **visit.facts},
    }
    name = f"visit:{visit.person_key}"
    yield Call(at(visit.day, "16:30"), BILLER.key, "/v1/encounters", recorded, name)
    if visit.accepted is None:
        return
    decided = {"visit_id": f"@{name}", "accepted": visit.accepted, "reason": visit.reason}
    following = at(visit.day + timedelta(days=1), "09:10")
    yield Call(following, BILLER.key, "/v1/encounter-decisions", decided)
