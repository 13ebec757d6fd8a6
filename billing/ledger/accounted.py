"""Accounted: every reading and entry of an event's period, with whether it counts and if not, why.

Owns the words, by the same questions that the count asks (``windows``, ``minutes``). Does not own
which facts an event rests on (``explain``) nor totals of what was left out (``left_out``).
"""

from dataclasses import dataclass

import numpy as np

from billing.days import day_number
from billing.ledger.evaluate import em_days
from billing.ledger.explain import Computed, Explanation
from billing.ledger.facts import KINDS, PROGRAMS, REFUSED, WORK
from billing.ledger.minutes import counted_entries, standing_entries
from billing.rules.profile import SupplyServiceDay
from billing.rules.ruleset import Period, Role

_BY_FINDING = {
    "W_NONCLINICAL_EXCLUDED": "clerical",
    "W_TIME_AFTER_END": "after_end",
    "W_EM_DAY_TIME_EXCLUDED": "em_day",
}


@dataclass(frozen=True)
class Window:
    """Where a device-supply window stands in its episode; days are day numbers."""

    number: int  # 0 for the first
    first_counted_day: int  # of the episode
    first_service_day: int  # last counted day of the episode's first window
    shifted: bool  # the first window was moved behind those of an earlier episode (R-DEV-11)
    threshold_days: int | None  # days that date the line, where the profile says so


def window_of(computed: Computed, found: Explanation) -> Window | None:
    """The window of an event; None for an event of a month."""
    measured = computed.measured
    row = int(measured.periods.window[found.period])
    if row < 0:
        return None
    kept = measured.windows.kept
    days = kept.day[kept.episode == found.episode]
    first = int(days[0])
    return Window(
        number=int(measured.windows.number[row]),
        first_counted_day=first,
        first_service_day=int(days[days < first + 30][-1]),
        shifted=bool(measured.windows.shifted[found.episode]),
        threshold_days=_threshold_days(computed, found),
    )


def _threshold_days(computed: Computed, found: Explanation) -> int | None:
    strategies = tuple(SupplyServiceDay)
    strategy = strategies[computed.measured.standing.supply_service_day[found.episode]]
    if strategy is not SupplyServiceDay.THRESHOLD_DAY:
        return None
    program = PROGRAMS[computed.measured.standing.program[found.episode]]
    known = day_number(computed.known)
    runs = computed.book.pages_for(found.payer, found.period_end_day, found.period_end_day, known)
    return max(
        (
            band.at_least
            for _, _, page in runs
            for ladder in page.ladders
            if ladder.role is Role.SUPPLY and program in ladder.programs
            for band in ladder.bands
        ),
        default=None,
    )


def also_counts_of(computed: Computed, episode: int) -> tuple[str, ...]:
    """Refusal words whose readings count all the same in an episode's program."""
    bits = int(computed.measured.also_counts[computed.measured.standing.program[episode]])
    return tuple(word for place, word in enumerate(REFUSED) if bits >> place & 1)


def reading_reason(computed: Computed, episode: int, day: int, kind: str, word: str) -> str:
    """Why readings of a day do not count; empty when they do.

    ``word`` is the refusal word under which they are kept; empty for those that qualify.
    """
    rows = computed.facts.device_days
    mine = (rows["episode"].to_numpy() == episode) & (rows["day"].to_numpy() == day)
    mine &= rows["kind"].to_numpy() == KINDS.index(kind)
    mine &= rows["qualifying_count"].to_numpy() > 0
    if not word and not mine.any():
        word = "other"  # a kind that the practice does not count
    if word and word not in also_counts_of(computed, episode):
        return word
    standing, kept = computed.measured.standing, computed.measured.windows.kept
    if ((kept.episode == episode) & (kept.day == day)).any():
        return ""
    one, at = np.array([episode]), np.array([day])
    for reason, holds in (
        ("after_as_of", day > day_number(computed.as_of)),
        ("before_setup", day < standing.setup_day[episode]),
        ("no_consent", not standing.consented(one, at)[0]),
        ("after_end", day > standing.closed_day[episode]),
    ):
        if holds:
            return reason
    return "earlier_window"


def entry_reasons(computed: Computed, found: Explanation) -> dict[int, str]:
    """By row of the log, entries of the patient in the period: why each does not count for it.

    Empty for those that count. Of an entry that overlaps others only a part may count.
    """
    facts, standing, ladder = computed.facts, computed.measured.standing, found.ladder
    log = facts.entries
    as_of_day = day_number(computed.as_of)
    counts, left_out = counted_entries(standing, log, em_days(facts, computed.book), as_of_day)
    stands = standing_entries(log, as_of_day)
    day, episode = log["day"].to_numpy(), log["episode"].to_numpy()
    inside = log["patient"].to_numpy() == standing.patient[found.episode]
    inside &= (day >= found.period_start_day) & (day <= found.period_end_day)
    of_work = np.isin(log["work"].to_numpy(), [WORK.index(word) for word in ladder.work])
    elsewhere = np.zeros(len(log), dtype=np.bool_)
    if ladder.period is Period.DEVICE_SUPPLY_30:
        elsewhere = episode != found.episode
    asked = (
        ("not_measured", np.full(len(log), not ladder.work)),
        ("reversal", log["reverses"].to_numpy() >= 0),
        ("after_as_of", day > as_of_day),
        ("taken_back", ~stands),
        ("other_work", ~of_work),
        ("other_episode", elsewhere),
        ("", counts),
        *((_BY_FINDING[code], mask) for code, mask in left_out.items() if code in _BY_FINDING),
        ("no_consent", ~standing.consented(episode, day)),
        ("other_work", inside),
    )
    rows = np.flatnonzero(inside).tolist()
    return {row: next(reason for reason, why in asked if why[row]) for row in rows}
