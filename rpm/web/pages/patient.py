"""The patient page: the chart of one patient, opened as an audited act.

Owns the screen and which of its parts a role sees. Does not own any rule: numbers come from one
evaluation, the same as the worklist's and the API's.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response
from sqlmodel import Session

from devices.alerts import NOTICE
from rpm.access import Actor
from rpm.actions.alert_rules import limit_of
from rpm.actions.evidence_pack import posting_pack
from rpm.actions.practice_day import practice_today
from rpm.errors import NotFound
from rpm.store.day_readings import DayReading, day_readings
from rpm.store.fact_rows import FactReader
from rpm.store.outcomes import evaluated
from rpm.store.queries.alerts import (
    AlertFilter,
    holding_for,
    limits_in_force,
    list_alerts,
)
from rpm.store.queries.episodes import EpisodeState, episodes_of_patient
from rpm.store.queries.ledger import postings_page
from rpm.store.queries.people import coverages_of, organization_of
from rpm.store.queries.sites import site_of_patient, sites_of
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Posting
from rpm.store.tables.people import Patient, Payer
from rpm.web.pages.alert_groups import grouped
from rpm.web.pages.alert_words import alert_words, limit_of_alert
from rpm.web.pages.months import Month
from rpm.web.pages.opened import chart_opened
from rpm.web.pages.patient_parts import (
    episode_cards,
    events_of,
    findings_of,
    ladders_of,
    minutes_bars,
    strips_of,
)
from rpm.web.pages.shell import Now, PageReadDb, page_permit, page_router, render
from rpm.web.pages.timeline import Told, timeline
from rpm.web.pages.vitals import limit_words, vitals_charts
from rpm.web.pages.worklist_words import STANDING_WORDS
from rpm.web.routes.evidence import given_to_check

router = page_router()

SPANS = (30, 90, 180)
_MOST_ALERTS = 200
_MOST_POSTINGS = 200


@dataclass(frozen=True)
class _Looked:
    """Whose chart is opened, by whom, and which days of it are looked at."""

    scope: Scope
    patient: Patient
    today: date
    now: datetime
    month: Month
    span_days: int

    @property
    def days(self) -> tuple[date, date]:
        """The days of the vitals: up to the month's end or today."""
        last = min(self.today, self.month.last)
        return last - timedelta(days=self.span_days - 1), last


@router.get("/patients/{patient_id}")
def chart(
    request: Request,
    db: PageReadDb,
    now: Now,
    actor: Annotated[Actor, page_permit("patients:read")],
    patient_id: UUID,
    month: str = "",
    span: int = SPANS[0],
) -> Response:
    """The chart, of one month."""
    patient, scope = chart_opened(request, actor, now, patient_id), Scope.of(actor)
    today = practice_today(db, scope, now)
    looked = _Looked(
        scope,
        patient,
        today,
        now,
        Month.read(month, today),
        span if span in SPANS else SPANS[0],
    )
    states = episodes_of_patient(db, scope, patient_id)
    return render(
        request,
        "patient.html.j2",
        patient=patient,
        age=_age(patient.birth_date, today),
        month=looked.month,
        is_current=looked.month == Month.of(today),
        span=looked.span_days,
        spans=SPANS,
        cards=episode_cards(db, scope, states),
        sites=sites_of(db, scope),
        site_id=site_of_patient(db, scope, patient_id),
        in_program=any(state.holds_on(today) for state in states),
        coverages=coverages_of(db, scope, patient_id),
        payers={row.id: row.name for row in scope.all_of(db, Payer)},
        today=today,
        **_ledger(db, actor, looked),
        **_monitored(db, actor, looked, states),
    )


