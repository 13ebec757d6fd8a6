"""What every import shares: what becomes of a row, and the way from its texts to a command.

Owns the outcome of a row and the refusals that name its field. Does not own any kind of row nor
the file they come from (``import_file``).
"""

from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError
from sqlmodel import Session

from rpm.actions.command import Command, refuse
from rpm.errors import Conflict, InvalidRequest, NotFound
from rpm.store.queries.people import patient_with_record_number
from rpm.store.scope import Scope
from rpm.store.tables.people import Patient

C = TypeVar("C", bound=Command)

ROW_ERRORS = (Conflict, InvalidRequest, NotFound)
"""What an action may answer to one row of a file; everything else stops the import."""
NO_PATIENT = "there is no patient of this record number"


@dataclass(frozen=True)
class RowTaken:
    """A row that is recorded: now, or already before (then nothing was written).

    ``remarks`` are codes of findings about it, or the reason for which a reading does not count.
    """

    new: bool
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class RowRefused:
    """A row that an action refused: the field of ours, and why."""

    field: str
    reason: str

    @classmethod
    def by(cls, error: Conflict | InvalidRequest | NotFound) -> "RowRefused":
        """The refusal that an error of an action means."""
        if isinstance(error, InvalidRequest) and error.findings:
            first = error.findings[0]
            return cls(first.where, first.message)
        return cls("row", error.message)


RowResult = RowTaken | RowRefused


def made(command: type[C], **content: Any) -> C:
    """A command of what a row gives; ``InvalidRequest`` names the first field that is wrong.

    What the row does not give (None) is left to the command's default.
    """
    try:
        return command(**{name: value for name, value in content.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise refuse(field, "E_IMPORT_ROW", first["msg"].removeprefix("Value error, ")) from None


def patient_of(db: Session, scope: Scope, record_number: str) -> Patient:
    """The patient a row is about; ``InvalidRequest`` when there is none of the record number."""
    patient = patient_with_record_number(db, scope, record_number)
    if patient is None:
        raise refuse("record_number", "E_NO_PATIENT", NO_PATIENT)
    return patient
