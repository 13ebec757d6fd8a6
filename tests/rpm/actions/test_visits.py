"""Visits: recorded, coded with what the record holds, decided by a person, corrected."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from practice import Practice

from billing.finding import Finding
from rpm.access import Actor
from rpm.actions.add_practitioner import AddPractitioner, add_practitioner
from rpm.actions.coding_records import (
    LoadCompactMembers,
    Member,
    RecordAuthority,
    RecordAuthorization,
    RecordEligibility,
    load_compact_members,
    record_authority,
    record_authorization,
    record_eligibility,
)
from rpm.actions.decide_visit import DecideVisit, Overruling, coded, decide_visit
from rpm.actions.record_visit import CorrectVisit, RecordVisit, correct_visit, record_visit
from rpm.actions.visit_facts import VisitFacts
from rpm.errors import Conflict, InvalidRequest, NotAllowed, NotFound, ServiceError
from rpm.store.queries.services import services_page
from rpm.store.queries.visits import decisions_of, visits_page
from rpm.store.scope import Scope
from rpm.store.tables.coding import PractitionerAuthority, Visit, VisitDecision

FACTS: dict[str, Any] = {
    "payer": "MCR",
    "state": "OH",
    "dos": date(2026, 1, 13),
    "provider_type": "MD",
    "provider_site": "OFFICE",
    "patient_location": "HOME",
    "modality": "AV",
    "patient_status": "EST",
    "level_basis": "MDM",
    "mdm": "MOD",
}


def facts(**changes: Any) -> VisitFacts:
    """A moderate video visit at home two days ago, unless told otherwise."""
    return VisitFacts(**(FACTS | changes))


def record(
    practice: Practice,
    patient_id: UUID | None = None,
    practitioner_id: UUID | None = None,
    **changes: Any,
) -> Visit:
    """The visit of a new patient unless one is given."""
    command = RecordVisit(
        patient_id=patient_id or practice.register_patient().id,
        practitioner_id=practitioner_id,
        facts=facts(**changes),
    )
    return record_visit(practice.db, practice.actor, practice.now, command)


def practitioner(practice: Practice) -> UUID:
    """A doctor of the practice."""
    command = AddPractitioner(npi="1234567893", name="Dr. Example", credential="MD")
    return add_practitioner(practice.db, practice.actor, practice.now, command).id


def findings(refused: pytest.ExceptionInfo[ServiceError]) -> Sequence[Finding]:
    """What a refused request is told."""
    assert isinstance(refused.value, InvalidRequest)
    return refused.value.findings


def biller(practice: Practice) -> Actor:
    """A named person who decides."""
    return practice.add_user("biller")[1]


def decide(practice: Practice, visit: Visit, actor: Actor, **content: Any) -> VisitDecision:
    """A decision; accepted unless told otherwise."""
    given: dict[str, Any] = {"visit_id": visit.id, "accepted": True}
    command = DecideVisit(**(given | content))
    return decide_visit(practice.db, actor, practice.now, command)


def services(practice: Practice, visit: Visit) -> list[tuple[str, bool]]:
    """What the ledger holds of the visit's patient: code, and whether it takes one back."""
    rows = services_page(practice.db, Scope.of(practice.actor), patient_id=visit.patient_id)
    return [(row.code, row.reverses_id is not None) for row in rows]


def status(practice: Practice, visit: Visit) -> tuple[str, set[str]]:
    """How the visit stands today, and what fired."""
    found = coded(practice.db, Scope.of(practice.actor), visit, date(2026, 1, 15))
    return found.status, {one.code for one in found.findings}


def test_a_visit_is_kept_as_told_and_coded_when_asked(practice: Practice) -> None:
    """The facts are kept in words; code, place and modifiers follow from them."""
    visit = record(practice, fields="consent=documented")
    assert visit.facts["fields"] == "consent=documented"
    assert (visit.service_day, visit.payer, visit.submitted) == (date(2026, 1, 13), "MCR", None)
    event = practice.last_event()
    assert (event.action, event.fact_counts) == ("visit.record", {"visit": 1})
    found = coded(practice.db, Scope.of(practice.actor), visit, date(2026, 1, 15))
    assert [line.text for line in found.lines] == ["99214@10"]


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"fields": "color=blue"}, "fields"),
        ({"fields": "age=old"}, "fields age"),
        ({"submitted": "99214@@10"}, "submitted"),
        ({"dos": date(2026, 1, 16)}, "facts.dos"),
        ({"dos": date(2019, 12, 31)}, "dos"),
        ({"state": "ZZ"}, "state"),
    ],
)
def test_facts_outside_the_format_are_refused(
    practice: Practice, changes: dict[str, Any], where: str
) -> None:
    """Nothing is kept of facts that cannot be read; the finding names the field, not its value."""
    patient_id = practice.register_patient().id
    with practice.refused(InvalidRequest) as refused:
        record(practice, patient_id, **changes)
    assert where in [finding.where for finding in findings(refused)]
    assert "blue" not in str(refused.value)


