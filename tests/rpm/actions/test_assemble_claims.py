"""A closed month becomes claims: once, with reasons for what is held, and released by persons."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from claims_practice import FEBRUARY, JANUARY, BilledPractice, billed_practice
from conftest import make_organization
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Engine
from sqlmodel import col

from billing.claims.claim_json import json_to_claim
from billing.claims.lifecycle import Status
from rpm.access import Actor, system_actor
from rpm.actions.assemble_claims import AssembleClaims, Preview, preview_claims
from rpm.actions.load_charges import LoadCharges, load_charges
from rpm.actions.record_billing import (
    RecordCoverageDetail,
    Subscriber,
    record_coverage_detail,
)
from rpm.actions.release_claims import HoldClaims, ReleaseClaims, hold_claims
from rpm.actions.set_practice_setting import (
    CLAIMS_TWO_PERSONS,
    SetPracticeSetting,
    set_practice_setting,
)
from rpm.errors import InvalidRequest, NotAllowed, NotFound
from rpm.store.engine import reading, transaction
from rpm.store.queries.claimed import unclaimed_months
from rpm.store.queries.claims import ClaimFilter, events_of, listed_claims, standings_of
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimLineRecord
from rpm.store.tables.coding import Visit, VisitDecision
from rpm.store.tables.ledger import Posting
from rpm.store.tables.people import Coverage

sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def previewed(practice: BilledPractice, month: str = "2026-01") -> Preview:
    """What assembling would give."""
    with reading(practice.engine) as db:
        return preview_claims(db, practice.actor, AssembleClaims(month=month))


def status_of(practice: BilledPractice, claim_id: UUID) -> Status:
    """Where a claim stands."""
    with reading(practice.engine) as db:
        return standings_of(db, Scope.of(practice.actor), [claim_id])[claim_id].status


def two_persons_above(practice: BilledPractice, dollars: str) -> None:
    """The practice asks for two persons above an amount."""
    with transaction(practice.engine) as db:
        command = SetPracticeSetting(key=CLAIMS_TWO_PERSONS, value=dollars, reason="policy")
        set_practice_setting(db, practice.actor, practice.now, command)


def test_a_closed_month_becomes_a_claim_for_each_patient(engine: Engine, actor: Actor) -> None:
    """Lines with the practice's charges; a second time there is nothing left to make."""
    practice = billed_practice(engine, actor, (1, 2))
    before = previewed(practice)
    assert (len(before.assembled.claims), before.assembled.held) == (2, ())
    made = practice.assemble()
    assert [row.control_number for row in made.claims] == ["RL000000001", "RL000000002"]
    first = json_to_claim(made.claims[0].content)
    assert {line.procedure: line.charge_cents for line in first.lines}["99454"] == 6_500
    assert first.rendering is not None
    assert first.rendering.name.last == "GREEN"
    assert first.coverage.subscriber.address is not None
    assert made.claims[0].charge_cents == first.charge_cents == before.charge_cents // 2
    again = practice.assemble()
    assert (again.claims, again.preview.assembled.held) == ((), ())
    with reading(engine) as db:
        listed = listed_claims(db, Scope.of(actor), ClaimFilter(from_day=JANUARY))
        assert [one.standing.status for one in listed] == [Status.ASSEMBLED] * 2
        assert unclaimed_months(db, Scope.of(actor)) == []


@sqlite
def test_what_the_record_lacks_holds_a_service_until_it_is_mended(
    engine: Engine, actor: Actor
) -> None:
    """Without address and charge nothing is made; recorded, the same close gives the claim."""
    practice = BilledPractice(engine, actor)
    patient_id, _ = practice.resident(address=False)
    practice.close()
    held = previewed(practice).assembled.held
    wheres = {one.where for each in held for one in each.findings}
    assert "schedule of charges" in wheres
    practice.identity()
    codes = {one.code for each in previewed(practice).assembled.held for one in each.findings}
    assert codes == {"E_CLAIM_LACKS"}
    assert practice.assemble().claims == ()
    with reading(engine) as db:
        (left,) = unclaimed_months(db, Scope.of(actor))
    assert left.lines == len(held)
    practice.address(patient_id)
    assert len(practice.assemble().claims) == 1


@sqlite
def test_a_month_without_a_close_has_no_claims(engine: Engine, actor: Actor) -> None:
    """It says so instead of giving nothing."""
    practice = BilledPractice(engine, actor)
    with pytest.raises(NotFound):
        practice.assemble()
    with pytest.raises(ValueError, match="either"):
        AssembleClaims()