@router.post("/patients/{patient_id}/postings/{posting_id}/evidence.json")
def evidence(
    request: Request,
    db: PageReadDb,
    now: Now,
    actor: Annotated[Actor, page_permit("ledger:read")],
    patient_id: UUID,
    posting_id: UUID,
) -> Response:
    """The evidence pack of a line to be checked; that it was given out is recorded."""
    scope = Scope.of(actor)
    if scope.get(db, Posting, posting_id).patient_id != patient_id:
        raise NotFound("there is no such posting")
    pack = posting_pack(db, scope, now, posting_id)
    response = given_to_check(request, actor, now, pack)
    response.headers["Content-Disposition"] = f'attachment; filename="{pack.name}"'
    return response


def _ledger(db: Session, actor: Actor, looked: _Looked) -> dict[str, Any]:
    """What the ledger says, for who may know it."""
    if "ledger:read" not in actor.permissions:
        return {"sees_ledger": False}
    scope = looked.scope
    found = evaluated(
        db,
        scope.organization_id,
        as_of=looked.today,
        known=looked.today,
        patients=[looked.patient.id],
    )
    ladders, standing = ladders_of(scope.organization_id, found)
    postings = postings_page(db, scope, patient_id=looked.patient.id, limit=_MOST_POSTINGS)
    return {
        "sees_ledger": True,
        "ladders": ladders,
        "standing": STANDING_WORDS[standing.standing] if standing else None,
        "findings": findings_of(found, looked.month),
        "events": events_of(found, looked.month),
        "strips": strips_of(found, looked.month),
        "bars": minutes_bars(found, looked.month),
        "posted": {(row.code, row.service_day) for row in postings if row.sign > 0},
        "postings": [
            row for row in postings if looked.month.first <= row.service_day <= looked.month.last
        ],
    }


def _monitored(
    db: Session, actor: Actor, looked: _Looked, states: list[EpisodeState]
) -> dict[str, Any]:
    """Vitals, alerts and the timeline, for who may know them."""
    scope, sees = looked.scope, "readings:read" in actor.permissions
    readings = _readings(db, looked, states) if sees else []
    organization = organization_of(db, scope)
    told = Told(
        looked.patient.id,
        organization.timezone,
        (looked.month.first, looked.month.last),
        states,
        [one for one in readings if _is_in(one, looked.month)],
        has_entries="entries:read" in actor.permissions,
        has_readings=sees,
    )
    shown: dict[str, Any] = {"sees_readings": sees, "happenings": timeline(db, scope, told)}
    if not sees:
        return shown
    in_force = holding_for(limits_in_force(db, scope, [looked.patient.id]), looked.patient.id)
    limits = [one for row in in_force if (one := limit_of(row)).subject == "reading"]
    chosen = AlertFilter(state="open", level="alert", patient_id=looked.patient.id)
    return {
        **shown,
        "charts": vitals_charts(
            [one for one in readings if _is_between(one, looked.days)],
            limits,
            looked.days,
            looked.patient.timezone,
        ),
        "limits": [(one.band, limit_words(one)) for one in limits if one.measure == "value"],
        "alerts": grouped(list_alerts(db, scope, chosen, after=None, limit=_MOST_ALERTS)),
        "alert_words": alert_words,
        "limit_of_alert": limit_of_alert,
        "notice": NOTICE,
    }


def _readings(db: Session, looked: _Looked, states: list[EpisodeState]) -> list[DayReading]:
    """Readings of the span and of the month."""
    reader = FactReader(db, looked.scope.organization_id, [looked.patient.id])
    first = min(looked.days[0], looked.month.first)
    last = max(looked.days[1], looked.month.last)
    return [one for state in states for one in day_readings(reader, state.episode.id, first, last)]


def _is_in(one: DayReading, month: Month) -> bool:
    return _is_between(one, (month.first, month.last))


def _is_between(one: DayReading, days: tuple[date, date]) -> bool:
    day = one.reading.local_day
    return day is not None and days[0] <= day <= days[1]


def _age(birth_date: date, today: date) -> int:
    had_birthday = (today.month, today.day) >= (birth_date.month, birth_date.day)
    return today.year - birth_date.year - (not had_birthday)
