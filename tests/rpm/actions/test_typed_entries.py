"""Work typed afterwards: marked, with a reason, and above a limit seen by somebody else."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from practice import Practice

from rpm.access import Actor
from rpm.actions.propose_entry import DecideEntry, Typed, TypeEntry, decide_entry, type_entry
from rpm.actions.set_practice_setting import SetPracticeSetting, set_practice_setting
from rpm.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from rpm.store.queries.entries import entries_page
from rpm.store.queries.timers import proposed_entries
from rpm.store.scope import Scope
from rpm.store.tables.ledger import InteractionEntry

LIMIT_SECONDS = 1800


class Desk:
    """A nurse who types what no timer ran for."""

    def __init__(self, practice: Practice) -> None:
        self.practice = practice
        self.patient_id = practice.enroll().patient_id
        _, self.nurse = practice.add_user("clinical_staff")

    def type(self, seconds: int, actor: Actor | None = None, **changes: Any) -> Typed:
        """Work of yesterday."""
        content: dict[str, Any] = {
            "client_id": uuid4(),
            "patient_id": self.patient_id,
            "work": "RPM",
            "contact": "call",
            "live": True,
            "local_day": date(2026, 1, 14),
            "duration_seconds": seconds,
            "activity": "talk about readings",
            "role": "rn",
            "reason": "called from the car",
        }
        command = TypeEntry(**(content | changes))
        return type_entry(self.practice.db, actor or self.nurse, self.practice.now, command)

    def waiting(self, seconds: int = LIMIT_SECONDS + 1) -> DecideEntry:
        """An entry that waits, and its approval."""
        proposal = self.type(seconds).waiting
        assert proposal is not None
        return DecideEntry(proposal_id=proposal.id, approve=True, reason="I heard the call")

    def entries(self) -> list[InteractionEntry]:
        """What counts."""
        return list(entries_page(self.practice.db, Scope.of(self.practice.actor)))


@pytest.fixture
def desk(practice: Practice) -> Desk:
    """A nurse and a patient."""
    return Desk(practice)


def test_short_typed_work_counts_at_once_and_is_marked(desk: Desk) -> None:
    """Up to the limit an entry is recorded with its origin and its reason."""
    typed = desk.type(LIMIT_SECONDS)
    assert typed.waiting is None
    [entry] = desk.entries()
    assert (entry.origin, entry.reason, entry.mode) == ("typed", "called from the car", "live")


def test_long_typed_work_waits_outside_the_record(desk: Desk) -> None:
    """Above the limit nothing counts until somebody else has approved it."""
    before = desk.entries()
    command = desk.waiting()
    assert desk.entries() == before
    assert desk.practice.last_event().action == "entry.propose"
    decide_entry(desk.practice.db, desk.practice.actor, desk.practice.now, command)
    [entry] = desk.entries()
    assert (entry.duration_seconds, entry.actor_user_id) == (LIMIT_SECONDS + 1, desk.nurse.user_id)
    event = desk.practice.last_event()
    assert (event.action, event.actor["name"]) == ("entry.approve", "Ada Admin")
    assert event.fact_counts == {"interaction_entry": 1}


def test_a_refusal_has_a_reason_and_leaves_no_entry(desk: Desk) -> None:
    """What is refused never counts, and the trail tells who refused it and why."""
    command = desk.waiting().model_copy(update={"approve": False, "reason": "nobody was called"})
    decide_entry(desk.practice.db, desk.practice.actor, desk.practice.now, command)
    assert desk.entries() == []
    event = desk.practice.last_event()
    assert (event.action, event.reason) == ("entry.refuse", "nobody was called")
    assert list(proposed_entries(desk.practice.db, Scope.of(desk.practice.actor))) == []


def test_nobody_approves_their_own(desk: Desk) -> None:
    """The second person is another one, also when the first may approve."""
    typed = desk.type(LIMIT_SECONDS + 1, desk.practice.actor)
    assert typed.waiting is not None
    command = DecideEntry(proposal_id=typed.waiting.id, approve=True, reason="mine")
    with desk.practice.refused(NotAllowed):
        decide_entry(desk.practice.db, desk.practice.actor, desk.practice.now, command)


def test_approval_needs_its_permission(desk: Desk) -> None:
    """Clinical staff may type but not approve, and another practice sees nothing."""
    command = desk.waiting()
    _, other = desk.practice.add_user("clinical_staff")
    with desk.practice.refused(NotAllowed):
        decide_entry(desk.practice.db, other, desk.practice.now, command)
    with desk.practice.refused(NotFound):
        decide_entry(desk.practice.db, desk.practice.stranger, desk.practice.now, command)


def test_an_entry_is_decided_once(desk: Desk) -> None:
    """A second word on the same entry is refused."""
    command = desk.waiting()
    decide_entry(desk.practice.db, desk.practice.actor, desk.practice.now, command)
    with desk.practice.refused(Conflict):
        decide_entry(desk.practice.db, desk.practice.actor, desk.practice.now, command)


def test_the_same_proposal_again_is_the_same(desk: Desk) -> None:
    """A form that is sent twice waits once; the same id with other content is refused."""
    client_id = uuid4()
    first = desk.type(LIMIT_SECONDS + 1, client_id=client_id).waiting
    rows = desk.practice.rows()
    assert desk.type(LIMIT_SECONDS + 1, client_id=client_id).waiting == first
    assert desk.practice.rows() == rows
    with desk.practice.refused(Conflict):
        desk.type(LIMIT_SECONDS + 2, client_id=client_id)


def test_what_waits_was_checked(desk: Desk) -> None:
    """What could never be recorded does not wait."""
    with desk.practice.refused(InvalidRequest):
        desk.type(LIMIT_SECONDS + 1, local_day=date(2026, 1, 16))
    with desk.practice.refused(InvalidRequest):
        desk.type(
            LIMIT_SECONDS + 1, local_day=None, started_at=desk.practice.now - timedelta(minutes=5)
        )
    stranger = desk.practice.register_patient()
    with desk.practice.refused(InvalidRequest):
        desk.type(LIMIT_SECONDS + 1, patient_id=stranger.id)


def test_a_practice_may_have_no_limit(desk: Desk) -> None:
    """With the limit off every typed entry counts at once."""
    command = SetPracticeSetting(key="typed_limit_minutes", value="off", reason="a small practice")
    set_practice_setting(desk.practice.db, desk.practice.actor, desk.practice.now, command)
    assert desk.type(7200).waiting is None
    assert len(desk.entries()) == 1
