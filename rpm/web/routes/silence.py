"""Devices that fell silent: a work list, so that days are not lost.

Owns the address. Does not own the list (``rpm.store.queries.silence``) nor the day by which a
reading must come (the ledger's progress, as readiness keeps it).
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from pydantic import BaseModel, Field

from rpm.access import Actor
from rpm.store.queries.at_risk import next_due
from rpm.store.queries.device_state import InventoryDevice, InventoryFilter
from rpm.store.queries.inventory import inventory_of
from rpm.store.queries.silence import Silent, silent_episodes
from rpm.web.deps import PROBLEMS, Now, Page, Paging, area_router, permit
from rpm.web.projections import up_to_date

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
    heard_at: datetime | None = Field(
        description="When anything last came from this device, a heartbeat too; null: never."
    )
    battery: str | None = Field(description="As the vendor sends it.", examples=["84 %"])
    due_day: date | None = Field(
        description="Without a reading on this day `due_code` is lost; null when nothing is."
    )
    due_code: str = Field(description="May be empty.", examples=["99454"])


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
    request: Request,
    now: Now,
    actor: Annotated[Actor, permit("readings:read")],
    paging: Paging,
    at_least_days: Annotated[
        int, Query(ge=1, le=365, description="Days without a reading.", examples=[3])
    ] = DEFAULT_SILENT_DAYS,
) -> Page[SilentDevice]:
    """The list, a page at a time."""
    with up_to_date(request, actor, now, readiness=True) as (db, scope):
        rows = silent_episodes(db, scope, now, at_least_days)
        if paging.after is not None:
            rows = [row for row in rows if row.key > paging.after]
        page = paging.page(rows, lambda row: row.key)
        due = next_due(db, scope, {row.episode_id for row in page.items})
        chosen = InventoryFilter(ids={row.device_id for row in page.items})
        devices = {one.device.id: one for one in inventory_of(db, scope, now, chosen)}
        shown = [_shown(row, devices[row.device_id], due) for row in page.items]
    return Page(items=shown, next_cursor=page.next_cursor)


def _shown(
    silent: Silent, device: InventoryDevice, due: Mapping[UUID, tuple[date, str]]
) -> SilentDevice:
    due_day, due_code = due.get(silent.episode_id, (None, ""))
    return SilentDevice(
        **asdict(silent),
        heard_at=device.contact and device.contact.heard_at,
        battery=device.contact and device.contact.battery,
        due_day=due_day,
        due_code=due_code,
    )
