"""The journal: postings of closes as stored, by patient.

Owns their reading as plain rows and as lines of the journal's arithmetic. Does not own what is
posted (``billing.ledger.postings``) nor who writes it (``rpm.actions.close_month``).
"""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid5

from sqlmodel import Session

from billing.days import day_number
from billing.ledger.postings import Billed, JournalLine
from rpm.store.fact_rows import FactReader, as_recorded, as_uuid
from rpm.store.selection import Patients


@dataclass(frozen=True)
class Posted:
    """A posting as stored, without the close that made it."""

    key: str
    ordinal: int
    sign: int
    patient_id: UUID
    episode_id: UUID | None
    code: str
    units: int
    service_day: date
    period_start_day: date
    period_end_day: date
    payer_key: str
    rule_page_id: str
    amount_cents: int | None
    amount_status: str
    evidence_digest: str

    @property
    def line(self) -> JournalLine:
        """As the journal's arithmetic sees it."""
        billed = Billed(self.key, self.units, day_number(self.service_day), self.payer_key)
        return JournalLine(billed, self.ordinal, self.sign)


_COLUMNS = (
    "key",
    "ordinal",
    "sign",
    "patient_id",
    "episode_id",
    "code",
    "units",
    "service_day",
    "period_start_day",
    "period_end_day",
    "payer_key",
    "rule_page_id",
    "amount_cents",
    "amount_status",
    "evidence_digest",
)


def posting_id(organization_id: UUID, key: str, ordinal: int, sign: int) -> UUID:
    """The id of a posting, made from what is unique: it can never stand under two ids."""
    return uuid5(organization_id, f"{key} {ordinal} {sign}")


def journal_of(
    db: Session,
    organization_id: UUID,
    patients: Patients = None,
    until_audit_number: int | None = None,
) -> list[Posted]:
    """All postings of the selected patients, reversals too, in the order they were recorded."""
    reader = FactReader(db, organization_id, patients, until_audit_number)
    table = reader.table("posting")
    rows = reader.fetch(reader.of_patients("posting", *_COLUMNS).order_by(*as_recorded(table)))
    return [_posted(row) for row in rows]


def _posted(row: Any) -> Posted:
    values = dict(zip(_COLUMNS, row, strict=True))
    values["patient_id"] = as_uuid(values["patient_id"])
    if values["episode_id"] is not None:
        values["episode_id"] = as_uuid(values["episode_id"])
    return Posted(**values)
