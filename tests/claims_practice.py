"""A practice whose claims can be written: who bills, where patients live, charges, filing codes.

Owns recording these through the real actions, and a closed month of it. Does not own the ledger's
side (``ledger_practice``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from ledger_practice import Practice, days
from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.actions.assemble_claims import AssembleClaims, MadeClaims, assemble_claims
from rpm.actions.close_month import CloseMonth, close_month
from rpm.actions.load_charges import SetCharge, set_charge
from rpm.actions.record_billing import (
    RecordPatientAddress,
    RecordPractitionerName,
    SetPayerBilling,
    SetPracticeBilling,
    record_patient_address,
    record_practitioner_name,
    set_payer_billing,
    set_practice_billing,
)
from rpm.actions.release_claims import Decided, ReleaseClaims, release_claims
from rpm.store.engine import transaction
from rpm.store.tables.ledger import Close
from rpm.store.tables.people import Practitioner, User

FEBRUARY = datetime(2026, 2, 2, 15, tzinfo=UTC)
JANUARY = date(2026, 1, 1)
BORN = date(1950, 5, 17)
HOME = {"street": "22 ELM ST", "city": "SPRINGFIELD", "state": "IL", "postal_code": "62704"}
IDENTITY = {
    "name": "LAKESIDE MEDICAL GROUP",
    "street": "100 MAIN ST",
    "city": "SPRINGFIELD",
    "state": "IL",
    "postal_code": "627010001",
    "tax_id": "371234567",
    "contact_name": "BILLING OFFICE",
    "contact_phone": "2175550100",
    "submitter_id": "LAKESIDE",
    "reason": "from the W-9",
}
CENTS = {"99453": 2_500, "99454": 6_500, "99445": 5_000, "99457": 5_500, "99458": 4_200}


class BilledPractice(Practice):
    """A practice at work in January 2026; its claims are made in February."""

    def __init__(self, engine: Engine, actor: Actor) -> None:
        super().__init__(engine, actor, FEBRUARY)

    def second_person(self) -> Actor:
        """Another administrator."""
        user_id = self.new_id()
        self.record(
            User(
                id=user_id,
                name="Second Person",
                email=f"second{user_id.hex[-6:]}@example.org",
                role="practice_admin",
                created_at=self.now,
            )
        )
        return replace(self.actor, user_id=user_id, name_for_audit="Second Person")

    def identity(self) -> None:
        """The billing provider, the practitioner by name parts, the payer and the charges."""
        self.practitioner_id = self.new_id()
        self.record(
            Practitioner(
                id=self.practitioner_id,
                name="Dr. Alice Green",
                npi="1234567893",
                taxonomy="207R00000X",
                credential="MD",
            )
        )
        payer_id = self.payer("MEDICARE_B")
        with transaction(self.engine) as db:
            act = (db, self.actor, self.now)
            set_practice_billing(*act, SetPracticeBilling(**IDENTITY))
            name: dict[str, Any] = {
                "practitioner_id": self.practitioner_id,
                "last": "GREEN",
                "first": "ALICE",
            }
            record_practitioner_name(*act, RecordPractitionerName(**name))
            billing: dict[str, Any] = {
                "payer_id": payer_id,
                "edi_payer_id": "06102",
                "filing_code": "MB",
            }
            set_payer_billing(*act, SetPayerBilling(**billing))
        self.charge(CENTS)

    def charge(self, cents: dict[str, int]) -> None:
        """Charges from January on."""
        with transaction(self.engine) as db:
            for code, asked in cents.items():
                told = SetCharge(procedure=code, cents=asked, from_day=JANUARY, reason="schedule")
                set_charge(db, self.actor, self.now, told)

    def resident(
        self, number: int = 1, *, address: bool = True, born: date = BORN, **episode: Any
    ) -> tuple[UUID, UUID]:
        """A monitored patient with 16 days of readings in January."""
        patient_id = self.patient(sex="F", family_name=f"Doe{number}", birth_date=born)
        episode_id = self.episode(patient_id, **({"opened_day": JANUARY} | episode))
        self.readings(patient_id, episode_id, days(JANUARY, 16))
        if address:
            self.address(patient_id)
        return patient_id, episode_id

    def address(self, patient_id: UUID) -> None:
        """Where a patient lives."""
        with transaction(self.engine) as db:
            command = RecordPatientAddress(patient_id=patient_id, **HOME)
            record_patient_address(db, self.actor, self.now, command)

    def close(self, month: str = "2026-01") -> Close:
        """A month closed."""
        with transaction(self.engine) as db:
            return close_month(db, self.actor, self.now, CloseMonth(month=month)).close

    def assemble(self, month: str = "2026-01") -> MadeClaims:
        """The month's claims."""
        with transaction(self.engine) as db:
            return assemble_claims(db, self.actor, self.now, AssembleClaims(month=month))

    def release(self, claim_ids: Iterable[UUID], actor: Actor | None = None) -> Decided:
        """A person lets claims go."""
        with transaction(self.engine) as db:
            command = ReleaseClaims(claim_ids=list(claim_ids))
            return release_claims(db, actor or self.actor, self.now, command)


def billed_practice(
    engine: Engine, actor: Actor, residents: Sequence[int] = (1,)
) -> BilledPractice:
    """With identity, patients, and January closed."""
    practice = BilledPractice(engine, actor)
    practice.identity()
    for number in residents:
        practice.resident(number)
    practice.close()
    return practice
