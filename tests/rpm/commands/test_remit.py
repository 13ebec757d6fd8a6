"""``rpm-ledger remit``: stored, posted, told; once."""

from pathlib import Path
from typing import Protocol

import pytest
from remittances_made import Payment, file_of, paid

FILES = Path(__file__).parents[2] / "files" / "answers"


class Run(Protocol):
    """Runs a command that must end with a code, and gives what it said."""

    def __call__(self, *words: str, code: int = 0) -> str:
        """What was said."""
        ...


def test_a_file_is_told_without_a_database(said: Run) -> None:
    """Its kind, the equation of each payment, and no findings."""
    told = said("remit", "--only-read", str(FILES / "835" / "emedny-sample.txt"))
    assert told.splitlines() == [
        "emedny-sample.txt: 835",
        "  payment 1: 45.75 = 45.75 of 3 claims - 0.00 of provider adjustments",
    ]
    told = said("remit", "--only-read", str(FILES / "835" / "moov-sample1.txt"), code=1)
    assert "payment 1: -6173.50 = 0.00 of 1 claims - 6173.50 of provider adjustments" in told


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_money_for_no_claim_asks_for_a_look(said: Run, practice: object, tmp_path: Path) -> None:
    """1 and the finding; the same again; the file is stored, and nothing is left unread."""
    path = tmp_path / "ERA.835"
    path.write_bytes(file_of(Payment([paid("C9")])))
    told = said("remit", str(path), code=1)
    assert "ERA.835: 835, needs-look" in told
    assert "W_835_UNMATCHED  payment 1, claim 1" in told
    assert "answers known before: 1" in said("remit", str(path), code=1)
    assert "stored before and read now: 0" in said("remit", "--again")


def test_no_file_is_wrong_use(said: Run) -> None:
    """2 when there is nothing to do."""
    assert "name at least one file" in said("remit", code=2)
