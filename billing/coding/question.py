"""Question: one encounter under the rules as known on a day, and the proposal that answers it.

Owns what every choice of code shares. Does not own any choice.
"""

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from billing.coding.coded import Alternative
from billing.coding.encounter import BEHAVIORAL_TYPES, Encounter
from billing.coding.lines import Line
from billing.coding.place import asked, placed
from billing.coding.rules import Code, CodingRules, Family, Mode, PayerRow
from billing.rules.edits import Edits


@dataclass(frozen=True)
class Proposal:
    """Lines the facts give, why, what else was possible; ``basis`` is what chose a level."""

    lines: tuple[Line, ...] = ()
    reasons: tuple[str, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    basis: str | None = None

    def because(self, reason: str) -> "Proposal":
        """The proposal with one more reason."""
        return replace(self, reasons=(*self.reasons, reason))

    def also(self, *lines: Line, reason: str) -> "Proposal":
        """The proposal with an alternative."""
        return replace(self, alternatives=(*self.alternatives, Alternative(tuple(lines), reason)))

    def plus(self, line: Line, reason: str) -> "Proposal":
        """The proposal with a further line."""
        return replace(self, lines=(*self.lines, line), reasons=(*self.reasons, reason))

    def joined(self, other: "Proposal") -> "Proposal":
        """The proposal with the lines and reasons of another behind its own."""
        return replace(
            self, lines=(*self.lines, *other.lines), reasons=(*self.reasons, *other.reasons)
        )


def nothing(reason: str) -> Proposal:
    """No line, and why."""
    return Proposal(reasons=(reason,))


@dataclass(frozen=True)
class Question:
    """An encounter, the rules, and the day whose knowledge judges."""

    encounter: Encounter
    rules: CodingRules
    known_day: date
    pairs: Edits | None = None  # loaded NCCI tables of the day of service

    @property
    def dos(self) -> date:
        """The day of service."""
        return self.encounter.dos

    @cached_property
    def row(self) -> PayerRow:
        """What the payer asks for on the day of service."""
        return self.rules.payer_row(self.encounter.payer, self.dos, self.known_day)

    @cached_property
    def mode(self) -> Mode | None:
        """What the payer asks of this way of holding the visit; None when it is no telehealth."""
        wanted = asked(self.encounter, self.rules, self.known_day)
        return None if wanted is None else wanted.mode

    def family(self, name: str) -> Family:
        """A family of codes by its name."""
        return self.rules.families[name]

    def code(self, code: str) -> Code | None:
        """A code that exists on the day of service; None for another."""
        known = self.rules.codes.get(code)
        return known if known is not None and known.on(self.dos) else None

    def line(self, code: str, units: int = 1) -> Line:
        """A line with place and modifiers as the payer wants them."""
        return placed(self.encounter, code, self.rules, self.known_day, units)

    def banded(self, family: str, minutes: int) -> Code | None:
        """The code of a family whose band holds minutes; None below its lowest."""
        return self.family(family).band(minutes, self.dos)

    def chosen(self, *families: str) -> Code | None:
        """The code a clinician picked, where it is of these families and exists on the day."""
        code = self.code(self.encounter.code_chosen or "")
        return code if code is not None and code.family in families else None

    @property
    def is_behavioral_professional(self) -> bool:
        """Whether e-consults have behavioral codes for this professional (CP, CSW, MFT, MHC)."""
        return self.encounter.provider_type in BEHAVIORAL_TYPES
