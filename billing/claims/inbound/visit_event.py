"""Events of a telehealth platform: a visit began, a visit ended.

Owns our own documented form, since platforms share none. Takes parsed JSON values. The end of a
visit proposes it; a beginning alone is kept and proposes it too, without an end.
"""

from datetime import datetime
from typing import Any

from billing.claims.inbound.proposed import FORM, TYPE, VISIT, Read, instant_of, line

TYPES = ("visit.started", "visit.ended")
MODALITIES = ("AV", "AUDIO")
_LONGEST_ID = 200


def read_visit_event(value: Any) -> Read:
    """What an event proposes. Never raises for JSON values."""
    read = Read()
    data = value.get("data") if isinstance(value, dict) else None
    if not isinstance(data, dict):
        read.refuse(FORM, "data", "An event is an object with type and data.")
        return read
    if value.get("type") not in TYPES:
        read.refuse(TYPE, "type", "Only visit.started and visit.ended are read.")
        return read
    told = {name: text for name, text in data.items() if isinstance(text, str)}
    visit_id = line(told.get("visit_id", ""))
    started = instant_of(told.get("started_at", ""))
    ended = instant_of(told.get("ended_at", ""))
    if not visit_id or len(visit_id) > _LONGEST_ID:
        read.refuse(FORM, "data.visit_id", "It is missing, or too long.")
    if not started or (value["type"] == "visit.ended" and not ended):
        read.refuse(FORM, "data.started_at, data.ended_at", "An instant with its offset is needed.")
    elif ended and _earlier(ended, started):
        read.refuse(FORM, "data.ended_at", "It lies before the beginning.")
    modality = told.get("modality", "")
    if modality and modality not in MODALITIES:
        read.leave_out("data.modality", "Only AV and AUDIO are known.")
    if not read.is_read:
        return read
    read.propose(
        VISIT,
        told.get("patient_record_number", ""),
        "data.patient_record_number",
        visit_id=visit_id,
        started_at=started,
        ended_at=ended,
        practitioner_npi=told.get("practitioner_npi", ""),
        modality=modality if modality in MODALITIES else "",
    )
    return read


def _earlier(one: str, other: str) -> bool:
    return datetime.fromisoformat(one) < datetime.fromisoformat(other)
