"""Differences between two days of knowledge: what was recorded, and which rule pages became known.

Owns the words for a recorded fact. Does not own which facts those are
(``rpm.store.queries.recorded``) nor which events changed by them
(``rpm.actions.differing_events``). Changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlmodel import Session

from rpm.access import Actor, require
from rpm.actions.compute_close import next_month
from rpm.actions.seen_from import SeenFrom, seen_on
from rpm.errors import InvalidRequest
from rpm.store.chain import chain_head
from rpm.store.queries.recorded import Place, Recorded, recorded_between
from rpm.store.rule_books import book_of
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close


class FactDifference(BaseModel):
    """A fact that the later day knows and the earlier does not."""

    audit_number: int
    recorded_at: datetime
    recorded_by: str
    action: str = Field(examples=["entry.reverse"])
    reason: str | None
    table: str = Field(description="Kind of fact.", examples=["interaction_entry"])
    id: UUID
    patient_id: UUID | None = Field(description="Null: it concerns the whole practice.")
    day: date | None = Field(description="The day it speaks of.")
    after_close: bool = Field(
        description="That day lay in a month, or before one, that was closed when it was recorded."
    )
    what: str = Field(examples=["entry of 12:00 minutes taken back, 2026-01-08"])
    undoes_id: UUID | None = Field(description="The fact that this one takes back or replaces.")


@dataclass(frozen=True)
class Between:
    """Two days of knowledge, the earlier one first; events of both are as of the same day."""

    earlier: SeenFrom
    later: SeenFrom
    later_number: int

    @property
    def earlier_number(self) -> int:
        """The last audit event that the earlier day knows."""
        number = self.earlier.until_audit_number
        return self.later_number if number is None else number


def between(
    db: Session,
    actor: Actor,
    now: datetime,
    from_day: date,
    to_day: date,
    month: str | None = None,
) -> Between:
    """The two days, as of the second one, or as the close of a month (2026-01) looks at events.

    ``InvalidRequest`` when the first day is the later one, or one has not come.
    """
    require(actor, "ledger:read")
    if from_day > to_day:
        raise InvalidRequest("the first day is after the second")
    scope = Scope.of(actor)
    as_of = to_day if month is None else next_month(date.fromisoformat(f"{month}-01"))
    later = seen_on(db, scope, now, to_day, as_of)
    number = later.until_audit_number
    if number is None:
        number = chain_head(db, scope.organization_id).number
    return Between(seen_on(db, scope, now, from_day, as_of), later, number)


def fact_differences(
    db: Session,
    scope: Scope,
    days: Between,
    *,
    patient_id: UUID | None = None,
    after: Place | None = None,
    limit: int | None = None,
) -> list[FactDifference]:
    """Facts recorded between the two days, in order of recording."""
    found = recorded_between(
        db,
        scope,
        days.earlier_number,
        days.later_number,
        patient_id=patient_id,
        after=after,
        limit=limit,
    )
    closes = [(one.audit_number, one.as_of) for one in scope.all_of(db, Close)]
    return [_told(one, closes) for one in found]


def new_rule_pages(db: Session, scope: Scope, days: Between) -> list[str]:
    """Ids of rule pages that became known between the two days, shipped ones and the practice's."""
    book = book_of(db, scope.organization_id, days.later_number)
    return sorted(
        page.id
        for page in book.pages
        if days.earlier.known_day < page.known_from <= days.later.known_day
    )


def _told(one: Recorded, closes: Sequence[tuple[int, date]]) -> FactDifference:
    day, number = one.day, one.row["audit_number"]
    return FactDifference(
        audit_number=number,
        recorded_at=one.recorded_at,
        recorded_by=one.recorded_by,
        action=one.action,
        reason=one.reason,
        table=one.table,
        id=one.row["id"],
        patient_id=one.patient_id,
        day=day,
        after_close=day is not None
        and any(closed < number and day < as_of for closed, as_of in closes),
        what=_WORDS[one.table](one.row),
        undoes_id=one.undoes_id,
    )


def _entry(row: Mapping[str, Any]) -> str:
    minutes, seconds = divmod(abs(row["duration_seconds"]), 60)
    undone = " taken back" if row["reverses_id"] is not None else ""
    return f"entry of {minutes}:{seconds:02d} minutes{undone}, {row['work']}, {row['local_day']}"


def _reading(row: Mapping[str, Any]) -> str:
    day = row["local_day"] or "a day that is not known"
    counts = "counts" if row["countable"] else f"does not count ({row['reason_code']})"
    later = ", a later version" if row["supersedes_id"] is not None else ""
    return f"reading of {row['measure']}, {day}: {counts}{later}"


def _service(row: Mapping[str, Any]) -> str:
    undone = " taken back" if row["reverses_id"] is not None else ""
    whose = "ours" if row["own"] else "another practice's"
    return f"service {row['code']} on {row['service_day']}, {whose}{undone}"


def _episode_end(row: Mapping[str, Any]) -> str:
    if row["last_day"] is None:
        return "end of the episode taken back"
    return f"episode ends on {row['last_day']} ({row['end_reason']})"


def _until(row: Mapping[str, Any]) -> str:
    return f"from {row['from_day']}" + (f" to {row['to_day']}" if row["to_day"] else "")


_WORDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "association_end": lambda row: f"device taken back at {row['to_at']:%Y-%m-%d %H:%M} UTC",
    "cms_table": lambda row: f"table {row['kind']} of {row['edition']} loaded",
    "consent": lambda row: f"consent of {row['consent_day']} ({row['mode']})",
    "consent_end": lambda row: f"consent ends on {row['last_day']}",
    "coverage": lambda row: f"coverage {_until(row)}",
    "coverage_end": lambda row: f"coverage ends on {row['last_day']}",
    "device_association": lambda row: f"device given at {row['from_at']:%Y-%m-%d %H:%M} UTC",
    "episode": lambda row: f"episode of {row['program']} opened on {row['opened_day']}",
    "episode_end": _episode_end,
    "episode_gate": lambda row: f"{row['gate']} {_until(row)}",
    "episode_setup": lambda row: f"set-up on {row['setup_day']}",
    "interaction_entry": _entry,
    "other_service": _service,
    "practice_setting": lambda row: f"setting {row['key']}",
    "reading": _reading,
    "reading_exclusion": lambda row: (
        "exclusion of a reading lifted" if row["lifts_id"] is not None else "reading excluded"
    ),
    "rule_page": lambda row: f"rule page {row['page_id']}",
}
