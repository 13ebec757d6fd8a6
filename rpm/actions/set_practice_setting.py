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


@dataclass(frozen=True)
class KnownSetting:
    """A setting: its value in a new practice, what it may hold, and what it is about."""

    default: Any
    holds: Callable[[Any, RuleBook], bool]
    about: str


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
