"""The one place where an element is written."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.claims.x12.element import SegmentWriter, element

ALLOWED = frozenset(string.ascii_uppercase + string.digits + " !\"&'()+,-./;?=")
TEXT = st.text(max_size=90)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("O*BRIEN", "O BRIEN"),
        ("SMITH~JONES", "SMITH JONES"),
        ("A:B^C|D>E", "A B C D E"),
        ("Núñez", "NUNEZ"),
        ("Ødegård", "ODEGARD"),
        ("Strauß", "STRAUSS"),
        ("Łukasz", "LUKASZ"),
        ("D’Artagnan", "D'ARTAGNAN"),
        ("O'Neil", "O'NEIL"),
        ("van\r\nder  Berg\t", "VAN DER BERG"),
        ("山田", ""),
    ],
)
def test_names_leave_in_the_basic_set(name: str, written: str) -> None:
    """Separators and control characters become spaces, accents go, letters are upper case."""
    assert element(name) == written


@given(text=TEXT, limit=st.integers(0, 60))
def test_nothing_else_can_leave(text: str, limit: int) -> None:
    """Any text gives allowed characters only, within its limit, without spaces at its ends."""
    written = element(text, limit)
    assert set(written) <= ALLOWED
    assert len(written) <= limit
    assert written == written.strip()


@given(text=TEXT, limit=st.none() | st.integers(0, 60))
def test_writing_twice_changes_nothing(text: str, limit: int | None) -> None:
    """What was written is written the same again."""
    written = element(text, limit)
    assert element(written) == element(written, limit) == written


def test_a_segment_is_joined_and_ends_with_its_last_element() -> None:
    """Empty elements and components at the end are left out, those between are kept."""
    out = SegmentWriter()
    out.add("SV1", ("HC", "99457", "", ""), "", "", ("", "1"), "", "")
    assert out.content() == b"SV1*HC:99457***:1~"


@given(elements=st.lists(TEXT, min_size=1, max_size=8))
def test_no_element_can_begin_a_segment(elements: list[str]) -> None:
    """Whatever the elements hold, a segment has one terminator and its own separators only."""
    out = SegmentWriter()
    out.add("NM1", *elements)
    content = out.content()
    assert content.count(b"~") == 1
    assert content.count(b"*") <= len(elements)
    assert b":" not in content
