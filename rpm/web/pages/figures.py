"""Practice figures with charts, and OIG's screening measures as a self-check.

Owns these screens and the words of the measures. Does not own any figure
(``rpm.actions.practice_figures``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from fastapi.responses import Response

from billing.rules.references import shipped_references
from billing.screening import SOURCE, Screened
from rpm.access import Actor
from rpm.actions.practice_figures import (
    MonthReadings,
    PracticeFigures,
    month_readings,
    practice_figures,
    self_check,
)
from rpm.errors import NotFound
from rpm.store.engine import reading
from rpm.store.queries.people import names_of_patients
from rpm.store.scope import Scope
from rpm.web.pages.charts import Bar, Chart, bar_chart
from rpm.web.pages.long_work import LongWork, Progress, render_working
from rpm.web.pages.paging import page_of_list
from rpm.web.pages.shell import Now, PageReadDb, page_permit, page_router, render
from rpm.web.running import engine_of
from rpm.written import dollars, us_month

router = page_router()

Reader = Annotated[Actor, page_permit("ledger:read")]


@dataclass(frozen=True)
class Words:
    """A measure for people: what it is, and what OIG found."""

    title: str
    definition: str
    found: str  # OIG's number in words


MEASURES = {
    "sudden-rise": Words(
        "Sudden rise of new patients",
        "The steepest rise of patients enrolled for the first time, from one month to the next.",
        "A typical practice enrolls about 5 new patients a month; 32 practices rose by 150 percent"
        " or more from one month to the next.",
    ),
    "no-prior-visit": Words(
        "Enrolled without a visit before",
        "New patients with neither a visit of this practice nor an established relationship on"
        " file on the day of enrollment.",
        "45 practices had no prior visit with more than 80 percent of their patients.",
    ),
    "several-devices": Words(
        "More than one device billed",
        "Patients for whom device supply was billed twice for days that overlap.",
        "OIG looks for more than one device billed for a patient in a month; it names no share.",
    ),
    "supply-without-management": Words(
        "Device supply, never management",
        "Patients with device supply billed and no management time billed.",
        "OIG looks for patients who got a device and whose data nobody used; it names no share.",
    ),
    "another-practice": Words(
        "Another practice bills the same patient",
        "Patients for whom a monitoring service of another practice is on file.",
        "OIG looks for patients of several practices at once; it names no share.",
    ),
    "not-all-parts": Words(
        "Not all three parts",
        "Patients with something billed, but not set-up, device supply and management.",
        "43 percent of enrollees did not get all three parts (2019 to 2022).",
    ),
}


@router.get("/figures")
def figures(request: Request, db: PageReadDb, now: Now, actor: Reader) -> Response:
    """The figures of the last twelve months."""
    found = practice_figures(db, Scope.of(actor), now)
    return render(
        request,
        "figures.html.j2",
        found=found,
        now=found.months[-1],
        new=bar_chart(
            "Patients enrolled for the first time",
            [Bar(us_month(one.first_day), one.new, f"{one.new:,}") for one in found.months],
        ),
        enrolled=bar_chart(
            "Patients enrolled at the end of the month",
            [
                Bar(us_month(one.first_day), one.enrolled, f"{one.enrolled:,}")
                for one in found.months
            ],
        ),
        revenue=_revenue_chart(found),
        codes=_latest_month(found),
    )


def _readings_chart(months: Sequence[MonthReadings]) -> Chart:
    bars = [
        Bar(
            us_month(one.first_day),
            one.counted,
            f"{one.counted:,}",
            f"{one.refused:,} do not count",
        )
        for one in months
    ]
    return bar_chart("Readings that count", bars)


def _revenue_chart(found: PracticeFigures) -> Chart:
    sums: dict[date, int] = {one.first_day: 0 for one in found.months}
    for posted in found.posted:
        sums[posted.month_start_day] += posted.amount_cents
    bars = [
        Bar(us_month(month), max(cents, 0) / 100, dollars(cents)) for month, cents in sums.items()
    ]
    return bar_chart("Posted by month of the close", bars)


def _latest_month(found: PracticeFigures) -> Chart | None:
    """What the latest closed month brought, by code."""
    if found.close is None:
        return None
    month = found.close.month_start_day
    bars = [
        Bar(
            one.code,
            max(one.amount_cents, 0) / 100,
            dollars(one.amount_cents),
            found.labels[one.code],
        )
        for one in found.posted
        if one.month_start_day == month
    ]
    return bar_chart(f"Posted for {us_month(month)} by code", bars)


@router.get("/figures/readings")
def readings(request: Request, now: Now, actor: Reader) -> Response:
    """Readings of the last twelve months, counted while the page is sent."""
    engine = engine_of(request, actor)

    def work(_tell: Progress) -> tuple[list[MonthReadings], Chart]:
        with reading(engine) as db:
            found = month_readings(db, Scope.of(actor), now)
        return found, _readings_chart(found)

    return render_working(request, "figures_readings.html.j2", LongWork(work))


@router.get("/figures/checks")
def checks(request: Request, db: PageReadDb, now: Now, actor: Reader) -> Response:
    """OIG's measures, each with its definition, OIG's number and the practice's own."""
    found = self_check(db, Scope.of(actor), now)
    return render(
        request,
        "figures_checks.html.j2",
        found=found,
        words=MEASURES,
        source=shipped_references().sources[SOURCE],
    )


@router.get("/figures/checks/{name}")
def check(
    request: Request,
    db: PageReadDb,
    now: Now,
    actor: Reader,
    name: str,
    cursor: Annotated[str | None, Query(max_length=2_000)] = None,
) -> Response:
    """The patients behind a measure."""
    scope = Scope.of(actor)
    found = self_check(db, scope, now)
    measure = _named(found.measures, name)
    paging = page_of_list(request, actor, f"check {name}", {}, cursor)
    ids = found.patient_ids(measure)
    if paging.after is not None:
        last = UUID(str(paging.after[0]))
        ids = [one for one in ids if one > last]
    page = paging.page(ids[: paging.fetch], lambda one: (one,))
    return render(
        request,
        "figures_check.html.j2",
        measure=measure,
        words=MEASURES[name],
        page=page,
        names=names_of_patients(db, scope, page.items),
        months=found.months,
        there=request.app.state.page_paths,
        cursor=cursor,
    )


def _named(measures: Sequence[Screened], name: str) -> Screened:
    for measure in measures:
        if measure.name == name:
            return measure
    raise NotFound("there is no such measure")
