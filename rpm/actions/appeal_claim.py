"""Appeal a claim, and record what the payer said: the letter, the packet, the outcome.

Owns what a draft is made of, the packet and both records. Does not own the letter's words
(``billing.claims.appeal``) nor the packet's look (``rpm.documents.appeal``). The packet is kept as
it was made, every byte; the product sends nothing to anyone.
"""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from pydantic import Field, StringConstraints
from sqlmodel import Session, col

from billing.claims.appeal import (
    OUTCOMES,
    AppealFacts,
    Part,
    is_checked,
    letter_text,
    packet_parts,
    spoken,
    us_long_day,
)
from billing.claims.denial import Answer
from billing.claims.lifecycle import Kind, Step
from rpm.access import Actor, require
from rpm.actions.claim_events import CurrentClaim, current_claim, own_event, person_of
from rpm.actions.command import NOT_BLANK, Command, Day, Id, OneOf, Text, refuse
from rpm.actions.denial_queue import WorkItem, work_item
from rpm.actions.evidence_pack import EvidencePack, postings_pack
from rpm.actions.practice_day import practice_today
from rpm.documents.appeal import Packet, appeal_pdf
from rpm.documents.evidence_event import measured_words
from rpm.errors import Conflict
from rpm.store.chain import recording
from rpm.store.queries.billing import practice_billing
from rpm.store.queries.claims import lines_of_claims
from rpm.store.queries.denials import answers_of, answers_to_appeals, appeals_of
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.tables.denials import Appeal, AppealAnswer

Letter = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000), NOT_BLANK
]


class AppealClaim(Command):
    """The letter as it leaves, and the day it does."""

    claim_id: Id
    letter: Letter
    sent_on: Day
    answer_due_on: Day | None = Field(
        default=None, description="When the payer must answer, where that is known."
    )


class AnswerAppeal(Command):
    """What the payer said; money comes with a remittance."""

    appeal_id: Id
    outcome: Annotated[str, OneOf(OUTCOMES)] = Field(examples=["overturned"])
    on_day: Day
    note: Text | None = None


@dataclass(frozen=True)
class Draft:
    """A letter to be read and changed, and what its packet would hold."""

    letter: str
    level: int
    parts: Sequence[Part]


def draft_appeal(db: Session, scope: Scope, now: datetime, claim_id: Id) -> Draft:
    """A draft; ``Conflict`` where no appeal may follow."""
    current, item, level = _appealable(db, scope, claim_id)
    pack, unproven = _evidence(db, scope, now, current)
    billing = practice_billing(db, scope)
    answers = answers_of(db, scope, [claim_id]).get(claim_id, [])
    facts = AppealFacts(
        claim=current.claim,
        practice_phone=billing.contact_phone if billing else "",
        payer_claim_number=item.denied.payer_claim_number,
        reasons=item.denied.reasons,
        at_stake_cents=item.denied.at_stake_cents,
        answered_on=item.denied.answered_on,
        trace_number=item.denied.trace_number,
        level=level,
        letter_day=practice_today(db, scope, now),
        evidence=_sentences(pack),
    )
    parts = packet_parts(_proven(pack), unproven, has_answer=bool(answers))
    return Draft(letter_text(facts), level, parts)


def appeal_claim(db: Session, actor: Actor, now: datetime, command: AppealClaim) -> Appeal:
    """The appeal with its packet. ``InvalidRequest`` while the letter asks for checking.

    ``Conflict`` where no appeal may follow, or one waits for its answer.
    """
    require(actor, "claims:write")
    person_of(actor)
    scope = Scope.of(actor)
    hold_organization(db, scope)
    current, item, level = _appealable(db, scope, command.claim_id)
    if any(unicodedata.category(one) == "Cc" and one not in "\n\t" for one in command.letter):
        raise refuse("letter", "E_CONTROL", "it has control characters")
    if not is_checked(command.letter):
        raise refuse("letter", "E_NOT_CHECKED", "it has a mark that asks for checking")
    if command.answer_due_on is not None and command.answer_due_on < command.sent_on:
        raise refuse("answer_due_on", "E_ORDER", "it lies before the day of sending")
    pack, unproven = _evidence(db, scope, now, current)
    answers: list[Answer] = answers_of(db, scope, [command.claim_id]).get(command.claim_id, [])
    packet = appeal_pdf(
        Packet(
            practice=spoken(current.claim.billing.name),
            control_number=current.row.control_number,
            letter=command.letter,
            answers=answers,
            parts=packet_parts(_proven(pack), unproven, has_answer=bool(answers)),
            evidence=None if pack is None else pack.content,
        ),
        now,
    )
    subject = {"claim_id": command.claim_id, "level": level}
    if pack is not None:
        subject["pack_digest"] = pack.content["digest"]
    with recording(db, actor, now, "claim.appeal", subject) as record:
        appeal = record.add(
            Appeal(
                **command.model_dump(),
                attempt=current.standing.attempt,
                level=level,
                reason=item.denied.group_key,
                packet=packet,
                packet_sha256=hashlib.sha256(packet).hexdigest(),
                user_id=actor.user_id,
            )
        )
        own_event(
            *(record, actor, command.claim_id, Kind.APPEALED, current.standing.attempt),
            command.sent_on,
            detail={"level": level},
        )
    return appeal


