"""Who asked for what of patients, and what came of it: also what was only looked at or refused.

Owns the table. Does not own audit events (``security``), which cover what was recorded.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field

from rpm.store.tables.base import JsonValue, TenantRow, UtcDateTime


class AccessRecord(TenantRow, table=True):
    """One request about patients; ids only, never content. The time is the machine's."""

    __table_args__ = (
        Index(None, "organization_id", "user_id", "id"),
        Index(None, "organization_id", "patient_id", "id"),
        {"info": {"append_only": True}},
    )

    at: datetime = Field(sa_type=UtcDateTime)
    user_id: UUID | None = None
    token_id: UUID | None = None
    sign_in_id: UUID | None = None
    emergency_id: UUID | None = None
    role: str
    method: str
    route: str  # the template, such as /v1/patients/{patient_id}
    patient_id: UUID | None = None  # where the address names one
    ids: dict[str, Any] = Field(sa_type=JsonValue)  # the other ids of the address
    status: int
    request_id: str  # names it in the service's log
