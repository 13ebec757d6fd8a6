"""A claim file looked at before it leaves: every finding with its place in words and its fix.

Owns putting the checks together and telling where each finding lies. Does not own the checks
(``check_envelope``, ``check_shape``, ``check_elements``, ``check_claim``) nor the words
(``scrub_texts``). A finding never holds a value of the file. ``today`` is an argument.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain

from billing.claims.check_claim import Lists, claim_spots, repeated_spots
from billing.claims.check_elements import element_spots
from billing.claims.check_envelope import envelope_spots
from billing.claims.check_shape import shape_spots
from billing.claims.scrub_texts import TEXTS
from billing.claims.spot import Spot
from billing.claims.x12.guide import LOOP_WORDS
from billing.claims.x12.loops import CLAIM, SET, Loop, read_loops
from billing.claims.x12.p837_read import transaction_sets
from billing.claims.x12.segments import NotX12Error, Opened, Segment, read_segments
from billing.finding import Finding

PROFESSIONAL = "005010X222"
"""How the version of every professional claim of this release begins."""


class NotProfessionalError(NotX12Error):
    """X12, but no professional claim (837P)."""


@dataclass(frozen=True)
class ClaimFinding(Finding):
    """A finding in a claim file: what to do, the segment's number, and the claim's, from 1."""

    fix: str
    segment: int
    claim: int | None


@dataclass(frozen=True)
class Scrubbed:
    """What was looked at, and what was found, in order of the file."""

    findings: tuple[ClaimFinding, ...]
    claims: int
    segments: int


def scrub(content: bytes, today: date, lists: Lists | None = None) -> Scrubbed:
    """Everything found in an 837P, by the day it is looked at and the codes that are known.

    ``NotX12Error`` for what is no X12, ``NotProfessionalError`` for X12 that is no 837P.
    """
    opened = read_segments(content)
    _check_kind(opened)
    tops = [read_loops(one) for one in transaction_sets(opened.segments)]
    places = _Places(tops)
    spots = _spots(opened, tops, today, lists or Lists())
    findings = sorted((places.told(spot) for spot in spots), key=lambda one: one.segment)
    return Scrubbed(tuple(findings), len(places.claims), len(opened.segments))


def _check_kind(opened: Opened) -> None:
    """A file is a professional claim when its set is an 837 and any version says so."""
    heading = next((one for one in opened.segments if one.name == "ST"), None)
    group = next((one for one in opened.segments if one.name == "GS"), None)
    if heading is None or heading.get(1) != "837":
        raise NotProfessionalError("it holds no claims: its first transaction set is not an 837")
    versions = [heading.get(3), group.get(8) if group else ""]
    if not any(version.startswith(PROFESSIONAL) for version in versions):
        raise NotProfessionalError(f"it holds no professional claims of version {PROFESSIONAL}")


def _spots(opened: Opened, tops: list[Loop], today: date, lists: Lists) -> Iterable[Spot]:
    return chain(
        envelope_spots(opened),
        *(shape_spots(top) for top in tops),
        *(element_spots(top) for top in tops),
        *(claim_spots(top, today, lists) for top in tops),
        repeated_spots(tops),
    )


class _Places:
    """Where each segment lies: its loop, and the number of its claim in the file."""

    def __init__(self, tops: list[Loop]) -> None:
        self._loops = {
            segment.number: loop.name
            for top in tops
            for loop in top.everywhere()
            for segment in loop.segments
        }
        inside = [number for top in tops for number in _claims_of(top)]
        self.claims = sorted(first for first, _ in inside)
        self._ends = dict(inside)

    def told(self, spot: Spot) -> ClaimFinding:
        """A spot in words."""
        message, fix = TEXTS[spot.code]
        number = spot.segment.number
        claim = self._claim(number)
        return ClaimFinding(
            spot.code,
            self._where(spot, claim),
            message.format(part=spot.part),
            fix,
            number,
            claim,
        )

    def _claim(self, number: int) -> int | None:
        place = bisect_right(self.claims, number)
        if place == 0 or number > self._ends[self.claims[place - 1]]:
            return None
        return place

    def _where(self, spot: Spot, claim: int | None) -> str:
        segment = spot.segment
        words = f"segment {segment.number} ({_shown(segment)})"
        loop = self._loops.get(segment.number, SET)
        if loop != SET:
            words += f", loop {loop}"
            words += f" ({LOOP_WORDS[loop]})" if loop in LOOP_WORDS else ""
        return words if claim is None else f"{words}, claim {claim}"


def _shown(segment: Segment) -> str:
    """A segment's name as it may be shown: one that is no name may be anything."""
    name = segment.name
    return name if name.isascii() and name.isalnum() and len(name) <= 3 else "no name"


def _claims_of(top: Loop) -> Iterator[tuple[int, int]]:
    """The first and the last segment of each claim."""
    for loop in top.everywhere():
        if loop.name == CLAIM:
            numbers = [one.number for each in loop.everywhere() for one in each.segments]
            yield min(numbers), max(numbers)
