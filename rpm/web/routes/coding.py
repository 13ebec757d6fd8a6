"""Visits and their coding: recorded, corrected, coded when asked, decided by a person.

Owns the addresses and what is shown. Does not own coding (``billing.coding``) nor the facts around
visits (``coding_records``).
"""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from rpm.access import Actor
from rpm.actions.coded_visits import coder, completed
from rpm.actions.command import Command, Day, Id
from rpm.actions.decide_visit import DecideVisit, coded, decide_visit
from rpm.actions.practice_day import practice_today
from rpm.actions.record_visit import CorrectVisit, RecordVisit, correct_visit, record_visit
from rpm.actions.visit_facts import VisitFacts, VisitPayer, encounter_of, lines_of
from rpm.store.queries.visits import decisions_of, visits_page
from rpm.store.scope import Scope
from rpm.store.tables.coding import Visit, VisitDecision
from rpm.store.tables.people import Patient, Practitioner
from rpm.web.coding_shown import ShownCoding, shown_coding
from rpm.web.deps import PROBLEMS, Db, Now, Page, Paging, ReadDb, area_router, permit
from rpm.web.routes.readings import after_id
from rpm.web.shown import ShownFact

router = area_router("Coding")

Reader = Annotated[Actor, permit("ledger:read")]
Writer = Annotated[Actor, permit("services:write")]
Decider = Annotated[Actor, permit("visits:decide")]


class CheckVisit(Command):
    """A visit to be coded or judged; nothing of it is stored."""

    facts: VisitFacts
    patient_id: Id | None = Field(
        default=None, description="With eligibility and authorization on record."
    )
    practitioner_id: Id | None = Field(default=None, description="With licenses on record.")
    known_day: Day | None = Field(
        default=None, description="Whose rules judge; left out: today.", examples=["2025-11-20"]
    )


class EncounterOut(ShownFact):
    """A visit as it was told, or the row that replaces or withdraws one."""

    patient_id: UUID
    practitioner_id: UUID | None
    recorded_by: UUID | None
    service_day: date
    payer: str
    facts: dict[str, Any] = Field(description="The columns of a case file.")
    submitted: str | None
    replaces_id: UUID | None
    withdrawn: bool
    reason: str | None


class DecisionOut(ShownFact):
    """What a person chose for a visit."""

    visit_id: UUID
    decided_by: UUID
    known_day: date
    accepted: bool
    proposed: str
    chosen: str
    status: str
    findings: list[dict[str, Any]]
    overruled: list[dict[str, Any]]
    reason: str | None


class CodedEncounterOut(BaseModel):
    """A visit, as it is coded today, and the decision that counts."""

    encounter: EncounterOut
    coding: ShownCoding
    decision: DecisionOut | None


@router.post(
    "/coding/check",
    summary="Code or judge a visit",
    description="Proposes lines, or judges those that are submitted, with every edit that fires."
    " Stores nothing.",
    operation_id="check_coding",
    responses=PROBLEMS,
)
def check(db: ReadDb, now: Now, actor: Reader, command: CheckVisit) -> ShownCoding:
    """The visit as it is coded."""
    scope = Scope.of(actor)
    if command.patient_id is not None:
        scope.get(db, Patient, command.patient_id)
    if command.practitioner_id is not None:
        scope.get(db, Practitioner, command.practitioner_id)
    row = command.facts.row()
    submitted = lines_of(row.pop("submitted", None))
    encounter = completed(db, scope, encounter_of(row), command.patient_id, command.practitioner_id)
    known_day = command.known_day or practice_today(db, scope, now)
    return shown_coding(coder(db, scope, known_day).code(encounter, submitted), known_day)


@router.post(
    "/encounters",
    status_code=201,
    summary="Record a visit",
    description="Kept as told; it is coded whenever it is asked for.",
    operation_id="record_encounter",
    response_model=EncounterOut,
    responses=PROBLEMS,
)
def record(db: Db, now: Now, actor: Writer, command: RecordVisit) -> Visit:
    """The visit."""
    return record_visit(db, actor, now, command)


@router.get(
    "/encounters",
    summary="List visits",
    description="Visits and their corrections in the order they were recorded.",
    operation_id="list_encounters",
    response_model=Page[EncounterOut],
    responses=PROBLEMS,
)
def list_encounters(
    db: ReadDb,
    actor: Reader,
    paging: Paging,
    patient_id: Annotated[UUID | None, Query(description="Only this patient.")] = None,
    payer: Annotated[VisitPayer | None, Query(description="Only this payer.")] = None,
    from_day: Annotated[date | None, Query(description="First day of service.")] = None,
    to_day: Annotated[date | None, Query(description="Last day of service.")] = None,
    *,
    standing: Annotated[bool, Query(description="Only those neither replaced nor withdrawn.")] = (
        False
    ),
) -> Page[Visit]:
    """A page of visits."""
    rows = visits_page(
        db,
        Scope.of(actor),
        patient_id=patient_id,
        payer=payer,
        from_day=from_day,
        to_day=to_day,
        standing=standing,
        after=after_id(paging),
        limit=paging.fetch,
    )
    return paging.page(rows, lambda row: (row.id,))


@router.get(
    "/encounters/{encounter_id}",
    summary="Read a visit with its coding",
    description="The facts, the lines they give today with every edit, and the latest decision.",
    operation_id="read_encounter",
    responses=PROBLEMS,
)
def read(db: ReadDb, now: Now, actor: Reader, encounter_id: UUID) -> CodedEncounterOut:
    """The visit."""
    scope = Scope.of(actor)
    visit = scope.get(db, Visit, encounter_id)
    known_day = practice_today(db, scope, now)
    decision = decisions_of(db, scope, [visit.id]).get(visit.id)
    return CodedEncounterOut(
        encounter=EncounterOut.model_validate(visit),
        coding=shown_coding(coded(db, scope, visit, known_day), known_day),
        decision=None if decision is None else DecisionOut.model_validate(decision),
    )


@router.post(
    "/encounter-corrections",
    status_code=201,
    summary="Correct or withdraw a visit",
    description="Writes a row that replaces the visit; a visit is replaced once. What a decision"
    " gave the ledger is taken back.",
    operation_id="correct_encounter",
    response_model=EncounterOut,
    responses=PROBLEMS,
)
def correct(db: Db, now: Now, actor: Writer, command: CorrectVisit) -> Visit:
    """The row that replaces it."""
    return correct_visit(db, actor, now, command)


@router.post(
    "/encounter-decisions",
    status_code=201,
    summary="Decide on a visit",
    description="The lines that leave, or that the visit is held. Every ERROR on accepted lines is"
    " overruled with a reason, by a named person. The services of an accepted visit stand in the"
    " ledger, so that no minute is used twice.",
    operation_id="decide_encounter",
    response_model=DecisionOut,
    responses=PROBLEMS,
)
def decide(db: Db, now: Now, actor: Decider, command: DecideVisit) -> VisitDecision:
    """The decision."""
    return decide_visit(db, actor, now, command)
