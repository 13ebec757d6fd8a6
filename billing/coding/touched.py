"""Which rows of the rules a visit leans on, and whether they changed between two known days.

Owns the comparison of rows. Does not own coding under them (``code_visit``).
"""

from dataclasses import dataclass
from datetime import date

from billing.coding.encounter import Encounter
from billing.coding.rules import CodingRules


@dataclass(frozen=True)
class RowChange:
    """A row that judged a visit on one known day, and the one that judges it on another."""

    before: str
    after: str


def changed_rows(
    encounter: Encounter, rules: CodingRules, from_day: date, to_day: date
) -> tuple[RowChange, ...]:
    """The rows that judge the visit otherwise as known on two days; empty: the same ones.

    Deadlines, which pass with every day, are no rows and never count as a change.
    """
    pairs = zip(_rows(encounter, rules, from_day), _rows(encounter, rules, to_day), strict=True)
    return tuple(RowChange(before, after) for before, after in pairs if before != after)


def _rows(encounter: Encounter, rules: CodingRules, known_day: date) -> tuple[str, ...]:
    row = rules.payer_row(encounter.payer, encounter.dos, known_day)
    told = f"payer {row.payer} from {row.from_day}, known from {row.known_from}"
    if not encounter.is_medicare:
        return (told,)
    regime = rules.regime(encounter.dos, known_day)
    return told, f"regime {regime.id}, known from {regime.known_from}"
