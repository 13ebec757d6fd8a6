"""Loops of an 837P: which loop each segment of a transaction set belongs to, as a tree.

Owns the walk: a loop begins with a known segment, told by its qualifier and by the level it stands
in. Does not own what a loop must hold (``guide``). Nothing is lost: a segment that begins no known
loop stays in the loop it was met in.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from billing.claims.x12.segments import Segment

SET, BILLING, SUBSCRIBER, PATIENT = "SET", "2000A", "2000B", "2000C"
CLAIM, OTHER, LINE = "2300", "2320", "2400"
_LEVELS = {"20": BILLING, "22": SUBSCRIBER, "23": PATIENT}
_PARENTS = {
    BILLING: (SET,),
    SUBSCRIBER: (BILLING, SET),
    PATIENT: (SUBSCRIBER, BILLING, SET),
    CLAIM: (PATIENT, SUBSCRIBER, BILLING, SET),
    OTHER: (CLAIM,),
    LINE: (CLAIM,),
}
"""The loops that a loop may hang under, nearest first."""
_NAMED = {
    SET: {"41": "1000A", "40": "1000B"},
    BILLING: {"85": "2010AA", "87": "2010AB", "PE": "2010AC"},
    SUBSCRIBER: {"IL": "2010BA", "PR": "2010BB"},
    PATIENT: {"QC": "2010CA"},
    CLAIM: {
        "DN": "2310A",
        "P3": "2310A",
        "82": "2310B",
        "77": "2310C",
        "DQ": "2310D",
        "PW": "2310E",
        "45": "2310F",
    },
    OTHER: {
        "IL": "2330A",
        "PR": "2330B",
        "DN": "2330C",
        "P3": "2330C",
        "82": "2330D",
        "77": "2330E",
        "DQ": "2330F",
        "85": "2330G",
    },
    LINE: {
        "82": "2420A",
        "QB": "2420B",
        "77": "2420C",
        "DQ": "2420D",
        "DK": "2420E",
        "DN": "2420F",
        "P3": "2420F",
        "PW": "2420G",
        "45": "2420H",
    },
}
"""Loops that begin with NM1, by the level they stand in and the qualifier NM101."""
_PLAIN = {"LIN": "2410", "SVD": "2430", "LQ": "2440"}
"""Loops of a service line that begin with another segment."""


@dataclass
class Loop:
    """A loop: its name, its own segments, and the loops in it, all in order."""

    name: str
    parent: "Loop | None" = None
    segments: list[Segment] = field(default_factory=list)
    loops: list["Loop"] = field(default_factory=list)

    def first(self, name: str, *qualifiers: str) -> Segment | None:
        """The first own segment of a name, and with one of these first elements where given."""
        return next(self.all(name, *qualifiers), None)

    def all(self, name: str, *qualifiers: str) -> Iterator[Segment]:
        """Own segments of a name, and with one of these first elements where given."""
        for one in self.segments:
            if one.name == name and (not qualifiers or one.get(1) in qualifiers):
                yield one

    def within(self, *names: str) -> Iterator["Loop"]:
        """Loops of these names directly in this one."""
        return (loop for loop in self.loops if loop.name in names)

    def one(self, name: str) -> "Loop | None":
        """The first loop of a name directly in this one."""
        return next(self.within(name), None)

    def everywhere(self) -> Iterator["Loop"]:
        """This loop and every loop below it, in order."""
        yield self
        for loop in self.loops:
            yield from loop.everywhere()

    def above(self, name: str) -> "Loop | None":
        """The nearest loop of a name that holds this one, or this one itself."""
        loop: Loop | None = self
        while loop is not None and loop.name != name:
            loop = loop.parent
        return loop


def read_loops(segments: Iterable[Segment]) -> Loop:
    """The loops of one transaction set, from its ST to its SE."""
    walk = _Walk()
    for segment in segments:
        walk.take(segment)
    return walk.top


class _Walk:
    """Where the walk is: the loop of the last segment, and the level it belongs to."""

    def __init__(self) -> None:
        self.top = Loop(SET)
        self._level = self._here = self.top

    def take(self, segment: Segment) -> None:
        if segment.name == "SE":
            self.top.segments.append(segment)
            return
        self._open(segment)
        self._here.segments.append(segment)

    def _open(self, segment: Segment) -> None:
        """Go into the loop that a segment begins, if it begins one."""
        level = self._level_of(segment)
        if level is not None:
            parents = (self._level.above(name) for name in _PARENTS[level])
            parent = next((found for found in parents if found is not None), self.top)
            self._level = self._here = _within(parent, level)
        elif segment.name == "NM1":
            self._open_named(segment.get(1))
        elif segment.name in _PLAIN and self._level.name == LINE:
            self._here = _within(self._level, _PLAIN[segment.name])

    def _level_of(self, segment: Segment) -> str | None:
        if segment.name == "HL":
            return _LEVELS.get(segment.get(3))
        in_claim = self._level.above(CLAIM) is not None
        if segment.name == "SBR" and in_claim:
            return OTHER
        if segment.name == "LX" and in_claim:
            return LINE
        return CLAIM if segment.name == "CLM" else None

    def _open_named(self, qualifier: str) -> None:
        # a name that this level does not know, a claim's among its other payers' say, may be the
        # claim's own in a file whose segments are out of order
        if (name := _NAMED[self._level.name].get(qualifier)) is not None:
            self._here = _within(self._level, name)


def _within(parent: Loop, name: str) -> Loop:
    loop = Loop(name, parent)
    parent.loops.append(loop)
    return loop
