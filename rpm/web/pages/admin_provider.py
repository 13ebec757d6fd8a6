"""The practice's identity provider: whom it trusts to say who somebody is.

Owns the form. Does not own the decision (``rpm.actions.identity_provider``). A secret is taken and
never shown.
"""

from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import Response
from sqlmodel import Session

from rpm.access import Actor
from rpm.actions.identity_provider import TrustProvider, latest_provider, trust_provider
from rpm.errors import InvalidRequest
from rpm.store.scope import Scope
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
from rpm.web.pages.sign_in_elsewhere import back_address, sign_in_address
from rpm.web.running import running_of

router = page_router()

PROVIDER = "/admin/provider"
Admin = Annotated[Actor, page_permit("users:manage")]


@router.get(PROVIDER)
def provider(request: Request, db: PageReadDb, actor: Admin) -> Response:
    """Whom the practice trusts now, and the form that changes it."""
    return _page(request, db, actor, {}, {})


def _page(
    request: Request, db: Session, actor: Actor, values: dict[str, str], errors: dict[str, str]
) -> Response:
    row = latest_provider(db, Scope.of(actor))
    kept = {
        "reason": "",
        "issuer": row.issuer if row else "",
        "client_id": row.client_id if row else "",
    }
    return render(
        request,
        "admin_provider.html.j2",
        422 if errors else 200,
        row=row,
        address=sign_in_address(request, actor.organization_id),
        back=back_address(request),
        values=kept | values,
        errors=errors,
    )


@router.post(PROVIDER)
def trust(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Admin,
    issuer: Annotated[str, Form()] = "",
    client_id: Annotated[str, Form()] = "",
    client_secret: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """From the next sign-in on."""
    values = {"issuer": issuer, "client_id": client_id, "reason": reason}
    command, errors = read_form(TrustProvider, {**values, "client_secret": client_secret})
    if command is None:
        return _page(request, db, actor, values, errors)
    running = running_of(request)
    listed = running.settings.outbound_hosts
    try:
        row = trust_provider(db, running.keys, actor, now, command, listed)
    except InvalidRequest as error:
        return _page(request, db, actor, values, form_errors(error))
    told = "The provider is trusted." if row.issuer else "No provider is trusted any more."
    return see_other(request, PROVIDER, told=told)
