"""Sites: the list with a new one, to which a user is limited, and where a patient belongs.

Owns these forms. Does not own the acts (``rpm.actions.manage_sites``).
"""

from typing import Annotated
from uuid import UUID

from fastapi import Form, Request
from fastapi.responses import Response
from sqlmodel import Session

from rpm.access import Actor
from rpm.actions.manage_sites import (
    AddSite,
    LimitUser,
    PlacePatient,
    add_site,
    limit_user,
    place_patient,
)
from rpm.errors import Conflict, InvalidRequest
from rpm.store.queries.rows import page_of
from rpm.store.queries.sites import counts_of_sites
from rpm.store.scope import Scope
from rpm.store.tables.sites import Site
from rpm.web.pages.paging import page_of_list
from rpm.web.pages.shell import (
    Now,
    PageDb,
    PageReadDb,
    form_errors,
    page_permit,
    page_router,
    read_form,
    render,
    see_other,
)
from rpm.web.routes.readings import after_id

router = page_router()

SITES = "/admin/sites"
Admin = Annotated[Actor, page_permit("users:manage")]
Placer = Annotated[Actor, page_permit("patients:write")]


@router.get(SITES)
def sites(request: Request, db: PageReadDb, actor: Admin, cursor: str | None = None) -> Response:
    """Every site with how many patients and people it has, and a form for one more."""
    return _sites(request, db, actor, cursor, {}, {})


def _sites(
    request: Request,
    db: Session,
    actor: Actor,
    cursor: str | None,
    values: dict[str, str],
    errors: dict[str, str],
) -> Response:
    scope = Scope.of(actor)
    paging = page_of_list(request, actor, "sites", {}, cursor)
    rows = page_of(db, scope, Site, after=after_id(paging), limit=paging.fetch)
    return render(
        request,
        "admin_sites.html.j2",
        422 if errors else 200,
        page=paging.page(rows, lambda row: (row.id,)),
        counts=counts_of_sites(db, scope),
        values={"name": "", "place": ""} | values,
        errors=errors,
    )


@router.post(SITES)
def add(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Admin,
    name: Annotated[str, Form()] = "",
    place: Annotated[str, Form()] = "",
) -> Response:
    """One more site."""
    values = {"name": name, "place": place}
    command, errors = read_form(AddSite, values)
    if command is None:
        return _sites(request, db, actor, None, values, errors)
    try:
        add_site(db, actor, now, command)
    except Conflict:
        return _sites(request, db, actor, None, values, {"name": "A site has this name"})
    return see_other(request, SITES, told="The site is added.")


@router.post("/admin/users/{user_id}/sites")
def limit(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Admin,
    user_id: UUID,
    site: Annotated[list[str] | None, Form()] = None,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """The user sees patients of these sites only; of the whole practice if none is chosen."""
    page = f"/admin/users/{user_id}"
    given = {"user_id": user_id, "site_ids": site or [], "reason": reason}
    command, errors = read_form(LimitUser, given)
    if command is not None:
        try:
            limit_user(db, actor, now, command)
        except InvalidRequest as error:
            errors = form_errors(error)
        except Conflict as error:
            errors = {"": error.message[:1].upper() + error.message[1:]}
    if errors:
        return see_other(request, page, told=f"Nothing was changed. {next(iter(errors.values()))}.")
    return see_other(request, page, told="The sites are changed.")


@router.post("/patients/{patient_id}/site")
def place_one(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Placer,
    patient_id: UUID,
    site: Annotated[str, Form()] = "",
) -> Response:
    """The patient belongs to another site from now on."""
    page = f"/patients/{patient_id}"
    command, errors = read_form(PlacePatient, {"patient_id": patient_id, "site_id": site})
    if command is not None:
        try:
            place_patient(db, actor, now, command)
        except InvalidRequest as error:
            errors = form_errors(error)
    if errors:
        return see_other(request, page, told=f"Nothing was changed. {next(iter(errors.values()))}.")
    return see_other(request, page, told="The patient's site is changed.")
