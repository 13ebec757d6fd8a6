"""Assemble a month: its services that are on no claim yet become claims, or are held with reasons.

Owns numbering, recording and what a preview tells. Does not own grouping
(``billing.claims.assemble``) nor which lines are services (``rpm.actions.claim_services``). What is
held is recorded nowhere: it follows from the record whenever it is asked for, so that nothing held
can be forgotten.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count

from pydantic import Field, model_validator
from sqlmodel import Session

from billing.claims.assemble import Assembled, AssembledClaim, assemble
from billing.claims.claim_json import claim_to_json
from billing.claims.lifecycle import Kind
from rpm.access import Actor, require
from rpm.actions.claim_events import own_event
from rpm.actions.claim_services import Billable, services_of
from rpm.actions.command import Command, Id, Month
from rpm.actions.compute_close import next_month
from rpm.actions.practice_day import practice_today
from rpm.errors import NotFound
from rpm.store.chain import Record, recording
from rpm.store.queries.billing import charge_schedule
from rpm.store.queries.claimed import closes_of_month
from rpm.store.queries.claims import take_numbers
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimLineRecord, ClaimRecord
from rpm.store.tables.ledger import Close

CONTROL_NUMBERS = "claim"
"""The sequence of patient control numbers."""


class AssembleClaims(Command):
    """A month, or one close of it."""

    month: Month | None = None
    close_id: Id | None = Field(default=None, description="Only what this close posted.")

    @model_validator(mode="after")
    def _one_of_both(self) -> "AssembleClaims":
        if (self.month is None) == (self.close_id is None):
            raise ValueError("either a month or a close is told")
        return self


@dataclass(frozen=True)
class Preview:
    """What assembling would give now."""

    month_start_day: date
    assembled: Assembled
    billable: Billable
    closes: int

    @property
    def charge_cents(self) -> int:
        """The charges of the claims together."""
        return sum(one.claim.charge_cents for one in self.assembled.claims)


@dataclass(frozen=True)
class MadeClaims:
    """The claims that were made, and what was held back, with all that a preview tells."""

    claims: Sequence[ClaimRecord]
    preview: Preview


def preview_claims(db: Session, actor: Actor, command: AssembleClaims) -> Preview:
    """What assembling would give now, changing nothing.

    ``NotFound`` for a month that has no close, and for a close that is not here.
    """
    require(actor, "claims:read")
    numbers = (f"DRAFT{number}" for number in count(1))
    return _assembled(db, Scope.of(actor), command, numbers)


def _assembled(
    db: Session, scope: Scope, command: AssembleClaims, numbers: Iterator[str]
) -> Preview:
    closes = _closes(db, scope, command)
    first_day = closes[0].month_start_day
    days = (first_day, next_month(first_day) - timedelta(days=1))
    billable = services_of(db, scope, closes, days)
    assembled = assemble(billable.services, charge_schedule(db, scope), numbers)
    return Preview(first_day, assembled, billable, len(closes))


def _closes(db: Session, scope: Scope, command: AssembleClaims) -> Sequence[Close]:
    if command.close_id is not None:
        return [scope.get(db, Close, command.close_id)]
    found = closes_of_month(db, scope, date.fromisoformat(f"{command.month}-01"))
    if not found:
        raise NotFound("the month is not closed")
    return found


def assemble_claims(
    db: Session, actor: Actor, now: datetime, command: AssembleClaims
) -> MadeClaims:
    """Record the claims that can be written; what is held stays as it is. Errors as the preview.

    Done again it makes claims of what was mended or posted since, and never one twice.
    """
    require(actor, "claims:write")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    preview = _assembled(db, scope, command, _numbers(db, scope))
    if not preview.assembled.claims:
        return MadeClaims((), preview)
    today = practice_today(db, scope, now)
    subject = {"month": f"{preview.month_start_day:%Y-%m}"}
    with recording(db, actor, now, "claims.assemble", subject) as record:
        record.subject["claims"] = len(preview.assembled.claims)
        record.subject["held"] = len(preview.assembled.held)
        rows = [
            _record(record, actor, one, preview.billable, today) for one in preview.assembled.claims
        ]
    return MadeClaims(rows, preview)


def _numbers(db: Session, scope: Scope) -> Iterator[str]:
    """Patient control numbers, each taken from the sequence as it is asked for."""
    while True:
        yield f"RL{take_numbers(db, scope, CONTROL_NUMBERS, 1):09d}"


def _record(
    record: Record, actor: Actor, made: AssembledClaim, billable: Billable, today: date
) -> ClaimRecord:
    claim, sources = made.claim, [billable.sources[one] for one in made.service_ids]
    first = sources[0]
    assert first.payer_id is not None  # noqa: S101 - a claim without payer lacks its name
    row = record.add(
        ClaimRecord(
            patient_id=first.patient_id,
            payer_id=first.payer_id,
            close_id=next((one.close_id for one in sources if one.close_id), None),
            control_number=claim.control_number,
            rendering_npi=claim.rendering.npi if claim.rendering else "",
            from_day=min(line.from_day for line in claim.lines),
            to_day=max(line.to_day for line in claim.lines),
            charge_cents=claim.charge_cents,
            content=claim_to_json(claim),
        )
    )
    for number, (service_id, line, source) in enumerate(
        zip(made.service_ids, claim.lines, sources, strict=True), start=1
    ):
        record.add(
            ClaimLineRecord(
                claim_id=row.id,
                line_number=number,
                service_id=service_id,
                procedure=line.procedure,
                charge_cents=line.charge_cents,
                posting_id=source.posting_id,
                visit_id=source.visit_id,
            )
        )
    own_event(record, actor, row.id, Kind.ASSEMBLED, 1, today)
    return row
