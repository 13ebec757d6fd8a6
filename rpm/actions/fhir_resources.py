"""FHIR resources of what is recorded, page by page, as known at an audit event.

Owns which rows become which resource, and the pages. Does not own the form of a resource
(``billing.claims.fhir``). What was known at an audit event never changes: the same pages, asked for
again, are the same.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from billing.claims.claim import Address, Name
from billing.claims.claim_json import json_to_claim
from billing.claims.fhir import records
from billing.claims.fhir.claims import ClaimIds, claim_resource
from billing.claims.fhir.parts import Resource
from rpm.store.device_days import holds
from rpm.store.scope import Scope
from rpm.store.tables.base import Fact
from rpm.store.tables.claims import (
    ClaimRecord,
    ClaimVersion,
    CoverageDetail,
    PatientAddress,
    PracticeBilling,
    PractitionerName,
)
from rpm.store.tables.coding import Visit
from rpm.store.tables.ledger import Posting
from rpm.store.tables.monitoring import (
    AssociationEnd,
    Device,
    DeviceAssociation,
    Episode,
    Reading,
)
from rpm.store.tables.people import (
    Coverage,
    CoverageEnd,
    Organization,
    Patient,
    Payer,
    Practitioner,
)

AT_ONCE = 500
_RANKS = {"P": 1, "S": 2, "T": 3}
_STATUSES = {"final": "final", "corrected": "corrected"}


@dataclass(frozen=True)
class Known:
    """What is asked: up to which audit event, and perhaps only what was recorded since."""

    until: int
    today: date
    since: datetime | None = None


@dataclass(frozen=True)
class _Reader:
    db: Session
    scope: Scope
    known: Known

    @property
    def own_system(self) -> str:
        """The system of the practice's own numbers."""
        return f"urn:uuid:{self.scope.organization_id}"

    @property
    def practice_id(self) -> str:
        return str(self.scope.organization_id)

    def latest(self, table: type[Fact], parent: str, ids: Collection[UUID]) -> dict[UUID, Any]:
        """For each parent the row recorded last, as known."""
        rows = self.db.exec(
            self.scope.rows(table)
            .where(
                col(getattr(table, parent)).in_(ids),
                col(table.audit_number) <= self.known.until,
            )
            .order_by(col(table.audit_number), col(table.id))
        )
        return {getattr(row, parent): row for row in rows}

    def of(self, table: type[Any], *conditions: Any) -> Sequence[Any]:
        """Rows as known."""
        known = col(table.audit_number) <= self.known.until
        return self.scope.all_of(self.db, table, known, *conditions)


_Make = Callable[[_Reader, Sequence[Any]], Iterator[Resource | None]]


@dataclass(frozen=True)
class _Kind:
    """A type of resource: its table, tables whose later rows change it, and how it is made."""

    table: type[Fact]
    make: _Make
    related: tuple[tuple[type[Fact], str], ...] = ()
    conditions: Callable[[_Reader], list[Any]] = lambda _: []


def pages(
    db: Session,
    scope: Scope,
    kind: str,
    known: Known,
    after: UUID | None = None,
    at_once: int = AT_ONCE,
) -> tuple[list[Resource], UUID | None]:
    """Up to ``at_once`` resources of a type, and where the next page begins; None at the end.

    KeyError for a type that is not given.
    """
    reader = _Reader(db, scope, known)
    if kind == "Organization":
        return list(_organizations(reader)), None
    spec = _KINDS[kind]
    table = spec.table
    query = (
        scope.rows(table)
        .where(col(table.audit_number) <= known.until, *spec.conditions(reader))
        .order_by(col(table.id))
        .limit(at_once)
    )
    if known.since is not None:
        query = query.where(_changed(scope, spec, known.since))
    if after is not None:
        query = query.where(col(table.id) > after)
    rows = db.exec(query).all()
    made = [one for one in spec.make(reader, rows) if one is not None]
    return made, rows[-1].id if len(rows) == at_once else None


def all_resources(db: Session, scope: Scope, kind: str, known: Known) -> Iterator[Resource]:
    """Every resource of a type."""
    after: UUID | None = None
    while True:
        made, after = pages(db, scope, kind, known, after)
        yield from made
        if after is None:
            return


