"""Lines taken back after a close ask for corrections of their claims; a person makes them."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from claims_practice import FEBRUARY, JANUARY, BilledPractice
from ledger_practice import days
from sqlalchemy.engine import Engine

from billing.claims.claim_json import json_to_claim
from billing.claims.lifecycle import Kind, Status
from rpm.access import Actor, system_actor
from rpm.actions.claim_corrections import (
    AcceptCorrection,
    Correction,
    Proposal,
    accept_correction,
    proposals,
)
from rpm.actions.claim_events import current_claim
from rpm.errors import Conflict, NotAllowed
from rpm.store.engine import reading, transaction
from rpm.store.scope import Scope
from rpm.store.tables.answers import ReceivedFile, Remittance, RemittanceClaim
from rpm.store.tables.claims import ClaimEventRecord, ClaimRecord
from rpm.store.tables.monitoring import Reading

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Corrected(BilledPractice):
    """A patient whose January is closed and on a claim, and what happens to it later."""

    def __init__(self, engine: Engine, actor: Actor) -> None:
        super().__init__(engine, actor)
        self.identity()
        patient_id = self.patient(sex="F", family_name="Doe")
        episode_id = self.episode(patient_id, opened_day=JANUARY)
        self.address(patient_id)
        self.taken: list[Reading] = self.readings(patient_id, episode_id, days(JANUARY, 16))
        self.close()
        (self.row,) = self.assemble().claims

    def lose_readings(self, count: int) -> None:
        """Readings are excluded after the close, and the month is closed again."""
        for one in self.taken[-count:]:  # the window begins with the first reading
            self.exclude(one)
        self.now = FEBRUARY + timedelta(minutes=5)
        self.close()

    def proposed(self) -> list[Proposal]:
        """What the record asks for."""
        with reading(self.engine) as db:
            return proposals(db, Scope.of(self.actor))

    def accept(self, actor: Actor | None = None) -> Proposal:
        """A person makes the correction."""
        command = AcceptCorrection(claim_id=self.row.id, reason="days were excluded")
        with transaction(self.engine) as db:
            return accept_correction(db, actor or self.actor, self.now, command)

    def status(self) -> Status:
        """Where the claim stands."""
        with reading(self.engine) as db:
            return current_claim(db, Scope.of(self.actor), self.row.id).standing.status

    def answered(self, kind: Kind, number: str = "") -> None:
        """The claim was sent, and something came back."""
        events = [(Kind.SENT, "sent-1"), (kind, f"{kind}-1")]
        self.record(
            *(
                ClaimEventRecord(
                    claim_id=self.row.id,
                    key=key,
                    kind=one,
                    on_day=date(2026, 2, 2),
                    paid_cents=5_000 if one is Kind.REMITTED else 0,
                )
                for one, key in events
            )
        )
        if number:
            self.remitted(number)

    def remitted(self, number: str) -> None:
        """The payer's own number of the claim is on a remittance."""
        file_id, remittance_id = self.new_id(), self.new_id()
        self.record(
            ReceivedFile(
                id=file_id,
                name="835.x12",
                source="upload",
                sha256="0" * 64,
                kind="835",
                interchange_sender="HOUSE",
                interchange_number="1",
                content=b"",
                size_bytes=0,
            ),
            Remittance(
                id=remittance_id,
                file_id=file_id,
                ordinal=1,
                payment_key="T1",
                claims_cents=5_000,
                adjusted_cents=0,
                claim_count=1,
                findings=[],
                payer_name="MEDICARE",
                payer_id_text="06102",
                trace_number="T1",
                payment_day=date(2026, 2, 2),
                method="ACH",
                paid_cents=5_000,
                provider_adjustments=[],
                difference_cents=0,
            ),
            RemittanceClaim(
                remittance_id=remittance_id,
                ordinal=1,
                key="835-T1",
                told={},
                claim_id=self.row.id,
                control_number=self.row.control_number,
                status_code="1",
                is_reversal=False,
                charge_cents=9_000,
                paid_cents=5_000,
                patient_cents=0,
                payer_claim_number=number,
                adjustments=[],
                lines=[],
                remarks=[],
            ),
        )


