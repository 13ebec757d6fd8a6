"""Encounters out of text: one row of a case file or of a batch, column by column.

Owns the columns up to ``fields``, the vocabulary of ``fields`` and its grammar (reference of
telehealth rules, section 14). Does not own what is expected of a case (``cases``). What cannot be
read is a finding that names the column or the key; a value is never repeated in it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from billing.codes import is_diagnosis_code, is_place_of_service, is_procedure_code
from billing.coding.encounter import (
    CONDITIONS,
    CONSENT_POINTS,
    FACILITIES,
    FIRST_DAY,
    LEVEL_BASES,
    MDM_LEVELS,
    MODALITIES,
    PATIENT_LOCATIONS,
    PATIENT_STATUSES,
    PAYERS,
    PROVIDER_SITES,
    PROVIDER_TYPES,
    SERVICES,
    CompactRow,
    Encounter,
    Licence,
    PriorClaim,
    RelatedVisit,
)
from billing.coding.lines import Line, read_lines
from billing.finding import Finding

BAD_VALUE = "E_VISIT_VALUE"
"""Finding: a column or a key of ``fields`` that is outside the format."""
TASKS = ("CODE", "SCRUB")
COMPACTS = ("IMLC", "NLC", "PSYPACT", "PTC", "ASLP_IC", "OTC", "CC", "SWC", "PAC", "APRN", "EMS")
_STATES = (
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ"
    " NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY AS GU MP PR VI"
)
STATES = frozenset(_STATES.split())
"""USPS codes of the states, the District of Columbia and the territories."""
_MINUTES = re.compile(r"[0-9]{1,4}")
_COUNTRY = re.compile("[A-Z]{2}")

Read = Callable[[str], Any]
"""A value out of its text; ValueError with the reason, which does not repeat the text."""


@dataclass(frozen=True)
class Row:
    """One row read: its encounter, the task, the submitted lines, or why it cannot be read."""

    case_id: str
    task: str
    encounter: Encounter | None
    submitted: tuple[Line, ...]
    findings: tuple[Finding, ...]


def word(*allowed: str) -> Read:
    """One of a closed list of words."""

    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"not one of {', '.join(allowed)}")
        return text

    return read


def day(text: str) -> date:
    """A date as YYYY-MM-DD."""
    if len(text) != 10:
        raise ValueError("not a date YYYY-MM-DD")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("not a date YYYY-MM-DD") from None


def minutes(text: str) -> int:
    """Whole minutes, at most four digits."""
    if not _MINUTES.fullmatch(text):
        raise ValueError("not a whole number")
    return int(text)


def _flag(text: str) -> bool:
    return bool(word("Y", "N")(text) == "Y")


def _several(read: Read) -> Read:
    def read_list(text: str) -> tuple[Any, ...]:
        return tuple(read(part) for part in text.split("|"))

    return read_list


def _or_none(read: Read) -> Read:
    """None for ``NONE``, which says the same as leaving the key out."""
    return lambda text: None if text == "NONE" else read(text)


def _shaped(fits: Callable[[str], bool], what: str) -> Read:
    def read(text: str) -> str:
        if not fits(text):
            raise ValueError(f"not {what}")
        return text

    return read


_state = _shaped(STATES.__contains__, "a USPS state code")
_compact = word(*COMPACTS)


def _parts(text: str, least: int, most: int) -> list[str]:
    parts = text.split(":")
    if not least <= len(parts) <= most:
        raise ValueError("not the parts this key has")
    return parts


def _related(text: str) -> RelatedVisit:
    on, related = _parts(text, 2, 2)
    return RelatedVisit(day(on), word("related", "unrelated")(related) == "related")


def _licence(text: str) -> Licence:
    state, status, *ended = _parts(text, 2, 3)
    word("ACTIVE", "EXPIRED")(status)
    if (status == "EXPIRED") != bool(ended):
        raise ValueError("an expired licence has its last day, an active one has none")
    return Licence(_state(state), day(ended[0]) if ended else None)


def _compact_row(text: str) -> CompactRow:
    name, *home = _parts(text, 1, 2)
    return CompactRow(_compact(name), _state(home[0]) if home else "")


def _members(text: str) -> tuple[str, tuple[str, ...]]:
    name, states = _parts(text, 2, 2)
    return _compact(name), _several(_state)(states)


def _prior_claim(text: str) -> PriorClaim:
    on, answer, *codes = _parts(text, 2, 4)
    return PriorClaim(day(on), word("accepted", "paid", "returned", "denied")(answer), *codes)


def _shared(text: str) -> tuple[str, int]:
    name, count = _parts(text, 2, 2)
    return word("rpm", "ccm", "e_visit", "therapy")(name), minutes(count)


_presence = word("documented", "missing")

SINGLE: Mapping[str, Read] = {
    "service": word(*SERVICES),
    "code_chosen": _shaped(is_procedure_code, "a code"),
    "rendered_by": word("practitioner", "staff"),
    "payer_code_listed": _flag,
    "longitudinal_care": _flag,
    "minutes.therapy": minutes,
    "minutes.e_visit": _several(minutes),
    "minutes.e_visit_staff": _several(minutes),
    "minutes.econsult": minutes,
    "minutes.ccm_staff": minutes,
    "minutes.ccm_practitioner": minutes,
    "minutes.rpm": minutes,
    "minutes.rpm_practitioner_on_dos": minutes,
    "minutes.shared": _several(_shared),
    "minutes_documented": _flag,
    "live_contact": _flag,
    "patient_initiated": _flag,
    "portal.first_review": day,
    "image.reply_business_hours": minutes,
    "econsult.report": word("spoken_and_written", "written"),
    "last_group_visit": _or_none(day),
    "first_telehealth": _flag,
    "in_person_visit": _or_none(day),
    "in_person_exception": _or_none(word("recorded", "colleague")),
    "separate_work": _flag,
    "facility": word(*FACILITIES),
    "rural": _flag,
    "nonfacility_place": word("car", "workplace", "public"),
    "country": _shaped(lambda text: bool(_COUNTRY.fullmatch(text)), "a country of two letters"),
    "patient_location_documented": _flag,
    "clinician_location_documented": _flag,
    "practice_pos": _shaped(is_place_of_service, "a place of service"),
    "mac": word("NGS", "NORIDIAN", "PALMETTO", "NOVITAS", "CGS", "WPS", "FCSO"),
    "originating_site": word("self", "other"),
    "claim_type": word("837P", "837I"),
    "federal_demo": _flag,
    "switch.medicare_95_required": _flag,
    "consent": _presence,
    "consent_points": _several(word(*CONSENT_POINTS)),
    "consent_time": word("before", "after"),
    "video_capable": word("Y", "N", "missing"),
    "audio_reason": _presence,
    "modality_documented": _several(word("AV", "AUDIO", "ASYNC", "IN_PERSON")),
    "modality_switch_explained": _flag,
    "age": minutes,
    "guardian_consent": _presence,
    "participants": _presence,
    "assessment": _presence,
    "supervision": word("in_person", "virtual"),
    "condition": _several(word(*CONDITIONS)),
    "dx": _several(_shaped(is_diagnosis_code, "a diagnosis code")),
    "controlled_rx": _or_none(word("II", "III", "IV", "V")),
    "enrolled": _several(_state),
    "eligibility": word("active", "ma_plan", "other_payer", "terminated", "unknown"),
    "auth": word("not_required", "on_file", "missing"),
    "participating": _flag,
    "frequency_code": word("1", "7", "8"),
    "patient_paid": _flag,
}
"""Keys of ``fields`` that stand once."""
REPEATED: Mapping[str, Read] = {
    "prior_em": _related,
    "following_em": _related,
    "licence": _licence,
    "compact": _compact_row,
    "compact_members": _members,
    "prior_claim": _prior_claim,
}
"""Keys of ``fields`` that may stand several times; NONE alone says that there is none."""
_MAY_BE_NONE = ("prior_em", "following_em", "licence", "prior_claim")

_COLUMNS: Mapping[str, tuple[Read, bool]] = {
    "payer": (word(*PAYERS), True),
    "state": (_state, False),
    "dos": (day, True),
    "submit_date": (day, False),
    "provider_type": (word(*PROVIDER_TYPES), True),
    "provider_site": (word(*PROVIDER_SITES), True),
    "patient_location": (word(*PATIENT_LOCATIONS), True),
    "modality": (word(*MODALITIES), True),
    "patient_status": (word(*PATIENT_STATUSES), False),
    "level_basis": (word(*LEVEL_BASES), False),
    "mdm": (word(*MDM_LEVELS), False),
    "total_minutes": (minutes, False),
    "discussion_minutes": (minutes, False),
}
COLUMNS = ("case_id", "task", *_COLUMNS, "facts", "fields")
"""The columns of one encounter, in their order; ``submitted`` may follow."""


def read_row(row: Mapping[str, str]) -> Row:
    """The encounter a row tells, or a finding for each column and key that cannot be read."""
    values: dict[str, Any] = {}
    findings: list[Finding] = []
    for column, (read, needed) in _COLUMNS.items():
        text = row.get(column, "").strip()
        if text:
            _put(values, findings, column, column, read, text)
        elif needed:
            findings.append(Finding(BAD_VALUE, column, "is empty"))
    values.setdefault("state", "")
    _read_fields(row.get("fields", ""), values, findings)
    kept: dict[str, Any] = {"task": "CODE", "submitted": ()}
    if task := row.get("task", "").strip():
        _put(kept, findings, "task", "task", word(*TASKS), task)
    _put(kept, findings, "submitted", "submitted", read_lines, row.get("submitted", ""))
    if kept["task"] == "SCRUB" and not kept["submitted"]:
        findings.append(Finding(BAD_VALUE, "submitted", "is empty"))
    if values.get("dos", FIRST_DAY) < FIRST_DAY:
        findings.append(Finding(BAD_VALUE, "dos", "lies before 2020-01-01, where the rules begin"))
    encounter = None if findings else Encounter(**values)
    return Row(row["case_id"], kept["task"], encounter, kept["submitted"], tuple(findings))


def _put(
    values: dict[str, Any], findings: list[Finding], name: str, where: str, read: Read, text: str
) -> None:
    try:
        values[name] = read(text)
    except ValueError as error:
        findings.append(Finding(BAD_VALUE, where, str(error)))


def _read_fields(text: str, values: dict[str, Any], findings: list[Finding]) -> None:
    seen: set[str] = set()
    for item in text.split(";"):
        key, given, value = item.strip().partition("=")
        if not key and not given:
            continue
        where, name = f"fields {key}", key.replace(".", "_")
        if key not in SINGLE and key not in REPEATED:
            findings.append(Finding(BAD_VALUE, "fields", "a key that is not known"))
        elif key in SINGLE and key in seen:
            findings.append(Finding(BAD_VALUE, where, "stands twice"))
        elif key in SINGLE:
            _put(values, findings, name, where, SINGLE[key], value)
            if value == "NONE" and f"{name}_none" in Encounter.__dataclass_fields__:
                values[f"{name}_none"] = True
        elif value == "NONE" and key in _MAY_BE_NONE:
            values.setdefault(name, ())
        else:
            found: dict[str, Any] = {}
            _put(found, findings, name, where, REPEATED[key], value)
            values[name] = (*values.get(name, ()), *found.values())
        seen.add(key)
