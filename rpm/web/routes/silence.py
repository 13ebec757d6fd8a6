"""Devices that fell silent: a work list, so that days are not lost.

Owns the address. Does not own the list (``rpm.store.queries.silence``).
"""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from rpm.access import Actor
from rpm.store.queries.silence import Silent, silent_episodes
from rpm.store.scope import Scope
from rpm.web.deps import PROBLEMS, Now, Page, Paging, ReadDb, area_router, permit

router = area_router("Devices")

DEFAULT_SILENT_DAYS = 3


class SilentDevice(BaseModel):
    """An episode without readings, and the device that should be sending."""

    episode_id: UUID
    patient_id: UUID
    device_id: UUID
    last_reading_day: date | None = Field(description="Null: no reading since the episode began.")
    silent_since: date = Field(
        description="Day of the last reading, or the day the device came to the patient."
    )
    silent_days: int = Field(description="Whole days since then, by the practice's today.")


@router.get(
    "/devices/silent",
    summary="List devices that fell silent",
    description="Open episodes with a device at the patient and no reading, counting or not, for"
    " some days; the longest silence first.",
    operation_id="list_silent_devices",
    response_model=Page[SilentDevice],
    responses=PROBLEMS,
)
def list_silent_devices(
    db: ReadDb,
    now: Now,
    actor: Annotated[Actor, permit("readings:read")],
    paging: Paging,
    at_least_days: Annotated[
        int, Query(ge=1, le=365, description="Days without a reading.", examples=[3])
    ] = DEFAULT_SILENT_DAYS,
) -> Page[Silent]:
    """The list, a page at a time."""
    rows = silent_episodes(db, Scope.of(actor), now, at_least_days)
    if paging.after is not None:
        rows = [row for row in rows if row.key > paging.after]
    return paging.page(rows, lambda row: row.key)
