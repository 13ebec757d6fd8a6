"""Who looked at what: the trail of accesses to what is about patients, for auditors.

Owns the list and its filters. Does not own the trail (``rpm.web.access_trail``).
"""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response
from sqlmodel import Session, col

from rpm.access import Actor
from rpm.store.queries.accesses import accesses_page
from rpm.store.scope import Scope
from rpm.store.tables.accesses import AccessRecord
from rpm.store.tables.people import Patient, User
from rpm.web.pages.paging import page_of_list
from rpm.web.pages.shell import PageReadDb, page_permit, page_router, render
from rpm.web.routes.readings import after_id

router = page_router()

Auditor = Annotated[Actor, page_permit("audit:read")]


@router.get("/admin/accesses")
def accesses(
    request: Request,
    db: PageReadDb,
    actor: Auditor,
    user_id: UUID | None = None,
    patient_id: UUID | None = None,
    cursor: str | None = None,
) -> Response:
    """Accesses, the latest first; of one person or to one patient."""
    scope = Scope.of(actor)
    filters = {
        "user_id": str(user_id) if user_id else None,
        "patient_id": str(patient_id) if patient_id else None,
    }
    paging = page_of_list(request, actor, "accesses", filters, cursor)
    rows = accesses_page(
        db,
        scope,
        user_id=user_id,
        patient_id=patient_id,
        before=after_id(paging),
        limit=paging.fetch,
    )
    page = paging.page(rows, lambda row: (row.id,))
    kept = "".join(f"&{name}={value}" for name, value in filters.items() if value)
    return render(
        request,
        "accesses.html.j2",
        page=page,
        kept=kept,
        filtered=bool(kept),
        users=_users(db, scope, page.items),
        patients=_patients(db, scope, page.items),
    )


def _users(db: Session, scope: Scope, rows: Sequence[AccessRecord]) -> dict[UUID, str]:
    ids = {row.user_id for row in rows}
    return {one.id: one.name for one in scope.all_of(db, User, col(User.id).in_(ids))}


def _patients(db: Session, scope: Scope, rows: Sequence[AccessRecord]) -> dict[UUID, str]:
    ids = {row.patient_id for row in rows}
    found = scope.all_of(db, Patient, col(Patient.id).in_(ids))
    return {one.id: f"{one.given_name} {one.family_name}" for one in found}
