"""The facts of a visit as a request gives them, and the encounter they make.

Owns the fields and the refusal that names one. Does not own their words (``billing.coding``).
"""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from billing.coding.encounter import (
    LEVEL_BASES,
    MDM_LEVELS,
    MODALITIES,
    PATIENT_LOCATIONS,
    PATIENT_STATUSES,
    PAYERS,
    PROVIDER_SITES,
    PROVIDER_TYPES,
    Encounter,
)
from billing.coding.encounter_text import read_row
from billing.coding.lines import Line, read_lines
from rpm.actions.command import Command, Day, OneOf, refuse
from rpm.errors import InvalidRequest

VisitPayer = Annotated[str, OneOf(PAYERS)]
LinesText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=2_000),
    Field(
        description="Lines as `code[-modifier...][@POS][xUnits]` with `;` between, or `none`.",
        examples=["99214-95@10;G2211@10"],
    ),
]


class VisitFacts(Command):
    """What was documented, in the columns of a case file (docs/coding.md)."""

    payer: VisitPayer = Field(examples=["MCR"])
    state: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = Field(
        default=None, description="Where the patient was.", examples=["OH"]
    )
    dos: Day = Field(description="Day of service.", examples=["2026-03-10"])
    provider_type: Annotated[str, OneOf(PROVIDER_TYPES)] = Field(examples=["MD"])
    provider_site: Annotated[str, OneOf(PROVIDER_SITES)] = Field(examples=["OFFICE"])
    patient_location: Annotated[str, OneOf(PATIENT_LOCATIONS)] = Field(examples=["HOME"])
    modality: Annotated[str, OneOf(MODALITIES)] = Field(examples=["AV"])
    patient_status: Annotated[str, OneOf(PATIENT_STATUSES)] | None = None
    level_basis: Annotated[str, OneOf(LEVEL_BASES)] | None = None
    mdm: Annotated[str, OneOf(MDM_LEVELS)] | None = None
    total_minutes: Annotated[int, Field(ge=0, le=1_440)] | None = None
    discussion_minutes: Annotated[int, Field(ge=0, le=1_440)] | None = None
    fields: Annotated[str, StringConstraints(strip_whitespace=True, max_length=8_000)] = Field(
        default="",
        description="Further facts as `key=value` with `;` between.",
        examples=["consent=documented;video_capable=Y"],
    )
    submitted: LinesText | None = Field(
        default=None, description="Lines to be judged; without them lines are proposed."
    )

    def row(self) -> dict[str, str]:
        """The columns of a case file, as text; a fact that was not told is left out."""
        values: dict[str, Any] = self.model_dump(mode="json", exclude_none=True)
        return {name: str(value) for name, value in values.items()}


def encounter_of(row: dict[str, str]) -> Encounter:
    """The encounter of columns; ``InvalidRequest`` with a finding for each that cannot be read."""
    columns = {name: text for name, text in row.items() if name != "submitted"}
    read = read_row({"case_id": "", **columns})
    if read.encounter is None:
        raise InvalidRequest("the request is understood but wrong", list(read.findings))
    return read.encounter


def lines_of(text: str | None, field: str = "submitted") -> tuple[Line, ...] | None:
    """Lines of a text; None without one. ``InvalidRequest`` naming the field."""
    if text is None:
        return None
    try:
        return read_lines(text)
    except ValueError as error:
        raise refuse(field, "E_VISIT_VALUE", str(error)) from None
