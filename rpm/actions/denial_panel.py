"""All that a person needs to work one claim: why, what would help, what was done already.

Owns putting it together. Does not own the queue (``rpm.actions.denial_queue``) nor any act.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session

from billing.claims.claim import Claim
from billing.claims.denial import Answer, Reason, hints_for
from billing.claims.lifecycle import Step
from billing.coding.catalog import Edit
from billing.rules.references import FindingText, finding_text
from rpm.actions.claim_events import CurrentClaim, current_claim
from rpm.actions.denial_queue import WorkItem, work_item
from rpm.store.queries.claims import events_of
from rpm.store.queries.denials import (
    answers_of,
    answers_to_appeals,
    appeals_of,
    notes_of,
    write_offs_waiting,
)
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimEventRecord
from rpm.store.tables.denials import Appeal, AppealAnswer, WorkNote, WriteOffRequest


@dataclass(frozen=True)
class Told:
    """A reason with what in the product looks for it, findings in words."""

    reason: Reason
    edits: Sequence[Edit]
    findings: Sequence[FindingText]


@dataclass(frozen=True)
class DoneAppeal:
    """An appeal, and what the payer said where that is known."""

    appeal: Appeal
    answer: AppealAnswer | None


@dataclass(frozen=True)
class Panel:
    """One claim with its work; ``item`` is None where it is none, or no longer."""

    current: CurrentClaim
    claim: Claim
    item: WorkItem | None
    hints: Sequence[Told]
    answers: Sequence[Answer]
    notes: Sequence[WorkNote]
    appeals: Sequence[DoneAppeal]
    events: Sequence[ClaimEventRecord]
    write_off: WriteOffRequest | None  # that waits for a second person

    @property
    def may_correct(self) -> bool:
        """Whether a correction may follow."""
        return self.current.may(Step.CORRECT)

    @property
    def may_appeal(self) -> bool:
        """Whether an appeal may follow: something was refused, and none waits."""
        waits = any(one.answer is None for one in self.appeals)
        return self.item is not None and self.current.may(Step.APPEAL) and not waits

    @property
    def may_write_off(self) -> bool:
        """Whether what was refused may be written off."""
        return self.item is not None and self.current.may(Step.WRITE_OFF)


def denial_panel(db: Session, scope: Scope, claim_id: UUID) -> Panel:
    """The panel; ``NotFound`` for a claim that is not here."""
    current, item = current_claim(db, scope, claim_id), work_item(db, scope, claim_id)
    appeals = appeals_of(db, scope, claim_id)
    answered = answers_to_appeals(db, scope, [one.id for one in appeals])
    hints = () if item is None else hints_for(item.counted)
    return Panel(
        current=current,
        claim=current.claim,
        item=item,
        hints=[
            Told(one.reason, one.edits, [finding_text(code) for code in one.findings])
            for one in hints
        ],
        answers=answers_of(db, scope, [claim_id]).get(claim_id, []),
        notes=notes_of(db, scope, claim_id),
        appeals=[DoneAppeal(one, answered.get(one.id)) for one in appeals],
        events=events_of(db, scope, claim_id),
        write_off=write_offs_waiting(db, scope, [claim_id]).get(claim_id),
    )
