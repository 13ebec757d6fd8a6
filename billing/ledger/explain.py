"""Explain: one billable event and the facts behind it.

Owns which facts an event rests on: counted days, counted entries, gates, the coverage, and the
band of the rule page with its source. Rows are positions in the Facts; the store resolves them to
fact ids, values and digests.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from billing.days import day_number
from billing.ledger.evaluate import Measured, em_days, judged_outcome, measure
from billing.ledger.facts import MODES, PROGRAMS, WORK, Facts
from billing.ledger.kernels import Ints, Mask
from billing.ledger.ladders import measured as measured_by
from billing.ledger.minutes import counted_entries
from billing.ledger.outcome import Outcome
from billing.rules.book import RuleBook
from billing.rules.ruleset import Band, Ladder, Period, Role, RuleSet

Row = dict[Hashable, Any]


@dataclass(frozen=True)
class EventKey:
    """Which event: the subject's row, the code, and the first day of its period."""

    subject: str  # "episode" or "patient", as in Outcome.events
    subject_row: int
    code: str
    period_start_day: int


@dataclass(frozen=True)
class Explanation:
    """An event with its evidence; rows are positions in the frames of the Facts."""

    code: str
    units: int
    service_day: int
    period_start_day: int
    period_end_day: int
    measure: str  # device_days, seconds or practitioner_seconds
    amount: int  # of the measure
    counted_days: tuple[int, ...]
    device_day_rows: tuple[int, ...]
    entry_rows: tuple[int, ...]
    live_entry_rows: tuple[int, ...]
    gate_rows: tuple[int, ...]
    coverage_rows: tuple[int, ...]
    rules: RuleSet
    ladder: Ladder
    band: Band
    findings: tuple[str, ...]
    episode: int  # row of the episode whose papers were asked
    period: int  # row in Outcome.periods
    payer: str


@dataclass(frozen=True)
class Computed:
    """Facts with what follows from them at one day: many events are explained from it."""

    facts: Facts
    book: RuleBook
    as_of: date
    known: date
    measured: Measured
    outcome: Outcome

    @classmethod
    def of(cls, facts: Facts, book: RuleBook, as_of: date, known: date) -> "Computed":
        """The calculation of ``evaluate``, with its measures kept."""
        measured = measure(facts, book, day_number(as_of))
        outcome = judged_outcome(facts, book, measured, as_of, known)
        return cls(facts, book, as_of, known, measured, outcome)


def explain(
    facts: Facts, book: RuleBook, as_of: date, known: date, key: EventKey
) -> Explanation | None:
    """The evidence of one event; None when these facts and rules do not give it."""
    return explained(Computed.of(facts, book, as_of, known), key)


def explained(computed: Computed, key: EventKey) -> Explanation | None:
    """As ``explain``, from a calculation that is there already."""
    facts, book, as_of = computed.facts, computed.book, computed.as_of
    measured, outcome = computed.measured, computed.outcome
    event = _event(outcome.events, key)
    if event is None:
        return None
    payer = str(event["payer"])
    rules = book.page(payer, int(event["service_day"]), day_number(computed.known))
    ladder = next(one for one in rules.ladders if one.name == event["ladder"])
    period: Row = outcome.periods.iloc[int(event["period"])].to_dict()
    days, day_rows = _days(facts, measured, period)
    entry_rows, live_rows = entries_behind(facts, book, measured, period, ladder, as_of)
    amount = _amount(measured, ladder, int(event["period"]), len(days))
    concerned = outcome.findings["period"] == event["period"]
    return Explanation(
        code=str(event["code"]),
        units=int(event["units"]),
        service_day=int(event["service_day"]),
        period_start_day=int(event["period_start_day"]),
        period_end_day=int(event["period_end_day"]),
        measure=ladder.measure.value,
        amount=amount,
        counted_days=tuple(days),
        device_day_rows=tuple(day_rows) if ladder.period is Period.DEVICE_SUPPLY_30 else (),
        entry_rows=tuple(entry_rows),
        live_entry_rows=tuple(live_rows),
        gate_rows=tuple(_gates(facts, int(event["episode"]), int(event["service_day"]))),
        coverage_rows=tuple(_coverages(facts, event)),
        rules=rules,
        ladder=ladder,
        band=_band(ladder, amount),
        findings=tuple(sorted(set(outcome.findings.loc[concerned, "code"]))),
        episode=int(event["episode"]),
        period=int(event["period"]),
        payer=payer,
    )


