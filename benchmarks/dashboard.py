"""The pages measured: the readiness list, one patient's progress, patients by name, the screens.

Owns the goals of reading. Every figure is a request to the application with its token, permission,
query and JSON, beside the bare statement of the same page on the driver. Run as
``python -m benchmarks.dashboard [--patients N] [--quick]``.
"""

import argparse
import cProfile
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from benchmarks.asking import Asker, asking, bare_page
from benchmarks.facts import MAX_MONTHS, parts
from benchmarks.load import ENGINES, LoadedPractice, database_url, loaded_practice
from benchmarks.measure import Series, Stopwatch, repeated_in_turn, say
from benchmarks.pages import (
    DEMO_PATIENTS,
    LARGE_MILLISECONDS,
    PagesMeasured,
    demo_pages,
    judge_pages,
    pages_of,
)
from benchmarks.result import RESULTS, Result
from benchmarks.trials import Cost, costs_of
from rpm.demo.practice import STOP_DAY
from rpm.store.engine import reading
from rpm.store.outcomes import evaluated

BARE_TIMES, BARE_PLUS_MILLISECONDS = 3.0, 50.0
PROGRESS_MILLISECONDS = 30.0
NAME_MILLISECONDS = 20.0
HISTORY_TIMES = 1.3
EPISODES_PER_ENROLLED = 1.06  # some have ended
CHANGES = 3
PROFILED = 20
NOW = datetime(2026, 3, 20, 16, 0, tzinfo=UTC)
ANYBODY = "/v1/readiness?ladder=device-supply&limit=200"
HOW = [
    "The same synthetic practice as for the close, in a database of its own: once with one month of"
    " facts and once with 24, looked at from the 20th of the last month. Each figure is a request"
    " to the application in the same process: token, permission, query, JSON; no network. The bare"
    " page is the statement of the readiness page on the driver, without application and objects.",
    "Requests that are compared take turns, also those to the two databases; figures are medians"
    " of warm requests.",
]

READINESS, BARE, PROGRESS, NAME = "readiness page", "bare page", "one patient's progress", "by name"


@dataclass(frozen=True)
class Measured:
    """Requests to one database."""

    engine: str
    months: int
    everyone_seconds: float  # the first page of a day: everybody is computed anew
    changed: Series  # a page after one patient's facts changed
    requests: dict[str, Series]
    screens: PagesMeasured
    costs: list[Cost]  # of one patient's progress


def main(arguments: Sequence[str] | None = None) -> Result:
    """Measure, print and keep the result."""
    options = _options().parse_args(arguments)
    load_before = os.getloadavg()[0]
    result = Result("dashboard", HOW, date.today(), f"{options.patients:,} enrolled patients")  # noqa: DTZ011 - the day it was run, for people
    repeats = 2 if options.quick else 50
    episodes = max(round(options.patients * EPISODES_PER_ENROLLED), 2)
    found = [
        measured
        for engine_name in options.engines
        for measured in _on_engine(engine_name, episodes, options.months, repeats)
    ]
    _show(result, found)
    _judge(result, found)
    demo = demo_pages(options.demo_patients, options.demo_until.date(), repeats)
    judge_pages(result, demo, [one.screens for one in found])
    _profile(result, found)
    result.machine(load_before)
    say(f"kept in {result.save(options.results)}")
    return result


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dashboard", description=__doc__)
    parser.add_argument("--patients", type=int, default=10_000)
    parser.add_argument("--months", type=int, default=MAX_MONTHS)
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES)
    parser.add_argument("--demo-patients", type=int, default=DEMO_PATIENTS)
    parser.add_argument(
        "--demo-until",
        type=datetime.fromisoformat,
        default=datetime.combine(STOP_DAY, time()),
    )
    parser.add_argument("--quick", action="store_true", help="two repeats of each request")
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser


def _on_engine(engine_name: str, episodes: int, months: int, repeats: int) -> Iterator[Measured]:
    with ExitStack() as stack:
        askers = {
            length: stack.enter_context(_practice(engine_name, episodes, length))
            for length in (1, months)
        }
        everyone = {length: _first_page(asker) for length, asker in askers.items()}
        works: dict[tuple[int, str], Callable[[], object]] = {
            (length, name): work
            for length, asker in askers.items()
            for name, work in _requests(asker).items()
        }
        say(f"asking on {engine_name}")
        taken = repeated_in_turn(works, repeats)
        for length, asker in askers.items():
            yield Measured(
                engine_name,
                length,
                everyone[length],
                _after_changes(asker),
                {name: series for (of, name), series in taken.items() if of == length},
                _screens(asker, f"{engine_name}, {length} months", repeats),
                _profiled_progress(asker.practice, UUID(_billed_patient(asker)[0])),
            )


@contextmanager
def _practice(engine_name: str, episodes: int, months: int) -> Iterator[Asker]:
    with (
        TemporaryDirectory() as folder,
        database_url(engine_name, Path(folder)) as url,
        loaded_practice(url, parts(episodes, months=months), NOW) as practice,
        asking(practice) as asker,
    ):
        yield asker


