"""One patient, warm: how long a person waits for an evaluation, an explanation, a what-if.

Owns goal C5, on facts that are loaded already; through the store it is measured with the pages.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from benchmarks.facts import AS_OF, Part, facts_of_part
from benchmarks.measure import repeated_in_turn
from benchmarks.result import Result
from billing.ledger.evaluate import evaluate
from billing.ledger.explain import EventKey, explain
from billing.ledger.facts import Facts
from billing.ledger.outcome import Outcome
from billing.rules.book import shipped_book

LIMIT_MILLISECONDS = 30.0
MONTHS = (1, 12)


def measure_one_patient(result: Result, repeats: int) -> None:
    """C5: evaluate, explain and compare one patient's facts, warm."""
    rows, slowest = [], 0.0
    for months in MONTHS:
        facts, key = _patient(months)
        fewer = replace(facts, entries=facts.entries.iloc[1:].reset_index(drop=True))
        taken = repeated_in_turn(
            {
                "evaluate": partial(_evaluated, facts),
                "explain one event": partial(explain, facts, shipped_book(), AS_OF, AS_OF, key),
                "what-if: as it is, and without one entry": partial(_evaluated, facts, fewer),
            },
            repeats,
        )
        for name, series in taken.items():
            rows.append((name, str(months), f"{series.median:.1f}", f"{max(series.values):.1f}"))
            slowest = max(slowest, series.median)
    result.table("One patient, warm", ("work", "months of facts", "median ms", "slowest ms"), rows)
    result.goal(
        "C5",
        f"what-if or explanation of one patient at most {LIMIT_MILLISECONDS:g} ms",
        f"slowest median {slowest:.1f} ms",
        reached=slowest <= LIMIT_MILLISECONDS,
    )


def _patient(months: int) -> tuple[Facts, EventKey]:
    """A patient whose last event can be explained."""
    for facts in _patients(months):
        events = _evaluated(facts)[0].events
        if len(events) and len(facts.entries) > 1:
            last = events.iloc[-1]
            return facts, EventKey(
                str(last["subject"]),
                int(last["subject_row"]),
                str(last["code"]),
                int(last["period_start_day"]),
            )
    raise AssertionError("no synthetic patient has an event")


def _patients(months: int) -> Iterator[Facts]:
    for number in range(100):
        yield _as_loaded(facts_of_part(Part(number, 1, number, months)))


def _evaluated(*several: Facts) -> list[Outcome]:
    return [evaluate(facts, shipped_book(), AS_OF, AS_OF) for facts in several]


def _as_loaded(facts: Facts) -> Facts:
    """The facts with the payers and profiles that occur in them, as the store gives them."""
    payers, payer = np.unique(facts.coverages["payer"].to_numpy(), return_inverse=True)
    profiles, profile = np.unique(facts.episodes["profile"].to_numpy(), return_inverse=True)
    return replace(
        facts,
        coverages=facts.coverages.assign(payer=payer.astype(np.int16)),
        episodes=facts.episodes.assign(profile=profile.astype(np.int16)),
        payers=tuple(facts.payers[row] for row in payers),
        profiles=tuple(facts.profiles[row] for row in profiles),
    )
