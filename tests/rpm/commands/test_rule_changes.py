"""Changing rules from the command line: the comparison, the activation and the list."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from ledger_practice import Practice, days

from billing.rules.references import shipped_text
from rpm.cli import USAGE

Run = Callable[..., str]
TEXT = (
    shipped_text("pages/medicare-b-2026.toml")
    .replace('id = "medicare-b-2026"', 'id = "ours-2026"')
    .replace("known_from = 2025-11-03", "known_from = 2026-02-03")
)
CHANGED = TEXT.replace(
    'at_least = 2\nlines = [{ code = "99453" }]', 'at_least = 16\nlines = [{ code = "99453" }]'
)


@pytest.fixture
def page(practice: Practice, tmp_path: Path) -> Path:
    """A changed page in a file, in a practice with one patient of ten device days."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 10))
    file = tmp_path / "ours.toml"
    file.write_text(CHANGED, encoding="utf-8")
    return file


def test_a_page_is_compared_and_activated(page: Path, said: Run) -> None:
    """The difference is told with 1, the activation with who and why in the list of pages."""
    told = said("rules", "diff", "medicare-b-2026", str(page), code=1)
    assert "-   2 or more device days: 99453" in told
    assert "gone   99453 x1 on 2026-01-30 (21.71)" in told
    assert "1 gone, 0 new, 0 otherwise, of 1 patients" in told
    assert "21.71 before, 0.00 after, difference -21.71" in told
    words = ("--reason", "our contractor says 16", "--by", "ada@example.org")
    assert "ours-2026 is active" in said("rules", "activate", str(page), *words)
    assert "ours-2026" not in said("rules", "list")
    listed = said("rules", "list", "--organization", "Example Practice")
    assert listed.splitlines()[-1].startswith("ours-2026 was activated on 2026-02-02 15:00 UTC by")
    assert listed.rstrip().endswith(": our contractor says 16")
    shown = said("rules", "show", "ours-2026", "--organization", "Example Practice")
    assert "16 or more device days: 99453" in shown


def test_a_page_that_says_the_same_ends_with_0(page: Path, said: Run) -> None:
    """Nothing differs: exit code 0."""
    page.write_text(TEXT, encoding="utf-8")
    assert "0 gone, 0 new, 0 otherwise" in said("rules", "diff", "medicare-b-2026", str(page))


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("diff", "medicare-b-1999", "{page}"), "no such page"),
        (("diff", "medicare-b-2026", "{page}.not"), "cannot be read"),
        (("diff", "medicare-b-2026", "{page}", "--months", "0"), "months"),
        (("activate", "{page}", "--reason", "x", "--by", "nobody@example.org"), "no such user"),
        (("activate", "{page}", "--reason", "", "--by", "ada@example.org"), "reason"),
    ],
)
def test_wrong_use_ends_with_2(
    page: Path,
    said: Run,
    words: tuple[str, ...],
    reason: str,
) -> None:
    """What is wrong is named."""
    told = said("rules", *(word.format(page=page) for word in words), code=USAGE)
    assert reason in told


def test_a_refused_page_is_named_with_file_and_line(page: Path, said: Run) -> None:
    """A gap between bands names file, line and reason, and nothing is activated."""
    page.write_text(CHANGED.replace("at_most = 15", "at_most = 14"), encoding="utf-8")
    words = ("--reason", "x", "--by", "ada@example.org")
    told = said("rules", "activate", str(page), *words, code=USAGE)
    assert "ours.toml:" in told
    assert "E_RULE_PAGE" in told
    assert "activated" not in said("rules", "list", "--organization", "Example Practice")
