"""Fields of each kind of file: which are required, and how their text is read.

Owns the tables and the reading of single texts. Does not own which column holds a field
(``profile``) nor putting fields together (``entries``, ``readings``, ``read``). A text that cannot
be read raises ValueError with a reason that does not repeat it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from zoneinfo import ZoneInfo

from billing.ledger.facts import END_REASONS, KINDS, MODES, PROGRAMS, ROLES, SETTINGS, WORK
from devices.kinds import KINDS as READING_KINDS
from rpm.imports.times import parse_clock, parse_day, parse_full_day

_LONGEST_TEXT = 500
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_YES = frozenset({"yes", "y", "true", "t", "1", "x"})
_NO = frozenset({"no", "n", "false", "f", "0"})
_SEXES = {"f": "F", "female": "F", "m": "M", "male": "M", "u": "U", "unknown": "U"}
_CODE = re.compile(r"[A-Z0-9]{5}")
_DIAGNOSIS = re.compile(r"[A-TV-Z]\d[A-Z0-9](?:\.?[A-Z0-9]{1,4})?")
_NPI = re.compile(r"\d{10}")
_PLAIN_NUMBER = re.compile(r"[-+]?\d{1,9}(?:\.\d{1,12})?", re.ASCII)
_POS = re.compile(r"\d{1,2}")

Reader = Callable[[str, str], object]
"""Takes a text and the profile's date order."""


@dataclass(frozen=True)
class Rule:
    """How one field is read, and what stands for a text that is not there."""

    read: Reader
    required: bool = False
    dated: bool = False
    default: object = None


def _text(text: str, _order: str) -> str:
    if len(text) > _LONGEST_TEXT or _CONTROL.search(text):
        raise ValueError(f"longer than {_LONGEST_TEXT} characters or with control characters")
    return text


def _flag(text: str, _order: str) -> bool:
    word = text.lower()
    if word not in _YES | _NO:
        raise ValueError("neither yes nor no")
    return word in _YES


def _word(words: tuple[str, ...], text: str, _order: str) -> str:
    known = {word.casefold(): word for word in words if word}
    if text.casefold() not in known:
        raise ValueError(f"not one of {', '.join(known.values())}")
    return known[text.casefold()]


def _matching(shape: re.Pattern[str], name: str, text: str, _order: str) -> str:
    if not shape.fullmatch(text.upper()):
        raise ValueError(f"does not have the shape of {name}")
    return text.upper()


def _sex(text: str, _order: str) -> str:
    if text.lower() not in _SEXES:
        raise ValueError("not one of F, M, U")
    return _SEXES[text.lower()]


def _pos(text: str, order: str) -> int:
    return int(_matching(_POS, "a place of service", text, order))


