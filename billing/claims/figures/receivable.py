"""Accounts receivable at the end of a day: who owes, since when, and how many days of charges.

Owns the buckets. Does not own where each cent of a claim is (``story``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from billing.claims.figures.figure import ClaimId, Figure, Span
from billing.claims.figures.story import Story
from billing.money import Cents

AVERAGE_DAYS = 90
BUCKETS = ((0, 30), (31, 60), (61, 90), (91, 120), (121, None))
"""Days since a claim first left, first and last of each bucket."""


@dataclass(frozen=True)
class Bucket:
    """What is owed on claims that left so many days ago."""

    from_days: int
    to_days: int | None
    payer_cents: Cents
    patient_cents: Cents
    claims: tuple[ClaimId, ...]

    @property
    def name(self) -> str:
        """``31 to 60`` or ``over 120``."""
        return f"over {self.from_days - 1}" if self.to_days is None else self._between

    @property
    def _between(self) -> str:
        return f"{self.from_days} to {self.to_days}"

    @property
    def cents(self) -> Cents:
        """Of both."""
        return self.payer_cents + self.patient_cents


@dataclass(frozen=True)
class Receivable:
    """What is owed at the end of a day; each cent of it is in one bucket and has one reason."""

    day: date
    buckets: tuple[Bucket, ...]
    awaited_cents: Cents  # no answer stands: sent, accepted, rejected
    refused_cents: Cents  # refused and neither corrected, given up nor paid
    unexplained_cents: Cents  # answers that do not add up to the charge
    patient_cents: Cents
    credit_cents: Cents  # paid beyond the charge: not part of the sum
    unsent_cents: Cents  # of claims that have not left: not part of the sum

    @property
    def cents(self) -> Cents:
        """What is owed."""
        return self.awaited_cents + self.refused_cents + self.unexplained_cents + self.patient_cents


def receivable(told: Sequence[Story], day: date) -> Receivable:
    """What is owed; ``told`` are the claims as they stood at the end of the day."""
    left = [one for one in told if one.first_sent is not None]
    awaited = refused = unexplained = 0
    aged: dict[tuple[int, int | None], list[Story]] = {days: [] for days in BUCKETS}
    for one in left:
        if one.owed_cents > 0:
            aged[_bucket_of(one, day)].append(one)
        if not one.settled:
            awaited += one.open_cents
        elif one.open_cents:
            known = min(max(one.refused_cents, 0), one.open_cents)
            refused += known
            unexplained += one.open_cents - known
    return Receivable(
        day=day,
        buckets=tuple(_bucket(some, *days) for days, some in aged.items()),
        awaited_cents=awaited,
        refused_cents=refused,
        unexplained_cents=unexplained,
        patient_cents=sum(one.patient_open_cents for one in left),
        credit_cents=sum(one.credit_cents for one in left),
        unsent_cents=sum(one.unsent_cents for one in told),
    )


def _bucket_of(one: Story, day: date) -> tuple[int, int | None]:
    age = (day - (one.first_sent or day)).days
    return next(days for days in BUCKETS if days[1] is None or age <= days[1])


def _bucket(some: list[Story], first: int, last: int | None) -> Bucket:
    return Bucket(
        first,
        last,
        sum(one.open_cents for one in some),
        sum(one.patient_open_cents for one in some),
        tuple(one.claim.id for one in some),
    )


def days_in_ar(told: Sequence[Story], day: date) -> Figure:
    """Days of average charges that are owed at the end of a day."""
    begun = min((one.first_sent for one in told if one.first_sent is not None), default=day)
    days = min(AVERAGE_DAYS, (day - begun).days + 1)
    span = Span(day - timedelta(days=days - 1), day)
    sent = [one for one in told if span.holds(one.first_sent)]
    owing = [one for one in told if one.owed_cents > 0]
    return Figure(
        "days-in-ar",
        sum(one.owed_cents for one in owing) * days,
        sum(one.claim.charge_cents for one in sent),
        tuple(one.claim.id for one in owing),
        tuple(one.claim.id for one in sent),
    )
