"""Figures month by month, up to today: what a page shows and a report prints.

Owns which figure is asked of which days. Does not own the figures. Rates belong to the month of
what they count and know all that came since; what is owed is as it stood at the month's end.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from billing.claims.figures.collected import (
    Expected,
    Received,
    expected_paid,
    net_collection,
    payment_lag,
    received,
    revenue_per_patient,
)
from billing.claims.figures.figure import Figure, Group, Span, place_of
from billing.claims.figures.rates import (
    BY,
    clean_claims,
    denials,
    denials_by,
    denied_amount,
    first_pass,
    rejections,
    rejections_by,
)
from billing.claims.figures.receivable import Receivable, days_in_ar, receivable
from billing.claims.figures.story import ClaimFacts, PatientPaid, Story, story

RATES: tuple[Callable[[Iterable[Story], Span], Figure], ...] = (
    clean_claims,
    first_pass,
    rejections,
    denials,
    denied_amount,
    net_collection,
    payment_lag,
)
GROUPED = {"rejections": rejections_by, "denials": denials_by}
"""Figures that are also told by each of ``BY``."""


@dataclass(frozen=True)
class MonthOfClaims:
    """The figures of a month; the running one ends today."""

    span: Span
    figures: Mapping[str, Figure]  # by key
    groups: Mapping[tuple[str, str], tuple[Group, ...]]  # by key of ``GROUPED`` and word of ``BY``
    receivable: Receivable
    received: Received
    expected: Expected


def claim_figures(
    claims: Sequence[ClaimFacts],
    months: Sequence[date],
    enrolled: Mapping[date, int],
    today: date,
    unnamed: Sequence[PatientPaid] = (),
) -> list[MonthOfClaims]:
    """Figures of months given by their first days, in order.

    ``enrolled`` are patients at the end of each month; ``unnamed`` is patients' money that names
    no claim: it was received all the same.
    """
    spans = [Span(month, min(_last_day(month), today)) for month in months]
    kept = [(claim, *_reach(claim)) for claim in claims]
    now = {claim.id: story(claim, today) for claim in claims}
    told = [one for one in now.values() if one is not None]
    found = []
    came_in = received(claims, spans, unnamed)
    for span, some, came in zip(spans, _by_span(told, spans), came_in, strict=True):
        then = list(_as_of(kept, now, span.last))
        expected = expected_paid(some, span)
        figures = [
            *(rate(some, span) for rate in RATES),
            days_in_ar(then, span.last),
            expected.figure,
            revenue_per_patient(came, enrolled.get(span.first, 0)),
        ]
        groups = {
            (key, by): tuple(grouped(some, span, by))
            for key, grouped in GROUPED.items()
            for by in BY
        }
        found.append(
            MonthOfClaims(
                span,
                {one.key: one for one in figures},
                groups,
                receivable(then, span.last),
                came,
                expected,
            )
        )
    return found


def _by_span(told: Iterable[Story], spans: Sequence[Span]) -> list[list[Story]]:
    """The claims that any figure of a span may count: sent, first answered or first paid in it."""
    found: list[list[Story]] = [[] for _ in spans]
    for one in told:
        answered = None if one.first_answer is None else one.first_answer.on_day
        days = (one.first_sent, answered, one.first_paid)
        for place in {place_of(day, spans) for day in days}:
            if place is not None:
                found[place].append(one)
    return found


def _as_of(
    kept: Iterable[tuple[ClaimFacts, date, date]],
    now: Mapping[object, Story | None],
    day: date,
) -> Iterator[Story]:
    """Claims as they stood at the end of a day; one that nothing befell since stands as today."""
    for claim, first, last in kept:
        if first <= day:
            told = now[claim.id] if last <= day else story(claim, day)
            if told is not None:
                yield told


def _reach(claim: ClaimFacts) -> tuple[date, date]:
    """The first and last day on which anything befell a claim, as far as days are told."""
    days = [
        *(one.on for one in claim.events if one.on is not None),
        *(one.on_day for one in claim.answers if one.on_day is not None),
        *(one.on_day for one in claim.patient_paid),
    ]
    undated = any(one.on is None for one in claim.events)
    return date.min if undated else min(days, default=date.min), max(days, default=date.min)


def _last_day(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
