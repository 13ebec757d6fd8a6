"""Ask payers about patients: a file of inquiries (270), kept with who was asked about.

Owns whom to ask about and the numbers. Does not own the file's form (``billing.claims.x12.p270``)
nor sending it: a kept file goes out as a file of claims does. Asking changes nothing of a patient.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from billing.claims.x12.element import element
from billing.claims.x12.p270 import Asking, Inquiry, write_270
from billing.finding import Finding
from rpm.access import Actor, require
from rpm.actions.claim_envelope import envelope_of, local_minute
from rpm.actions.claim_heads import Heads
from rpm.actions.practice_day import practice_today
from rpm.store.chain import recording
from rpm.store.queries.billing import practice_billing
from rpm.store.queries.claims import take_numbers
from rpm.store.queries.clearinghouses import (
    INTERCHANGES,
    clearinghouse_key,
    clearinghouse_profile,
)
from rpm.store.queries.eligibility import asked_since, enrolled_patients
from rpm.store.queries.people import hold_organization, organization_of
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimFile
from rpm.store.tables.proposals import EligibilityInquiry

KIND = "270"
AGAIN_DAYS = 30
MOST_ASKED = 1_000
"""People of one file; the next file asks about the rest."""


@dataclass(frozen=True)
class Asked:
    """The file, None when nobody is due; why people were left out, by patient."""

    file: ClaimFile | None
    count: int = 0
    left_out: dict[UUID, Finding] = field(default_factory=dict)


def ask_eligibility(
    db: Session,
    actor: Actor,
    now: datetime,
    clearinghouse: str = "",
    patient_ids: Sequence[UUID] | None = None,
    again_days: int = AGAIN_DAYS,
) -> Asked:
    """Inquiries about patients, or about all enrolled ones who were not asked about lately.

    ``NotFound`` and ``Conflict`` as ``clearinghouse_key``. Who lacks a coverage, or what an inquiry
    needs, is left out and told.
    """
    require(actor, "claims:write")
    scope = Scope.of(actor)
    key = clearinghouse_key(db, scope, clearinghouse)
    profile = clearinghouse_profile(db, scope, key)
    hold_organization(db, scope)
    if patient_ids is None:
        lately = asked_since(db, scope, now - timedelta(days=again_days))
        patient_ids = [one for one in enrolled_patients(db, scope) if one not in lately]
    today = practice_today(db, scope, now)
    billing = practice_billing(db, scope)
    left_out: dict[UUID, Finding] = {}
    if billing is None:
        lacks = Finding("E_NO_BILLING_IDENTITY", "practice", "Who bills is not recorded.")
        return Asked(None, 0, dict.fromkeys(patient_ids, lacks))
    wanted = _inquiries(db, scope, list(patient_ids), today, left_out)[:MOST_ASKED]
    if not wanted:
        return Asked(None, 0, left_out)
    organization = organization_of(db, scope)
    asking = Asking(billing.name, organization.npi, billing.tax_id)
    with recording(db, actor, now, "eligibility.ask") as record:
        number = take_numbers(db, scope, INTERCHANGES, 1)
        told = envelope_of(profile, number, local_minute(now, organization), profile.usage)
        numbered = [
            (patient_id, coverage_id, _traced(inquiry, number, place))
            for place, (patient_id, coverage_id, inquiry) in enumerate(wanted, start=1)
        ]
        content = write_270(told, asking, [inquiry for _, _, inquiry in numbered])
        file = record.add(
            ClaimFile(
                kind=KIND,
                interchange_number=number,
                name=f"{number:09d}.270",
                sha256=hashlib.sha256(content).hexdigest(),
                content=content,
                clearinghouse_key=key,
                usage=profile.usage,
                claim_count=len(numbered),
                charge_cents=0,
            )
        )
        record.subject["file_id"] = file.id
        for patient_id, coverage_id, inquiry in numbered:
            record.add(
                EligibilityInquiry(
                    patient_id=patient_id,
                    coverage_id=coverage_id,
                    trace_number=inquiry.trace_number,
                    service_day=inquiry.day,
                    file_id=file.id,
                )
            )
    return Asked(file, len(numbered), left_out)


def _traced(inquiry: Inquiry, number: int, place: int) -> Inquiry:
    return replace(inquiry, trace_number=f"E{number:09d}P{place:05d}")


def _inquiries(
    db: Session,
    scope: Scope,
    patient_ids: Sequence[UUID],
    today: date,
    left_out: dict[UUID, Finding],
) -> list[tuple[UUID, UUID, Inquiry]]:
    """Patient, coverage and inquiry of everybody who can be asked about, in the order given."""
    heads = Heads(db, scope, patient_ids)
    found = []
    for patient_id in patient_ids:
        if patient_id not in heads.parties.patients:
            continue
        some = heads.parties.insured.get(patient_id, [])
        held = [one for one in some if one.holds(one.payer.key, today)]
        if not held:
            message = "The patient has no coverage today."
            left_out[patient_id] = Finding("E_NO_COVERAGE", "coverage", message)
            continue
        insurance = heads.insurance(patient_id, today, None)
        coverage, dependent = insurance.coverage, insurance.dependent
        lacking = [
            name
            for name, value in {
                "payer, id at the receiver": element(coverage.payer.payer_id),
                "payer, name": element(coverage.payer.name),
                "coverage, member id": element(coverage.member_id),
                "subscriber, name": element(coverage.subscriber.name.last),
            }.items()
            if not value
        ]
        if lacking:
            message = "It is not recorded, and an inquiry needs it."
            left_out[patient_id] = Finding("E_CLAIM_LACKS", ", ".join(lacking), message)
            continue
        inquiry = Inquiry(
            trace_number="",
            payer=coverage.payer,
            member_id=coverage.member_id,
            subscriber=coverage.subscriber,
            day=today,
            dependent=None if dependent is None else dependent.person,
        )
        found.append((patient_id, held[-1].coverage.id, inquiry))
    return found
