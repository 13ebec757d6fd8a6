"""Visits that a change of the coding rules touches."""

from datetime import date
from typing import Any

from practice import Practice

from billing.coding.lines import lines_text
from rpm.actions.record_visit import CorrectVisit, RecordVisit, correct_visit, record_visit
from rpm.actions.touched_visits import touched_visits
from rpm.actions.visit_facts import VisitFacts
from rpm.store.scope import Scope
from rpm.store.tables.coding import Visit

BEFORE, AFTER = date(2025, 11, 1), date(2025, 11, 20)


def record(practice: Practice, **changes: Any) -> Visit:
    """A video visit at home in the lapse of October 2025, unless told otherwise."""
    facts: dict[str, Any] = {
        "payer": "MCR",
        "state": "OH",
        "dos": date(2025, 10, 15),
        "provider_type": "MD",
        "provider_site": "OFFICE",
        "patient_location": "HOME",
        "modality": "AV",
        "patient_status": "EST",
        "level_basis": "MDM",
        "mdm": "MOD",
    }
    command = RecordVisit(
        patient_id=practice.register_patient().id,
        practitioner_id=None,
        facts=VisitFacts(**(facts | changes)),
    )
    return record_visit(practice.db, practice.actor, practice.now, command)


def test_a_law_that_reaches_back_names_the_visits_it_touches(practice: Practice) -> None:
    """A Medicare visit in the lapse is touched; one before it and one of another payer are not."""
    inside = record(practice)
    record(practice, dos=date(2025, 9, 30))
    record(practice, payer="UHC_COM")
    found = list(touched_visits(practice.db, Scope.of(practice.actor), BEFORE, AFTER))
    assert [one.visit.id for one in found] == [inside.id]
    assert [(row.before, row.after) for row in found[0].rows] == [
        ("regime lapse-2025, known from 2025-03-15", "regime M5, known from 2025-11-12")
    ]
    sides = [(lines_text(side.lines), side.status) for side in (found[0].before, found[0].after)]
    assert sides == [("none", "BLOCK"), ("99214@10", "CLEAN")]


def test_nothing_is_touched_where_no_row_became_known(practice: Practice) -> None:
    """Between two days of the same knowledge no visit is told, though deadlines pass."""
    record(practice)
    scope = Scope.of(practice.actor)
    assert list(touched_visits(practice.db, scope, AFTER, date(2026, 11, 20))) == []


def test_only_the_standing_row_of_a_visit_is_told(practice: Practice) -> None:
    """A corrected visit is told once, as it stands; a withdrawn one is not."""
    visit = record(practice)
    facts = VisitFacts(**(visit.facts | {"mdm": "LOW"}))
    correction = CorrectVisit(visit_id=visit.id, facts=facts, reason="level read again")
    corrected = correct_visit(practice.db, practice.actor, practice.now, correction)
    found = list(touched_visits(practice.db, Scope.of(practice.actor), BEFORE, AFTER))
    assert [one.visit.id for one in found] == [corrected.id]
    assert lines_text(found[0].after.lines) == "99213@10"
