"""An appeal's packet as one PDF: the letter, what the payer answered, and the evidence.

Owns its look. Does not own the letter's words (``billing.claims.appeal``) nor the evidence
(``rpm.documents.evidence``). The same parts give the same bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.claims.answer_codes import adjustment_told, told
from billing.claims.appeal import Part
from billing.claims.denial import Answer
from rpm.documents.evidence import tell_pack
from rpm.documents.sheet import Sheet
from rpm.written import dollars, us_day


@dataclass(frozen=True)
class Packet:
    """What goes into the document."""

    practice: str
    control_number: str
    letter: str
    answers: Sequence[Answer]
    parts: Sequence[Part]
    evidence: Mapping[str, Any] | None  # an evidence pack


def appeal_pdf(packet: Packet, made_at: datetime) -> bytes:
    """The packet on paper."""
    sheet = Sheet(
        title=f"Appeal of claim {packet.control_number}",
        head=f"{packet.practice}: appeal of claim {packet.control_number}",
        foot=", ".join(part.title for part in packet.parts if not part.missing),
        made_at=made_at,
    )
    for line in packet.letter.splitlines():
        if line.strip():
            sheet.text_line(line)
        else:
            sheet.ln(8)
    _enclosed(sheet, packet.parts)
    if packet.answers:
        sheet.add_page()
        _excerpt(sheet, packet)
    if packet.evidence is not None:
        sheet.add_page()
        tell_pack(sheet, packet.evidence)
    return sheet.data()


def _enclosed(sheet: Sheet, parts: Sequence[Part]) -> None:
    enclosed = [part for part in parts[1:] if not part.missing]
    if enclosed:
        sheet.ln(10)
        sheet.quiet_line(f"Enclosed: {', '.join(part.title for part in enclosed)}")


def _excerpt(sheet: Sheet, packet: Packet) -> None:
    sheet.title_line("Remittance excerpt")
    sheet.quiet_line(f"What was answered to claim {packet.control_number}, in the order posted.")
    for answer in packet.answers:
        day = "a day not told" if answer.on_day is None else us_day(answer.on_day)
        sheet.heading(f"Answer of {day}")
        sheet.pairs(
            [
                ("Claim status", told("claim_status", answer.status_code)),
                ("Payer's number", answer.payer_claim_number),
                ("Charged", dollars(answer.charge_cents)),
                ("Paid", dollars(answer.paid_cents)),
                ("Patient's share", dollars(answer.patient_cents)),
            ]
        )
        rows = [
            (
                one.procedure or "claim",
                adjustment_told(one.group, one.reason),
                ", ".join(told("rarc", remark) for remark in one.remarks),
                dollars(one.cents),
            )
            for one in answer.taken
        ]
        if rows:
            names = ("Service", "Adjustment", "Remarks", "Amount")
            sheet.grid(names, rows, (12, 44, 36, 12), right=(3,))
