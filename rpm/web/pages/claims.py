"""Claims: the list with what waits, a month's preview and assembling, and the files.

Owns these screens. Does not own what they do (``rpm.actions``) nor one claim (``claim``).
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Query, Request
from fastapi.responses import Response
from sqlmodel import Session

from billing.claims.lifecycle import Status
from billing.claims.sending import Reach, reach
from billing.finding import Finding
from rpm.access import Actor
from rpm.actions.assemble_claims import AssembleClaims, assemble_claims, preview_claims
from rpm.actions.overdue_answers import exchange_work
from rpm.actions.practice_day import practice_today
from rpm.actions.release_claims import (
    Decided,
    HoldClaims,
    ReleaseClaims,
    hold_claims,
    release_claims,
    two_persons_above,
)
from rpm.actions.write_claim_file import (
    DiscardFile,
    PreparedFile,
    discard_claim_file,
    keep_claim_file,
    prepare_claim_file,
)
from rpm.errors import Conflict, NotAllowed, NotFound
from rpm.store.engine import reading, transaction
from rpm.store.queries.claimed import closed_months, unclaimed_months
from rpm.store.queries.claims import (
    ClaimFilter,
    ListedClaim,
    claims_in_file,
    files_page,
    listed_claims,
)
from rpm.store.queries.clearinghouses import (
    CLAIMS,
    clearinghouse_profiles,
    folded_steps,
    steps_of,
)
from rpm.store.queries.people import names_of_patients
from rpm.store.scope import Scope
from rpm.store.tables.people import Payer
from rpm.web.pages.claim_words import STATUS_TONES, STATUS_WORDS, mend
from rpm.web.pages.months import Month
from rpm.web.pages.paging import page_of_list
from rpm.web.pages.shell import (
    Now,
    PageDb,
    PageReadDb,
    page_permit,
    page_router,
    read_form,
    render,
    see_other,
)
from rpm.web.routes.readings import after_id
from rpm.web.running import engine_of

router = page_router()

ADDRESS = "/claims"
ALL = "all"
Reader = Annotated[Actor, page_permit("claims:read")]
Writer = Annotated[Actor, page_permit("claims:write")]
Releaser = Annotated[Actor, page_permit("claims:release")]
_ROWS, _MOST_MONTHS, _MOST_HELD = 50, 36, 200
_SHORT = Query(max_length=40)
_MONTH = re.compile(r"all|20\d\d-\d\d")


@router.get(ADDRESS)
def claims(
    request: Request,
    db: PageReadDb,
    now: Now,
    actor: Reader,
    month: Annotated[str, _SHORT] = "",
    status: Annotated[str, _SHORT] = "",
    payer: Annotated[str, _SHORT] = "",
    cursor: Annotated[str, Query(max_length=2_000)] = "",
) -> Response:
    """Claims of a month, or all, by where they stand; and the lines that are on none."""
    asked = {"month": month, "status": status, "payer": payer}
    return _list(request, db, now, actor, asked, cursor, None)


def _list(
    request: Request,
    db: Session,
    now: Any,
    actor: Actor,
    asked: dict[str, str],
    cursor: str,
    decided: Decided | None,
) -> Response:
    scope, today = Scope.of(actor), practice_today(db, Scope.of(actor), now)
    months = _months(db, scope)
    chosen = asked["month"] or (months[0].key if months else ALL)
    payer_id = _uuid(asked["payer"])
    found = listed_claims(db, scope, _filter(chosen, payer_id, today))
    counts = Counter(one.standing.status for one in found)
    shown = [one for one in found if asked["status"] in ("", one.standing.status)]
    told = {"month": chosen, "status": asked["status"], "payer": asked["payer"]}
    paging = page_of_list(request, actor, "claims", told, cursor or None, _ROWS)
    page: Any = paging.page(_after(shown, paging.after)[: paging.fetch], lambda one: (one.id,))
    return render(
        request,
        "claims.html.j2",
        422 if decided and decided.refused else 200,
        page=page,
        is_first=not cursor,
        asked=told,
        counts=[(one.value, counts[one]) for one in Status if counts[one]],
        stands=[("", "anywhere"), *((one.value, STATUS_WORDS[one]) for one in Status)],
        total=len(shown),
        in_all=len(found),
        charge_cents=sum(one.charge_cents for one in shown),
        paid_cents=sum(one.standing.paid_cents for one in shown),
        names=names_of_patients(db, scope, {one.patient_id for one in page.items}),
        payers={row.id: row.name for row in scope.all_of(db, Payer)},
        months=[("all", "all months"), *((one.key, one.words) for one in months)],
        unclaimed=[(Month(one.month_start_day), one.lines) for one in unclaimed_months(db, scope)],
        two_persons_cents=two_persons_above(db, scope),
        houses=_houses(db, scope),
        unanswered=exchange_work(db, actor, now).count,
        decided=decided,
        refused=_refused(found, decided),
        words=STATUS_WORDS,
        tones=STATUS_TONES,
    )


def _months(db: Session, scope: Scope) -> list[Month]:
    return [Month(day) for day in closed_months(db, scope, _MOST_MONTHS)]


def _houses(db: Session, scope: Scope) -> list[tuple[str, str]]:
    return [(key, one.name or key) for key, one in clearinghouse_profiles(db, scope).items()]


def _filter(chosen: str, payer_id: UUID | None, today: Any) -> ClaimFilter:
    if chosen == ALL:
        return ClaimFilter(payer_id=payer_id)
    month = Month.read(chosen, today)
    return ClaimFilter(from_day=month.first, to_day=month.last, payer_id=payer_id)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _after(found: list[ListedClaim], after: Any) -> list[ListedClaim]:
    if not after:
        return found
    place = next((number for number, one in enumerate(found) if one.id == after[0]), -1)
    return found[place + 1 :]


def _refused(
    found: Sequence[ListedClaim], decided: Decided | None
) -> list[tuple[ListedClaim, list[tuple[Finding, Any]]]]:
    if decided is None:
        return []
    by_id = {one.id: one for one in found}
    return [
        (
            by_id[one.claim_id],
            [(each, mend(each, by_id[one.claim_id].patient_id)) for each in one.findings],
        )
        for one in decided.refused
        if one.claim_id in by_id
    ]


@router.post(f"{ADDRESS}/decide")
def decide(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Releaser,
    claim_id: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies it
    decision: Annotated[str, Form(max_length=10)] = "",
    reason: Annotated[str, Form(max_length=1_000)] = "",
    month: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Release or hold the marked claims; what is refused is told with its reasons."""
    place = f"{ADDRESS}?month={month}" if _MONTH.fullmatch(month) else ADDRESS
    if decision == "hold":
        hold, errors = read_form(HoldClaims, {"claim_ids": claim_id or None, "reason": reason})
        if hold is None:
            told = "Mark a claim first." if "claim_ids" in errors else "Say why they are held."
            return see_other(request, place, told)
        decided, word = hold_claims(db, actor, now, hold), "held"
    else:
        release, _ = read_form(ReleaseClaims, {"claim_ids": claim_id or None})
        if release is None:
            return see_other(request, place, "Mark a claim first.")
        decided, word = release_claims(db, actor, now, release), "released"
    if decided.refused:
        asked = {"month": month, "status": "", "payer": ""}
        return _list(request, db, now, actor, asked, "", decided)
    return see_other(request, place, told_of(decided, word))


