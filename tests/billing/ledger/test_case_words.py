"""Words of the case format that are refused though what follows them would do."""

import pytest
from test_cases import changed

from billing.ledger.case_facts import facts_of_case
from billing.ledger.case_text import CaseError, read_case
from billing.ledger.cases import COLUMNS, read_rows, run_case
from billing.rules.book import shipped_book
from rpm.clock import local_day


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("policy", "P0+start=threshold_day"),
        ("readings", "bp1:yesterday"),
    ],
)
def test_a_word_that_the_format_does_not_know(column: str, value: str) -> None:
    """An unknown choice of a practice, and readings on no day, are refused with their column."""
    with pytest.raises(CaseError, match=f"^RD03: {column}: "):
        run_case(changed("RD03", **{column: value}), shipped_book(), local_day)


def test_episodes_of_a_case_are_numbered() -> None:
    """An enrolment anew is the second episode, and the first is the one before it."""
    case = read_case(
        changed(
            "RD03", episode_end="2026-03-20", end_reason="goals_met", flags="reenrol=2026-03-25"
        ),
        shipped_book(),
        local_day,
    )
    episodes = facts_of_case(case).episodes
    assert episodes["episode"].tolist() == [0, 1]
    assert episodes["previous"].tolist() == [-1, 0]


@pytest.mark.parametrize("cell", ['"RD03" or so', '"RD03'])
def test_quotes_that_do_not_match(cell: str) -> None:
    """A file whose quotes do not match is refused with its line, not read as something else."""
    with pytest.raises(CaseError, match=r"^line 2: row: "):
        read_rows(",".join(COLUMNS) + "\n" + cell + "," * (len(COLUMNS) - 1))
