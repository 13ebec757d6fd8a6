"""What a claim lacks, told in the words of the practice's records."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import date
from typing import Any

import pytest
from claims_made import BILLING, CLAIM, COVERAGE, EVERYTHING, PATIENT, RENDERING, VOIDED, claim_file

from billing.claims.claim import Address, Claim, Name
from billing.claims.complete import IDENTIFIER, INVALID_NPI, LACKING, TOO_MUCH, lacking
from billing.claims.scrub import scrub
from billing.claims.x12.p837 import write_837p
from billing.finding import Severity

NOWHERE = Address("", "", "", "")


@pytest.mark.parametrize("claim", [CLAIM, VOIDED, EVERYTHING])
def test_whole_claims_lack_nothing(claim: Claim) -> None:
    """Originals, corrections, dependents and second payers can be written as they are."""
    assert lacking(claim) == ()


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"billing": replace(BILLING, npi="")}, "billing provider, NPI"),
        ({"billing": replace(BILLING, tax_id="")}, "billing provider, tax id"),
        ({"billing": replace(BILLING, address=NOWHERE)}, "billing provider, street address"),
        ({"coverage": replace(COVERAGE, member_id="")}, "coverage, member id"),
        ({"coverage": replace(COVERAGE, filing_code="")}, "coverage, kind of payer (SBR09)"),
        (
            {"coverage": replace(COVERAGE, subscriber=replace(PATIENT, address=None))},
            "patient, address",
        ),
        (
            {"coverage": replace(COVERAGE, subscriber=replace(PATIENT, birth_day=None))},
            "patient, birth date",
        ),
        (
            {"coverage": replace(COVERAGE, subscriber=replace(PATIENT, sex="female"))},
            "patient, sex",
        ),
        ({"rendering": None}, "rendering provider"),
        ({"rendering": replace(RENDERING, npi="")}, "rendering provider, NPI"),
        ({"rendering": replace(RENDERING, name=Name("山田"))}, "rendering provider, name"),
        ({"place": ""}, "place of service"),
        (
            {"frequency": "7", "payer_claim_number": ""},
            "claim number of the payer, of the claim that is corrected",
        ),
    ],
)
def test_what_is_not_recorded_is_named(changes: dict[str, Any], where: str) -> None:
    """One value taken away is one finding that names it."""
    (found,) = lacking(replace(CLAIM, **changes))
    assert (found.code, found.where) == (LACKING, where)


@pytest.mark.parametrize(
    ("changes", "code", "where"),
    [
        ({"control_number": "C" * 21}, IDENTIFIER, "patient control number"),
        (
            {"coverage": replace(COVERAGE, member_id="1EG4*TE5")},
            IDENTIFIER,
            "coverage, member id",
        ),
        ({"lines": CLAIM.lines * 17}, TOO_MUCH, "service lines"),
        (
            {"lines": (replace(CLAIM.lines[0], pointers=()), *CLAIM.lines[1:])},
            LACKING,
            "service line 1, diagnosis",
        ),
        (
            {"rendering": replace(RENDERING, npi="1245319598")},
            INVALID_NPI,
            "rendering provider, NPI",
        ),
        ({"billing": replace(BILLING, npi="12345")}, INVALID_NPI, "billing provider, NPI"),
    ],
)
def test_what_cannot_leave_as_it_is_is_named(
    changes: dict[str, Any], code: str, where: str
) -> None:
    """Identifiers are never cut or cleaned, and limits never passed, in silence."""
    (found,) = lacking(replace(CLAIM, **changes))
    assert (found.code, found.where) == (code, where)


def texts_of(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of all texts that a claim holds."""
    if isinstance(value, str) and value:
        yield path
    elif isinstance(value, tuple):
        for place, one in enumerate(value):
            yield from texts_of(one, (*path, place))
    elif is_dataclass(value):
        for one in fields(value):
            yield from texts_of(getattr(value, one.name), (*path, one.name))


def emptied(value: Any, path: tuple[str | int, ...]) -> Any:
    """A claim with the text at a path taken away."""
    if not path:
        return ""
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        return (*value[:step], emptied(value[step], rest), *value[step + 1 :])
    return replace(value, **{step: emptied(getattr(value, step), rest)})


@pytest.mark.parametrize("path", [*texts_of(EVERYTHING)], ids=lambda path: ".".join(map(str, path)))
def test_whatever_is_taken_away_is_missed_or_may_be_absent(path: tuple[str | int, ...]) -> None:
    """A claim that lacks nothing gives a file without errors, whichever text it has not."""
    claim = emptied(EVERYTHING, path)
    if not lacking(claim):
        found = scrub(write_837p(claim_file((claim,))), date(2026, 11, 24)).findings
        assert [one.code for one in found if one.severity is Severity.ERROR] == []


def test_no_value_is_told() -> None:
    """A finding names what is wrong, and never holds the value."""
    found = lacking(replace(CLAIM, coverage=replace(COVERAGE, member_id="1EG4*TE5")))
    assert "1EG4" not in str(found)
