"""ADT messages of HL7 v2: a patient with address, and coverages.

Owns which segment and field is what. Reads A04, A08, A28 and A31; others are told and kept. The
library hl7 takes a message apart; what it cannot read is a finding.
"""

import re
from typing import Any

from billing.claims.inbound.proposed import (
    COVERAGE,
    FORM,
    PATIENT,
    TYPE,
    Read,
    day_of,
    line,
)

EVENTS = frozenset({"A04", "A08", "A28", "A31"})
"""Registered, changed, added and changed without a visit: each tells the patient as known there."""
_SEXES = frozenset({"F", "M", "U"})
_NULL = '""'
_LATIN = "8859/1"


def read_adt(content: bytes) -> Read:
    """What a message proposes. Never raises for what a sender can send."""
    read = Read()
    message = _message(content, read)
    if message is None:
        return read
    header = message.segment("MSH")
    read.message_id = line(_of(message, header, 10))[:200]
    kind, event = _of(message, header, 9), _of(message, header, 9, 2)
    if kind != "ADT" or event not in EVENTS:
        read.refuse(TYPE, "MSH-9", "Only ADT messages A04, A08, A28 and A31 are read.")
        return read
    patients = [one for one in message if str(one[0]) == "PID"]
    if len(patients) != 1:
        read.refuse(FORM, "PID", "A message tells of one patient.")
        return read
    number = _record_number(message, patients[0])
    _patient(message, patients[0], number, read)
    for place, one in enumerate((one for one in message if str(one[0]) == "IN1"), start=1):
        _coverage(message, one, number, place, read)
    return read


def _message(content: bytes, read: Read) -> Any:
    """The message taken apart; None, with a finding, where it is none."""
    import hl7  # here: it is needed by messages alone

    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
        if _LATIN not in text.split("\r", 1)[0]:
            read.refuse(FORM, "MSH-18", "The bytes are neither UTF-8 nor of a told set.")
            return None
    text = text.replace("\r\n", "\r").replace("\n", "\r").strip("\r\x0b\x1c \t")
    if not text.startswith("MSH") or text.count("\rMSH") > 0:
        read.refuse(FORM, "MSH", "It is not one HL7 v2 message that begins with MSH.")
        return None
    marks = text[3:8]
    if len(set(marks)) < len("|^~\\&") or any(one.isalnum() or one.isspace() for one in marks):
        read.refuse(FORM, "MSH", "Its separators cannot be read.")
        return None
    try:
        message = hl7.parse(f"{text}\r")
        message.segment("MSH")
    except (hl7.HL7Exception, ValueError, LookupError, TypeError, AssertionError):
        read.refuse(FORM, "MSH", "Its separators cannot be read.")
        return None
    return message


def _of(message: Any, segment: Any, field: int, component: int = 1, repeat: int = 1) -> str:
    """A component as its text was meant; empty where it is not there or said to be empty."""
    import hl7

    try:
        held = segment(field)
        while isinstance(held, hl7.Repetition | hl7.Field | hl7.Component):
            if isinstance(held, hl7.Field) and isinstance(held[0], hl7.Repetition):
                held = held[repeat - 1]
            elif isinstance(held, hl7.Repetition):
                held, component = held[component - 1], 1
            else:
                held, component = held[component - 1], 1
        told = str(held) if component == 1 else ""
        return "" if told == _NULL else line(_unescaped(message, told))
    except (IndexError, KeyError, ValueError, TypeError):
        return ""


def _unescaped(message: Any, told: str) -> str:
    """Escaped separators as they were meant; any other escape, such as a line break, is a blank.

    Not by the library: it writes values that it cannot unescape into the log.
    """
    header = message.segment("MSH")
    field, (component, repetition, escape, part) = str(header[1]), list(str(header[2]))
    meant = {"F": field, "S": component, "R": repetition, "E": escape, "T": part}
    mark = re.escape(escape)
    return re.sub(f"{mark}([^{mark}]*){mark}", lambda one: meant.get(one[1], " "), told)


def _repeats(segment: Any, field: int) -> int:
    import hl7

    try:
        held = segment(field)
    except (IndexError, KeyError):
        return 0
    return len(held) if isinstance(held, hl7.Field) and isinstance(held[0], hl7.Repetition) else 1


def _record_number(message: Any, patient: Any) -> str:
    """The id of the type MR, else the first."""
    places = range(1, _repeats(patient, 3) + 1)
    of_type = [place for place in places if _of(message, patient, 3, 5, place) == "MR"]
    return _of(message, patient, 3, 1, of_type[0] if of_type else 1)


def _patient(message: Any, told: Any, number: str, read: Read) -> None:
    born, sex = _of(message, told, 7), _of(message, told, 8)
    if born and not day_of(born):
        read.leave_out("PID-7")
    if sex and sex not in _SEXES:
        read.leave_out("PID-8", "Only F, M and U are known.")
    read.propose(
        PATIENT,
        number,
        "PID",
        family_name=_of(message, told, 5),
        given_name=_of(message, told, 5, 2),
        birth_date=day_of(born),
        sex=sex if sex in _SEXES else "",
        street=_of(message, told, 11),
        street_more=_of(message, told, 11, 2),
        city=_of(message, told, 11, 3),
        state=_of(message, told, 11, 4),
        postal_code=_of(message, told, 11, 5),
        phone=_of(message, told, 13),
    )


def _coverage(message: Any, told: Any, number: str, place: int, read: Read) -> None:
    for field in (12, 13):
        if _of(message, told, field) and not day_of(_of(message, told, field)):
            read.leave_out(f"IN1-{field} of {place}")
    read.propose(
        COVERAGE,
        number,
        f"IN1 of {place}",
        payer_id=_of(message, told, 3),
        payer_name=_of(message, told, 4),
        group_number=_of(message, told, 8),
        from_day=day_of(_of(message, told, 12)),
        to_day=day_of(_of(message, told, 13)),
        member_id=_of(message, told, 36) or _of(message, told, 49),
    )