@sqlite
def test_who_holds_the_coverage_is_on_the_claim(engine: Engine, actor: Actor) -> None:
    """A patient insured through a spouse is a dependent; rank and group come from the detail."""
    practice = billed_practice(engine, actor)
    with transaction(engine) as db:
        (coverage,) = Scope.of(actor).all_of(db, Coverage)
        command = RecordCoverageDetail(
            coverage_id=coverage.id,
            relationship="01",
            group_number="G77",
            subscriber=Subscriber(last="DOE", first="SAM"),
        )
        record_coverage_detail(db, actor, practice.now, command)
    claim = json_to_claim(practice.assemble().claims[0].content)
    assert claim.coverage.subscriber.name.first == "SAM"
    assert claim.coverage.group_number == "G77"
    assert claim.dependent is not None
    assert claim.dependent.relationship == "01"
    with pytest.raises(ValueError, match="when, and only when"):
        RecordCoverageDetail(coverage_id=coverage.id, relationship="01")


def visit(practice: BilledPractice, patient_id: UUID, chosen: str) -> UUID:
    """An accepted visit in January."""
    visit_id = practice.new_id()
    shared: dict[str, Any] = {"patient_id": patient_id, "service_day": date(2026, 1, 13)}
    assert practice.actor.user_id is not None
    practice.record(
        Visit(
            id=visit_id,
            practitioner_id=practice.practitioner_id,
            payer="MCR",
            facts={
                "payer": "MCR",
                "state": "IL",
                "dos": "2026-01-13",
                "provider_type": "MD",
                "provider_site": "OFFICE",
                "patient_location": "HOME",
                "modality": "AV",
                "fields": "dx=I10",
            },
            **shared,
        ),
        VisitDecision(
            visit_id=visit_id,
            decided_by=practice.actor.user_id,
            known_day=date(2026, 2, 1),
            accepted=True,
            proposed=chosen,
            chosen=chosen,
            status="PASS",
            findings=[],
            overruled=[],
            service_ids=[],
            **shared,
        ),
    )
    return visit_id


@sqlite
def test_accepted_visits_are_billed_once_and_never_the_ledgers_lines(
    engine: Engine, actor: Actor
) -> None:
    """A visit's line joins the patient's claim; decided anew it is not billed a second time."""
    practice = BilledPractice(engine, actor)
    practice.identity()
    patient_id, _ = practice.resident()
    practice.charge({"99214": 18_000})
    visit_id = visit(practice, patient_id, "99214-95@10;99457@11")
    practice.close()
    preview = previewed(practice)
    assert [one for one in preview.billable.sources.values() if one.visit_id] != []
    made = practice.assemble()
    lines = [line for row in made.claims for line in json_to_claim(row.content).lines]
    assert [one.modifiers for one in lines if one.procedure == "99214"] == [("95",)]
    assert "99457" not in {one.procedure for one in lines}
    anew = practice.new_id()
    with reading(engine) as db:
        (decision,) = Scope.of(actor).all_of(db, VisitDecision)
    kept = decision.model_dump(exclude={"id", "recorded_at", "audit_number", "organization_id"})
    practice.record(VisitDecision(id=anew, **kept))
    assert practice.assemble().claims == ()
    with reading(engine) as db:
        rows = Scope.of(actor).all_of(
            db, ClaimLineRecord, col(ClaimLineRecord.visit_id) == visit_id
        )
    assert len(rows) == 1


@sqlite
@given(
    gaps=st.lists(st.sampled_from(["address", "rhc", ""]), min_size=1, max_size=4),
)
@settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_every_service_is_on_one_claim_or_held(engine: Engine, gaps: list[str]) -> None:
    """Whatever patients lack: each standing line is on exactly one claim, or held with a reason."""
    practice = BilledPractice(engine, make_organization(engine, FEBRUARY, "Any"))
    practice.identity()
    for number, gap in enumerate(gaps):
        setting = "RHC" if gap == "rhc" else "OFFICE"
        practice.resident(number, address=gap != "address", setting=setting)
    practice.close()
    made = practice.assemble()
    with reading(engine) as db:
        scope = Scope.of(practice.actor)
        standing = {str(row.id) for row in scope.all_of(db, Posting)}
        claimed = [row.service_id for row in scope.all_of(db, ClaimLineRecord)]
    held = {one.service_id for one in made.preview.assembled.held}
    assert len(claimed) == len(set(claimed))
    assert set(claimed) | held == standing
    assert not set(claimed) & held
    assert all(one.findings for one in made.preview.assembled.held)


