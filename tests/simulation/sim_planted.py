"""Bugs planted on purpose, to see that the simulator finds them.

Owns how each is planted into the product. Does not own the runs that find it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from billing.ledger import postings
from billing.ledger.postings import Billed, JournalLine, NewPosting
from devices.local_day import LocalDay
from devices.reading import Reading
from rpm.actions import close_month, compute_close, judge_reading
from rpm.actions.judge_reading import Identity
from rpm.actions.reading_batch import Batch

Plant = Callable[[pytest.MonkeyPatch], None]


def drop_the_unique_claim(patch: pytest.MonkeyPatch) -> None:
    """Of two closers that computed the same close both post."""
    patch.setattr(close_month, "_claim", lambda *_: True)
    patch.setattr(close_month, "_identity", lambda _: None)


def skip_a_reversal(patch: pytest.MonkeyPatch) -> None:
    """What is no longer earned stays posted."""

    def without_reversals(events: list[Billed], journal: list[JournalLine]) -> list[NewPosting]:
        return [one for one in postings.reconcile(events, journal) if one.sign > 0]

    patch.setattr(compute_close, "reconcile", without_reversals)


def take_the_utc_day(patch: pytest.MonkeyPatch) -> None:
    """A reading's day is that of UTC, not the patient's."""

    def utc_day(measured_at: datetime, **_: Any) -> LocalDay:
        return LocalDay(measured_at.astimezone(UTC).date(), "UTC", "device")

    patch.setattr(judge_reading, "local_day", utc_day)


def overwrite_on_conflict(patch: pytest.MonkeyPatch) -> None:
    """Other content under a known identity takes the place of the first, without a word."""

    def corrected(batch: Batch, item: Reading, last: Any, identity: Identity) -> Any:
        return batch._correct(replace(item, status="corrected"), last, identity)

    patch.setattr(Batch, "_conflict", corrected)


PLANTED: dict[str, tuple[Plant, int]] = {
    "unique claim dropped": (drop_the_unique_claim, 2),
    "reversal skipped": (skip_a_reversal, 1),
    "UTC instead of local day": (take_the_utc_day, 0),
    "conflict overwrites": (overwrite_on_conflict, 0),
}
"""Each bug with a seed that is known to find it and that passes without it in every test run."""
