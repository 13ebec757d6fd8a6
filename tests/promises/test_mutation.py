"""R19: small wrong changes of the billing rules are noticed by their tests."""

import subprocess
import sys
from pathlib import Path

import pytest
from mutation import result
from promised import Promised

TESTS = Path(__file__).parents[1]


@pytest.mark.promise("R19")
def test_wrong_changes_of_the_billing_rules_are_killed(promised: Promised) -> None:
    """What was killed stays killed; in full, 95 % are, of the rules as they are, and explained."""
    figures = result.figures()
    survivors = sum(mutants - killed for mutants, killed in figures.modules.values())
    handful = promised.count(60, 8)
    again = subprocess.run(
        [sys.executable, "-m", "mutation", "--handful", str(handful)],
        env={"PYTHONPATH": str(TESTS), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        cwd=TESTS.parent,
    )
    assert again.returncode == 0, again.stdout + again.stderr
    if promised.full:
        assert figures.digest == result.digest(), "run `make mutation` anew: the rules changed"
        assert survivors <= len(result.explained())
        for package in result.PACKAGES:
            assert figures.share(package) >= result.LEAST_KILLED, "not enough are killed yet"
    told = ", ".join(
        f"{package} {killed} of {mutants} ({100 * figures.share(package):.1f} %)"
        for package in result.PACKAGES
        for mutants, killed in [figures.of(package)]
    )
    promised.reached(
        f"killed: {told}; {survivors} survivors, each explained; "
        f"{figures.total} mutants drawn from {figures.possible}"
    )
