"""Readings: lists for people, and what a person decides about one.

Owns the addresses and what is shown. Does not own deciding (``rpm.actions``). A reading is shown in
the version that holds unless all versions are asked for.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from devices.marks import Mark, MarkCode
from rpm.access import Actor
from rpm.actions.command import Command, Instant, Reason
from rpm.actions.correction_history import HistoryStep, reading_history
from rpm.actions.exclude_reading import (
    ExcludeReading,
    LiftExclusion,
    exclude_reading,
    lift_exclusion,
)
from rpm.actions.release_reading import ReleaseReading, release_reading
from rpm.store.queries.marks import marks_of
from rpm.store.queries.readings import ReadingFilter, list_readings
from rpm.store.queries.rows import page_of
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Reading, ReadingConflict, RejectedItem
from rpm.web.deps import PROBLEMS, Db, Now, Page, Paging, ReadDb, area_router, permit
from rpm.web.shown import ShownFact

router = area_router("Readings")


class ComponentOut(BaseModel):
    """One number of a reading: as kept, and as it was sent."""

    loinc: str = Field(description="LOINC code.", examples=["29463-7"])
    value: str = Field(description="Decimal number in `ucum`.", examples=["72.5747792"])
    ucum: str = Field(description="UCUM unit.", examples=["kg"])
    comparator: str = Field(description="`<` or `>` where the value is only a bound.")
    original_value: str = Field(description="The value as sent.", examples=["160"])
    original_unit: str = Field(description="The unit as sent.", examples=["lb"])


class MarkOut(BaseModel):
    """What stands out of a reading beside others of its patient; it changes nothing that counts."""

    code: MarkCode = Field(
        description="`possible_duplicate`: the same measurement seems to have come through another"
        " connection before. `weight_change`: over 10 % from a weight of the 24 hours before."
    )
    other_id: UUID = Field(description="The reading that it was held to.")


class ReadingOut(ShownFact):
    """A reading as it was understood when it was recorded."""

    version: int = Field(description="Counts up with each correction or attachment.")
    supersedes_id: UUID | None = Field(description="The version that this one takes the place of.")
    vendor: str = Field(description="Whose format it came in.")
    vendor_reading_id: str | None = Field(description="The sender's id.")
    vendor_device_id: str = Field(description="The sender's id of the device.")
    device_id: UUID | None = Field(description="Our device, if it is known.")
    episode_id: UUID | None = Field(description="Whose episode had the device then.")
    patient_id: UUID | None = Field(description="Who had the device then.")
    measure: str = Field(description="What was measured.", examples=["weight"])
    kind: str = Field(description="The ledger's kind of device.", examples=["scale"])
    components: list[ComponentOut] = Field(description="The numbers.")
    measured_at: datetime | None = Field(description="When it was measured, in UTC.")
    vendor_time: str = Field(description="The time as sent.")
    local_day: date | None = Field(description="The patient's day it may count for.")
    zone: str | None = Field(description="The zone or offset that gave the day.")
    zone_origin: str | None = Field(description="Whose zone that is.", examples=["device"])
    time_quality: str = Field(description="How sure the time is.", examples=["exact"])
    received_at: datetime = Field(description="When its day first reached us.")
    entry_method: str = Field(description="How it came to be.", examples=["device"])
    status: Literal["final", "corrected", "void"] = Field(description="What the sender says.")
    countable: bool = Field(description="Whether it makes its day count.")
    reason_code: str = Field(description="Why not; empty if it does.", examples=["manual_entry"])
    excluded: bool = Field(description="Whether a person took it out of the count.")
    flags: list[str] = Field(description="Marks, such as `out_of_range` or `released`.")
    marks: list[MarkOut] = Field(
        description="What stands out beside other readings, as they are known now."
    )
    delivery_id: UUID | None = Field(description="The delivery that brought it.")


class RejectedOut(ShownFact):
    """An item that could not be read as a reading; the delivery keeps it as sent."""

    delivery_id: UUID | None = Field(description="The delivery that brought it.")
    import_id: UUID | None = Field(description="The import that brought it.")
    place: str = Field(description="Where it stands.", examples=["readings[3]"])
    reason: str = Field(description="Stable code.", examples=["unit"])
    message: str = Field(description="One sentence for a person; names no value.")
    vendor_reading_id: str | None = Field(description="The sender's id, if it could be read.")


class ConflictOut(ShownFact):
    """Other content under the identity of a reading; the first stands, this is shown beside it."""

    reading_id: UUID = Field(description="The reading that stands.")
    delivery_id: UUID | None = Field(description="The delivery that brought the other content.")
    content: dict[str, Any] = Field(description="The other content.")


class ExclusionOut(ShownFact):
    """An exclusion, or the lift of one."""

    reading_id: UUID = Field(description="The reading it is about.")
    reason: str = Field(description="Why.")
    lifts_id: UUID | None = Field(description="The exclusion that this lifts.")


class Because(Command):
    """Why."""

    reason: Reason = Field(examples=["taken by a visitor"])


class ReleaseBecause(Because):
    """Why a reading counts after all, and when it was measured where its time is suspect."""

    measured_at: Instant | None = Field(default=None, examples=["2026-01-14T13:15:00Z"])


def _shown(row: Reading, marks: Sequence[Mark[UUID]], *, excluded: bool) -> ReadingOut:
    values: Mapping[str, Any] = row.model_dump()
    told = [{"code": mark.code, "other_id": mark.other} for mark in marks]
    return ReadingOut.model_validate({**values, "excluded": excluded, "marks": told})


@router.get(
    "/readings",
    summary="List readings",
    description="In the order they were recorded. `state=quarantined` lists what waits for a"
    " person: unknown devices, times and values that cannot be. `marks` tell what stands out beside"
    " other readings of the patient.",
    operation_id="list_readings",
    response_model=Page[ReadingOut],
    responses=PROBLEMS,
)
def list_of_readings(
    db: ReadDb,
    actor: Annotated[Actor, permit("readings:read")],
    paging: Paging,
    patient_id: Annotated[UUID | None, Query(description="Only this patient.")] = None,
    episode_id: Annotated[UUID | None, Query(description="Only this episode.")] = None,
    device_id: Annotated[UUID | None, Query(description="Only this device.")] = None,
    from_day: Annotated[date | None, Query(description="First local day.")] = None,
    to_day: Annotated[date | None, Query(description="Last local day.")] = None,
    state: Annotated[
        Literal["counted", "refused", "quarantined", "excluded"] | None,
        Query(description="Only readings that count, do not, wait, or were taken out."),
    ] = None,
    *,
    all_versions: Annotated[bool, Query(description="Also versions that were superseded.")] = False,
) -> Page[ReadingOut]:
    """A page of readings."""
    chosen = ReadingFilter(
        patient_id, episode_id, device_id, from_day, to_day, state, all_versions=all_versions
    )
    after = after_id(paging)
    scope = Scope.of(actor)
    rows = list_readings(db, scope, chosen, after=after, limit=paging.fetch)
    marks = marks_of(db, scope, [row for row, _ in rows])
    shown = [_shown(row, marks.get(row.id, ()), excluded=excluded) for row, excluded in rows]
    return paging.page(shown, lambda row: (row.id,))


@router.get(
    "/readings/rejected",
    summary="List items that could not be read",
    description="Items of deliveries and imports that are no readings: an unknown unit, a missing"
    " field. They never count.",
    operation_id="list_rejected_items",
    response_model=Page[RejectedOut],
    responses=PROBLEMS,
)
def list_of_rejected(
    db: ReadDb, actor: Annotated[Actor, permit("readings:read")], paging: Paging
) -> Page[RejectedOut]:
    """A page of rejected items."""
    rows = page_of(db, Scope.of(actor), RejectedItem, after=after_id(paging), limit=paging.fetch)
    return paging.page([RejectedOut.model_validate(row) for row in rows], lambda row: (row.id,))


@router.get(
    "/readings/conflicts",
    summary="List readings that came again with other content",
    description="The first content stands. A sender that means a correction says so.",
    operation_id="list_reading_conflicts",
    response_model=Page[ConflictOut],
    responses=PROBLEMS,
)
def list_of_conflicts(
    db: ReadDb, actor: Annotated[Actor, permit("readings:read")], paging: Paging
) -> Page[ConflictOut]:
    """A page of conflicts."""
    rows = page_of(db, Scope.of(actor), ReadingConflict, after=after_id(paging), limit=paging.fetch)
    return paging.page([ConflictOut.model_validate(row) for row in rows], lambda row: (row.id,))


@router.post(
    "/readings/{reading_id}/exclusion",
    status_code=201,
    summary="Exclude a reading",
    description="It no longer counts, nor does any corrected version of it, until this is lifted.",
    operation_id="exclude_reading",
    response_model=ExclusionOut,
    responses=PROBLEMS,
)
def exclude(
    db: Db,
    now: Now,
    actor: Annotated[Actor, permit("readings:write")],
    reading_id: UUID,
    because: Because,
) -> Any:
    """The exclusion."""
    command = ExcludeReading(reading_id=reading_id, reason=because.reason)
    return exclude_reading(db, actor, now, command)


@router.post(
    "/readings/{reading_id}/exclusion/lift",
    status_code=201,
    summary="Lift an exclusion",
    description="The reading counts again as it did before.",
    operation_id="lift_exclusion",
    response_model=ExclusionOut,
    responses=PROBLEMS,
)
def lift(
    db: Db,
    now: Now,
    actor: Annotated[Actor, permit("readings:write")],
    reading_id: UUID,
    because: Because,
) -> Any:
    """The lift."""
    command = LiftExclusion(reading_id=reading_id, reason=because.reason)
    return lift_exclusion(db, actor, now, command)


@router.post(
    "/readings/{reading_id}/release",
    status_code=201,
    summary="Release a reading from quarantine",
    description="A named person says that it counts; where its time is suspect, also when it was"
    " measured. What waits for its device is attached by registering and assigning the device.",
    operation_id="release_reading",
    response_model=ReadingOut,
    responses=PROBLEMS,
)
def release(
    db: Db,
    now: Now,
    actor: Annotated[Actor, permit("readings:write")],
    reading_id: UUID,
    because: ReleaseBecause,
) -> ReadingOut:
    """The version that counts."""
    command = ReleaseReading(
        reading_id=reading_id, reason=because.reason, measured_at=because.measured_at
    )
    released = release_reading(db, actor, now, command)
    marks = marks_of(db, Scope.of(actor), [released])
    return _shown(released, marks.get(released.id, ()), excluded=False)


def after_id(paging: Paging) -> UUID | None:
    """The id after which the page begins."""
    found = paging.after[0] if paging.after else None
    return found if isinstance(found, UUID) else None


@router.get(
    "/readings/{reading_id}/history",
    summary="Show a reading's corrections",
    description="All versions and exclusions of a reading: who recorded each, when, why, and"
    " whether its month was closed by then. Any version may be asked for.",
    operation_id="list_reading_history",
    response_model=list[HistoryStep],
    responses=PROBLEMS,
)
def list_reading_history(
    db: ReadDb, actor: Annotated[Actor, permit("readings:read")], reading_id: UUID
) -> list[HistoryStep]:
    """The history, in the order of recording."""
    return reading_history(db, Scope.of(actor), reading_id)
