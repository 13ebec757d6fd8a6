"""Add a practitioner: a person who may order or bill, by NPI.

Owns what makes the same practitioner. Does not own access (``manage_access``).
"""

from datetime import datetime

from pydantic import Field
from sqlmodel import Session

from rpm.access import Actor, require
from rpm.actions.command import Command, Name, Npi
from rpm.actions.natural_key import same_or_conflict
from rpm.store.chain import recording
from rpm.store.queries.people import hold_organization, practitioner_with_npi
from rpm.store.scope import Scope
from rpm.store.tables.people import Practitioner


class AddPractitioner(Command):
    """A practitioner of the practice."""

    name: Name = Field(examples=["Dr. Alex Example"])
    npi: Npi
    taxonomy: Name | None = Field(default=None, examples=["207R00000X"])
    credential: Name = Field(examples=["MD"], description="As it stands behind the name.")


def add_practitioner(
    db: Session, actor: Actor, now: datetime, command: AddPractitioner
) -> Practitioner:
    """The practitioner of the NPI; ``Conflict`` when it is recorded with other content."""
    require(actor, "users:manage")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    wanted = command.model_dump()
    recorded = practitioner_with_npi(db, scope, command.npi)
    if recorded is not None:
        return same_or_conflict(recorded, wanted, "the NPI is recorded with other content")
    with recording(db, actor, now, "practitioner.add") as record:
        practitioner = record.add(Practitioner(**wanted))
        record.subject["practitioner_id"] = practitioner.id
    return practitioner
