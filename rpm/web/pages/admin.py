"""The first page of administration: where each thing is decided.

Owns the list of ways on. Does not own those pages. A way is shown to who may go it, once it is
there.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Request
from fastapi.responses import Response

from rpm.access import Actor
from rpm.web.pages.shell import page_permit, page_router, render

router = page_router()


@dataclass(frozen=True)
class Way:
    """A page of administration, and what it is for."""

    path: str
    title: str
    told: str
    permission: str


WAYS = (
    Way("/admin/users", "Users", "Who may come in, in which role, at which site.", "users:manage"),
    Way("/admin/roles", "Roles", "What each role may do.", "users:manage"),
    Way(
        "/admin/provider",
        "Identity provider",
        "Whose word you take for who somebody is.",
        "users:manage",
    ),
    Way("/admin/sites", "Sites", "Where your people and patients are.", "users:manage"),
    Way(
        "/admin/payers",
        "Payers and rules",
        "Whom you bill, by which rule pages, and what a changed page would change.",
        "rules:read",
    ),
    Way(
        "/admin/billing",
        "Billing identity",
        "Who bills on your claims, and your practitioners by name.",
        "claims:write",
    ),
    Way("/admin/charges", "Charges", "What you ask for each code.", "claims:write"),
    Way(
        "/admin/connections",
        "Device connections",
        "Doors of vendors, their secrets, and deliveries that could not be read.",
        "connections:manage",
    ),
    Way(
        "/admin/tokens", "API tokens", "For programs that work with this service.", "tokens:manage"
    ),
    Way("/admin/audit", "Audit trail", "Who did what, when, to whom.", "audit:read"),
    Way("/admin/accesses", "Accesses", "Who looked at what, also refused.", "audit:read"),
    Way(
        "/admin/emergencies",
        "Emergency access",
        "Who opened charts without the right to, and why.",
        "audit:read",
    ),
    Way(
        "/admin/retention",
        "Retention and legal hold",
        "What is removed when, and what must stay.",
        "records:purge",
    ),
)


@router.get("/admin")
def admin(request: Request, actor: Annotated[Actor, page_permit("users:manage")]) -> Response:
    """The ways on."""
    there: frozenset[str] = request.app.state.page_paths
    ways = [one for one in WAYS if one.path in there and one.permission in actor.permissions]
    return render(request, "admin.html.j2", ways=ways)
