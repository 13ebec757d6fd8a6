"""What the demo practice's claims need: who bills, whom, under which ids, and for how much.

Owns these values and the calls that record them. Everything is invented: identifiers, addresses and
charges are nobody's. One patient's address is missing, so that there is something held to mend.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from rpm.demo.person import Person
from rpm.demo.practice import ADMIN, MIA, PAYERS, START
from rpm.demo.steps import Call

WITHOUT_ADDRESS = "CG-0041"
_DOOR = "/v1"
_MEDICARE_B, _ADVANTAGE, _COMMERCIAL, _MEDICAID = "MB", "16", "CI", "MC"
_FILING = {"MEDICARE": _MEDICARE_B, "MA": _ADVANTAGE, "COM": _COMMERCIAL, "MCD": _MEDICAID}
_IDENTITY = {
    "name": "Cedar Grove Internal Medicine",
    "street": "1 Example Square",
    "city": "Cedar Grove",
    "state": "IL",
    "postal_code": "600010000",
    "tax_id": "000000000",
    "taxonomy": "207R00000X",
    "contact_name": "Bill Biller",
    "contact_phone": "3125550100",
    "submitter_id": "CEDARGROVE",
    "reason": "invented for the demo",
}
_DOCTOR_NAME = {"practitioner_id": "@practitioner:doctor", "last": "Demo", "first": "Dana"}
_STREETS = ("Elm Street", "Oak Avenue", "Birch Lane", "Maple Court", "Willow Way")
_STATES = {
    "America/Chicago": ("Cedar Grove", "IL", "60001"),
    "America/New_York": ("Example Bay", "NY", "10001"),
    "America/Denver": ("Example Hills", "CO", "80201"),
}
_LIMITS = {"timely_filing_days": 365, "appeal_days": 120}
_FROM_DAY = "2025-01-01"
_DOLLARS = {
    "99453": 30, "99454": 75, "99445": 75, "99457": 85, "99458": 70, "99470": 45, "99091": 95,
    "98975": 30, "98976": 75, "98977": 75, "98980": 80, "98981": 65, "98979": 42,
    "98984": 70, "98985": 70, "98986": 70, "98978": 75,
    "99202": 140, "99203": 200, "99204": 300, "99205": 390,
    "99211": 45, "99212": 105, "99213": 165, "99214": 235, "99215": 330, "G2211": 30,
    "98000": 140, "98001": 200, "98004": 105, "98005": 165, "98006": 235, "98007": 330,
    "98008": 120, "98009": 180, "98012": 95, "98013": 150, "98014": 215, "98016": 35,
    "99421": 30, "99422": 55, "99423": 85, "G2010": 25, "G2012": 30, "G2250": 25,
    "90832": 140, "90834": 185, "90837": 270, "90791": 310,
}  # fmt: skip
"""Charges of the invented practice, in dollars."""


def billing_identity() -> Iterator[Call]:
    """The practice's own facts, once the payers and the doctor are there."""
    yield _admin("/billing-identity", _IDENTITY)
    yield _admin("/practitioner-names", _DOCTOR_NAME)
    for number, key in enumerate(PAYERS, start=1):
        billing = {
            "payer_id": f"@payer:{key}",
            "edi_payer_id": f"DEMO{number:02d}",
            "filing_code": _FILING[key.split("_")[0]],
            **_LIMITS,
        }
        yield _admin("/payer-billings", billing)
    for code, dollars in _DOLLARS.items():
        charge = {
            "procedure": code,
            "cents": dollars * 100,
            "from_day": _FROM_DAY,
            "reason": "invented for the demo",
        }
        yield _admin("/charges", charge)


def address_of(person: Person, when: datetime) -> Iterator[Call]:
    """Where a patient lives, noted with the coverage."""
    if person.key == WITHOUT_ADDRESS:
        return
    number = int(person.key.split("-")[1])
    city, state, postal_code = _STATES.get(person.zone, _STATES["America/Chicago"])
    body: dict[str, Any] = {
        "patient_id": f"@patient:{person.key}",
        "street": f"{100 + number} {_STREETS[number % len(_STREETS)]}",
        "city": city,
        "state": state,
        "postal_code": postal_code,
    }
    moment = when + timedelta(seconds=30)
    yield Call(moment, MIA.key, f"{_DOOR}/patient-addresses", body)


def _admin(path: str, body: dict[str, Any]) -> Call:
    return Call(START, ADMIN.key, f"{_DOOR}{path}", body)