def told_of(decided: Decided, word: str) -> str:
    """What became of the claims, in one line."""
    parts = [_counted(len(decided.done), word)] if decided.done else []
    if decided.waiting:
        parts.append(_counted(len(decided.waiting), "waiting for a second person"))
    return "; ".join(parts) + "."


def _counted(count: int, word: str) -> str:
    return f"{count} {'claim is' if count == 1 else 'claims are'} {word}"


@router.get(f"{ADDRESS}/months/{{month}}")
def month_preview(request: Request, db: PageReadDb, actor: Reader, month: str) -> Response:
    """What assembling a closed month would give now, and what is held and why."""
    command = _command(month)
    preview = preview_claims(db, actor, command)
    sources = preview.billable.sources
    services = {one.id: one for one in preview.billable.services}
    held = [
        (services[one.service_id], sources[one.service_id], one.findings)
        for one in preview.assembled.held
    ]
    reasons: Counter[tuple[str, str]] = Counter()
    for _, _, findings in held:
        reasons.update({(one.where, one.message) for one in findings})
    patient_ids = {source.patient_id for _, source, _ in held[:_MOST_HELD]}
    return render(
        request,
        "claims_month.html.j2",
        month=Month(preview.month_start_day),
        preview=preview,
        lines=sum(len(one.service_ids) for one in preview.assembled.claims),
        held=[
            (service, source, [(one, mend(one, source.patient_id)) for one in findings])
            for service, source, findings in held[:_MOST_HELD]
        ],
        held_count=len(held),
        reasons=sorted(reasons.items(), key=lambda one: -one[1]),
        names=names_of_patients(db, Scope.of(actor), patient_ids),
    )


