"""Figures of a practice's claims over twelve months, the claims behind each, and figures of health.

Owns what is put together and over which months. Does not own the arithmetic
(``billing.claims.figures``) nor the reads. Changes nothing. Figures are kept in this process while
nothing that they follow from is added: they are computed from every claim.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session

from billing.claims.figures.definitions import DEFINITIONS
from billing.claims.figures.figure import Figure, Group, Span, share
from billing.claims.figures.health import (
    adherence,
    pressure_in_control,
    time_in_range,
)
from billing.claims.figures.monthly import MonthOfClaims, claim_figures
from billing.figures import enrolled_by_month
from rpm.access import Actor, require
from rpm.actions.expected_amounts import expected_amounts
from rpm.actions.practice_day import practice_today
from rpm.actions.practice_figures import last_months
from rpm.errors import NotFound
from rpm.store import practice_figures as people
from rpm.store.billed_figures import Kept
from rpm.store.fact_rows import RawId, as_uuid
from rpm.store.queries.answers import unmatched_sum
from rpm.store.queries.claim_figures import figure_claims, recorded_through, unnamed_payments
from rpm.store.queries.claims import claims_of, standings_of
from rpm.store.queries.health_figures import (
    days_enrolled,
    days_measured,
    glucose_mg_dl,
    pressures,
)
from rpm.store.queries.people import names_of_patients
from rpm.store.scope import Scope
from rpm.store.tables.people import Payer

YEARS = 3
"""Claims of services of so many years before the first month are counted, older ones are not."""
NUMERATOR, DENOMINATOR = "numerator", "denominator"
HEALTH = ("adherence", "pressure-in-control", "time-in-range")
CLAIMS = tuple(key for key in DEFINITIONS if key not in HEALTH)

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ClaimYear:
    """Twelve months of figures, the running one last, and what is in none of them."""

    today: date
    months: tuple[MonthOfClaims, ...]
    payers: dict[str, str]  # names by key
    unmatched: tuple[int, int]  # answers that name no claim of ours, and the cents they paid

    def month(self, first_day: date) -> MonthOfClaims:
        """One of the months; ``NotFound`` for any other."""
        for one in self.months:
            if one.span.first == first_day:
                return one
        raise NotFound("there are no figures of this month")

    def named(self, by: str, name: str) -> str:
        """What a group is called."""
        return self.payers.get(name, name) if by == "payer" else name


_KEPT: Kept[tuple[MonthOfClaims, ...]] = Kept(8)


def claim_year(
    db: Session, actor: Actor, now: datetime, progress: Progress | None = None
) -> ClaimYear:
    """The figures as they stand."""
    require(actor, "claims:read")
    scope = Scope.of(actor)
    today = practice_today(db, scope, now)
    key = (scope.organization_id, today, recorded_through(db, scope))
    months = _KEPT.of(key, lambda: _computed(db, scope, today, progress))
    return ClaimYear(
        today,
        months,
        {payer.key: payer.name for payer in scope.all_of(db, Payer)},
        unmatched_sum(db, scope),
    )


def _computed(
    db: Session, scope: Scope, today: date, progress: Progress | None
) -> tuple[MonthOfClaims, ...]:
    tell = progress or (lambda _done, _total: None)
    months = last_months(today)
    since = months[0].replace(year=months[0].year - YEARS)
    claims = figure_claims(db, scope, since)
    tell(1, 4)
    answered = [
        as_uuid(one.id)
        for one in claims
        if any(_inside(answer.on_day, months) for answer in one.answers)
    ]
    expected = expected_amounts(db, scope, answered)
    if expected:
        claims = [replace(one, expected_cents=expected.get(as_uuid(one.id))) for one in claims]
    tell(2, 4)
    figures = enrolled_by_month(people.enrolled(db, scope).episodes, months)
    enrolled = {one.first_day: one.enrolled for one in figures}
    tell(3, 4)
    return tuple(claim_figures(claims, months, enrolled, today, unnamed_payments(db, scope)))


def _inside(day: date | None, months: Sequence[date]) -> bool:
    return day is not None and day >= months[0]


@dataclass(frozen=True)
class Behind:
    """What a figure, or one group of it, counts."""

    figure: Figure
    group: Group | None
    part: str  # NUMERATOR or DENOMINATOR

    @property
    def ids(self) -> tuple[RawId, ...]:
        """The claims of the part, by raw id."""
        figure = self.group.figure if self.group else self.figure
        return figure.claims if self.part == NUMERATOR else figure.of


AGE, SCHEDULE = "age", "schedule"
"""Further words that single figures are told by: days since sending, and the payer's schedule."""


def behind(month: MonthOfClaims, key: str, part: str, by: str = "", name: str = "") -> Behind:
    """The claims that a figure counts; ``NotFound`` for a figure or group that is not there."""
    figure = month.figures.get(key)
    if figure is None or part not in {NUMERATOR, DENOMINATOR}:
        raise NotFound("there is no such figure")
    if not by:
        return Behind(figure, None, part)
    for group in _groups(month, key, by):
        if group.name == name:
            return Behind(figure, group, part)
    raise NotFound("there is no such group")


def _groups(month: MonthOfClaims, key: str, by: str) -> Sequence[Group]:
    owed = month.receivable
    if (key, by) == ("days-in-ar", AGE):
        return [
            Group(one.name, Figure(key, one.cents, owed.cents, one.claims), one.cents)
            for one in owed.buckets
        ]
    if (key, by) == ("expected-paid", SCHEDULE):
        told = {"short": month.expected.short, "unknown": month.expected.unknown}
        return [Group(name, share(key, list(ids), [])) for name, ids in told.items()]
    return month.groups.get((key, by), ())


@dataclass(frozen=True)
class CountedClaim:
    """A claim behind a figure, as a list shows it."""

    id: UUID
    control_number: str
    patient_id: UUID
    patient_name: str
    payer_name: str
    from_day: date
    charge_cents: int
    status: str


def counted_claims(db: Session, scope: Scope, raw_ids: Sequence[RawId]) -> list[CountedClaim]:
    """Some claims in the order of their ids given."""
    ids = [as_uuid(one) for one in raw_ids]
    rows, standings = claims_of(db, scope, ids), standings_of(db, scope, ids)
    names = names_of_patients(db, scope, [row.patient_id for row in rows.values()])
    payers = {payer.id: payer.name for payer in scope.all_of(db, Payer)}
    return [
        CountedClaim(
            one,
            rows[one].control_number,
            rows[one].patient_id,
            names[rows[one].patient_id],
            payers[rows[one].payer_id],
            rows[one].from_day,
            rows[one].charge_cents,
            standings[one].status.value,
        )
        for one in ids
    ]


def health_figures(db: Session, actor: Actor, span: Span) -> dict[str, Figure]:
    """Value-based figures of some days, by key: it looks at every reading of them."""
    require(actor, "claims:read")
    scope = Scope.of(actor)
    who = people.enrolled(db, scope)
    enrolled = days_enrolled(who, span)
    measured = days_measured(db, scope, who, span)
    found = (
        adherence(
            {one: len(days & enrolled.get(one, set())) for one, days in measured.items()},
            {one: len(days) for one, days in enrolled.items()},
        ),
        pressure_in_control(pressures(db, scope, span)).figure,
        time_in_range(glucose_mg_dl(db, scope, span)),
    )
    return {one.key: one for one in found}
