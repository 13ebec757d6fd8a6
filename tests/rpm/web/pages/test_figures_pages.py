"""Practice figures and OIG's measures on their pages, from facts as recorded."""

import re
from datetime import UTC, date, datetime

import pytest
from conftest import FixedClock
from evidence_practice import (
    JANUARY,
    close,
    management,
    record_practitioner,
    supply_long,
    supply_short,
)
from ledger_practice import Practice
from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.actions.practice_figures import month_readings, practice_figures, self_check
from rpm.store.engine import reading
from rpm.store.readiness_refresh import refresh
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Episode

FEBRUARY = datetime(2026, 2, 2, 15, tzinfo=UTC)


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: FixedClock) -> Practice:
    """January is closed: one patient with 18 days, one with 7, one with 51 minutes."""
    clock.instant = FEBRUARY
    practice = Practice(engine, actor, clock.now())
    supply_long(practice)
    supply_short(practice)
    management(practice, record_practitioner(practice))
    close(practice, "2026-01", FEBRUARY)
    return practice


def measured(practice: Practice) -> dict[str, tuple[int, int]]:
    """Patients of a measure and patients looked at, by its name."""
    with reading(practice.engine) as db:
        found = self_check(db, Scope.of(practice.actor), FEBRUARY)
        for one in found.measures:
            assert len(found.patient_ids(one)) == len(one.patients)
        return {one.name: (len(one.patients), one.of) for one in found.measures}


def test_figures_are_those_of_the_record(practice: Practice) -> None:
    """Three patients, readings by day, the sums of the close, and where windows stand."""
    with reading(practice.engine) as db:
        found = practice_figures(db, Scope.of(practice.actor), FEBRUARY)
        readings = month_readings(db, Scope.of(practice.actor), FEBRUARY)
    assert [one.new for one in found.months][-2:] == [3, 0]
    assert [one.enrolled for one in found.months][-2:] == [3, 3]
    january = readings[-2]
    assert january.first_day == JANUARY
    assert january.counted >= 23
    assert january.refused > 0
    assert found.close is not None
    posted = sum(one.amount_cents for one in found.posted)
    assert posted == found.close.totals["amount_cents"] > 0
    supply = {one.at_least: one.periods for one in found.reached if one.ladder == "device-supply"}
    assert supply == {0: 0, 2: 1, 16: 1}


def test_running_periods_are_estimated(practice: Practice) -> None:
    """What readiness says is earned today, at the schedule's price."""
    patient_id, episode_id = practice.enrolled(opened_day=JANUARY)
    practice.entry(patient_id, episode_id, date(2026, 2, 1), 1500)
    refresh(practice.engine, Scope.of(practice.actor), FEBRUARY)
    with reading(practice.engine) as db:
        found = practice_figures(db, Scope.of(practice.actor), FEBRUARY)
    estimate = {one.code: one for one in found.estimates}["99457"]
    assert estimate.periods == 1
    assert estimate.amount_cents is not None
    assert estimate.amount_cents > 4_000


def test_oig_measures_count_the_patients_they_define(practice: Practice) -> None:
    """Supply without management: two of two; all parts: none of three; a visit is on file."""
    found = measured(practice)
    assert found["supply-without-management"] == (2, 2)
    assert found["not-all-parts"] == (3, 3)
    assert found["several-devices"] == (0, 2)
    assert found["another-practice"] == (0, 3)
    assert found["no-prior-visit"] == (0, 3)
    patient_id = practice.patient()
    practice.record(
        Episode(
            patient_id=patient_id,
            program="RPM",
            setting="OFFICE",
            pos=11,
            opened_day=JANUARY,
            diagnosis_codes=["I10"],
        )
    )
    practice.service(patient_id, "99454", date(2026, 1, 20), own=False)
    practice.service(patient_id, "99213", date(2026, 1, 20), own=True)  # after enrollment
    found = measured(practice)
    assert found["another-practice"] == (1, 4)
    assert found["no-prior-visit"] == (1, 4)


def test_the_pages_tell_figures_and_lead_to_patients(signed_in, practice: Practice) -> None:
    """Charts with their tables, the measures with source, and the patients behind one."""
    biller = signed_in("biller")
    page = biller.get("/figures").text
    assert "Posted for Jan 2026 by code" in page
    assert page.count("<svg") == 4
    assert "Readings that count" in biller.get("/figures/readings").text
    checks = biller.get("/figures/checks").text
    assert "OIG OEI-02-23-00260" in checks
    assert checks.count("would draw a look") >= 1
    path = re.search(r'href="(/figures/checks/not-all-parts)"', checks)
    assert path is not None
    assert biller.get(path.group(1)).text.count("Example, Pat") == 3
    assert biller.get("/figures/checks/none-such").status_code == 404


def test_a_practice_without_facts_has_figures(signed_in, engine: Engine) -> None:
    """Nothing is divided by nothing, and the page teaches what will stand there."""
    admin = signed_in()
    assert "No month is closed yet" in admin.get("/figures").text
    assert admin.get("/figures/checks").status_code == 200


def test_another_practice_sees_its_own_figures(
    signed_in, practice: Practice, other_actor: Actor
) -> None:
    """A stranger's self-check looks at no patient of ours."""
    page = signed_in(actor=other_actor).get("/figures/checks/not-all-parts").text
    assert "Example, Pat" not in page
    assert "No patient." in page
