"""Figures of claims: a month with its definitions, trends and claims, and the same as files.

Owns these screens. Does not own any figure (``rpm.actions.claim_figures``) nor its tables
(``rpm.actions.claim_tables``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query, Request
from fastapi.responses import Response
from sqlmodel import Session

from billing.claims.figures.figure import Figure
from billing.claims.figures.monthly import MonthOfClaims
from billing.claims.figures.rates import BY
from rpm.access import Actor
from rpm.actions.claim_figures import (
    AGE,
    CLAIMS,
    HEALTH,
    NUMERATOR,
    SCHEDULE,
    ClaimYear,
    behind,
    claim_year,
    counted_claims,
    health_figures,
)
from rpm.actions.claim_tables import (
    all_tables,
    figures_csv,
    group_name,
    made_of,
    owed_table,
    shown,
)
from rpm.documents.claim_report import claim_report
from rpm.documents.workbook import workbook
from rpm.store.engine import reading
from rpm.store.queries.people import organization_of
from rpm.store.scope import Scope
from rpm.web.pages.charts import Bar, Chart
from rpm.web.pages.column_charts import column_chart
from rpm.web.pages.long_work import LongWork, Progress, render_working
from rpm.web.pages.months import Month
from rpm.web.pages.paging import page_of_list
from rpm.web.pages.shell import Now, PageReadDb, page_permit, page_router, render
from rpm.web.running import engine_of
from rpm.written import us_month

router = page_router()

Reader = Annotated[Actor, page_permit("claims:read")]
ThisMonth = Annotated[str, Query(max_length=7)]
_PDF = "application/pdf"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_TRENDS = (
    *("clean-claims", "denials", "days-in-ar", "net-collection"),
    *("payment-lag", "revenue-per-patient"),
)


@dataclass(frozen=True)
class Shown:
    """A year of figures, and the month that is looked at."""

    year: ClaimYear
    month: MonthOfClaims

    @property
    def key(self) -> str:
        """The month as in addresses."""
        return f"{self.month.span.first:%Y-%m}"

    def value(self, key: str) -> str:
        """A figure's value for people."""
        return shown(self.month.figures[key])

    def made_of(self, key: str) -> str:
        """A figure's two numbers for people."""
        return made_of(self.month.figures[key])

    def address(self, key: str, part: str = NUMERATOR, by: str = "", name: str = "") -> str:
        """Where the claims behind a figure or a group are listed."""
        told = {"month": self.key, "part": part, "by": by, "name": name}
        return f"/claims/figures/{key}?{urlencode({k: v for k, v in told.items() if v})}"

    def named(self, by: str, name: str) -> str:
        """A group for people."""
        return group_name(self.year, by, name)

    def trends(self) -> list[Chart]:
        """The last twelve months of the figures that a practice steers by."""
        return [
            _trend([one.figures[key] for one in self.year.months], self.year) for key in _TRENDS
        ]


def _trend(figures: Sequence[Figure], year: ClaimYear) -> Chart:
    bars = [
        Bar(
            us_month(month.span.first),
            float(max(figure.value or 0, 0)),
            shown(figure),
            made_of(figure) if figure.value is not None else "nothing to measure",
        )
        for figure, month in zip(figures, year.months, strict=True)
    ]
    return column_chart(figures[0].definition.title, bars)


@router.get("/claims/figures")
def claim_figures(request: Request, now: Now, actor: Reader, month: ThisMonth = "") -> Response:
    """The figures of a month; computed while the page is sent when anything is new."""
    engine = engine_of(request, actor)

    def work(tell: Progress) -> Shown:
        with reading(engine) as db:
            return _shown(claim_year(db, actor, now, tell), month)

    return render_working(
        request,
        "claim_figures.html.j2",
        LongWork(work),
        keys=CLAIMS,
        by=BY,
        age=AGE,
        schedule=SCHEDULE,
        owed=owed_table,
    )


def _shown(year: ClaimYear, month: str) -> Shown:
    return Shown(year, year.month(Month.read(month, year.today).first))


@router.get("/claims/figures/health")
def health(request: Request, now: Now, actor: Reader, month: ThisMonth = "") -> Response:
    """Value-based figures of a month; every reading of it is looked at."""
    engine = engine_of(request, actor)

    def work(tell: Progress) -> tuple[Shown, dict[str, Figure]]:
        with reading(engine) as db:
            found = _shown(claim_year(db, actor, now), month)
            tell(0, 1)
            return found, health_figures(db, actor, found.month.span)

    return render_working(
        request, "claim_health.html.j2", LongWork(work), keys=HEALTH, shown=shown, made_of=made_of
    )


@router.get("/claims/figures/table.csv")
def table_csv(db: PageReadDb, now: Now, actor: Reader) -> Response:
    """Every figure of twelve months as CSV."""
    return _file(figures_csv(claim_year(db, actor, now)), "text/csv", "claim-figures.csv")


@router.get("/claims/figures/tables.xlsx")
def tables_xlsx(db: PageReadDb, now: Now, actor: Reader, month: ThisMonth = "") -> Response:
    """All tables of a month as a workbook."""
    found, of_health = _with_health(db, now, actor, month)
    tables = all_tables(found.year, found.month, of_health)
    return _file(workbook(tables, now), _XLSX, f"claim-figures-{found.key}.xlsx")


@router.get("/claims/figures/report.pdf")
def report_pdf(db: PageReadDb, now: Now, actor: Reader, month: ThisMonth = "") -> Response:
    """The report of a month."""
    found, of_health = _with_health(db, now, actor, month)
    practice = organization_of(db, Scope.of(actor)).name
    report = claim_report(practice, found.year, found.month, of_health, now)
    return _file(report, _PDF, f"claim-figures-{found.key}.pdf")


def _with_health(
    db: Session, now: Now, actor: Actor, month: str
) -> tuple[Shown, dict[str, Figure]]:
    found = _shown(claim_year(db, actor, now), month)
    return found, health_figures(db, actor, found.month.span)


def _file(content: bytes, media_type: str, name: str) -> Response:
    named = f'attachment; filename="{name}"'
    return Response(content, media_type=media_type, headers={"Content-Disposition": named})


@router.get("/claims/figures/{key}")
def claims_behind(
    request: Request,
    db: PageReadDb,
    now: Now,
    actor: Reader,
    key: str,
    month: ThisMonth = "",
    part: str = NUMERATOR,
    by: str = "",
    name: str = "",
    cursor: Annotated[str | None, Query(max_length=2_000)] = None,
) -> Response:
    """The claims that a figure counts."""
    found = _shown(claim_year(db, actor, now), month)
    asked = behind(found.month, key, part, by, name)
    filters = {"month": found.key, "part": part, "by": by, "name": name}
    paging = page_of_list(request, actor, f"figure {key}", filters, cursor)
    first = 0 if paging.after is None else int(str(paging.after[0])) + 1
    places = list(enumerate(asked.ids))[first : first + paging.fetch]
    page = paging.page(places, lambda one: (one[0],))
    return render(
        request,
        "claim_figure.html.j2",
        found=found,
        figure=asked.figure,
        group=found.named(by, name) if by else "",
        part=part,
        count=len(asked.ids),
        page=page,
        claims=counted_claims(db, Scope.of(actor), [one for _, one in page.items]),
        here=found.address(key, part, by, name),
        there=request.app.state.page_paths,
        cursor=cursor,
    )
