"""The queue of denials: every claim that is work, by reason, amount and deadline.

Owns putting answers, deadlines and people together. Does not own what is work
(``billing.claims.denial``) nor what is done about it (``rpm.actions.work_denials``). Nothing is
stored: a claim leaves the queue when its events say so.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from sqlmodel import Session

from billing.claims.denial import (
    REJECTION,
    Deadlines,
    Denied,
    DeniedClaim,
    RootCause,
    Work,
    deadlines,
    denied,
    root_causes,
)
from billing.claims.denial_reasons import shipped_groups
from billing.claims.expected import MEDICARE
from billing.claims.lifecycle import Status
from rpm.actions.expected_amounts import expected_amounts, short_claims
from rpm.store.queries.billing import payer_billings
from rpm.store.queries.claims import ListedClaim
from rpm.store.queries.denials import (
    answers_of,
    appeals_open,
    assignments_of,
    last_notes_of,
    listed_by_id,
    may_be_work,
    outcomes_of,
    recorded_by,
    write_offs_waiting,
    written_off_by,
)
from rpm.store.refusals import refusals
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimRecord, PayerBilling
from rpm.store.tables.people import Payer

SORTS = ("deadline", "amount", "answered", "follow-up")
ANYONE, NOBODY = "", "nobody"
_FAR = date.max
_OPEN = frozenset(
    {
        *(Status.DENIED, Status.REJECTED, Status.PAID, Status.PATIENT_OWES),
        *(Status.APPEALED, Status.REVERSED),
    }
)
_CATALOGUE = {MEDICARE: "MCR"}
"""Payers whose key in the edit catalogue is another one than in the rule book."""


@dataclass(frozen=True)
class WorkItem:
    """A claim as work, with its time, who has it and when to look again."""

    claim: ListedClaim
    denied: Denied
    deadlines: Deadlines
    payer_key: str
    payer_name: str
    assigned_to: UUID | None = None
    follow_up_on: date | None = None
    last_note: str = ""
    answer_due_on: date | None = None  # of the last appeal
    write_off_waits: bool = False
    appeal_outcome: str = ""  # of the last appeal, while no later answer came

    @property
    def due(self) -> date | None:
        """What comes first: a deadline, the follow-up, or for an appeal its answer."""
        if self.denied.work is Work.APPEALED:
            days = (self.answer_due_on, self.follow_up_on)
        else:
            days = (self.deadlines.next, self.follow_up_on)
        return min((day for day in days if day is not None), default=None)

    @property
    def counted(self) -> DeniedClaim:
        """What root causes count."""
        return DeniedClaim(self.denied, catalogue_key(self.payer_key), self.claim.from_day)


@dataclass(frozen=True)
class Asked:
    """Which items a list shows; empty for all."""

    work: str = ""  # a word of Work
    group: str = ""  # a reason group, or REJECTION
    payer_id: UUID | None = None
    person: str = ANYONE  # a user's id as text, or NOBODY
    due: str = ""  # "past": a deadline has gone by; "month": within 30 days
    sort: str = "deadline"


@dataclass(frozen=True)
class Queue:
    """The items asked for in order, and counts over the whole queue."""

    items: Sequence[WorkItem]
    works: Mapping[str, int]
    groups: Mapping[str, int]
    at_stake_cents: int  # of the items


def catalogue_key(payer_key: str) -> str:
    """The payer's key in the edit catalogue."""
    return _CATALOGUE.get(payer_key, payer_key)


def denial_queue(db: Session, scope: Scope, today: date, asked: Asked = Asked()) -> Queue:
    """The queue on a day."""
    items = all_items(db, scope)
    shown = [item for item in items if _is_asked(item, asked, today)]
    return Queue(
        sorted(shown, key=lambda item: _order(item, asked.sort)),
        Counter(item.denied.work.value for item in items),
        Counter(item.denied.group_key for item in items),
        sum(item.denied.at_stake_cents for item in shown),
    )


def work_item(db: Session, scope: Scope, claim_id: UUID) -> WorkItem | None:
    """One claim as work; None where it is none, ``NotFound`` where it is not here."""
    scope.get(db, ClaimRecord, claim_id)
    items = _items(db, scope, {claim_id})
    return items[0] if items else None


def all_items(db: Session, scope: Scope) -> list[WorkItem]:
    """Every claim that is work, in no order."""
    return _items(db, scope, None)


def causes(items: Collection[WorkItem]) -> tuple[RootCause, ...]:
    """Reasons that occur often, and what in the product looks for them."""
    return root_causes(item.counted for item in items)


