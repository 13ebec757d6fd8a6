"""The mutator itself: which changes it makes, and that a trial tells killed from surviving."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mutation.mutants import mutants_of, mutated

TESTS = Path(__file__).parents[1]


def changed(source: str) -> list[str]:
    """All mutants of a text as ``was -> becomes``."""
    return [one.name.removeprefix("m.").partition(": ")[2] for one in mutants_of("m", source)]


@pytest.mark.parametrize(
    ("source", "mutants"),
    [
        ("x = a >= 16", ["a >= 16 -> a > 16", "a >= 16 -> a >= 15"]),
        ("x = a < n", ["a < n -> a <= n"]),
        ("x = a in b", ["a in b -> a not in b"]),
        ("x = 2", ["x = 2 -> x = 3", "x = 2 -> x = 1"]),
        ("x = a and b", ["a and b -> b", "a and b -> a"]),
        ("x = not a", ["x = not a -> x = a"]),
        ("x = a & b", ["a & b -> a | b", "a & b -> a", "a & b -> b"]),
        ("x = a + b", ["a + b -> a - b"]),
        ("x = 'a' + b", []),
        ("x = True", ["x = True -> x = False"]),
        ("x = min(a)", ["min(a) -> max(a)"]),
        ("x = a.any()", ["a.any() -> a.all()"]),
        ("x = 'E_NO_ORDER'", ["x = 'E_NO_ORDER' -> x = 'E_NO_ORDERX'"]),
        ("x = '99454'", ["x = '99454' -> x = '99454X'"]),
        ("x = 'a text'", []),
        ("x = b if a else c", ["b if a else c -> b", "b if a else c -> c"]),
        ("x = a[1:]", ["a[1:] -> a[2:]", "a[1:] -> a[0:]"]),
        ("def f():\n    return a", ["return a -> return None"]),
        ("def f():\n    '''Text.'''\n    return None", []),
        ("if a:\n    go()", ["a -> False", "a -> True", "go() -> (removed)"]),
        ("raise a", ["raise a -> (removed)"]),
        ("x[a] = b", ["x[a] = b -> (removed)"]),
        ("x: Literal[1] = a", []),
        ("@lru_cache(maxsize=1)\ndef f(): ...", []),
        ("x = lru_cache(maxsize=9)(f)", []),
    ],
)
def test_which_changes_are_made(source: str, mutants: list[str]) -> None:
    """Each slip of a hand is made once; texts, types and sizes of caches are left alone."""
    assert changed(source) == mutants


def test_alike_mutants_have_names_of_their_own() -> None:
    """The same change twice in a function is numbered, and each changes its own place."""
    first, second = mutants_of("m", "x = a + b\ny = a + b")
    assert (first.name, second.name) == (
        "m.module: a + b -> a - b",
        "m.module: a + b -> a - b (2)",
    )
    assert ast.unparse(mutated("x = a + b\ny = a + b", second)) == "x = a + b\ny = a - b"


def test_a_mutant_knows_its_lines_and_its_function() -> None:
    """A mutant stands on the lines of its statement, of a loop on those of its head."""
    head = "class C:\n    def f(self):\n"
    source = head + "        for x in range(\n            a + b\n        ):\n            pass"
    (one,) = mutants_of("m", source)
    assert (one.function, one.first_line, one.last_line) == ("C.f", 3, 5)


MODULE = """\
def paid(days):
    while days > 30:
        days -= 30
    return days >= 16


LEAST = 16
"""
TEST = """\
from small import LEAST, paid


def test_paid():
    assert paid(46) and not paid(45) and LEAST
"""
PROGRAM = """\
import sys
from pathlib import Path

from mutation import trial
from mutation.mutants import mutants_of

trial.LEAST_CPU_SECONDS = 1
root = Path.cwd()
tests = ["test_small.py::test_paid"]
trials = trial.Trials(root, 2, dict.fromkeys(tests, 0.1))
assert trials.unmutated(tests) is None
mutants = mutants_of("small", (root / "small.py").read_text())
for one in trials.verdicts([(mutant, tests) for mutant in mutants]):
    print(one.killer or "survives", one.mutant.name, sep=" | ")
"""


def test_a_trial_tells_killed_from_surviving(tmp_path: Path) -> None:
    """A mutant falls by a failing test or by never ending; one that no test sees survives."""
    (tmp_path / "small.py").write_text(MODULE, encoding="utf-8")
    (tmp_path / "test_small.py").write_text(TEST, encoding="utf-8")
    paths = os.pathsep.join((str(TESTS), str(tmp_path)))
    outside = {**os.environ, "PYTHONPATH": paths, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env=outside,
        check=True,
        capture_output=True,
        text=True,
    )
    lines = [line.split(" | ") for line in done.stdout.splitlines()]
    told = {name: killer for killer, name in lines}
    survivors = {name for name, killer in told.items() if killer == "survives"}
    assert survivors == {
        "small.paid: days > 30 -> days >= 30",
        "small.paid: days > 30 -> days > 31",
        "small.module: LEAST = 16 -> LEAST = 17",
        "small.module: LEAST = 16 -> LEAST = 15",
    }
    assert told["small.paid: days -= 30 -> (removed)"] == "time limit"
    assert told["small.paid: days >= 16 -> days > 16"] == "test_small.py::test_paid"
