"""Give the claims of a month to another system: charges as HL7 v2, or a table by a profile.

Owns which claims leave so, and that it is recorded. Does not own the forms
(``billing.claims.hl7v2.dft``, ``billing.claims.claim_table``) nor files on disk.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session, col

from billing.claims.claim import ORIGINAL
from billing.claims.claim_table import TableProfile, claim_rows, profiled_csv
from billing.claims.hl7v2.dft import Charged, Ends, dft_file
from billing.claims.lifecycle import Status
from rpm.access import Actor, require
from rpm.actions.claim_events import CurrentClaim, current_claims
from rpm.store.chain import recording
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimRecord
from rpm.store.tables.people import Patient

_STAYING = frozenset(
    {Status.ASSEMBLED, Status.HELD, Status.APPROVED, Status.WITHDRAWN, Status.VOIDED}
)
"""Claims that no person has released, or that are none any more, are not given out."""


@dataclass(frozen=True)
class ExportedClaims:
    """A file, how many claims are in it, and how many of the month are not."""

    content: bytes
    claims: int
    staying: int
    corrections: int = 0  # among those staying: of a claim that left before


def export_charges(
    db: Session, actor: Actor, now: datetime, month_start_day: date, ends: Ends
) -> ExportedClaims:
    """Each released claim of a month as a DFT^P03; corrections stay, an EHR would add them."""
    chosen, staying = _released(db, actor, month_start_day)
    first = [one for one in chosen if one.frequency == ORIGINAL]
    names = _record_numbers(db, Scope.of(actor), first)
    charged = [Charged(one.claim, names[one.row.id.hex]) for one in first]
    with recording(db, actor, now, "claims.export_charges"):
        content = dft_file(charged, ends, now, f"charges-{month_start_day:%Y-%m}")
    corrections = len(chosen) - len(first)
    return ExportedClaims(content, len(first), staying + corrections, corrections)


def export_table(
    db: Session, actor: Actor, now: datetime, month_start_day: date, profile: TableProfile
) -> ExportedClaims:
    """Each line of the released claims of a month, in a profile's columns."""
    chosen, staying = _released(db, actor, month_start_day)
    names = _record_numbers(db, Scope.of(actor), chosen)
    rows = [
        row
        for one in chosen
        for row in claim_rows(
            one.claim,
            claim_id=str(one.row.id),
            batch_id=f"{month_start_day:%Y-%m}",
            record_number=names[one.row.id.hex],
        )
    ]
    with recording(db, actor, now, "claims.export_table"):
        content = profiled_csv(profile, rows)
    return ExportedClaims(content, len(chosen), staying)


def _released(db: Session, actor: Actor, month_start_day: date) -> tuple[list[CurrentClaim], int]:
    require(actor, "export:run")
    scope = Scope.of(actor)
    end = (month_start_day + timedelta(days=31)).replace(day=1)
    rows = scope.all_of(
        db,
        ClaimRecord,
        col(ClaimRecord.from_day) >= month_start_day,
        col(ClaimRecord.from_day) < end,
    )
    current = current_claims(db, scope, [row.id for row in rows])
    standing = [current[row.id] for row in rows]
    chosen = [one for one in standing if one.standing.status not in _STAYING]
    return chosen, len(standing) - len(chosen)


def _record_numbers(db: Session, scope: Scope, chosen: Sequence[CurrentClaim]) -> dict[str, str]:
    """The practice's own number of each claim's patient, by the claim's id in hex."""
    ids = {one.row.patient_id for one in chosen}
    rows = scope.all_of(db, Patient, col(Patient.id).in_(ids))
    numbers = {row.id: row.record_number for row in rows}
    return {one.row.id.hex: numbers[one.row.patient_id] for one in chosen}
