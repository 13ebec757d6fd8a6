"""Readings behind device days: each reading that holds, with the word under which it is counted.

Owns the look-up from days back to readings. Does not own the counting (``rpm.store.device_days``).
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import and_, select
from sqlmodel import col

from rpm.store.device_days import excluded, holds
from rpm.store.fact_rows import FactReader
from rpm.store.tables.monitoring import Reading


@dataclass(frozen=True)
class DayReading:
    """A reading and its refusal word; the empty word stands on readings that qualify."""

    reading: Reading
    word: str


def day_readings(
    reader: FactReader, episode_id: UUID, first_day: date, last_day: date
) -> list[DayReading]:
    """Readings of an episode on some local days, both included, by day and id."""
    until = reader.until_audit_number
    known = [] if until is None else [col(Reading.audit_number) <= until]
    statement = (
        select(Reading, excluded(reader.organization_id, until))
        .where(
            and_(
                col(Reading.organization_id) == reader.organization_id,
                col(Reading.episode_id) == episode_id,
                col(Reading.local_day) >= first_day,
                col(Reading.local_day) <= last_day,
                holds(until),
                *known,
            )
        )
        .order_by(col(Reading.local_day), col(Reading.id))
    )
    return [
        DayReading(row, "excluded" if taken_out else "" if row.countable else row.refused_reason)
        for row, taken_out in reader.db.execute(statement)
    ]
