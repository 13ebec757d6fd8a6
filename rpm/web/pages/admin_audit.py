"""The audit trail with its search.

Owns the screen and the words of an event. Does not own the events (``rpm.store.queries.audit``).
A record number is searched by a form that is posted: addresses hold ids only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Form, Query, Request
from fastapi.responses import Response
from pydantic import BeforeValidator
from sqlmodel import Session

from rpm.access import Actor
from rpm.clock import start_of_day
from rpm.store.queries.audit import AuditFilter, audit_page
from rpm.store.queries.people import (
    names_of_patients,
    organization_of,
    patient_with_record_number,
)
from rpm.store.scope import Scope
from rpm.store.tables.people import User
from rpm.store.tables.security import AuditEvent
from rpm.web.pages.paging import page_of_list
from rpm.web.pages.shell import PageReadDb, page_permit, page_router, render, see_other

router = page_router()

Auditor = Annotated[Actor, page_permit("audit:read")]
T = TypeVar("T")
Chosen = Annotated[T | None, BeforeValidator(lambda given: given or None)]
"""A field of a search form; one that is sent empty is left out."""
AUDIT = "/admin/audit"
AREAS = {
    "alert": "Alerts",
    "chart": "Charts opened",
    "close": "Closes",
    "connection": "Connections",
    "consent": "Consents",
    "coverage": "Coverages",
    "delivery": "Deliveries",
    "device": "Devices",
    "emergency": "Emergency access",
    "endpoint": "Receivers of events",
    "entry": "Time log",
    "episode": "Enrollment",
    "evidence": "Evidence given out",
    "export": "Exports",
    "hold": "Legal holds",
    "import": "Imports",
    "patient": "Patients registered",
    "payer": "Payers",
    "practitioner": "Practitioners",
    "purge": "Purges",
    "reading": "Readings",
    "rule_page": "Rule pages",
    "rules": "Rule tables",
    "service": "Other services",
    "setting": "Settings",
    "sign_in": "Signing in",
    "timer": "Timers",
    "token": "API tokens",
    "user": "Users",
    "view": "Saved views",
}


@dataclass(frozen=True)
class Told:
    """An event for people."""

    event: AuditEvent
    who: str
    role: str
    patient_id: UUID | None
    patient: str
    concerns: str  # what else it is about
    result: str


@router.get(AUDIT)
def audit(
    request: Request,
    db: PageReadDb,
    actor: Auditor,
    user: Chosen[UUID] = None,
    area: Annotated[str, Query(max_length=40)] = "",
    patient: Chosen[UUID] = None,
    from_day: Chosen[date] = None,
    to_day: Chosen[date] = None,
    cursor: Annotated[str | None, Query(max_length=2_000)] = None,
) -> Response:
    """Events, the last one first."""
    scope = Scope.of(actor)
    filters = {
        "user": str(user or ""),
        "area": area,
        "patient": str(patient or ""),
        "from_day": str(from_day or ""),
        "to_day": str(to_day or ""),
    }
    paging = page_of_list(request, actor, "audit", filters, cursor)
    before = None if paging.after is None else int(str(paging.after[0]))
    chosen = _chosen(db, scope, user, area, patient, from_day, to_day)
    rows = audit_page(db, scope, chosen, before=before, limit=paging.fetch)
    page = paging.page(rows, lambda row: (row.number,))
    return render(
        request,
        "admin_audit.html.j2",
        page=page,
        rows=_told(db, scope, page.items),
        users=[("", "Anyone"), *((str(one.id), one.name) for one in scope.all_of(db, User))],
        areas=[("", "Anything"), *sorted(AREAS.items(), key=lambda item: item[1])],
        patient_name=names_of_patients(db, scope, [patient]).get(patient, "") if patient else "",
        filters=filters,
        asked={name: value for name, value in filters.items() if value},
        errors={},
        cursor=cursor,
    )


def _chosen(
    db: Session,
    scope: Scope,
    user: UUID | None,
    area: str,
    patient: UUID | None,
    from_day: date | None,
    to_day: date | None,
) -> AuditFilter:
    zone = organization_of(db, scope).timezone

    def begin(day: date | None) -> datetime | None:
        return None if day is None else start_of_day(day, zone)

    return AuditFilter(
        user_id=user,
        area=area or None,
        patient_id=patient,
        recorded_from=begin(from_day),
        recorded_before=begin(None if to_day is None else to_day + timedelta(days=1)),
    )


@router.post(AUDIT)
def search(
    request: Request,
    db: PageReadDb,
    actor: Auditor,
    record_number: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """On to the events of the patient with this record number."""
    found = patient_with_record_number(db, Scope.of(actor), record_number.strip())
    if found is None:
        return see_other(request, AUDIT, told="No patient has this record number.")
    return see_other(request, f"{AUDIT}?patient={found.id}")


def _told(db: Session, scope: Scope, events: list[AuditEvent]) -> list[Told]:
    patients = {event.number: _patient(event.subject) for event in events}
    names = names_of_patients(db, scope, {one for one in patients.values() if one is not None})
    named = {str(patient_id): name for patient_id, name in names.items()}
    return [
        Told(
            event,
            str(event.actor["name"]),
            str(event.actor["role"]).replace("_", " "),
            patients[event.number],
            named.get(str(patients[event.number]), ""),
            ", ".join(_concerns(event.subject)),
            _result(event),
        )
        for event in events
    ]


def _patient(subject: Mapping[str, Any]) -> UUID | None:
    text = subject.get("patient_id")
    return None if text is None else UUID(str(text))


def _concerns(subject: Mapping[str, Any]) -> Iterator[str]:
    for name, value in subject.items():
        if name == "patient_id" or value is None:
            continue
        words = name.removesuffix("_id").replace("_", " ")
        if name.endswith(("_id", "_ids", "digest")) or isinstance(value, list | dict):
            yield words
        else:
            yield f"{words} {value}"


def _result(event: AuditEvent) -> str:
    counts = [f"{count:,} {name.replace('_', ' ')}" for name, count in event.fact_counts.items()]
    return f"recorded: {', '.join(counts)}" if counts else "noted"
