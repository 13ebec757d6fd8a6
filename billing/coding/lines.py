"""Service lines as people write them: ``99214-95@10x1``.

Owns a line's parts and its text in the grammar of case files. Does not own what may stand on a
line: that is judged by the rules.
"""

import re
from dataclasses import dataclass, replace

from billing.codes import CODE, is_place_of_service

_LINE = re.compile(
    rf"(?P<code>{CODE.pattern})(?P<modifiers>(-[0-9A-Z]{{2}})*)"
    r"(@(?P<place>[0-9]{2}))?(x(?P<units>[1-9][0-9]{0,2}))?"
)
NOTHING = "none"
"""How a list without a line is written."""


@dataclass(frozen=True, slots=True)
class Line:
    """One service: a code, its modifiers in order, where it was, and how many units.

    ``place`` is None on an institutional claim, or where the place of service is not settled.
    """

    code: str
    modifiers: tuple[str, ...] = ()
    place: str | None = None
    units: int = 1

    def with_modifier(self, modifier: str) -> "Line":
        """The line with a modifier at the end; itself when it has it."""
        if modifier in self.modifiers:
            return self
        return replace(self, modifiers=(*self.modifiers, modifier))

    def without_modifiers(self, *modifiers: str) -> "Line":
        """The line without these modifiers."""
        return replace(self, modifiers=tuple(m for m in self.modifiers if m not in modifiers))

    @property
    def text(self) -> str:
        """The line as case files write it; one unit is not written."""
        place = "" if self.place is None else f"@{self.place}"
        units = "" if self.units == 1 else f"x{self.units}"
        return "-".join((self.code, *self.modifiers)) + place + units


def read_line(text: str) -> Line:
    """``code[-modifier...][@POS][xUnits]``; ValueError for anything else."""
    found = _LINE.fullmatch(text.strip())
    if found is None:
        raise ValueError("not a line: code[-modifier...][@POS][xUnits]")
    place, modifiers = found["place"], tuple(found["modifiers"].split("-")[1:])
    if place is not None and not is_place_of_service(place):
        raise ValueError("not a place of service")
    if len(set(modifiers)) != len(modifiers):
        raise ValueError("a modifier stands twice")
    return Line(found["code"], modifiers, place, int(found["units"] or 1))


def read_lines(text: str) -> tuple[Line, ...]:
    """Lines with ``;`` between; none for an empty text or ``none``; ValueError as ``read_line``."""
    if text.strip() in ("", NOTHING):
        return ()
    return tuple(read_line(part) for part in text.split(";") if part.strip())


def lines_text(lines: tuple[Line, ...]) -> str:
    """Lines with ``;`` between, or ``none``."""
    return ";".join(line.text for line in lines) or NOTHING
