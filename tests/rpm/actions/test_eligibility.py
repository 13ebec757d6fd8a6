"""Payers asked about patients, and what their answers become."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from claims_practice import BilledPractice
from sqlalchemy.engine import Engine

from billing.claims.x12.segments import read_segments
from rpm.access import Actor
from rpm.actions.ask_eligibility import Asked, ask_eligibility
from rpm.actions.manage_clearinghouse import AddClearinghouse, add_clearinghouse
from rpm.actions.post_answers import post_answers
from rpm.actions.post_eligibility import PostedEligibility, post_eligibility
from rpm.actions.take_received_file import take_received_file
from rpm.errors import NotFound
from rpm.jobs.eligibility import ask_due
from rpm.keys import key_ring
from rpm.settings import Settings
from rpm.store.engine import reading, transaction
from rpm.store.queries.eligibility import latest_answers
from rpm.store.queries.visits import eligibility_on
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimFile
from rpm.store.tables.coding import EligibilityCheck
from rpm.store.tables.people import Coverage, CoverageEnd, PracticeSetting
from rpm.store.tables.proposals import EligibilityAnswer

SAMPLE = Path("tests/files/answers/270-271/subscriber-health-benefit-check.271")
HEAD = SAMPLE.read_text().split("~\n")[:9]


@pytest.fixture
def practice(engine: Engine, actor: Actor) -> BilledPractice:
    """A practice with two residents and an agreement with a clearinghouse."""
    practice = BilledPractice(engine, actor)
    practice.identity()
    told: dict[str, Any] = {
        "key": "house", "shipped": "folder", "sender_id": "LAKESIDE", "receiver_id": "HOUSE",
        "receiver_name": "HOUSE", "usage": "P", "reason": "agreement",
    }  # fmt: skip
    with transaction(engine) as db:
        command = AddClearinghouse(**told)
        add_clearinghouse(db, actor, practice.now, key_ring("00" * 32), command)
    for number in (1, 2):
        practice.resident(number)
    return practice


def asked(practice: BilledPractice, **about: Any) -> Asked:
    """What comes of asking."""
    with transaction(practice.engine) as db:
        return ask_eligibility(db, practice.actor, practice.now, **about)


def posted(practice: BilledPractice, content: bytes) -> PostedEligibility:
    """What comes of an answer."""
    with transaction(practice.engine) as db:
        return post_eligibility(db, practice.actor, practice.now, "answer.271", content)


def traces(asked: Asked) -> list[str]:
    """The trace numbers of a file."""
    assert asked.file is not None
    return [one.get(2) for one in read_segments(asked.file.content).segments if one.name == "TRN"]


def answer(*people: tuple[str, list[str]]) -> bytes:
    """A file that says this of those who were asked about under these traces."""
    body = [one for one in HEAD if not one.startswith(("HL*3",))]
    for level, (trace, segments) in enumerate(people, start=3):
        body += [f"HL*{level}*2*22*0", f"TRN*2*{trace}*1371234567", "NM1*IL*1*DOE*A****MI*1"]
        body += segments
    return ("~\n".join([*body, "SE*9*4321", "GE*1*1", "IEA*1*000000907"]) + "~").encode()


def test_enrolled_patients_are_asked_about_once_a_while(practice: BilledPractice) -> None:
    """All in one file under numbers of their own; not again for 30 days; then again."""
    first = asked(practice)
    assert (first.count, first.left_out) == (2, {})
    assert first.file is not None
    assert (first.file.kind, first.file.interchange_number, first.file.name) == (
        "270", 1, "000000001.270",
    )  # fmt: skip
    assert traces(first) == ["E000000001P00001", "E000000001P00002"]
    assert asked(practice) == Asked(None, 0, {})
    practice.now += timedelta(days=31)
    assert asked(practice).count == 2


def test_who_cannot_be_asked_about_is_told(practice: BilledPractice) -> None:
    """Without a coverage today a patient is left out and told; the others are asked about."""
    with reading(practice.engine) as db:
        coverage = Scope.of(practice.actor).all_of(db, Coverage)[0]
    practice.record(CoverageEnd(coverage_id=coverage.id, last_day=date(2026, 1, 5), reason="x"))
    done = asked(practice)
    assert done.count == 1
    assert {key: one.code for key, one in done.left_out.items()} == {
        coverage.patient_id: "E_NO_COVERAGE"
    }
    with pytest.raises(NotFound):
        asked(practice, clearinghouse="none")


def test_an_answer_is_kept_once_and_becomes_a_check(practice: BilledPractice) -> None:
    """Active and inactive become checks for coding; unknown does not; a repeat changes nothing."""
    one, two = traces(asked(practice))
    content = answer(
        (one, ["EB*1**30**GOLD PLAN", "EB*B**98***27*20", "EB*I**98", "III*ZZ*02"]),
        (two, ["EB*1**88"]),
        ("E9", ["EB*1**30"]),
    )
    done = posted(practice, content)
    assert [row.standing for row in done.answers] == ["active", "unknown", "active"]
    assert done.unmatched == 1
    assert [found.code for found in done.findings] == ["W_NOT_ASKED"]
    again = posted(practice, content)
    assert (again.repeated, [row.id for row in again.answers]) == (
        True, [row.id for row in done.answers],
    )  # fmt: skip
    patient_id = done.answers[0].patient_id
    assert patient_id is not None
    with reading(practice.engine) as db:
        scope = Scope.of(practice.actor)
        said = latest_answers(db, scope, [patient_id])[patient_id]
        assert (said.plan_name, said.copay_cents, said.covers_telehealth) == (
            "GOLD PLAN", 2_000, False,
        )  # fmt: skip
        checks = scope.all_of(db, EligibilityCheck)
        assert [(row.payer, row.standing) for row in checks] == [("MCR", "active")]
        found = eligibility_on(db, scope, patient_id, "MCR", practice.now.date())
        assert found is not None
        assert found.id == said.check_id
        assert len(scope.all_of(db, ClaimFile)) == 1


def test_a_file_that_answers_nobody_is_quarantined(practice: BilledPractice) -> None:
    """It is kept with what is wrong; nothing is known of anybody by it."""
    done = posted(practice, b"Planted")
    assert (done.message.state, done.answers) == ("quarantined", ())
    refused = posted(practice, answer((traces(asked(practice))[0], ["AAA*N**75*C"])))
    assert [row.standing for row in refused.answers] == ["refused"]
    assert [found.code for found in refused.findings] == ["W_PAYER_REFUSED"]
    with reading(practice.engine) as db:
        assert Scope.of(practice.actor).all_of(db, EligibilityCheck) == []


def test_the_job_asks_for_practices_that_chose_to(practice: BilledPractice) -> None:
    """Without the setting nothing is asked; with it a file is made, and not again the same day."""
    run_settings = Settings(database_url="sqlite://")
    assert ask_due(practice.engine, run_settings, practice.now) == "0 asked about, 0 failed"
    practice.record(PracticeSetting(key="ask_eligibility_days", value="30", reason="monthly"))
    assert ask_due(practice.engine, run_settings, practice.now) == "2 asked about, 0 failed"
    assert ask_due(practice.engine, run_settings, practice.now) == "0 asked about, 0 failed"


def test_an_answer_among_received_files_is_posted(practice: BilledPractice) -> None:
    """A 271 that is fetched as any file becomes a check; fetched again, nothing changes."""
    content = answer((traces(asked(practice))[0], ["EB*1**30"]))
    for _ in range(2):
        with transaction(practice.engine) as db:
            act = (db, practice.actor, practice.now)
            file = take_received_file(*act, "a.271", "house", content)
            outcome = post_answers(*act, file.id)
        assert outcome.state == "posted"
    with reading(practice.engine) as db:
        (said,) = Scope.of(practice.actor).all_of(db, EligibilityAnswer)
    assert (said.standing, said.check_id is not None) == ("active", True)
