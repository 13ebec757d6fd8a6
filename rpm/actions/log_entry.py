"""Log work of a person for a patient.

Owns what an entry may say, whose it is, and what its answer tells: overlaps and closed months are
kept and marked, impossible times are refused. Does not own which seconds count
(``billing.ledger.minutes``) nor taking an entry back (``reverse_entry``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field
from sqlmodel import Session

from billing.finding import Finding
from billing.ledger.facts import MODES, ROLES, WORK
from rpm.access import Actor, require
from rpm.actions.command import (
    Command,
    Day,
    Id,
    Instant,
    Name,
    OneOf,
    Reason,
    Text,
    refuse,
)
from rpm.actions.entry_episode import episode_for
from rpm.actions.entry_findings import findings_of
from rpm.actions.entry_parts import Part, parts_of, possible_ids
from rpm.actions.natural_key import same_or_conflict
from rpm.actions.worker_role import worker_role
from rpm.clock import local_day
from rpm.errors import Conflict
from rpm.store.chain import recording
from rpm.store.queries.entries import entries_with_client_ids, entry_reversal
from rpm.store.queries.people import hold_organization, organization_of
from rpm.store.scope import Scope
from rpm.store.tables.ledger import InteractionEntry
from rpm.store.tables.people import Patient, User

LONGEST_SECONDS = 24 * 3600
ORIGINS = ("typed", "imported", "timer")
_REUSED = "the client_id was used for an entry with other content"


class LogEntry(Command):
    """Work of one person for one patient, with a start or with only a day and a length.

    ``actor_user_id`` is who worked, the caller when not given; someone without an account goes by
    ``actor_name`` and a ``role``. Both others need the permission ``users:manage``.
    """

    client_id: Id = Field(description="Made by the client: the same id is the same entry.")
    patient_id: Id
    episode_id: Id | None = Field(
        default=None, description="By default the patient's episode of the work's program."
    )
    actor_user_id: Id | None = None
    actor_name: Name | None = None
    role: Annotated[str, OneOf(ROLES)] | None = Field(
        default=None, description="By default what the user's role and credential say."
    )
    work: Annotated[str, OneOf(WORK)] = Field(examples=["RPM"])
    mode: Annotated[str, OneOf(MODES)] = Field(examples=["live"])
    started_at: Instant | None = Field(default=None, examples=["2026-01-14T15:00:00Z"])
    ended_at: Instant | None = Field(default=None, description="In place of a duration.")
    local_day: Day | None = Field(default=None, description="Practice's day, without a start.")
    duration_seconds: int | None = Field(default=None, examples=[480])
    activity: Name = Field(examples=["talk about blood pressure readings"])
    note: Text | None = None
    origin: Annotated[str, OneOf(ORIGINS)] = "typed"
    replaces_id: Id | None = Field(
        default=None,
        description="The entry whose place this one takes; it must have been taken back. Needs"
        " `reason`.",
    )
    reason: Reason | None = Field(
        default=None, description="Why it was written anew, or why it was typed afterwards."
    )


@dataclass(frozen=True)
class Logged:
    """The stored pieces of an entry, one a local day, and what is to be known about them."""

    entries: tuple[InteractionEntry, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Worked:
    """Who worked, and in which role; without a user somebody who has no account."""

    user: User | None
    name: str
    role: str


def log_entry(db: Session, actor: Actor, now: datetime, command: LogEntry) -> Logged:
    """The entry as stored. The same ``client_id`` and content again give the same entry.

    ``InvalidRequest`` for a length of nothing, less or more than 24 hours, an end before the
    start, a time that has not come yet, a role the person cannot have, or a patient without any
    episode of the work's program. ``Conflict`` when the id was used for other content,
    or when the entry whose place it takes still stands. Findings: ``W_TIME_OVERLAP_DEDUPED``,
    ``W_AFTER_CLOSE``, ``W_TIME_AFTER_END``.
    """
    require(actor, "entries:write")
    person = _person(db, Scope.of(actor), actor, command)
    return record_work(db, actor, now, command, person)


def record_work(
    db: Session,
    actor: Actor,
    now: datetime,
    command: LogEntry,
    person: Worked,
    action: str = "entry.log",
    reason: str | None = None,
) -> Logged:
    """``log_entry`` of a person who is known already: asks for no permission.

    ``action`` and ``reason`` are what the audit event says, where another than the person records
    the work.
    """
    scope = Scope.of(actor)
    zone_name = organization_of(db, scope).timezone
    parts = checked_parts(db, scope, now, command, zone_name)
    hold_organization(db, scope)
    stored = entries_with_client_ids(db, scope, possible_ids(command.client_id, parts[0].local_day))
    if stored:
        entries = _same(stored, command, parts, person)
        return Logged(entries, findings_of(db, scope, entries))
    state = episode_for(
        db, scope, command.patient_id, command.work, parts[0].local_day, command.episode_id
    )
    rows = [
        InteractionEntry(
            **vars(part),
            patient_id=command.patient_id,
            episode_id=state.episode.id if state else None,
            actor_user_id=person.user.id if person.user else None,
            actor_name=person.name,
            role=person.role,
            work=command.work,
            mode=command.mode,
            zone=zone_name,
            activity=command.activity,
            note=command.note,
            origin=command.origin,
            replaces_id=command.replaces_id,
            reason=command.reason,
        )
        for part in parts
    ]
    subject = {"patient_id": command.patient_id}
    with recording(db, actor, now, action, subject, command.reason or reason) as record:
        entries = tuple(record.add_all(rows))
        record.subject["entry_id"] = entries[0].id
        findings = findings_of(db, scope, entries)
    return Logged(entries, findings)


def checked_parts(
    db: Session, scope: Scope, now: datetime, command: LogEntry, zone_name: str
) -> list[Part]:
    """The pieces of the work by local day; errors as of ``log_entry``."""
    _check_replaced(db, scope, command)
    parts = _parts(command, now, zone_name)
    scope.get(db, Patient, command.patient_id)
    return parts


def _check_replaced(db: Session, scope: Scope, command: LogEntry) -> None:
    if command.replaces_id is None:
        if command.reason is not None and command.origin != "typed":
            raise refuse("reason", "E_NOT_TOGETHER", "only what is typed or written anew has one")
        return
    if command.reason is None:
        raise refuse("reason", "E_NOT_TOGETHER", "an entry written anew names the old and why")
    scope.get(db, InteractionEntry, command.replaces_id)
    if entry_reversal(db, scope, command.replaces_id) is None:
        raise Conflict("take the entry back before it is written anew")


def _parts(command: LogEntry, now: datetime, zone_name: str) -> list[Part]:
    duration_seconds = _duration_seconds(command)
    if command.started_at is not None:
        if command.local_day is not None:
            raise refuse("local_day", "E_NOT_TOGETHER", "the start already gives the day")
        if command.started_at > now - timedelta(seconds=duration_seconds):
            raise refuse("started_at", "E_IN_FUTURE", "this work is not over yet")
        return parts_of(command.client_id, command.started_at, duration_seconds, zone_name)
    if command.local_day is None:
        raise refuse("started_at", "E_MISSING", "give a start, or a day")
    if command.local_day > local_day(now, zone_name):
        raise refuse("local_day", "E_IN_FUTURE", "this day has not come yet")
    return [Part(command.client_id, command.local_day, None, duration_seconds, None)]


def _duration_seconds(command: LogEntry) -> int:
    field, duration_seconds = "duration_seconds", command.duration_seconds
    if command.ended_at is not None:
        if duration_seconds is not None or command.started_at is None:
            message = "an end goes with a start and without a duration"
            raise refuse("ended_at", "E_NOT_TOGETHER", message)
        field = "ended_at"
        duration_seconds = int((command.ended_at - command.started_at).total_seconds())
    if duration_seconds is None:
        raise refuse(field, "E_MISSING", "give a duration, or an end")
    if duration_seconds <= 0:
        raise refuse(field, "E_ENDS_BEFORE_START", "the work must last at least one second")
    if duration_seconds > LONGEST_SECONDS:
        raise refuse(field, "E_TOO_LONG", "the work lasts longer than 24 hours")
    return duration_seconds


def _person(db: Session, scope: Scope, actor: Actor, command: LogEntry) -> Worked:
    if command.actor_name is not None:
        require(actor, "users:manage")
        if command.actor_user_id is not None:
            raise refuse("actor_name", "E_NOT_TOGETHER", "a user already has a name")
        if command.role is None:
            raise refuse("role", "E_ROLE_MISSING", "say in which role the person worked")
        return Worked(None, command.actor_name, command.role)
    user_id = command.actor_user_id or actor.user_id
    if user_id is None:
        raise refuse("actor_user_id", "E_MISSING", "say who worked")
    if user_id != actor.user_id:
        require(actor, "users:manage")
    user = scope.get(db, User, user_id)
    return Worked(user, user.name, worker_role(db, scope, user, command.role))


def _same(
    stored: Sequence[InteractionEntry], command: LogEntry, parts: list[Part], person: Worked
) -> tuple[InteractionEntry, ...]:
    wanted = command.model_dump(
        include={
            *("patient_id", "work", "mode", "activity", "note", "origin", "replaces_id", "reason")
        }
    )
    wanted["actor_user_id"] = person.user.id if person.user else None
    if person.user is None:
        wanted["actor_name"] = person.name
    wanted |= command.model_dump(include={"episode_id", "role"}, exclude_none=True)
    by_id = {entry.client_id: entry for entry in stored}
    if set(by_id) != {part.client_id for part in parts}:
        raise Conflict(_REUSED)
    return tuple(
        same_or_conflict(by_id[part.client_id], {**wanted, **vars(part)}, _REUSED) for part in parts
    )
