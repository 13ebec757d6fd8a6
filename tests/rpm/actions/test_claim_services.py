"""From a close to claims: what the record holds, what it lacks, and what is never invented."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import count

import pytest
from claims_made import HOME, OFFICE, claim_file
from ledger_practice import Practice, days
from sqlalchemy.engine import Engine

from billing.claims.assemble import INSTITUTIONAL, Assembled, Service, assemble
from billing.claims.charges import Charge, ChargeSchedule
from billing.claims.claim import Name, Provider
from billing.claims.scrub import scrub
from billing.claims.x12.p837 import write_837p
from rpm.access import Actor
from rpm.actions.claim_services import close_services
from rpm.actions.close_month import CloseMonth, close_month
from rpm.clock import Clock
from rpm.store.engine import transaction
from rpm.store.scope import Scope

FEBRUARY = datetime(2026, 2, 2, 15, tzinfo=UTC)
CHARGES = ChargeSchedule([Charge("99454", 6_500, date(2026, 1, 1))])


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: Clock) -> Practice:
    """The records of the organization of ``actor``."""
    return Practice(engine, actor, clock.now())


def services_of(practice: Practice, month: str = "2026-01") -> tuple[Service, ...]:
    """Close a month and take its services."""
    with transaction(practice.engine) as db:
        close = close_month(db, practice.actor, FEBRUARY, CloseMonth(month=month)).close
        return close_services(db, Scope.of(practice.actor), close)


def assembled(services: Sequence[Service]) -> Assembled:
    """What becomes of services."""
    return assemble(services, CHARGES, (f"C{number:06d}" for number in count(1)))


def completed(service: Service) -> Service:
    """A service with what a practice would have to record."""
    head = service.head
    subscriber = replace(head.coverage.subscriber, address=HOME, sex="F")
    return replace(
        service,
        head=replace(
            head,
            billing=replace(head.billing, address=OFFICE, tax_id="371234567"),
            coverage=replace(
                head.coverage,
                subscriber=subscriber,
                filing_code="MB",
                payer=replace(head.coverage.payer, payer_id="06102"),
            ),
            rendering=Provider(Name("GREEN", "ALICE"), "1245319599", "207R00000X"),
        ),
    )


def test_a_close_gives_its_lines_and_tells_what_the_record_lacks(practice: Practice) -> None:
    """The supply line comes with code, day, place and diagnoses; gaps are findings by name."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 16))
    services = [one for one in services_of(practice) if one.procedure == "99454"]
    (service,) = services
    assert service.units == 1
    assert service.from_day == service.to_day == date(2026, 1, 30)
    assert service.diagnoses
    (held,) = assembled(services).held
    lacks = {found.where for found in held.findings}
    assert {
        "billing provider, street address",
        "patient, address",
        "coverage, kind of payer (SBR09)",
    } <= lacks
    assert "coverage, member id" not in lacks
    assert "billing provider, NPI" not in lacks


def test_a_close_whose_record_is_complete_becomes_a_sound_file(practice: Practice) -> None:
    """With addresses, payer and provider known, the close's line leaves in a file that passes."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 16))
    services = [completed(one) for one in services_of(practice) if one.procedure == "99454"]
    (claim,) = assembled(services).claims
    assert claim.service_ids == (services[0].id,)
    content = write_837p(claim_file((claim.claim,)))
    assert scrub(content, FEBRUARY.date()).findings == ()


def test_lines_of_a_clinic_are_refused(practice: Practice) -> None:
    """An episode of an RHC gives services that no professional claim may carry."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1), setting="RHC")
    practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 16))
    services = services_of(practice)
    assert services
    found = assembled([completed(one) for one in services])
    assert found.claims == ()
    assert all(INSTITUTIONAL in {one.code for one in held.findings} for held in found.held)
