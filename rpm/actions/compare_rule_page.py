"""Compare a changed rule page with the one in force: what it would have changed, stored nowhere.

Owns the walk over all patients with both books and the sums. Does not own the calculation
(``billing.ledger.evaluate``), which events belong together (``billing.ledger.compare``) nor how a
page is tried (``billing.rules.trial``).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Literal
from uuid import UUID

import pandas as pd
from pydantic import BaseModel, Field
from sqlmodel import Session

from billing.days import day_number
from billing.ledger.compare import event_differences
from billing.ledger.evaluate import evaluate
from billing.rules.fields import RuleError
from billing.rules.page_diff import page_differences
from billing.rules.read import read_page
from billing.rules.trial import Trial, try_page
from rpm.access import Actor, require
from rpm.actions.activate_rule_page import FIELD, LONGEST, refused
from rpm.actions.command import Command
from rpm.actions.practice_day import practice_today
from rpm.actions.priced_lines import priced_lines
from rpm.errors import NotFound
from rpm.store.fact_rows import FactReader
from rpm.store.outcomes import Evaluated, EventLine, evaluated
from rpm.store.overlaps import overlapping_parts
from rpm.store.rule_books import book_of
from rpm.store.scope import Scope
from rpm.store.selection import DEFAULT_PARTITION_PATIENTS, partitions

Progress = Callable[[int, int], None]
_MOST_MONTHS = 120


class CompareRulePage(Command):
    """A page of the book by its id, and the changed page as TOML text."""

    page_id: str = Field(min_length=1, max_length=200, examples=["medicare-b-2026"])
    toml: str = Field(min_length=1, max_length=LONGEST)
    months: int = Field(
        default=6,
        ge=1,
        le=_MOST_MONTHS,
        description="Service days of the running month and of so many before it are compared.",
    )


class ChangedEvent(BaseModel):
    """A billable event that the changed page gives otherwise or not at all."""

    change: Literal["gone", "new", "other"]
    before: EventLine | None
    after: EventLine | None
    before_cents: int | None = Field(description="For all units; null: unknown, or no event.")
    after_cents: int | None = Field(description="For all units; null: unknown, or no event.")


@dataclass
class PageComparison:
    """What the changed page says and bills otherwise on service days from one day to another.

    Money is that of differing events only; an unknown amount is counted and in no sum.
    """

    page_id: str
    first_day: date
    last_day: date
    page_lines: list[str]
    events: list[ChangedEvent] = field(default_factory=list)
    before_cents: int = 0
    after_cents: int = 0
    unknown_before: int = 0
    unknown_after: int = 0

    @property
    def patients(self) -> int:
        """How many patients have an event that differs."""
        return len({_side(one).patient_id for one in self.events})


def compare_rule_page(
    db: Session,
    actor: Actor,
    now: datetime,
    command: CompareRulePage,
    *,
    file: str = FIELD,
    progress: Progress | None = None,
    partition_patients: int = DEFAULT_PARTITION_PATIENTS,
) -> PageComparison:
    """The comparison over all patients; ``NotFound`` for a page that is not in the book.

    ``InvalidRequest`` naming ``file``, line and reason when the changed page cannot be tried.
    """
    require(actor, "rules:read")
    require(actor, "ledger:read")
    scope = Scope.of(actor)
    today = practice_today(db, scope, now)
    trial = _trial(db, scope, command, file, today)
    found = PageComparison(
        trial.changed.id,
        _months_before(today, command.months),
        today,
        list(page_differences(trial.replaced, trial.changed)),
    )
    shared = overlapping_parts(FactReader(db, scope.organization_id))
    parts = list(partitions(db, scope.organization_id, partition_patients))
    for done, part in enumerate(parts):
        before = evaluated(
            db,
            scope.organization_id,
            as_of=today,
            known=trial.known,
            patients=part,
            shared=shared,
        )
        outcome = evaluate(before.loaded.facts, trial.book, today, trial.known)
        _take(found, before, replace(before, outcome=outcome, book=trial.book))
        if progress is not None:
            progress(done + 1, len(parts))
    found.events.sort(key=_order)
    return found


def _trial(db: Session, scope: Scope, command: CompareRulePage, file: str, today: date) -> Trial:
    book = book_of(db, scope.organization_id)
    try:
        page = read_page(command.toml, file, book.references)
        return try_page(book, command.page_id, page, today)
    except KeyError:
        raise NotFound("there is no such page: rpm-ledger rules list names them") from None
    except RuleError as error:
        raise refused(RuleError(file, error.line, error.reason)) from error


def _months_before(today: date, months: int) -> date:
    month = today.year * 12 + today.month - 1 - months
    return date(month // 12, month % 12 + 1, 1)


def _take(found: PageComparison, before: Evaluated, after: Evaluated) -> None:
    frames = [_of_days(found, one.outcome.events) for one in (before, after)]
    differences = event_differences(*frames)
    ours = _sides(before, frames[0], [one.before for one in differences])
    theirs = _sides(after, frames[1], [one.after for one in differences])
    for one, (line, cents), (other, other_cents) in zip(differences, ours, theirs, strict=True):
        found.events.append(
            ChangedEvent(
                change=one.change.value,
                before=line,
                after=other,
                before_cents=cents,
                after_cents=other_cents,
            )
        )
        found.before_cents += cents or 0
        found.after_cents += other_cents or 0
        found.unknown_before += line is not None and cents is None
        found.unknown_after += other is not None and other_cents is None


def _of_days(found: PageComparison, events: pd.DataFrame) -> pd.DataFrame:
    days = events["service_day"]
    inside = (days >= day_number(found.first_day)) & (days <= day_number(found.last_day))
    return events[inside]


def _sides(
    found: Evaluated, events: pd.DataFrame, rows: list[int | None]
) -> list[tuple[EventLine | None, int | None]]:
    """Of each row of the events its line and its amount; nothing where there is no row."""
    wanted = events.iloc[[row for row in rows if row is not None]]
    lines = iter(priced_lines(found, wanted))
    return [(None, None) if row is None else next(lines) for row in rows]


def _side(one: ChangedEvent) -> EventLine:
    line = one.before or one.after
    if line is None:
        raise ValueError("a difference has at least one side")
    return line


def _order(one: ChangedEvent) -> tuple[UUID, date, str]:
    line = _side(one)
    return line.patient_id, line.service_day, line.key
