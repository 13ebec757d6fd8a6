"""What all services of a claim share, from the record: practice, coverage, persons, providers.

Owns which recorded fact fills which value of a claim. Does not own services
(``rpm.actions.claim_services``) nor grouping (``billing.claims.assemble``). What the record does
not hold stays empty, and assembling tells it. Everything is read as known now: what held a service
back is mended by recording it, without another close.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlmodel import Session, col

from billing.claims.assemble import ClaimHead
from billing.claims.claim import (
    SELF,
    Address,
    BillingProvider,
    Coverage,
    Dependent,
    Name,
    Payer,
    Person,
    Provider,
)
from rpm.store.chain import chain_head
from rpm.store.queries.billing import (
    addresses_of,
    coverage_details,
    payer_billings,
    practice_billing,
    practitioner_names,
)
from rpm.store.queries.ledger import Insured, Parties, parties_of
from rpm.store.queries.people import organization_of
from rpm.store.scope import Scope
from rpm.store.tables.claims import (
    CoverageDetail,
    PatientAddress,
    PayerBilling,
    PracticeBilling,
    PractitionerName,
)
from rpm.store.tables.monitoring import EpisodeGate
from rpm.store.tables.people import Organization

_NO_ADDRESS = Address("", "", "", "")
_NO_PAYER = Payer("", "")
_PRIOR_AUTHORIZATION = "prior-auth"
_AT_ONCE = 500


@dataclass(frozen=True)
class Insurance:
    """The coverage of a service: as the claim tells it, and whose it is in the record."""

    coverage: Coverage
    payer_id: UUID | None
    dependent: Dependent | None = None
    day_range: bool = False


class Heads:
    """Makes heads of claims for some patients; equal ones are one value."""

    def __init__(self, db: Session, scope: Scope, patient_ids: Sequence[UUID]) -> None:
        known = chain_head(db, scope.organization_id).number
        self.parties: Parties = parties_of(db, scope, patient_ids, known)
        insured = [one for some in self.parties.insured.values() for one in some]
        self._billing = billing_provider(organization_of(db, scope), practice_billing(db, scope))
        self._addresses = addresses_of(db, scope, patient_ids)
        self._details = coverage_details(db, scope, [one.coverage.id for one in insured])
        self._payers = payer_billings(db, scope, {one.payer.id for one in insured})
        practitioners = self.parties.practitioners.values()
        self._names = practitioner_names(db, scope, {row.id for row in practitioners})
        self._by_id = {row.id: row for row in practitioners}
        self._gates = _authorizations(db, scope, list(self.parties.episodes))
        self._insurances: dict[tuple[UUID, UUID | None], Insurance] = {}
        self._heads: dict[tuple[Any, ...], ClaimHead] = {}

    def insurance(self, patient_id: UUID, day: date, payer_key: str | None) -> Insurance:
        """The coverage of a patient on a day, of a payer if one is told; empty values for none."""
        some = self.parties.insured.get(patient_id, [])
        found = [one for one in some if one.holds(payer_key or one.payer.key, day)]
        last = found[-1] if found else None
        key = (patient_id, last.coverage.id if last else None)
        if key not in self._insurances:
            self._insurances[key] = self._insurance(patient_id, last)
        return self._insurances[key]

    def _insurance(self, patient_id: UUID, insured: Insured | None) -> Insurance:
        row = self.parties.patients[patient_id]
        home = _home(self._addresses.get(patient_id))
        patient = Person(Name(row.family_name, row.given_name), row.birth_date, row.sex, home)
        if insured is None:
            return Insurance(Coverage(_NO_PAYER, patient, "", ""), None)
        detail = self._details.get(insured.coverage.id)
        billed = self._payers.get(insured.payer.id)
        subscriber, dependent = _subscriber(patient, detail)
        coverage = Coverage(
            payer=_payer(insured.payer, billed),
            subscriber=subscriber,
            member_id=insured.coverage.member_id,
            filing_code=billed.filing_code if billed else "",
            rank=detail.rank if detail else "P",
            group_number=detail.group_number if detail else "",
            group_name=detail.group_name if detail else "",
        )
        ranges = billed is not None and billed.day_range
        return Insurance(coverage, insured.payer.id, dependent, ranges)

    def rendering(self, npi: str) -> Provider | None:
        """A practitioner of the practice by NPI; None for another's."""
        row = self.parties.practitioners.get(npi)
        return None if row is None else _provider(row, self._names.get(row.id))

    def rendering_by_id(self, practitioner_id: UUID | None) -> Provider | None:
        """A practitioner of the practice; None where none is told."""
        row = None if practitioner_id is None else self._by_id.get(practitioner_id)
        return None if row is None else _provider(row, self._names.get(row.id))

    def authorization(self, episode_id: UUID | None, day: date) -> str:
        """The reference of the prior authorization of an episode on a day."""
        for gate in self._gates.get(episode_id, ()) if episode_id else ():
            if gate.from_day <= day and (gate.to_day is None or day <= gate.to_day):
                return gate.reference or ""
        return ""

    def head(
        self, insurance: Insurance, rendering: Provider | None, authorization: str = ""
    ) -> ClaimHead:
        """The head of these."""
        key = (id(insurance), rendering, authorization)
        if key not in self._heads:
            self._heads[key] = ClaimHead(
                billing=self._billing,
                coverage=insurance.coverage,
                rendering=rendering,
                dependent=insurance.dependent,
                prior_authorization=authorization,
            )
        return self._heads[key]


