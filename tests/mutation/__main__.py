"""The command behind ``make mutation``: a twentieth of the mutants, all, or a handful.

Owns which mutants are tried and what is printed. Trying all takes hours; the part is the same one
in each run, drawn by the names of the mutants, so that edits elsewhere do not change it. What was
killed before and reads as it did then is not tried again, unless asked for anew. Exit codes: 0
when enough are killed and every survivor is explained, 1 otherwise.
"""

import argparse
import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from hashlib import sha256
from random import Random

# Workers share the cores already; a library's own threads would only wait for each other.
os.environ |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "OPENBLAS_NUM_THREADS": "1"}

import pytest

from mutation import result
from mutation.known import Known
from mutation.mutants import Mutant, mutants_of
from mutation.reach import Reach
from mutation.trial import PYTEST, Trials, Verdict

REACHED = result.ROOT / "var" / "mutation" / "reach.json"
VERDICTS = result.ROOT / "var" / "mutation" / "verdicts.json"
PROGRESS_EVERY_SECONDS = 30
ONE_OF = 20
# What tests and modules import besides `billing`: loaded once, before the processes part.
PRELOADED = (
    "hypothesis.strategies",
    "numpy",
    "openpyxl",
    "pandas",
    "pydantic_settings",
    "sqlmodel",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", help="only these modules; writes no result")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--all", action="store_true", help="each mutant, not a twentieth of them")
    parser.add_argument("--survivors", action="store_true", help="only what survived before")
    parser.add_argument("--anew", action="store_true", help="also what was killed before")
    parser.add_argument("--as-measured", action="store_true", help="no new measuring of the tests")
    parser.add_argument("--handful", type=int, help="only so many killed ones, by their tests")
    parser.add_argument("--seed", default="", help="which handful")
    asked = parser.parse_args(arguments)
    os.chdir(result.ROOT)
    if asked.handful:
        return handful(asked.handful, asked.seed)
    made_from = result.digest()
    known = Known(result.ROOT, VERDICTS)
    mutants = _chosen(asked.modules, every=asked.all)
    if asked.survivors:
        killers = known.killers()
        mutants = [mutant for mutant in mutants if killers.get(mutant.name) is None]
    verdicts = [] if asked.anew else known.standing(mutants)
    print(f"{len(verdicts)} of {len(mutants)} were killed before and read as they did then")
    if not asked.as_measured:
        _reached()
    standing = {verdict.mutant.name for verdict in verdicts}
    left = [mutant for mutant in mutants if mutant.name not in standing]
    verdicts += _tried(left, asked.workers, known)
    whole = not (asked.modules or asked.survivors or asked.all)
    if whole and result.digest() != made_from:
        print("the modules or their tests changed during the run: nothing is written")
        return 1
    if whole:
        result.write(verdicts, made_from, len(_chosen((), every=True)))
    return _told(verdicts, whole=whole)


def handful(count: int, seed: str) -> int:
    """Mutants of the last result that must still be killed, each by the test that killed it."""
    known = {one.name: one for one in _chosen((), every=False)}
    samples = [one for one in result.figures().samples if one[0] in known]
    chosen = dict(Random(seed).sample(samples, min(count, len(samples))))
    _preload()
    trials = Trials(result.ROOT, 1, dict.fromkeys(chosen.values(), 1.0))
    plan = [(known[name], [killer]) for name, killer in chosen.items()]
    survived = [
        one.mutant.name for one in trials.verdicts(plan) if one.killer != chosen[one.mutant.name]
    ]
    print(f"{len(chosen) - len(survived)} of {len(chosen)} killed", *survived, sep="\n")
    return int(bool(survived) or len(chosen) < count)


def _chosen(names: Sequence[str], *, every: bool) -> list[Mutant]:
    return [
        mutant
        for name, path in result.modules().items()
        if not names or name in names
        for mutant in mutants_of(name, path.read_text(encoding="utf-8"))
        if every or _is_drawn(mutant)
    ]


def _is_drawn(mutant: Mutant) -> bool:
    return sha256(mutant.name.encode()).digest()[0] % ONE_OF == 0


def _reached() -> None:
    print("measuring which tests reach which lines ...", flush=True)
    subprocess.run([sys.executable, "-m", "mutation.reach", REACHED], check=True)


def _preload() -> None:
    for name in PRELOADED:
        __import__(name)
    with tempfile.TemporaryDirectory() as empty:
        pytest.main([*PYTEST, "--collect-only", "-qqq", empty])
    # What is loaded stays: the collector of a child need not walk through it, nor copy its pages.
    gc.collect()
    gc.freeze()


def _tried(mutants: Sequence[Mutant], workers: int, known: Known) -> list[Verdict]:
    reach = Reach(REACHED)
    _preload()
    trials = Trials(result.ROOT, workers, reach.durations, known.killers())
    if trials.unmutated(reach.share(reach.durations)) is not None:
        raise SystemExit("a test fails without any mutant")
    verdicts: list[Verdict] = []
    began = told = time.monotonic()
    for verdict in trials.verdicts([(mutant, reach.tests_of(mutant)) for mutant in mutants]):
        verdicts.append(verdict)
        if time.monotonic() - told > PROGRESS_EVERY_SECONDS:
            told = time.monotonic()
            left = (told - began) / len(verdicts) * (len(mutants) - len(verdicts))
            killed = sum(one.killer is not None for one in verdicts)
            print(
                f"{len(verdicts)} of {len(mutants)}, {killed} killed, {left / 60:.0f} minutes left",
                flush=True,
            )
            known.keep(verdicts)
    known.keep(verdicts)
    return verdicts


def _told(verdicts: Sequence[Verdict], *, whole: bool) -> int:
    reasons = result.explained()
    survivors = [one.mutant for one in verdicts if one.killer is None]
    unexplained = [one for one in survivors if one.name not in reasons]
    killed = {one.mutant.name for one in verdicts if one.killer}
    stale = sorted(set(reasons) & killed)
    if whole:
        stale += sorted(set(reasons) - killed - {one.name for one in survivors})
    for one in unexplained:
        print(f"survives unexplained: {one.name}   (line {one.first_line})")
    for name in stale:
        print(f"explained, but no survivor: {name}")
    print(f"{len(verdicts) - len(survivors)} of {len(verdicts)} mutants killed")
    enough = True
    if whole:
        made = result.figures()
        for package in result.PACKAGES:
            print(f"{package}: {100 * made.share(package):.1f} %")
            enough = enough and made.share(package) >= result.LEAST_KILLED
    return int(bool(unexplained or stale) or not enough)


if __name__ == "__main__":
    sys.exit(main())
