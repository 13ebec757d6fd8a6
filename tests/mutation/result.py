"""What a run of all mutants gave: the explained survivors, the figures, the page that tells them.

Owns ``survivors.toml`` (written by hand: why a mutant survives), ``result.toml`` and
``docs/mutation.md`` (written by a run). A result is fresh while the digest of the mutated modules,
their data and their tests is the one it was made from.
"""

import hashlib
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from mutation.trial import BY_LIMIT, BY_LOADING, Verdict

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PACKAGES = ("billing.ledger", "billing.rules")
MADE_FROM = ("billing", "tests/billing/ledger", "tests/billing/rules", "tests/cases")
SURVIVORS, RESULT = HERE / "survivors.toml", HERE / "result.toml"
PAGE = ROOT / "docs" / "mutation.md"
LEAST_KILLED = 0.95
SAMPLES_PER_MODULE = 3
PREFACE = """\
# Mutation of the billing rules

Each mutant is one small wrong change of `billing/ledger` or `billing/rules`: a boundary moved, a
condition left out, a code mistaken. A mutant is killed when a test fails. Of {possible} possible
mutants {total} are tried, the same ones each time, drawn by their names; nobody has tried the
others. Written by `make mutation` on {day}; do not edit by hand. Why a mutant survives stands in
[`tests/mutation/survivors.toml`](../tests/mutation/survivors.toml).

| module | mutants | killed | survivors | killed % |
|---|--:|--:|--:|--:|
"""


@dataclass(frozen=True)
class Figures:
    """Mutants and killed ones by module, as the last whole run found them."""

    digest: str
    possible: int
    modules: dict[str, tuple[int, int]]
    samples: tuple[tuple[str, str], ...]

    @property
    def total(self) -> int:
        """All mutants that were tried."""
        return sum(mutants for mutants, _ in self.modules.values())

    def share(self, package: str) -> float:
        """The killed part of a package's mutants."""
        mutants, killed = self.of(package)
        return killed / mutants

    def of(self, package: str) -> tuple[int, int]:
        """Mutants and killed ones of a package."""
        found = [one for name, one in self.modules.items() if name.startswith(f"{package}.")]
        return sum(mutants for mutants, _ in found), sum(killed for _, killed in found)


def modules() -> dict[str, Path]:
    """The modules that are mutated, by the name they are imported by."""
    folders = [ROOT.joinpath(*name.split(".")) for name in PACKAGES]
    paths = [path for folder in folders for path in sorted(folder.glob("*.py"))]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths}


def digest() -> str:
    """Of everything that a verdict depends on."""
    made = hashlib.sha256()
    for folder in MADE_FROM:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".toml", ".csv", ".txt"):
                made.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    for path in sorted(HERE.glob("*.py")):
        made.update(path.read_bytes())
    return made.hexdigest()


def explained() -> dict[str, str]:
    """The reason of every survivor that is known."""
    groups = tomllib.loads(SURVIVORS.read_text(encoding="utf-8")).get("survivors", [])
    return {mutant: group["reason"] for group in groups for mutant in group["mutants"]}


def figures() -> Figures:
    """What the last whole run wrote."""
    told = tomllib.loads(RESULT.read_text(encoding="utf-8"))
    counted = {name: (one["mutants"], one["killed"]) for name, one in told["modules"].items()}
    samples = tuple((one["mutant"], one["killer"]) for one in told["samples"])
    return Figures(told["digest"], told["possible"], counted, samples)


def write(verdicts: Sequence[Verdict], made_from: str, possible: int) -> None:
    """The result and its page."""
    mutants = Counter(verdict.mutant.module for verdict in verdicts)
    killed = Counter(verdict.mutant.module for verdict in verdicts if verdict.killer)
    counted = {name: (count, killed[name]) for name, count in sorted(mutants.items())}
    made = Figures(made_from, possible, counted, _samples(verdicts))
    RESULT.write_text(_told(made), encoding="utf-8")
    rows = [_row(f"`{name}`", *one) for name, one in counted.items()]
    rows += [_row(f"**{package}**", *made.of(package)) for package in PACKAGES]
    preface = PREFACE.format(day=datetime.now(UTC).date(), possible=possible, total=made.total)
    PAGE.write_text(preface + "".join(rows), encoding="utf-8")


def _row(name: str, mutants: int, killed: int) -> str:
    share = 100 * killed / mutants
    return f"| {name} | {mutants} | {killed} | {mutants - killed} | {share:.1f} |\n"


def _samples(verdicts: Iterable[Verdict]) -> tuple[tuple[str, str], ...]:
    """A few killed mutants of each module with their tests, for the everyday run."""
    by_module: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.killer and verdict.killer not in (BY_LOADING, BY_LIMIT):
            by_module[verdict.mutant.module].append((verdict.mutant.name, verdict.killer))
    chosen = [
        Random(name).sample(sorted(found), min(SAMPLES_PER_MODULE, len(found)))
        for name, found in sorted(by_module.items())
    ]
    return tuple(one for some in chosen for one in sorted(some))


def _told(made: Figures) -> str:
    lines = ["# Written by `make mutation`; do not edit by hand."]
    lines += [f'digest = "{made.digest}"', f"possible = {made.possible}", ""]
    for name, (mutants, killed) in made.modules.items():
        lines += [f'[modules."{name}"]', f"mutants = {mutants}", f"killed = {killed}", ""]
    for mutant, killer in made.samples:
        lines += ["[[samples]]", f"mutant = {_quoted(mutant)}", f"killer = {_quoted(killer)}", ""]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
