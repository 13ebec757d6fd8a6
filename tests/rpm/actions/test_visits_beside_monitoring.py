"""Visits beside monitoring: minutes are used once, and accepted visits leave with the close."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from evidence_practice import record_practitioner
from ledger_practice import Practice
from sqlalchemy.engine import Engine

from rpm.access import ROLE_PERMISSIONS, Actor
from rpm.actions.close_month import CloseMonth, close_month
from rpm.actions.decide_visit import DecideVisit, decide_visit
from rpm.actions.export_close import ExportClose, export_close
from rpm.actions.record_visit import CorrectVisit, RecordVisit, correct_visit, record_visit
from rpm.actions.verify import verify_record
from rpm.actions.visit_facts import VisitFacts
from rpm.clock import Clock
from rpm.store.engine import reading, transaction
from rpm.store.queries.ledger import rows_of_close
from rpm.store.queries.visits import monitoring_seconds_on
from rpm.store.scope import Scope
from rpm.store.tables.people import User

VISIT_DAY = date(2026, 1, 14)
FEBRUARY = datetime(2026, 2, 2, 15, tzinfo=UTC)


class Beside:
    """A patient with 12 minutes of staff and 10 of the practitioner, who also held a visit."""

    def __init__(self, practice: Practice) -> None:
        self.practice, self.now = practice, FEBRUARY
        self.doctor = record_practitioner(practice)
        with reading(practice.engine) as db:
            user = Scope.of(practice.actor).get(db, User, self.doctor)
        assert user.practitioner_id is not None
        self.practitioner_id: UUID = user.practitioner_id
        organization_id = practice.actor.organization_id
        permissions = ROLE_PERMISSIONS["practitioner"]
        self.person = Actor(organization_id, user.id, None, "practitioner", permissions, user.name)
        self.patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
        practice.entry(self.patient_id, episode_id, date(2026, 1, 8), 720)
        practice.entry(
            self.patient_id,
            episode_id,
            VISIT_DAY,
            600,
            role="qhp",
            actor_user_id=self.doctor,
            actor_name="Doc Example",
        )

    def visit(self, **changes: Any) -> UUID:
        """A video visit of the practitioner on the day of the ten minutes."""
        facts: dict[str, Any] = {
            "payer": "MCR",
            "state": "NY",
            "dos": VISIT_DAY,
            "provider_type": "MD",
            "provider_site": "OFFICE",
            "patient_location": "HOME",
            "modality": "AV",
            "patient_status": "EST",
            "level_basis": "MDM",
            "mdm": "MOD",
        }
        command = RecordVisit(
            patient_id=self.patient_id,
            practitioner_id=self.practitioner_id,
            facts=VisitFacts(**(facts | changes)),
        )
        with transaction(self.practice.engine) as db:
            return record_visit(db, self.person, self.now, command).id

    def decide(self, visit_id: UUID, *, accepted: bool = True) -> None:
        """The practitioner decides."""
        command = DecideVisit(visit_id=visit_id, accepted=accepted)
        with transaction(self.practice.engine) as db:
            decide_visit(db, self.person, self.now, command)

    def close(self) -> tuple[UUID, set[str], set[str]]:
        """The next close of January: its id, codes of its events, codes of its findings."""
        self.now += timedelta(hours=1)
        with transaction(self.practice.engine) as db:
            closed = close_month(
                db, self.practice.actor, self.now, CloseMonth(month="2026-01")
            ).close
            scope = Scope.of(self.practice.actor)
            events = {row["code"] for row in rows_of_close(db, scope, closed.id, "event")}
            findings = {row["code"] for row in rows_of_close(db, scope, closed.id, "finding")}
        return closed.id, events, findings

    def exported(self, close_id: UUID) -> list[dict[str, str]]:
        """The rows of visits.csv; empty where the export has no such file."""
        with transaction(self.practice.engine) as db:
            command = ExportClose(close_id=close_id)
            files = export_close(db, self.practice.actor, self.now, command).files
        text = files.get("visits.csv", b"").decode()
        return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def beside(engine: Engine, actor: Actor, clock: Clock) -> Beside:
    """The practice in February."""
    return Beside(Practice(engine, actor, clock.now()))


def test_minutes_of_a_visits_day_are_not_used_for_monitoring(beside: Beside) -> None:
    """An accepted visit takes the practitioner's minutes of the day; a held one gives them back."""
    assert beside.close()[1] == {"99457"}
    visit_id = beside.visit()
    with reading(beside.practice.engine) as db:
        scope = Scope.of(beside.practice.actor)
        asked = beside.patient_id, beside.practitioner_id, VISIT_DAY
        assert monitoring_seconds_on(db, scope, *asked) == 600
    assert beside.close()[1] == {"99457"}
    beside.decide(visit_id)
    _, events, findings = beside.close()
    assert events == {"99470"}
    assert "W_EM_DAY_TIME_EXCLUDED" in findings
    beside.decide(visit_id, accepted=False)
    assert beside.close()[1] == {"99457"}


def test_accepted_visits_leave_with_the_close(beside: Beside) -> None:
    """The export lists each line of an accepted visit; a later close tells what became of it."""
    visit_id = beside.visit(submitted="99214@10;G2211@10")
    none_yet = beside.close()[0]
    assert beside.exported(none_yet) == []
    beside.decide(visit_id)
    first = beside.close()[0]
    rows = beside.exported(first)
    assert [(row["procedure"], row["pos"], row["units"], row["change"]) for row in rows] == [
        ("99214", "10", "1", "new"),
        ("G2211", "10", "1", "new"),
    ]
    assert rows[0]["rendering_npi"] == "1245319599"
    with transaction(beside.practice.engine) as db:
        command = CorrectVisit(visit_id=visit_id, reason="another patient's")
        correct_visit(db, beside.person, beside.now, command)
    second = beside.close()[0]
    taken = beside.exported(second)
    assert [(row["procedure"], row["units"], row["change"]) for row in taken] == [
        ("99214", "-1", "taken back"),
        ("G2211", "-1", "taken back"),
    ]
    assert beside.exported(first) == rows
    with reading(beside.practice.engine) as db:
        assert verify_record(db, beside.practice.actor) == []
