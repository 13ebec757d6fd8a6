"""The files that the rehearsal answers with: 277CA and 835, written from its verdicts.

Owns these two files' segments. The 999 is pyx12's (``acknowledged``). Does not own the verdicts. An
answer's sender is the upload's receiver, and its names and numbers are those of the upload.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from billing.claims.claim import Payer as PayerTold
from billing.claims.claim import Person, ServiceLine
from billing.claims.x12.element import SegmentWriter
from billing.claims.x12.envelope import ClaimFile, Interchange
from billing.money import Cents, cents_to_text
from rpm.demo.loopback.verdicts import REJECTED_STATUS, LineVerdict, Verdict

CLAIMS_GUIDE, REMITTANCE_GUIDE = "005010X214", "005010X221A1"
_ACCEPTED_STATUS = ("A2", "20")
_RECEIVED_STATUS = ("A1", "19")
_MOST_PAYER_NAME = 60
_PAYER_KINDS = frozenset(
    {
        *("12", "13", "14", "15", "16", "17", "AM", "CH", "DS", "HM"),
        *("LM", "MA", "MB", "MC", "OF", "TV", "VA", "WC"),
    }
)
"""What an 835 may say of the kind of payer (CLP06); a claim (SBR09) may say more, such as CI."""
_OTHER_KIND = "ZZ"


@dataclass(frozen=True)
class Answering:
    """Whom an answer is for, its number, and the rehearsal's day."""

    upload: Interchange
    number: int
    made_at: datetime


def claims_acknowledged(
    answering: Answering, file: ClaimFile, verdicts: Sequence[Verdict]
) -> bytes:
    """The 277CA: each claim accepted with the payer's number, or rejected."""
    out = SegmentWriter()
    day = f"{answering.made_at:%Y%m%d}"
    _open(out, answering, "HN", CLAIMS_GUIDE)
    out.add("ST", "277", "0001", CLAIMS_GUIDE)
    start = len(out)
    out.add("BHT", "0085", "08", f"R{answering.number}", day, f"{answering.made_at:%H%M}", "TH")
    submitter, receiver = file.sets[0].submitter, file.sets[0].receiver
    total = sum(one.claim.charge_cents for one in verdicts)
    out.add("HL", "1", "", "20", "1")
    out.add("NM1", "AY", "2", receiver.name, *[""] * 4, "46", receiver.identifier)
    out.add("TRN", "1", f"R{answering.number}")
    out.add("DTP", "050", "D8", day)
    out.add("DTP", "009", "D8", day)
    out.add("HL", "2", "1", "21", "1")
    out.add("NM1", "41", "2", submitter.name, *[""] * 4, "46", submitter.identifier)
    out.add("TRN", "2", file.sets[0].reference)
    out.add("STC", (*_RECEIVED_STATUS, "PR"), day, "WQ", cents_to_text(total))
    billing = verdicts[0].claim.billing
    out.add("HL", "3", "2", "19", "1")
    out.add("NM1", "85", "2", billing.name.last, *[""] * 4, "XX", billing.npi)
    out.add("TRN", "1", "0")
    out.add("STC", (*_RECEIVED_STATUS, "PR"), "", "WQ", cents_to_text(total))
    for level, verdict in enumerate(verdicts, start=4):
        _claim_acknowledged(out, level, verdict, day)
    _close(out, answering, len(out) - start + 2)
    return out.content()


def _claim_acknowledged(out: SegmentWriter, level: int, verdict: Verdict, day: str) -> None:
    claim = verdict.claim
    category, status = REJECTED_STATUS if verdict.rejected else _ACCEPTED_STATUS
    entity = "85" if verdict.rejected else "PR"
    out.add("HL", str(level), "3", "PT")
    _patient(out, claim.patient, claim.coverage.member_id)
    out.add("TRN", "2", claim.control_number)
    action = "U" if verdict.rejected else "WQ"
    charge = cents_to_text(claim.charge_cents)
    out.add("STC", (category, status, entity), day, action, charge)
    if not verdict.rejected:
        out.add("REF", "1K", verdict.payer_number)
    first = min(line.from_day for line in claim.lines)
    last = max(line.to_day for line in claim.lines)
    out.add("DTP", "472", *_days(first, last))


def remitted(answering: Answering, verdicts: Sequence[Verdict]) -> bytes:
    """The 835: a set for each payer, each balanced: the payment is the sum of its claims."""
    out = SegmentWriter()
    _open(out, answering, "HP", REMITTANCE_GUIDE)
    ordered = sorted(verdicts, key=lambda one: one.claim.coverage.payer.payer_id)
    number = 0
    for _payer, group in groupby(ordered, key=lambda one: one.claim.coverage.payer.payer_id):
        number += 1
        start = len(out)
        of_payer = list(group)
        out.add("ST", "835", f"{number:04d}")
        _payment(out, answering, number, of_payer)
        out.add("LX", "1")
        for verdict in of_payer:
            _claim_paid(out, verdict)
        out.add("SE", str(len(out) - start + 1), f"{number:04d}")
    _trailers(out, answering, number)
    return out.content()


