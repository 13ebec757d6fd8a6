"""The practice that tests of actions work in."""

import pytest
from practice import Practice
from sqlmodel import Session

from rpm.access import Actor
from rpm.clock import Clock


@pytest.fixture
def practice(actor: Actor, other_actor: Actor, session: Session, clock: Clock) -> Practice:
    """A new practice, and a stranger from another one."""
    return Practice(session, actor, other_actor, clock.now())
