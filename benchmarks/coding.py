"""Coding measured: batches of visits through the whole way, growth, and one visit.

Owns the goals of coding: a batch of 100,000 visits, its growth, one visit under 30 ms. The visits
are synthetic and seeded. Run as ``python -m benchmarks.coding [--visits N] [--quick]``.
"""

import argparse
import csv
import math
import os
import random
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from benchmarks.measure import Spent, Stopwatch, alone, repeated, say
from benchmarks.result import RESULTS, Result
from benchmarks.trials import Cost, costs_of
from billing.coding.batch import Batch
from billing.coding.code_visit import code_visit
from billing.coding.coded import CodedVisit
from billing.coding.encounter import MDM_LEVELS, PAYERS, Encounter
from billing.coding.encounter_text import COLUMNS, read_row
from billing.coding.rules_read import shipped_coding_rules
from billing.rules.book import shipped_book

ONE_VISIT_MILLISECONDS = 30.0
EXPONENT_LIMIT = 1.05
HOW = [
    "The visits are synthetic and seeded: 19 payers, days from 2020 to 2027, video, phone, portal"
    " visits, check-ins, stored images, psychotherapy, e-consults and care of a month, new and"
    " established patients, levels by decision making and by time.",
    "A batch is `rpm-ledger code`: each row of a CSV file is read, coded, judged by every edit,"
    " repaired until nothing changes, priced, and written to a second file; one process. Each size"
    " runs in a fresh process. One visit is coded from its facts, without files, warm.",
]
_FIRST, _LAST = date(2020, 1, 1), date(2027, 12, 31)
_SERVICES = (
    "visit",
    "visit",
    "visit",
    "check_in",
    "image_review",
    "e_visit",
    "therapy",
    "econsult",
)


def main(arguments: Sequence[str] | None = None) -> Result:
    """Measure, print and keep the result."""
    options = _options().parse_args(arguments)
    load_before = os.getloadavg()[0]
    result = Result("coding", HOW, date.today(), f"{options.visits:,} visits")  # noqa: DTZ011 - the day it was run, for people
    _grow(result, options.visits)
    _one_visit(result, 5 if options.quick else 50)
    result.profile("What coding costs", alone(profiled, min(2_000, options.visits)))
    result.machine(load_before)
    say(f"kept in {result.save(options.results)}")
    return result


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coding", description=__doc__)
    parser.add_argument("--visits", type=int, default=100_000)
    parser.add_argument("--quick", action="store_true", help="fewer repeats of one visit")
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser


def visit_rows(visits: int, seed: int = 6) -> Iterator[dict[str, str]]:
    """Rows of a batch, the same for a seed."""
    chance = random.Random(seed)
    days = (_LAST - _FIRST).days
    for number in range(visits):
        service = chance.choice(_SERVICES)
        minutes = str(chance.randint(3, 110))
        row = dict.fromkeys(COLUMNS, "")
        row |= {
            "case_id": f"V{number}",
            "task": "CODE",
            "payer": chance.choice(PAYERS),
            "state": chance.choice(("OH", "CA", "TX", "NY", "FL", "IL", "NC", "MI")),
            "dos": str(_FIRST + timedelta(days=chance.randint(0, days))),
            "provider_type": "CSW" if service == "therapy" else chance.choice(("MD", "NP", "PA")),
            "provider_site": chance.choice(("OFFICE", "OFFICE", "HOSPITAL")),
            "patient_location": chance.choice(("HOME", "HOME", "HOME", "FACILITY")),
            "modality": _modality(chance, service),
            "patient_status": chance.choice(("EST", "EST", "NEW")),
            "fields": _fields(chance, service),
        }
        if chance.random() < 0.5:
            row |= {"level_basis": "TIME", "total_minutes": minutes}
        else:
            row |= {"level_basis": "MDM", "mdm": chance.choice(MDM_LEVELS)}
        if row["modality"] == "AUDIO":
            row["discussion_minutes"] = str(chance.randint(3, 40))
        yield row