def test_an_accepted_visit_tells_the_ledger_its_services(practice: Practice) -> None:
    """Each code of the visit is our service of the day; lines of monitoring are not repeated."""
    visit = record(practice, submitted="99214@10;G2211@10;99457@11", fields="minutes.rpm=20")
    decision = decide(practice, visit, biller(practice))
    assert decision.chosen == "99214@10;G2211@10;99457@11"
    assert services(practice, visit) == [("99214", False), ("G2211", False)]
    assert len(decision.service_ids) == 2


def test_another_decision_takes_back_what_the_first_one_told(practice: Practice) -> None:
    """The latest decision counts; a held visit leaves nothing with the ledger."""
    visit, actor = record(practice), biller(practice)
    first = decide(practice, visit, actor)
    second = decide(practice, visit, actor, accepted=False, reason="the note is amended first")
    assert services(practice, visit) == [("99214", False), ("99214", True)]
    found = decisions_of(practice.db, Scope.of(practice.actor), [visit.id])
    assert found[visit.id].id == second.id != first.id


def test_an_error_is_overruled_by_a_named_person_with_a_reason(practice: Practice) -> None:
    """Without an overruling the visit is not accepted; with one, edit and reason are kept."""
    visit, actor = record(practice, fields="consent=missing"), biller(practice)
    with practice.refused(InvalidRequest) as refused:
        decide(practice, visit, actor)
    assert "TH-DOC-04" in findings(refused)[0].message
    with practice.refused(NotAllowed):
        decide(practice, visit, Actor(**{**vars(actor), "user_id": None}))
    overruled = Overruling(edit="TH-DOC-04", reason="consent stands in the paper chart")
    decision = decide(practice, visit, actor, overruled=[overruled])
    assert decision.overruled == [
        {"edit": "TH-DOC-04", "reason": "consent stands in the paper chart"}
    ]
    assert (decision.decided_by, decision.status) == (actor.user_id, "BLOCK")
    assert {"edit": "TH-DOC-04", "weight": "ERROR", "line": None} in decision.findings


def test_other_lines_need_a_reason_and_pass_their_own_edits(practice: Practice) -> None:
    """A person may choose another level, says why, and the chosen lines are judged."""
    visit, actor = record(practice), biller(practice)
    with practice.refused(InvalidRequest) as refused:
        decide(practice, visit, actor, chosen="99213@10")
    assert findings(refused)[0].where == "reason"
    with practice.refused(InvalidRequest) as refused:
        decide(practice, visit, actor, chosen="99213@11", reason="lower")
    assert "TH-POS-01" in findings(refused)[0].message
    decision = decide(practice, visit, actor, chosen="99213@10", reason="the plan was simple")
    assert (decision.proposed, decision.chosen) == ("99214@10", "99213@10")


def test_an_edit_that_is_silent_is_not_overruled(practice: Practice) -> None:
    """Overruling what does not fire is refused: nobody waves an edit through in advance."""
    visit, actor = record(practice), biller(practice)
    silent = [Overruling(edit="TH-ADM-04", reason="to be sure")]
    with practice.refused(InvalidRequest):
        decide(practice, visit, actor, overruled=silent)


def test_a_correction_replaces_the_visit_once(practice: Practice) -> None:
    """The old row stays; its services are taken back; a second correction of it is refused."""
    visit, actor = record(practice), biller(practice)
    decide(practice, visit, actor)
    command = CorrectVisit(visit_id=visit.id, facts=facts(mdm="LOW"), reason="level was mistyped")
    correction = correct_visit(practice.db, practice.actor, practice.now, command)
    assert (correction.replaces_id, correction.facts["mdm"]) == (visit.id, "LOW")
    assert services(practice, visit) == [("99214", False), ("99214", True)]
    standing = visits_page(practice.db, Scope.of(practice.actor), standing=True)
    assert [row.id for row in standing] == [correction.id]
    with practice.refused(Conflict):
        correct_visit(practice.db, practice.actor, practice.now, command)
    with practice.refused(Conflict):
        decide(practice, visit, actor)


def test_a_withdrawn_visit_stands_no_more(practice: Practice) -> None:
    """A correction without facts withdraws the visit, and nothing follows on it."""
    visit = record(practice)
    command = CorrectVisit(visit_id=visit.id, reason="another patient's visit")
    gone = correct_visit(practice.db, practice.actor, practice.now, command)
    assert gone.withdrawn
    assert visits_page(practice.db, Scope.of(practice.actor), standing=True) == []
    again = CorrectVisit(visit_id=gone.id, facts=facts(), reason="it was ours after all")
    with practice.refused(Conflict):
        correct_visit(practice.db, practice.actor, practice.now, again)


def license_of(practice: Practice, person: UUID, **content: Any) -> PractitionerAuthority:
    """A license or privilege, verified today."""
    command = RecordAuthority(
        practitioner_id=person,
        verified_on=date(2026, 1, 15),
        **({"kind": "STATE_LICENSE"} | content),
    )
    return record_authority(practice.db, practice.actor, practice.now, command)


