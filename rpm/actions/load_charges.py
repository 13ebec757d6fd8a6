"""Load the practice's schedule of charges from a file, or set one charge.

Owns which rows are new: what counts already is not recorded again. Does not own the file's columns
(``rpm.imports.charges``) nor looking a charge up (``billing.claims.charges``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints
from sqlmodel import Session

from billing.claims.charges import Charge
from rpm.access import Actor, require
from rpm.actions.command import Command, Day, ProcedureCode, Reason
from rpm.actions.practice_day import refuse_backwards
from rpm.errors import InvalidRequest
from rpm.imports.charges import read_charges
from rpm.imports.read import Reject
from rpm.imports.refusals import FileRefusedError
from rpm.store.chain import recording
from rpm.store.queries.billing import charges as counting_charges
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.tables.claims import PracticeCharge


class SetCharge(Command):
    """What the practice asks for one unit of a code, from a day on."""

    procedure: ProcedureCode = Field(examples=["99457"])
    modifier: Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{2}$")] | None = None
    cents: Annotated[int, Field(ge=1, le=10_000_000)] = Field(examples=[6500])
    from_day: Day
    to_day: Day | None = Field(default=None, description="Last day, included.")
    reason: Reason


class LoadCharges(Command):
    """A file of charges; rows without a first day begin on ``first_day``."""

    name: str
    content: bytes
    first_day: Day | None = None
    reason: Reason


@dataclass(frozen=True)
class LoadedCharges:
    """How many charges are new and how many counted already, and the rows refused by line."""

    new: int
    known: int
    rejects: tuple[Reject, ...]


def set_charge(db: Session, actor: Actor, now: datetime, command: SetCharge) -> PracticeCharge:
    """The charge that counts from now on for its code, modifier and first day."""
    require(actor, "claims:write")
    refuse_backwards("to_day", command.from_day, command.to_day)
    row = PracticeCharge(**command.model_dump(exclude_none=True))
    with recording(db, actor, now, "charge.set", reason=command.reason) as record:
        return record.add(row)


def load_charges(db: Session, actor: Actor, now: datetime, command: LoadCharges) -> LoadedCharges:
    """Record what is new of a file; refused rows are told by line, the others count.

    ``InvalidRequest`` for a file that is no table of charges: nothing of it is recorded.
    """
    require(actor, "claims:write")
    try:
        found = read_charges(command.name, command.content, command.first_day)
    except FileRefusedError as error:
        raise InvalidRequest(f"the file is refused: {error}") from None
    scope = Scope.of(actor)
    hold_organization(db, scope)
    held = {_values(row) for row in counting_charges(db, scope)}
    new = [one for one in found.charges if _values(one) not in held]
    if new:
        _record(db, actor, now, command.reason, new)
    return LoadedCharges(len(new), len(found.charges) - len(new), found.rejects)


def _values(charge: Charge | PracticeCharge) -> tuple[object, ...]:
    return charge.procedure, charge.modifier, charge.from_day, charge.to_day, charge.cents


def _record(
    db: Session, actor: Actor, now: datetime, reason: str, charges: Iterable[Charge]
) -> None:
    with recording(db, actor, now, "charge.load", reason=reason) as record:
        record.add_values(
            PracticeCharge,
            (
                {
                    "procedure": one.procedure,
                    "modifier": one.modifier,
                    "cents": one.cents,
                    "from_day": one.from_day,
                    "to_day": one.to_day,
                    "reason": reason,
                }
                for one in charges
            ),
        )
