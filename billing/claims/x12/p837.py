"""Claims to an 837P: loops in the guide's order, every count, pointer and total from the claims.

Owns which value stands in which element. Does not own how an element is written (``element``) nor
the envelope. Claims that follow each other share the loop of their billing provider and of their
coverage; the order of claims is kept. Writes what it is given: ``billing.claims.complete`` tells
what a claim lacks, and ``billing.claims.scrub`` looks at the file.
"""

from datetime import date
from functools import lru_cache
from itertools import chain, groupby

from billing.claims.claim import (
    SELF,
    Address,
    Adjudication,
    BillingProvider,
    Claim,
    Coverage,
    Dependent,
    Name,
    OtherCoverage,
    Person,
    Provider,
    ServiceLine,
)
from billing.claims.x12.element import SegmentWriter, element
from billing.claims.x12.envelope import (
    MOST_CLAIMS,
    ClaimFile,
    ClaimSet,
    interchange,
    transaction_set,
)
from billing.money import cents_to_text

ORGANIZATION_LENGTH, LAST_LENGTH, FIRST_LENGTH = 60, 60, 35
MIDDLE_LENGTH, SUFFIX_LENGTH = 25, 10
STREET_LENGTH, CITY_LENGTH, NOTE_LENGTH, GROUP_NAME_LENGTH = 55, 30, 80, 60
MOST_CLAIMS_OF_A_LEVEL = 100
"""Claims that the guide allows for one patient's level; the next one opens it anew."""


def write_837p(file: ClaimFile) -> bytes:
    """The file's bytes: the same values give the same bytes.

    Raises ValueError for a set with no claim or more than 5,000, and for a number that does not
    fit.
    """
    out = SegmentWriter()
    with interchange(out, file.interchange, len(file.sets)):
        for one in file.sets:
            if not 1 <= len(one.claims) <= MOST_CLAIMS:
                raise ValueError(f"a transaction set holds 1 to {MOST_CLAIMS} claims")
            with transaction_set(out, one.number):
                _header(out, one, file.interchange.made_at.strftime("%Y%m%d %H%M").split())
                _Levels(out).write(one.claims)
    return out.content()


def _header(out: SegmentWriter, one: ClaimSet, made: list[str]) -> None:
    submitter = one.submitter
    out.add("BHT", "0019", "00", one.reference, *made, "CH")
    name = element(submitter.name, ORGANIZATION_LENGTH)
    out.add("NM1", "41", "2", name, *[""] * 4, "46", submitter.identifier)
    out.add("PER", "IC", element(submitter.contact, ORGANIZATION_LENGTH), "TE", submitter.phone)
    name = element(one.receiver.name, ORGANIZATION_LENGTH)
    out.add("NM1", "40", "2", name, *[""] * 4, "46", one.receiver.identifier)


class _Levels:
    """The hierarchy of one set: its levels are numbered as they are opened."""

    def __init__(self, out: SegmentWriter) -> None:
        self._out = out
        self._opened = 0
        self._billing: BillingProvider | None = None
        self._coverage: tuple[Coverage, bool] | None = None
        self._dependent: Dependent | None = None
        self._billing_level = self._coverage_level = self._claims = 0

    def write(self, claims: tuple[Claim, ...]) -> None:
        for claim in claims:
            self._open_for(claim)
            _claim(self._out, claim)
            self._claims += 1

    def _open_for(self, claim: Claim) -> None:
        """Open the levels that a claim needs and that the last one has not left open."""
        if claim.billing != self._billing:
            self._billing, self._coverage = claim.billing, None
            self._billing_level = self._open("", "20", children=True)
            _billing(self._out, claim.billing)
        wanted = (claim.coverage, claim.dependent is None)
        if wanted != self._coverage or self._claims == MOST_CLAIMS_OF_A_LEVEL:
            self._coverage, self._dependent = wanted, None
            parent = str(self._billing_level)
            self._coverage_level = self._open(parent, "22", children=not wanted[1])
            _coverage(self._out, claim.coverage, is_patient=wanted[1])
        if claim.dependent and claim.dependent != self._dependent:
            self._dependent = claim.dependent
            self._open(str(self._coverage_level), "23", children=False)
            self._out.add("PAT", claim.dependent.relationship)
            _person(self._out, "QC", claim.dependent.person, "", "")

    def _open(self, parent: str, level: str, *, children: bool) -> int:
        self._opened += 1
        self._claims = 0
        self._out.add("HL", str(self._opened), parent, level, "1" if children else "0")
        return self._opened


def _billing(out: SegmentWriter, billing: BillingProvider) -> None:
    if billing.taxonomy:
        out.add("PRV", "BI", "PXC", billing.taxonomy)
    out.add("NM1", "85", *_name(billing.name), "XX", billing.npi)
    _address(out, billing.address)
    out.add("REF", billing.tax_id_kind, billing.tax_id)


def _coverage(out: SegmentWriter, coverage: Coverage, *, is_patient: bool) -> None:
    out.add(
        *("SBR", coverage.rank, SELF if is_patient else "", coverage.group_number),
        # the group has either a number or a name
        "" if coverage.group_number else element(coverage.group_name, GROUP_NAME_LENGTH),
        *(coverage.secondary_reason, "", "", "", coverage.filing_code),
    )
    _person(out, "IL", coverage.subscriber, "MI", coverage.member_id)
    payer = coverage.payer
    name = element(payer.name, ORGANIZATION_LENGTH)
    out.add("NM1", "PR", "2", name, *[""] * 4, "PI", payer.payer_id)
    _address(out, payer.address)


