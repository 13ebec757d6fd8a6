"""Routes that exist in tests only: the smallest ones that show what the frame does."""

from datetime import date
from typing import Annotated, Any

from fastapi import FastAPI
from sqlalchemy import exc, text
from sqlmodel import col

from rpm.access import Actor
from rpm.actions.add_payer import AddPayer, add_payer
from rpm.errors import Busy, Conflict, NotReady
from rpm.store.queries.rows import page_of
from rpm.store.scope import Scope
from rpm.store.tables.people import Payer
from rpm.web.deps import Db, Now, Page, Paging, ReadDb, area_router, permit

router = area_router("Probe")
Writer = Annotated[Actor, permit("rules:write")]
Reader = Annotated[Actor, permit("rules:read")]

FAILURES: dict[str, Exception] = {
    "busy": Busy("come back", retry_after_seconds=7),
    "not-ready": NotReady("set something"),
    "conflict": Conflict("it stands otherwise"),
    "unexpected": ValueError("Zebulon Planted"),
    "pool": exc.TimeoutError("no connection"),
}


@router.post("/probe/payers", status_code=201)
def post_payer(db: Db, now: Now, actor: Writer, command: AddPayer) -> dict[str, str]:
    """Record a payer."""
    return {"id": str(add_payer(db, actor, now, command).id)}


@router.post("/probe/payers/refused")
def post_refused(db: Db, now: Now, actor: Writer, command: AddPayer) -> None:
    """Record a payer, then fail."""
    add_payer(db, actor, now, command)
    raise Conflict("not this time")


@router.get("/probe/payers")
def list_payers(
    db: ReadDb, actor: Reader, paging: Paging, name: str | None = None
) -> Page[dict[str, str]]:
    """Payers in the order they were made."""
    after: Any = paging.after[0] if paging.after else None
    conditions = [col(Payer.name) == name] if name else []
    rows = page_of(db, Scope.of(actor), Payer, *conditions, after=after, limit=paging.fetch)
    page = paging.page(rows, lambda row: (row.id,))
    return Page(items=[{"key": row.key} for row in page.items], next_cursor=page.next_cursor)


@router.get("/probe/failures/{name}")
def fail(actor: Reader, name: str) -> None:
    """Raise what is asked for."""
    raise FAILURES[name]


@router.get("/probe/days/{day}")
def take_day(actor: Reader, day: date) -> str:
    """A typed part of the address."""
    return day.isoformat()


@router.post("/probe/statement")
def bad_statement(db: Db, actor: Writer) -> None:
    """Let the database refuse."""
    db.connection().execute(text("INSERT INTO job_run (job) VALUES (NULL)"))


def add_probe(app: FastAPI) -> FastAPI:
    """The application with these routes."""
    app.include_router(router)
    return app
