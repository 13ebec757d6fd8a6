"""Evidence packs: what they hold, and that the checker finds nothing wrong with a good one."""

import pytest
from evidence_practice import FEBRUARY_CLOSE, close, told_practice
from ledger_practice import Practice
from sqlalchemy.engine import Engine

from billing.evidence.check import check
from rpm.access import Actor
from rpm.actions.evidence_model import EvidencePack
from rpm.actions.evidence_pack import close_pack
from rpm.clock import Clock
from rpm.store.engine import reading
from rpm.store.scope import Scope


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: Clock) -> Practice:
    """Patients for every kind of code."""
    return told_practice(engine, actor, clock.now())


def test_a_close_of_every_kind_of_code_fits(practice: Practice) -> None:
    """Every code of a close is recomputed from its pack alone, on both engines."""
    made = close(practice, "2026-01", FEBRUARY_CLOSE)
    with reading(practice.engine) as db:
        pack = close_pack(db, Scope.of(practice.actor), FEBRUARY_CLOSE, made.id).content
    assert check(pack) == []
    assert EvidencePack.model_validate(pack).model_dump(mode="json") == pack
