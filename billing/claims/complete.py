"""What a claim lacks before it can be written, in the words of the practice's records.

Owns looking at a claim's values: what is empty, and identifiers that could not leave as they are.
Does not own the file's checks (``scrub``). What is not known is told, never made up.
"""

from collections.abc import Iterator

from billing.claims.claim import (
    CONTROL_NUMBER_LENGTH,
    CORRECTIONS,
    EMPLOYER_ID,
    LINE_NUMBER_LENGTH,
    MOST_DIAGNOSES,
    MOST_LINES,
    MOST_MODIFIERS,
    MOST_POINTERS,
    ORIGINAL,
    SEXES,
    SOCIAL_SECURITY,
    Address,
    Claim,
    Name,
    Provider,
    ServiceLine,
)
from billing.claims.x12.element import element
from billing.codes import npi_is_valid
from billing.finding import Finding

LACKING = "E_CLAIM_LACKS"
"""The record lacks a value that the claim needs; ``where`` names it."""
IDENTIFIER = "E_CLAIM_IDENTIFIER"
"""An identifier is too long, or holds characters that a claim file cannot carry."""
TOO_MUCH = "E_CLAIM_TOO_MUCH"
"""More lines, diagnoses, pointers or modifiers than a claim holds."""
INVALID_NPI = "E_CLAIM_NPI"
_LONGEST_ID = 50


def lacking(claim: Claim) -> tuple[Finding, ...]:
    """Everything that stops a claim from being written; none when it can be."""
    return (*_empty(claim), *_providers(claim), *_identifiers(claim), *_counts(claim))


def lack(where: str) -> Finding:
    """The finding for a value that is not recorded."""
    return Finding(LACKING, where, "It is not recorded, and the claim needs it. Record it.")


def _empty(claim: Claim) -> Iterator[Finding]:
    billing, coverage, patient = claim.billing, claim.coverage, claim.patient
    needed: dict[str, object] = {
        "billing provider, name": _named(billing.name),
        "billing provider, NPI": billing.npi,
        "billing provider, tax id": billing.tax_id,
        "billing provider, kind of tax id": billing.tax_id_kind in (EMPLOYER_ID, SOCIAL_SECURITY),
        "billing provider, street address": _whole(billing.address),
        "payer, name": element(coverage.payer.name),
        "payer, id at the receiver": coverage.payer.payer_id,
        "coverage, member id": coverage.member_id,
        "coverage, kind of payer (SBR09)": coverage.filing_code,
        "coverage, rank": coverage.rank,
        "subscriber, name": _named(coverage.subscriber.name),
        "patient, name": _named(patient.name),
        "patient, birth date": patient.birth_day,
        "patient, sex": patient.sex in SEXES,
        "patient, address": _whole(patient.address),
        "place of service": claim.place,
        "diagnoses": claim.diagnoses and all(claim.diagnoses),
        "claim frequency": claim.frequency in (ORIGINAL, *CORRECTIONS),
        "service lines": claim.lines,
        "patient control number": claim.control_number,
    }
    needed |= _where_present(claim)
    if claim.frequency in CORRECTIONS:
        needed["claim number of the payer, of the claim that is corrected"] = (
            claim.payer_claim_number
        )
    for where, value in needed.items():
        if not value:
            yield lack(where)


def _where_present(claim: Claim) -> dict[str, object]:
    """What is needed of parties that a claim may have or not."""
    subscriber, needed = claim.coverage.subscriber, dict[str, object]()
    if claim.dependent is not None:
        needed["patient, relationship to the subscriber"] = claim.dependent.relationship
        if subscriber.birth_day is not None:
            needed["subscriber, sex"] = subscriber.sex in SEXES
        if subscriber.address is not None:
            needed["subscriber, address"] = _whole(subscriber.address)
    if claim.facility is not None:
        needed["service facility, name"] = element(claim.facility.name)
        needed["service facility, address"] = _whole(claim.facility.address)
    for number, other in enumerate(claim.others, start=1):
        needed[f"other coverage {number}"] = all(
            (
                *(element(other.payer.name), other.payer.payer_id, other.rank, other.filing_code),
                *(_named(other.subscriber), other.member_id, other.relationship),
            )
        )
    return needed


