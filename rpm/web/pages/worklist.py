"""The worklist: how far every patient is this month, and what to do next.

Owns the screen, its filters and the saved views. Does not own the list
(``rpm.store.queries.worklist``) nor its words (``rpm.web.pages.worklist_words``). Names that are
looked for come in the body of a form: addresses end up in logs.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Form, Request
from fastapi.responses import Response
from sqlmodel import Session

from devices.alerts import NOTICE
from rpm.access import Actor
from rpm.actions.keep_view import DropView, KeepView, drop_view, keep_view
from rpm.actions.practice_day import practice_today
from rpm.errors import InvalidRequest
from rpm.store.queries.alerts import AlertFilter, list_alerts
from rpm.store.queries.at_risk import WITHIN_DAYS, at_risk_page
from rpm.store.queries.eligibility import latest_answers
from rpm.store.queries.expiring import expiring
from rpm.store.queries.people import names_of_patients
from rpm.store.queries.sites import sites_of
from rpm.store.queries.visits import expiring_authorities
from rpm.store.queries.worklist import (
    CHOICES,
    SORTS,
    WorklistFilter,
    saved_views,
    worklist_counts,
    worklist_page,
)
from rpm.store.scope import Scope
from rpm.store.tables.people import Payer
from rpm.web.pages.alert_groups import grouped
from rpm.web.pages.alert_words import alert_words, limit_of_alert
from rpm.web.pages.paging import page_of_list
from rpm.web.pages.shell import (
    Now,
    PageDb,
    form_errors,
    page_permit,
    page_router,
    read_form,
    render,
    see_other,
)
from rpm.web.pages.timer import id_of
from rpm.web.pages.worklist_words import CHOICE_WORDS, SORT_WORDS, worklist_line
from rpm.web.projections import up_to_date

router = page_router()

ADDRESS = "/worklist"
_BESIDE = 6
_MOST_ALERTS = 60
"""Rows of each list beside the main one; its own screen has all."""
_LICENSE_DAYS = 60
"""How long before its last day a license is told: a renewal takes a while."""
Reader = Annotated[Actor, page_permit("ledger:read")]


@router.get(ADDRESS)
def worklist(
    request: Request,
    now: Now,
    actor: Reader,
    show: str = "all",
    payer: str = "",
    site: str = "",
    sort: str = "next",
    cursor: str = "",
) -> Response:
    """A page of the list."""
    return _list(request, now, actor, _chosen(show, payer, sort, site), cursor)


@router.post(f"{ADDRESS}/search")
def search(
    request: Request,
    now: Now,
    actor: Reader,
    family_name: Annotated[str, Form(max_length=200)] = "",
    show: Annotated[str, Form()] = "all",
    payer: Annotated[str, Form()] = "",
    site: Annotated[str, Form()] = "",
    sort: Annotated[str, Form()] = "next",
    cursor: Annotated[str, Form()] = "",
) -> Response:
    """A page of the patients whose family name begins like this."""
    chosen = _chosen(show, payer, sort, site, family_name.strip())
    return _list(request, now, actor, chosen, cursor)


@router.post(f"{ADDRESS}/views")
def keep(
    request: Request,
    db: PageDb,
    now: Now,
    actor: Reader,
    name: Annotated[str, Form()] = "",
    show: Annotated[str, Form()] = "all",
    payer: Annotated[str, Form()] = "",
    site: Annotated[str, Form()] = "",
    sort: Annotated[str, Form()] = "next",
) -> Response:
    """Keep the choice under a name."""
    chosen = _chosen(show, payer, sort, site)
    kept = {"show": chosen.show, "payer_key": chosen.payer_key, "sort": chosen.sort}
    command, errors = read_form(KeepView, {"name": name, **kept, "site_id": chosen.site_id})
    if command is not None:
        try:
            keep_view(db, actor, now, command)
        except InvalidRequest as error:
            errors = form_errors(error)
    if errors:
        return render(
            request, "worklist_view.html.j2", 422, name=name, chosen=chosen, errors=errors
        )
    return see_other(request, address_of(chosen), "The view is kept.")


@router.post(f"{ADDRESS}/views/{{view_id}}/drop")
def drop(request: Request, db: PageDb, now: Now, actor: Reader, view_id: UUID) -> Response:
    """Take a view away."""
    drop_view(db, actor, now, DropView(view_id=view_id))
    return see_other(request, ADDRESS, "The view is gone.")


def address_of(chosen: WorklistFilter, cursor: str | None = None) -> str:
    """The address that shows a choice; never with a name."""
    asked = {
        "show": chosen.show if chosen.show != "all" else "",
        "payer": chosen.payer_key or "",
        "site": str(chosen.site_id or ""),
        "sort": chosen.sort if chosen.sort != "next" else "",
        "cursor": cursor or "",
    }
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{ADDRESS}?{query}" if query else ADDRESS


def _chosen(
    show: str, payer: str, sort: str, site: str = "", family_name: str = ""
) -> WorklistFilter:
    """What is asked for; a word that is none of ours shows everybody, the nearest first."""
    return WorklistFilter(
        show=show if show in CHOICES else "all",
        payer_key=payer or None,
        family_name=family_name or None,
        site_id=id_of(site),
        sort=sort if sort in SORTS else "next",
    )


def _list(
    request: Request, now: datetime, actor: Actor, chosen: WorklistFilter, cursor: str
) -> Response:
    filters = {
        "show": chosen.show,
        "payer": chosen.payer_key,
        "sort": chosen.sort,
        "name": chosen.family_name,
        "site": str(chosen.site_id or ""),
    }
    paging = page_of_list(request, actor, "worklist", filters, cursor)
    with up_to_date(request, actor, now, readiness=True) as (db, scope):
        rows = worklist_page(db, scope, chosen, after=paging.after, limit=paging.fetch)
        page: Any = paging.page(rows, lambda row: row.key(chosen.sort))
        return render(
            request,
            "worklist.html.j2",
            lines=[worklist_line(row) for row in page.items],
            eligibility=latest_answers(db, scope, [one.row.patient_id for one in page.items]),
            next_cursor=page.next_cursor,
            next_address=address_of(chosen, page.next_cursor),
            is_first=not cursor,
            chosen=chosen,
            choices=_choices(db, scope, chosen),
            payers=_payers(db, scope),
            sites=[(str(row.id), row.name) for row in sites_of(db, scope)],
            sorts=list(SORT_WORDS.items()),
            views=_views(db, scope, actor),
            today=practice_today(db, scope, now),
            **_beside(db, scope, now, actor),
        )


def filter_of(content: dict[str, Any]) -> WorklistFilter:
    """The choice that a view keeps."""
    site_id = content.get("site_id")
    return WorklistFilter(**{**content, "site_id": UUID(site_id) if site_id else None})


def _choices(db: Session, scope: Scope, chosen: WorklistFilter) -> list[dict[str, Any]]:
    counts = worklist_counts(db, scope, chosen.site_id)
    return [
        {
            "word": CHOICE_WORDS[show],
            "count": counts[show],
            "address": address_of(replace(chosen, show=show, family_name=None)),
            "current": show == chosen.show,
        }
        for show in CHOICES
    ]


def _payers(db: Session, scope: Scope) -> list[tuple[str, str]]:
    rows = sorted(scope.all_of(db, Payer), key=lambda row: row.name.casefold())
    return [("", "Every payer"), *((row.key, row.name) for row in rows)]


def _views(db: Session, scope: Scope, actor: Actor) -> list[dict[str, Any]]:
    if actor.user_id is None:
        return []
    return [
        {"id": row.id, "name": row.name, "address": address_of(filter_of(row.content))}
        for row in saved_views(db, scope, actor.user_id)
    ]


def _beside(db: Session, scope: Scope, now: datetime, actor: Actor) -> dict[str, Any]:
    """The lists beside the main one, as far as this person may see them."""
    alerts = []
    if "readings:read" in actor.permissions:
        chosen = AlertFilter(state="open", level="alert")
        alerts = grouped(list_alerts(db, scope, chosen, after=None, limit=_MOST_ALERTS))
    people = {group.latest.patient_id for group in alerts if group.latest.patient_id}
    today = practice_today(db, scope, now)
    return {
        "at_risk": at_risk_page(db, scope, now, WITHIN_DAYS, limit=_BESIDE + 1),
        "within_days": WITHIN_DAYS,
        "alerts": alerts,
        "names": names_of_patients(db, scope, people),
        "expiring": expiring(db, scope, today, limit=_BESIDE + 1),
        "licenses": expiring_authorities(db, scope, today, today + timedelta(days=_LICENSE_DAYS)),
        "beside": _BESIDE,
        "more_alerts": sum(group.count for group in alerts) > min(len(alerts), _BESIDE),
        "alert_words": alert_words,
        "limit_of_alert": limit_of_alert,
        "notice": NOTICE,
    }
