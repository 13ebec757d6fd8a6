"""Figures of claims come from the record: each counts its claims, and every cent is told."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from claims_practice import FEBRUARY
from figures_practice import FiguresPractice
from ledger_practice import days
from sqlalchemy.engine import Engine

from billing.claims.figures.figure import Span
from rpm.access import Actor
from rpm.actions.claim_figures import (
    CLAIMS,
    DENOMINATOR,
    NUMERATOR,
    ClaimYear,
    behind,
    claim_year,
    counted_claims,
    health_figures,
)
from rpm.errors import NotAllowed, NotFound
from rpm.store.engine import reading
from rpm.store.fact_rows import as_uuid
from rpm.store.scope import Scope
from rpm.store.tables.answers import PatientPayment

JANUARY, FIRST_OF_FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)


def year(practice: FiguresPractice) -> ClaimYear:
    """The figures as they stand."""
    with reading(practice.engine) as db:
        return claim_year(db, practice.actor, FEBRUARY)


def test_figures_count_what_befell_the_claims(engine: Engine, actor: Actor) -> None:
    """Three sent in January, two answered in February; what is owed adds up."""
    practice = FiguresPractice(engine, actor)
    found = year(practice)
    january, february = found.month(JANUARY), found.month(FIRST_OF_FEBRUARY)
    assert set(january.figures) == set(CLAIMS)
    assert january.receivable.cents == 3 * 9_000
    assert february.receivable.cents == 9_000 + 9_000 + 1_500
    assert february.receivable.refused_cents == 9_000
    assert february.receivable.patient_cents == 1_500
    assert february.figures["denials"].value == 50
    assert february.figures["first-pass"].value == 50
    assert january.figures["clean-claims"].value == 100
    assert january.figures["clean-claims"].denominator == 2
    assert february.figures["net-collection"].value == Decimal("41.7")
    assert february.figures["payment-lag"].value == 2
    assert february.received.cents == 7_500
    assert february.figures["revenue-per-patient"].denominator == 3
    assert february.expected.figure.value is None
    assert len(february.expected.unknown) == 2
    (reason,) = february.groups["denials", "reason"]
    assert (reason.name, reason.cents) == ("CO-97", 9_000)
    health_is_that_of_readings_that_count(practice)
    each_figure_leads_to_its_claims(practice)
    what_is_new_is_seen(practice)


def what_is_new_is_seen(practice: FiguresPractice) -> None:
    """Kept figures are not told once something was added."""
    claim = practice.claims[2]
    practice.record(
        PatientPayment(
            patient_id=claim.patient_id, cents=100, on_day=FEBRUARY.date(), method="cash"
        )
    )
    assert year(practice).month(FIRST_OF_FEBRUARY).received.cents == 7_600


def each_figure_leads_to_its_claims(practice: FiguresPractice) -> None:
    """Of numerator, denominator and group; anything else is not there."""
    february = year(practice).month(FIRST_OF_FEBRUARY)
    denied = practice.claims[1]
    assert [as_uuid(one) for one in behind(february, "denials", NUMERATOR).ids] == [denied.id]
    assert len(behind(february, "denials", DENOMINATOR).ids) == 2
    group = behind(february, "denials", NUMERATOR, "reason", "CO-97")
    with reading(practice.engine) as db:
        (row,) = counted_claims(db, Scope.of(practice.actor), group.ids)
    assert (row.control_number, row.status) == (denied.control_number, "denied")
    assert row.patient_name.startswith("Doe")
    for asked in (("none", NUMERATOR), ("denials", "else"), ("denials", NUMERATOR, "payer", "x")):
        with pytest.raises(NotFound):
            behind(february, *asked)
    with pytest.raises(NotFound):
        behind(february, "clean-claims", NUMERATOR, "payer", "MEDICARE_B")


def health_is_that_of_readings_that_count(practice: FiguresPractice) -> None:
    """Sixteen of 31 days for three patients; two with pressures on enough days; three glucoses."""
    first, second, third = practice.residents
    for (patient_id, episode_id), systolic, count in (
        (first, "139", 3),
        (second, "140", 4),
        (third, "180", 2),
    ):
        practice.readings(
            patient_id,
            episode_id,
            days(JANUARY, count),
            measure="bp",
            components=[part("8480-6", systolic), part("8462-4", "80")],
        )
    for value, more in (("69", {}), ("180", {}), ("600", {"comparator": ">"})):
        practice.readings(
            *first,
            days(JANUARY, 1),
            measure="glucose",
            components=[part("41653-7", value) | more],
        )
    (excluded,) = practice.readings(
        *first, days(JANUARY, 1), measure="glucose", components=[part("41653-7", "100")]
    )
    practice.exclude(excluded)
    with reading(practice.engine) as db:
        found = health_figures(db, practice.actor, Span(JANUARY, date(2026, 1, 31)))
    told = {key: (one.numerator, one.denominator) for key, one in found.items()}
    assert told == {
        "adherence": (48, 93),
        "pressure-in-control": (1, 2),
        "time-in-range": (1, 3),
    }


def part(loinc: str, value: str) -> dict[str, str]:
    """A number of a reading."""
    return {"loinc": loinc, "value": value}


def test_only_who_may_see_claims_sees_their_figures(engine: Engine, actor: Actor) -> None:
    """Another practice's figures are empty; a clinical user is refused."""
    with reading(engine) as db:
        assert claim_year(db, actor, FEBRUARY).months[-1].receivable.cents == 0
        clinical = replace(actor, permissions=frozenset({"ledger:read"}))
        with pytest.raises(NotAllowed):
            claim_year(db, clinical, FEBRUARY)
