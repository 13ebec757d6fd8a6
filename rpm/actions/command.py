"""What every command shares: strictness, and the types of its fields.

Owns the base class, the field types and the refusal that names a field. Does not own any command:
each stands beside its action. Commands read parsed JSON: days, instants and ids come as ISO text
or as values, everything else in its own type (``false`` is not 0). No refusal echoes a value.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
)
from pydantic_core import CoreSchema, core_schema

from billing.codes import is_diagnosis_code, is_procedure_code, npi_is_valid
from billing.finding import Finding
from rpm.clock import zone
from rpm.errors import InvalidRequest

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_FIRST_YEAR, _LAST_YEAR = 1850, 2150
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Command(BaseModel):
    """A request to change the record: no unknown fields, no guessed types, never changed."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def refuse(field: str, code: str, message: str) -> InvalidRequest:
    """The error of a request whose ``field`` is wrong; ``message`` must not hold its value."""
    return InvalidRequest("the request is understood but wrong", [Finding(code, field, message)])


@dataclass(frozen=True)
class OneOf:
    """Text from a closed list."""

    words: tuple[str, ...]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """The list as an enumeration, also in the OpenAPI file."""
        return core_schema.literal_schema(list(self.words))


def _day(value: object) -> object:
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError("there is no such day in the calendar") from None
    return value


def _of_our_time(value: date) -> date:
    # far enough from the ends of the calendar to reckon with zones and days
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise ValueError(f"years from {_FIRST_YEAR} to {_LAST_YEAR} are taken")
    return value


def _instant(value: object) -> object:
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("not an ISO 8601 instant") from None
    return value


def _whole_aware(value: datetime) -> datetime:
    if value.utcoffset() is None:
        raise ValueError("an instant needs its offset from UTC")
    if value.microsecond:
        raise ValueError("an instant is given in whole seconds")
    _of_our_time(value)
    return value.astimezone(UTC)


def _id(value: object) -> object:
    if isinstance(value, str):
        try:
            return UUID(value)
        except ValueError:
            raise ValueError("not a UUID") from None
    return value


def _printable(value: str) -> str:
    if _CONTROL.search(value):
        raise ValueError("control characters are not allowed")
    return value


def _is_zone(name: str) -> bool:
    try:
        zone(name)
    except InvalidRequest:
        return False
    return True


def _checked(message: str, holds: Callable[[str], bool]) -> AfterValidator:
    def check(value: str) -> str:
        if not holds(value):
            raise ValueError(message)
        return value

    return AfterValidator(check)


Day = Annotated[date, BeforeValidator(_day), AfterValidator(_of_our_time)]
"""A calendar day, ``2026-01-31``."""
Instant = Annotated[datetime, BeforeValidator(_instant), AfterValidator(_whole_aware)]
"""An aware instant in whole seconds, ``2026-01-31T14:05:00Z``; kept as UTC."""
Month = Annotated[
    str,
    StringConstraints(pattern=r"^20\d\d-(0[1-9]|1[0-2])$"),
    Field(description="Year and month.", examples=["2026-01"]),
]
Id = Annotated[UUID, BeforeValidator(_id)]
"""The id of a row of this organization."""
NOT_BLANK = Field(json_schema_extra={"pattern": r"\S"})
"""Of a text that is stripped and has to be something: white space alone is described as wrong."""
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    NOT_BLANK,
    AfterValidator(_printable),
]
"""One line of text that says something."""
Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=4000),
    NOT_BLANK,
    AfterValidator(_printable),
]
"""Some lines of text."""
Reason = Annotated[Name, Field(description="Why, in words of the person who asks.")]
Zone = Annotated[
    str,
    _checked("not an IANA time zone name", _is_zone),
    Field(examples=["America/Chicago"]),
]
Npi = Annotated[
    str,
    _checked("not an NPI: ten digits with a right check digit", npi_is_valid),
    Field(examples=["1234567893"]),
]
PayerKey = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,63}$"),
    Field(examples=["MEDICARE_B"], description="Key of the rule book."),
]
ProcedureCode = Annotated[str, _checked("not the shape of a CPT or HCPCS code", is_procedure_code)]
DiagnosisCode = Annotated[str, _checked("not the shape of an ICD-10-CM code", is_diagnosis_code)]
