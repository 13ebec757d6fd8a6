"""The one place where an element of an X12 file is written, and segments made of elements.

Owns the characters that may leave: the basic set of X12 without the four separators, upper case.
Letters with accents lose them, any other character becomes a space, and spaces are single. So no
name can end a segment or begin another. Does not own what the elements mean.
"""

import re
import unicodedata

ELEMENT, COMPONENT, REPETITION, TERMINATOR = "*", ":", "^", "~"

_BASIC = r"A-Z0-9!\"&'()+,\-./;?="
_NOT_BASIC = re.compile(f"[^{_BASIC} ]+")
_AS_IT_LEAVES = re.compile(f"(?:[{_BASIC}]+(?: [{_BASIC}]+)*)?")
_SPACES = re.compile(r" {2,}")
_LETTERS = str.maketrans(
    {"Ø": "O", "Æ": "AE", "Œ": "OE", "Đ": "D", "Ð": "D", "Ł": "L", "Þ": "TH", "ı": "I", "’": "'"}
)
"""Letters that no decomposition turns into basic ones, and the apostrophe of typesetters."""

Element = str | tuple[str, ...]
"""A simple element, or the components of a composite one."""


def element(text: str, limit: int | None = None) -> str:
    """Text as it may stand in a file, cut to ``limit`` characters. Doing it twice changes nothing.

    Only prose may be cut: names, streets, notes. An identifier that is too long is a finding.
    """
    if _AS_IT_LEAVES.fullmatch(text):
        return text[:limit].rstrip() if limit is not None else text
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text.upper().translate(_LETTERS))
        text = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    basic = _NOT_BASIC.sub(" ", text.upper())
    return _SPACES.sub(" ", basic).strip()[:limit].rstrip()


class _Written(dict[Element, str]):
    """Elements already written in this file: most of a file's elements are the same few."""

    def __missing__(self, key: Element) -> str:
        if isinstance(key, str):
            text = element(key)
        else:
            text = COMPONENT.join(map(element, key)).rstrip(COMPONENT)
        self[key] = text
        return text


class SegmentWriter:
    """Segments in order; empty elements at a segment's end are left out."""

    def __init__(self) -> None:
        self._segments: list[str] = []
        self._write = _Written().__getitem__
        self._append = self._segments.append

    def __len__(self) -> int:
        return len(self._segments)

    def add(self, *elements: Element) -> None:
        """Write a segment: its name, then its elements."""
        self._append(ELEMENT.join(map(self._write, elements)).rstrip(ELEMENT))

    def add_fixed(self, *elements: tuple[str, int]) -> None:
        """Write the interchange header, whose elements have fixed widths: text and width each."""
        texts = []
        for text, width in elements:
            written = element(text)
            if len(written) > width:
                raise ValueError(f"an element of the interchange header is longer than {width}")
            texts.append(written.ljust(width))
        # the two elements that declare separators are the only ones that hold any
        texts[11] = REPETITION
        self._segments.append(ELEMENT.join([*texts, COMPONENT]))

    def content(self) -> bytes:
        """The file: each segment with its terminator, without line breaks."""
        return (TERMINATOR.join(self._segments) + TERMINATOR).encode("ascii")
