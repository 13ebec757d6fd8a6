"""Rows of logged work and of services, through the actions that record them.

Owns who worked by the text of a file, and when such a row says what is recorded already. Does not
own overlaps, midnight or closed months (``log_entry``).
"""

from collections import Counter
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from rpm.access import Actor
from rpm.actions.command import refuse
from rpm.actions.import_row import RowTaken, made, patient_of
from rpm.actions.log_entry import LogEntry, log_entry
from rpm.actions.record_service import RecordService, record_service
from rpm.imports.records import EntryRow, ServiceRow
from rpm.store.queries.entries import entries_with_client_ids
from rpm.store.queries.imports import ServiceContent, services_saying, users_named
from rpm.store.queries.people import practitioner_with_npi, user_with_email
from rpm.store.scope import Scope
from rpm.store.tables.people import User


def take_entry(db: Session, actor: Actor, now: datetime, row: EntryRow) -> RowTaken:
    """The entry of a row, logged unless known; its remarks are the codes of its findings.

    Someone who has no account here goes by the text of the file. Errors as ``log_entry``, and
    ``InvalidRequest`` when several users have the name.
    """
    scope = Scope.of(actor)
    patient = patient_of(db, scope, row.record_number)
    known = bool(entries_with_client_ids(db, scope, [row.client_id]))
    if known and row.entry_id is None:
        # such an id derives from all that the row says
        return RowTaken(new=False)
    user = _worker(db, scope, row.actor)
    command = made(
        LogEntry,
        client_id=row.client_id,
        patient_id=patient.id,
        actor_user_id=user.id if user else None,
        actor_name=None if user else row.actor,
        role=row.role,
        work=row.work,
        mode=row.mode,
        duration_seconds=row.duration_seconds,
        activity=row.activity,
        note=row.note,
        origin="imported",
        **_when(row),
    )
    logged = log_entry(db, actor, now, command)
    if known:
        return RowTaken(new=False)
    return RowTaken(new=True, remarks=tuple(finding.code for finding in logged.findings))


def take_service(
    db: Session, actor: Actor, now: datetime, row: ServiceRow, seen: Counter[ServiceContent]
) -> RowTaken:
    """The service of a row, recorded unless known; equal rows of a file are as many services.

    ``seen`` counts the services that the file named so far. Errors as ``record_service``, and
    ``InvalidRequest`` for a practitioner who is not of the practice.
    """
    scope = Scope.of(actor)
    command = made(
        RecordService,
        patient_id=patient_of(db, scope, row.record_number).id,
        code=row.code,
        service_day=row.service_day,
        own=row.own,
        practitioner_id=_practitioner_id(db, scope, row.practitioner_npi),
        note=row.note,
    )
    content = ServiceContent(**command.model_dump(exclude={"actor_user_id"}))
    seen[content] += 1
    if services_saying(db, scope, content) >= seen[content]:
        return RowTaken(new=False)
    record_service(db, actor, now, command)
    return RowTaken(new=True)


def _worker(db: Session, scope: Scope, text: str) -> User | None:
    if "@" in text:
        return user_with_email(db, scope, text)
    users = users_named(db, scope, text)
    if len(users) > 1:
        message = "several users have this name; give the e-mail address"
        raise refuse("actor", "E_SEVERAL_USERS", message)
    return users[0] if users else None


def _when(row: EntryRow) -> dict[str, Any]:
    if row.started_at is None:
        return {"local_day": row.local_day}
    return {"started_at": row.started_at.replace(microsecond=0)}


def _practitioner_id(db: Session, scope: Scope, npi: str | None) -> UUID | None:
    if npi is None:
        return None
    practitioner = practitioner_with_npi(db, scope, npi)
    if practitioner is None:
        message = "the practice has no practitioner of this NPI"
        raise refuse("practitioner_npi", "E_NO_PRACTITIONER", message)
    return practitioner.id
