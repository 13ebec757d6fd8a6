"""Held: which association of a device runs, and what was recorded last about something.

Owns these parts of statements; each stands inside a larger one. Does not own lists.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlmodel import col

from rpm.store.tables.base import Fact
from rpm.store.tables.monitoring import AssociationEnd, Device, DeviceAssociation


def latest_of(table: type[Fact], value: Any, refers: Any, to: Any) -> ScalarSelect[Any]:
    """The value of the row recorded last about what ``to`` names; null when there is none.

    For a statement in which ``DeviceAssociation`` stands.
    """
    return (
        select(value)
        .where(
            col(table.organization_id) == col(DeviceAssociation.organization_id),
            col(refers) == col(to),
        )
        .order_by(col(table.audit_number).desc(), col(table.id).desc())
        .limit(1)
        .correlate_except(table)
        .scalar_subquery()
    )


def running_on(instant: datetime) -> ColumnElement[bool]:
    """Whether an association covers an instant."""
    returned_at = latest_of(
        AssociationEnd, AssociationEnd.to_at, AssociationEnd.association_id, DeviceAssociation.id
    )
    begun = col(DeviceAssociation.from_at) <= instant
    return begun & (returned_at.is_(None) | (returned_at > instant))


def last_end() -> ScalarSelect[Any]:
    """When a device last came back from anybody; null when it never did.

    For a statement in which ``Device`` stands.
    """
    tables = DeviceAssociation.metadata.tables
    held = tables[str(DeviceAssociation.__tablename__)].alias("earlier")
    end = tables[str(AssociationEnd.__tablename__)].alias("earlier_end")
    later = tables[str(AssociationEnd.__tablename__)].alias("later_end")
    counts = (
        select(func.max(later.c.audit_number))
        .where(
            later.c.organization_id == end.c.organization_id,
            later.c.association_id == end.c.association_id,
        )
        .correlate(end)
        .scalar_subquery()
    )
    return (
        select(func.max(end.c.to_at))
        .join(
            held,
            (held.c.organization_id == end.c.organization_id) & (held.c.id == end.c.association_id),
        )
        .where(
            held.c.organization_id == col(Device.organization_id),
            held.c.device_id == col(Device.id),
            end.c.audit_number == counts,
        )
        .correlate_except(held, end)
        .scalar_subquery()
    )