def _person(out: SegmentWriter, role: str, person: Person, qualifier: str, number: str) -> None:
    out.add("NM1", role, *_name(person.name), qualifier, number)
    _address(out, person.address)
    if person.birth_day:
        out.add("DMG", "D8", _day(person.birth_day), person.sex)


def _name(name: Name) -> tuple[str, ...]:
    """NM102 to NM107."""
    if name.organization:
        return ("2", element(name.last, ORGANIZATION_LENGTH), "", "", "", "")
    return (
        *("1", element(name.last, LAST_LENGTH), element(name.first, FIRST_LENGTH)),
        *(element(name.middle, MIDDLE_LENGTH), "", element(name.suffix, SUFFIX_LENGTH)),
    )


@lru_cache(maxsize=256)
def _provider_name(name: Name) -> tuple[str, ...]:
    """As ``_name``: the same few stand on every claim."""
    return _name(name)


def _address(out: SegmentWriter, address: Address | None) -> None:
    if address is None:
        return
    street = element(address.street, STREET_LENGTH)
    out.add("N3", street, element(address.street_more, STREET_LENGTH))
    out.add("N4", element(address.city, CITY_LENGTH), address.state, address.postal_code)


def _claim(out: SegmentWriter, claim: Claim) -> None:
    out.add(
        *("CLM", claim.control_number, cents_to_text(claim.charge_cents), "", ""),
        (claim.place, "B", claim.frequency),
        *("Y", "A", "Y", "Y"),
    )
    if claim.prior_authorization:
        out.add("REF", "G1", claim.prior_authorization)
    if claim.payer_claim_number:
        out.add("REF", "F8", claim.payer_claim_number)
    if claim.note:
        out.add("NTE", "ADD", element(claim.note, NOTE_LENGTH))
    qualifiers = ["ABK", *["ABF"] * (len(claim.diagnoses) - 1)]
    out.add("HI", *zip(qualifiers, claim.diagnoses, strict=False))
    _providers(out, claim)
    for other in claim.others:
        _other(out, other)
    for number, line in enumerate(claim.lines, start=1):
        _line(out, number, line)


def _providers(out: SegmentWriter, claim: Claim) -> None:
    if claim.referring:
        _provider(out, "DN", claim.referring)
    if claim.rendering:
        _provider(out, "82", claim.rendering)
        if claim.rendering.taxonomy:
            out.add("PRV", "PE", "PXC", claim.rendering.taxonomy)
    if facility := claim.facility:
        identified = ("XX", facility.npi) if facility.npi else ()
        name = element(facility.name, ORGANIZATION_LENGTH)
        out.add("NM1", "77", "2", name, *[""] * 4, *identified)
        _address(out, facility.address)
    if claim.supervising:
        _provider(out, "DQ", claim.supervising)


def _provider(out: SegmentWriter, role: str, provider: Provider) -> None:
    out.add("NM1", role, *_provider_name(provider.name), "XX", provider.npi)


def _other(out: SegmentWriter, other: OtherCoverage) -> None:
    group = other.group_number
    out.add("SBR", other.rank, other.relationship, group, *[""] * 5, other.filing_code)
    if other.paid_cents is not None:
        out.add("AMT", "D", cents_to_text(other.paid_cents))
    out.add("OI", "", "", "Y", "", "", "Y")
    out.add("NM1", "IL", *_name(other.subscriber), "MI", other.member_id)
    name = element(other.payer.name, ORGANIZATION_LENGTH)
    out.add("NM1", "PR", "2", name, *[""] * 4, "PI", other.payer.payer_id)
    _address(out, other.payer.address)


def _line(out: SegmentWriter, number: int, line: ServiceLine) -> None:
    out.add("LX", str(number))
    out.add(
        *("SV1", ("HC", line.procedure, *line.modifiers), cents_to_text(line.charge_cents)),
        *("UN", str(line.units), line.place, ""),
        tuple(map(str, line.pointers)),
    )
    out.add("DTP", "472", *_days(line.from_day, line.to_day))
    out.add("REF", "6R", line.control_number)
    for one in line.adjudications:
        _adjudication(out, line, one)


def _days(first: date, last: date) -> tuple[str, str]:
    if first == last:
        return "D8", _day(first)
    return "RD8", f"{_day(first)}-{_day(last)}"


@lru_cache(maxsize=4_096)
def _day(day: date) -> str:
    return day.isoformat().replace("-", "")


def _adjudication(out: SegmentWriter, line: ServiceLine, one: Adjudication) -> None:
    paid = cents_to_text(one.paid_cents)
    procedure = ("HC", line.procedure, *line.modifiers)
    out.add("SVD", one.payer_id, paid, procedure, "", str(one.units))
    for group, adjustments in groupby(one.adjustments, key=lambda adjustment: adjustment.group):
        told = [(each.reason, cents_to_text(each.cents), "") for each in adjustments]
        out.add("CAS", group, *chain.from_iterable(told))
    out.add("DTP", "573", "D8", _day(one.paid_day))