def _event(events: pd.DataFrame, key: EventKey) -> Row | None:
    rows = events[
        (events["subject"] == key.subject)
        & (events["subject_row"] == key.subject_row)
        & (events["code"] == key.code)
        & (events["period_start_day"] == key.period_start_day)
    ]
    return None if rows.empty else rows.iloc[0].to_dict()


def _days(facts: Facts, measured: Measured, period: Row) -> tuple[list[int], list[int]]:
    """The counted days of a window, and the device-day rows that make them."""
    if period["kind"] != Period.DEVICE_SUPPLY_30:
        return [], []
    kept = measured.windows.kept
    inside = (
        (kept.episode == period["episode"])
        & (kept.day >= period["start_day"])
        & (kept.day <= period["end_day"])
    )
    days = kept.day[inside]
    rows = facts.device_days
    counts = rows["qualifying_count"].to_numpy() > 0
    bits = measured.also_counts[measured.standing.program[rows["episode"].to_numpy()]]
    counts |= ((bits >> rows["refused_reason"].to_numpy().astype(np.int64)) & 1 == 1) & (
        rows["refused_count"].to_numpy() > 0
    )
    of_day = (
        counts
        & (rows["episode"].to_numpy() == period["episode"])
        & np.isin(rows["day"].to_numpy(), days)
    )
    return days.tolist(), np.flatnonzero(of_day).tolist()


def entries_behind(
    facts: Facts,
    book: RuleBook,
    measured: Measured,
    period: Row,
    ladder: Ladder,
    as_of: date,
) -> tuple[list[int], list[int]]:
    """Counted entries of the ladder's work in the period, and those of live contact among them."""
    if not ladder.work:
        return [], []
    entries = facts.entries
    counts, _ = counted_entries(measured.standing, entries, em_days(facts, book), day_number(as_of))
    day = entries["day"].to_numpy()
    mine = (
        counts
        & np.isin(entries["work"].to_numpy(), [WORK.index(word) for word in ladder.work])
        & (day >= period["start_day"])
        & (day <= period["end_day"])
        & _of_subject(facts, measured, period)
    )
    live = mine & (entries["mode"].to_numpy() == MODES.index("live"))
    return np.flatnonzero(mine).tolist(), np.flatnonzero(live).tolist()


def _of_subject(facts: Facts, measured: Measured, period: Row) -> Mask:
    """Entries of the window's episode, or of the month's patient and family of programs."""
    episode: Ints = facts.entries["episode"].to_numpy()
    if period["kind"] == Period.DEVICE_SUPPLY_30:
        of_episode: Mask = episode == period["episode"]
        return of_episode
    therapeutic = measured.standing.program[episode] != PROGRAMS.index("RPM")
    of_patient: Mask = facts.entries["patient"].to_numpy() == period["patient"]
    same_family: Mask = therapeutic == (period["program"] == "RTM")
    return of_patient & same_family


def _amount(measured: Measured, ladder: Ladder, row: int, days: int) -> int:
    if ladder.role in (Role.SUPPLY, Role.SETUP):
        return days
    return int(measured_by(measured.periods, ladder)[row])


def _band(ladder: Ladder, amount: int) -> Band:
    """The band the amount lies in, or the lowest where a relaxation let less suffice."""
    reached = [band for band in ladder.bands if band.at_least <= amount]
    if reached:
        return max(reached, key=lambda band: band.at_least)
    return min(ladder.bands, key=lambda band: band.at_least)


def _gates(facts: Facts, episode: int, service_day: int) -> list[int]:
    gates = facts.gates
    holds = (
        (gates["episode"].to_numpy() == episode)
        & (gates["from_day"].to_numpy() <= service_day)
        & (gates["to_day"].to_numpy() >= service_day)
    )
    return np.flatnonzero(holds).tolist()


def _coverages(facts: Facts, event: Row) -> list[int]:
    coverages = facts.coverages
    holds = (
        (coverages["patient"].to_numpy() == event["patient"])
        & (coverages["from_day"].to_numpy() <= event["service_day"])
        & (coverages["to_day"].to_numpy() >= event["service_day"])
        & (coverages["payer"].to_numpy() == facts.payers.index(str(event["payer"])))
    )
    return np.flatnonzero(holds).tolist()
