"""The vendors' door measured: single readings, bodies of 100 and of 1,000, on both engines.

Owns the goals of intake. Every figure is readings over HTTP that were durable before they were
answered, with proof, raw body, audit event and device days; beside it the naive service over HTTP
and the bare driver without a web. Run as ``python -m benchmarks.intake [--share N]``.
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from sqlalchemy.engine import make_url

from benchmarks.bare_intake import bare
from benchmarks.intake_load import Asked, Load, Target, drive
from benchmarks.intake_practice import (
    Sender,
    Service,
    fill,
    naive,
    product,
    sender_of,
    settings_to_serve,
)
from benchmarks.intake_profile import profiled
from benchmarks.load import ENGINES, LoadedPractice, database_url, loaded_practice
from benchmarks.measure import alone, say
from benchmarks.result import RESULTS, Result
from rpm.settings import Settings

CONNECTIONS = 32
SIZES = {1: 3_000, 100: 300, 1_000: 30}
"""Readings in a body, and bodies in a trial."""
NAIVE_SHARE = 20  # the naive service gets a part of the bodies: it would take minutes
ORGANIZATIONS = 8
STORED_BEFORE = 2_000_000
MANY, FEW = 1_000_000, 10_000
HOW = [
    "The product runs as `rpm-ledger serve` starts it, the load in a process of its own over"
    f" {CONNECTIONS} kept connections (for bodies of 1,000: 4). Signed bodies are made before the"
    " clock runs. Each body is proved, kept raw, chained in an audit event and counted in device"
    " days before it is answered.",
    "The naive service is FastAPI with SQLModel, reading by reading through the session, the same"
    " proof and the same care for the disk, without raw body, audit event and versions. The bare"
    " driver stores the same readings behind a unique key with one commit a body, in one process,"
    " without a web; from 100 rows on by COPY on PostgreSQL.",
    "Trials take turns; figures are medians. The client shares the two cores with the service.",
]


@dataclass
class Bench:
    """One engine with everything that is measured on it."""

    engine: str
    practice: LoadedPractice
    served: Settings
    senders: list[Sender]
    place: str  # of the bare driver
    naive_url: str
    numbers: Iterator[int] = field(default_factory=lambda: count(0, 2_000_000))


def main(arguments: Sequence[str] | None = None) -> Result:
    """Measure, print and keep the result."""
    options = _options().parse_args(arguments)
    load_before = os.getloadavg()[0]
    share = options.share
    result = Result("intake", HOW, date.today(), f"{CONNECTIONS} connections")  # noqa: DTZ011 - the day it was run, for people
    for engine_name in options.engines:
        with _bench(engine_name, options.organizations) as bench:
            rates = _sizes(result, bench, options.repeats, share)
            _judge(result, bench.engine, rates)
            if engine_name == "postgresql":
                _two_processes(result, bench, options.repeats, share)
            if engine_name == "sqlite":
                _memory(result, bench, share)
            _profiles(result, bench)
            _full_table(result, bench, options.repeats, share)
    result.machine(load_before)
    say(f"kept in {result.save(options.results)}")
    return result


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.intake", description=__doc__)
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--share", type=int, default=1, help="only one of so many readings")
    parser.add_argument("--organizations", type=int, default=ORGANIZATIONS, help="3 at least")
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser


@contextmanager
def _bench(engine_name: str, organizations: int) -> Iterator[Bench]:
    with (
        TemporaryDirectory() as folder,
        database_url(engine_name, Path(folder)) as url,
        loaded_practice(url, []) as practice,
    ):
        say(f"making {organizations} practices on {engine_name}")
        senders = [sender_of(practice, number + 1) for number in range(organizations)]
        served = settings_to_serve(practice)
        plain = make_url(url).set(drivername=engine_name).render_as_string(hide_password=False)
        is_file = engine_name == "sqlite"
        yield Bench(
            engine_name,
            practice,
            served,
            senders,
            str(Path(folder) / "bare.db") if is_file else plain,
            f"sqlite:///{Path(folder) / 'naive.db'}" if is_file else plain,
        )


def _sizes(
    result: Result, bench: Bench, repeats: int, share: int
) -> dict[tuple[str, int], list[Load]]:
    """Each size by the product, the naive service and the bare driver, in turn."""
    found: dict[tuple[str, int], list[Load]] = {}
    with ExitStack() as stack:
        service = stack.enter_context(product(bench.practice, bench.served))
        simple = stack.enter_context(naive(bench.naive_url, bench.senders[0].secret))
        target = [bench.senders[0].to(service.port)]
        plain = [Target(simple.port, "/deliver", bench.senders[0].secret)]
        for turn in range(repeats):
            for size, bodies in SIZES.items():
                say(f"{bench.engine}, {size} a body, {turn + 1} of {repeats}")
                whole, part = max(bodies // share, 4), max(bodies // share // NAIVE_SHARE, 2)
                for name, trial, bodies_of in (
                    ("product", partial(alone, drive, target), whole),
                    ("naive", partial(alone, drive, plain), part),
                    ("bare driver", partial(alone, bare, bench.engine, bench.place), whole),
                ):
                    found.setdefault((name, size), []).append(trial(_asked(bench, bodies_of, size)))
    _show(result, bench.engine, found)
    return found


def _asked(bench: Bench, deliveries: int, size: int) -> Asked:
    return Asked(deliveries, size, 4 if size == 1_000 else CONNECTIONS, next(bench.numbers))


def _show(result: Result, engine: str, found: dict[tuple[str, int], list[Load]]) -> None:
    rows = [
        (
            name,
            str(size),
            f"{_rate(loads):,.0f}",
            f"{median(load.slowest_ms for load in loads):.0f}",
            str(sum(load.refused for load in loads)),
        )
        for (name, size), loads in sorted(found.items(), key=lambda one: (one[0][1], one[0][0]))
    ]
    columns = ("service", "readings a body", "readings/s", "99th of 100, ms", "not answered 200")
    result.table(f"Readings a second on {engine}", columns, rows)


def _rate(loads: Sequence[Load]) -> float:
    return median(load.rate for load in loads)


_GOALS = {
    ("sqlite", 1): ("I1", 12.0, 0.8),
    ("postgresql", 1): ("I2", 12.0, 2.5),
    ("sqlite", 1_000): ("I3", None, 0.8),
    ("postgresql", 1_000): ("I3", None, 0.8),
    ("sqlite", 100): ("I4", None, 0.8),
    ("postgresql", 100): ("I4", None, 0.8),
}
_P99_MS = 80.0


def _judge(result: Result, engine: str, found: dict[tuple[str, int], list[Load]]) -> None:
    for (of_engine, size), (goal, naive_times, bare_times) in _GOALS.items():
        if of_engine != engine:
            continue
        ours = found["product", size]
        over_bare = _rate(ours) / _rate(found["bare driver", size])
        over_naive = _rate(ours) / _rate(found["naive", size])
        slowest = median(load.slowest_ms for load in ours)
        asks = f"{engine}, {size} a body: at least {bare_times} x the bare driver"
        reached = over_bare >= bare_times
        if naive_times is not None:
            asks += f" and {naive_times:.0f} x naive, 99th at most {_P99_MS:.0f} ms"
            reached = reached and over_naive >= naive_times and slowest <= _P99_MS
        told = f"{over_bare:.2f} x bare, {over_naive:.1f} x naive, 99th {slowest:.0f} ms"
        result.goal(goal, asks, told, reached=reached)


def _profiles(result: Result, bench: Bench) -> None:
    for name, deliveries, size, groups in (
        (f"single readings, groups of {CONNECTIONS}", CONNECTIONS, 1, 10),
        ("a body of 1,000", 1, 1_000, 3),
    ):
        asked = Asked(deliveries, size, 1, next(bench.numbers))
        costs = profiled(bench.practice, bench.senders[2], asked, groups)
        result.profile(f"Where the storing of {name} on {bench.engine} spends its time", costs)


def _two_processes(result: Result, bench: Bench, repeats: int, share: int) -> None:
    """Deliveries spread over organizations, to one and to two web processes."""
    found: dict[int, list[Load]] = {1: [], 2: []}
    bodies = max(2 * SIZES[1_000] // share, 4)
    with ExitStack() as stack:
        services = [stack.enter_context(product(bench.practice, bench.served)) for _ in range(2)]
        for turn in range(repeats):
            for processes in found:
                say(f"{bench.engine}, {processes} processes, {turn + 1} of {repeats}")
                asked = Asked(bodies, 1_000, 16, next(bench.numbers))
                found[processes].append(
                    alone(drive, _spread(bench.senders, services[:processes]), asked)
                )
    one, two = _rate(found[1]), _rate(found[2])
    result.table(
        f"Web processes on {bench.engine}, 1,000 readings a body,"
        f" {len(bench.senders)} organizations",
        ("processes", "readings/s"),
        [("1", f"{one:,.0f}"), ("2", f"{two:,.0f}")],
    )
    asks = "two web processes at least 1.6 x one on bulk"
    result.goal("I5", asks, f"{two / one:.2f} x", reached=two / one >= 1.6)


def _spread(senders: Sequence[Sender], services: Sequence[Service]) -> list[Target]:
    return [one.to(services[n % len(services)].port) for n, one in enumerate(senders)]


def _memory(result: Result, bench: Bench, share: int) -> None:
    """What the web process holds after few and after many readings."""
    with product(bench.practice, bench.served) as service:
        target = [bench.senders[0].to(service.port)]

        def send(readings: int) -> float:
            say(f"{bench.engine}, {readings:,} readings for the memory")
            asked = Asked(max(readings // 1_000, 1), 1_000, 4, next(bench.numbers))
            alone(drive, target, asked)
            return service.resident_megabytes

        few, many = send(FEW // share), send(MANY // share)
    asks = f"memory after {MANY:,} readings at most 1.3 x of after {FEW:,}"
    told = f"{many / few:.2f} x ({few:.0f} and {many:.0f} MB), {MANY // share:,} readings"
    result.goal("I6", asks, told, reached=many / few <= 1.3 and share == 1)


def _full_table(result: Result, bench: Bench, repeats: int, share: int) -> None:
    """The rate with many readings stored before, beside the rate before they were."""

    def rate(service: Service) -> float:
        target = [bench.senders[1].to(service.port)]
        alone(drive, target, Asked(2, 1_000, 4, next(bench.numbers)))
        bodies = max(SIZES[1_000] // share, 2)
        loads = [
            alone(drive, target, Asked(bodies, 1_000, 4, next(bench.numbers)))
            for _ in range(repeats)
        ]
        return _rate(loads)

    rows = STORED_BEFORE // share
    with product(bench.practice, bench.served) as service:
        say(f"{bench.engine}, before the table is filled")
        before = rate(service)
        say(f"{bench.engine}, adding {rows:,} readings")
        fill(bench.practice.engine, rows)
        after = rate(service)
    result.table(
        f"Bulk on {bench.engine} with a table that is full",
        ("readings stored before", "readings/s"),
        [("few", f"{before:,.0f}"), (f"{rows:,}", f"{after:,.0f}")],
    )
    asks = f"{bench.engine}: rate with {STORED_BEFORE:,} readings stored at least 0.6 x before"
    reached = after / before >= 0.6 and share == 1
    result.goal("I7", asks, f"{after / before:.2f} x with {rows:,}", reached=reached)


if __name__ == "__main__":
    main()
