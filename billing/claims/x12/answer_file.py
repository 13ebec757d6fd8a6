"""A received file as everything it says: interchanges, groups, claims and remittances.

Owns which reader takes which part, so that one file may hold several kinds. Does not own any
reader, nor eligibility answers (271), which only their kind is told of here.
"""

import re
from dataclasses import dataclass

from billing.claims.remittance import Remittance
from billing.claims.x12.ack999 import GroupAnswer, InterchangeAnswer, read_999, read_ta1
from billing.claims.x12.kind import (
    CLAIMS_ACKNOWLEDGED,
    ENVELOPE,
    FILE_ACKNOWLEDGED,
    REMITTANCE,
    UNKNOWN,
    Told,
    interchanges,
    kind_of,
    kind_of_set,
    parts,
)
from billing.claims.x12.p837_read import transaction_sets
from billing.claims.x12.remit835 import read_835
from billing.claims.x12.segments import NotX12Error, Opened
from billing.claims.x12.status277ca import ClaimsAnswer, read_277ca
from billing.finding import Finding

_ACKNOWLEDGES = re.compile(rb"ST[^A-Za-z0-9\s](?:999|277)[^A-Za-z0-9\s]")


@dataclass(frozen=True)
class Answers:
    """What a file says; ``findings`` are those about the file, others stand in its parts."""

    told: Told
    interchange_answers: tuple[InterchangeAnswer, ...] = ()
    group_answers: tuple[GroupAnswer, ...] = ()
    claims_answers: tuple[ClaimsAnswer, ...] = ()
    remittances: tuple[Remittance, ...] = ()
    findings: tuple[Finding, ...] = ()
    readable: bool = True


def read_answers(content: bytes) -> Answers:
    """Everything a file says. Raises nothing: a file that is no answer says so in a finding."""
    told = kind_of(content)
    # a remittance is read by another reader: of its many segments only the envelope is looked at
    only_money = told.kind == REMITTANCE and not _ACKNOWLEDGES.search(content)
    opened = interchanges(content, ENVELOPE if only_money else ())
    if not opened:
        message = "The file is no X12: it does not begin with an interchange header."
        return Answers(told, findings=(Finding("E_NOT_X12", "ISA", message),), readable=False)
    if told.kind == UNKNOWN:
        message = "The file is X12, but no answer: no TA1, 999, 277CA, 271 or 835."
        return Answers(told, findings=(Finding("E_NO_ANSWER", "ST01", message),), readable=False)
    findings = [one for part in opened for one in _envelope(part)]
    if len(opened) < len(parts(content)):
        message = "An interchange of the file cannot be read; the others are."
        findings.append(Finding("E_INTERCHANGE", "ISA", message))
    groups, claims = _acknowledgments(opened)
    remittances: tuple[Remittance, ...] = ()
    if told.kind == REMITTANCE:
        try:
            read = read_835(content)
        except NotX12Error:
            message = "The file's remittances cannot be read."
            return Answers(told, findings=(Finding("E_NOT_X12", "ISA", message),), readable=False)
        remittances = read.remittances
        findings += read.findings
    return Answers(
        told,
        tuple(one for part in opened for one in read_ta1(part.segments)),
        tuple(groups),
        tuple(claims),
        remittances,
        tuple(findings),
    )


def _acknowledgments(opened: list[Opened]) -> tuple[list[GroupAnswer], list[ClaimsAnswer]]:
    groups: list[GroupAnswer] = []
    claims: list[ClaimsAnswer] = []
    for part in opened:
        for segments in transaction_sets(part.segments):
            kind = kind_of_set(segments[0], part.segments)
            if kind == FILE_ACKNOWLEDGED:
                groups.append(read_999(segments))
            elif kind == CLAIMS_ACKNOWLEDGED:
                claims.append(read_277ca(segments))
    return groups, claims


def _envelope(part: Opened) -> list[Finding]:
    """Whether the trailer closes the interchange under its own number."""
    header, trailer = part.segments[0], part.segments[-1]
    if trailer.name != "IEA":
        return [Finding("W_CUT_OFF", "IEA", "The file ends before its trailer.")]
    if trailer.get(2) != header.get(13).strip():
        return [Finding("W_NUMBER", "IEA02", "The trailer has another number than the header.")]
    return []