def _changed(scope: Scope, spec: _Kind, since: datetime) -> Any:
    condition = col(spec.table.recorded_at) > since
    for table, parent in spec.related:
        changed = select(col(getattr(table, parent))).where(
            col(table.organization_id) == scope.organization_id, col(table.recorded_at) > since
        )
        condition = condition | col(spec.table.id).in_(changed)
    return condition


def _organizations(reader: _Reader) -> Iterator[Resource]:
    practice = reader.db.get_one(Organization, reader.scope.organization_id)
    told = reader.of(PracticeBilling)
    billing = told[-1] if told else None
    place = None if billing is None else _address(billing)
    phone = "" if billing is None else billing.contact_phone
    tax_id = practice.tax_id or "" if billing is None else billing.tax_id
    yield records.organization(
        str(practice.id), practice.name, practice.npi, tax_id, place=place, telephone=phone
    )
    for payer in reader.of(Payer):
        yield records.payer(
            str(payer.id), payer.name, reader.own_system, payer.edi_payer_id or payer.key
        )


def _practitioners(reader: _Reader, rows: Sequence[Practitioner]) -> Iterator[Resource]:
    names = reader.latest(PractitionerName, "practitioner_id", [row.id for row in rows])
    for row in rows:
        parts = names.get(row.id)
        name = parts and Name(parts.last, parts.first, parts.middle, parts.suffix)
        yield records.practitioner(str(row.id), row.npi, name, row.name, row.taxonomy or "")


def _patients(reader: _Reader, rows: Sequence[Patient]) -> Iterator[Resource]:
    addresses = reader.latest(PatientAddress, "patient_id", [row.id for row in rows])
    for row in rows:
        lives = addresses.get(row.id)
        yield records.patient(
            str(row.id),
            record_number=row.record_number,
            own_system=reader.own_system,
            name=Name(row.family_name, row.given_name),
            birth_day=row.birth_date,
            sex=row.sex,
            practice_id=reader.practice_id,
            place=None if lives is None else _address(lives),
            telephone="" if lives is None else lives.phone,
        )


def _coverages(reader: _Reader, rows: Sequence[Coverage]) -> Iterator[Resource]:
    ids = [row.id for row in rows]
    ends = reader.latest(CoverageEnd, "coverage_id", ids)
    details = reader.latest(CoverageDetail, "coverage_id", ids)
    for row in rows:
        end, detail = ends.get(row.id), details.get(row.id)
        yield records.coverage(
            str(row.id),
            patient_id=str(row.patient_id),
            payer_id=str(row.payer_id),
            member_id=row.member_id,
            first=row.from_day,
            last=row.to_day if end is None else end.last_day,
            today=reader.known.today,
            group_number="" if detail is None else detail.group_number,
            order=None if detail is None else _RANKS.get(detail.rank),
        )


def _devices(reader: _Reader, rows: Sequence[Device]) -> Iterator[Resource]:
    held = reader.latest(DeviceAssociation, "device_id", [row.id for row in rows])
    ended = reader.latest(AssociationEnd, "association_id", [one.id for one in held.values()])
    for row in rows:
        association = held.get(row.id)
        with_patient = association is not None and association.id not in ended
        yield records.device(
            str(row.id),
            row.vendor_device_id,
            f"{reader.own_system}:{row.vendor}",
            serial=row.serial,
            make=row.make,
            model=row.model,
            patient_id=str(association.patient_id) if association and with_patient else None,
        )


def _observations(_reader: _Reader, rows: Sequence[Reading]) -> Iterator[Resource | None]:
    for row in rows:
        yield records.observation(
            str(row.id),
            row.components,
            patient_id=str(row.patient_id),
            device_id=str(row.device_id) if row.device_id else None,
            status=_STATUSES.get(row.status, "entered-in-error"),
            measured_at=row.measured_at,
            day=row.local_day,
            issued=row.received_at,
        )


def _encounters(reader: _Reader, rows: Sequence[Visit]) -> Iterator[Resource]:
    for row in rows:
        yield records.encounter(
            str(row.id),
            patient_id=str(row.patient_id),
            practitioner_id=str(row.practitioner_id) if row.practitioner_id else None,
            practice_id=reader.practice_id,
            day=row.service_day,
            modality=row.facts.get("modality", ""),
            diagnoses=_visit_diagnoses(row.facts),
            withdrawn=row.withdrawn,
        )


