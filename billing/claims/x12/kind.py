"""What a received file is, told by its content alone: never by its name.

Owns the kinds, and taking a file with several interchanges apart. Does not own reading them.
"""

import itertools
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from billing.claims.x12.segments import NotX12Error, Opened, Segment, read_segments

TA1, FILE_ACKNOWLEDGED, CLAIMS_ACKNOWLEDGED = "TA1", "999", "277CA"
REMITTANCE, ELIGIBILITY = "835", "271"
UNKNOWN = "unknown"
ENVELOPE = ("ISA", "TA1", "GS", "ST", "SE", "GE", "IEA")
"""Segments that tell what a file is."""
KINDS = (REMITTANCE, CLAIMS_ACKNOWLEDGED, ELIGIBILITY, FILE_ACKNOWLEDGED, TA1, UNKNOWN)
"""Weightiest first: a file that holds several is called by the first of them."""
_BY_SET = {"835": REMITTANCE, "271": ELIGIBILITY, "999": FILE_ACKNOWLEDGED}
_CLAIMS_ACKNOWLEDGED_GUIDE = "005010X214"
_LONGEST_BREAK = 8
_NEXT = re.compile(rb"ISA[^A-Za-z0-9\s]")


class Told(NamedTuple):
    """A file's kind, and who sent it under which number (of its first interchange)."""

    kind: str
    sender: str = ""
    number: str = ""


def kind_of(content: bytes) -> Told:
    """What a file is; ``unknown`` for one that is no X12, or holds nothing that is an answer."""
    found: set[str] = set()
    first: Segment | None = None
    for opened in interchanges(content, ENVELOPE):
        segments = opened.segments
        first = first or segments[0]
        found.update(_kinds(segments))
    if first is None:
        return Told(UNKNOWN)
    kind = next((one for one in KINDS if one in found), UNKNOWN)
    return Told(kind, first.get(6).strip(), first.get(13).strip())


def interchanges(content: bytes, only: tuple[str, ...] = ()) -> list[Opened]:
    """Each interchange of a file by its own separators; none when the content is no X12.

    With ``only`` other segments are left out.
    """
    opened = (_opened(part, only) for part in parts(content))
    return [one for one in opened if one is not None]


def parts(content: bytes) -> list[bytes]:
    """The bytes of each interchange; one that cannot be read is a part too."""
    found = [match.start() for match in _NEXT.finditer(content)]
    # one that follows a letter or digit is text inside a segment
    starts = [one for one in found if one and not _before(content, one).isalnum()]
    edges = [0, *starts, len(content)]
    return [content[start:end] for start, end in itertools.pairwise(edges)]


def _before(content: bytes, place: int) -> bytes:
    """The last byte before a place that is no line break, of the few before it."""
    return content[max(0, place - _LONGEST_BREAK) : place].rstrip(b"\r\n")[-1:]


def _opened(part: bytes, only: tuple[str, ...]) -> Opened | None:
    try:
        return read_segments(part, only)
    except NotX12Error:
        return None


def kind_of_set(head: Segment, segments: Iterable[Segment]) -> str:
    """What a transaction set is, by its ST and by the guide its group names."""
    guide = head.get(3)
    if not guide:
        before = [one for one in segments if one.name == "GS" and one.number < head.number]
        guide = before[-1].get(8) if before else ""
    if head.get(1) == "277":
        is_acknowledgment = guide.startswith(_CLAIMS_ACKNOWLEDGED_GUIDE)
        return CLAIMS_ACKNOWLEDGED if is_acknowledgment else UNKNOWN
    return _BY_SET.get(head.get(1), UNKNOWN)


def _kinds(segments: Sequence[Segment]) -> set[str]:
    found = {TA1} if any(one.name == "TA1" for one in segments) else set()
    return found | {kind_of_set(one, segments) for one in segments if one.name == "ST"}
