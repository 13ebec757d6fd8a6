"""A claim as the professional claim (837P) tells it: who bills whom, for which services, for whom.

Owns the shapes, in the words of X12. Does not own what a claim still lacks (``complete``), the
file (``x12``), nor how postings become claims (``assemble``). Money is whole cents, days are
calendar dates, diagnosis codes stand without their point, and what is not known is empty.
"""

from dataclasses import dataclass
from datetime import date

from billing.money import Cents

SELF = "18"
"""The relationship of a patient who is the subscriber (SBR02)."""
ORIGINAL, REPLACEMENT, VOID = "1", "7", "8"
"""Claim frequencies (CLM05-3) of a first claim, of one that replaces and of one that takes back."""
CORRECTIONS = (REPLACEMENT, VOID)
MOST_LINES = 50
MOST_DIAGNOSES = 12
MOST_POINTERS = 4
MOST_MODIFIERS = 4
CONTROL_NUMBER_LENGTH = 20
"""Characters of a patient control number that come back whole in every answer."""
LINE_NUMBER_LENGTH = 30
SEXES = ("F", "M", "U")
"""What a file may say of a person's sex (DMG03)."""
EMPLOYER_ID, SOCIAL_SECURITY = "EI", "SY"
"""What a billing provider's tax id is (REF01 in 2010AA)."""


@dataclass(frozen=True)
class Name:
    """A person, or an organization whose whole name is ``last``."""

    last: str
    first: str = ""
    middle: str = ""
    suffix: str = ""
    organization: bool = False


@dataclass(frozen=True)
class Address:
    """A postal address in the United States; the postal code has 5 or 9 digits, no hyphen."""

    street: str
    city: str
    state: str
    postal_code: str
    street_more: str = ""


@dataclass(frozen=True)
class Person:
    """A subscriber or patient; ``sex`` is one of ``SEXES``."""

    name: Name
    birth_day: date | None = None
    sex: str = ""
    address: Address | None = None


@dataclass(frozen=True)
class Provider:
    """Who rendered, referred or supervised."""

    name: Name
    npi: str
    taxonomy: str = ""  # written for the rendering provider only


@dataclass(frozen=True)
class BillingProvider:
    """Who is paid: the practice, its NPI, its street address (never a post box) and tax id."""

    name: Name
    npi: str
    address: Address
    tax_id: str
    tax_id_kind: str = EMPLOYER_ID
    taxonomy: str = ""


@dataclass(frozen=True)
class Facility:
    """Where the service was rendered, when that is not the billing provider's address."""

    name: str
    npi: str
    address: Address


@dataclass(frozen=True)
class Payer:
    """Who pays, under the id that the receiver of the file knows it by."""

    name: str
    payer_id: str
    address: Address | None = None


@dataclass(frozen=True)
class Coverage:
    """The coverage that is billed: rank P, S or T, and the subscriber who holds it."""

    payer: Payer
    subscriber: Person
    member_id: str
    filing_code: str  # SBR09, such as MB or CI
    rank: str = "P"
    group_number: str = ""
    group_name: str = ""
    secondary_reason: str = ""  # SBR05, where Medicare pays second


@dataclass(frozen=True)
class Dependent:
    """A patient who is not the subscriber, and what they are to them (PAT01)."""

    person: Person
    relationship: str


@dataclass(frozen=True)
class OtherCoverage:
    """Another payer of the same patient; ``paid_cents`` is what it paid on this claim before."""

    payer: Payer
    subscriber: Name
    member_id: str
    filing_code: str
    rank: str
    relationship: str = SELF
    group_number: str = ""
    paid_cents: Cents | None = None


@dataclass(frozen=True)
class Adjustment:
    """Why another payer paid less than was charged: group, reason code, cents."""

    group: str  # CO, PR, OA, PI
    reason: str
    cents: Cents


@dataclass(frozen=True)
class Adjudication:
    """What another payer did with a line: paid cents and units, adjustments, the day it paid."""

    payer_id: str
    paid_cents: Cents
    units: int
    paid_day: date
    adjustments: tuple[Adjustment, ...] = ()


@dataclass(frozen=True)
class ServiceLine:
    """One service: code, charge for all units, days, and which diagnoses it is for (from 1)."""

    procedure: str
    charge_cents: Cents
    units: int
    from_day: date
    to_day: date
    pointers: tuple[int, ...]
    control_number: str  # REF*6R: comes back with the answers
    modifiers: tuple[str, ...] = ()
    place: str = ""  # where it differs from the claim's
    adjudications: tuple[Adjudication, ...] = ()


@dataclass(frozen=True)
class Claim:
    """A professional claim; its total is the sum of its lines, by construction."""

    control_number: str  # CLM01, the patient control number
    billing: BillingProvider
    coverage: Coverage
    place: str
    diagnoses: tuple[str, ...]
    lines: tuple[ServiceLine, ...]
    dependent: Dependent | None = None
    frequency: str = ORIGINAL
    payer_claim_number: str = ""  # REF*F8, of the claim that is replaced or voided
    prior_authorization: str = ""
    note: str = ""
    rendering: Provider | None = None
    referring: Provider | None = None
    supervising: Provider | None = None
    facility: Facility | None = None
    others: tuple[OtherCoverage, ...] = ()

    @property
    def charge_cents(self) -> Cents:
        """The claim's total (CLM02)."""
        return sum(line.charge_cents for line in self.lines)

    @property
    def patient(self) -> Person:
        """The dependent, or the subscriber who is the patient."""
        return self.dependent.person if self.dependent else self.coverage.subscriber