def _modality(chance: random.Random, service: str) -> str:
    if service in ("e_visit", "image_review"):
        return "ASYNC"
    if service == "econsult":
        return "NONE"
    return "AUDIO" if service == "check_in" else chance.choice(("AV", "AV", "AUDIO"))


def _fields(chance: random.Random, service: str) -> str:
    minutes = chance.randint(3, 60)
    told = {
        "e_visit": f";minutes.e_visit={minutes}",
        "therapy": f";minutes.therapy={minutes}",
        "econsult": f";minutes.econsult={minutes}",
    }
    missing = ";consent=missing" if chance.random() < 0.05 else ""
    return f"service={service}{told.get(service, '')}{missing}"


def _grow(result: Result, visits: int) -> None:
    """Batches of growing size: rate, growth, memory."""
    sizes = [size for size in (visits // 100, visits // 10, visits) if size >= 2]
    seconds, rows = [], []
    for size in sizes:
        say(f"coding {size:,} visits")
        spent = alone(coded_batch, size)
        seconds.append(spent.core_seconds)
        rates = [f"{size / one:,.0f}" for one in (spent.seconds, spent.core_seconds)]
        figures = [f"{one:.1f}" for one in (spent.seconds, spent.core_seconds)]
        rows.append((f"{size:,}", *figures, *rates, f"{spent.peak_megabytes:.0f}"))
    columns = ("visits", "seconds", "core s", "visits a second", "visits a core s", "peak MB")
    result.table("Batches", columns, rows)
    if len(sizes) < 2:
        return
    exponent = math.log(seconds[-1] / seconds[-2]) / math.log(sizes[-1] / sizes[-2])
    result.goal(
        "K1",
        f"a batch's core time grows with its visits to the power of at most {EXPONENT_LIMIT}",
        f"power {exponent:.2f} from {sizes[-2]:,} to {sizes[-1]:,} visits",
        reached=exponent <= EXPONENT_LIMIT,
    )


def coded_batch(visits: int) -> Spent:
    """What one batch costs from file to file."""
    from rpm.commands.code import code_file

    with TemporaryDirectory() as folder:
        source, out = Path(folder) / "visits.csv", Path(folder) / "coded.csv"
        with source.open("w", encoding="utf-8", newline="") as file:
            written = csv.DictWriter(file, COLUMNS)
            written.writeheader()
            written.writerows(visit_rows(visits))
        batch = _batch()
        batch.code(next(visit_rows(1)))  # the rules are read before the clock runs
        watch = Stopwatch()
        rows, _ = code_file(source, out, Path(folder) / "rejects.csv", batch)
        return watch.spent(rows)


def _batch() -> Batch:
    return Batch(shipped_coding_rules(), shipped_book().fees)


def _one_visit(result: Result, repeats: int) -> None:
    """K2: one visit, warm: medians of a mix, the slowest of them against the goal."""
    batch = _batch()
    read = [read_row(row).encounter for row in visit_rows(40)]
    visits = [visit for visit in read if visit is not None]

    each = [repeated(partial(_coded, batch, visit), repeats).median for visit in visits]
    slowest = max(each)
    rows = [("mean", f"{fmean(each):.2f}"), ("slowest", f"{slowest:.2f}")]
    result.table("One visit", ("figure", "ms"), rows)
    result.goal(
        "K2",
        f"one visit takes less than {ONE_VISIT_MILLISECONDS:.0f} ms",
        f"{slowest:.2f} ms for the slowest of {len(visits)}",
        reached=slowest < ONE_VISIT_MILLISECONDS,
    )


def _coded(batch: Batch, visit: Encounter) -> CodedVisit:
    return code_visit(visit, batch.rules, visit.known_day, fees=batch.fees)


def profiled(visits: int) -> list[Cost]:
    """What coding so many rows costs, by function."""
    import cProfile

    batch, rows = _batch(), list(visit_rows(visits))
    batch.code(rows[0])
    profile = cProfile.Profile()
    profile.enable()
    for row in rows:
        batch.code(row)
    profile.disable()
    return costs_of(profile)


if __name__ == "__main__":
    main()
