"""Claim files out and payments in, measured beside the libraries that others would use.

Owns the goals of both ways: our 837P writer beside x12sdk's models, and posting an 835 beside
oxedi's bare parse of the same bytes. Claims and payments are synthetic and seeded. Run as
``python -m benchmarks.remittances [--claims N] [--quick]``.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from benchmarks.measure import Spent, Stopwatch, alone, in_turn, say
from benchmarks.result import RESULTS, Result
from benchmarks.trials import Cost, costs_of

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))  # the makers of test files

WRITER_GOAL = 50.0
POSTING_GOAL = 0.2
HOW = [
    "The claims are those of the tests for as many patients, three lines each, at most 5,000 in a"
    " set. x12sdk builds half of them: each segment, loop and set is made as its model and written"
    " as text; ours goes from claims to bytes. Compared are claims a core second.",
    "The 835 has one payment for all claims, each with one line and two adjustments. Posting is"
    " all of it: the bytes are read, claims matched, payments, answers and events recorded with"
    " their digests in the chain, one transaction on SQLite. Beside it oxedi parses the same bytes,"
    " with nothing taken out of its tables; and with every column taken out as Python values.",
    "Trials take turns, each in a fresh process that has imported what it needs.",
]
_NOW = datetime(2026, 11, 5, 15, tzinfo=UTC)
_SHARE_OF_X12SDK = 2


def main(arguments: Sequence[str] | None = None) -> Result:
    """Measure, print and keep the result."""
    options = _options().parse_args(arguments)
    load_before = os.getloadavg()[0]
    result = Result(
        "remittances",
        HOW,
        date.today(),  # noqa: DTZ011 - the day it was run, for people
        f"{options.claims:,} claims",
    )
    repeats = 1 if options.quick else 3
    _writers(result, options.claims, repeats)
    _posting(result, options.claims, repeats)
    result.profile("What posting costs", alone(profiled, min(2_000, options.claims)))
    result.machine(load_before)
    say(f"kept in {result.save(options.results)}")
    return result


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.remittances", description=__doc__)
    parser.add_argument("--claims", type=int, default=10_000)
    parser.add_argument("--quick", action="store_true", help="each trial once")
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser


def _writers(result: Result, claims: int, repeats: int) -> None:
    fewer = max(claims // _SHARE_OF_X12SDK, 1)
    runs = in_turn(
        {
            "our writer": lambda: alone(written_by_us, claims),
            "x12sdk's models": lambda: alone(written_by_x12sdk, fewer),
        },
        repeats,
    )
    rates = _rates(result, "Writing an 837P", runs)
    ratio = rates["our writer"] / rates["x12sdk's models"]
    result.goal(
        "M1",
        f"our writer makes at least {WRITER_GOAL:.0f} times the claims of x12sdk's models",
        f"{ratio:.0f} times",
        reached=ratio >= WRITER_GOAL,
    )


def _posting(result: Result, claims: int, repeats: int) -> None:
    runs = in_turn(
        {
            "oxedi's bare parse": lambda: alone(parsed, claims),
            "the same, columns taken out": lambda: alone(taken_out, claims),
            "reading into values": lambda: alone(read, claims),
            "posting": lambda: alone(posted, claims),
            "posting again": lambda: alone(posted_again, claims),
        },
        repeats,
    )
    rates = _rates(result, "An 835 in", runs)
    ratio = rates["posting"] / rates["oxedi's bare parse"]
    result.goal(
        "M2",
        f"posting takes claims at {POSTING_GOAL} times the rate of oxedi's bare parse or more",
        f"{ratio:.3f} times; {rates['posting'] / rates['the same, columns taken out']:.2f} times"
        " its parse with the columns taken out",
        reached=ratio >= POSTING_GOAL,
    )


def _rates(result: Result, title: str, runs: dict[str, list[Spent]]) -> dict[str, float]:
    """Claims a core second of each trial, told in a table."""
    rates = {name: median(run.count / run.core_seconds for run in of) for name, of in runs.items()}
    rows = [
        (
            name,
            f"{of[0].count:,}",
            f"{median(run.seconds for run in of):.2f}",
            f"{median(run.core_seconds for run in of):.2f}",
            f"{rates[name]:,.0f}",
            f"{max(run.peak_megabytes for run in of):.0f}",
        )
        for name, of in runs.items()
    ]
    columns = ("trial", "claims", "seconds", "core s", "claims a core s", "peak MB")
    result.table(title, columns, rows)
    return rates


def _claim_file(claims: int) -> Any:
    from claims_made import CLAIM, claim_file

    from billing.claims.x12.envelope import MOST_CLAIMS

    made = [
        replace(
            CLAIM,
            control_number=f"C{number:07d}",
            coverage=replace(CLAIM.coverage, member_id=f"1EG4TE{number:05d}"),
        )
        for number in range(claims)
    ]
    starts = range(0, claims, MOST_CLAIMS)
    return claim_file(*(tuple(made[start : start + MOST_CLAIMS]) for start in starts))


def written_by_us(claims: int) -> Spent:
    """Claims to the bytes of a file."""
    from billing.claims.x12.p837 import write_837p

    file = _claim_file(claims)
    write_837p(_claim_file(1))
    watch = Stopwatch()
    write_837p(file)
    return watch.spent(claims)


def written_by_x12sdk(claims: int) -> Spent:
    """Segments, loops and sets made as x12sdk's models, each from its parts, and their text."""
    from x12sdk.io import X12ModelReader

    from billing.claims.x12.p837 import write_837p

    with X12ModelReader(write_837p(_claim_file(claims)).decode()) as reader:
        parts = [_parts(model) for model in reader.models()]
    watch = Stopwatch()
    for part in parts:
        _built(part).x12()
    return watch.spent(claims)


