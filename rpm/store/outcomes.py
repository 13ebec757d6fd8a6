"""Outcomes with ids: what ``evaluate`` gives for patients of the store, as rows for people.

Owns the way from row numbers back to ids and from day numbers to days. Does not own the
calculation (``billing.ledger``) nor loading (``rpm.store.facts``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any
from uuid import UUID

import numpy as np
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

Columns = dict[str, list[Any]]
"""Values of many rows by the name of the field; days are dates."""
_MEASURED = ("days", "seconds", "practitioner_seconds", "live_seconds")
_PROGRESS = (
    "ladder",
    "role",
    "measured",
    "earned_code",
    "further_code",
    "further_units",
    "next_code",
    "next_at_least",
    "still_needed",
    "reachable",
    "at_top",
    "needs_live",
    "due_code",
)


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
    role: str = Field(description="What the ladder pays: supply, management or review.")
    start_day: date | None = Field(description="Null: the window begins with the first reading.")
    end_day: date | None
    measured: int = Field(description="Days or seconds so far.")
    earned_code: str = Field(description="What that would earn today; may be empty.")
    further_code: str = Field(
        description="Code of units earned beyond that, such as each further 20 minutes; or empty.",
        examples=["99458"],
    )
    further_units: int = Field(description="How many; 0 for none.")
    next_code: str = Field(description="What more would earn; empty at the top.")
    next_at_least: int = Field(description="Days or seconds that the next code needs.")
    still_needed: int = Field(description="Days or seconds.")
    reachable: bool
    at_top: bool = Field(description="The highest band is reached: more only adds units.")
    needs_live: bool = Field(description="The month has no live contact yet.")
    due_code: str = Field(description="Highest code whose days can still be had; may be empty.")
    due_day: date | None = Field(
        description="Without a reading on this day `due_code` is lost; null when nothing is."
    )


@dataclass(frozen=True)
class Evaluated:
    """Facts with their ids, and what follows from them."""

    loaded: LoadedFacts
    outcome: Outcome
    book: RuleBook
    as_of: date
    known: date

    @cached_property
    def keys(self) -> list[str]:
        """The key of each event, in order."""
        return self._keys_of(self.outcome.events)

    def _keys_of(self, events: pd.DataFrame) -> list[str]:
        subjects = {"episode": self.loaded.episode_ids, "patient": self.loaded.patient_ids}
        named = {word: [one.hex for one in ids] for word, ids in subjects.items()}
        words, places, codes = (
            events[name].tolist() for name in ("subject", "subject_row", "code")
        )
        begun = _dates(events["period_start_day"])
        return [
            event_key(subject, named[subject][place], code, day)
            for subject, place, code, day in zip(words, places, codes, begun, strict=True)
        ]

    def events(self, rows: pd.DataFrame | None = None) -> list[EventLine]:
        """All events, or those of some rows of the events frame."""
        return [EventLine(**values) for values in by_row(self.event_columns(rows))]

    def event_columns(self, rows: pd.DataFrame | None = None) -> Columns:
        """``events`` as columns, for many rows that nobody validates again."""
        frame = self.outcome.events if rows is None else rows
        return {
            "key": self.keys if rows is None else self._keys_of(frame),
            **self._who(frame),
            **{name: frame[name].tolist() for name in ("ladder", "code", "units")},
            "service_day": _dates(frame["service_day"]),
            "period_start_day": _dates(frame["period_start_day"]),
            "period_end_day": _dates(frame["period_end_day"]),
            "payer_key": frame["payer"].tolist(),
            "rule_page_id": frame["page"].tolist(),
        }

    def findings(self, rows: pd.DataFrame | None = None) -> list[FindingLine]:
        """All findings, or those of some rows of the findings frame."""
        return [FindingLine(**values) for values in by_row(self.finding_columns(rows))]

    def finding_columns(self, rows: pd.DataFrame | None = None) -> Columns:
        """``findings`` as columns, for many rows that nobody validates again."""
        frame = self.outcome.findings if rows is None else rows
        periods = self.outcome.periods.iloc[frame["period"].to_numpy(dtype=np.int64)]
        return {
            **{name: frame[name].tolist() for name in ("code", "concerns", "amount")},
            **self._who(frame),
            "period_kind": periods["kind"].tolist(),
            "period_state": periods["state"].tolist(),
            "period_start_day": _dates(periods["start_day"]),
            "period_end_day": _dates(periods["end_day"]),
        }

    def periods(self, rows: pd.DataFrame | None = None) -> list[PeriodLine]:
        """All periods, or those of some rows of the periods frame."""
        return [PeriodLine(**values) for values in by_row(self.period_columns(rows))]

    def period_columns(self, rows: pd.DataFrame | None = None) -> Columns:
        """``periods`` as columns, for many rows that nobody validates again."""
        frame = self.outcome.periods if rows is None else rows
        return {
            **{name: frame[name].tolist() for name in ("kind", "program", "state")},
            **self._who(frame),
            "start_day": _dates(frame["start_day"]),
            "end_day": _dates(frame["end_day"]),
            "service_day": _dates(frame["service_day"]),
            **{name: frame[name].tolist() for name in _MEASURED},
            "payer_key": _words(frame["payer"]),
            "rule_page_id": _words(frame["page"]),
        }

    def progress(self) -> list[ProgressLine]:
        """How far every running period is."""
        frame = self.outcome.progress
        columns = {
            **{name: frame[name].tolist() for name in _PROGRESS},
            **self._who(frame),
            "start_day": [_day(number) for number in frame["start_day"].tolist()],
            "end_day": [_day(number) for number in frame["end_day"].tolist()],
            "due_day": [_day(number) for number in frame["due_day"].tolist()],
        }
        return [ProgressLine(**values) for values in by_row(columns)]

    def _who(self, frame: pd.DataFrame) -> Columns:
        patients, episodes = self.loaded.patient_ids, self.loaded.episode_ids
        return {
            "patient_id": [patients[row] for row in frame["patient"].tolist()],
            "episode_id": [episodes[row] for row in frame["episode"].tolist()],
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
    loaded: LoadedFacts | None = None,
) -> Evaluated:
    """What follows for the selected patients at a day, by the pages known on a day.

    ``loaded``: the same patients' facts, where they were loaded from the same state already.
    """
    book = book_of(db, organization_id, until_audit_number)
    loaded = loaded or facts_of(
        db,
        organization_id,
        book,
        patients=patients,
        until_audit_number=until_audit_number,
        shared=shared,
    )
    return Evaluated(loaded, evaluate(loaded.facts, book, as_of, known), book, as_of, known)


def by_row(columns: Columns) -> Iterator[dict[str, Any]]:
    """Rows of columns, each as fields and values."""
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))


def _dates(numbers: pd.Series) -> list[date]:
    found = numbers.tolist()
    days = {number: day_date(number) for number in set(found)}
    return [days[number] for number in found]


def _words(values: pd.Series) -> list[str]:
    return [value if isinstance(value, str) else "" for value in values.tolist()]


def _day(number: int) -> date | None:
    return None if number in {NO_DAY, FAR_DAY} else day_date(number)
