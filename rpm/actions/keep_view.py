"""Keep a view of the worklist under a name, and take it away again.

Owns what a view holds: no name of a patient ever. Does not own the list
(``rpm.store.queries.worklist``).
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlmodel import Session

from rpm.access import Actor, require
from rpm.actions.command import Command, Id, Name, OneOf, PayerKey, refuse
from rpm.errors import NotFound
from rpm.ids import uuid7
from rpm.store.chain import recording
from rpm.store.queries.people import hold_organization
from rpm.store.queries.worklist import CHOICES, SORTS, saved_views
from rpm.store.scope import Scope
from rpm.store.tables.worklist import SavedView

MOST_VIEWS = 20


class KeepView(Command):
    """A choice of rows and their order, under a name of the user's own."""

    name: Name = Field(max_length=60, examples=["Calls, Medicare"])
    show: Annotated[str, OneOf(CHOICES)] = "all"
    payer_key: PayerKey | None = None
    site_id: Id | None = None
    sort: Annotated[str, OneOf(SORTS)] = "next"


class DropView(Command):
    """A view that is no longer wanted."""

    view_id: Id


def keep_view(db: Session, actor: Actor, now: datetime, command: KeepView) -> SavedView:
    """The view; of the same name, the old one with the new choice.

    ``InvalidRequest`` when the user keeps as many as there may be.
    """
    require(actor, "ledger:read")
    scope, user_id = Scope.of(actor), _user_of(actor)
    hold_organization(db, scope)
    views = saved_views(db, scope, user_id)
    content = command.model_dump(mode="json", exclude={"name"})
    kept = next((view for view in views if view.name == command.name), None)
    if kept is None and len(views) >= MOST_VIEWS:
        raise refuse("name", "E_TOO_MANY", f"{MOST_VIEWS} views are kept at most")
    if kept is None:
        kept = SavedView(
            organization_id=scope.organization_id,
            id=uuid7(now),
            user_id=user_id,
            name=command.name,
            content=content,
            created_at=now,
        )
    kept.content = content
    with recording(db, actor, now, "view.keep", {"view_id": kept.id}):
        db.add(kept)
    return kept


def drop_view(db: Session, actor: Actor, now: datetime, command: DropView) -> None:
    """Take a view away; ``NotFound`` for one of somebody else."""
    require(actor, "ledger:read")
    scope, user_id = Scope.of(actor), _user_of(actor)
    view = scope.get(db, SavedView, command.view_id)
    if view.user_id != user_id:
        raise NotFound("there is no such saved_view")
    with recording(db, actor, now, "view.drop", {"view_id": view.id}):
        db.delete(view)


def _user_of(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise NotFound("views are kept for users")
    return actor.user_id