def answer_appeal(db: Session, actor: Actor, now: datetime, command: AnswerAppeal) -> AppealAnswer:
    """The outcome. ``Conflict`` where one is recorded, ``InvalidRequest`` before the sending."""
    require(actor, "claims:write")
    person_of(actor)
    scope = Scope.of(actor)
    hold_organization(db, scope)
    appeal = scope.get(db, Appeal, command.appeal_id)
    if scope.all_of(db, AppealAnswer, col(AppealAnswer.appeal_id) == appeal.id):
        raise Conflict("its outcome is recorded already")
    if command.on_day < appeal.sent_on:
        raise refuse("on_day", "E_ORDER", "it lies before the day of sending")
    subject = {"claim_id": appeal.claim_id, "appeal_id": appeal.id}
    with recording(db, actor, now, "claim.appeal.answer", subject) as record:
        answer = record.add(
            AppealAnswer(
                appeal_id=appeal.id,
                outcome=command.outcome,
                on_day=command.on_day,
                note=command.note or "",
                user_id=actor.user_id,
            )
        )
        own_event(
            *(record, actor, appeal.claim_id, Kind.APPEAL_ANSWERED, appeal.attempt),
            command.on_day,
            detail={"outcome": command.outcome, "level": appeal.level},
        )
    return answer


def _appealable(db: Session, scope: Scope, claim_id: Id) -> tuple[CurrentClaim, WorkItem, int]:
    """The claim, what is to be said of it, and the level of its next appeal."""
    current = current_claim(db, scope, claim_id)
    appeals = appeals_of(db, scope, claim_id)
    answered = answers_to_appeals(db, scope, [one.id for one in appeals])
    if any(one.id not in answered for one in appeals):
        raise Conflict("an appeal waits for its answer")
    if not current.may(Step.APPEAL):
        raise Conflict(f"a claim that is {current.standing.status} is not appealed")
    item = work_item(db, scope, claim_id)
    if item is None:
        raise Conflict("nothing of this claim was refused")
    return current, item, len(appeals) + 1


def _evidence(
    db: Session, scope: Scope, now: datetime, current: CurrentClaim
) -> tuple[EvidencePack | None, list[str]]:
    """The pack of the claim's postings, and codes of lines that are none."""
    lines = lines_of_claims(db, scope, [current.row.id]).get(current.row.id, [])
    posting_ids = [line.posting_id for line in lines if line.posting_id is not None]
    unproven = [line.procedure for line in lines if line.posting_id is None]
    if not posting_ids:
        return None, unproven
    name = f"evidence-{current.row.control_number}.json"
    return postings_pack(db, scope, now, posting_ids, name), unproven


def _proven(pack: EvidencePack | None) -> int:
    return 0 if pack is None else len(pack.content["events"])


def _sentences(pack: EvidencePack | None) -> tuple[str, ...]:
    """One sentence for each proven line."""
    return tuple(
        f"{event['code']} on {_long(event['service_day'])}: {measured_words(event)} from"
        f" {_long(event['period']['start_day'])} to {_long(event['period']['end_day'])}; see the"
        " evidence."
        for event in ([] if pack is None else pack.content["events"])
    )


def _long(day: str) -> str:
    return us_long_day(date.fromisoformat(day))
