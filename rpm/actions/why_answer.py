"""The answer to why: the shape in which a patient's month is told, to people and to machines.

Owns the fields. Does not own finding them (``rpm.actions.why``) nor the text for people
(``rpm.actions.why_text``).
"""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

DAYS_OR_SECONDS = Literal["days", "seconds"]


class LineTold(BaseModel):
    """A line that leaves, or would."""

    code: str = Field(examples=["99454"])
    units: int
    service_day: date
    episode_id: UUID = Field(description="Of a month: the latest episode with an entry in it.")


class FindingTold(BaseModel):
    """A finding in words."""

    code: str = Field(examples=["E_TIME_BELOW_MIN"])
    title: str
    message: str
    fix: str = Field(description="What to do about it.")
    who: str = Field(description="Who can do it.")
    concerns: str = Field(description="Ladder or code it concerns; may be empty.")
    amount: int = Field(description="Days, seconds or units it speaks of; 0 where it has none.")


class BandTold(BaseModel):
    """A band of a ladder, with where it was read and how far it is known."""

    at_least: int = Field(description="Days or seconds.")
    at_most: int | None
    codes: list[str] = Field(
        description="What it earns; `CODE per N` is one unit for each full N beyond `at_least`.",
        examples=[["99457", "99458 per 1200"]],
    )
    status: str = Field(examples=["SETTLED"])
    sources: list[str] = Field(description="Ids; `rpm-ledger rules show sources` tells them.")
    note: str


class DayTried(BaseModel):
    """A day with a reading that counts, received that day."""

    episode_id: UUID
    day: date
    kind: str = Field(examples=["bp"])


class EntryTried(BaseModel):
    """Work by a person who did nothing else, without a start."""

    episode_id: UUID
    day: date
    duration_seconds: int
    role: str = Field(examples=["qhp"])
    work: str = Field(examples=["RPM"])
    mode: str = Field(examples=["live"])


class MoreTold(BaseModel):
    """What some more days or seconds would change: both sides are calculated, nothing is stored."""

    unit: DAYS_OR_SECONDS
    amount: int
    days: list[DayTried]
    entries: list[EntryTried]
    as_of: date = Field(
        description="Both sides as of this day: of a running period, the day after its last."
    )
    gained: list[LineTold] = Field(description="Lines of the patient that they bring.")
    lost: list[LineTold] = Field(description="Lines that these replace.")
    reachable: bool = Field(description="The time left in the period is enough.")


class LadderTold(BaseModel):
    """One ladder of one period."""

    name: str = Field(examples=["device-supply"])
    role: str = Field(description="supply, setup, management or review.")
    measure: str = Field(description="device_days, seconds or practitioner_seconds.")
    unit: DAYS_OR_SECONDS
    amount: int = Field(description="Of the measure, in the unit.")
    logged_seconds: int = Field(
        description="Of the entries that count; overlaps among them count once."
    )
    bands: list[BandTold]
    billed: list[LineTold]
    not_billed_because: list[str] = Field(description="Why nothing leaves, in sentences.")
    lacks_live: bool = Field(description="A live contact is needed and there is none.")
    findings: list[FindingTold]
    more: list[MoreTold] = Field(
        description="One more day or minute; then what the next code needs, where that is more."
    )


class PeriodTold(BaseModel):
    """A window or a month; without days where no reading of the month opened a window."""

    kind: str = Field(description="device-supply-30 or calendar-month.")
    program: str = Field(examples=["RPM"])
    episode_id: UUID
    start_day: date | None
    end_day: date | None
    state: str = Field(description="open, closed or ended.")
    service_day: date | None
    payer_key: str = Field(description="Empty without coverage on the service day.")
    rule_page_id: str = Field(description="Empty where no page is in force.")
    findings: list[FindingTold] = Field(description="About the period as a whole.")
    ladders: list[LadderTold]


class LeftOutTold(BaseModel):
    """Readings or entries that do not count, for one reason."""

    what: Literal["readings", "entries"]
    episode_id: UUID
    reason: str = Field(examples=["manual_entry"])
    words: str = Field(description="The reason in words.", examples=["entered by hand"])
    finding: str = Field(description="The finding that tells of it; may be empty.")
    count: int = Field(description="0 where only a part of entries is left out.")
    seconds: int
    days: list[date]


class ServiceTold(BaseModel):
    """Another service of the patient on file in these days."""

    service_day: date
    code: str
    own: bool = Field(description="False: another practice's.")


class CodeTold(BaseModel):
    """The answer for one code."""

    code: str
    label: str = Field(description="Short label of our own; empty for a code no page knows.")
    state: Literal["billed", "not_billed", "unknown"] = Field(
        description="`unknown`: no ladder of the pages asked earns this code."
    )
    lines: list[LineTold]
    sentences: list[str] = Field(description="The answer in words.")
    takes: MoreTold | None = Field(description="What would bring it; null where more would not.")


class MonthWhy(BaseModel):
    """One patient's month: what leaves, what does not, and why."""

    patient_id: UUID
    month: str = Field(examples=["2026-01"])
    as_of: date
    known_day: date = Field(description="Rule pages known on this day judge.")
    known_audit_number: int | None = Field(description="Null: all facts known now.")
    notes: list[str] = Field(description="Sentences on a month of which little can be told.")
    periods: list[PeriodTold] = Field(description="Windows, then months.")
    left_out: list[LeftOutTold]
    services: list[ServiceTold]
    asked: CodeTold | None = Field(description="Null unless a code was asked for.")
