"""What a practice chose for its timers and typed entries.

Owns the reading of those settings. Does not own setting them (``set_practice_setting``) nor what
follows from them (``rpm.timing``, ``propose_entry``).
"""

from dataclasses import dataclass

from sqlmodel import Session

from rpm.actions.set_practice_setting import GRACE, NOTE_TEMPLATES, OFF, SETTINGS, TIMER_ROLES
from rpm.store.queries.people import practice_settings
from rpm.store.scope import Scope


@dataclass(frozen=True)
class TimerSettings:
    """Settings in the units that they are used in."""

    grace_seconds: dict[str, int | None]  # by role; None: the timer starts by hand only
    idle_seconds: int | None  # None: it never asks
    typed_limit_seconds: int | None  # None: no typed entry waits
    note_templates: tuple[str, ...]


def timer_settings(db: Session, scope: Scope) -> TimerSettings:
    """The settings that count now; the default of a new practice where none was recorded."""
    kept = practice_settings(db, scope)
    value = {
        key: kept[key].value if key in kept else setting.default
        for key, setting in SETTINGS.items()
    }
    return TimerSettings(
        grace_seconds={role: _number(value[GRACE + role]) for role in TIMER_ROLES},
        idle_seconds=_number(value["timer_idle_minutes"], 60),
        typed_limit_seconds=_number(value["typed_limit_minutes"], 60),
        note_templates=tuple(
            line.strip() for line in value[NOTE_TEMPLATES].splitlines() if line.strip()
        ),
    )


def _number(text: str, factor: int = 1) -> int | None:
    return None if text == OFF else int(text) * factor