def _items(db: Session, scope: Scope, asked: set[UUID] | None) -> list[WorkItem]:
    candidates, expected = _candidates(db, scope, asked)
    ids = [one.id for one in candidates]
    answers, gone = answers_of(db, scope, ids), written_off_by(db, scope, ids)
    appealed, said = appeals_open(db, scope, ids), outcomes_of(db, scope, ids)
    found = []
    for one in candidates:
        told = answers.get(one.id, [])
        last = max(map(recorded_by, told), default=0)
        if gone.get(one.id, 0) > last:
            continue
        work = denied(one.standing, told, one.charge_cents, expected.get(one.id))
        if work is not None and one.id in appealed:
            work = replace(work, work=Work.APPEALED)  # also where a part was paid
        if work is not None:
            outcome = said.get(one.id)
            is_news = outcome is not None and outcome.audit_number > last
            found.append((one, work, outcome.outcome if outcome and is_news else ""))
    return _with_people(db, scope, found, appealed)


def _candidates(
    db: Session, scope: Scope, asked: set[UUID] | None
) -> tuple[list[ListedClaim], dict[UUID, int]]:
    """Claims that may be work, where they stand, and what is expected of those paid too little.

    Most claims were paid and refused nothing: they are not looked at.
    """
    if asked is not None:
        ids, expected = set(asked), expected_amounts(db, scope, asked)
    else:
        ids, kept_back = may_be_work(db, scope), Counter[UUID]()
        for claim_id, one in refusals(db, scope):
            kept_back[claim_id] += one.kept_back_cents
            if one.refused:
                ids.add(claim_id)
        expected = short_claims(db, scope, kept_back)
        ids |= expected.keys()
    claims = listed_by_id(db, scope, sorted(ids))
    return [one for one in claims if one.standing.status in _OPEN], expected


def _with_people(
    db: Session,
    scope: Scope,
    found: Sequence[tuple[ListedClaim, Denied, str]],
    appealed: Mapping[UUID, date | None],
) -> list[WorkItem]:
    ids = [one.id for one, _, _ in found]
    payers = {payer.id: payer for payer in scope.all_of(db, Payer)}
    billing = payer_billings(db, scope, {one.payer_id for one, _, _ in found})
    persons, notes = assignments_of(db, scope, ids), last_notes_of(db, scope, ids)
    waiting = write_offs_waiting(db, scope)
    return [
        WorkItem(
            one,
            work,
            _deadlines(one, work, billing.get(one.payer_id)),
            payers[one.payer_id].key,
            payers[one.payer_id].name,
            persons[one.id].user_id if one.id in persons else None,
            notes[one.id].follow_up_on if one.id in notes else None,
            notes[one.id].note if one.id in notes else "",
            appealed.get(one.id),
            one.id in waiting,
            outcome,
        )
        for one, work, outcome in found
    ]


def _deadlines(claim: ListedClaim, work: Denied, billing: PayerBilling | None) -> Deadlines:
    if billing is None:
        return Deadlines(None, None)
    days = (billing.timely_filing_days, billing.appeal_days)
    return deadlines(claim.from_day, work.answered_on, *days)


def _is_asked(item: WorkItem, asked: Asked, today: date) -> bool:
    person = "" if item.assigned_to is None else str(item.assigned_to)
    return all(
        (
            not asked.work or item.denied.work == asked.work,
            not asked.group or item.denied.group_key == asked.group,
            asked.payer_id is None or item.claim.payer_id == asked.payer_id,
            asked.person == ANYONE or person == ("" if asked.person == NOBODY else asked.person),
            _is_due(item, asked.due, today),
        )
    )


def _is_due(item: WorkItem, due: str, today: date) -> bool:
    if not due:
        return True
    if item.due is None:
        return False
    left = (item.due - today).days
    return left < 0 if due == "past" else 0 <= left <= 30


def _order(item: WorkItem, sort: str) -> tuple[object, ...]:
    answered = item.denied.answered_on or _FAR
    firsts: dict[str, tuple[object, ...]] = {
        "deadline": (item.due or _FAR, -item.denied.at_stake_cents),
        "amount": (-item.denied.at_stake_cents,),
        "answered": (answered,),
        "follow-up": (item.follow_up_on or _FAR, item.due or _FAR),
    }
    return (*firsts.get(sort, firsts["deadline"]), item.claim.control_number)


def group_title(key: str) -> str:
    """The title of a reason group, in words."""
    return "Rejected before adjudication" if key == REJECTION else shipped_groups().get(key).title
