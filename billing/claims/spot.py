"""A spot in a claim file where something is wrong, before it is put into words.

Owns the shape that every check gives. Does not own the words (``scrub_texts``).
"""

from typing import NamedTuple

from billing.claims.x12.segments import Segment


class Spot(NamedTuple):
    """A finding's code, the segment it is about, and the part in question, never a value."""

    code: str
    segment: Segment
    part: str = ""


def element_name(segment: Segment, position: int, part: int = 0) -> str:
    """An element as the guides write it: ``CLM05``, or ``CLM05-3`` for a component."""
    return f"{segment.name}{position:02d}" + (f"-{part}" if part else "")
