"""Visits coded for a practice: its loaded tables, and the licenses and coverage it holds.

Owns what the record adds to the facts of a visit. Does not own coding (``billing.coding``). Nothing
is stored here.
"""

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from sqlmodel import Session

from billing.coding import authority
from billing.coding.code_visit import code_visit
from billing.coding.coded import CodedVisit
from billing.coding.encounter import CompactRow, Encounter, Licence
from billing.coding.lines import Line
from billing.coding.rules_read import shipped_coding_rules
from billing.days import day_number
from billing.rules.book import RuleBook
from billing.rules.edits import Edits
from rpm.store.queries.visits import (
    authorities_of,
    authorizations_on,
    compact_members,
    eligibility_on,
)
from rpm.store.rule_books import book_of
from rpm.store.scope import Scope
from rpm.store.tables.coding import PractitionerAuthority
from rpm.store.tables.people import Patient


@dataclass(frozen=True)
class Coder:
    """What a practice codes visits with, as known on a day."""

    book: RuleBook
    known_day: date

    def code(self, encounter: Encounter, submitted: tuple[Line, ...] | None) -> CodedVisit:
        """The visit coded; with ``submitted`` those lines are judged and repaired."""
        return code_visit(
            encounter,
            shipped_coding_rules(),
            self.known_day,
            submitted=submitted,
            fees=self.book.fees,
            pairs=self.pairs(encounter.dos),
        )

    def pairs(self, dos: date) -> Edits | None:
        """The loaded NCCI tables of a day of service."""
        return self.book.edits.on(day_number(dos))


def coder(db: Session, scope: Scope, known_day: date) -> Coder:
    """Coding with the practice's own pages and loaded tables."""
    return Coder(book_of(db, scope.organization_id), known_day)


def completed(
    db: Session,
    scope: Scope,
    encounter: Encounter,
    patient_id: UUID | None,
    practitioner_id: UUID | None,
) -> Encounter:
    """The encounter with what the record holds where the request told nothing of it.

    Licenses and compacts of the practitioner; age, eligibility and authorization of the patient.
    What a request tells is kept.
    """
    if practitioner_id is not None and not encounter.authority_told:
        encounter = _with_authority(db, scope, encounter, practitioner_id)
    if patient_id is None:
        return encounter
    if encounter.age is None:
        born = scope.get(db, Patient, patient_id).birth_date
        encounter = replace(encounter, age=_age(born, encounter.dos))
    check = eligibility_on(db, scope, patient_id, encounter.payer, encounter.dos)
    if check is not None and encounter.eligibility == "active":
        encounter = replace(encounter, eligibility=check.standing)
    held = authorizations_on(db, scope, patient_id, encounter.payer, encounter.dos)
    if held and encounter.auth == "not_required":
        encounter = replace(encounter, auth=_standing([row.standing for row in held]))
    return encounter


def _age(born: date, day: date) -> int:
    """Whole years on a day."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _standing(words: list[str]) -> str:
    """One on file answers one that is missing."""
    return "on_file" if "on_file" in words else min(words)


def _with_authority(
    db: Session, scope: Scope, encounter: Encounter, practitioner_id: UUID
) -> Encounter:
    rows = authorities_of(db, scope, practitioner_id)
    if not rows:
        return encounter
    day = encounter.dos
    held = [row for row in rows if _authority(row).holds_on(day)]
    compacts = [row for row in held if row.compact]
    return replace(
        encounter,
        licence=tuple(
            Licence(row.jurisdiction or encounter.state) for row in held if not row.compact
        ),
        compact=tuple(CompactRow(row.compact or "", row.home_state or "") for row in compacts),
        compact_members=_members(db, scope, sorted({row.compact or "" for row in compacts}), day),
    )


def _authority(row: PractitionerAuthority) -> authority.PractitionerAuthority:
    return authority.PractitionerAuthority(
        row.kind, active=row.active, valid_from=row.valid_from, valid_to=row.valid_to
    )


def _members(
    db: Session, scope: Scope, names: list[str], day: date
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The operative members of each compact of which a list was loaded."""
    rows = compact_members(db, scope)
    found = []
    for name in names:
        listed = [row for row in rows if row.compact == name]
        parts = [
            authority.CompactMember(name, row.jurisdiction, row.operative_from, row.withdrawn_on)
            for row in listed
        ]
        if listed:
            states = tuple(part.jurisdiction for part in parts if part.takes_part_on(day))
            found.append((name, states))
    return tuple(found)
