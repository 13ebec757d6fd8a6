"""Closing a month: what is open, the preview, the confirmation, and the close itself.

Owns these three screens. Does not own what is posted (``rpm.actions``) nor the page of a close that
was made (``rpm.web.pages.closed``). What a person confirms is sealed into the form: when anything
has changed since, nothing is posted and the preview is shown again.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import Form, Query, Request
from fastapi.responses import Response
from sqlalchemy.engine import Engine
from sqlmodel import Session

from rpm.access import Actor
from rpm.actions.close_checklist import checklist, closable_months
from rpm.actions.close_month import post_close, totals_of
from rpm.actions.close_summary import FindingSum, finding_sums, line_sums
from rpm.actions.compute_close import ComputedClose, Progress, compute_close
from rpm.errors import Conflict, NotFound
from rpm.keys import KeyRing, key_ring
from rpm.store.engine import reading, transaction
from rpm.store.queries.close_sums import LineSum
from rpm.store.queries.ledger import closes_page
from rpm.store.queries.people import names_of_patients
from rpm.store.scope import Scope
from rpm.store.tables.people import Payer
from rpm.web.cursors import seal, unseal
from rpm.web.pages.long_work import LongWork, render_working
from rpm.web.pages.paging import page_of_list
from rpm.web.pages.shell import Now, PageReadDb, page_permit, page_router, render
from rpm.web.running import engine_of, running_of

router = page_router()

Reader = Annotated[Actor, page_permit("ledger:read")]
Closer = Annotated[Actor, page_permit("close:run")]

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_CLOSES, _DIFFERENCES = 12, 100
PREVIEW = "close preview"


@dataclass(frozen=True)
class Change:
    """A posting that takes something back or comes late, with the name of its patient."""

    patient: str
    posting: Any
    reason: str


@dataclass(frozen=True)
class Preview:
    """What a close would post, for people."""

    ordinal: int
    totals: dict[str, Any]
    sums: list[LineSum]
    changes: list[Change]
    changes_in_all: int
    findings: list[FindingSum]
    payers: dict[str, str]  # names by key
    nothing_new: bool
    seen: str  # what the person saw, sealed


@dataclass(frozen=True)
class Seen:
    """What somebody saw in the preview and is about to confirm."""

    outcome_digest: str
    ordinal: int
    issued: int
    reversed: int
    amount_cents: int
    amounts_unknown: int

    @classmethod
    def of(cls, computed: ComputedClose) -> Self:
        """The figures of a computed close that are confirmed."""
        totals = totals_of(computed)
        names = ("issued", "reversed", "amount_cents", "amounts_unknown")
        return cls(
            computed.outcome_digest, computed.ordinal, *(int(totals[name]) for name in names)
        )


@router.get("/close")
def overview(
    request: Request,
    db: PageReadDb,
    now: Now,
    actor: Reader,
    cursor: Annotated[str | None, Query(max_length=2_000)] = None,
) -> Response:
    """What is open before the next close, the months that can be closed, and closes so far."""
    scope = Scope.of(actor)
    paging = page_of_list(request, actor, "closes", {}, cursor, _CLOSES)
    after = None if paging.after is None else UUID(str(paging.after[0]))
    closes = closes_page(db, scope, after=after, limit=paging.fetch)
    return render(
        request,
        "close.html.j2",
        checks=checklist(db, scope),
        months=closable_months(db, scope, now),
        closes=paging.page(closes, lambda row: (row.id,)),
        there=request.app.state.page_paths,
        cursor=cursor,
    )


@router.get("/close/{month}/preview")
def preview(request: Request, now: Now, actor: Reader, month: str) -> Response:
    """What a close of the month would post, computed while the page is sent."""
    first_day, engine = _first_day(month), engine_of(request, actor)
    work = LongWork(lambda tell: _previewed(engine, actor, now, first_day, tell, _ring(request)))
    return render_working(
        request, "close_preview.html.j2", work, month=month, first_day=first_day, most=_DIFFERENCES
    )


@router.post("/close/{month}/confirm")
def confirm(
    request: Request, actor: Closer, month: str, seen: Annotated[str, Form(max_length=2_000)]
) -> Response:
    """The totals once more, and why: the last step before the close."""
    found = _unsealed(request, actor, month, seen)
    return render(
        request,
        "close_confirm.html.j2",
        month=month,
        first_day=_first_day(month),
        found=found,
        seen=seen,
    )


@router.post("/close/{month}")
def close(
    request: Request,
    now: Now,
    actor: Closer,
    month: str,
    seen: Annotated[str, Form(max_length=2_000)],
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Closes the month if it still is what was confirmed; the page shows how far it is."""
    first_day, engine = _first_day(month), engine_of(request, actor)
    confirmed = _unsealed(request, actor, month, seen)

    def work(tell: Progress) -> Any:
        with reading(engine) as db:
            computed = compute_close(db, Scope.of(actor), now, first_day, progress=tell)
        if not computed.repeats_latest and Seen.of(computed) != confirmed:
            raise Conflict("something was recorded since the preview, so nothing was posted")
        with transaction(engine) as writing:
            closed = post_close(writing, actor, now, computed, reason.strip() or None)
            return {"id": closed.close.id, "repeated": closed.repeated}

    return render_working(
        request, "close_done.html.j2", LongWork(work), month=month, first_day=first_day
    )


def _first_day(month: str) -> date:
    if not _MONTH.fullmatch(month):
        raise NotFound("there is no such month")
    return date.fromisoformat(f"{month}-01")


def _previewed(
    engine: Engine, actor: Actor, now: datetime, first_day: date, tell: Progress, ring: KeyRing
) -> Preview:
    scope = Scope.of(actor)
    with reading(engine) as db:
        computed = compute_close(db, scope, now, first_day, progress=tell)
        changed = [one for one in computed.postings if one[0].sign < 0 or one[1] != "new"]
        shown = changed[:_DIFFERENCES]
        patient_ids = sorted({one.patient_id for one, _ in shown})
        names = names_of_patients(db, scope, patient_ids)
        payers = payer_names(db, scope)
    seen = Seen.of(computed)
    return Preview(
        ordinal=computed.ordinal,
        totals=totals_of(computed),
        sums=line_sums(one for one, _ in computed.postings),
        changes=[Change(names[one.patient_id], one, reason) for one, reason in shown],
        changes_in_all=len(changed),
        findings=finding_sums(computed.findings),
        payers=payers,
        nothing_new=computed.repeats_latest,
        seen=seal(ring, _place(actor, f"{first_day:%Y-%m}"), tuple(vars(seen).values())),
    )


def payer_names(db: Session, scope: Scope) -> dict[str, str]:
    """The practice's names of its payers by their keys."""
    return {row.key: row.name for row in scope.all_of(db, Payer)}


def _ring(request: Request) -> KeyRing:
    return key_ring(running_of(request).keys.secret.hex())


def _place(actor: Actor, month: str) -> str:
    return f"{PREVIEW} {actor.organization_id.hex} {month}"


def _unsealed(request: Request, actor: Actor, month: str, seen: str) -> Seen:
    values: Any = unseal(_ring(request), _place(actor, month), seen)
    return Seen(*values)
