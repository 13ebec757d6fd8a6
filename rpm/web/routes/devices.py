"""Devices: registered, given to a patient, taken back.

Owns the addresses and what is shown. Does not own the inventory (``routes.inventory``), readings
(``routes.readings``) nor the list of silent devices (``routes.silence``).
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from rpm.access import Actor
from rpm.actions.associate_device import (
    AssociateDevice,
    EndAssociation,
    associate_device,
    end_association,
)
from rpm.actions.register_device import RegisterDevice, register_device
from rpm.store.queries.episodes import AssociationState
from rpm.store.tables.monitoring import AssociationEnd, Device
from rpm.web.deps import PROBLEMS, Db, Now, area_router, permit
from rpm.web.shown import ShownFact

router = area_router("Devices")


class DeviceOut(ShownFact):
    """A device of a vendor."""

    vendor: str = Field(examples=["generic"])
    vendor_device_id: str = Field(description="The vendor's id.", examples=["BP-00417"])
    kind: str = Field(examples=["bp"])
    make: str | None
    model: str | None
    serial: str | None
    fda_listed: bool = Field(description="Meets the FDCA's definition of a medical device.")
    automatic: bool = Field(description="Sends its readings by itself.")


class AssociationOut(ShownFact):
    """A device with a patient in an episode, from one instant to another."""

    device_id: UUID
    episode_id: UUID
    patient_id: UUID
    from_at: datetime
    to_at: datetime | None = Field(description="First instant no longer in it; null: it goes on.")
    end_reason: str | None = Field(description="Why it ended.")


class AssociationEndOut(ShownFact):
    """The end of an association; the one recorded last counts."""

    association_id: UUID
    to_at: datetime
    reason: str


def shown_association(state: AssociationState) -> AssociationOut:
    """An association with the end that counts."""
    values = state.association.model_dump()
    ended = {"to_at": state.to_at, "end_reason": state.end_reason}
    return AssociationOut.model_validate({**values, **ended})


@router.post(
    "/devices",
    status_code=201,
    summary="Register a device",
    description="The same vendor id with the same content again gives the same device. Readings"
    " that came before it are judged anew.",
    operation_id="register_device",
    response_model=DeviceOut,
    responses=PROBLEMS,
)
def register(
    db: Db, now: Now, actor: Annotated[Actor, permit("episodes:write")], command: RegisterDevice
) -> Device:
    """The device."""
    return register_device(db, actor, now, command)


@router.post(
    "/device-associations",
    status_code=201,
    summary="Give a device to a patient",
    description="A device is with one episode at a time. Readings measured since are attached.",
    operation_id="associate_device",
    response_model=AssociationOut,
    responses=PROBLEMS,
)
def associate(
    db: Db, now: Now, actor: Annotated[Actor, permit("episodes:write")], command: AssociateDevice
) -> AssociationOut:
    """The association."""
    return shown_association(AssociationState(associate_device(db, actor, now, command), None))


@router.post(
    "/device-association-ends",
    status_code=201,
    summary="Take a device back",
    description="Readings measured at or after this instant no longer belong to the patient.",
    operation_id="end_association",
    response_model=AssociationEndOut,
    responses=PROBLEMS,
)
def end(
    db: Db, now: Now, actor: Annotated[Actor, permit("episodes:write")], command: EndAssociation
) -> AssociationEnd:
    """The end."""
    return end_association(db, actor, now, command)
