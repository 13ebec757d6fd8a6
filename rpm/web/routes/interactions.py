"""Interaction entries: logged work, listed and taken back.

Owns the addresses and what is shown. Does not own what is refused or marked (``rpm.actions``).
"""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from billing.ledger.facts import WORK
from rpm.access import Actor
from rpm.actions.command import OneOf
from rpm.actions.correction_history import HistoryStep, entry_history
from rpm.actions.log_entry import LogEntry, Logged, log_entry
from rpm.actions.reverse_entry import ReverseEntry, reverse_entry
from rpm.store.queries.entries import entries_page
from rpm.store.scope import Scope
from rpm.store.tables.ledger import InteractionEntry
from rpm.web.deps import PROBLEMS, Db, Now, Page, Paging, ReadDb, area_router, permit
from rpm.web.routes.readings import after_id
from rpm.web.shown import ShownFact, ShownFinding, shown_findings

router = area_router("Interactions")
Work = Annotated[str, OneOf(WORK)]


class EntryOut(ShownFact):
    """Work of one person on one local day of the practice; negative seconds take work back."""

    client_id: UUID = Field(description="The client's id; of a later piece derived from it.")
    patient_id: UUID
    episode_id: UUID | None = Field(description="Null for work of programs that are not ours.")
    actor_user_id: UUID | None = Field(description="Who worked; null without an account.")
    actor_name: str = Field(examples=["Nora Nurse"])
    role: str = Field(examples=["rn"])
    work: str = Field(examples=["RPM"])
    mode: str = Field(examples=["live"])
    local_day: date = Field(description="The practice's day.", examples=["2026-01-14"])
    start_second: int | None = Field(description="Seconds that had passed since local midnight.")
    duration_seconds: int = Field(examples=[480])
    zone: str = Field(description="The zone that gave the day.", examples=["America/Chicago"])
    started_at: datetime | None = Field(description="Null when only a length is known.")
    activity: str = Field(examples=["talk about blood pressure readings"])
    note: str | None
    origin: str = Field(description="`typed`, `imported`, `timer` or `reversal`.")
    reverses_id: UUID | None = Field(description="The entry that this one takes back.")
    reason: str | None = Field(description="Why it was taken back, or written anew.")
    replaces_id: UUID | None = Field(description="The entry whose place this one takes.")


class LoggedOut(BaseModel):
    """The entry as stored, in one piece for each local day, and what is to be known about it."""

    model_config = ConfigDict(from_attributes=True)

    entries: list[EntryOut]
    findings: list[ShownFinding]


class ReversedOut(BaseModel):
    """The reversal, and what is to be known about it."""

    model_config = ConfigDict(from_attributes=True)

    reversal: EntryOut
    findings: list[ShownFinding]


@router.post(
    "/entries",
    status_code=201,
    summary="Log work",
    description="With a start and a length or an end, or with a day and a length. The same"
    " `client_id` and content again give the same entry. Across the practice's midnight it is"
    " stored as two. An overlap with the person's other work and a closed month are told.",
    operation_id="log_entry",
    response_model=LoggedOut,
    responses=PROBLEMS,
)
def log(
    db: Db, now: Now, actor: Annotated[Actor, permit("entries:write")], command: LogEntry
) -> LoggedOut:
    """The stored pieces and their findings."""
    return logged_out(log_entry(db, actor, now, command))


def logged_out(logged: Logged) -> LoggedOut:
    """The answer to work that was recorded."""
    return LoggedOut(
        entries=[EntryOut.model_validate(entry) for entry in logged.entries],
        findings=shown_findings(logged.findings),
    )


@router.get(
    "/entries",
    summary="List logged work",
    description="Entries and their reversals in the order they were recorded.",
    operation_id="list_entries",
    response_model=Page[EntryOut],
    responses=PROBLEMS,
)
def list_entries(
    db: ReadDb,
    actor: Annotated[Actor, permit("entries:read")],
    paging: Paging,
    patient_id: Annotated[UUID | None, Query(description="Only this patient.")] = None,
    episode_id: Annotated[UUID | None, Query(description="Only this episode.")] = None,
    actor_user_id: Annotated[UUID | None, Query(description="Only this person's work.")] = None,
    work: Annotated[Work | None, Query(description="Only this kind of work.")] = None,
    from_day: Annotated[date | None, Query(description="First local day.")] = None,
    to_day: Annotated[date | None, Query(description="Last local day.")] = None,
) -> Page[InteractionEntry]:
    """A page of entries."""
    rows = entries_page(
        db,
        Scope.of(actor),
        patient_id=patient_id,
        episode_id=episode_id,
        actor_user_id=actor_user_id,
        work=work,
        from_day=from_day,
        to_day=to_day,
        after=after_id(paging),
        limit=paging.fetch,
    )
    return paging.page(rows, lambda row: (row.id,))


@router.get(
    "/entries/{entry_id}",
    summary="Show an entry",
    description="As it was recorded.",
    operation_id="get_entry",
    response_model=EntryOut,
    responses=PROBLEMS,
)
def get_entry(
    db: ReadDb, actor: Annotated[Actor, permit("entries:read")], entry_id: UUID
) -> InteractionEntry:
    """The entry."""
    return Scope.of(actor).get(db, InteractionEntry, entry_id)


@router.post(
    "/entry-reversals",
    status_code=201,
    summary="Take an entry back",
    description="Writes the entry's negative seconds on its own day. The pieces of an entry across"
    " midnight are taken back one by one.",
    operation_id="reverse_entry",
    response_model=ReversedOut,
    responses=PROBLEMS,
)
def reverse(
    db: Db, now: Now, actor: Annotated[Actor, permit("entries:reverse")], command: ReverseEntry
) -> ReversedOut:
    """The reversal and its findings."""
    done = reverse_entry(db, actor, now, command)
    return ReversedOut(
        reversal=EntryOut.model_validate(done.reversal), findings=shown_findings(done.findings)
    )


@router.get(
    "/entries/{entry_id}/history",
    summary="Show an entry's corrections",
    description="The original, what took it back and what stands in its place: who recorded each,"
    " when, why, and whether its month was closed by then. Any of them may be asked for.",
    operation_id="list_entry_history",
    response_model=list[HistoryStep],
    responses=PROBLEMS,
)
def list_entry_history(
    db: ReadDb, actor: Annotated[Actor, permit("entries:read")], entry_id: UUID
) -> list[HistoryStep]:
    """The history, in the order of recording."""
    return entry_history(db, Scope.of(actor), entry_id)