def _first_page(asker: Asker) -> float:
    say("computing everybody's readiness")
    watch = Stopwatch()
    asker.readiness()
    return watch.seconds


def _requests(asker: Asker) -> dict[str, Callable[[], object]]:
    patient_id, event_key, episode_id = _billed_patient(asker)
    added = {"episode_id": episode_id, "day": NOW.date().isoformat()}
    question = {"patient_id": patient_id, "add_days": [added]}
    practice = asker.practice
    return {
        READINESS: asker.readiness,
        BARE: bare_page(practice.engine, practice.actor.organization_id),
        PROGRESS: partial(asker.get, f"/v1/patients/{patient_id}/progress"),
        NAME: partial(asker.by_name, "Alben"),
        "explanation of an event": partial(asker.get, f"/v1/events/{event_key}/explanation"),
        "what-if": partial(asker.post, "/v1/what-if", question),
    }


def _screens(asker: Asker, where: str, repeats: int) -> PagesMeasured:
    practice, patient_id = asker.practice, UUID(_billed_patient(asker)[0])
    screens = pages_of(
        asker.client, practice.engine, practice.actor, practice.now, patient_id, repeats
    )
    return PagesMeasured(where, LARGE_MILLISECONDS, screens)


def _billed_patient(asker: Asker) -> tuple[str, str, str]:
    """A patient of the list, a window of theirs that earns a code, and its episode."""
    for row in asker.get(ANYBODY)["items"]:
        patient_id: str = row["patient_id"]
        for event in asker.get(f"/v1/patients/{patient_id}/events")["items"]:
            if event["key"].startswith("episode."):
                return patient_id, event["key"], event["episode_id"]
    raise AssertionError("nobody on the first page has a billable window")


def _after_changes(asker: Asker) -> Series:
    """The page after each of some new entries, in milliseconds."""
    patients = dict.fromkeys(row["patient_id"] for row in asker.get(ANYBODY)["items"])
    taken = []
    for patient_id in list(patients)[:CHANGES]:
        asker.log_entry(patient_id)
        watch = Stopwatch()
        asker.readiness()
        taken.append(watch.seconds * 1000)
    return Series(tuple(taken))


def _profiled_progress(practice: LoadedPractice, patient_id: UUID) -> list[Cost]:
    """One patient's progress without the application around it."""
    profiler = cProfile.Profile()
    for _ in range(PROFILED):
        with reading(practice.engine) as db:
            profiler.enable()
            found = evaluated(
                db,
                practice.actor.organization_id,
                as_of=practice.now.date(),
                known=practice.now.date(),
                patients=[patient_id],
            )
            found.progress()
            profiler.disable()
    return costs_of(profiler)


def _show(result: Result, found: list[Measured]) -> None:
    names = list(found[0].requests)
    result.table(
        "Requests, median milliseconds",
        ("engine", "months of facts", *names),
        [
            (
                one.engine,
                str(one.months),
                *(f"{one.requests[name].median:.1f}" for name in names),
            )
            for one in found
        ],
    )
    result.table(
        "Bringing the list up to date",
        ("engine", "months of facts", "everybody, a new day, s", "after one new entry, ms"),
        [
            (
                one.engine,
                str(one.months),
                f"{one.everyone_seconds:.1f}",
                f"{one.changed.median:.0f}",
            )
            for one in found
        ],
    )


def _profile(result: Result, found: list[Measured]) -> None:
    slowest = max(found, key=lambda one: one.requests[PROGRESS].median)
    title = (
        f"One patient's progress on {slowest.engine} with {slowest.months} months of facts,"
        f" {PROFILED} times, profiled"
    )
    result.profile(title, slowest.costs)


def _judge(result: Result, found: list[Measured]) -> None:
    over = {
        one.requests[READINESS].median - BARE_TIMES * one.requests[BARE].median: one
        for one in found
    }
    worst = over[max(over)]
    result.goal(
        "R1",
        f"readiness page at most {BARE_TIMES:g} x the bare page plus {BARE_PLUS_MILLISECONDS:g} ms",
        f"at worst {worst.requests[READINESS].median:.1f} ms beside"
        f" {worst.requests[BARE].median:.1f} ms",
        reached=max(over) <= BARE_PLUS_MILLISECONDS,
    )
    for goal_id, name, limit in (
        ("R2", PROGRESS, PROGRESS_MILLISECONDS),
        ("R3", NAME, NAME_MILLISECONDS),
    ):
        slowest = max(one.requests[name].median for one in found)
        result.goal(
            goal_id,
            f"{name} at most {limit:g} ms",
            f"at worst {slowest:.1f} ms",
            reached=slowest <= limit,
        )
    pages = {(one.engine, one.months): one.requests[READINESS].median for one in found}
    longest = max(one.months for one in found)
    times = max(
        pages[engine, longest] / pages[engine, 1] for engine in {one.engine for one in found}
    )
    result.goal(
        "R4",
        f"readiness page with {longest} months of facts at most {HISTORY_TIMES:g} x with one",
        f"at worst {times:.2f} x",
        reached=times <= HISTORY_TIMES,
    )


if __name__ == "__main__":
    main()
