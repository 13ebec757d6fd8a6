"""How days are written for people."""

import pytest

from rpm.written import with_us_days


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("99470 x1 on 2026-03-31; can still", "99470 x1 on Mar 31, 2026; can still"),
        ("2025-01-01 to 2025-12-31", "Jan 1, 2025 to Dec 31, 2025"),
        ("page medicare-b-2026", "page medicare-b-2026"),
        ("a number 2026-13-45 that is no day", "a number 2026-13-45 that is no day"),
    ],
)
def test_days_in_a_sentence_are_written_as_people_write_them(text: str, shown: str) -> None:
    """Every day is rewritten where it stands; what only looks like one stays."""
    assert with_us_days(text) == shown