@pytest.fixture
def practice(engine: Engine, actor: Actor) -> Corrected:
    """January is on an assembled claim."""
    return Corrected(engine, actor)


def test_nothing_changed_asks_for_nothing(practice: Corrected) -> None:
    """Closing again without news proposes no correction, and none can be made."""
    practice.close()
    assert practice.proposed() == []
    with pytest.raises(Conflict, match="no correction"):
        practice.accept()


def test_a_claim_that_did_not_leave_is_rebuilt_with_what_stands(practice: Corrected) -> None:
    """The shorter month's code takes the place of the longer one's: on the same claim, once."""
    practice.lose_readings(2)
    (proposal,) = practice.proposed()
    assert proposal.correction is Correction.REBUILD
    gone = {row.procedure for row in proposal.gone}
    added = {service.procedure for service, _ in proposal.added}
    assert "99454" in gone
    assert "99445" in added
    assert practice.assemble().claims == ()
    with pytest.raises(NotAllowed):
        practice.accept(system_actor(practice.actor.organization_id, "job"))
    practice.accept()
    assert practice.status() is Status.ASSEMBLED
    with reading(practice.engine) as db:
        current = current_claim(db, Scope.of(practice.actor), practice.row.id)
    codes = {line.procedure for line in current.claim.lines}
    assert "99445" in codes
    assert "99454" not in codes
    assert current.frequency == "1"
    assert current.claim.control_number == practice.row.control_number
    assert practice.proposed() == []
    assert practice.assemble().claims == ()
    assert practice.release([practice.row.id]).done == [practice.row.id]


def test_a_claim_of_which_nothing_stands_is_withdrawn(practice: Corrected) -> None:
    """It never left and never will."""
    practice.lose_readings(16)
    (proposal,) = practice.proposed()
    assert proposal.correction is Correction.WITHDRAW
    practice.accept()
    assert practice.status() is Status.WITHDRAWN
    assert practice.proposed() == []


def test_a_claim_on_its_way_waits(practice: Corrected) -> None:
    """While the outcome is not known nothing is corrected; it stays as work."""
    practice.answered(Kind.FILE_ACCEPTED)
    practice.lose_readings(2)
    (proposal,) = practice.proposed()
    assert proposal.correction is Correction.WAIT
    with pytest.raises(Conflict, match="waits"):
        practice.accept()


def test_a_paid_claim_is_replaced_under_the_payers_number(practice: Corrected) -> None:
    """Frequency 7 with REF*F8, the claim's own number kept, waiting for its release."""
    practice.answered(Kind.REMITTED, "2026300123456")
    practice.lose_readings(2)
    (proposal,) = practice.proposed()
    assert proposal.correction is Correction.REPLACE
    practice.accept()
    with reading(practice.engine) as db:
        current = current_claim(db, Scope.of(practice.actor), practice.row.id)
    assert (current.frequency, current.attempt) == ("7", 2)
    assert current.claim.payer_claim_number == "2026300123456"
    assert current.standing.status is Status.ASSEMBLED
    assert practice.release([practice.row.id]).done == [practice.row.id]


def test_a_paid_claim_of_which_nothing_stands_is_voided(practice: Corrected) -> None:
    """Frequency 8 says all that was said before."""
    practice.answered(Kind.REMITTED, "2026300123456")
    practice.lose_readings(16)
    (proposal,) = practice.proposed()
    assert proposal.correction is Correction.VOID
    practice.accept()
    with reading(practice.engine) as db:
        (row,) = Scope.of(practice.actor).all_of(db, ClaimRecord)
        current = current_claim(db, Scope.of(practice.actor), row.id)
    assert current.frequency == "8"
    before = json_to_claim(row.content)
    assert replace(current.claim, frequency="1", payer_claim_number="") == before
    assert practice.proposed() == []
