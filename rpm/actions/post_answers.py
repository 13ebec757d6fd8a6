"""Read a received file and post what it says: acknowledgments, payments, what nobody is named for.

Owns the transaction and the outcome. Does not own taking the file (``take_received_file``) nor what
each kind of answer does. Everything has a key of its content, so a file posted again, or told again
by another file, adds nothing. What is wrong is told; what is sound is posted all the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from uuid import UUID

from sqlmodel import Session, col

from billing.claims.x12.answer_file import Answers, read_answers
from billing.claims.x12.kind import ELIGIBILITY
from billing.finding import Finding, Severity
from rpm.access import Actor, require
from rpm.actions.answer_work import Work
from rpm.actions.post_acknowledgments import post_acknowledgments
from rpm.actions.post_eligibility import post_eligibility
from rpm.actions.post_remittances import NewMoney, post_remittances
from rpm.actions.practice_day import practice_today
from rpm.collector import without_collector
from rpm.ids import uuid7
from rpm.store.chain import recording
from rpm.store.queries.answers import (
    NEEDS_LOOK,
    POSTED,
    QUARANTINED,
    outcomes_of,
    unread_files,
)
from rpm.store.queries.people import hold_organization, organization_of
from rpm.store.scope import Scope
from rpm.store.tables import answers as tables
from rpm.store.tables.claims import ClaimEventRecord
from rpm.store.tables.people import Practitioner


@dataclass(frozen=True)
class Posted:
    """What became of a file; ``counts`` tell what was in it, known before, and new."""

    file_id: UUID
    state: str
    findings: tuple[Finding, ...]
    counts: dict[str, int]


@without_collector()
def post_answers(
    db: Session, actor: Actor, now: datetime, file_id: UUID, *, any_payee: bool = False
) -> Posted:
    """Post a received file, or read it again. ``NotFound`` when it is not here.

    ``any_payee`` also posts payments that name an NPI which is not the practice's: a person knows
    better.
    """
    require(actor, "remittances:post")
    scope = Scope.of(actor)
    file = scope.get(db, tables.ReceivedFile, file_id)
    answers = read_answers(file.content)
    hold_organization(db, scope)
    work = Work(file_id)
    for finding in answers.findings:
        work.find(finding)
    money = NewMoney()
    if answers.told.kind == ELIGIBILITY:
        for one in post_eligibility(db, actor, now, file.name, file.content).findings:
            work.find(one)
    if answers.readable:
        money = _read(db, scope, now, work, answers, any_payee=any_payee)
    posted = Posted(file_id, _state(answers, work), tuple(work.findings), dict(work.counts))
    _record(db, actor, now, work, money, posted)
    return posted


def post_unread(db: Session, actor: Actor, now: datetime) -> list[Posted]:
    """Post every file that was stored and not read: something stopped in between."""
    return [post_answers(db, actor, now, file_id) for file_id in unread_files(db, Scope.of(actor))]


def _read(
    db: Session, scope: Scope, now: datetime, work: Work, answers: Answers, *, any_payee: bool
) -> NewMoney:
    today: date = practice_today(db, scope, now)
    post_acknowledgments(db, scope, work, answers, today)
    payees = () if any_payee else _payees(db, scope)
    new_id: Callable[[], UUID] = partial(uuid7, now)
    return post_remittances(db, scope, work, answers.remittances, payees, new_id)


def _payees(db: Session, scope: Scope) -> set[str]:
    practitioners: Sequence[str] = [
        row.npi for row in scope.all_of(db, Practitioner, col(Practitioner.npi) != "")
    ]
    return {organization_of(db, scope).npi, *practitioners}


def _state(answers: Answers, work: Work) -> str:
    if not answers.readable:
        return QUARANTINED
    wants_a_look = any(one.severity is not Severity.INFORMATION for one in work.findings)
    return NEEDS_LOOK if wants_a_look else POSTED


def _record(
    db: Session, actor: Actor, now: datetime, work: Work, money: NewMoney, posted: Posted
) -> None:
    findings = [[one.code, one.where, one.message] for one in posted.findings]
    scope = Scope.of(actor)
    before = outcomes_of(db, scope, [work.file_id]).get(work.file_id)
    is_new = work.events or money.remittances or money.answers or money.matches
    if not is_new and before is not None and before.state == posted.state:
        return  # read again, and nothing is new
    with recording(db, actor, now, "answers.post", {"file_id": work.file_id}) as record:
        record.add_values(tables.Remittance, money.remittances)
        record.add_values(tables.RemittanceClaim, money.answers)
        record.add_values(tables.RemittanceMatch, money.matches)
        record.add_values(ClaimEventRecord, work.events)
        record.add(
            tables.ReceivedFileOutcome(
                file_id=work.file_id,
                state=posted.state,
                findings=findings,
                counts=posted.counts,
            )
        )