def billing_provider(organization: Organization, told: PracticeBilling | None) -> BillingProvider:
    """The practice as a claim names it; what is not recorded is empty."""
    if told is None:
        name = Name(organization.name, organization=True)
        return BillingProvider(name, organization.npi, _NO_ADDRESS, organization.tax_id or "")
    return BillingProvider(
        Name(told.name, organization=True),
        organization.npi,
        Address(told.street, told.city, told.state, told.postal_code, told.street_more),
        told.tax_id,
        told.tax_id_kind,
        told.taxonomy,
    )


def _home(told: PatientAddress | None) -> Address | None:
    if told is None:
        return None
    return Address(told.street, told.city, told.state, told.postal_code, told.street_more)


def _payer(row: Any, billed: PayerBilling | None) -> Payer:
    if billed is None:
        return Payer(row.name, row.edi_payer_id or "")
    address = Address(
        billed.street, billed.city, billed.state, billed.postal_code, billed.street_more
    )
    return Payer(row.name, billed.edi_payer_id, address if billed.street else None)


def _subscriber(patient: Person, detail: CoverageDetail | None) -> tuple[Person, Dependent | None]:
    """Who holds the coverage, and the patient where that is another."""
    if detail is None or detail.relationship == SELF or detail.subscriber is None:
        return patient, None
    told = detail.subscriber
    born, street = told.get("birth_date"), told.get("street")
    name = Name(told["last"], told["first"], told.get("middle", ""), told.get("suffix", ""))
    address = (
        Address(
            street, told["city"], told["state"], told["postal_code"], told.get("street_more", "")
        )
        if street
        else None
    )
    birth_day = date.fromisoformat(born) if born else None
    subscriber = Person(name, birth_day, told.get("sex", ""), address)
    return subscriber, Dependent(patient, detail.relationship)


def _provider(row: Any, name: PractitionerName | None) -> Provider:
    told = Name("") if name is None else Name(name.last, name.first, name.middle, name.suffix)
    return Provider(told, row.npi, row.taxonomy or "")


def _authorizations(
    db: Session, scope: Scope, episode_ids: Sequence[UUID]
) -> dict[UUID, list[EpisodeGate]]:
    found: dict[UUID, list[EpisodeGate]] = {}
    for start in range(0, len(episode_ids), _AT_ONCE):
        some = episode_ids[start : start + _AT_ONCE]
        rows = scope.all_of(
            db,
            EpisodeGate,
            col(EpisodeGate.episode_id).in_(some),
            col(EpisodeGate.gate) == _PRIOR_AUTHORIZATION,
        )
        for row in rows:
            found.setdefault(row.episode_id, []).insert(0, row)
    return found
