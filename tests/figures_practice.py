"""A practice with three claims of January: one paid in part by the patient, one denied, one open.

Owns sending and answering them as the product does. Does not own what figures say of them.
"""

from datetime import date
from uuid import UUID

from claims_practice import BilledPractice
from remittances_made import Line, Paid, Payment, file_of
from sqlalchemy.engine import Engine

from billing.claims.claim_json import json_to_claim
from billing.claims.lifecycle import Kind
from rpm.access import Actor
from rpm.actions.claim_events import current_claim, own_event
from rpm.actions.post_answers import post_answers
from rpm.actions.take_received_file import take_received_file
from rpm.store.chain import recording
from rpm.store.engine import transaction
from rpm.store.scope import Scope
from rpm.store.tables.answers import PatientPayment
from rpm.store.tables.claims import ClaimRecord

SENT = date(2026, 1, 31)
ANSWERED = date(2026, 2, 2)


class FiguresPractice(BilledPractice):
    """Charges of 90.00 each: 72.00 paid with 18.00 of the patient's, one refused, one waiting."""

    def __init__(self, engine: Engine, actor: Actor) -> None:
        super().__init__(engine, actor)
        self.identity()
        self.residents = [self.resident(number) for number in (1, 2, 3)]
        self.close()
        self.claims: list[ClaimRecord] = list(self.assemble().claims)
        self.release([one.id for one in self.claims])
        for one in self.claims:
            self._event(one.id, Kind.SENT, SENT)
        paid, denied, _ = self.claims
        self.answered(
            _paid(paid),
            _denied(denied),
        )
        self.record(
            PatientPayment(
                patient_id=paid.patient_id,
                claim_id=paid.id,
                cents=300,
                on_day=ANSWERED,
                method="card",
            )
        )

    def answered(self, *claims: Paid, trace: str = "T1") -> None:
        """A remittance comes and is posted."""
        content = file_of(Payment(claims, trace=trace, day="20260202"), number=int(trace[1:]))
        with transaction(self.engine) as db:
            file = take_received_file(db, self.actor, self.now, f"{trace}.835", "upload", content)
            post_answers(db, self.actor, self.now, file.id)

    def _event(self, claim_id: UUID, kind: Kind, day: date) -> None:
        with transaction(self.engine) as db:
            attempt = current_claim(db, Scope.of(self.actor), claim_id).attempt
            with recording(db, self.actor, self.now, "claims.sent") as record:
                own_event(record, self.actor, claim_id, kind, attempt, day)


def _paid(row: ClaimRecord) -> Paid:
    """Four fifths of each line paid, the rest left to the patient."""
    lines = tuple(
        Line(
            one.charge_cents,
            one.charge_cents * 4 // 5,
            (("PR", "2", one.charge_cents // 5),),
            one.procedure,
            (),
            one.control_number,
        )
        for one in json_to_claim(row.content).lines
    )
    return Paid(row.control_number, lines)


def _denied(row: ClaimRecord) -> Paid:
    """Every line refused."""
    lines = tuple(
        Line(
            one.charge_cents,
            0,
            (("CO", "97", one.charge_cents),),
            one.procedure,
            (),
            one.control_number,
        )
        for one in json_to_claim(row.content).lines
    )
    return Paid(row.control_number, lines, status="4")
