"""Moves of devices: a swap, a return, and a report that one is lost, broken or works again.

Owns the addresses and what is shown. Does not own the moves (``rpm.actions``) nor where devices are
(``routes.inventory``).
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from rpm.access import Actor
from rpm.actions.command import Command, Id, Instant, Reason
from rpm.actions.report_device import Condition, ReportDevice, report_device
from rpm.actions.swap_device import ReturnDevice, SwapDevice, return_device, swap_device
from rpm.store.queries.device_state import WORKING
from rpm.store.queries.episodes import AssociationState
from rpm.store.tables.monitoring import AssociationEnd, DeviceCondition
from rpm.web.deps import PROBLEMS, Db, Now, area_router, permit
from rpm.web.routes.devices import AssociationEndOut, AssociationOut, shown_association
from rpm.web.shown import ShownFact

router = area_router("Devices")


class SwapBody(Command):
    """A swap of the device in the address."""

    new_device_id: Id = Field(description="The device that takes its place, of the same kind.")
    at: Instant = Field(
        description="First instant of the new device and the first no longer of the old one.",
        examples=["2026-01-12T16:00:00Z"],
    )
    reason: Reason = Field(examples=["cuff broke"])
    old_condition: Condition = Field(
        default=WORKING, description="What is known of the old device from then on."
    )


class ReportBody(Command):
    """What is known of the device in the address."""

    condition: Condition = Field(examples=["lost"])
    at: Instant = Field(
        description="Since when. A patient who had a lost or broken device has it no more from"
        " this instant on.",
        examples=["2026-01-12T16:00:00Z"],
    )
    reason: Reason = Field(examples=["left on a bus"])


class ReportOut(ShownFact):
    """A report of a device's condition; the one recorded last counts."""

    device_id: UUID
    condition: str = Field(examples=["lost"])
    at: datetime
    reason: str


class ReturnBody(Command):
    """A return of the device in the address."""

    at: Instant = Field(
        description="The first instant at which it was no longer with the patient.",
        examples=["2026-01-12T16:00:00Z"],
    )
    reason: Reason = Field(examples=["goals met"])


@router.post(
    "/devices/{device_id}/swap",
    status_code=201,
    summary="Replace a patient's device by another one",
    description="One action: the old device's association ends at the instant at which the new"
    " one's begins. Readings of either device go to whoever had it when they were measured.",
    operation_id="swap_device",
    response_model=AssociationOut,
    responses=PROBLEMS,
)
def swap(
    db: Db,
    now: Now,
    actor: Annotated[Actor, permit("episodes:write")],
    device_id: UUID,
    body: SwapBody,
) -> AssociationOut:
    """The association of the new device."""
    command = SwapDevice(device_id=device_id, **body.model_dump())
    return shown_association(AssociationState(swap_device(db, actor, now, command), None))


@router.post(
    "/devices/{device_id}/return",
    status_code=201,
    summary="Take a device back into stock",
    description="The device's running association ends. Readings measured at or after this instant"
    " no longer belong to the patient.",
    operation_id="return_device",
    response_model=AssociationEndOut,
    responses=PROBLEMS,
)
def take_back(
    db: Db,
    now: Now,
    actor: Annotated[Actor, permit("episodes:write")],
    device_id: UUID,
    body: ReturnBody,
) -> AssociationEnd:
    """The end of the association."""
    return return_device(db, actor, now, ReturnDevice(device_id=device_id, **body.model_dump()))


@router.post(
    "/devices/{device_id}/report",
    status_code=201,
    summary="Report a device lost, broken or working again",
    description="A lost or broken device leaves its patient at this instant and is given to nobody"
    " until it is reported `working`; then it is in stock.",
    operation_id="report_device",
    response_model=ReportOut,
    responses=PROBLEMS,
)
def report(
    db: Db,
    now: Now,
    actor: Annotated[Actor, permit("episodes:write")],
    device_id: UUID,
    body: ReportBody,
) -> DeviceCondition:
    """The report."""
    return report_device(db, actor, now, ReportDevice(device_id=device_id, **body.model_dump()))