def test_licenses_on_record_are_asked_on_the_day_of_service(practice: Practice) -> None:
    """A license counts for its state until its last day; a renewal replaces it."""
    person = practitioner(practice)
    visit = record(practice, practitioner_id=person)
    assert status(practice, visit) == ("CLEAN", set())
    old = license_of(practice, person, jurisdiction="OH", valid_to=date(2026, 1, 12))
    assert "TH-LIC-01" in status(practice, visit)[1]
    license_of(practice, person, jurisdiction="OH", valid_to=date(2028, 1, 12), replaces_id=old.id)
    assert status(practice, visit) == ("CLEAN", set())
    with practice.refused(Conflict):
        license_of(practice, person, jurisdiction="OH", replaces_id=old.id)


def test_a_compact_needs_its_commissions_list(practice: Practice) -> None:
    """A privilege counts once both states stand in the list that the practice loaded."""
    person = practitioner(practice)
    license_of(practice, person, jurisdiction="TX")
    license_of(practice, person, kind="COMPACT_PRIVILEGE", compact="PSYPACT", home_state="TX")
    visit = record(
        practice,
        practitioner_id=person,
        provider_type="CP",
        submitted="90834@10",
        level_basis=None,
        mdm=None,
    )
    assert status(practice, visit)[1] >= {"TH-LIC-01"}
    load = LoadCompactMembers(
        compact="PSYPACT",
        verified_on=date(2026, 1, 15),
        source="the commission's list",
        members=[Member(jurisdiction="TX"), Member(jurisdiction="OH")],
    )
    load_compact_members(practice.db, practice.actor, practice.now, load)
    assert status(practice, visit) == ("CLEAN", set())
    left = LoadCompactMembers(
        compact="PSYPACT",
        verified_on=date(2026, 1, 15),
        source="the commission's list",
        members=[Member(jurisdiction="OH", withdrawn_on=date(2026, 1, 1))],
    )
    load_compact_members(practice.db, practice.actor, practice.now, left)
    assert "TH-LIC-04" in status(practice, visit)[1]


@pytest.mark.parametrize(
    "content",
    [
        {"kind": "STATE_LICENSE"},
        {"kind": "STATE_LICENSE", "jurisdiction": "OH", "compact": "NLC"},
        {"kind": "COMPACT_PRIVILEGE", "jurisdiction": "OH"},
        {"kind": "COMPACT_PRIVILEGE", "compact": "NLC"},
        {
            "jurisdiction": "OH",
            "valid_from": date(2026, 2, 1),
            "valid_to": date(2026, 1, 1),
        },
    ],
)
def test_an_authority_says_what_it_is(practice: Practice, content: dict[str, Any]) -> None:
    """A license names its state, a privilege its compact, and days stand in order."""
    person = practitioner(practice)
    with practice.refused(InvalidRequest):
        license_of(practice, person, **content)


def test_eligibility_and_authorization_hold_the_claim(practice: Practice) -> None:
    """What the payer said for the day is asked; an authorization on file answers a missing one."""
    visit = record(practice)
    day = visit.service_day
    for standing in ("terminated", "active"):
        check = RecordEligibility(
            patient_id=visit.patient_id,
            payer="MCR",
            standing=standing,
            checked_on=date(2026, 1, 15),
            valid_from=day,
            valid_to=day,
        )
        record_eligibility(practice.db, practice.actor, practice.now, check)
        assert ("TH-ADM-05" in status(practice, visit)[1]) == (standing == "terminated")
    missing = RecordAuthorization(
        patient_id=visit.patient_id, payer="MCR", standing="missing", valid_from=day
    )
    record_authorization(practice.db, practice.actor, practice.now, missing)
    assert "TH-ADM-04" in status(practice, visit)[1]
    held = RecordAuthorization(
        patient_id=visit.patient_id,
        payer="MCR",
        standing="on_file",
        number="A-1",
        valid_from=day - timedelta(days=1),
    )
    record_authorization(practice.db, practice.actor, practice.now, held)
    assert "TH-ADM-04" not in status(practice, visit)[1]


def test_another_practices_rows_are_not_found(practice: Practice) -> None:
    """Neither a visit nor its patient or practitioner of another practice can be named."""
    visit, person = record(practice), practitioner(practice)
    theirs = practice.stranger
    command = DecideVisit(visit_id=visit.id, accepted=False)
    with practice.refused(NotFound):
        decide_visit(practice.db, theirs, practice.now, command)
    correction = CorrectVisit(visit_id=visit.id, reason="theirs")
    with practice.refused(NotFound):
        correct_visit(practice.db, theirs, practice.now, correction)
    held = RecordAuthority(practitioner_id=person, kind="FEDERAL", verified_on=date(2026, 1, 15))
    with practice.refused(NotFound):
        record_authority(practice.db, theirs, practice.now, held)
    assert visits_page(practice.db, Scope.of(theirs)) == []
