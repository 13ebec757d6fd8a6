"""The worklist: what is left to do for each patient, and the views that users keep of it.

Owns these tables. Does not own what is left to do (``rpm.store.standing``). ``WorklistRow`` is a
projection and may be computed anew.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from rpm.store.tables.base import JsonValue, Row, TenantRow, UtcDateTime, refers


class WorklistRow(Row, table=True):
    """What is left to do for a patient in the running periods: the sum of the readiness rows."""

    __table_args__ = (
        refers("patient_id", "patient"),
        Index(None, "organization_id", "work_order", "patient_id"),
    )

    organization_id: UUID = Field(primary_key=True, foreign_key="organization.id")
    patient_id: UUID = Field(primary_key=True)
    standing: str  # rpm.store.standing.STANDINGS
    needs_call: bool  # minutes or the live contact are still missing and can be had
    needs_readings: bool  # days with a reading are still missing and can be had
    lacks_live: bool  # no live contact yet in a month that needs one
    seconds_needed: int  # to the next step of the month; 0 when only the live contact is missing
    days_needed: int
    due_day: date | None = None  # the nearest day without whose reading a code is lost
    work_order: int  # smaller: sooner
    payer_key: str  # empty without coverage


class SavedView(TenantRow, table=True):
    """A user's own choice of rows under a name; mutable, and gone when its user takes it away."""

    __table_args__ = (
        UniqueConstraint("organization_id", "user_id", "name"),
        refers("user_id", "user_account"),
    )

    user_id: UUID
    name: str
    content: dict[str, Any] = Field(sa_type=JsonValue)  # rpm.actions.keep_view
    created_at: datetime = Field(sa_type=UtcDateTime)
