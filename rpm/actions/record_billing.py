"""Record what claims need beside the ledger: who bills, where patients live, how payers are billed.

Owns these facts' commands: each is another row, and the latest counts. Does not own how they fill a
claim (``rpm.actions.claim_services``) nor the schedule of charges (``rpm.actions.load_charges``).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator
from sqlmodel import Session

from billing.claims.claim import EMPLOYER_ID, SELF, SEXES, SOCIAL_SECURITY
from rpm.access import Actor, require
from rpm.actions.command import NOT_BLANK, Command, Day, Id, Name, OneOf, Reason
from rpm.store.chain import recording
from rpm.store.scope import Scope
from rpm.store.tables.base import Fact
from rpm.store.tables.claims import (
    CoverageDetail,
    PatientAddress,
    PayerBilling,
    PracticeBilling,
    PractitionerName,
)
from rpm.store.tables.people import Coverage, Patient, Payer, Practitioner

T = TypeVar("T", bound=Fact)
_MOST_DAYS = 3_650
_NINE_DIGITS = 9


def _without_marks(value: object) -> object:
    """Digits as people write them, without hyphens, points, blanks and parentheses."""
    if isinstance(value, str):
        return "".join(one for one in value if one not in "-.() ")
    return value


def _digits(count: int, more: int = 0) -> Any:
    """How such a text is described: so many digits, or ``more`` beside them, among marks."""
    marks = "[-.() ]*"
    tail = f"(([0-9]{marks}){{{more}}})?" if more else ""
    return Field(json_schema_extra={"pattern": f"^{marks}([0-9]{marks}){{{count}}}{tail}$"})


def _nine(value: str) -> str:
    if len(value) != _NINE_DIGITS:
        raise ValueError("a claim asks for all nine digits of the practice's postal code")
    return value


Street = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=55), NOT_BLANK
]
City = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=2, max_length=30),
    Field(json_schema_extra={"pattern": r"\S[\s\S]*\S"}),
]
State = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), Field(examples=["IL"])]
PostalCode = Annotated[
    str,
    BeforeValidator(_without_marks),
    StringConstraints(pattern=r"^[0-9]{5}([0-9]{4})?$"),
    _digits(5, 4),
    Field(examples=["62704"], description="5 or 9 digits."),
]
Phone = Annotated[
    str,
    BeforeValidator(_without_marks),
    StringConstraints(pattern=r"^[0-9]{10}$"),
    _digits(10),
    Field(examples=["2175550100"], description="10 digits."),
]
Taxonomy = Annotated[
    str, StringConstraints(pattern=r"^[0-9A-Z]{9}X$"), Field(examples=["207R00000X"])
]
Part = Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)]
Days = Annotated[int, Field(ge=1, le=_MOST_DAYS)]


class SetPracticeBilling(Command):
    """How the practice stands on its claims: the billing provider, and whom to ask."""

    name: Annotated[Part, StringConstraints(min_length=1), NOT_BLANK]
    street: Street = Field(description="Never a post box.", examples=["100 MAIN ST"])
    street_more: Street | None = None
    city: City = Field(examples=["SPRINGFIELD"])
    state: State
    postal_code: Annotated[PostalCode, AfterValidator(_nine)] = Field(examples=["627010001"])
    tax_id: Annotated[
        str, BeforeValidator(_without_marks), StringConstraints(pattern=r"^[0-9]{9}$"), _digits(9)
    ] = Field(examples=["371234567"])
    tax_id_kind: Annotated[str, OneOf((EMPLOYER_ID, SOCIAL_SECURITY))] = EMPLOYER_ID
    taxonomy: Taxonomy | None = None
    contact_name: Name = Field(examples=["Billing office"])
    contact_phone: Phone
    submitter_id: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2,15}$")] = Field(
        description="Under which the clearinghouse knows the practice.", examples=["LAKESIDE"]
    )
    reason: Reason


class RecordPatientAddress(Command):
    """Where a patient lives."""

    patient_id: Id
    street: Street
    street_more: Street | None = None
    city: City
    state: State
    postal_code: PostalCode
    phone: Phone | None = None


class RecordPractitionerName(Command):
    """A practitioner's name by its parts, as the payers have it."""

    practitioner_id: Id
    last: Annotated[Part, StringConstraints(min_length=1), NOT_BLANK]
    first: Annotated[Part, StringConstraints(min_length=1), NOT_BLANK]
    middle: Part | None = None
    suffix: Part | None = None


