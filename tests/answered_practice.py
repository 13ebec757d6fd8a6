"""A practice whose claims were sent, so that answers to them can be posted.

Owns claims and sendings as rows, in one transaction, and posting files as the product does. Does
not own the files (``remittances_made``) nor how claims are assembled.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from claims_made import CLAIM, claim_file
from ledger_practice import Practice
from sqlalchemy.engine import Engine

from billing.claims.claim_json import claim_to_json
from billing.claims.lifecycle import Kind, Standing
from billing.claims.x12.envelope import MOST_CLAIMS
from billing.claims.x12.p837 import write_837p
from rpm.access import Actor
from rpm.actions.post_answers import Posted, post_answers
from rpm.actions.take_received_file import take_received_file
from rpm.store.chain import recording
from rpm.store.engine import reading, transaction
from rpm.store.queries.claims import standings_of
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimEventRecord, ClaimFile, ClaimRecord

NOVEMBER = datetime(2026, 11, 5, 15, tzinfo=UTC)
SENT_ON = date(2026, 10, 20)
TOLD = claim_to_json(CLAIM)


class AnsweredPractice(Practice):
    """Claims by patient control number, sent under interchange and group 42, reference BATCH1."""

    def __init__(self, engine: Engine, actor: Actor, numbers: Sequence[str]) -> None:
        super().__init__(engine, actor, NOVEMBER)
        self.patient_id = self.patient()
        self.payer_id = self.payer("MEDICARE_B")
        self.claims = {number: uuid4() for number in numbers}
        content = write_837p(
            claim_file(tuple(replace(CLAIM, control_number=one) for one in numbers[:MOST_CLAIMS]))
        )
        self.file_id = uuid4()
        file = ClaimFile(
            id=self.file_id,
            kind="837P",
            interchange_number=42,
            name="claims.837",
            sha256="0" * 64,
            content=content,
            clearinghouse_key="house",
            claim_count=len(numbers),
            charge_cents=9000 * len(numbers),
        )
        with (
            transaction(self.engine) as db,
            recording(db, self.actor, self.now, "test.record") as record,
        ):
            record.add(file)
            record.add_values(ClaimRecord, [self._row(number) for number in numbers])
            record.add_values(
                ClaimEventRecord,
                [sending(one, file_id=self.file_id) for one in self.claims.values()],
            )

    def _row(self, number: str) -> dict[str, object]:
        return {
            "id": self.claims[number],
            "patient_id": self.patient_id,
            "payer_id": self.payer_id,
            "control_number": number,
            "rendering_npi": "1245319599",
            "from_day": date(2026, 10, 1),
            "to_day": date(2026, 10, 30),
            "charge_cents": 9000,
            "content": TOLD,
        }

    def add(self, number: str) -> None:
        """A claim that left otherwise, such as on paper, and was recorded later."""
        self.claims[number] = uuid4()
        with (
            transaction(self.engine) as db,
            recording(db, self.actor, self.now, "test.record") as record,
        ):
            record.add_values(ClaimRecord, [self._row(number)])
            record.add_values(ClaimEventRecord, [sending(self.claims[number])])

    def resend(self, number: str, attempt: int, frequency: str, on_day: date) -> None:
        """A claim left once more."""
        row = sending(self.claims[number], attempt, frequency, on_day)
        with (
            transaction(self.engine) as db,
            recording(db, self.actor, self.now, "test.record") as record,
        ):
            record.add_values(ClaimEventRecord, [row])

    def take(self, content: bytes, name: str = "answer.x12") -> UUID:
        """Store a file."""
        with transaction(self.engine) as db:
            return take_received_file(db, self.actor, self.now, name, "upload", content).id

    def post(self, content: bytes, *, any_payee: bool = True) -> Posted:
        """Store a file, and post it in a transaction of its own."""
        file_id = self.take(content)
        with transaction(self.engine) as db:
            return post_answers(db, self.actor, self.now, file_id, any_payee=any_payee)

    def standing(self, number: str) -> Standing:
        """Where a claim stands."""
        claim_id = self.claims[number]
        with reading(self.engine) as db:
            return standings_of(db, Scope.of(self.actor), [claim_id])[claim_id]


def sending(
    claim_id: UUID,
    attempt: int = 1,
    frequency: str = "1",
    on_day: date = SENT_ON,
    file_id: UUID | None = None,
) -> dict[str, object]:
    """The event of a sending."""
    return {
        "claim_id": claim_id,
        "key": f"sent-{attempt}",
        "kind": Kind.SENT.value,
        "attempt": attempt,
        "frequency": frequency,
        "on_day": on_day,
        "file_id": file_id,
        "detail": {},
    }
