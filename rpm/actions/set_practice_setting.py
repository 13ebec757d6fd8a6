"""Choose how the practice reads what the field disagrees about, and other settings.

Owns the known keys, what each may hold and its default. Does not own what a profile does
(``billing.rules.profiles``).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field
from sqlmodel import Session

from billing.rules.book import RuleBook
from billing.rules.fees import NATIONAL
from rpm.access import Actor, require
from rpm.actions.command import Command, OneOf, Reason, refuse
from rpm.store.chain import recording
from rpm.store.rule_books import book_of
from rpm.store.tables.people import PracticeSetting

OFF = "off"
GRACE = "timer_grace_"
"""Followed by a role: seconds from opening a chart until the timer starts by itself."""
TIMER_ROLES = ("practice_admin", "practitioner", "clinical_staff")
"""Roles that log work."""
NOTE_TEMPLATES = "note_templates"
RETENTION_YEARS = "retention_years"
CLAIMS_TWO_PERSONS = "claims_two_persons_above"
OVERPAYMENT_DAYS = "overpayment_days"
ASK_ELIGIBILITY_DAYS = "ask_eligibility_days"
_MOST_DOLLARS = 1_000_000
_DAYS_OF_A_YEAR = frozenset(str(day) for day in range(1, 366))
_MOST_TEMPLATE_CHARACTERS = 8_000
_USUAL_TEMPLATES = """\
Reviewed readings since the last contact; all within the patient's limits.
Reviewed readings outside the patient's limits; talked about symptoms and medication.
Taught the patient how to measure, and how often.
Reached voicemail; left a message to call back.
"""


@dataclass(frozen=True)
class KnownSetting:
    """A setting: its value in a new practice, what it may hold, and what it is about."""

    default: Any
    holds: Callable[[Any, RuleBook], bool]
    about: str


def _number_or_off(least: int, most: int) -> Callable[[Any, RuleBook], bool]:
    words = {OFF, *(str(number) for number in range(least, most + 1))}
    return lambda value, _: isinstance(value, str) and value in words


def _is_dollars_or_off(value: str) -> bool:
    digits = value.isascii() and value.isdigit() and len(value) <= len(str(_MOST_DOLLARS))
    return value == OFF or (digits and int(value) <= _MOST_DOLLARS)


SETTINGS: dict[str, KnownSetting] = {
    "profile": KnownSetting(
        "P0",
        lambda value, book: isinstance(value, str) and value in book.profiles,
        "the profile that reads the open questions, such as P0, NGS or THRESHOLD",
    ),
    "count_cgm_days": KnownSetting(
        default=False,
        holds=lambda value, _: isinstance(value, bool),
        about="whether days of continuous glucose monitoring count as device days",
    ),
    "close_on_day": KnownSetting(
        default="by-hand",
        holds=lambda value, _: value == "by-hand" or value in {str(day) for day in range(1, 29)},
        about="the day (1 to 28) on which the month before is closed, or by-hand",
    ),
    "locality": KnownSetting(
        default=NATIONAL,
        holds=lambda value, book: value == NATIONAL or value in book.fees.localities,
        about="the locality of a loaded table of factors that amounts are computed for, by"
        " contractor and number such as 01112-05, or national",
    ),
    **{
        GRACE + role: KnownSetting(
            default=OFF if role == "practice_admin" else "5",
            holds=_number_or_off(0, 120),
            about=f"the seconds (0 to 120) after which opening a chart starts the timer of a"
            f" {role}, or off",
        )
        for role in TIMER_ROLES
    },
    "timer_idle_minutes": KnownSetting(
        default="10",
        holds=_number_or_off(1, 120),
        about="the minutes (1 to 120) without activity after which a timer asks, or off",
    ),
    "typed_limit_minutes": KnownSetting(
        default="30",
        holds=_number_or_off(1, 1440),
        about="the minutes (1 to 1440) above which an entry typed afterwards waits for another"
        " person's approval, or off",
    ),
    CLAIMS_TWO_PERSONS: KnownSetting(
        default=OFF,
        holds=lambda value, _: isinstance(value, str) and _is_dollars_or_off(value),
        about="the whole dollars (0 to 1000000) above which a claim needs two persons to be"
        " released or written off, or off",
    ),
    OVERPAYMENT_DAYS: KnownSetting(
        default="60",
        holds=lambda value, _: isinstance(value, str) and value in _DAYS_OF_A_YEAR,
        about="the days (1 to 365) from a payer's reversal until an overpayment is due; 60 is a"
        " common figure that was not read at its source, so check it for each payer",
    ),
    ASK_ELIGIBILITY_DAYS: KnownSetting(
        default=OFF,
        holds=_number_or_off(1, 365),
        about="the days (1 to 365) after which a file of inquiries asks about an enrolled patient"
        " again, made each day, or off",
    ),
    RETENTION_YEARS: KnownSetting(
        default=OFF,
        holds=_number_or_off(1, 99),
        about="the years (1 to 99) after which the payload of a delivery may be removed, or off",
    ),
    NOTE_TEMPLATES: KnownSetting(
        default=_USUAL_TEMPLATES,
        holds=lambda value, _: isinstance(value, str) and len(value) <= _MOST_TEMPLATE_CHARACTERS,
        about="the notes that a stopped timer offers, one on each line",
    ),
}


class SetPracticeSetting(Command):
    """A setting gets another value, for a reason."""

    key: Annotated[str, OneOf(tuple(SETTINGS))] = Field(examples=["profile"])
    value: bool | str = Field(examples=["NGS"])
    reason: Reason = Field(examples=["our contractor is NGS"])


def set_practice_setting(
    db: Session, actor: Actor, now: datetime, command: SetPracticeSetting
) -> PracticeSetting:
    """The setting that counts from now on; ``InvalidRequest`` for a value it cannot hold."""
    require(actor, "rules:write")
    known = SETTINGS[command.key]
    if not known.holds(command.value, book_of(db, actor.organization_id)):
        raise refuse("value", "E_UNKNOWN_WORD", f"it must be {known.about}")
    with recording(db, actor, now, "setting.set", reason=command.reason) as record:
        setting = record.add(PracticeSetting(**command.model_dump()))
        record.subject["setting_id"] = setting.id
    return setting