class SetPayerBilling(Command):
    """How a payer is billed."""

    payer_id: Id
    edi_payer_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,50}$")] = Field(
        description="Under which the clearinghouse knows the payer.", examples=["06102"]
    )
    filing_code: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{2}$")] = Field(
        description="Kind of payer (SBR09): MB is Medicare Part B, CI commercial.", examples=["MB"]
    )
    street: Street | None = None
    street_more: Street | None = None
    city: City | None = None
    state: State | None = None
    postal_code: PostalCode | None = None
    day_range: bool = Field(default=False, description="Supply periods leave as a range of days.")
    timely_filing_days: Days | None = Field(default=None, description="Left out: not recorded.")
    appeal_days: Days | None = Field(default=None, description="Left out: not recorded.")
    clearinghouse_key: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")] | None = (
        Field(default=None, description="Left out: the practice's only one.")
    )

    @model_validator(mode="after")
    def _whole_or_none(self) -> "SetPayerBilling":
        parts = (self.street, self.city, self.state, self.postal_code)
        if any(parts) and not all(parts):
            raise ValueError("an address has street, city, state and postal code, or is left out")
        return self


class Subscriber(Command):
    """Who holds a coverage, where that is not the patient."""

    last: Annotated[Part, StringConstraints(min_length=1), NOT_BLANK]
    first: Annotated[Part, StringConstraints(min_length=1), NOT_BLANK]
    middle: Part | None = None
    suffix: Part | None = None
    birth_date: Day | None = None
    sex: Annotated[str, OneOf(SEXES)] | None = None
    street: Street | None = None
    street_more: Street | None = None
    city: City | None = None
    state: State | None = None
    postal_code: PostalCode | None = None


class RecordCoverageDetail(Command):
    """What a claim tells of a coverage beyond payer and member id."""

    coverage_id: Id
    rank: Annotated[str, OneOf(("P", "S", "T"))] = Field(
        default="P", description="Primary, secondary, tertiary."
    )
    group_number: Part | None = None
    group_name: Part | None = None
    relationship: Annotated[str, StringConstraints(pattern=r"^[0-9G][0-9]$")] = Field(
        default=SELF, description="Of the patient to the subscriber: 18 is self, 01 spouse."
    )
    subscriber: Subscriber | None = None

    @model_validator(mode="after")
    def _told_where_needed(self) -> "RecordCoverageDetail":
        if (self.relationship == SELF) != (self.subscriber is None):
            raise ValueError("who holds the coverage is told when, and only when, it is another")
        return self


def set_practice_billing(
    db: Session, actor: Actor, now: datetime, command: SetPracticeBilling
) -> PracticeBilling:
    """What stands on claims from now on."""
    require(actor, "claims:write")
    row = PracticeBilling(**_told(command))
    return _recorded(db, actor, now, "practice.bill", {}, row, command.reason)


def record_patient_address(
    db: Session, actor: Actor, now: datetime, command: RecordPatientAddress
) -> PatientAddress:
    """The address that counts from now on."""
    require(actor, "patients:write")
    Scope.of(actor).get(db, Patient, command.patient_id)
    subject = {"patient_id": command.patient_id}
    row = PatientAddress(**_told(command))
    return _recorded(db, actor, now, "patient.address", subject, row)


def record_practitioner_name(
    db: Session, actor: Actor, now: datetime, command: RecordPractitionerName
) -> PractitionerName:
    """The name that counts from now on."""
    require(actor, "claims:write")
    Scope.of(actor).get(db, Practitioner, command.practitioner_id)
    subject = {"practitioner_id": command.practitioner_id}
    row = PractitionerName(**_told(command))
    return _recorded(db, actor, now, "practitioner.name", subject, row)


def set_payer_billing(
    db: Session, actor: Actor, now: datetime, command: SetPayerBilling
) -> PayerBilling:
    """How the payer is billed from now on."""
    require(actor, "claims:write")
    Scope.of(actor).get(db, Payer, command.payer_id)
    subject = {"payer_id": command.payer_id}
    return _recorded(db, actor, now, "payer.bill", subject, PayerBilling(**_told(command)))


def record_coverage_detail(
    db: Session, actor: Actor, now: datetime, command: RecordCoverageDetail
) -> CoverageDetail:
    """The detail that counts from now on."""
    require(actor, "patients:write")
    coverage = Scope.of(actor).get(db, Coverage, command.coverage_id)
    subject = {"patient_id": coverage.patient_id, "coverage_id": coverage.id}
    told = _told(command)
    if command.subscriber is not None:
        told["subscriber"] = command.subscriber.model_dump(mode="json", exclude_none=True)
    return _recorded(db, actor, now, "coverage.detail", subject, CoverageDetail(**told))


def _told(command: Command) -> dict[str, Any]:
    """The fields that were given; the table has the values of the others."""
    return command.model_dump(exclude_none=True, exclude={"subscriber"})


def _recorded(
    db: Session,
    actor: Actor,
    now: datetime,
    action: str,
    subject: Mapping[str, Any],
    row: T,
    reason: str | None = None,
) -> T:
    with recording(db, actor, now, action, subject, reason) as record:
        return record.add(row)
