"""Outcomes with ids: what ``evaluate`` gives for patients of the store, as rows for people.

Owns the way from row numbers back to ids and from day numbers to days. Does not own the
calculation (``billing.ledger``) nor loading (``rpm.store.facts``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import pandas as pd
from pydantic import BaseModel, Field
from sqlmodel import Session

from billing.days import FAR_DAY, NO_DAY, day_date
from billing.ledger.evaluate import evaluate
from billing.ledger.outcome import Outcome
from billing.rules.book import RuleBook
from rpm.store.event_keys import event_key
from rpm.store.facts import LoadedFacts, facts_of
from rpm.store.overlaps import EntryParts
from rpm.store.rule_books import book_of
from rpm.store.selection import Patients


class EventLine(BaseModel):
    """A billable event as computed."""

    key: str = Field(description="Names the event; stays the same when it is computed again.")
    patient_id: UUID
    episode_id: UUID
    ladder: str = Field(description="Ladder of the rule page.", examples=["device-supply"])
    code: str = Field(examples=["99454"])
    units: int
    service_day: date
    period_start_day: date
    period_end_day: date
    payer_key: str = Field(examples=["MEDICARE_B"])
    rule_page_id: str = Field(examples=["medicare-b-2026"])


class FindingLine(BaseModel):
    """Something about a period that stops a line, goes with it, or informs."""

    code: str = Field(examples=["E_DAYS_BELOW_MIN"])
    concerns: str = Field(description="Ladder or code it concerns; may be empty.")
    amount: int = Field(description="Days, seconds or units it speaks of; 0 where it has none.")
    patient_id: UUID
    episode_id: UUID
    period_kind: str = Field(examples=["device-supply-30"])
    period_state: str = Field(examples=["closed"])
    period_start_day: date
    period_end_day: date


class PeriodLine(BaseModel):
    """A window, a month, or an episode that has neither yet."""

    kind: str = Field(description="device-supply-30, calendar-month or none.")
    program: str = Field(examples=["RPM"])
    patient_id: UUID
    episode_id: UUID
    start_day: date
    end_day: date
    state: str = Field(description="open, closed or ended.")
    service_day: date
    days: int
    seconds: int
    practitioner_seconds: int
    live_seconds: int
    payer_key: str = Field(description="Empty without coverage on the service day.")
    rule_page_id: str = Field(description="Empty where no page is in force.")


class ProgressLine(BaseModel):
    """How far a running window or month is on one ladder."""

    patient_id: UUID
    episode_id: UUID
    ladder: str = Field(examples=["management"])
    start_day: date | None = Field(description="Null: the window begins with the first reading.")
    end_day: date | None
    measured: int = Field(description="Days or seconds so far.")
    earned_code: str = Field(description="What that would earn today; may be empty.")
    next_code: str = Field(description="What more would earn; empty at the top.")
    next_at_least: int = Field(description="Days or seconds that the next code needs.")
    still_needed: int = Field(description="Days or seconds.")
    reachable: bool
    needs_live: bool = Field(description="The month has no live contact yet.")


@dataclass(frozen=True)
class Evaluated:
    """Facts with their ids, and what follows from them."""

    loaded: LoadedFacts
    outcome: Outcome
    book: RuleBook
    as_of: date
    known: date

    def event_keys(self, rows: pd.DataFrame | None = None) -> list[str]:
        """The key of each event, or of some rows of the events frame, in order."""
        events = self.outcome.events if rows is None else rows
        episodes = [one.hex for one in self.loaded.episode_ids]
        patients = [one.hex for one in self.loaded.patient_ids]
        return [
            event_key(
                subject, (episodes if subject == "episode" else patients)[row], code, day_date(day)
            )
            for subject, row, code, day in _columns(
                events, "subject", "subject_row", "code", "period_start_day"
            )
        ]

    def events(self, rows: pd.DataFrame | None = None) -> list[EventLine]:
        """All events, or those of some rows of the events frame."""
        return [EventLine(**values) for values in self.event_values(rows)]

    def event_values(self, rows: pd.DataFrame | None = None) -> list[dict[str, Any]]:
        """``events`` as fields and values, for many rows that nobody validates again."""
        frame = self.outcome.events if rows is None else rows
        return [
            {
                "key": key,
                "ladder": row["ladder"],
                "code": row["code"],
                "units": row["units"],
                "service_day": day_date(row["service_day"]),
                "period_start_day": day_date(row["period_start_day"]),
                "period_end_day": day_date(row["period_end_day"]),
                "payer_key": row["payer"],
                "rule_page_id": row["page"],
                **self._who(row),
            }
            for key, row in zip(self.event_keys(frame), _records(frame), strict=True)
        ]

    def findings(self, rows: pd.DataFrame | None = None) -> list[FindingLine]:
        """All findings, or those of some rows of the findings frame."""
        return [FindingLine(**values) for values in self.finding_values(rows)]

    def finding_values(self, rows: pd.DataFrame | None = None) -> list[dict[str, Any]]:
        """``findings`` as fields and values, for many rows that nobody validates again."""
        periods = self.outcome.periods
        kinds, states, starts, ends = (
            periods[name].tolist() for name in ("kind", "state", "start_day", "end_day")
        )
        return [
            {
                "code": row["code"],
                "concerns": row["concerns"],
                "amount": row["amount"],
                "period_kind": kinds[row["period"]],
                "period_state": states[row["period"]],
                "period_start_day": day_date(starts[row["period"]]),
                "period_end_day": day_date(ends[row["period"]]),
                **self._who(row),
            }
            for row in _records(self.outcome.findings if rows is None else rows)
        ]

    def periods(self, rows: pd.DataFrame | None = None) -> list[PeriodLine]:
        """All periods, or those of some rows of the periods frame."""
        return [PeriodLine(**values) for values in self.period_values(rows)]

    def period_values(self, rows: pd.DataFrame | None = None) -> list[dict[str, Any]]:
        """``periods`` as fields and values, for many rows that nobody validates again."""
        return [
            {
                "kind": row["kind"],
                "program": row["program"],
                "start_day": day_date(row["start_day"]),
                "end_day": day_date(row["end_day"]),
                "state": row["state"],
                "service_day": day_date(row["service_day"]),
                "days": row["days"],
                "seconds": row["seconds"],
                "practitioner_seconds": row["practitioner_seconds"],
                "live_seconds": row["live_seconds"],
                "payer_key": _word(row["payer"]),
                "rule_page_id": _word(row["page"]),
                **self._who(row),
            }
            for row in _records(self.outcome.periods if rows is None else rows)
        ]

    def progress(self) -> list[ProgressLine]:
        """How far every running period is."""
        return [
            ProgressLine(
                ladder=row["ladder"],
                start_day=_day(row["start_day"]),
                end_day=_day(row["end_day"]),
                measured=row["measured"],
                earned_code=row["earned_code"],
                next_code=row["next_code"],
                next_at_least=row["next_at_least"],
                still_needed=row["still_needed"],
                reachable=row["reachable"],
                needs_live=row["needs_live"],
                **self._who(row),
            )
            for row in _records(self.outcome.progress)
        ]

    def _who(self, row: dict[str, Any]) -> dict[str, UUID]:
        return {
            "patient_id": self.loaded.patient_ids[row["patient"]],
            "episode_id": self.loaded.episode_ids[row["episode"]],
        }


def evaluated(
    db: Session,
    organization_id: UUID,
    *,
    as_of: date,
    known: date,
    patients: Patients = None,
    until_audit_number: int | None = None,
    shared: EntryParts | None = None,
) -> Evaluated:
    """What follows for the selected patients at a day, by the pages known on a day."""
    book = book_of(db, organization_id, until_audit_number)
    loaded = facts_of(
        db,
        organization_id,
        book,
        patients=patients,
        until_audit_number=until_audit_number,
        shared=shared,
    )
    return Evaluated(loaded, evaluate(loaded.facts, book, as_of, known), book, as_of, known)


def _columns(frame: pd.DataFrame, *names: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(frame[name].tolist() for name in names), strict=True)


def _records(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    names = [str(name) for name in frame.columns]
    for values in _columns(frame, *names):
        yield dict(zip(names, values, strict=True))


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _day(number: int) -> date | None:
    return None if number in {NO_DAY, FAR_DAY} else day_date(number)