def _zone(text: str, _order: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise ValueError("not the name of a zone, such as America/Chicago") from None
    return text


def _diagnoses(text: str, order: str) -> tuple[str, ...]:
    found = [part for part in re.split(r"[\s;,|]+", text) if part]
    return tuple(_matching(_DIAGNOSIS, "a diagnosis code", part, order) for part in found)


def _seconds(text: str, _order: str, unit_seconds: int = 1) -> int:
    if not _PLAIN_NUMBER.fullmatch(text):
        raise ValueError("not a number")
    seconds = Decimal(text) * unit_seconds
    if seconds != seconds.to_integral_value():
        raise ValueError("not a whole number of seconds")
    return int(seconds)


def _clock(text: str, _order: str) -> object:
    return parse_clock(text)


def _raw(text: str, _order: str) -> str:
    return text


def _words(words: tuple[str, ...]) -> Reader:
    return partial(_word, words)


NEEDED_TEXT = Rule(_text, required=True)
TEXT = Rule(_text)
DAY = Rule(parse_day, dated=True)
NPI = Rule(partial(_matching, _NPI, "an NPI"))
NO_UNLESS_SAID = Rule(_flag, default=False)
YES_UNLESS_SAID = Rule(_flag, default=True)

_PATIENTS = {
    "record_number": NEEDED_TEXT,
    "family_name": NEEDED_TEXT,
    "given_name": NEEDED_TEXT,
    "birth_date": Rule(parse_full_day, required=True, dated=True),
    "sex": Rule(_sex, default="U"),
    "timezone": Rule(_zone),
}
_COVERAGES = {
    "record_number": NEEDED_TEXT,
    "payer": NEEDED_TEXT,
    "payer_name": TEXT,
    "member_id": NEEDED_TEXT,
    "from_day": Rule(parse_day, required=True, dated=True),
    "to_day": DAY,
}
_EPISODES = {
    "record_number": NEEDED_TEXT,
    "program": Rule(_words(PROGRAMS), required=True),
    "setting": Rule(_words(SETTINGS), default="OFFICE"),
    "pos": Rule(_pos, default=11),
    "profile": TEXT,
    "opened_day": Rule(parse_day, required=True, dated=True),
    "setup_day": DAY,
    "setup_note": TEXT,
    "setup_billed": NO_UNLESS_SAID,
    "reorder": NO_UNLESS_SAID,
    "order_day": DAY,
    "ordering_npi": NPI,
    "order_device_kind": Rule(_words(KINDS)),
    "order_reason": TEXT,
    "diagnosis_codes": Rule(_diagnoses, default=()),
    "consent_day": DAY,
    "consent_mode": Rule(_words(("verbal", "written", "electronic"))),
    "consent_taken_by": TEXT,
    "cost_share_told": NO_UNLESS_SAID,
    "established_from_day": DAY,
    "prior_auth_from_day": DAY,
    "prior_auth_to_day": DAY,
    "prior_auth_reference": TEXT,
    "device_vendor": TEXT,
    "device_id": TEXT,
    "device_kind": Rule(_words(KINDS)),
    "device_listed": NO_UNLESS_SAID,
    "device_automatic": NO_UNLESS_SAID,
    "last_day": DAY,
    "end_reason": Rule(_words(END_REASONS)),
}
_SERVICES = {
    "record_number": NEEDED_TEXT,
    "code": Rule(partial(_matching, _CODE, "a CPT or HCPCS code"), required=True),
    "service_day": Rule(parse_day, required=True, dated=True),
    "own": YES_UNLESS_SAID,
    "practitioner_npi": NPI,
    "note": TEXT,
}
_ENTRIES = {
    "entry_id": TEXT,
    "record_number": NEEDED_TEXT,
    "actor": NEEDED_TEXT,
    "role": Rule(_words(ROLES), required=True),
    "work": Rule(_words(WORK), required=True),
    "mode": Rule(_words(MODES), required=True),
    "activity": NEEDED_TEXT,
    "note": TEXT,
    "day": DAY,
    "start_time": Rule(_clock),
    "end_time": Rule(_clock),
    "started_at": Rule(_raw, dated=True),
    "ended_at": Rule(_raw, dated=True),
    "duration_seconds": Rule(_seconds),
    "duration_minutes": Rule(partial(_seconds, unit_seconds=60)),
}
_READINGS = {
    "vendor_reading_id": TEXT,
    "device_id": NEEDED_TEXT,
    "patient_ref": NEEDED_TEXT,
    "kind": Rule(_words(tuple(READING_KINDS)), required=True),
    "measured_at": Rule(_raw, required=True, dated=True),
    "offset": Rule(_raw),
    "entry_method": Rule(
        _words(("device", "manual", "control", "test", "unknown")), default="unknown"
    ),
    "status": Rule(_words(("final", "corrected", "deleted")), default="final"),
    "replaces": TEXT,
}

FIELDS: Mapping[str, Mapping[str, Rule]] = MappingProxyType(
    {
        "patients": _PATIENTS,
        "coverages": _COVERAGES,
        "episodes": _EPISODES,
        "readings": _READINGS,
        "entries": _ENTRIES,
        "services": _SERVICES,
    }
)
"""Fields of each kind of file, by the names a profile uses."""
