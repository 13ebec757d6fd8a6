"""Alerts: the limits of a practice and its patients, what they raised, and what came of it.

Owns their tables. Does not own what breaks a limit (``devices.alerts``). Limits are superseded, not
edited; an alert's state is its latest step.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from rpm.store.tables.base import Fact, JsonValue, Row, UtcDateTime, fact_table, refers


class AlertLimit(Fact, table=True):
    """A limit of the practice or of one patient, in force from here on; the latest counts.

    One that is not active ends the rule, for a patient also where the practice has it.
    """

    __table_args__ = fact_table(
        refers("patient_id", "patient"), Index(None, "organization_id", "patient_id", "rule")
    )

    patient_id: UUID | None = None  # None: the practice's
    rule: str  # devices.alerts.limits.Limit.slot
    active: bool
    content: dict[str, Any] = Field(sa_type=JsonValue)  # rpm.actions.alert_rules
    origin: str  # empty: a person's own; else page and key of a published starting point
    set_by: str
    reason: str


class Alert(Fact, table=True):
    """What broke a limit: the value, the limit as it was, and both times. Never changed."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "key"),
        refers("patient_id", "patient"),
        refers("episode_id", "episode"),
        refers("reading_id", "reading"),
        refers("device_id", "device"),
        refers("delivery_id", "delivery"),
        refers("limit_id", "alert_limit"),
        refers("repeats_id", "alert"),
        Index(None, "organization_id", "patient_id", "rule"),
        Index(None, "organization_id", "level", "id"),
    )

    key: str  # the same cause opens one alert for ever
    rule: str
    subject: str  # devices.alerts.limits.SUBJECTS, dead_letter, billed_loss, notifications
    band: str
    level: str  # alert, note (came late), repeat (of an alert that stands)
    patient_id: UUID | None = None
    episode_id: UUID | None = None
    reading_id: UUID | None = None
    device_id: UUID | None = None
    delivery_id: UUID | None = None
    limit_id: UUID | None = None  # None: a rule of the service, not a limit
    repeats_id: UUID | None = None
    value: str  # as evaluated, with "<" or ">" where it is a bound
    unit: str
    comparison: str
    limit_value: str
    detail: dict[str, Any] = Field(sa_type=JsonValue)
    measured_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # by the device
    received_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    told_from: datetime = Field(sa_type=UtcDateTime)  # end of quiet hours, or at once
    route: list[str] = Field(sa_type=JsonValue)  # whom to tell first, then next
    escalate_after_minutes: int


class AlertStep(Fact, table=True):
    """What somebody did about an alert, or that the next one was told."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "alert_id", "ordinal"), refers("alert_id", "alert")
    )

    alert_id: UUID
    ordinal: int  # counts an alert's steps from 1
    step: str  # acknowledged, acted, closed, escalated
    by_user_id: UUID | None = None  # None: the service
    by_name: str
    told: str = ""  # escalated: whom
    note: str = ""


class AlertMark(Row, table=True):
    """Up to which audit number an organization's readings and deliveries were looked at."""

    organization_id: UUID = Field(primary_key=True, foreign_key="organization.id")
    looked_through: int
