"""What an edit looks at, and how an edit is written.

Owns the one view of a visit that every edit judges, and the list of edits by id. Does not own the
edits themselves (``check_*``) nor their words (``catalog``).

An edit of lines is a function ``(visit, line) -> Told``: None when it stays silent, else what its
message may tell (an empty mapping when it tells nothing). An edit of the visit gives the same for
the whole, or pairs of a line's index and what it tells.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from billing.coding.encounter import CLINICS, Encounter
from billing.coding.lines import Line
from billing.coding.place import TELEHEALTH_MODIFIERS, TELEHEALTH_PLACES
from billing.coding.rules import CodingRules, Family, PayerRow, Regime
from billing.rules.edits import Edits

Told = Mapping[str, str] | None
FIRES: Mapping[str, str] = {}
"""What an edit gives when it fires and its message tells nothing of the line."""

OFFICE = ("office",)
TELEMEDICINE = ("video", "phone")
CHECK_INS = ("check-in", "check-in-non-em", "image-review", "image-review-non-em")
PORTAL_NON_EM = ("e-visit-non-em", "e-visit-non-em-2020")
PORTAL = ("e-visit", *PORTAL_NON_EM)
E_CONSULTS = ("e-consult", "e-consult-written")
E_CONSULTS_BEHAVIORAL = ("e-consult-behavioral", "e-consult-behavioral-written")
PROLONGED = ("prolonged", "prolonged-medicare")
THERAPY = ("therapy", "therapy-with-visit", "family-therapy")
EVALUATIONS = ("evaluation", "evaluation-medical")
CARE = ("care-staff", "care-practitioner", "care-complex")


@dataclass(frozen=True)
class Visit:
    """An encounter with the lines that are judged, under the rules as known on a day.

    ``submitted`` are the lines before any repair: what edits between codes look at.
    """

    encounter: Encounter
    lines: tuple[Line, ...]
    rules: CodingRules
    known_day: date
    submitted: tuple[Line, ...]
    pairs: Edits | None = None  # loaded NCCI tables of the day of service

    @cached_property
    def regime(self) -> Regime | None:
        """The Medicare regime of the day of service; None before any was read."""
        try:
            return self.rules.regime(self.encounter.dos, self.known_day)
        except KeyError:
            return None

    @cached_property
    def row(self) -> PayerRow | None:
        """What the payer asks for; None before any row was read."""
        try:
            return self.rules.payer_row(self.encounter.payer, self.encounter.dos, self.known_day)
        except KeyError:
            return None

    @cached_property
    def codes(self) -> frozenset[str]:
        """The codes of the judged lines."""
        return frozenset(line.code for line in self.lines)

    def family(self, code: str) -> Family | None:
        """The family of a code; None for one that coding does not know."""
        return self.rules.family_of(code)

    def is_of(self, code: str, families: Iterable[str]) -> bool:
        """Whether a code belongs to one of the families."""
        family = self.family(code)
        return family is not None and family.name in families

    def is_visit_line(self, line: Line) -> bool:
        """Whether a line is judged as a visit: not of the set apart from telehealth, not a fee."""
        family = self.family(line.code)
        return family is None or family.stands == "live"

    def is_office(self, code: str) -> bool:
        """Whether the code is one of the office visits, 99202 to 99215."""
        return self.is_of(code, OFFICE)

    def is_behavioral(self, code: str) -> bool:
        """Whether the service is mental-health care: by its code or by what the visit was about."""
        known = self.rules.codes.get(code)
        conditions = self.encounter.condition or ()
        return (known is not None and known.behavioral) or "mental_health" in conditions

    @cached_property
    def bills_as_clinic(self) -> bool:
        """Whether a rural health clinic or a health center bills."""
        e = self.encounter
        return e.payer in CLINICS or e.provider_type in ("RHC", "FQHC")

    def looks_like_telehealth(self, line: Line) -> bool:
        """Whether place or modifiers of a line say that it was telehealth."""
        return line.place in TELEHEALTH_PLACES or has(line, *TELEHEALTH_MODIFIERS)


def has(line: Line, *modifiers: str) -> bool:
    """Whether a line carries any of the modifiers."""
    return any(one in line.modifiers for one in modifiers)


LineEdit = Callable[[Visit, Line], Told]
VisitEdit = Callable[[Visit], Told]
LinesEdit = Callable[[Visit], Iterable[tuple[int, Mapping[str, str]]]]

LINE_EDITS: dict[str, LineEdit] = {}
VISIT_EDITS: dict[str, VisitEdit] = {}
PAIR_EDITS: dict[str, LinesEdit] = {}
"""Edits between the lines as submitted: they give the index of each line they are about."""


def line_edit(edit_id: str) -> Callable[[LineEdit], LineEdit]:
    """Register an edit that judges one line after the other."""

    def register(judge: LineEdit) -> LineEdit:
        LINE_EDITS[edit_id] = judge
        return judge

    return register


def visit_edit(edit_id: str) -> Callable[[VisitEdit], VisitEdit]:
    """Register an edit that judges the visit as a whole."""

    def register(judge: VisitEdit) -> VisitEdit:
        VISIT_EDITS[edit_id] = judge
        return judge

    return register


def pair_edit(edit_id: str) -> Callable[[LinesEdit], LinesEdit]:
    """Register an edit between lines as they were submitted."""

    def register(judge: LinesEdit) -> LinesEdit:
        PAIR_EDITS[edit_id] = judge
        return judge

    return register


def fires(*, when: bool) -> Told:
    """What an edit without anything to tell gives."""
    return FIRES if when else None
