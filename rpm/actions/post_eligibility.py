"""Take an eligibility answer (271) in: kept whole, once, with what it says of whom.

Owns matching by trace number, and what becomes a check that coding asks. Does not own reading
(``billing.claims.x12.eligibility271``). What was not told stays unknown; who is nobody here is kept
and told.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from types import MappingProxyType
from uuid import UUID

from sqlmodel import Session

from billing.claims.x12.eligibility271 import (
    ACTIVE,
    INACTIVE,
    Answered,
    Coverage271,
    read_271,
)
from billing.coding.encounter import PAYERS
from billing.finding import Finding, Severity
from rpm.access import Actor, require
from rpm.actions.practice_day import practice_today
from rpm.store.chain import Record, recording
from rpm.store.queries.eligibility import answers_of_message, inquiry_with_trace
from rpm.store.queries.people import hold_organization
from rpm.store.queries.proposals import QUARANTINED, READ, message_with_digest
from rpm.store.scope import Scope
from rpm.store.tables.coding import EligibilityCheck
from rpm.store.tables.people import Coverage, Payer
from rpm.store.tables.proposals import EligibilityAnswer, EligibilityInquiry, InboundMessage

SOURCE = "271"
_CODING_PAYERS: Mapping[str, str] = MappingProxyType(
    {
        "MEDICARE_B": "MCR",
        "COM_AETNA": "AETNA_COM",
        "COM_ANTHEM": "ANTHEM_COM",
        "COM_CIGNA": "CIGNA_COM",
        "COM_UNITEDHEALTHCARE": "UHC_COM",
    }
)
"""Payers of the rule book -> of coding; those of Medicaid have one word in both."""
_STANDINGS = {ACTIVE: "active", INACTIVE: "terminated"}


@dataclass(frozen=True)
class PostedEligibility:
    """A file as it is kept, its answers, and what is wrong with it."""

    message: InboundMessage
    answers: tuple[EligibilityAnswer, ...]
    findings: tuple[Finding, ...]
    repeated: bool

    @property
    def unmatched(self) -> int:
        """Answers about nobody who was asked about here."""
        return sum(one.patient_id is None for one in self.answers)


def post_eligibility(
    db: Session, actor: Actor, now: datetime, name: str, content: bytes
) -> PostedEligibility:
    """The file; the same again changes nothing. One that answers about nobody is quarantined."""
    require(actor, "remittances:post")
    scope = Scope.of(actor)
    digest = hashlib.sha256(content).hexdigest()
    hold_organization(db, scope)
    known = message_with_digest(db, scope, digest)
    if known is not None:
        kept = tuple(answers_of_message(db, scope, known.id))
        found = tuple(Finding(one["code"], one["where"], one["message"]) for one in known.findings)
        return PostedEligibility(known, kept, found, repeated=True)
    read = read_271(content)
    today = practice_today(db, scope, now)
    matched = [_matched(db, scope, one) for one in read.people]
    found = (*read.findings, *_about(read, matched))
    refused = any(one.severity is Severity.ERROR for one in found)
    with recording(db, actor, now, "eligibility.answer") as record:
        message = record.add(
            InboundMessage(
                source=SOURCE,
                name=name[:200],
                sha256=digest,
                content=content,
                state=QUARANTINED if refused else READ,
                findings=[
                    {"code": one.code, "where": one.where, "message": one.message} for one in found
                ],
            )
        )
        record.subject["message_id"] = message.id
        answers = tuple(
            _recorded(db, scope, record, message, ordinal, told, inquiry, today)
            for ordinal, (told, inquiry) in enumerate(
                zip(read.people, matched, strict=True), start=1
            )
        )
    return PostedEligibility(message, answers, found, repeated=False)


def _matched(db: Session, scope: Scope, told: Coverage271) -> EligibilityInquiry | None:
    return inquiry_with_trace(db, scope, told.trace_number) if told.trace_number else None


def _about(read: Answered, matched: list[EligibilityInquiry | None]) -> list[Finding]:
    found = []
    for ordinal, (told, inquiry) in enumerate(zip(read.people, matched, strict=True), start=1):
        where = f"answer {ordinal}"
        if inquiry is None:
            message = "It answers no inquiry of this practice; nobody's coverage is told by it."
            found.append(Finding("W_NOT_ASKED", where, message))
        if told.refusals:
            message = "The payer could not answer; its reasons stand with the answer (AAA03)."
            found.append(Finding("W_PAYER_REFUSED", where, message))
    return found


def _recorded(
    db: Session,
    scope: Scope,
    record: Record,
    message: InboundMessage,
    ordinal: int,
    told: Coverage271,
    inquiry: EligibilityInquiry | None,
    today: date,
) -> EligibilityAnswer:
    check_id = None if inquiry is None else _check(db, scope, record, told, inquiry, today)
    plain = replace(told, begins=None, ends=None)
    return record.add(
        EligibilityAnswer(
            message_id=message.id,
            ordinal=ordinal,
            inquiry_id=None if inquiry is None else inquiry.id,
            patient_id=None if inquiry is None else inquiry.patient_id,
            check_id=check_id,
            standing=told.standing,
            plan_name=told.plan_name,
            copay_cents=told.copay_cents,
            coinsurance_percent=told.coinsurance_percent,
            deductible_left_cents=told.deductible_left_cents,
            covers_telehealth=told.covers_telehealth,
            covers_monitoring=told.covers_monitoring,
            checked_on=today,
            detail={
                "benefits": [asdict(one) for one in plain.benefits],
                "refusals": list(plain.refusals),
                "begins": told.begins.isoformat() if told.begins else None,
                "ends": told.ends.isoformat() if told.ends else None,
            },
        )
    )


def _check(
    db: Session,
    scope: Scope,
    record: Record,
    told: Coverage271,
    inquiry: EligibilityInquiry,
    today: date,
) -> UUID | None:
    """What coding asks, for the day that was asked about and the plan's days around it.

    None where coding does not know the payer, and where the answer says neither yes nor no.
    """
    coverage = scope.get(db, Coverage, inquiry.coverage_id)
    key = scope.get(db, Payer, coverage.payer_id).key
    payer = _CODING_PAYERS.get(key, key)
    if payer not in PAYERS or told.standing not in _STANDINGS:
        return None
    is_active = told.standing == ACTIVE
    begins = told.begins if is_active and told.begins else inquiry.service_day
    ends = told.ends if is_active and told.ends else inquiry.service_day
    check = record.add(
        EligibilityCheck(
            patient_id=inquiry.patient_id,
            payer=payer,
            standing=_STANDINGS[told.standing],
            checked_on=today,
            valid_from=min(begins, inquiry.service_day),
            valid_to=max(ends, inquiry.service_day),
            covers_telehealth=told.covers_telehealth,
            covers_monitoring=told.covers_monitoring,
            note="from the payer's answer (271)",
        )
    )
    return check.id
