"""What was left out: readings and entries of some days that count for nothing, each with why.

Owns the telling, by the same questions that the count asks (``windows``, ``minutes``). Does not own
what counts.
"""

from dataclasses import dataclass

import numpy as np

from billing.ledger.accompany import REFUSAL_FINDINGS
from billing.ledger.evaluate import Measured, em_days
from billing.ledger.facts import REFUSED, WORK, Facts
from billing.ledger.kernels import Ints, Mask, row_day_key
from billing.ledger.minutes import COUNTED_WORK, REASONS, counted_entries, standing_entries
from billing.ledger.windows import KeptDays
from billing.rules.book import RuleBook

OVERLAPS = ("W_TIME_OVERLAP_DEDUPED", "W_TIME_OTHER_PROGRAM")
"""Reasons by which a part of an entry is left out, not the whole entry."""


Span = tuple[int, int]
"""First and last day, both included."""


@dataclass(frozen=True)
class LeftOut:
    """Facts of one kind that do not count for one reason.

    ``reason`` is a word of ``REASON_WORDS``; ``finding`` is the code that tells it, or empty.
    ``seconds`` is 0 for readings and where only a part of entries is left out.
    """

    what: str  # "readings" or "entries"
    episode: int
    reason: str
    finding: str
    count: int
    seconds: int
    days: tuple[int, ...]


REASON_WORDS = {
    "manual_entry": "entered by hand",
    "device_not_qualified": "of a device that is not recorded as a medical device",
    "not_physiologic": "not a body measurement: a test or control solution",
    "time_suspect": "at a time that cannot be true",
    "out_of_range": "out of the range that can be true",
    "excluded": "taken out by the practice",
    "other": "set aside, or of a kind that the practice does not count",
    "before_setup": "before set-up",
    "no_consent": "on days without consent",
    "after_end": "after the episode ended",
    "earlier_window": "inside the 30 days of an earlier episode",
    "taken_back": "taken back by a reversal",
    "other_work": "logged for other work",
    "clerical": "by clerical staff",
    "em_day": "by a practitioner on the day of a billed visit",
    "overlap": "overlapping: each second counts once",
    "other_program": "partly also logged for another program, where it stays",
}
"""A reason in words that go on after a count of readings or entries."""

_ENTRY_REASONS = {
    "W_NONCLINICAL_EXCLUDED": "clerical",
    "W_CONSENT_LATE": "no_consent",
    "W_TIME_AFTER_END": "after_end",
    "W_EM_DAY_TIME_EXCLUDED": "em_day",
    "W_TIME_OVERLAP_DEDUPED": "overlap",
    "W_TIME_OTHER_PROGRAM": "other_program",
}


@dataclass(frozen=True)
class _Rows:
    """Rows of facts with what is told of them, gathered by episode.

    ``entry`` names the entry of each row: its parts are one. Without it ``count`` is summed.
    """

    what: str
    episode: Ints
    day: Ints
    count: Ints
    seconds: Ints
    entry: Ints | None = None

    def told(self, reason: str, finding: str, why: Mask) -> list[LeftOut]:
        """The rows of a mask, by episode."""
        return [
            LeftOut(
                self.what,
                one,
                reason,
                finding,
                int(self.count[mine].sum())
                if self.entry is None
                else int(np.unique(self.entry[mine]).size),
                int(self.seconds[mine].sum()),
                tuple(np.unique(self.day[mine]).tolist()),
            )
            for one in np.unique(self.episode[why]).tolist()
            if (mine := why & (self.episode == one)).any()
        ]


def left_out_readings(facts: Facts, measured: Measured, span: Span) -> list[LeftOut]:
    """Readings of these days that did not count, also beside others that made the day count."""
    rows, standing, kept = facts.device_days, measured.standing, measured.windows.kept
    episode, day, good, refused, reason = (
        rows[name].to_numpy()
        for name in ("episode", "day", "qualifying_count", "refused_count", "refused_reason")
    )
    inside = (day >= span[0]) & (day <= span[1])
    also = (measured.also_counts[standing.program[episode]] >> reason.astype(np.int64)) & 1 == 1
    nothing = np.zeros(len(rows), dtype=np.int64)
    of_refused = _Rows("readings", episode, day, refused, nothing)
    found = []
    for position, word in enumerate(REFUSED):
        why = inside & (refused > 0) & (reason == position) & ~also
        found += of_refused.told(word, _finding_of(word), why) if word else []
    number = good + np.where(also, refused, 0)
    lost = inside & (number > 0) & ~np.isin(row_day_key(episode, day), _kept_keys(kept))
    of_lost = _Rows("readings", episode, day, number, nothing)
    for reason_word, finding, why in (
        ("before_setup", "", day < standing.setup_day[episode]),
        ("no_consent", "W_CONSENT_LATE", standing.before_consent(episode, day)),
        ("no_consent", "", ~standing.consented(episode, day)),
        ("after_end", "", day > standing.closed_day[episode]),
        ("earlier_window", "W_WINDOW_OVERLAP_SHIFTED", inside),
    ):
        found += of_lost.told(reason_word, finding, lost & why)
        lost = lost & ~why
    return found


def left_out_entries(
    facts: Facts, book: RuleBook, measured: Measured, as_of_day: int, span: Span
) -> list[LeftOut]:
    """Entries of these days that count for nothing, and days of which a part counts elsewhere."""
    frame, standing = facts.entries, measured.standing
    counts, by_finding = counted_entries(standing, frame, em_days(facts, book), as_of_day)
    stands = standing_entries(frame, as_of_day)
    episode, day, seconds = (frame[name].to_numpy() for name in ("episode", "day", "seconds"))
    rows = _Rows("entries", episode, day, seconds, seconds, frame["entry"].to_numpy())
    rest = (day >= span[0]) & (day <= min(span[1], as_of_day))
    rest &= (frame["reverses"].to_numpy() < 0) & ~counts
    counted_work = [WORK.index(word) for word in COUNTED_WORK]
    whole = {code: mask for code, mask in by_finding.items() if code not in OVERLAPS}
    found = []
    for reason, finding, why in (
        ("taken_back", "", ~stands),
        *((_ENTRY_REASONS[code], code, mask) for code, mask in whole.items()),
        ("other_work", "", ~np.isin(frame["work"].to_numpy(), counted_work)),
        ("no_consent", "", ~standing.consented(episode, day)),
        ("other_work", "", rest),
    ):
        found += rows.told(reason, finding, rest & why)
        rest = rest & ~why
    return [*found, *_overlaps(measured, span)]


def _overlaps(measured: Measured, span: Span) -> list[LeftOut]:
    """Days on which seconds were shared: with another entry, person, patient or program."""
    minutes = measured.minutes
    nothing = np.zeros(minutes.remark.size, dtype=np.int64)
    rows = _Rows("entries", minutes.remark_episode, minutes.remark_day, nothing, nothing)
    inside = (minutes.remark_day >= span[0]) & (minutes.remark_day <= span[1])
    return [
        one
        for code in OVERLAPS
        for one in rows.told(
            _ENTRY_REASONS[code], code, inside & (minutes.remark == REASONS.index(code))
        )
    ]


def _kept_keys(kept: KeptDays) -> Ints:
    return row_day_key(kept.episode, kept.day)


def _finding_of(refused: str) -> str:
    """The finding that tells of readings refused for a word; empty where none does."""
    return next((code for code, words in REFUSAL_FINDINGS.items() if refused in words), "")
