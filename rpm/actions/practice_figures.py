"""A practice's figures: enrolled, readings, thresholds, amounts, and OIG's measures of itself.

Owns what is put together and over which months. Does not own the reads
(``rpm.store.practice_figures``) nor the arithmetic (``billing.figures``, ``billing.screening``).
Changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import pandas as pd
from sqlmodel import Session

from billing import screening
from billing.days import day_number
from billing.figures import MonthFigures, Reached, enrolled_by_month, reached
from billing.rules.book import RuleBook
from billing.rules.ruleset import Ladder, Role
from billing.screening import Screened
from rpm.actions.compute_close import latest_close
from rpm.actions.practice_day import practice_today
from rpm.store import practice_figures as store
from rpm.store.billed_figures import Kept, PostedSum, billed_patients, posted_sums
from rpm.store.queries.ledger import columns_of_close
from rpm.store.rule_books import book_of
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close

MONTHS = 12
PROGRAM = "RPM"
_OFFICE = 11  # place of service that the estimate is priced for
_REACHED: Kept[list[Reached]] = Kept()
"""By close: its periods and the rules it knew never change."""


@dataclass(frozen=True)
class MonthReadings:
    """Readings of a calendar month by the patients' days."""

    first_day: date
    counted: int
    refused: int


@dataclass(frozen=True)
class Estimate:
    """What running periods would bring if they ended today."""

    code: str
    label: str
    periods: int
    amount_cents: int | None  # None: no schedule has an amount


@dataclass(frozen=True)
class PracticeFigures:
    """The figures of the last twelve months, the running one last."""

    months: list[MonthFigures]
    posted: list[PostedSum]
    labels: Mapping[str, str]  # of codes
    estimates: list[Estimate]
    close: Close | None  # the latest one: its periods are held against the thresholds
    reached: list[Reached]


def practice_figures(db: Session, scope: Scope, now: datetime) -> PracticeFigures:
    """The figures as they stand."""
    today = practice_today(db, scope, now)
    months = last_months(today)
    book = book_of(db, scope.organization_id)
    close = latest_close(db, scope)
    posted = posted_sums(db, scope, months[0])
    earned = store.earned_now(db, scope)
    return PracticeFigures(
        months=enrolled_by_month(store.enrolled(db, scope).episodes, months),
        posted=posted,
        labels={one: book.references.codes[one].label for one in {*earned, *_codes(posted)}},
        estimates=[_estimate(book, today, code, count) for code, count in sorted(earned.items())],
        close=close,
        reached=[] if close is None else _REACHED.of(close.id, lambda: _reached(db, scope, close)),
    )


def last_months(today: date) -> list[date]:
    """First days of the twelve months up to the running one."""
    months = [today.replace(day=1)]
    while len(months) < MONTHS:
        months.insert(0, (months[0] - timedelta(days=1)).replace(day=1))
    return months


def month_readings(db: Session, scope: Scope, now: datetime) -> list[MonthReadings]:
    """Readings of the last twelve months; it looks at every device day of them."""
    months = last_months(practice_today(db, scope, now))
    return _readings(store.readings_by_day(db, scope, months[0]), months)


def _codes(posted: Sequence[PostedSum]) -> set[str]:
    return {one.code for one in posted}


def _readings(days: pd.DataFrame, months: Sequence[date]) -> list[MonthReadings]:
    starts = [day_number(month) for month in months]
    found = []
    for month, start, end in zip(months, starts, [*starts[1:], None], strict=True):
        inside = days["day"] >= start
        if end is not None:
            inside &= days["day"] < end
        of_month = days[inside]
        sums = (int(of_month[name].sum()) for name in ("counted", "refused"))
        found.append(MonthReadings(month, *sums))
    return found


def _estimate(book: RuleBook, today: date, code: str, periods: int) -> Estimate:
    cents, _ = book.fees.priced(code, 1, day_number(today), place=_OFFICE)
    label = book.references.codes[code].label
    return Estimate(code, label, periods, None if cents is None else cents * periods)


def _reached(db: Session, scope: Scope, close: Close) -> list[Reached]:
    book = book_of(db, scope.organization_id, close.audit_number)
    first, last = close.month_start_day.isoformat(), close.as_of.isoformat()
    names = ("kind", "days", "seconds", "practitioner_seconds")
    wanted = ("rule_page_id", "program", "end_day", *names)
    values = [
        (page, program, *measured)
        for page, program, day, *measured in columns_of_close(db, scope, close.id, "period", wanted)
        if first <= day < last and page and program == PROGRAM
    ]
    periods = pd.DataFrame(values, columns=["page", "program", *names])
    pages = {page: _ladders(book, page) for page in periods["page"].unique().tolist()}
    return reached(periods, pages)


def _ladders(book: RuleBook, page_id: str) -> list[Ladder]:
    wanted = {Role.SUPPLY, Role.MANAGEMENT}
    return [ladder for ladder in book.joined(page_id).ladders if ladder.role in wanted]


@dataclass(frozen=True)
class SelfCheck:
    """OIG's measures of the last twelve months, and the patients behind each."""

    months: list[MonthFigures]
    measures: list[Screened]
    _who: store.Enrolled

    def patient_ids(self, measure: Screened) -> list[UUID]:
        """The patients that a measure concerns, in order of their ids."""
        return self._who.patient_ids(measure.patients)


def self_check(db: Session, scope: Scope, now: datetime) -> SelfCheck:
    """The measures as they stand."""
    months = last_months(practice_today(db, scope, now))
    who = store.enrolled(db, scope)
    parts = parts_of_codes(book_of(db, scope.organization_id))
    billed = billed_patients(db, scope, parts, months[0])
    services = store.services_of(db, scope, who)
    by_part = store.parts_billed(who, billed)
    twice = pd.Series([who.rows[one] for one in billed.overlapping], dtype="int64")
    figures = enrolled_by_month(who.episodes, months)
    elsewhere = [row for row, code, day in services.elsewhere if code in parts and day >= months[0]]
    return SelfCheck(
        figures,
        [
            screening.sudden_rise(figures),
            screening.no_prior_visit(store.visited_before(db, scope, who, services, months[0])),
            screening.several_devices(twice, int((by_part[screening.SUPPLY] > 0).sum())),
            screening.supply_without_management(by_part),
            screening.another_practice(pd.Series(elsewhere, dtype="int64"), len(who.rows)),
            screening.not_all_parts(by_part),
        ],
        who,
    )


def parts_of_codes(book: RuleBook) -> dict[str, str]:
    """The part of the service that each code of the program is, by the ladder that gives it."""
    return {
        line.code: ladder.role.value
        for page in book.pages
        for ladder in page.ladders
        if PROGRAM in ladder.programs and ladder.role.value in screening.PARTS
        for band in ladder.bands
        for line in band.lines
    }