def _payment(
    out: SegmentWriter, answering: Answering, number: int, verdicts: Sequence[Verdict]
) -> None:
    day = f"{answering.made_at:%Y%m%d}"
    claim = verdicts[0].claim
    paid = sum(one.paid_cents for one in verdicts)
    account = ("01", "999999992", "DA", "123456")
    how = (
        ("C", "ACH", "CCP", *account, "1999999999", "", "01", "999999992", "DA", "987654", day)
        if paid > 0
        else ("C", "NON", *[""] * 11, day)
    )
    out.add("BPR", "I" if paid > 0 else "H", cents_to_text(paid), *how)
    out.add("TRN", "1", f"{answering.number:09d}{number:02d}", "1999999999")
    out.add("DTM", "405", day)
    _payer(out, claim.coverage.payer)
    billing = claim.billing
    out.add("N1", "PE", billing.name.last, "XX", billing.npi)
    out.add("REF", "TJ", billing.tax_id)


def _payer(out: SegmentWriter, payer: PayerTold) -> None:
    address = payer.address
    out.add("N1", "PR", payer.name[:_MOST_PAYER_NAME])
    out.add("N3", address.street if address else "1 REHEARSAL WAY")
    if address:
        out.add("N4", address.city, address.state, address.postal_code)
    else:
        out.add("N4", "SPRINGFIELD", "IL", "62701")
    out.add("REF", "2U", payer.payer_id)
    out.add("PER", "BL", "REHEARSAL, NOT A PAYER", "TE", "8005550100")


def _claim_paid(out: SegmentWriter, verdict: Verdict) -> None:
    claim, sign = verdict.claim, verdict.sign
    patient = verdict.patient_cents
    kind = claim.coverage.filing_code
    out.add(
        *("CLP", claim.control_number, verdict.status, cents_to_text(sign * claim.charge_cents)),
        *(cents_to_text(verdict.paid_cents), cents_to_text(patient) if patient else ""),
        *(
            kind if kind in _PAYER_KINDS else _OTHER_KIND,
            verdict.payer_number,
            claim.place,
            claim.frequency,
        ),
    )
    _patient(out, claim.patient, claim.coverage.member_id)
    if claim.rendering is not None:
        name = claim.rendering.name
        out.add("NM1", "82", "1", name.last, name.first, *[""] * 3, "XX", claim.rendering.npi)
    for line in verdict.lines:
        _line_paid(out, line, sign)


def _line_paid(out: SegmentWriter, verdict: LineVerdict, sign: int) -> None:
    line = verdict.line
    out.add(
        *("SVC", ("HC", line.procedure, *line.modifiers), _signed(line.charge_cents, sign)),
        *(_signed(verdict.paid_cents, sign), "", str(line.units)),
    )
    _service_days(out, line)
    for group, told in groupby(verdict.adjustments, key=lambda one: one.group):
        parts = [part for one in told for part in (one.reason, _signed(one.cents, sign), "")]
        out.add("CAS", group, *parts[:-1])
    out.add("REF", "6R", line.control_number)
    allowed = verdict.paid_cents + sum(
        one.cents for one in verdict.adjustments if one.group == "PR" or one.reason == "253"
    )
    if allowed and sign > 0:
        out.add("AMT", "B6", cents_to_text(allowed))
    for remark in verdict.remarks:
        out.add("LQ", "HE", remark)


def _service_days(out: SegmentWriter, line: ServiceLine) -> None:
    if line.from_day == line.to_day:
        out.add("DTM", "472", f"{line.from_day:%Y%m%d}")
        return
    out.add("DTM", "150", f"{line.from_day:%Y%m%d}")
    out.add("DTM", "151", f"{line.to_day:%Y%m%d}")


def _patient(out: SegmentWriter, patient: Person, member_id: str) -> None:
    name = patient.name
    told = (name.last, name.first, name.middle, "", name.suffix)
    out.add("NM1", "QC", "1", *told, "MI", member_id)


def _signed(cents: Cents, sign: int) -> str:
    return cents_to_text(sign * cents)


def _days(first: date, last: date) -> tuple[str, str]:
    if first == last:
        return "D8", f"{first:%Y%m%d}"
    return "RD8", f"{first:%Y%m%d}-{last:%Y%m%d}"


def _open(out: SegmentWriter, answering: Answering, kind: str, guide: str) -> None:
    upload, made = answering.upload, answering.made_at
    out.add_fixed(
        *(("ISA", 3), ("00", 2), ("", 10), ("00", 2), ("", 10)),
        *((upload.receiver.qualifier, 2), (upload.receiver.interchange_id, 15)),
        *((upload.sender.qualifier, 2), (upload.sender.interchange_id, 15)),
        *((f"{made:%y%m%d}", 6), (f"{made:%H%M}", 4), ("", 1), ("00501", 5)),
        *((f"{answering.number:09d}", 9), ("0", 1), ("P" if upload.production else "T", 1)),
    )
    ends = (upload.receiver.group_code, upload.sender.group_code)
    when = (f"{made:%Y%m%d}", f"{made:%H%M}")
    out.add("GS", kind, *ends, *when, str(answering.number), "X", guide)


def _close(out: SegmentWriter, answering: Answering, segments: int) -> None:
    out.add("SE", str(segments), "0001")
    _trailers(out, answering, 1)


def _trailers(out: SegmentWriter, answering: Answering, sets: int) -> None:
    out.add("GE", str(sets), str(answering.number))
    out.add("IEA", "1", f"{answering.number:09d}")
