"""The envelope of a claim file: header, group, sets, their trailers, numbers and counts.

Owns these checks. Does not own what stands in a set (``check_shape``).
"""

from collections.abc import Iterator

from billing.claims.spot import Spot
from billing.claims.x12.envelope import GUIDE
from billing.claims.x12.segments import HEADER_WIDTHS, Opened, Segment

_TRAILERS = {"ISA": "IEA", "GS": "GE", "ST": "SE"}
_NUMBERS = {"ISA": 13, "GS": 6, "ST": 2}
"""The element of each header that holds its number; trailers hold it in their second."""
_INSIDE = {"GS": "ISA", "ST": "GS"}


def envelope_spots(opened: Opened) -> Iterator[Spot]:
    """Everything wrong with the envelope of a file that has a header and a set."""
    segments = opened.segments
    if not opened.is_ascii:
        yield Spot("E_CHARACTER", segments[0])
    if opened.ends_open:
        yield Spot("E_CUT_OFF", segments[-1])
    if tuple(map(len, (segments[0].name, *segments[0].elements))) != HEADER_WIDTHS:
        yield Spot("E_HEADER_WIDTH", segments[0], "ISA")
    yield from _Nesting().spots(segments)


class _Nesting:
    """The headers that are open, and what was counted since each."""

    def __init__(self) -> None:
        self._open: list[Segment] = []
        self._counts = {"ISA": 0, "GS": 0, "ST": 0}
        self._set_numbers: set[str] = set()

    def spots(self, segments: tuple[Segment, ...]) -> Iterator[Spot]:
        for segment in segments:
            self._counts["ST"] += 1
            if segment.name in _TRAILERS:
                yield from self._opened(segment)
            elif segment.name in _TRAILERS.values():
                yield from self._closed(segment)
            elif not self._in_set() and segment.name != "TA1":
                yield Spot("E_SEGMENT_UNKNOWN", segment)
        yield from self._left_open(segments[-1], "")

    def _in_set(self) -> bool:
        return bool(self._open) and self._open[-1].name == "ST"

    def _opened(self, segment: Segment) -> Iterator[Spot]:
        outside = _INSIDE.get(segment.name, "")
        yield from self._left_open(segment, outside)
        if outside:
            self._counts[outside] += 1
        self._counts[segment.name] = 1 if segment.name == "ST" else 0
        self._open.append(segment)
        if segment.name == "ST":
            yield from _version(segment, 3)
            if segment.get(2) in self._set_numbers:
                yield Spot("E_SET_NUMBER", segment)
            self._set_numbers.add(segment.get(2))
        if segment.name == "GS":
            yield from _version(segment, 8)
            self._set_numbers.clear()

    def _left_open(self, segment: Segment, until: str) -> Iterator[Spot]:
        """Headers that should have been closed before a segment."""
        while self._open and self._open[-1].name != until:
            yield Spot("E_TRAILER", segment, _TRAILERS[self._open.pop().name])

    def _closed(self, segment: Segment) -> Iterator[Spot]:
        header = next(name for name, trailer in _TRAILERS.items() if trailer == segment.name)
        if header not in (one.name for one in self._open):
            yield Spot("E_TRAILER", segment, segment.name)
            return
        yield from self._left_open(segment, header)
        opened = self._open.pop()
        count = segment.get(1)
        if not count.isdecimal() or int(count) != self._counts[header]:
            yield Spot("E_COUNT", segment)
        if segment.get(2) != opened.get(_NUMBERS[header]):
            yield Spot("E_CONTROL_NUMBER", segment)


def _version(segment: Segment, position: int) -> Iterator[Spot]:
    if segment.get(position) != GUIDE:
        yield Spot("E_VERSION", segment, f"{segment.name}{position:02d}")
