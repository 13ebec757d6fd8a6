"""The first page: leads each person to the screen of their work, and shows their own account.

Owns the way there and the account page. Does not own those screens.
"""

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from rpm.store.queries.sign_ins import open_sign_ins
from rpm.store.scope import Scope
from rpm.web.pages.shell import (
    PageActor,
    PageReadDb,
    Visitor,
    Wall,
    navigation,
    page_router,
    render,
)

router = page_router()

FIRST = {
    "practice_admin": "/worklist",
    "practitioner": "/worklist",
    "clinical_staff": "/worklist",
    "clerical_staff": "/patients",
    "biller": "/close",
    "auditor": "/close",
}
ACCOUNT = "/account"


@router.get("/")
def home(request: Request, found: Visitor) -> Response:
    """On to the first screen of the person's role, or the first that they may open."""
    paths = [entry.path for entry in navigation(request, found)]
    wanted = FIRST.get(found.actor.role, "")
    return RedirectResponse(wanted if wanted in paths else next(iter(paths), ACCOUNT), 303)


@router.get(ACCOUNT)
def account(request: Request, db: PageReadDb, wall: Wall, actor: PageActor) -> Response:
    """Who one is here, what one may do, and where one is signed in."""
    rows = open_sign_ins(db, Scope.of(actor), actor, wall)
    return render(request, "account.html.j2", rows=rows)
