"""RuleSet: one page of rules, frozen. Numbers and named strategies; no expressions.

Owns the shape of a page. Does not own reading it from TOML (``read``) nor choosing it (``book``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from billing.rules.edits import Edits

STATUSES = ("SETTLED", "SETTLED-MAC", "SECONDARY", "DERIVED", "CONFLICT", "UNVERIFIED")
"""How far a rule is known; the reference's key, shown wherever a person sees the result."""


@dataclass(frozen=True)
class Source:
    """Where a rule was read: the ids of sources.toml, a note, and the day it was last re-read."""

    ids: tuple[str, ...]
    note: str
    checked_on: date


class Role(StrEnum):
    """What a ladder decides."""

    SUPPLY = "supply"  # device days in a 30-day window
    SETUP = "setup"  # once per episode, with the first supply line
    MANAGEMENT = "management"  # seconds in a calendar month
    REVIEW = "review"  # practitioner's own seconds (99091)


class Period(StrEnum):
    """The two kinds of period."""

    DEVICE_SUPPLY_30 = "device-supply-30"
    CALENDAR_MONTH = "calendar-month"


class Measure(StrEnum):
    """What a ladder counts."""

    DEVICE_DAYS = "device_days"
    SECONDS = "seconds"  # practitioner and clinical staff, wall-clock
    PRACTITIONER_SECONDS = "practitioner_seconds"


class Who(StrEnum):
    """Whose line excludes."""

    OWN = "own"
    OTHER = "other"  # another practice
    ANY = "any"
    DERIVED = "derived"  # a line this same calculation lets leave


class Within(StrEnum):
    """Where the excluding line must fall."""

    PERIOD = "period"  # the window or month of our line
    MONTH = "month"  # the calendar month of our service day
    LAST_30_DAYS = "last-30-days"  # the 30 days that end on our service day
    SAME_DAY = "same-day"  # our service day


@dataclass(frozen=True)
class Line:
    """A code that a band earns: one unit, or one for each full ``every`` beyond ``at_least``."""

    code: str
    every: int | None = None


@dataclass(frozen=True)
class Band:
    """A range of a measure, both ends included, and the lines it earns."""

    at_least: int
    at_most: int | None
    lines: tuple[Line, ...]
    status: str
    source: Source


@dataclass(frozen=True)
class Ladder:
    """Bands over one measure of one period kind, for the episodes of some programs.

    ``work`` are the words of the time log that count; ``needs`` are gates without which nothing
    leaves (consent, order, established, prior-auth) and ``live-contact``; ``also_counts`` are
    refusal words whose readings count all the same (RTM takes self-reported data).
    """

    name: str
    role: Role
    programs: tuple[str, ...]
    period: Period
    measure: Measure
    work: tuple[str, ...]
    needs: tuple[str, ...]
    also_counts: tuple[str, ...]
    bands: tuple[Band, ...]
    status: str
    source: Source


@dataclass(frozen=True)
class Code:
    """A billing code: own short label, the days it is payable, its unit limit (MUE) and MAI."""

    code: str
    label: str
    payable_from: date | None  # None: not dated by the reference; only recorded, never derived
    payable_to: date | None
    max_units: int | None
    mai: int | None
    addon_to: str | None
    status: str
    source: Source


@dataclass(frozen=True)
class Relaxation:
    """Fewer days suffice for some codes between two service days when a gate holds (PHE)."""

    id: str
    codes: tuple[str, ...]
    from_day: date
    to_day: date
    needs: str
    at_least: int
    status: str
    source: Source


@dataclass(frozen=True)
class Waiver:
    """A gate that is not asked for between two service days (PHE: established patient)."""

    id: str
    gate: str
    from_day: date
    to_day: date
    status: str
    source: Source


@dataclass(frozen=True)
class Exclusion:
    """A line that does not leave because another line stands in its way."""

    finding: str
    applies_to: tuple[str, ...]
    blocked_by: tuple[str, ...]
    who: Who
    within: Within
    only_kinds: tuple[str, ...]  # holds only where every counted reading is of these kinds
    status: str
    source: Source


@dataclass(frozen=True)
class Stop:
    """Nothing leaves: the payer does not cover, uses other codes, or a paper is missing."""

    finding: str
    settings: tuple[str, ...]  # empty: all
    missing_gate: str | None  # only where this gate is not held
    from_day: date | None
    to_day: date | None
    status: str
    source: Source


@dataclass(frozen=True)
class Notice:
    """A finding that goes with what leaves (or always): a rule to re-check, a policy pending."""

    finding: str
    always: bool
    codes: tuple[str, ...]  # empty: every line
    settings: tuple[str, ...]  # empty: all
    pos: tuple[int, ...]  # empty: every place of service
    gate: str | None  # only while this gate holds on the service day
    from_day: date | None
    to_day: date | None
    status: str
    source: Source


@dataclass(frozen=True)
class Replacement:
    """A code that leaves in place of others, or instead of them nothing, in some settings."""

    finding: str
    settings: tuple[str, ...]
    codes: tuple[str, ...]
    by: str | None  # None: the line folds into one already replaced and does not leave by itself
    from_day: date
    to_day: date
    status: str
    source: Source


@dataclass(frozen=True)
class Boundary:
    """A day on which a rule changed: a window across it, with days in this range, is warned of."""

    finding: str
    first_day: date
    at_least: int
    at_most: int
    status: str
    source: Source


@dataclass(frozen=True)
class Amount:
    """What a payer's printed schedule gives for a code between two service days.

    ``cents`` is per unit, national, GPCI 1.0; ``facility_cents`` where the schedule has a second
    figure. Either is computed from ``rvu`` and ``factor`` or is the printed figure.
    """

    code: str
    from_day: date
    to_day: date
    cents: int
    facility_cents: int | None
    rvu: Decimal | None
    facility_rvu: Decimal | None
    factor: Decimal | None
    status: str
    source: Source


@dataclass(frozen=True)
class RuleSet:
    """One page: one payer, a run of service days, and the day it became known.

    ``not_adopted`` are codes this payer has not loaded; ``em_codes`` are the visits whose day
    takes a practitioner's minutes away (R-TIME-10).
    """

    id: str
    title: str
    payer: str
    extends: str | None
    effective_from: date
    effective_to: date | None
    known_from: date
    status: str
    source: Source
    ladders: tuple[Ladder, ...]
    codes: Mapping[str, Code]
    relaxations: tuple[Relaxation, ...]
    waivers: tuple[Waiver, ...]
    exclusions: tuple[Exclusion, ...]
    stops: tuple[Stop, ...]
    notices: tuple[Notice, ...]
    replacements: tuple[Replacement, ...]
    boundaries: tuple[Boundary, ...]
    not_adopted: tuple[str, ...]
    not_adopted_finding: str
    em_codes: tuple[str, ...]
    digest: str  # SHA-256 of the page's canonical content
    edits: "Edits | None" = None  # tables that the practice loaded; None: only the shipped ones
