"""The periods of one patient's month, each with its ladders.

Owns which periods belong to a month, and what of an outcome is told of each ladder. Does not own
the calculation (``evaluate``), the trials (``more``) nor the answer for a code (``why``).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from billing.days import day_number
from billing.ledger.added import NewDay, NewEntry, with_entries
from billing.ledger.evaluate import Measured, judged_outcome, measure
from billing.ledger.explain import Row, entries_behind
from billing.ledger.facts import KINDS, PROGRAMS, Facts
from billing.ledger.judged import MISSING
from billing.ledger.ladders import applies, days_left, has_live_contact
from billing.ledger.ladders import measured as measured_by
from billing.ledger.lines import least_of
from billing.ledger.more import (
    More,
    Place,
    Trials,
    counts_days,
    entry_for,
    free_days,
    lines_of,
    work_day,
)
from billing.ledger.outcome import Outcome
from billing.ledger.periods import MONTH, Periods
from billing.ledger.progress import step_up
from billing.ledger.why_told import LadderWhy, PeriodWhy, Rung, Said
from billing.ledger.windows import WINDOW_DAYS
from billing.rules.book import NoRuleError, RuleBook
from billing.rules.ruleset import Ladder, Period, Role, RuleSet

A_MINUTE = 60
A_DAY_OF_SECONDS = 86_400


@dataclass(frozen=True)
class Looked:
    """Facts of one patient as looked at on a day, with all that was worked out of them."""

    facts: Facts
    book: RuleBook
    as_of: date
    known: date
    month: tuple[int, int]  # first and last day
    measured: Measured
    outcome: Outcome
    rows: Periods
    trials: Trials

    @classmethod
    def at(
        cls, facts: Facts, book: RuleBook, as_of: date, known: date, month: tuple[int, int]
    ) -> "Looked":
        """Measured and judged, with an entry of no length in a month that has none."""
        as_of_day = day_number(as_of)
        trials = Trials(facts, book, as_of_day, known)
        measured = measure(facts, book, as_of_day)
        empty = list(_empty_entries(measured, month, as_of_day))
        if empty:
            facts = with_entries(facts, empty)
            measured = measure(facts, book, as_of_day)
        outcome = judged_outcome(facts, book, measured, as_of, known)
        service_day = outcome.periods["service_day"].to_numpy()
        rows = replace(measured.periods, service_day=service_day)
        return cls(facts, book, as_of, known, month, measured, outcome, rows, trials)

    def periods(self) -> Iterator[PeriodWhy]:
        """Windows, what stands in place of a window, then months."""
        rows: list[Row] = self.outcome.periods.to_dict("records")
        windows = [row for row in rows if row["kind"] == Period.DEVICE_SUPPLY_30 and self._in(row)]
        months = [
            row
            for row in rows
            if row["kind"] == Period.CALENDAR_MONTH and row["start_day"] == self.month[0]
        ]
        yield from map(self._period, windows)
        seen = {row["episode"] for row in windows}
        for episode in _touching(self.measured, self.month, self.month[1]):
            if episode not in seen:
                yield from self._without_window(episode, months)
        yield from map(self._period, months)

    def tried(self, told: LadderWhy, amount: int) -> More | None:
        """What so many days or seconds more would change; None where there is no day for them."""
        standing, place = self.measured.standing, told.place
        if counts_days(told.ladder):
            days = free_days(standing, self.measured.windows.kept, place)[:amount]
            if not 0 < amount == len(days):
                return None
            return self.trials.days([NewDay(place.episode, day, told.kind) for day in days], place)
        day = work_day(standing, place)
        if day is None or not 0 < amount <= A_DAY_OF_SECONDS:
            return None
        added = entry_for(told.ladder, place, day, amount, live=told.lacks_live)
        return self.trials.entry(added, place)

    def _in(self, row: Row) -> bool:
        first, last = self.month
        touches = row["start_day"] <= last and row["end_day"] >= first
        return bool(touches or first <= row["service_day"] <= last)

    def _page(self, row: Row) -> RuleSet | None:
        if not isinstance(row["payer"], str):
            return None
        try:
            return self.book.page(row["payer"], int(row["service_day"]), day_number(self.known))
        except NoRuleError:
            return None

    def _period(self, row: Row) -> PeriodWhy:
        rules, at = self._page(row), int(row["period"])
        said = self._said(at)
        ladders = tuple(
            self._ladder(row, rules, one, said)
            for one in (rules.ladders if rules else ())
            if rules is not None and applies(self.rows, one)[at]
        )
        of_ladders = {one for told in ladders for one in told.findings}
        return PeriodWhy(
            kind=str(row["kind"]),
            program=PROGRAMS[int(self.rows.program[at])],
            episode=int(row["episode"]),
            start_day=int(row["start_day"]),
            end_day=int(row["end_day"]),
            state=str(row["state"]),
            service_day=int(row["service_day"]),
            payer=row["payer"] if isinstance(row["payer"], str) else "",
            rules=rules,
            findings=tuple(one for one in said if one not in of_ladders),
            ladders=ladders,
        )

    def _said(self, period: int) -> list[Said]:
        found = self.outcome.findings
        mine = found[found["period"] == period]
        columns = (mine[name].tolist() for name in ("code", "concerns", "amount"))
        return [Said(*values) for values in zip(*columns, strict=True)]

    def _ladder(self, row: Row, rules: RuleSet, ladder: Ladder, said: list[Said]) -> LadderWhy:
        at = int(row["period"])
        standing, events = self.measured.standing, self.outcome.events
        entries, _ = entries_behind(self.facts, self.book, self.measured, row, ladder, self.as_of)
        mine = (events["period"] == at) & (events["ladder"] == ladder.name)
        live = "live-contact" in ladder.needs
        told = LadderWhy(
            rules=rules,
            ladder=ladder,
            amount=int(measured_by(self.rows, ladder)[at]),
            logged=int(self.facts.entries["seconds"].to_numpy()[entries].sum()),
            rungs=tuple(
                Rung(band, int(least_of(standing, self.rows, rules, band)[at]))
                for band in ladder.bands
            ),
            lines=tuple(lines_of(events[mine])),
            findings=(),
            stops=(),
            because="",
            lacks_live=live and not bool(has_live_contact(self.rows, ladder)[at]),
            place=self._place(row, ladder),
            kind=self._kind(at),
        )
        own = tuple(one for one in said if one.concerns in {ladder.name, *told.codes})
        told = replace(told, findings=own, stops=_stops(told, said, own))
        if not told.lines and not told.stops:
            told = replace(told, because=self._because(row, told))
        _, _, least = step_up(standing, self.rows, rules, ladder, at, told.amount)
        return self._with_more(told, least)

    def _with_more(self, told: LadderWhy, next_least: int) -> LadderWhy:
        """With trials of one more day or minute, and of as much as the next code needs."""
        one = 1 if counts_days(told.ladder) else A_MINUTE
        amounts = dict.fromkeys((one, next_least - told.amount))
        tried = (self.tried(told, amount) for amount in amounts if amount > 0)
        return replace(told, more=tuple(trial for trial in tried if trial is not None))

    def _because(self, row: Row, told: LadderWhy) -> str:
        if told.ladder.role is Role.SETUP:
            return self._because_of_setup(row, told)
        if row["state"] == "open":
            return "running"
        return "not_payable" if told.amount else "nothing_measured"

    def _because_of_setup(self, row: Row, told: LadderWhy) -> str:
        standing, events = self.measured.standing, self.outcome.events
        root = standing.chain_root()
        chain = np.flatnonzero(root == root[row["episode"]])
        if standing.setup_billed[chain].any():
            return "setup_before"
        billed = events["code"].isin(told.codes) & events["episode"].isin(chain)
        return "setup_elsewhere" if billed.any() else "setup_waits"

    def _place(self, row: Row, ladder: Ladder) -> Place:
        at, seen = int(row["period"]), day_number(self.as_of)
        first, last = int(row["start_day"]), int(row["end_day"])
        running = row["state"] == "open"
        left = 0
        if running and counts_days(ladder):
            left = int(days_left(self.measured.standing, self.rows, seen)[at])
        elif running:
            closed = int(self.measured.standing.closed_day[row["episode"]])
            left = max(min(last, closed) - seen + 1, 0) * A_DAY_OF_SECONDS
        return Place(int(row["episode"]), first, last, seen, last if running else None, left)

    def _kind(self, at: int) -> str:
        """The kind of device that measured in the window."""
        kinds = int(self.rows.kinds[at])
        return next((word for bit, word in enumerate(KINDS) if kinds >> bit & 1), "bp")

    def _without_window(self, episode: int, months: list[Row]) -> Iterator[PeriodWhy]:
        """Supply ladders of an episode that has no window in the month, by the month's page."""
        program = PROGRAMS[int(self.measured.standing.program[episode])]
        family = "RPM" if program == "RPM" else "RTM"
        for row in (one for one in months if one["program"] == family):
            rules = self._page(row)
            ladders = tuple(
                self._empty_ladder(rules, one, episode)
                for one in (rules.ladders if rules else ())
                if rules is not None and one.role is Role.SUPPLY and program in one.programs
            )
            yield PeriodWhy(
                kind=Period.DEVICE_SUPPLY_30.value,
                program=program,
                episode=episode,
                start_day=None,
                end_day=None,
                state="open" if self.month[1] >= day_number(self.as_of) else "closed",
                service_day=None,
                payer=row["payer"] if isinstance(row["payer"], str) else "",
                rules=rules,
                findings=(),
                ladders=ladders,
            )

    def _empty_ladder(self, rules: RuleSet, ladder: Ladder, episode: int) -> LadderWhy:
        rungs = tuple(Rung(band, band.at_least) for band in ladder.bands)
        first, last = self.month
        seen = day_number(self.as_of)
        closed = int(self.measured.standing.closed_day[episode])
        left = max(min(last, closed) - max(first, seen) + 1, 0)
        # a window that begins on the last of these days is over by then
        until = last + WINDOW_DAYS - 1
        told = LadderWhy(
            rules=rules,
            ladder=ladder,
            amount=0,
            logged=0,
            rungs=rungs,
            lines=(),
            findings=(),
            stops=(),
            because="nothing_measured",
            lacks_live=False,
            place=Place(episode, first, last, seen, until, left),
            kind="bp",
        )
        return self._with_more(told, min(rung.at_least for rung in rungs))


