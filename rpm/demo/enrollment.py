"""Opening the practice and enrolling its patients: the calls that make what later steps name.

Owns these calls. Does not own the people nor what happens after enrollment.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from devices.device_ids import check_digit
from devices.kinds import ledger_kind
from rpm.demo.billing import address_of, billing_identity
from rpm.demo.person import Handed, Person
from rpm.demo.practice import (
    ADMIN,
    DOCTOR,
    GATEWAYS,
    MIA,
    NORA,
    PAYERS,
    START,
    WORKERS,
    at,
)
from rpm.demo.steps import Call

TOKEN_DAYS = 366
_COVERED_SINCE = "2025-01-01"
_ESTABLISHED_SINCE = "2024-06-03"
_DOOR = "/v1"
_IMEI_VENDORS = frozenset({"bodytrace", "mio", "telli"})
_MAKES = {"bp": "Demo Cuff", "weight": "Demo Scale", "glucose": "Demo Meter", "steps": "Demo Band"}


def device_ref(person: Person, device: Handed) -> str:
    """The vendor's id of a device: the practice's word, or an IMEI where that is on the box."""
    if device.gateway.vendor in _IMEI_VENDORS:
        core = f"86000000{person.key.removeprefix('CG-')}{device.number:02d}"
        return core + check_digit(core)
    return device_word(person, device)


def device_word(person: Person, device: Handed) -> str:
    """The practice's own word for a device."""
    return f"{person.key}-{device.measures}-{device.number}"


def opening() -> Iterator[Call]:
    """Everyone who works here gets an account; payers and gateways are set up."""
    practitioner = {
        "name": DOCTOR.name,
        "npi": DOCTOR.npi,
        "credential": DOCTOR.credential,
        "taxonomy": "207R00000X",
    }
    yield _admin("/practitioners", practitioner, "practitioner:doctor")
    for worker in WORKERS:
        account: dict[str, Any] = {
            "name": worker.name,
            "email": worker.email,
            "role": worker.role,
        }
        if worker is DOCTOR:
            account["practitioner_id"] = "@practitioner:doctor"
        yield _admin("/users", account, f"user:{worker.key}")
        token = {
            "user_id": f"@user:{worker.key}",
            "name": "demo",
            "valid_days": TOKEN_DAYS,
        }
        yield _admin("/tokens", token, f"token:{worker.key}")
    for key, name in PAYERS.items():
        yield _admin("/payers", {"key": key, "name": name}, f"payer:{key}")
    yield from billing_identity()
    for gateway in GATEWAYS:
        body = {"vendor": gateway.vendor, "name": gateway.name}
        yield _admin("/connections", body, f"connection:{gateway.key}")


def enrollments(people: tuple[Person, ...]) -> Iterator[Call]:
    """Each patient's first morning: chart, coverage, episode and device."""
    on_day: dict[date, int] = {}
    for person in people:
        turn = on_day[person.opened_day] = on_day.get(person.opened_day, -1) + 1
        began = at(person.opened_day, "09:00") + timedelta(minutes=7 * turn)
        yield from _registered(person, began)
        yield _enrolled(person, began + timedelta(minutes=2))
        for device in (one for one in person.devices if one.from_day is None):
            yield from handed_over(person, device, began + timedelta(minutes=3))


def episode(person: Person, day: date, *, again: bool = False) -> dict[str, Any]:
    """The request that enrolls a person on a day, again after an earlier episode if told so."""
    body: dict[str, Any] = {
        "patient_id": f"@patient:{person.key}",
        "program": person.program,
        "setting": person.setting,
        "pos": person.pos,
        "opened_day": day.isoformat(),
        "setup_day": day.isoformat(),
        "setup_by_user_id": f"@user:{NORA.key}",
        "setup_note": "taught at the practice; the patient showed it back",
    }
    if person.order:
        body["order"] = {
            "order_day": day.isoformat(),
            "ordering_npi": DOCTOR.npi,
            "device_kind": ledger_kind(person.devices[0].measures),
            "diagnosis_codes": [person.diagnosis],
            "reason": "readings from home between visits",
        }
    if person.consent:
        body["consent"] = consent(day)
    if person.established:
        body["established_from_day"] = _ESTABLISHED_SINCE
    if again:
        body |= {"previous_id": f"@episode:{person.key}", "reorder": True}
    return body


def consent(day: date) -> dict[str, Any]:
    """What a consent given on a day says."""
    return {
        "consent_day": day.isoformat(),
        "mode": "verbal",
        "taken_by": NORA.name,
        "cost_share_told": True,
    }


def handed_over(
    person: Person, device: Handed, began: datetime, episode_name: str = ""
) -> Iterator[Call]:
    """A device is registered and given to the patient, when its day comes."""
    given = began if device.from_day is None else at(device.from_day, "11:30")
    noticed = given if device.registered_day is None else at(device.registered_day, "10:40")
    ref = device_ref(person, device)
    registered = {
        "vendor": device.gateway.vendor,
        "vendor_device_id": ref,
        "kind": ledger_kind(device.measures),
        "make": _MAKES.get(device.measures, "Demo Device"),
        "fda_listed": device.fda_listed,
        "automatic": True,
    }
    yield Call(noticed, MIA.key, f"{_DOOR}/devices", registered, f"device:{ref}")
    association = {
        "device_id": f"@device:{ref}",
        "episode_id": f"@{episode_name or 'episode:' + person.key}",
        "from_at": given.isoformat(),
    }
    start = given.date().isoformat()
    yield Call(
        noticed + timedelta(minutes=1),
        MIA.key,
        f"{_DOOR}/device-associations",
        association,
        f"association:{ref}:{start}",
    )


def _registered(person: Person, began: datetime) -> Iterator[Call]:
    number = int(person.key.split("-")[1])
    patient = {
        "record_number": person.key,
        "family_name": person.family,
        "given_name": person.given,
        "birth_date": date(1938 + number % 30, 1 + number % 12, 1 + number % 28).isoformat(),
        "sex": "FM"[number % 2],
        "timezone": person.zone,
    }
    yield Call(began, MIA.key, f"{_DOOR}/patients", patient, f"patient:{person.key}")
    coverage = {
        "patient_id": f"@patient:{person.key}",
        "payer_id": f"@payer:{person.payer}",
        "member_id": f"DEMO{number:06d}",
        "from_day": _COVERED_SINCE,
    }
    later = began + timedelta(minutes=1)
    yield Call(later, MIA.key, f"{_DOOR}/coverages", coverage, f"coverage:{person.key}")
    yield from address_of(person, later)


def _enrolled(person: Person, when: datetime) -> Call:
    body = episode(person, person.opened_day)
    return Call(when, NORA.key, f"{_DOOR}/episodes", body, f"episode:{person.key}")


def _admin(path: str, body: dict[str, Any], keep: str) -> Call:
    return Call(START, ADMIN.key, f"{_DOOR}{path}", body, keep)