def _named(name: Name) -> str:
    return element(name.last)


def _whole(address: Address | None) -> bool:
    if address is None:
        return False
    return all(
        element(part) for part in (address.street, address.city, address.state, address.postal_code)
    )


def _providers(claim: Claim) -> Iterator[Finding]:
    if claim.rendering is None and claim.billing.name.organization:
        yield lack("rendering provider")
    named = {
        "rendering provider": claim.rendering,
        "referring provider": claim.referring,
        "supervising provider": claim.supervising,
    }
    for where, provider in named.items():
        if provider is not None:
            yield from _provider(where, provider)
    if claim.billing.npi and not npi_is_valid(claim.billing.npi):
        yield Finding(INVALID_NPI, "billing provider, NPI", "Its check digit is wrong. Correct it.")


def _provider(where: str, provider: Provider) -> Iterator[Finding]:
    if not _named(provider.name):
        yield lack(f"{where}, name")
    if not provider.npi:
        yield lack(f"{where}, NPI")
    elif not npi_is_valid(provider.npi):
        yield Finding(INVALID_NPI, f"{where}, NPI", "Its check digit is wrong. Correct it.")


def _identifiers(claim: Claim) -> Iterator[Finding]:
    told = [
        ("patient control number", claim.control_number, CONTROL_NUMBER_LENGTH),
        ("coverage, member id", claim.coverage.member_id, _LONGEST_ID),
        ("coverage, group number", claim.coverage.group_number, _LONGEST_ID),
        ("payer, id at the receiver", claim.coverage.payer.payer_id, _LONGEST_ID),
        ("billing provider, tax id", claim.billing.tax_id, _LONGEST_ID),
        ("prior authorization", claim.prior_authorization, _LONGEST_ID),
        ("claim number of the payer", claim.payer_claim_number, _LONGEST_ID),
        *(("other coverage, member id", one.member_id, _LONGEST_ID) for one in claim.others),
        *(("line control number", line.control_number, LINE_NUMBER_LENGTH) for line in claim.lines),
    ]
    for where, text, longest in told:
        if len(text) > longest or element(text) != text.upper():
            yield Finding(IDENTIFIER, where, "It cannot leave as it is recorded. Correct it.")


def _counts(claim: Claim) -> Iterator[Finding]:
    if len(claim.lines) > MOST_LINES:
        yield Finding(TOO_MUCH, "service lines", "A claim holds at most 50. Split it.")
    if len(claim.diagnoses) > MOST_DIAGNOSES:
        yield Finding(TOO_MUCH, "diagnoses", "A claim holds at most 12. Split it.")
    for number, line in enumerate(claim.lines, start=1):
        yield from _line(claim, number, line)


def _line(claim: Claim, number: int, line: ServiceLine) -> Iterator[Finding]:
    where = f"service line {number}"
    if not line.control_number:
        yield lack(f"{where}, control number")
    if not line.pointers:
        yield lack(f"{where}, diagnosis")
    if len(line.pointers) > MOST_POINTERS:
        yield Finding(TOO_MUCH, f"{where}, pointers", "A line points to at most 4 diagnoses.")
    if any(not 1 <= one <= len(claim.diagnoses) for one in line.pointers):
        yield lack(f"{where}, the diagnosis it points to")
    if not line.procedure:
        yield lack(f"{where}, procedure")
    if not all(line.modifiers):
        yield lack(f"{where}, modifier")
    for one in line.adjudications:
        reasons = (text for each in one.adjustments for text in (each.group, each.reason))
        if not one.payer_id or not all(reasons):
            yield lack(f"{where}, payer or reason of what another payer did")
    if len(line.modifiers) > MOST_MODIFIERS:
        yield Finding(TOO_MUCH, f"{where}, modifiers", "A line holds at most 4 modifiers.")
