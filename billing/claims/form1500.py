"""A claim as values of the paper form CMS-1500 (02/12), one page for six services.

Owns which value of a claim goes into which box. Does not own where a box stands
(``form1500_layout``) nor printing (``rpm.documents.form1500``). Every page is a claim of its own:
box 28 is the sum of its page. What a claim does not hold stays empty.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from billing.claims.claim import (
    EMPLOYER_ID,
    ORIGINAL,
    SELF,
    SOCIAL_SECURITY,
    Address,
    Claim,
    Name,
    Person,
    ServiceLine,
)
from billing.claims.form1500_layout import Layout, shipped_layout
from billing.claims.x12.element import element
from billing.finding import Finding
from billing.money import Cents

TOO_LONG = "E_FORM_TOO_LONG"
"""A value that may not be cut does not fit its box; the box stays empty."""
SIGNED = "SIGNATURE ON FILE"
_MARK = "X"
_KINDS = {"MB": "medicare", "MC": "medicaid", "CH": "tricare", "VA": "champva"}
_GROUP_KINDS = ("CI", "BL", "HM", "12", "13", "14")
_RELATIONSHIPS = {SELF: "self", "01": "spouse", "19": "child"}
_DIAGNOSIS_LETTERS = "ABCDEFGHIJKL"
_ICD_10 = "0"


@dataclass(frozen=True)
class FormPage:
    """One page: values by key, and those of its service lines."""

    values: Mapping[str, str]
    services: tuple[Mapping[str, str], ...]
    number: int
    of: int


def form_pages(claim: Claim) -> tuple[FormPage, ...]:
    """The pages of a claim; what does not fit is cut, or left out where it may not be cut."""
    return tuple(page for page, _ in _pages(claim))


def form_findings(claim: Claim) -> tuple[Finding, ...]:
    """What does not fit the form and may not be cut."""
    found = {finding: None for _, findings in _pages(claim) for finding in findings}
    return tuple(found)


def _pages(claim: Claim) -> Iterator[tuple[FormPage, list[Finding]]]:
    layout = shipped_layout()
    size = layout.service_lines
    parts = [claim.lines[start : start + size] for start in range(0, len(claim.lines), size)]
    for number, lines in enumerate(parts, start=1):
        findings: list[Finding] = []
        values = dict(_head(claim, layout)) | {
            "28": _amount(sum(one.charge_cents for one in lines))
        }
        page = FormPage(
            _fitted(values, layout, findings),
            tuple(_fitted(dict(_service(claim, one)), layout, findings) for one in lines),
            number,
            len(parts),
        )
        yield page, findings


def _fitted(
    values: Mapping[str, str], layout: Layout, findings: list[Finding]
) -> Mapping[str, str]:
    fitted = {}
    for key, value in values.items():
        cell, text = layout.cells[key], element(value)
        if cell.whole and len(text) > cell.width:
            findings.append(
                Finding(TOO_LONG, f"box {cell.box}", "It is too long for the form and is left out.")
            )
        elif text:
            fitted[key] = text[: cell.width].rstrip()
    return fitted


Values = Iterator[tuple[str, str]]


def _head(claim: Claim, layout: Layout) -> Values:
    coverage = claim.coverage
    yield from _payer(claim)
    yield f"1.{_kind(coverage.filing_code)}", _MARK
    yield "1a", coverage.member_id
    yield "2", _comma_name(claim.patient.name)
    yield from _born("3", claim.patient)
    yield from _home("5", claim.patient.address)
    relationship = claim.dependent.relationship if claim.dependent else SELF
    yield f"6.{_RELATIONSHIPS.get(relationship, 'other')}", _MARK
    medicare_first = coverage.filing_code in layout.medicare_codes and coverage.rank == "P"
    for key, value in _insured(claim):
        if not medicare_first or key.partition(".")[0] not in layout.medicare_empty:
            yield key, value
    yield "11", layout.medicare_box_11 if medicare_first else coverage.group_number
    yield from _others(claim)
    yield from ((f"10{part}.no", _MARK) for part in "abc")
    yield from ((key, SIGNED) for key in ("12", "13", "31"))
    yield from _referring(claim)
    yield "19", claim.note
    yield "20.no", _MARK
    yield "21.version", _ICD_10
    for letter, code in zip(_DIAGNOSIS_LETTERS, claim.diagnoses, strict=False):
        yield f"21.{letter}", code
    if claim.frequency != ORIGINAL:
        yield "22", claim.frequency
        yield "22.original", claim.payer_claim_number
    yield "23", claim.prior_authorization
    yield from _foot(claim)


def _payer(claim: Claim) -> Values:
    payer = claim.coverage.payer
    yield "payer.name", payer.name
    if payer.address is not None:
        yield "payer.street", payer.address.street
        yield "payer.street_more", payer.address.street_more
        yield "payer.city", _city_line(payer.address)


def _insured(claim: Claim) -> Values:
    coverage = claim.coverage
    yield "4", _comma_name(coverage.subscriber.name)
    yield from _home("7", coverage.subscriber.address)
    yield from _born("11a", coverage.subscriber)
    yield "11c", coverage.group_name
    yield f"11d.{'yes' if claim.others else 'no'}", _MARK


def _others(claim: Claim) -> Values:
    for other in claim.others[:1]:
        yield "9", _comma_name(other.subscriber)
        yield "9a", other.group_number or other.member_id
        yield "9d", other.payer.name
    paid = [one.paid_cents for one in claim.others if one.paid_cents is not None]
    if paid:
        yield "29", _amount(sum(paid))


def _referring(claim: Claim) -> Values:
    named = (("DN", claim.referring), ("DQ", claim.supervising))
    for qualifier, provider in named:
        if provider is not None:
            yield "17.qualifier", qualifier
            yield "17", _spoken_name(provider.name)
            yield "17b", provider.npi
            return


def _foot(claim: Claim) -> Values:
    billing = claim.billing
    yield "25", billing.tax_id
    if billing.tax_id_kind in (EMPLOYER_ID, SOCIAL_SECURITY):
        yield f"25.{billing.tax_id_kind}", _MARK
    yield "26", claim.control_number
    yield "27.yes", _MARK
    yield "33.name", _spoken_name(billing.name)
    yield "33.street", _street(billing.address)
    yield "33.city", _city_line(billing.address)
    yield "33a", billing.npi
    if claim.facility is not None:
        yield "32.name", claim.facility.name
        yield "32.street", _street(claim.facility.address)
        yield "32.city", _city_line(claim.facility.address)
        yield "32a", claim.facility.npi


def _service(claim: Claim, line: ServiceLine) -> Values:
    for part, day in (("from", line.from_day), ("to", line.to_day)):
        yield f"24A.{part}_month", f"{day.month:02d}"
        yield f"24A.{part}_day", f"{day.day:02d}"
        yield f"24A.{part}_year", f"{day.year % 100:02d}"
    yield "24B", line.place or claim.place
    yield "24D", line.procedure
    for place, modifier in enumerate(line.modifiers, start=1):
        yield f"24D.{place}", modifier
    yield "24E", "".join(_DIAGNOSIS_LETTERS[pointer - 1] for pointer in line.pointers)
    yield "24F", _amount(line.charge_cents)
    yield "24G", str(line.units)
    if claim.rendering is not None:
        yield "24J", claim.rendering.npi


def _kind(filing_code: str) -> str:
    return "group" if filing_code in _GROUP_KINDS else _KINDS.get(filing_code, "other")


def _born(box: str, person: Person) -> Values:
    if person.birth_day is not None:
        day: date = person.birth_day
        yield f"{box}.month", f"{day.month:02d}"
        yield f"{box}.day", f"{day.day:02d}"
        yield f"{box}.year", f"{day.year:04d}"
    if person.sex in ("F", "M"):
        yield f"{box}.{person.sex}", _MARK


def _home(box: str, address: Address | None) -> Values:
    if address is not None:
        yield f"{box}.street", _street(address)
        yield f"{box}.city", address.city
        yield f"{box}.state", address.state
        yield f"{box}.postal_code", _postal_code(address)


def _comma_name(name: Name) -> str:
    last = f"{name.last} {name.suffix}".strip()
    return ", ".join(part for part in (last, name.first, name.middle[:1]) if part)


def _spoken_name(name: Name) -> str:
    return " ".join(part for part in (name.first, name.middle, name.last, name.suffix) if part)


def _street(address: Address) -> str:
    return f"{address.street} {address.street_more}".strip()


def _city_line(address: Address) -> str:
    return f"{address.city} {address.state} {_postal_code(address)}".strip()


def _postal_code(address: Address) -> str:
    code = address.postal_code
    return f"{code[:5]}-{code[5:]}" if len(code) > 5 else code


def _amount(cents: Cents) -> str:
    """Dollars, a space and cents, as the form's own line between them wants it."""
    return f"{cents // 100} {cents % 100:02d}"