@dataclass(frozen=True)
class _Part:
    """A model's class and what it is made of."""

    kind: type
    values: dict[str, Any]


def _parts(value: Any) -> Any:
    """A model taken apart, down to texts and numbers; days as the models want them."""
    from pydantic import BaseModel

    if isinstance(value, BaseModel):
        told = {name: getattr(value, name) for name in value.model_fields_set}
        return _Part(type(value), {name: _parts(one) for name, one in told.items()})
    if isinstance(value, list):
        return [_parts(one) for one in value]
    return f"{value:%Y%m%d}" if isinstance(value, date) else value


def _built(value: Any) -> Any:
    if isinstance(value, _Part):
        return value.kind(**{name: _built(one) for name, one in value.values.items()})
    return [_built(one) for one in value] if isinstance(value, list) else value


def payment_file(claims: int) -> bytes:
    """The 835 for all claims."""
    from remittances_made import Payment, file_of, paid

    told = [
        paid(f"C{number:07d}", 4_000 + number % 37, payer_number=f"ICN{number}", last=f"L{number}")
        for number in range(claims)
    ]
    return file_of(Payment(told))


def parsed(claims: int) -> Spent:
    """Oxedi's parse of the bytes."""
    import oxedi

    content, small = payment_file(claims), payment_file(1)
    oxedi.parse(small)
    watch = Stopwatch()
    oxedi.parse(content)
    return watch.spent(claims)


def taken_out(claims: int) -> Spent:
    """The same, and every column of every table as Python values."""
    content = payment_file(claims)
    _columns(payment_file(1))
    watch = Stopwatch()
    _columns(content)
    return watch.spent(claims)


def _columns(content: bytes) -> list[Any]:
    import oxedi
    import pyarrow as pa

    tables = oxedi.parse(content).tables
    return [pa.table(tables[name]).to_pydict() for name in tables]


def read(claims: int) -> Spent:
    """Bytes to our own values with findings."""
    from billing.claims.x12.answer_file import read_answers
    from rpm.collector import without_collector

    content = payment_file(claims)
    read_answers(payment_file(1))
    watch = Stopwatch()
    with without_collector():
        read_answers(content)
    return watch.spent(claims)


def posted(claims: int) -> Spent:
    """A stored file posted to claims that were sent."""
    with TemporaryDirectory() as folder:
        practice, file_id = _practice(folder, claims)
        watch = Stopwatch()
        _post(practice, file_id)
        return watch.spent(claims)


def posted_again(claims: int) -> Spent:
    """The same file once more: everything is known."""
    with TemporaryDirectory() as folder:
        practice, file_id = _practice(folder, claims)
        _post(practice, file_id)
        watch = Stopwatch()
        _post(practice, file_id)
        return watch.spent(claims)


def _practice(folder: str, claims: int) -> tuple[Any, UUID]:
    from answered_practice import AnsweredPractice
    from conftest import make_organization
    from pydantic import SecretStr

    from rpm.settings import Settings
    from rpm.store.engine import make_engine
    from rpm.store.migrations import migrate

    names = ("audit_key", "field_key", "secret_key")
    keys = {name: SecretStr(one * 64) for name, one in zip(names, "abc", strict=True)}
    engine = make_engine(Settings(database_url=f"sqlite:///{folder}/bench.db", **keys))
    migrate(engine)
    actor = make_organization(engine, _NOW)
    practice = AnsweredPractice(engine, actor, [f"C{number:07d}" for number in range(claims)])
    _post(practice, practice.take(payment_file(1).replace(b"*C0000000*", b"*X0000000*")))
    return practice, practice.take(payment_file(claims))


def _post(practice: Any, file_id: UUID) -> None:
    from rpm.actions.post_answers import post_answers
    from rpm.store.engine import transaction

    with transaction(practice.engine) as db:
        post_answers(db, practice.actor, practice.now, file_id, any_payee=True)


def profiled(claims: int) -> list[Cost]:
    """What posting costs, by function."""
    import cProfile

    with TemporaryDirectory() as folder:
        practice, file_id = _practice(folder, claims)
        profile = cProfile.Profile()
        profile.enable()
        _post(practice, file_id)
        profile.disable()
        return costs_of(profile)


if __name__ == "__main__":
    main()
