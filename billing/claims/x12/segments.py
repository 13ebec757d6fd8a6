"""Segments of any X12 file: separators from its header, then every segment with its number.

Owns taking text apart. Does not own what segments mean, nor whether the file is right: a header
of the wrong width is read too, and its width is a finding of whoever checks.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

HEADER_ELEMENTS = 16
HEADER_WIDTHS = (3, 2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
"""Characters of the segment name and of the elements of the interchange header."""
_MARK = "\ufeff"


class NotX12Error(ValueError):
    """The content is no X12 file at all; the message says why, without the content."""


@dataclass(frozen=True)
class Separators:
    """The characters that one file uses."""

    element: str
    component: str
    terminator: str


@dataclass(frozen=True)
class Segment:
    """A segment: its number in the file from 1, its name, and its elements from 1."""

    number: int
    name: str
    elements: tuple[str, ...]
    component: str = ":"

    def get(self, position: int) -> str:
        """The element at a position from 1; empty when the segment ends before it."""
        return self.elements[position - 1] if position <= len(self.elements) else ""

    def parts(self, position: int) -> tuple[str, ...]:
        """The components of an element; none when it is empty."""
        text = self.get(position)
        return tuple(text.split(self.component)) if text else ()

    def part(self, position: int, place: int) -> str:
        """A component of an element, both from 1; empty when there is none."""
        parts = self.parts(position)
        return parts[place - 1] if place <= len(parts) else ""


@dataclass(frozen=True)
class Opened:
    """A file taken apart; ``ends_open`` when no terminator follows its last segment."""

    separators: Separators
    segments: tuple[Segment, ...]
    is_ascii: bool
    ends_open: bool


def read_segments(content: bytes, only: tuple[str, ...] = ()) -> Opened:
    """Every segment of a file; ``NotX12Error`` when it does not begin with a header.

    Bytes that are not ASCII are kept as their Latin-1 letters. Line breaks between segments, and a
    byte order mark, are passed over. With ``only`` segments of other names are counted and left
    out, which takes a fraction of the time.
    """
    is_ascii = content.removeprefix(_MARK.encode()).isascii()
    text = content.decode("utf-8-sig" if is_ascii else "latin-1").lstrip()
    text = text.removeprefix(_MARK.encode().decode("latin-1")).lstrip()
    separators = _separators(text)
    rest = text.rpartition(separators.terminator)[2]
    told = _named(text, separators, only) if only else _all(text, separators.terminator)
    segments = []
    for number, one in told:
        name, *elements = one.split(separators.element)
        segments.append(Segment(number, name, tuple(elements), separators.component))
    return Opened(separators, tuple(segments), is_ascii, ends_open=bool(rest.strip()))


def _all(text: str, terminator: str) -> Iterator[tuple[int, str]]:
    stripped = (one.strip("\r\n") for one in text.split(terminator))
    return enumerate((one for one in stripped if one.strip()), 1)


def _named(text: str, separators: Separators, names: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Segments of these names, each with its number where every segment has content."""
    end, element = re.escape(separators.terminator), re.escape(separators.element)
    pattern = re.compile(
        rf"(?:^|{end})[\r\n]*((?:{'|'.join(names)})(?={element}|{end}|$)[^{end}]*)"
    )
    number, seen = 1, 0
    for match in pattern.finditer(text):
        number += text.count(separators.terminator, seen, match.start(1))
        seen = match.start(1)
        yield number, match[1].strip("\r\n")


def sections(segments: Sequence[Segment], begins: Callable[[Segment], bool]) -> list[list[Segment]]:
    """Runs of segments that each begin where ``begins`` says so; what stands before is left out."""
    found: list[list[Segment]] = []
    for segment in segments:
        if begins(segment):
            found.append([])
        if found:
            found[-1].append(segment)
    return found


def _separators(text: str) -> Separators:
    if not text.startswith("ISA") or len(text) < sum(HEADER_WIDTHS):
        raise NotX12Error("it does not begin with an interchange header (ISA)")
    separator = text[3]
    if separator.isalnum() or separator.isspace():
        raise NotX12Error("the character after ISA is no separator")
    # by counting, not by width: a header of the wrong width is still read
    place = 3
    for _ in range(HEADER_ELEMENTS - 1):
        place = text.find(separator, place + 1)
        if place < 0:
            raise NotX12Error("the interchange header (ISA) has fewer than 16 elements")
    component, terminator = text[place + 1 : place + 2], text[place + 2 : place + 3]
    if not component or not terminator or terminator.isalnum():
        raise NotX12Error("the interchange header (ISA) does not declare its separators")
    return Separators(separator, component, terminator)
