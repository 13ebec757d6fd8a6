"""S5: whatever bytes a parser is given, it reads them or refuses them as it documents."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from parsers import PARSERS
from promised import Promised

SEED, FULL_SECONDS, SHORT_SECONDS = 20_261, 60, 5
ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Fuzzed:
    """How a run ended: its exit status, what it told, and how many inputs it tried."""

    names: tuple[str, ...]
    exit_code: int
    told: str

    @property
    def tried(self) -> int:
        """Inputs."""
        (found,) = re.findall(r"stat::number_of_executed_units: (\d+)", self.told)
        return int(found)

    def wrong(self) -> str:
        """What it found."""
        return "" if self.exit_code == 0 else f"{self.names}: {self.told[-4_000:]}"


def fuzzed(folder: Path, seconds: int, names: tuple[str, ...]) -> Fuzzed:
    """Fuzz some parsers together."""
    folder.mkdir()
    tests = ROOT / "tests"
    paths = os.pathsep.join(str(path) for path in (ROOT, tests, tests / "promises"))
    environment = os.environ | {"PYTHONPATH": paths, "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-B", "-m", "fuzz_program", str(seconds), str(SEED), str(folder)]
    done = subprocess.run(
        [*command, *names], env=environment, capture_output=True, check=False, cwd=folder
    )
    return Fuzzed(names, done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace"))


@pytest.mark.promise("S5")
def test_parsers_survive_anything(tmp_path: Path, promised: Promised) -> None:
    """Mutated valid samples, guided by coverage: no error that a parser does not document."""
    pytest.importorskip("atheris", reason="installed on Linux on x86-64 only")
    names = tuple(PARSERS)
    groups = [(name,) for name in names] if promised.full else [names]
    seconds = promised.count(FULL_SECONDS, SHORT_SECONDS)
    with ThreadPoolExecutor(2) as pool:
        runs = list(
            pool.map(lambda one: fuzzed(tmp_path / str(one[0]), seconds, one[1]), enumerate(groups))
        )
    assert [run.wrong() for run in runs if run.wrong()] == []
    tried = sum(run.tried for run in runs)
    assert tried > 100 * len(runs)
    promised.reached(
        f"{len(names)} parsers, {seconds} s for {'each' if promised.full else 'all'}, guided by"
        f" coverage: {tried:,} inputs, 0 uncaught errors"
    )
