"""What closes posted, added up by the database: as plain adding up of every posting says it."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random
from uuid import UUID

from ledger_practice import Practice
from sqlalchemy.engine import Engine

from billing.screening import PARTS
from rpm.access import Actor
from rpm.store.billed_figures import BilledPatients, billed_patients, posted_sums
from rpm.store.engine import reading
from rpm.store.fact_rows import as_uuid
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close, Posting

NOW = datetime(2026, 4, 2, 15, tzinfo=UTC)
FIRST = date(2025, 5, 1)
CODES = {"99453": "setup", "99454": "supply", "99445": "supply", "99457": "management"}
PAST = (*CODES, "99091")
MONTHS = [date(2025, 4, 1), date(2025, 12, 1), date(2026, 1, 1)]

Supply = tuple[date, date, int]


def record_close(practice: Practice, month: date, ordinal: int, postings: list[Posting]) -> None:
    """A close with these postings."""
    close = Close(
        id=practice.new_id(),
        month_start_day=month,
        ordinal=ordinal,
        as_of=month + timedelta(days=31),
        known_day=NOW.date(),
        known_audit_number=1,
        product_version="test",
        rule_digests={},
        totals={},
        outcome_digest="",
        chain_anchor={},
    )
    for one in postings:
        one.close_id = close.id
    practice.record(close, *postings)


def posting(random: Random, patient_id: UUID, number: int) -> Posting:
    """An issue of some code, of days that may overlap with others."""
    start = date(2025, 4, 10) + timedelta(days=random.randrange(0, 300, 10))
    return Posting(
        key=f"k{number}",
        ordinal=1,
        sign=1,
        patient_id=patient_id,
        code=random.choice(PAST),
        units=random.choice((1, 1, 1, 2)),
        service_day=start + timedelta(days=29),
        period_start_day=start,
        period_end_day=start + timedelta(days=29),
        payer_key="MEDICARE_B",
        rule_page_id="medicare-b-2026",
        amount_cents=random.choice((None, 4_100, 5_200)),
        amount_status="SETTLED",
        evidence_digest="",
    )


def reversal(issue: Posting) -> Posting:
    """The posting that takes one back."""
    return Posting(**(issue.model_dump(exclude={"id", "close_id"}) | {"sign": -1}))


def recorded(practice: Practice, seed: int, months: list[date]) -> None:
    """Closes with issues, and reversals of some issues of earlier closes."""
    random = Random(seed)
    patients = [practice.enrolled()[0] for _ in range(4)]
    standing: list[Posting] = []
    for ordinal, month in enumerate(months, start=seed * 10):
        taken = [one for one in standing if random.random() < 0.3]
        standing = [one for one in standing if one not in taken]
        new = [
            posting(random, random.choice(patients), ordinal * 100 + number) for number in range(14)
        ]
        record_close(practice, month, ordinal, [*map(reversal, taken), *new])
        standing += new


def slow_way(practice: Practice) -> tuple[list[tuple[object, ...]], BilledPatients]:
    """The same from every posting, one after the other."""
    with reading(practice.engine) as db:
        scope = Scope.of(practice.actor)
        closes = {one.id: one.month_start_day for one in db.exec(scope.rows(Close))}
        rows = db.exec(scope.rows(Posting)).all()
    sums: dict[tuple[date, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    units: dict[UUID, list[int]] = defaultdict(lambda: [0, 0, 0])
    lines: dict[tuple[UUID, str], list[Posting]] = defaultdict(list)
    for one in rows:
        if (month := closes[one.close_id]) >= FIRST:
            found = sums[month, one.code]
            found[0] += one.sign * one.units
            found[1] += one.sign * (one.amount_cents or 0)
            found[2] += one.amount_cents is None
        if one.service_day >= FIRST and one.code in CODES:
            units[one.patient_id][PARTS.index(CODES[one.code])] += one.sign * one.units
            if CODES[one.code] == "supply":
                lines[one.patient_id, one.key].append(one)
    supply: dict[UUID, list[Supply]] = defaultdict(list)
    for (patient_id, _), of_key in lines.items():
        live = sum(one.sign * one.units for one in of_key)
        if live > 0:
            days = (of_key[0].period_start_day, of_key[0].period_end_day)
            supply[patient_id].append((*days, live))
    twice = {
        patient_id
        for patient_id, some in supply.items()
        if any(live > 1 for *_, live in some)
        or any(after[0] <= before[1] for before, after in pairwise(sorted(some)))
    }
    told = [(*key, *sums[key]) for key in sorted(sums)]
    return told, BilledPatients({one: tuple(units[one]) for one in units}, frozenset(twice))


def quick_way(practice: Practice) -> tuple[list[tuple[object, ...]], BilledPatients]:
    """As the figures ask."""
    with reading(practice.engine) as db:
        scope = Scope.of(practice.actor)
        told = posted_sums(db, scope, FIRST)
        billed = billed_patients(db, scope, CODES, FIRST)
    return [
        (one.month_start_day, one.code, one.units, one.amount_cents, one.amounts_unknown)
        for one in told
    ], BilledPatients(
        {as_uuid(one): units for one, units in billed.units.items()},
        frozenset(as_uuid(one) for one in billed.overlapping),
    )


def test_sums_of_the_database_are_those_of_every_posting(
    engine: Engine, actor: Actor, other_actor: Actor
) -> None:
    """Reversals, overlaps, unknown amounts, two practices; and after a further close once more."""
    practice, other = Practice(engine, actor, NOW), Practice(engine, other_actor, NOW)
    assert quick_way(practice) == ([], BilledPatients({}, frozenset()))
    recorded(practice, 1, MONTHS)
    recorded(other, 2, MONTHS[:2])
    first = quick_way(practice)
    assert first == slow_way(practice)
    assert first[1].overlapping
    assert quick_way(other) == slow_way(other)
    assert quick_way(practice) == first
    recorded(practice, 3, [date(2026, 2, 1), date(2026, 2, 1)])
    assert quick_way(practice) == slow_way(practice) != first
