"""Money that came in: what share of what may be collected, how late, and beside the expected.

Owns which money and which claims count. Does not own what a schedule expects: without one of the
payer's own, a claim's expected amount is not known and the claim is only counted as such.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from billing.claims.figures.figure import ClaimId, Figure, Span, place_of
from billing.claims.figures.rates import adjudicated
from billing.claims.figures.story import ClaimFacts, PatientPaid, Story
from billing.money import Cents


def net_collection(told: Iterable[Story], span: Span) -> Figure:
    """Paid by payers and patients, of charges less agreed reductions."""
    of = adjudicated(told, span)
    ids = tuple(one.claim.id for one in of)
    return Figure(
        "net-collection",
        sum(one.paid_cents + one.patient_paid_cents for one in of),
        sum(one.claim.charge_cents - one.agreed_cents for one in of),
        ids,
        ids,
    )


def payment_lag(told: Iterable[Story], span: Span) -> Figure:
    """Days from first sending to first payment, of claims first paid in the span."""
    lags = payment_lags(told, span)
    ids = tuple(lags)
    return Figure("payment-lag", sum(lags.values()), len(ids), ids, ids)


def payment_lags(told: Iterable[Story], span: Span) -> dict[ClaimId, int]:
    """The days of each claim first paid in the span."""
    return {
        one.claim.id: (one.first_paid - one.first_sent).days
        for one in told
        if one.first_paid is not None and one.first_sent is not None and span.holds(one.first_paid)
    }


@dataclass(frozen=True)
class Expected:
    """What payers allowed beside what their imported schedules give, and what is not known."""

    figure: Figure
    short: tuple[ClaimId, ...]  # allowed less than expected, by more than a cent a line
    unknown: tuple[ClaimId, ...]  # no imported schedule has every line


def expected_paid(told: Iterable[Story], span: Span) -> Expected:
    """Of claims first adjudicated in the span."""
    of = adjudicated(told, span)
    known = [one for one in of if one.claim.expected_cents is not None]
    short = [
        one
        for one in known
        if (one.claim.expected_cents or 0) - _allowed(one) > len(one.claim.procedures)
    ]
    ids = tuple(one.claim.id for one in known)
    return Expected(
        Figure(
            "expected-paid",
            sum(_allowed(one) for one in known),
            sum(one.claim.expected_cents or 0 for one in known),
            ids,
            ids,
        ),
        tuple(one.claim.id for one in short),
        tuple(one.claim.id for one in of if one.claim.expected_cents is None),
    )


def _allowed(one: Story) -> Cents:
    return one.paid_cents + one.patient_cents + one.sequestration_cents


@dataclass(frozen=True)
class Received:
    """Money of a span, reversals and refunds taken off."""

    payer_cents: Cents
    patient_cents: Cents
    claims: tuple[ClaimId, ...]

    @property
    def cents(self) -> Cents:
        """Of both."""
        return self.payer_cents + self.patient_cents


def received(
    claims: Sequence[ClaimFacts], spans: Sequence[Span], unnamed: Sequence[PatientPaid] = ()
) -> list[Received]:
    """What came in in each of some spans, in order; ``unnamed`` names no claim."""
    payer: defaultdict[Span, Cents] = defaultdict(int)
    patient: defaultdict[Span, Cents] = defaultdict(int)
    ids: defaultdict[Span, dict[ClaimId, None]] = defaultdict(dict)
    for claim in claims:
        money = [(payer, one.on_day, one.paid_cents) for one in claim.answers]
        money += [(patient, one.on_day, one.cents) for one in claim.patient_paid]
        for sums, day, cents in money:
            span = _span_of(day, spans)
            if span is not None and cents:
                sums[span] += cents
                ids[span][claim.id] = None
    for one in unnamed:
        span = _span_of(one.on_day, spans)
        if span is not None:
            patient[span] += one.cents
    return [Received(payer[one], patient[one], tuple(ids[one])) for one in spans]


def _span_of(day: date | None, spans: Sequence[Span]) -> Span | None:
    place = place_of(day, spans)
    return None if place is None else spans[place]


def revenue_per_patient(came: Received, enrolled: int) -> Figure:
    """Money of a month for each patient enrolled on its last day."""
    return Figure("revenue-per-patient", came.cents, enrolled, came.claims)
