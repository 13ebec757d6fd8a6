"""An evidence pack as a PDF that an auditor can read without a computer program.

Owns what stands before and behind the events. Does not own the pack (``rpm.actions.evidence_pack``)
nor the sections of an event (``evidence_event``). The same pack always gives the same bytes: the
document's date is the pack's.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from rpm.documents.evidence_event import tell_event
from rpm.documents.evidence_facts import PackReader, day_of
from rpm.documents.letters import NOTE
from rpm.documents.sheet import Sheet
from rpm.written import dollars

Json = Mapping[str, Any]
Progress = Callable[[int, int], None]
"""Called with events done and events in all."""


def evidence_pdf(pack: Json, progress: Progress | None = None) -> bytes:
    """The pack on paper: what was billed, what each event rests on, every fact with its digest."""
    practice = pack["organization"]
    sheet = Sheet(
        title=f"Evidence of {practice['name']}",
        head=f"{practice['name']}, NPI {practice['npi']}: evidence pack of {_subject(pack)}",
        foot=f"Pack {pack['digest'][:32]}",
        made_at=datetime.fromisoformat(pack["made_at"]),
    )
    tell_pack(sheet, pack, progress)
    return sheet.data()


def tell_pack(sheet: Sheet, pack: Json, progress: Progress | None = None) -> None:
    """The pack on a sheet that may hold other parts before it."""
    facts = PackReader(pack)
    _front(sheet, pack, facts)
    for place, event in enumerate(pack["events"]):
        tell_event(sheet, pack, facts, event, place + 1)
        if progress is not None:
            progress(place + 1, len(pack["events"]))
    _back(sheet, pack, facts)


def _subject(pack: Json) -> str:
    if pack["close"] is not None:
        month, times = pack["close"]["month_start_day"][:7], pack["close"]["ordinal"]
        return f"close {times} of {month}"
    one = pack["events"][0] if pack["events"] else None
    return pack["kind"] if one is None else f"{one['code']} on {day_of(one['service_day'])}"


def _front(sheet: Sheet, pack: Json, facts: PackReader) -> None:
    practice = pack["organization"]
    sheet.title_line("Evidence pack")
    sheet.pairs(
        [
            ("Practice", f"{practice['name']}, NPI {practice['npi']}"),
            ("Of", _subject(pack)),
            ("Made", facts.moment(pack["made_at"][:-1])),
            ("Times", f"{practice['timezone']}; days are those of the practice or the device"),
            ("Made with", f"rpm-ledger {pack['product_version']}"),
            ("Digest of the pack", pack["digest"]),
            ("Audit chain", _anchor(pack["chain"]["at_pack"])),
        ]
    )
    sheet.ln(4)
    sheet.quiet_line(
        "This document shows an evidence pack, a JSON file that belongs to it. The file can be"
        " recomputed and checked where rpm-ledger is not installed; the digest above names it."
    )
    sheet.quiet_line(NOTE)
    _totals(sheet, pack)
    if pack["postings"]:
        sheet.heading("Posted")
        names = ("", "Patient", "Code", "Day of service", "Payer", "Units", "Amount", "Posted as")
        widths = (5, 16, 10, 18, 22, 8, 14, 40)
        sheet.grid(names, _posted(pack, facts), widths, right=(5, 6))


def _totals(sheet: Sheet, pack: Json) -> None:
    if pack["close"] is None:
        return
    totals = pack["close"]["totals"]
    sheet.ln(4)
    sheet.pairs(
        [
            ("Lines", f"{totals['issued']} issued, {totals['reversed']} reversed"),
            ("Total", dollars(totals["amount_cents"])),
            ("Amounts not known", str(totals["amounts_unknown"] or "none")),
            ("Facts seen", f"up to audit event {pack['close']['known_audit_number']}"),
        ]
    )


def _anchor(anchor: Json) -> str:
    return f"event {anchor['number']}, {anchor['hmac']}"


def _posted(pack: Json, facts: PackReader) -> Iterator[tuple[str, ...]]:
    for one in pack["postings"]:
        row = facts.one("posting", one["id"])
        patient = facts.one("patient", row.get("patient_id"))
        yield (
            "" if one["event"] is None else str(one["event"] + 1),
            str(patient.get("record_number", "")),
            str(row.get("code", "")),
            day_of(row.get("service_day")),
            str(row.get("payer_key", "")),
            str(row.get("sign", 1) * row.get("units", 0)),
            _amount(row),
            f"{'issue' if row.get('sign', 1) > 0 else 'reversal'}, {row.get('reason', '')}",
        )


def _amount(row: Json) -> str:
    cents = row.get("amount_cents")
    return dollars(None if cents is None else row["sign"] * cents)


def _back(sheet: Sheet, pack: Json, facts: PackReader) -> None:
    sheet.heading("Facts and their digests")
    sheet.quiet_line(
        "Each fact behind the events as it was recorded: the number of its audit event, when, and"
        " SHA-256 over the whole row."
    )
    rows = (
        (
            fact["table"].replace("_", " "),
            str(fact["stored"].get("audit_number", "")),
            facts.moment(fact["stored"].get("recorded_at") or fact["stored"].get("created_at")),
            fact["row_digest"],
        )
        for fact in pack["facts"]
    )
    sheet.grid(("Fact", "Event", "Recorded", "Digest"), rows, (26, 9, 26, 72), code=(3,))
    if pack["chain"]["at_closes"]:
        sheet.subheading("Audit chain right after each close")
        for anchor in pack["chain"]["at_closes"].values():
            sheet.quiet_line(_anchor(anchor))
