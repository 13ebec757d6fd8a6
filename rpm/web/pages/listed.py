"""The routers of all pages, and the files beside them.

Owns the list. A new page adds its module here, one line, in alphabetical order.
"""

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from rpm.web.pages import (
    accesses,
    admin,
    admin_audit,
    admin_billing,
    admin_connections,
    admin_provider,
    admin_retention,
    admin_rules,
    admin_sites,
    admin_tokens,
    admin_users,
    alerts,
    answers,
    claim,
    claim_corrections,
    claim_exchange,
    claim_figures,
    claim_papers,
    claims,
    close,
    closed,
    demo_clock,
    denial,
    denials,
    emergency,
    enrollment,
    figures,
    home,
    invitation,
    own_access,
    patient,
    patient_balance,
    patient_billing,
    patients,
    proposals,
    remittances,
    sign_in,
    sign_in_elsewhere,
    time_log,
    time_typed,
    timer,
    timer_finish,
    visit_form,
    visit_list,
    visits,
    why,
    worklist,
)
from rpm.web.pages.templating import STATIC

PAGES: tuple[APIRouter, ...] = (
    accesses.router,
    admin.router,
    admin_audit.router,
    admin_billing.router,
    admin_connections.router,
    admin_provider.router,
    admin_retention.router,
    admin_rules.router,
    admin_sites.router,
    admin_tokens.router,
    admin_users.router,
    alerts.router,
    answers.router,  # these two before the address of one claim
    remittances.router,
    claim_exchange.router,  # before the address of one claim
    claim_figures.router,  # before the address of one claim
    claim_papers.router,
    claim_corrections.router,  # these two before the address of one claim
    claims.router,
    claim.router,
    close.router,
    closed.router,
    enrollment.router,
    demo_clock.router,
    denials.router,  # before the address of one claim
    denial.router,
    emergency.router,
    figures.router,
    home.router,
    invitation.router,
    own_access.router,
    patients.router,  # before the address of one patient
    patient.router,
    proposals.router,
    patient_balance.router,
    patient_billing.router,
    sign_in.router,
    sign_in_elsewhere.router,
    time_log.router,
    time_typed.router,
    timer.router,
    timer_finish.router,
    visit_form.router,
    visit_list.router,
    visits.router,
    why.router,
    worklist.router,
)
_A_YEAR = "public, max-age=31536000, immutable"


class Files(StaticFiles):
    """Our own style and scripts, and those of htmx's package; addresses change with the content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """As the base class; browsers may keep what they get."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = _A_YEAR
        return response


def static_files() -> Files:
    """For mounting under ``/static``."""
    return Files(directory=STATIC, packages=[("js_lib_htmx", "static")])


def page_paths() -> frozenset[str]:
    """Addresses of all pages that can be opened."""
    return frozenset(
        route.path
        for router in PAGES
        for route in router.routes
        if isinstance(route, APIRoute) and "GET" in (route.methods or ())
    )
