"""``rpm-ledger claims``: a file's findings, exit codes, and what is no claim file."""

from pathlib import Path
from typing import Protocol

import pytest
from claim_faults import FAULTS, Fault, faulty_file, sound_file

DAY = ("--on", "2026-11-24")


class Run(Protocol):
    """Runs a command that must end with a code, and gives what it said."""

    def __call__(self, *words: str, code: int = 0) -> str:
        """What was said."""
        ...


def test_a_sound_file_is_clean(said: Run, tmp_path: Path) -> None:
    """0 and one line for a file without a fault."""
    path = tmp_path / "CLAIMS.837"
    path.write_text(sound_file())
    assert said("claims", "check", str(path), *DAY) == "2 claims in 55 segments: nothing found\n"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.number}-{fault.name}")
def test_each_of_forty_faults_is_found(fault: Fault, said: Run, tmp_path: Path) -> None:
    """1 for each fault of a file, told by its name with place and fix."""
    path = tmp_path / "CLAIMS.837"
    path.write_bytes(faulty_file(fault))
    told = said("claims", "check", str(path), *DAY, code=1)
    assert f"{fault.code}  segment " in told


@pytest.mark.parametrize(
    "content", [b"", b"patient,code\n", b"ISA*00*", sound_file().partition("ST*")[0].encode()]
)
def test_what_is_no_claim_file_is_wrong_use(content: bytes, said: Run, tmp_path: Path) -> None:
    """2 and a reason for a file that is no 837P, or ends before its first set."""
    path = tmp_path / "CLAIMS.837"
    path.write_bytes(content)
    told = said("claims", "check", str(path), code=2)
    assert "is no 837P: it " in told


def test_codes_of_ones_own_are_known(said: Run, tmp_path: Path) -> None:
    """A procedure of the practice's own schedule is no finding; another one still is."""
    path, schedule = tmp_path / "CLAIMS.837", tmp_path / "charges.csv"
    path.write_text(
        sound_file().replace("HC:99457*", "HC:87070*").replace("HC:99458*", "HC:87071*")
    )
    schedule.write_text('procedure,charge\n"87070",15.00\n')
    words = ("claims", "check", str(path), *DAY)
    assert "4 findings" in said(*words, code=1)
    told = said(*words, "--procedures", str(schedule), code=1)
    assert told.count("W_PROCEDURE_UNKNOWN") == 2


def test_a_file_that_is_not_there_is_wrong_use(said: Run, tmp_path: Path) -> None:
    """2 for a file that cannot be read, and for a day that is none."""
    assert "cannot be read" in said("claims", "check", str(tmp_path / "NONE.837"), code=2)
    path = tmp_path / "CLAIMS.837"
    path.write_text(sound_file())
    assert "a day is written like" in said("claims", "check", str(path), "--on", "today", code=2)


def test_nothing_of_the_file_is_told(said: Run, tmp_path: Path) -> None:
    """Names, member ids and claim numbers of a file with many faults are never shown."""
    content = sound_file().replace("DOE*JANE", "Doe*Jane").replace("*204.00*", "*1.00*")
    path = tmp_path / "CLAIMS.837"
    path.write_text(content.replace("HL*2*1*", "HL*2*9*").replace("*I10", "*XYZZY"))
    told = said("claims", "check", str(path), *DAY, code=1)
    for value in (
        "Doe",
        "DOE",
        "Jane",
        "JANE",
        "1EG4TE5MK73",
        "C000001",
        "XYZZY",
        "1.00",
        "19480302",
    ):
        assert value not in told