@sqlite
def test_a_person_releases_and_two_above_the_amount(engine: Engine, actor: Actor) -> None:
    """Below the amount one is enough; above it the same person cannot be both."""
    practice = billed_practice(engine, actor)
    (row,) = practice.assemble().claims
    two_persons_above(practice, "50")
    decided = practice.release([row.id])
    assert (decided.waiting, decided.done) == ([row.id], [])
    assert status_of(practice, row.id) is Status.APPROVED
    assert practice.release([row.id]).refused[0].findings[0].code == "E_SECOND_PERSON"
    assert practice.release([row.id], practice.second_person()).done == [row.id]
    assert status_of(practice, row.id) is Status.RELEASED
    with reading(engine) as db:
        events = events_of(db, Scope.of(actor), row.id)
    assert [one.kind for one in events] == ["assembled", "approved", "released"]
    assert events[1].user_id != events[2].user_id


@sqlite
def test_a_hold_takes_an_approval_away(engine: Engine, actor: Actor) -> None:
    """After a hold the two persons begin anew, and the reason is kept."""
    practice = billed_practice(engine, actor)
    (row,) = practice.assemble().claims
    two_persons_above(practice, "0")
    practice.release([row.id])
    with transaction(engine) as db:
        command = HoldClaims(claim_ids=[row.id], reason="ask the payer first")
        assert hold_claims(db, actor, practice.now, command).done == [row.id]
        assert hold_claims(db, actor, practice.now, command).refused[0].claim_id == row.id
    assert status_of(practice, row.id) is Status.HELD
    assert practice.release([row.id], practice.second_person()).waiting == [row.id]


@sqlite
def test_only_a_named_person_releases_claims_of_the_own_practice(
    engine: Engine, actor: Actor, other_actor: Actor
) -> None:
    """A program is refused, and another practice's claim is not there."""
    practice = billed_practice(engine, actor)
    (row,) = practice.assemble().claims
    with pytest.raises(NotAllowed):
        practice.release([row.id], system_actor(actor.organization_id, "job"))
    with pytest.raises(NotFound):
        practice.release([row.id], other_actor)
    with pytest.raises(NotFound):
        practice.release([uuid4()])


@sqlite
def test_a_claim_that_would_be_rejected_is_not_released(engine: Engine, actor: Actor) -> None:
    """The check of the file looks at each claim first: a service before birth stops it."""
    practice = BilledPractice(engine, actor)
    practice.identity()
    practice.resident(born=date(2026, 1, 31))
    practice.close()
    (row,) = practice.assemble().claims
    decided = practice.release([row.id])
    assert decided.done == []
    assert "E_BEFORE_BIRTH" in {one.code for one in decided.refused[0].findings}
    assert status_of(practice, row.id) is Status.ASSEMBLED


FILE = """Procedure,Modifier,Fee,from_day,to_day
99457,,57.00,2026-01-01,
99457,95,60.00,2026-01-01,
99458,,$42.00,2026-01-01,
9945,,10.00,2026-01-01,
99454,,65.00,2026-13-01,
99454,,65.00,2026-02-01,2026-01-01
"""


@sqlite
def test_a_schedule_is_loaded_and_bad_rows_are_told_by_line(engine: Engine, actor: Actor) -> None:
    """Good rows count, each refused row has its line and reason, and a repeat adds nothing."""
    practice = BilledPractice(engine, actor)
    told: dict[str, Any] = {"name": "fees.csv", "content": FILE.encode(), "reason": "2026"}
    with transaction(engine) as db:
        loaded = load_charges(db, actor, practice.now, LoadCharges(**told))
        again = load_charges(db, actor, practice.now, LoadCharges(**told))
    assert (loaded.new, loaded.known) == (2, 0)
    assert (again.new, again.known) == (0, 2)
    assert [one.line for one in loaded.rejects] == [4, 5, 6, 7]
    command = LoadCharges(name="x.csv", content=b"procedure,price\n", reason="x")
    with transaction(engine) as db, pytest.raises(InvalidRequest, match="no column fee"):
        load_charges(db, actor, practice.now, command)


def test_releasing_asks_for_claims() -> None:
    """An empty list is no request."""
    with pytest.raises(ValueError, match="at least 1"):
        ReleaseClaims(claim_ids=[])
