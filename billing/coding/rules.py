"""Coding rules: codes by family, regimes, what payers ask for, and marks, by day and known day.

Owns the shapes and the look-ups. Does not own reading the shipped data (``rules_read``) nor what
is made of an encounter (``visit``, ``place``).

Two clocks: a row covers service days, and became known on a day. Of the rows that cover a service
day, the one that became known last on or before the known day judges.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Protocol, TypeVar

from billing.rules.ruleset import Source

ANY_PAYER = "ANY"
"""The row that answers where nothing was read of a payer on a day."""
ADVANTAGE = "MA"
"""Any Medicare Advantage plan, where rules name payers."""


@dataclass(frozen=True)
class Code:
    """One code: its days, its band of minutes, its days on the Medicare telehealth list."""

    code: str
    label: str
    family: str
    from_day: date | None
    to_day: date | None
    patient: str | None  # NEW or EST; None: either
    mdm: str | None
    at_least: int | None  # minutes
    at_most: int | None
    timed_from: date | None  # first day on which minutes may choose the level
    step_minutes: int | None  # of an add-on: each unit
    most_units: int | None
    listed_from: date | None
    listed_to: date | None
    appendix_t: bool
    behavioral: bool

    def on(self, dos: date) -> bool:
        """Whether the code exists on a service day."""
        return _within(dos, self.from_day, self.to_day)

    def listed(self, dos: date) -> bool:
        """Whether the Medicare telehealth list of a service day holds it."""
        return self.listed_from is not None and _within(dos, self.listed_from, self.listed_to)

    def holds(self, minutes: int) -> bool:
        """Whether minutes lie in its band; never for a code without one."""
        return self.at_least is not None and self.at_least <= minutes <= (self.at_most or minutes)


@dataclass(frozen=True)
class Family:
    """Codes that stand for one kind of service, and what binds them all."""

    name: str
    stands: str  # live, apart (never telehealth) or fee
    bills: str  # em, non-em, behavioral, clinic or any
    codes: tuple[Code, ...]
    payers: tuple[str, ...]  # empty: any
    medicare_from: date | None  # first day on which Medicare takes the family
    addon_to: tuple[str, ...]  # families
    starts: Mapping[str, int]  # of prolonged time: base code -> minutes of the first unit
    step_minutes: int | None
    least_discussion: int | None  # minutes of medical discussion
    least_minutes: int | None  # below them nothing is reported, whatever the level
    most_reply_hours: int | None
    new_patients_to: date | None  # last day on which new patients have it too
    sittings_to: date | None  # last day on which it stands for psychotherapy too
    confidence: str
    source: Source

    def takes(self, payer: str) -> bool:
        """Whether the family is for this payer; a family that names none is for all others."""
        group = ADVANTAGE if payer.endswith("_MA") else payer
        return not self.payers or payer in self.payers or group in self.payers

    def band(self, minutes: int, dos: date) -> Code | None:
        """The code whose band holds the minutes on a service day; None below the lowest."""
        fitting = [one for one in self.codes if one.on(dos) and one.at_least is not None]
        held = [one for one in fitting if one.at_least is not None and one.at_least <= minutes]
        return max(held, key=lambda one: one.at_least or 0, default=None)


@dataclass(frozen=True)
class Regime:
    """What Medicare fee-for-service lets happen by telehealth on a run of service days."""

    id: str
    from_day: date
    to_day: date | None
    known_from: date
    originating: str  # waived or restricted
    audio: str  # none, phone-codes, listed, behavioral
    in_person_visit: str  # not-in-force, suspended, required
    confidence: str
    source: Source

    @property
    def is_restricted(self) -> bool:
        """Whether area and originating site are asked for again."""
        return self.originating == "restricted"


@dataclass(frozen=True)
class Mode:
    """What a payer asks of one way of holding a visit."""

    codes: str
    place: str
    required: tuple[str, ...] = ()  # one of them; proposed is the first
    allowed: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    hospital: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()  # what was not read


@dataclass(frozen=True)
class PayerRow:
    """What one payer asks for on a run of service days."""

    payer: str
    from_day: date
    to_day: date | None
    known_from: date
    video: Mode
    audio: Mode
    stored: Mode | None
    apart: str  # read, any-place (the payer takes any), unknown
    telemedicine: str  # required, refused, unknown
    confidence: str
    source: Source


@dataclass(frozen=True)
class Mark:
    """A place of service or a modifier, and the service days on which it exists."""

    mark: str
    kind: str  # place or modifier
    meaning: str
    from_day: date | None
    to_day: date | None
    confidence: str
    source: Source

    def on(self, dos: date) -> bool:
        """Whether it exists on a service day."""
        return _within(dos, self.from_day, self.to_day)


class _Dated(Protocol):
    @property
    def from_day(self) -> date: ...
    @property
    def to_day(self) -> date | None: ...
    @property
    def known_from(self) -> date: ...


D = TypeVar("D", bound=_Dated)


class CodingRules:
    """The rules of telehealth coding as read; looked up by service day and known day."""

    def __init__(
        self,
        families: Iterable[Family],
        regimes: Iterable[Regime],
        rows: Iterable[PayerRow],
        marks: Iterable[Mark],
    ) -> None:
        self.families = {one.name: one for one in families}
        self.codes = {code.code: code for one in self.families.values() for code in one.codes}
        self.regimes = tuple(regimes)
        self.rows = tuple(rows)
        self.marks = {one.mark: one for one in marks}
        self._by_payer: dict[str, list[PayerRow]] = {}
        for row in self.rows:
            self._by_payer.setdefault(row.payer, []).append(row)
        self._row = lru_cache(maxsize=8_192)(self._found_row)

    def family_of(self, code: str) -> Family | None:
        """The family of a code; None for one that coding does not know."""
        known = self.codes.get(code)
        return None if known is None else self.families[known.family]

    def is_apart(self, code: str) -> bool:
        """Whether the code is of the set that is never telehealth (TH-POS-06)."""
        family = self.family_of(code)
        return family is not None and family.stands == "apart"

    def regime(self, dos: date, known_day: date) -> Regime:
        """The Medicare regime of a service day as it was known on a day.

        Before any row of the service day was known, the one known first. KeyError before 2020.
        """
        covering = [one for one in self.regimes if _within(dos, one.from_day, one.to_day)]
        if not covering:
            raise KeyError("no Medicare regime was read for this day of service")
        known = _known(covering, known_day)
        return known or min(covering, key=lambda one: one.known_from)

    def payer_row(self, payer: str, dos: date, known_day: date) -> PayerRow:
        """What a payer asks for on a service day as it was known on a day.

        The row of ``ANY`` where nothing was read, or known yet. KeyError before 2020.
        """
        return self._row(payer, dos, known_day)

    def _found_row(self, payer: str, dos: date, known_day: date) -> PayerRow:
        for name in (payer, ANY_PAYER):
            covering = [
                one
                for one in self._by_payer.get(name, ())
                if _within(dos, one.from_day, one.to_day)
            ]
            found = _known(covering, known_day)
            if found is None and covering and name != ANY_PAYER and payer.startswith("MCR"):
                found = min(covering, key=lambda one: one.known_from)
            if found is not None or (name == ANY_PAYER and covering):
                return found or covering[0]
        raise KeyError("no payer row was read for this day of service")

    def mark_exists(self, mark: str, dos: date) -> bool:
        """Whether a place or modifier exists on a service day; one not listed always does."""
        return mark not in self.marks or self.marks[mark].on(dos)


def _within(day: date, first: date | None, last: date | None) -> bool:
    return (first is None or first <= day) and (last is None or day <= last)


def _known(rows: list[D], known_day: date) -> D | None:
    known = [one for one in rows if one.known_from <= known_day]
    return max(known, key=lambda one: one.known_from, default=None)
