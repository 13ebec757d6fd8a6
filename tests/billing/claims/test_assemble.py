"""Services become claims: grouping, limits, pointers, places, charges, and what is held."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import count
from random import Random
from typing import Any

import pytest
from claims_made import (
    BILLING,
    CLAIM,
    COVERAGE,
    PATIENT,
    RENDERING,
    SECOND,
    SUPERVISING,
    claim_file,
)
from hypothesis import given
from hypothesis import strategies as st

from billing.claims.assemble import (
    INSTITUTIONAL,
    NO_CHARGE,
    Assembled,
    ClaimHead,
    Service,
    assemble,
    replacement_of,
    void_of,
)
from billing.claims.charges import Charge, ChargeSchedule
from billing.claims.claim import Name
from billing.claims.complete import LACKING
from billing.claims.scrub import scrub
from billing.claims.x12.p837 import write_837p

DAY = date(2026, 10, 31)
TODAY = date(2026, 11, 24)
CHARGES = ChargeSchedule(
    [
        Charge("99454", 6_500, date(2026, 1, 1)),
        Charge("99457", 5_000, date(2025, 1, 1), date(2025, 12, 31)),
        Charge("99457", 5_500, date(2026, 1, 1)),
        Charge("99457", 5_700, date(2026, 1, 1), modifier="95"),
        Charge("99458", 4_200, date(2026, 1, 1)),
    ]
)
HEAD = ClaimHead(BILLING, COVERAGE, RENDERING)
OTHER_PATIENT = replace(PATIENT, name=Name("ROE", "RICHARD"), sex="M")
NOT_INSURED = replace(COVERAGE, member_id="")
HEADS = (
    HEAD,
    replace(HEAD, coverage=SECOND),
    replace(HEAD, rendering=SUPERVISING),
    replace(HEAD, coverage=replace(COVERAGE, subscriber=OTHER_PATIENT, member_id="2AA2")),
    replace(HEAD, prior_authorization="PA1"),
    replace(HEAD, coverage=NOT_INSURED),
)
DIAGNOSES = (
    "I10",
    "E11.9",
    "J44.9",
    "I50.9",
    "N18.3",
    "E66.9",
    "F32.9",
    "M54.50",
    "G47.33",
    "K21.9",
    "R73.03",
    "Z79.4",
    "Z99.81",
    "E78.5",
)


def service(number: int = 1, **changes: Any) -> Service:
    """A service like most."""
    plain = Service(f"s{number:04d}", HEAD, "99457", 1, DAY, DAY, "11", ("I10", "E11.9"))
    return replace(plain, **changes)


def numbers() -> Iterator[str]:
    """Patient control numbers of a sequence."""
    return (f"C{number:06d}" for number in count(1))


def made(*services: Service) -> Assembled:
    """What services become."""
    return assemble(services, CHARGES, numbers())


SERVICES = st.lists(
    st.builds(
        service,
        number=st.integers(1, 9_999),
        head=st.sampled_from(HEADS),
        procedure=st.sampled_from(("99454", "99457", "99458", "99091")),
        units=st.integers(1, 3),
        from_day=st.just(DAY),
        place=st.sampled_from(("11", "10")),
        diagnoses=st.lists(st.sampled_from(DIAGNOSES), min_size=1, max_size=6).map(tuple),
        setting=st.sampled_from(("OFFICE", "OFFICE", "OFFICE", "RHC")),
    ),
    max_size=30,
    unique_by=lambda one: one.id,
)


def test_services_of_one_patient_and_payer_are_one_claim() -> None:
    """Lines in order of day and code, with pointers to the claim's diagnoses and own numbers."""
    supply = service(2, procedure="99454", from_day=date(2026, 10, 1), to_day=date(2026, 10, 30))
    more = service(3, procedure="99458", units=2, diagnoses=("J44.9", "I10"), place="10")
    (one,) = made(more, service(), supply).claims
    claim = one.claim
    assert one.service_ids == ("s0002", "s0001", "s0003")
    assert claim.control_number == "C000001"
    assert [line.procedure for line in claim.lines] == ["99454", "99457", "99458"]
    assert [line.control_number for line in claim.lines] == [
        "C000001L01",
        "C000001L02",
        "C000001L03",
    ]
    assert claim.diagnoses == ("I10", "E119", "J449")
    assert [line.pointers for line in claim.lines] == [(1, 2), (1, 2), (3, 1)]
    assert [line.place for line in claim.lines] == ["", "", "10"]
    assert claim.charge_cents == 6_500 + 5_500 + 2 * 4_200


def test_payer_rendering_provider_patient_and_authorization_part_claims() -> None:
    """Services that differ in one of them are on claims of their own."""
    services = [service(number, head=head) for number, head in enumerate(HEADS[:5], start=1)]
    assert len(made(*services).claims) == 5