def _command(month: str) -> AssembleClaims:
    command, _ = read_form(AssembleClaims, {"month": month})
    if command is None:
        raise NotFound("there is no such month")
    return command


@router.post(f"{ADDRESS}/months/{{month}}")
def assemble(request: Request, db: PageDb, now: Now, actor: Writer, month: str) -> Response:
    """Make the claims that can be written."""
    made = assemble_claims(db, actor, now, _command(month))
    held = len(made.preview.assembled.held)
    told = _counted(len(made.claims), "made")
    told += f"; {held} {'line stays' if held == 1 else 'lines stay'} held." if held else "."
    return see_other(request, f"{ADDRESS}?month={month}", told)


@router.get(f"{ADDRESS}/files")
def files(
    request: Request,
    db: PageReadDb,
    now: Now,
    actor: Reader,
    cursor: Annotated[str, Query(max_length=2_000)] = "",
) -> Response:
    """Files of claims, the one written last first, and how far each is."""
    return _files(request, db, now, actor, cursor, ())


def _files(
    request: Request,
    db: Session,
    now: Any,
    actor: Actor,
    cursor: str,
    findings: Sequence[Finding],
) -> Response:
    scope = Scope.of(actor)
    paging = page_of_list(request, actor, "claim-files", {}, cursor or None)
    rows = files_page(db, scope, after=after_id(paging), limit=paging.fetch)
    page = paging.page(rows, lambda row: (row.id,))
    steps = steps_of(db, scope, [row.id for row in page.items])
    reaches = {row.id: reach(folded_steps(steps[row.id]), now) for row in page.items}
    waiting = {
        row.id: len(claims_in_file(db, scope, row.id))
        for row in page.items
        if row.kind == CLAIMS and reaches[row.id] is Reach.WAITING
    }
    return render(
        request,
        "claim_files.html.j2",
        422 if findings else 200,
        page=page,
        reaches={key: one.value.replace("-", " ") for key, one in reaches.items()},
        waiting=waiting,
        houses=_houses(db, scope),
        findings=findings,
    )


@router.post(f"{ADDRESS}/files")
def write(
    request: Request,
    now: Now,
    actor: Releaser,
    clearinghouse: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Write what is released into a file; nobody waits while it is checked."""
    engine = engine_of(request, actor)
    try:
        with reading(engine) as db:
            prepared = prepare_claim_file(db, actor, now, clearinghouse)
        if isinstance(prepared, PreparedFile):
            with transaction(engine) as db:
                file = keep_claim_file(db, actor, now, prepared)
            told = f"{file.name} holds {file.claim_count} claims and waits to be sent."
            return see_other(request, f"{ADDRESS}/files", told)
        findings: Sequence[Finding] = prepared
    except (Conflict, NotFound, NotAllowed) as error:
        findings = (
            Finding("E_CLEARINGHOUSE", "file", error.message[:1].upper() + error.message[1:] + "."),
        )
    with reading(engine) as db:
        return _files(request, db, now, actor, "", findings)


@router.post(f"{ADDRESS}/files/{{file_id}}/discard")
def discard(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Releaser,
    file_id: UUID,
    reason: Annotated[str, Form(max_length=1_000)] = "",
) -> Response:
    """A file that was not sent is never sent."""
    command, errors = read_form(DiscardFile, {"file_id": file_id, "reason": reason})
    if command is None:
        return see_other(
            request, f"{ADDRESS}/files", f"Not discarded: {next(iter(errors.values()))}"
        )
    released = discard_claim_file(db, actor, now, command)
    told = f"The file is discarded; {_counted(len(released), 'released again')}."
    return see_other(request, f"{ADDRESS}/files", told)
