"""The shape of a set: segments and loops that are missing, strange, repeated or out of order.

Owns these checks, and the numbering of levels and lines. Does not own the guide itself
(``x12.guide``) nor what elements hold (``check_elements``).
"""

from collections import Counter
from collections.abc import Iterator

from billing.claims.spot import Spot
from billing.claims.x12 import loops
from billing.claims.x12.guide import LOOP_WORDS, SHAPES, Part
from billing.claims.x12.loops import Loop
from billing.claims.x12.segments import Segment

_ABOVE = {"20": None, "22": "20", "23": "22"}
"""The kind of level that a level hangs under."""
_LINES = loops.LINE


def shape_spots(top: Loop) -> Iterator[Spot]:
    """Everything wrong with the shape of one transaction set."""
    for loop in top.everywhere():
        yield from _segments(loop)
        yield from _loops(loop)
        if loop.name == loops.CLAIM:
            yield from _line_numbers(loop)
    yield from _levels(top)


def first_of(loop: Loop) -> Segment:
    """The first segment of a loop, where a finding about all of it stands."""
    return next(one for each in loop.everywhere() for one in each.segments)


def _segments(loop: Loop) -> Iterator[Spot]:
    shape = SHAPES[loop.name]
    last = -1
    for segment in loop.segments:
        place = shape.place(segment.name)
        if place is None:
            yield Spot("E_SEGMENT_UNKNOWN", segment)
        elif place < last:
            yield Spot("E_SEGMENT_ORDER", segment)
        else:
            last = place
    for part in shape.segments:
        yield from _segment_count(loop, part)


def _segment_count(loop: Loop, part: Part) -> Iterator[Spot]:
    found = list(loop.all(part.name))
    if len(found) > part.most:
        yield Spot("E_SEGMENT_REPEATED", found[part.most], part.name)
    if not part.needed or (part.name == "SE" and loop.name == loops.SET):
        return  # a missing trailer is a finding of the envelope
    if not any(not part.qualifiers or one.get(1) in part.qualifiers for one in found):
        qualified = f"{part.name}*{' or '.join(part.qualifiers)}" if part.qualifiers else part.name
        yield Spot("E_SEGMENT_MISSING", first_of(loop), qualified)


def _loops(loop: Loop) -> Iterator[Spot]:
    counts = Counter(one.name for one in loop.loops)
    allowed = {part.name for part in SHAPES[loop.name].loops}
    for one in loop.loops:
        if one.name not in allowed:
            yield Spot("E_SEGMENT_UNKNOWN", first_of(one))
    for part in SHAPES[loop.name].loops:
        words = f"loop {part.name}"
        if part.name in LOOP_WORDS:
            words += f" ({LOOP_WORDS[part.name]})"
        if counts[part.name] > part.most:
            surplus = list(loop.within(part.name))[part.most]
            code = "E_TOO_MANY_LINES" if part.name == _LINES else "E_LOOP_REPEATED"
            yield Spot(code, first_of(surplus), words)
        if part.needed and not counts[part.name]:
            yield Spot("E_LOOP_MISSING", first_of(loop), words)


def _line_numbers(claim: Loop) -> Iterator[Spot]:
    for number, line in enumerate(claim.within(loops.LINE), start=1):
        if line.segments[0].get(1) != str(number):
            yield Spot("E_LINE_NUMBER", line.segments[0])


def _levels(top: Loop) -> Iterator[Spot]:
    levels = [one for loop in top.everywhere() for one in loop.all("HL")]
    levels.sort(key=lambda one: one.number)
    kinds: dict[str, str] = {}
    parents = {one.get(2) for one in levels}
    for number, level in enumerate(levels, start=1):
        if level.get(1) != str(number):
            yield Spot("E_LEVEL_NUMBER", level)
        kind = level.get(3)
        if kind in _ABOVE and kinds.get(level.get(2)) != _ABOVE[kind]:
            yield Spot("E_LEVEL_PARENT", level)
        if level.get(4) in ("0", "1") and (level.get(4) == "1") != (level.get(1) in parents):
            yield Spot("E_LEVEL_CHILDREN", level)
        kinds[level.get(1)] = kind