def _empty_entries(
    measured: Measured, month: tuple[int, int], as_of_day: int
) -> Iterator[NewEntry]:
    """Work of no length, which lets a month without entries be judged like any other.

    Logged for a visit and without a start, it neither counts nor takes a second from others.
    """
    periods = measured.periods
    there = (periods.kind == MONTH) & (periods.start_day == month[0])
    families = set(periods.therapeutic[there].tolist())
    for episode in reversed(_touching(measured, month, as_of_day)):
        therapeutic = bool(measured.standing.program[episode] != PROGRAMS.index("RPM"))
        if therapeutic not in families:
            families.add(therapeutic)
            closed = int(measured.standing.closed_day[episode])
            yield NewEntry(episode, min(month[1], closed, as_of_day), 0, work="EM", mode="async")


def _touching(measured: Measured, month: tuple[int, int], until: int) -> list[int]:
    """Episodes that are open on some day of the month, up to a day."""
    standing = measured.standing
    inside = (standing.opened_day <= min(month[1], until)) & (standing.closed_day >= month[0])
    found: list[int] = np.flatnonzero(inside & (month[0] <= until)).tolist()
    return found


def _stops(told: LadderWhy, said: list[Said], own: tuple[Said, ...]) -> tuple[str, ...]:
    """Codes of findings that keep back what the ladder earned, each once."""
    general = {"E_NO_COVERAGE", "E_NO_RULE", *MISSING.values()}
    general |= {stop.finding for stop in told.rules.stops}
    excluding = {
        (rule.finding, code)
        for rule in told.rules.exclusions
        for code in told.codes & set(rule.applies_to)
    }
    found = [one.code for one in said if not one.concerns and one.code in general]
    found += [
        one.code
        for one in own
        if one.code.startswith("E_")
        or (one.code, one.concerns) in excluding
        or one.code == "W_SETUP_NOT_RECORDED"
    ]
    return tuple(dict.fromkeys(found))
