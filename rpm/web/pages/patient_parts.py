"""What a patient page shows of the running month, the windows and the months before.

Owns how the ledger's answer becomes meters, strips and bars. Does not own any number: one
evaluation gives them all (``rpm.store.outcomes``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session, col

from billing.rules.book import RuleBook
from billing.rules.references import FindingText, finding_text
from rpm.actions.day_strips import days_of_periods
from rpm.store.outcomes import Evaluated, EventLine, PeriodLine
from rpm.store.queries.episodes import (
    AssociationState,
    ConsentState,
    EpisodeState,
    associations,
    consents_of,
    gates_of,
    setups_of,
)
from rpm.store.readiness_refresh import readiness_rows
from rpm.store.scope import Scope
from rpm.store.standing import Standing, standing_of
from rpm.store.tables.ledger import ReadinessRow
from rpm.store.tables.monitoring import Device, EpisodeGate, EpisodeSetup
from rpm.store.tables.people import Practitioner
from rpm.web.pages.charts import Bar, Chart, DayMark, Mark, bar_chart, day_strip
from rpm.web.pages.months import Month
from rpm.web.pages.worklist_words import (
    Meter,
    is_lost,
    lost_words,
    meter_of,
    needed_words,
    today_words,
)
from rpm.written import us_day

WINDOW, MONTH = "device-supply-30", "calendar-month"
_MONTHS = 6
_MANAGEMENT = "management"
_SECONDS_OF_MINUTE = 60


@dataclass(frozen=True)
class Ladder:
    """A running ladder on the patient's page."""

    meter: Meter
    row: ReadinessRow
    today: str
    needed: Sequence[str]
    lost: str


@dataclass(frozen=True)
class EpisodeCard:
    """An episode with its papers."""

    state: EpisodeState
    ordered_by: str
    consents: Sequence[ConsentState]
    gates: Sequence[EpisodeGate]
    setups: Sequence[EpisodeSetup]
    devices: Sequence[tuple[Device, AssociationState]]


def ladders_of(organization_id: UUID, found: Evaluated) -> tuple[list[Ladder], Standing | None]:
    """The running ladders, and their sum; None for a patient in no program today."""
    rows = [ReadinessRow(**values) for values in readiness_rows(organization_id, found)]
    if not rows:
        return [], None
    ladders = [
        Ladder(
            meter_of(row),
            row,
            today_words(row) if row.earned_code else "",
            list(needed_words(row)),
            lost_words(row) if is_lost(row) else "",
        )
        for row in rows
        if row.role != "review" or row.measured
    ]
    return ladders, standing_of(rows)


def findings_of(found: Evaluated, month: Month) -> list[FindingText]:
    """What stops or accompanies lines of the periods that touch a month, each once."""
    codes = dict.fromkeys(
        one.code
        for one in found.findings()
        if one.period_start_day <= month.last
        and one.period_end_day >= month.first
        and not one.code.startswith("I_")
        and one.code != "E_PERIOD_OPEN"
    )
    return [finding_text(code) for code in codes]


def events_of(found: Evaluated, month: Month) -> list[EventLine]:
    """What may be billed by now for services of a month."""
    return [one for one in found.events() if month.first <= one.service_day <= month.last]


def strips_of(found: Evaluated, month: Month) -> list[Chart]:
    """A strip of days for each window that touches the month."""
    windows = [
        one
        for one in found.periods()
        if one.kind == WINDOW and one.start_day <= month.last and one.end_day >= month.first
    ]
    return [
        day_strip(
            f"{window.program} window {us_day(window.start_day)} to"
            f" {us_day(window.end_day)}: {window.days} days",
            [DayMark(one.day, one.state, one.why) for one in days],
        )
        for window, days in zip(windows, days_of_periods(found, windows), strict=True)
    ]


def minutes_bars(found: Evaluated, month: Month) -> Chart:
    """Minutes of the last months up to this one, against what the month's page asks for."""
    months = month.back(_MONTHS)
    by_start: dict[object, list[PeriodLine]] = {}
    for one in found.periods():
        if one.kind == MONTH:
            by_start.setdefault(one.start_day, []).append(one)
    bars = []
    for each in months:
        seconds = sum(one.seconds for one in by_start.get(each.first, ()))
        live = any(one.live_seconds for one in by_start.get(each.first, ()))
        note = ("with" if live else "without") + " a live contact"
        minutes = seconds // _SECONDS_OF_MINUTE
        bars.append(Bar(f"{each.first:%b %Y}", minutes, f"{minutes} min", note if seconds else ""))
    pages = {one.rule_page_id for one in by_start.get(month.first, ())}
    return bar_chart("Minutes by month", bars, _thresholds(found.book, pages))


def _thresholds(book: RuleBook, page_ids: set[str]) -> list[Mark]:
    """The minutes at which management codes begin, by the pages of a month."""
    least = {
        band.at_least // _SECONDS_OF_MINUTE
        for page in book.pages
        if page.id in page_ids
        for ladder in page.ladders
        if ladder.role.value == _MANAGEMENT
        for band in ladder.bands
    }
    return [Mark(value, f"{value} min") for value in sorted(least)]


def episode_cards(db: Session, scope: Scope, states: Sequence[EpisodeState]) -> list[EpisodeCard]:
    """Each episode with its papers, the latest first."""
    npis = {state.episode.ordering_npi for state in states}
    practitioners = {
        row.npi: f"{row.name}, {row.credential}"
        for row in scope.all_of(db, Practitioner, col(Practitioner.npi).in_(npis))
    }
    return [
        EpisodeCard(
            state,
            practitioners.get(state.episode.ordering_npi or "", "a practitioner from outside"),
            consents_of(db, scope, state.episode.id),
            gates_of(db, scope, state.episode.id),
            setups_of(db, scope, state.episode.id),
            [
                (scope.get(db, Device, one.association.device_id), one)
                for one in associations(db, scope, episode_id=state.episode.id)
            ],
        )
        for state in reversed(states)
    ]
