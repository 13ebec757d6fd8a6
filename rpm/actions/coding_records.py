"""Record what stands around visits: licenses, compacts' lists, eligibility and authorizations.

Owns what is kept and checked of each. Does not own what licenses grant
(``billing.coding.authority``) nor where they are asked (``coded_visits``).
"""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints
from sqlmodel import Session

from billing.coding.authority import KINDS
from billing.coding.encounter_text import COMPACTS, STATES
from rpm.access import Actor, require
from rpm.actions.command import Command, Day, Id, Name, OneOf, ProcedureCode, Text, refuse
from rpm.actions.practice_day import practice_today, refuse_backwards, refuse_future
from rpm.actions.visit_facts import VisitPayer
from rpm.errors import Conflict
from rpm.store.chain import recording
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.tables.coding import (
    CompactMember,
    EligibilityCheck,
    PractitionerAuthority,
    ServiceAuthorization,
)
from rpm.store.tables.people import Patient, Practitioner

STANDINGS = ("active", "ma_plan", "other_payer", "terminated", "unknown")
AUTHORIZATION_STANDINGS = ("not_required", "on_file", "missing")
UsState = Annotated[str, OneOf(tuple(sorted(STATES))), Field(examples=["OH"])]
CompactName = Annotated[str, OneOf(COMPACTS), Field(examples=["PSYPACT"])]


class RecordAuthority(Command):
    """A license, registration or privilege of a practitioner, or what replaces one."""

    practitioner_id: Id
    kind: Annotated[str, OneOf(KINDS)] = Field(examples=["STATE_LICENSE"])
    jurisdiction: UsState | None = Field(default=None, description="The state it authorizes.")
    compact: CompactName | None = None
    home_state: UsState | None = Field(default=None, description="Of a compact.")
    identifier: Name | None = None
    active: bool = True
    valid_from: Day | None = None
    valid_to: Day | None = Field(default=None, description="Its last day.")
    verified_on: Day
    replaces_id: Id | None = Field(default=None, description="The row that this one replaces.")


class Member(Command):
    """A state's part in a compact."""

    jurisdiction: UsState
    operative_from: Day | None = None
    withdrawn_on: Day | None = None


class LoadCompactMembers(Command):
    """A commission's list of members; states listed before keep their row."""

    compact: CompactName
    verified_on: Day
    source: Name = Field(examples=["the commission's own list"])
    members: list[Member] = Field(min_length=1, max_length=60)


class RecordEligibility(Command):
    """What a payer said of a patient for some days."""

    patient_id: Id
    payer: VisitPayer
    standing: Annotated[str, OneOf(STANDINGS)]
    checked_on: Day
    valid_from: Day
    valid_to: Day | None = None
    covers_telehealth: bool | None = None
    covers_audio_only: bool | None = None
    covers_monitoring: bool | None = None
    note: Text | None = None


class RecordAuthorization(Command):
    """A payer's authorization, or that one is asked for and missing."""

    patient_id: Id
    payer: VisitPayer
    standing: Annotated[str, OneOf(AUTHORIZATION_STANDINGS)]
    number: Annotated[str, StringConstraints(min_length=1, max_length=50)] | None = None
    codes: list[ProcedureCode] = Field(default_factory=list, max_length=50)
    units_left: Annotated[int, Field(ge=0, le=100_000)] | None = None
    valid_from: Day
    valid_to: Day | None = None
    replaces_id: Id | None = None


def record_authority(
    db: Session, actor: Actor, now: datetime, command: RecordAuthority
) -> PractitionerAuthority:
    """The row. ``InvalidRequest`` for a license without its state, or a compact's without its name;
    ``Conflict`` for a row that was replaced already.
    """
    require(actor, "users:manage")
    scope = Scope.of(actor)
    scope.get(db, Practitioner, command.practitioner_id)
    of_compact = command.kind in ("COMPACT_PRIVILEGE", "MULTISTATE_LICENSE")
    if of_compact != (command.compact is not None):
        raise refuse("compact", "E_NOT_TOGETHER", "a privilege names its compact, no other does")
    if of_compact and command.home_state is None:
        raise refuse("home_state", "E_MISSING", "a compact rests on a home state")
    if not of_compact and command.kind != "FEDERAL" and command.jurisdiction is None:
        raise refuse("jurisdiction", "E_MISSING", "a license names its state")
    if command.valid_from is not None:
        refuse_backwards("valid_to", command.valid_from, command.valid_to)
    refuse_future("verified_on", command.verified_on, practice_today(db, scope, now))
    hold_organization(db, scope)
    if command.replaces_id is not None:
        old = scope.get(db, PractitionerAuthority, command.replaces_id)
        if old.practitioner_id != command.practitioner_id:
            raise refuse("replaces_id", "E_NOT_TOGETHER", "it is another practitioner's")
        rows = scope.all_of(db, PractitionerAuthority)
        if any(row.replaces_id == old.id for row in rows):
            raise Conflict("the row is replaced already")
    subject = {"practitioner_id": command.practitioner_id}
    with recording(db, actor, now, "authority.record", subject) as record:
        return record.add(PractitionerAuthority(**command.model_dump()))


def load_compact_members(
    db: Session, actor: Actor, now: datetime, command: LoadCompactMembers
) -> list[CompactMember]:
    """The rows of the list. ``InvalidRequest`` for a state that stands twice."""
    require(actor, "rules:write")
    scope = Scope.of(actor)
    states = [member.jurisdiction for member in command.members]
    if len(set(states)) != len(states):
        raise refuse("members", "E_TWICE", "a state stands twice")
    refuse_future("verified_on", command.verified_on, practice_today(db, scope, now))
    with recording(db, actor, now, "compact.load") as record:
        return record.add_all(
            [
                CompactMember(
                    compact=command.compact,
                    verified_on=command.verified_on,
                    source=command.source,
                    **member.model_dump(),
                )
                for member in command.members
            ]
        )


def record_eligibility(
    db: Session, actor: Actor, now: datetime, command: RecordEligibility
) -> EligibilityCheck:
    """The check; of several the one recorded last counts for a day."""
    require(actor, "patients:write")
    scope = Scope.of(actor)
    scope.get(db, Patient, command.patient_id)
    refuse_backwards("valid_to", command.valid_from, command.valid_to)
    refuse_future("checked_on", command.checked_on, practice_today(db, scope, now))
    subject = {"patient_id": command.patient_id}
    with recording(db, actor, now, "eligibility.record", subject) as record:
        return record.add(EligibilityCheck(**command.model_dump()))


def record_authorization(
    db: Session, actor: Actor, now: datetime, command: RecordAuthorization
) -> ServiceAuthorization:
    """The authorization. ``InvalidRequest`` for one on file without its number."""
    require(actor, "patients:write")
    scope = Scope.of(actor)
    scope.get(db, Patient, command.patient_id)
    refuse_backwards("valid_to", command.valid_from, command.valid_to)
    if (command.standing == "on_file") != (command.number is not None):
        raise refuse("number", "E_NOT_TOGETHER", "one on file has its number, no other has")
    hold_organization(db, scope)
    if command.replaces_id is not None:
        old = scope.get(db, ServiceAuthorization, command.replaces_id)
        if old.patient_id != command.patient_id:
            raise refuse("replaces_id", "E_NOT_TOGETHER", "it is another patient's")
        if any(row.replaces_id == old.id for row in scope.all_of(db, ServiceAuthorization)):
            raise Conflict("the row is replaced already")
    content = command.model_dump()
    subject = {"patient_id": command.patient_id}
    with recording(db, actor, now, "authorization.record", subject) as record:
        return record.add(ServiceAuthorization(**content))
