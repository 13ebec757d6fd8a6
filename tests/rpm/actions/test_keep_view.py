"""A user's views of the worklist: kept, replaced, taken away, and nobody else's."""

from datetime import datetime
from uuid import uuid4

import pytest
from conftest import FixedClock
from pydantic import ValidationError
from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.actions.keep_view import MOST_VIEWS, DropView, KeepView, drop_view, keep_view
from rpm.errors import InvalidRequest, NotAllowed, NotFound
from rpm.store.engine import reading, transaction
from rpm.store.queries.worklist import saved_views
from rpm.store.scope import Scope
from rpm.store.tables.people import User
from rpm.store.tables.worklist import SavedView


@pytest.fixture
def now(clock: FixedClock) -> datetime:
    """The test's present."""
    return clock.now()


def keep(engine: Engine, actor: Actor, now: datetime, name: str, show: str = "call") -> SavedView:
    """A kept view."""
    with transaction(engine) as db:
        return keep_view(db, actor, now, KeepView(name=name, show=show))


def names(engine: Engine, actor: Actor) -> list[tuple[str, str]]:
    """The user's views with what they show."""
    assert actor.user_id is not None
    with reading(engine) as db:
        views = saved_views(db, Scope.of(actor), actor.user_id)
        return [(view.name, view.content["show"]) for view in views]


def test_a_view_of_the_same_name_takes_the_new_choice(
    engine: Engine, actor: Actor, now: datetime
) -> None:
    """Views stand by name, and keeping one again changes what it shows."""
    keep(engine, actor, now, "morning")
    keep(engine, actor, now, "Afternoon", "readings")
    keep(engine, actor, now, "morning", "held")
    assert names(engine, actor) == [("Afternoon", "readings"), ("morning", "held")]


def test_a_view_is_taken_away(engine: Engine, actor: Actor, now: datetime) -> None:
    """Then it is gone."""
    view = keep(engine, actor, now, "morning")
    with transaction(engine) as db:
        drop_view(db, actor, now, DropView(view_id=view.id))
    assert names(engine, actor) == []


def test_views_are_a_users_own(engine: Engine, actor: Actor, now: datetime) -> None:
    """A colleague neither sees a view nor can take it away."""
    view = keep(engine, actor, now, "morning")
    colleague = Actor(
        actor.organization_id, uuid4(), None, actor.role, actor.permissions, "Col League"
    )
    with transaction(engine) as db:
        db.add(
            User(
                organization_id=colleague.organization_id,
                id=colleague.user_id,
                name=colleague.name_for_audit,
                email="col@example.org",
                role=colleague.role,
                created_at=now,
            )
        )
    assert names(engine, colleague) == []
    with pytest.raises(NotFound), transaction(engine) as db:
        drop_view(db, colleague, now, DropView(view_id=view.id))
    assert names(engine, actor) == [("morning", "call")]


def test_views_are_few(engine: Engine, actor: Actor, now: datetime) -> None:
    """One too many is refused, and a kept one can still be changed."""
    for number in range(MOST_VIEWS):
        keep(engine, actor, now, f"view {number}")
    with pytest.raises(InvalidRequest):
        keep(engine, actor, now, "one more")
    keep(engine, actor, now, "view 3", "held")
    assert ("view 3", "held") in names(engine, actor)


def test_who_may_not_read_the_list_keeps_no_view(
    engine: Engine, actor: Actor, now: datetime
) -> None:
    """The permission of the list is that of its views."""
    clerk = Actor(
        actor.organization_id, actor.user_id, None, "clerical_staff", frozenset(), "Cle Rk"
    )
    with pytest.raises(NotAllowed):
        keep(engine, clerk, now, "morning")


def test_a_view_holds_no_name_of_a_patient() -> None:
    """A search by name cannot be kept: there is no field for it."""
    with pytest.raises(ValidationError):
        KeepView.model_validate({"name": "x", "family_name": "Example"})
