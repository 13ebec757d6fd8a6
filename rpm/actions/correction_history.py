"""The history of a correction: the original, what took it back, and what stands in its place.

Owns which facts belong together and who recorded each, when and why. Does not own correcting
(``reverse_entry``, ``log_entry``, ``exclude_reading``, a sender's new version).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field
from sqlmodel import Session, col

from rpm.store.queries.audit import events_by_number
from rpm.store.scope import Scope
from rpm.store.tables.base import Fact
from rpm.store.tables.ledger import Close, InteractionEntry
from rpm.store.tables.monitoring import Reading, ReadingExclusion

Part = Literal["original", "reversal", "replacement", "version", "exclusion", "exclusion_lifted"]


class HistoryStep(BaseModel):
    """One fact of a correction."""

    part: Part
    id: UUID
    undoes_id: UUID | None = Field(description="The fact it takes back or whose place it takes.")
    recorded_at: datetime = Field(description="When it was recorded.")
    recorded_by: str = Field(description="Who recorded it.", examples=["Nora Nurse, RN"])
    reason: str | None = Field(description="Why; an original has none.")
    happened_at: datetime | None = Field(description="When the work or measurement happened.")
    local_day: date | None
    amount: str = Field(description="What it says.", examples=["1300 seconds", "counts"])
    after_close: bool = Field(description="Its day's month was closed when it was recorded.")


def entry_history(db: Session, scope: Scope, entry_id: UUID) -> list[HistoryStep]:
    """All facts of the entry's correction in the order of recording; ``NotFound`` for no entry."""
    entry = scope.get(db, InteractionEntry, entry_id)
    while (before := entry.reverses_id or entry.replaces_id) is not None:
        entry = scope.get(db, InteractionEntry, before)
    found, wanted = [entry], [entry.id]
    while wanted:
        rows = scope.all_of(
            db,
            InteractionEntry,
            col(InteractionEntry.reverses_id).in_(wanted)
            | col(InteractionEntry.replaces_id).in_(wanted),
        )
        found += rows
        wanted = [row.id for row in rows]
    tell = _Teller(db, scope, found)
    return [
        tell.step(
            row,
            _entry_part(row),
            row.reverses_id or row.replaces_id,
            f"{row.duration_seconds} seconds",
            row.started_at,
            row.local_day,
        )
        for row in _in_order(found)
    ]


def reading_history(db: Session, scope: Scope, reading_id: UUID) -> list[HistoryStep]:
    """All versions of a reading and its exclusions in the order of recording; else ``NotFound``."""
    named = scope.get(db, Reading, reading_id)
    versions = scope.all_of(db, Reading, col(Reading.identity_key) == named.identity_key)
    ids = [row.id for row in versions]
    exclusions = scope.all_of(db, ReadingExclusion, col(ReadingExclusion.reading_id).in_(ids))
    tell = _Teller(db, scope, [*versions, *exclusions])
    day_of = {row.id: row.local_day for row in versions}
    steps = [
        tell.step(
            row,
            "original" if row.version == 1 else "version",
            row.supersedes_id,
            "counts" if row.countable else f"does not count ({row.reason_code})",
            row.measured_at,
            row.local_day,
        )
        for row in versions
    ]
    steps += [
        tell.step(
            row,
            "exclusion" if row.lifts_id is None else "exclusion_lifted",
            row.lifts_id or row.reading_id,
            "taken out of the count" if row.lifts_id is None else "counts again",
            None,
            day_of[row.reading_id],
        )
        for row in exclusions
    ]
    return sorted(steps, key=lambda step: (tell.number_of[step.id], step.id))


def _entry_part(row: InteractionEntry) -> Part:
    if row.reverses_id is not None:
        return "reversal"
    return "original" if row.replaces_id is None else "replacement"


def _in_order(rows: Iterable[InteractionEntry]) -> Iterator[InteractionEntry]:
    yield from sorted(rows, key=lambda row: (row.audit_number, row.id))


class _Teller:
    """Facts with the events that recorded them, and the closes they may come too late for."""

    def __init__(self, db: Session, scope: Scope, rows: Sequence[Fact]) -> None:
        self._event_of = events_by_number(db, scope, {row.audit_number for row in rows})
        self._closes = [(one.audit_number, one.as_of) for one in scope.all_of(db, Close)]
        self.number_of = {row.id: row.audit_number for row in rows}

    def step(
        self,
        row: Fact,
        part: Part,
        undoes_id: UUID | None,
        amount: str,
        happened_at: datetime | None,
        local_day: date | None,
    ) -> HistoryStep:
        """One fact of the history."""
        event, number = self._event_of[row.audit_number], row.audit_number
        return HistoryStep(
            part=part,
            id=row.id,
            undoes_id=undoes_id,
            recorded_at=row.recorded_at,
            recorded_by=str(event.actor["name"]),
            reason=getattr(row, "reason", None) or event.reason,
            happened_at=happened_at,
            local_day=local_day,
            amount=amount,
            after_close=local_day is not None
            and any(closed < number and local_day < as_of for closed, as_of in self._closes),
        )