def test_a_claim_holds_fifty_lines() -> None:
    """The 51st line begins a claim."""
    claims = made(*(service(number) for number in range(1, 52))).claims
    assert [len(one.claim.lines) for one in claims] == [50, 1]


def test_a_claim_holds_twelve_diagnoses() -> None:
    """A service that would bring the 13th diagnosis begins a claim."""
    services = [
        service(number, diagnoses=DIAGNOSES[first : first + 4])
        for number, first in enumerate((0, 4, 8, 10), start=1)
    ]
    claims = made(*services).claims
    assert [len(one.claim.diagnoses) for one in claims] == [12, 4]


def test_clinics_are_refused() -> None:
    """RHC and FQHC lines are held with their own finding: they are institutional."""
    (held,) = made(service(setting="FQHC")).held
    assert [found.code for found in held.findings] == [INSTITUTIONAL]


def test_a_service_without_a_charge_is_held() -> None:
    """No charge in the practice's schedule is never zero; the patient's other services leave."""
    found = made(service(1, procedure="99091"), service(2))
    assert [one.service_ids for one in found.claims] == [("s0002",)]
    assert [(held.service_id, held.findings[0].code) for held in found.held] == [
        ("s0001", NO_CHARGE)
    ]


def test_what_the_record_lacks_holds_the_services_that_need_it() -> None:
    """A patient without an address and a member id holds that patient's services, no others."""
    homeless = replace(NOT_INSURED, subscriber=replace(PATIENT, address=None))
    found = made(service(1, head=replace(HEAD, coverage=homeless)), service(2))
    assert [one.claim.control_number for one in found.claims] == ["C000001"]
    (held,) = found.held
    assert {(one.code, one.where) for one in held.findings} == {
        (LACKING, "coverage, member id"),
        (LACKING, "patient, address"),
    }


def test_a_service_without_a_diagnosis_holds_no_other() -> None:
    """It is held by itself, told as what it lacks; the patient's other services leave."""
    found = made(service(1, diagnoses=()), service(2), service(3, diagnoses=("",)))
    assert [one.service_ids for one in found.claims] == [("s0002",)]
    told = {
        one.service_id: [(each.code, each.where) for each in one.findings] for one in found.held
    }
    lacks = [(LACKING, "diagnosis of the service")]
    assert told == {"s0001": lacks, "s0003": lacks}


def test_a_service_given_twice_is_an_error() -> None:
    """The same id twice would bill twice."""
    with pytest.raises(ValueError, match="twice"):
        made(service(), service())


@given(services=SERVICES, chance=st.randoms(use_true_random=False))
def test_every_service_is_billed_once_or_held(services: list[Service], chance: Random) -> None:
    """Whatever the services: none is lost, none is twice, money adds up, order does not matter."""
    found = made(*services)
    billed = [one for claim in found.claims for one in claim.service_ids]
    held = [one.service_id for one in found.held]
    assert sorted(billed + held) == sorted(one.id for one in services)
    by_id = {one.id: one for one in services}
    wanted = sum(
        CHARGES.cents(one.procedure, one.modifiers, one.units, one.from_day) or 0
        for one in map(by_id.__getitem__, billed)
    )
    assert sum(one.claim.charge_cents for one in found.claims) == wanted
    chance.shuffle(services)
    assert made(*services) == found


@given(services=SERVICES)
def test_assembled_claims_pass_the_check(services: list[Service]) -> None:
    """The file of what was assembled has no finding but the ZIP of five digits, if any."""
    claims = tuple(one.claim for one in made(*services).claims)
    if claims:
        assert scrub(write_837p(claim_file(claims)), TODAY).findings == ()


def test_corrections_keep_the_number_of_the_claim() -> None:
    """A replacement says what is right now, a void what was sent; both name the payer's number."""
    sent, right = replace(CLAIM), replace(CLAIM, control_number="C9", place="10")
    replaced, voided = replacement_of(sent, right, "ICN1"), void_of(sent, "ICN1")
    assert (replaced.control_number, replaced.frequency, replaced.place) == ("C000001", "7", "10")
    assert (voided.control_number, voided.frequency, voided.place) == ("C000001", "8", "11")
    assert replaced.payer_claim_number == voided.payer_claim_number == "ICN1"


@pytest.mark.parametrize(
    ("procedure", "modifiers", "day", "cents"),
    [
        ("99457", (), date(2025, 12, 31), 10_000),
        ("99457", (), date(2026, 1, 1), 11_000),
        ("99457", ("95",), date(2026, 1, 1), 11_400),
        ("99457", ("93",), date(2026, 1, 1), 11_000),
        ("99457", (), date(2024, 12, 31), None),
        ("99091", (), DAY, None),
    ],
)
def test_the_charge_of_the_day(
    procedure: str, modifiers: tuple[str, ...], day: date, cents: int | None
) -> None:
    """Two units by the price of the day, and of a modifier where one is priced; never zero."""
    assert CHARGES.cents(procedure, modifiers, 2, day) == cents
