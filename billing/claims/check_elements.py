"""Elements of a claim file: missing, not in their list, of the wrong form, in lower case.

Owns these checks, one element at a time. Does not own what elements say together
(``check_claim``).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date

from billing.claims.spot import Spot, element_name
from billing.claims.x12.guide import ELEMENTS, ElementShape
from billing.claims.x12.loops import Loop
from billing.claims.x12.segments import Segment
from billing.codes import npi_is_valid

PLACES = frozenset(
    f"{number:02d}"
    for number in (
        *(*range(1, 28), 31, 32, 33, 34, 41, 42, *range(49, 59)),
        *(60, 61, 62, 65, 66, 71, 72, 81, 99),
    )
)
"""Places of service of CMS's list."""
FREQUENCIES = frozenset("178")
_TAXONOMY = re.compile(r"[0-9A-Z]{9}X")
_AMOUNT = re.compile(r"\d{0,15}(\.\d{1,2})?")
_UNITS = re.compile(r"\d{0,8}(\.\d{1,3})?")
_FORMATS_OF_ONE_DAY = ("D8", "DT")


def element_spots(top: Loop) -> Iterator[Spot]:
    """Everything wrong with single elements of one transaction set."""
    for loop in top.everywhere():
        for segment in loop.segments:
            for shape in _shapes(segment):
                yield from _element(segment, shape)
            if any(text != text.upper() for text in segment.elements):
                yield Spot("W_LOWER_CASE", segment)


def day_of(text: str) -> date | None:
    """A day written CCYYMMDD; None for anything else."""
    if len(text) != 8 or not (text.isascii() and text.isdecimal()):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def days_of(segment: Segment) -> tuple[date, date] | None:
    """First and last day of a date segment (DTP); None when they cannot be read."""
    first, separator, last = segment.get(3).partition("-")
    if segment.get(2) == "DT":
        first = first[:8]
    one, other = day_of(first), day_of(last if separator else first)
    if one is None or other is None or bool(separator) != (segment.get(2) == "RD8"):
        return None
    return one, other


def _shapes(segment: Segment) -> tuple[ElementShape, ...]:
    own = ELEMENTS.get(segment.name, ())
    return own or ELEMENTS.get(f"{segment.name}*{segment.get(1)}", ())


def _element(segment: Segment, shape: ElementShape) -> Iterator[Spot]:
    named = element_name(segment, shape.position, shape.part)
    text = segment.part(shape.position, shape.part) if shape.part else segment.get(shape.position)
    if not text.strip():
        if shape.needed:
            yield Spot(shape.missing_code, segment, named)
        return
    if shape.codes and text not in shape.codes:
        yield Spot("E_ELEMENT_CODE", segment, named)
    if shape.longest and len(text) > shape.longest:
        yield Spot("E_ELEMENT_LENGTH", segment, named)
    if shape.kind:
        code, is_right = _KINDS[shape.kind]
        if not is_right(text, segment):
            yield Spot(code, segment, named)


def _is_amount(text: str, _: Segment) -> bool:
    return _AMOUNT.fullmatch(text) is not None


def _is_units(text: str, _: Segment) -> bool:
    return _UNITS.fullmatch(text) is not None and bool(text.strip("0."))


def _is_npi(text: str, segment: Segment) -> bool:
    return segment.get(8) != "XX" or npi_is_valid(text)


_KINDS: Mapping[str, tuple[str, Callable[[str, Segment], bool]]] = {
    "amount": ("E_AMOUNT", _is_amount),
    "units": ("E_UNITS", _is_units),
    "number": ("E_NUMBER", lambda text, _: text.isascii() and text.isdecimal()),
    "npi": ("E_NPI", _is_npi),
    "taxonomy": ("E_TAXONOMY", lambda text, _: _TAXONOMY.fullmatch(text) is not None),
    "day": ("E_DAY", lambda text, _: day_of(text) is not None),
    "days": ("E_DAY", lambda _, segment: days_of(segment) is not None),
    "place": ("E_PLACE", lambda text, _: text in PLACES),
    "frequency": ("E_FREQUENCY", lambda text, _: text in FREQUENCIES),
}
"""For each kind of element the finding, and what is right."""
