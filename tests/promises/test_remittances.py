"""R22: an answer is posted once, to the cent, whatever the order in which answers come."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest
from answered_practice import AnsweredPractice
from promised import Promised
from remittances_made import Paid, Payment, claim277, denied, file_277, file_of, paid, taken_back
from sqlalchemy.engine import Engine
from sqlmodel import col, func, select

from rpm.access import Actor
from rpm.actions.post_answers import post_answers
from rpm.store.chain import chain_head
from rpm.store.engine import reading, transaction
from rpm.store.queries.answers import unmatched_sum
from rpm.store.queries.claims import standings_of
from rpm.store.scope import Scope
from rpm.store.tables.answers import Remittance, RemittanceClaim
from rpm.store.tables.claims import ClaimEventRecord

SEED = 22
A_PAYMENT = 1_000


def answers(numbers: Sequence[str], chance: Random) -> list[Payment]:
    """Payments for these claims and a few of nobody: paid, denied, taken back, paid again."""
    told: list[Paid] = []
    for place, number in enumerate(numbers):
        more = {"payer_number": f"ICN{place}", "patient_id": f"M{place}"}
        first = paid(number, chance.randrange(0, 8_000), **more)
        kind = chance.random()
        if kind < 0.12:
            told.append(denied(number, **more))
        elif kind < 0.16:
            told += [first, taken_back(first), paid(number, chance.randrange(0, 8_000), **more)]
        elif kind < 0.18:
            told.append(replace(first, control_number=f"X{number}"))
        else:
            told.append(first)
    payments = []
    for start in range(0, len(told), A_PAYMENT):
        taken = [("WO", f"P{start}", chance.randrange(-5_000, 5_000))] if start % 2 == 0 else []
        payments.append(Payment(told[start : start + A_PAYMENT], f"T{start}", adjustments=taken))
    return payments


def plain_sums(content: bytes) -> Counter[str]:
    """Payments, claims and provider adjustments in cents, by splitting text."""
    sums: Counter[str] = Counter()
    for segment in content.decode().split("~"):
        parts = segment.split("*")
        if parts[0] == "BPR":
            sums["payments"] += round(float(parts[2]) * 100)
        elif parts[0] == "CLP":
            sums["claims"] += round(float(parts[4]) * 100)
            sums["unmatched"] += round(float(parts[4]) * 100) * parts[1].startswith("X")
        elif parts[0] == "PLB":
            sums["adjusted"] += round(float(parts[4]) * 100)
    return sums


def stored_sums(engine: Engine, actor: Actor) -> Counter[str]:
    """The same of what was posted, and what stands at the claims."""

    def total(table: type, column: str) -> int:
        query = select(func.coalesce(func.sum(getattr(table, column)), 0)).where(
            col(table.organization_id) == actor.organization_id  # type: ignore[attr-defined] - facts have it
        )
        return int(db.exec(query).one())

    with reading(engine) as db:
        return Counter(
            {
                "payments": total(Remittance, "paid_cents"),
                "claims": total(RemittanceClaim, "paid_cents"),
                "adjusted": total(Remittance, "adjusted_cents"),
                "unmatched": unmatched_sum(db, Scope.of(actor))[1],
                "difference": total(Remittance, "difference_cents"),
                "at claims": total(ClaimEventRecord, "paid_cents"),
            }
        )


@pytest.mark.promise("R22")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_file_posted_twice_counts_once(engine: Engine, actor: Actor, promised: Promised) -> None:
    """Every cent of a large 835 is at a claim or listed; posting it again records nothing."""
    count = promised.count(10_000, 250)
    numbers = [f"C{place:06d}" for place in range(count)]
    content = file_of(*answers(numbers, Random(SEED)))
    practice = AnsweredPractice(engine, actor, numbers)
    file_id = practice.take(content)
    with transaction(engine) as db:
        first = post_answers(db, actor, practice.now, file_id, any_payee=True)
    told, stored = plain_sums(content), stored_sums(engine, actor)
    assert {name: stored[name] for name in told} == told
    assert stored["difference"] == 0
    assert stored["at claims"] + stored["unmatched"] == stored["claims"]
    assert told["payments"] == told["claims"] - told["adjusted"]
    with reading(engine) as db:
        head = chain_head(db, actor.organization_id)
    assert practice.take(content) == file_id
    with transaction(engine) as db:
        again = post_answers(db, actor, practice.now, file_id, any_payee=True)
    assert again.counts["answers known before"] == first.counts["answers"]
    with reading(engine) as db:
        assert chain_head(db, actor.organization_id) == head
    promised.reached(
        f"an 835 of {first.counts['answers']:,} answers to {count:,} claims: every cent at a claim"
        " or listed as an independent sum says, posted twice with 0 effect"
    )


def story(chance: Random) -> list[str | Paid]:
    """What befalls one claim: statuses of 277CAs, and answers about money."""
    first = paid("{}", chance.randrange(0, 8_000), payer_number="ICN1")
    again = paid("{}", chance.randrange(0, 8_000), payer_number="ICN2")
    every: list[str | Paid] = ["A2:20", "A1:19", "A7:562:85", first, denied("{}")]
    told = chance.sample(every, chance.randrange(1, 4))
    return [*told, first, taken_back(first), again] if chance.random() < 0.5 else told


def posted(practice: AnsweredPractice, at_once: list[tuple[str, str | Paid]], step: str) -> None:
    """One step of every copy: acknowledgments in one file, payments in another."""
    statuses = [(number, one) for number, one in at_once if isinstance(one, str)]
    money = [
        replace(one, control_number=number) for number, one in at_once if isinstance(one, Paid)
    ]
    if statuses:
        practice.post(file_277(*(claim277(number, status) for number, status in statuses)))
    if money:
        practice.post(file_of(Payment(money, f"T{step}")))


@pytest.mark.promise("R22")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_any_order_of_answers_gives_one_status(
    engine: Engine, actor: Actor, promised: Promised
) -> None:
    """Copies of a claim get the same answers in different orders, some twice: all stand alike."""
    chance = Random(SEED)
    stories, copies = promised.count(300, 12), 6
    names = [[f"S{one}C{copy}" for copy in range(copies)] for one in range(stories)]
    practice = AnsweredPractice(engine, actor, [name for some in names for name in some])
    queues: dict[str, list[str | Paid]] = {}
    for some in names:
        told = story(chance)
        for name in some:
            queues[name] = chance.sample(told, len(told))
    step = 0
    while any(queues.values()):
        at_once = [(name, queue.pop()) for name, queue in queues.items() if queue]
        posted(practice, at_once, str(step))
        if step % 2:
            posted(practice, at_once, str(step))
        step += 1
    with reading(engine) as db:
        found = standings_of(db, Scope.of(actor), list(practice.claims.values()))
    for some in names:
        assert len({found[practice.claims[name]] for name in some}) == 1
    promised.reached(
        f"{stories:,} stories of a claim, each in {copies} orders and with repeats: 0 differences"
    )
