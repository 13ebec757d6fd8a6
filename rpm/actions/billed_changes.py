"""Billed changes: lines of closed periods that the facts known now give otherwise.

Owns which patients are looked at, and the alert of a billed line that would be taken back. Changes
no posting: the next close does (``rpm.actions.compute_close``). A person sees it before that.
"""

from datetime import date, datetime, timedelta
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy.engine import Engine
from sqlmodel import Session

from billing.days import day_date, day_number
from billing.ledger.postings import Billed, Change, reconcile
from rpm.access import Actor
from rpm.actions.compute_close import latest_close
from rpm.actions.practice_day import practice_today
from rpm.actions.raise_alerts import Cause, raise_alerts
from rpm.store.engine import reading, transaction, within
from rpm.store.journal import journal_of
from rpm.store.outcomes import evaluated
from rpm.store.queries.alerts import BILLED_LOSS
from rpm.store.queries.late_facts import patients_with_late_facts
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.tables.alerts import Alert

_ROUTE = ["biller", "practice_admin"]
_ESCALATES_MINUTES = 24 * 60


class BilledChange(BaseModel):
    """What the next close would post about a period that is closed already."""

    change: Change = Field(
        description="`withdrawn`: the line is gone; `changed`: it is another one; `new`: a line"
        " that was not billed."
    )
    key: str = Field(description="Names the event.")
    ordinal: int = Field(description="The issue that stands, or the one that would come.")
    patient_id: UUID
    episode_id: UUID | None
    code: str = Field(examples=["99454"])
    units: int = Field(description="As billed; of a new line, as it would be.")
    service_day: date
    period_start_day: date
    period_end_day: date
    billed_cents: int | None = Field(description="Amount that was billed; null: none or unknown.")

    @property
    def place(self) -> tuple[UUID, str]:
        """Where it stands in a list."""
        return self.patient_id, self.key


def billed_changes(db: Session, scope: Scope, now: datetime) -> list[BilledChange]:
    """By patient and key; empty before the first close and where nothing would be posted.

    Looks only at patients of whom late facts became known since the latest close.
    """
    latest = latest_close(db, scope)
    if latest is None:
        return []
    since, until = latest.known_audit_number, latest.as_of
    patients = patients_with_late_facts(db, scope, since, until)
    if not patients:
        return []
    today, organization_id = practice_today(db, scope, now), scope.organization_id
    found = evaluated(db, organization_id, as_of=until, known=today, patients=patients)
    journal = journal_of(db, organization_id, patients)
    lines = {line.key: line for line in found.events()}
    events = [
        Billed(key, line.units, day_number(line.service_day), line.payer_key)
        for key, line in lines.items()
    ]
    issued = {(one.key, one.ordinal): one for one in journal if one.sign > 0}
    changes: list[BilledChange] = []
    for posting in reconcile(events, [one.line for one in journal]):
        key = str(posting.billed.key)
        if posting.sign > 0 and posting.change is not Change.NEW:
            continue  # told with the line that it takes the place of
        billed = issued.get((key, posting.ordinal)) if posting.sign < 0 else None
        line = billed or lines[key]
        changes.append(
            BilledChange(
                change=posting.change,
                key=key,
                ordinal=posting.ordinal,
                patient_id=line.patient_id,
                episode_id=line.episode_id,
                code=line.code,
                units=line.units,
                service_day=day_date(posting.billed.service_day),
                period_start_day=line.period_start_day,
                period_end_day=line.period_end_day,
                billed_cents=billed.amount_cents if billed else None,
            )
        )
    return sorted(changes, key=lambda one: one.place)


def watch_billed(engine: Engine, actor: Actor, now: datetime) -> list[Alert]:
    """Open an alert for each billed line that the next close would take back or change."""
    engine = within(engine, actor.organization_id)
    with reading(engine) as db:
        changes = billed_changes(db, Scope.of(actor), now)
    causes = [_cause(one, now) for one in changes if one.change is not Change.NEW]
    if not causes:
        return []
    with transaction(engine) as db:
        hold_organization(db, Scope.of(actor))  # nobody else raises the same ones meanwhile
        return raise_alerts(db, actor, now, causes)


def _cause(one: BilledChange, now: datetime) -> Cause:
    alert = Alert(
        key=f"{BILLED_LOSS}:{one.key}:{one.ordinal}",
        rule=BILLED_LOSS,
        subject=BILLED_LOSS,
        band="amber",
        level="alert",
        patient_id=one.patient_id,
        episode_id=one.episode_id,
        value=one.change.value,
        unit="",
        comparison="",
        limit_value="",
        detail={
            "code": one.code,
            "units": one.units,
            "service_day": str(one.service_day),
            "period_starts": str(one.period_start_day),
            "period_ends": str(one.period_end_day),
        },
        told_from=now,
        route=_ROUTE,
        escalate_after_minutes=_ESCALATES_MINUTES,
    )
    return Cause(alert, timedelta(0))
