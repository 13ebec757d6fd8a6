"""Event keys: the name of a billable event that stays the same however often it is computed.

Owns the text: subject, code and first day of the period. A window belongs to its episode, a month
to its patient. The text holds ids and a code only and may stand in an address.
"""

import re
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from billing.codes import is_procedure_code

_KEY = re.compile(r"(episode|patient)\.([0-9a-f]{32})\.([0-9A-Z]{5})\.(\d{4}-\d{2}-\d{2})")


@dataclass(frozen=True)
class NamedEvent:
    """What an event key says."""

    subject: str  # episode or patient
    subject_id: UUID
    code: str
    period_start_day: date

    @property
    def key(self) -> str:
        """The key as text."""
        return event_key(self.subject, self.subject_id.hex, self.code, self.period_start_day)


def event_key(subject: str, subject_hex: str, code: str, period_start_day: date) -> str:
    """The key of an event; ``subject_hex`` is the id without dashes."""
    return f"{subject}.{subject_hex}.{code}.{period_start_day}"


def named_event(key: str) -> NamedEvent:
    """What a key says; ValueError when it is not one."""
    found = _KEY.fullmatch(key)
    if found is None or not is_procedure_code(found[3]):
        raise ValueError("not the key of an event")
    return NamedEvent(found[1], UUID(found[2]), found[3], date.fromisoformat(found[4]))
