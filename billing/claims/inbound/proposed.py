"""Proposals, and the parts that every reader of messages shares.

Owns their form: which names a proposal's content may have, and cleaning of its values.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from billing.finding import Finding, Severity

PATIENT, COVERAGE, VISIT = "patient", "coverage", "visit"
KINDS = (PATIENT, COVERAGE, VISIT)
FIELDS: Mapping[str, tuple[str, ...]] = {
    PATIENT: (
        *("family_name", "given_name", "birth_date", "sex"),
        *("street", "street_more", "city", "state", "postal_code", "phone"),
    ),
    COVERAGE: ("payer_name", "payer_id", "member_id", "group_number", "from_day", "to_day"),
    VISIT: ("visit_id", "started_at", "ended_at", "practitioner_npi", "modality"),
}
"""What a proposal may tell, by kind; what was not told is not there."""
FORM = "E_MESSAGE_FORM"
TYPE = "E_MESSAGE_TYPE"
NO_PATIENT = "E_NO_RECORD_NUMBER"
LEFT_OUT = "W_VALUE_LEFT_OUT"
LONGEST = 200
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True)
class Proposed:
    """What a message proposes for the patient under the practice's own record number."""

    kind: str
    record_number: str
    content: Mapping[str, str]


@dataclass
class Read:
    """What was read of a message: proposals in order, and findings about the rest.

    Without proposals and with an error it waits for a person (quarantine). ``message_id`` is the
    sender's own, empty where it gave none.
    """

    proposals: list[Proposed] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    message_id: str = ""

    def refuse(self, code: str, where: str, message: str) -> None:
        """Keep that the message, or a part of it, cannot be read."""
        self.findings.append(Finding(code, where, message))

    def leave_out(self, where: str, message: str = "It cannot be understood.") -> None:
        """Keep that a value was left out."""
        self.findings.append(Finding(LEFT_OUT, where, message))

    def propose(self, kind: str, record_number: str, where: str, **content: str) -> None:
        """A proposal of what is told; a finding where it is not said for whom."""
        number = line(record_number)
        if not number or len(number) > LONGEST:
            self.refuse(NO_PATIENT, where, "It does not say whose record number it is about.")
            return
        told = {name: line(text) for name, text in content.items() if name in FIELDS[kind]}
        for name in [name for name, text in told.items() if len(text) > LONGEST]:
            self.leave_out(f"{where}, {name}", "It is longer than 200 characters.")
            told[name] = ""
        kept = {name: text for name, text in told.items() if text}
        self.proposals.append(Proposed(kind, number, kept))

    @property
    def is_read(self) -> bool:
        """Whether something was understood, and nothing said that the rest is wrong."""
        return all(found.severity is not Severity.ERROR for found in self.findings)


def line(text: str) -> str:
    """One line of printable text; anything else becomes a blank."""
    clean = "".join(one if one.isprintable() else " " for one in text)
    return _BLANKS.sub(" ", clean).strip()


def day_of(text: str) -> str:
    """A day in ISO form of ``2026-01-31`` or of the beginning of ``20260131...``; else empty."""
    plain = text.strip()
    compact = re.match(r"(\d{4})(\d{2})(\d{2})(?:\d{2,}.*)?$", plain)
    iso = "-".join(compact.groups()) if compact else plain
    try:
        return date.fromisoformat(iso).isoformat() if len(iso) == len("2026-01-31") else ""
    except ValueError:
        return ""


def instant_of(text: str) -> str:
    """An instant in ISO form; empty for one without an offset, or none at all."""
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError:
        return ""
    return "" if read.utcoffset() is None else read.replace(microsecond=0).isoformat()