def _visit_diagnoses(facts: dict[str, Any]) -> list[str]:
    """Diagnoses among a visit's further facts, ``dx=F32.1|I10``."""
    for part in str(facts.get("fields", "")).split(";"):
        name, _, told = part.partition("=")
        if name.strip() == "dx":
            return [code.strip() for code in told.split("|") if code.strip()]
    return []


def _charge_items(reader: _Reader, rows: Sequence[Posting]) -> Iterator[Resource]:
    keys = [row.key for row in rows]
    taken_back = {
        (one.key, one.ordinal)
        for one in reader.of(Posting, col(Posting.key).in_(keys), col(Posting.sign) == -1)
    }
    asked = {row.episode_id for row in rows if row.episode_id is not None}
    episodes = {one.id: one for one in reader.of(Episode, col(Episode.id).in_(asked))}
    for row in rows:
        episode = episodes.get(row.episode_id)
        yield records.charge_item(
            str(row.id),
            patient_id=str(row.patient_id),
            practice_id=reader.practice_id,
            procedure_code=row.code,
            units=row.units,
            first=row.service_day,
            last=row.service_day,
            reversed_since=(row.key, row.ordinal) in taken_back,
            entered_at=row.recorded_at,
            diagnoses=[] if episode is None else episode.diagnosis_codes,
        )


def _claims(reader: _Reader, rows: Sequence[ClaimRecord]) -> Iterator[Resource]:
    versions = reader.latest(ClaimVersion, "claim_id", [row.id for row in rows])
    patients = {row.patient_id for row in rows}
    covered = reader.of(Coverage, col(Coverage.patient_id).in_(patients))
    for row in rows:
        version = versions.get(row.id)
        content = row.content if version is None else version.content
        yield claim_resource(
            json_to_claim(content),
            ClaimIds(
                claim=str(row.id),
                patient=str(row.patient_id),
                coverage=_coverage_id(row, covered),
                practice=reader.practice_id,
                payer=str(row.payer_id),
                own_system=reader.own_system,
            ),
            row.recorded_at if version is None else version.recorded_at,
        )


def _coverage_id(claim: ClaimRecord, covered: Sequence[Coverage]) -> str:
    """The coverage that the claim bills; empty where none of its payer began by then."""
    fitting = [
        one
        for one in covered
        if one.patient_id == claim.patient_id
        and one.payer_id == claim.payer_id
        and one.from_day <= claim.from_day
    ]
    return str(max(fitting, key=lambda one: one.from_day).id) if fitting else ""


def _address(row: Any) -> Address:
    return Address(row.street, row.city, row.state, row.postal_code, row.street_more)


def _held_readings(reader: _Reader) -> list[Any]:
    return [col(Reading.patient_id).is_not(None), holds(reader.known.until)]


def _standing_visits(reader: _Reader) -> list[Any]:
    replaced = select(col(Visit.replaces_id)).where(
        col(Visit.organization_id) == reader.scope.organization_id,
        col(Visit.replaces_id).is_not(None),
        col(Visit.audit_number) <= reader.known.until,
    )
    return [col(Visit.id).not_in(replaced)]


def _issues(_reader: _Reader) -> list[Any]:
    return [col(Posting.sign) == 1]


_KINDS: dict[str, _Kind] = {
    "Practitioner": _Kind(Practitioner, _practitioners, ((PractitionerName, "practitioner_id"),)),
    "Patient": _Kind(Patient, _patients, ((PatientAddress, "patient_id"),)),
    "Coverage": _Kind(
        Coverage,
        _coverages,
        ((CoverageEnd, "coverage_id"), (CoverageDetail, "coverage_id")),
    ),
    "Device": _Kind(Device, _devices, ((DeviceAssociation, "device_id"),)),
    "Observation": _Kind(Reading, _observations, conditions=_held_readings),
    "Encounter": _Kind(Visit, _encounters, conditions=_standing_visits),
    "ChargeItem": _Kind(Posting, _charge_items, conditions=_issues),
    "Claim": _Kind(ClaimRecord, _claims, ((ClaimVersion, "claim_id"),)),
}
