"""Services of a close for claims: its first issues, with what the record holds about each.

Owns which recorded fact fills which value of a claim. Does not own grouping and numbering
(``billing.claims.assemble``). What the record does not hold stays empty, and assembling tells it:
addresses, the kind of payer, and names of practitioners by their parts. Corrections of earlier
lines are left out: they replace or void claims that were sent.
"""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

from billing.claims.assemble import ClaimHead, Service
from billing.claims.claim import (
    Address,
    BillingProvider,
    Coverage,
    Name,
    Payer,
    Person,
    Provider,
)
from rpm.actions.export_lines import originals
from rpm.store.queries.ledger import Insured, Parties, parties_of, postings_of_close
from rpm.store.queries.people import organization_of
from rpm.store.rule_books import book_of
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close
from rpm.store.tables.people import Organization

_UNKNOWN_ADDRESS = Address("", "", "", "")
_NO_PAYER = Payer("", "")


def close_services(db: Session, scope: Scope, close: Close) -> tuple[Service, ...]:
    """The lines of a close that a first claim may bill, as known at the close."""
    organization = organization_of(db, scope)
    book = book_of(db, scope.organization_id, close.audit_number)
    postings = postings_of_close(db, scope, close.id)
    billed = originals(scope.organization_id, postings, book)
    patient_ids = sorted({posting.patient_id for posting in billed})
    parties = parties_of(db, scope, patient_ids, close.audit_number)
    billing = _billing(organization)
    return tuple(_service(posting, parties, billing) for posting in billed)


def _service(posting: Any, parties: Parties, billing: BillingProvider) -> Service:
    episode = parties.episodes.get(posting.episode_id)
    ordering = "" if episode is None else episode.ordering_npi or ""
    head = ClaimHead(
        billing=billing,
        coverage=_coverage(posting, parties),
        rendering=_rendering(parties.practitioners.get(ordering)),
    )
    return Service(
        id=str(posting.id),
        head=head,
        procedure=posting.code,
        units=posting.units,
        from_day=posting.service_day,
        to_day=posting.service_day,
        place="" if episode is None else f"{episode.pos:02d}",
        diagnoses=() if episode is None else tuple(episode.diagnosis_codes),
        setting="OFFICE" if episode is None else episode.setting,
    )


def _billing(organization: Organization) -> BillingProvider:
    return BillingProvider(
        Name(organization.name, organization=True),
        organization.npi,
        _UNKNOWN_ADDRESS,
        organization.tax_id or "",
    )


def _coverage(posting: Any, parties: Parties) -> Coverage:
    row = parties.patients[posting.patient_id]
    subscriber = Person(Name(row.family_name, row.given_name), row.birth_date, row.sex)
    insured: Sequence[Insured] = parties.insured.get(posting.patient_id, ())
    found = [one for one in insured if one.holds(posting.payer_key, posting.service_day)]
    if not found:
        # the coverage was ended or changed after the line was issued
        return Coverage(_NO_PAYER, subscriber, "", "")
    coverage, payer = found[-1].coverage, found[-1].payer
    return Coverage(Payer(payer.name, payer.edi_payer_id or ""), subscriber, coverage.member_id, "")


def _rendering(practitioner: Any) -> Provider | None:
    """The ordering practitioner where that is one of the practice's; the name is not in parts."""
    if practitioner is None:
        return None
    return Provider(Name(""), practitioner.npi, practitioner.taxonomy or "")
