"""Outcome: what follows from facts and rules, as four frames.

Owns their columns. A day is a day number, a time is whole seconds. Words are categoricals with a
fixed vocabulary, so that frames of several partitions can be joined.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from billing.ledger.kernels import Ints

PERIOD_COLUMNS = (
    "period",  # row number, 0..n-1
    "kind",  # device-supply-30, calendar-month, or none: an episode that has no period yet
    "episode",  # in a month: the latest episode with an entry in it
    "patient",
    "program",  # RPM or RTM
    "start_day",
    "end_day",
    "state",  # open, closed, ended
    "service_day",
    "days",
    "last_recorded_day",
    "seconds",  # counted for the family of the period
    "practitioner_seconds",
    "live_seconds",
    "payer",
    "page",  # id of the rule page that judged it; missing where none is in force
)
EVENT_COLUMNS = (
    "period",
    "episode",
    "patient",
    "subject",  # episode or patient: whom the ladder counts for
    "subject_row",
    "ladder",
    "code",
    "units",
    "service_day",
    "period_start_day",
    "period_end_day",
    "payer",
    "page",
)
FINDING_COLUMNS = (
    "period",
    "episode",
    "patient",
    "code",  # of the finding
    "concerns",  # ladder or code that it concerns; may be empty
    "amount",  # days, seconds or units it speaks of; 0 where it has none
)
PROGRESS_COLUMNS = (
    "episode",
    "patient",
    "ladder",
    "role",  # of the ladder: supply, management, review
    "start_day",  # NO_DAY: the window begins with the first reading
    "end_day",
    "measured",  # days or seconds so far
    "earned_code",  # what the measure would earn today; empty when nothing
    "further_code",  # of units earned beyond the band, such as each further 20 minutes; or empty
    "further_units",
    "next_code",  # what more would earn; empty at the top
    "next_at_least",
    "still_needed",  # days or seconds
    "reachable",
    "at_top",  # the highest band is reached: more only adds units
    "needs_live",  # the month has no live contact yet (R-TIME-05)
    "due_code",  # the highest code whose days can still be had; empty when none
    "due_day",  # the last day to go on towards it: without a reading it is lost; else NO_DAY
)


def words(rows: Ints, vocabulary: Sequence[str]) -> "pd.Categorical[str]":
    """Positions in a vocabulary as a column of words; -1 is no word."""
    return pd.Categorical.from_codes(rows, categories=pd.Index(list(vocabulary), dtype=object))


@dataclass(frozen=True)
class Outcome:
    """The whole result of one evaluation."""

    periods: pd.DataFrame
    events: pd.DataFrame
    findings: pd.DataFrame
    progress: pd.DataFrame
