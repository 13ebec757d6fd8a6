"""An explanation as plain text, for a terminal or a printed page.

Owns the wording. Does not own what is explained (``rpm.actions.explanation``).
"""

from collections.abc import Iterator
from datetime import date

from rpm.actions.explanation import EntryEvidence, Explanation, ReadingEvidence


def explanation_text(found: Explanation) -> str:
    """The event, then what it rests on, then the rule, then the digests."""
    lines = [
        f"{found.code} {found.label}: {found.units} unit{'s' if found.units > 1 else ''}",
        f"  service day {found.service_day}, period {found.period_start_day} to"
        f" {found.period_end_day}",
        f"  {_amount(found)}",
        *_rule(found),
        *_papers(found),
        *_readings(found),
        *_entries(found),
    ]
    if found.findings:
        lines.append(f"Findings on this period: {', '.join(found.findings)}")
    known = "now" if found.known_audit_number is None else f"at event {found.known_audit_number}"
    lines += [
        f"As of {found.as_of}, facts known {known}, rules known on {found.known_day}",
        f"Digest of these facts: {found.digest}",
        f"Digest of the evidence: {found.evidence_digest}",
    ]
    return "\n".join(lines) + "\n"


def _amount(found: Explanation) -> str:
    if found.measure == "device_days":
        return f"{found.amount} days with qualifying readings"
    whose = "of practitioners" if found.measure == "practitioner_seconds" else "counted"
    return f"{_length(found.amount)} {whose}"


def _length(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02d} minutes"


def _rule(found: Explanation) -> Iterator[str]:
    rule = found.facts.rule
    most = "" if rule.at_most is None else f" to {rule.at_most}"
    unit = "days" if found.measure == "device_days" else "seconds"
    yield f"Rule: page {rule.page_id}, ladder {rule.ladder}, status {rule.status}"
    beyond = "" if most else " or more"
    yield f"  {rule.at_least}{most}{beyond} {unit} give {', '.join(rule.lines)}"
    if rule.note:
        yield f"  {rule.note}"
    for source in rule.sources:
        yield f"  source {source.id}: {source.title} ({source.where}), read {source.checked_on}"


def _papers(found: Explanation) -> Iterator[str]:
    facts = found.facts
    for consent in facts.consents:
        told = "told of cost sharing" if consent.cost_share_told else "not told of cost sharing"
        yield f"Consent: {consent.consent_day}, {consent.mode}, by {consent.taken_by}, {told}"
    order = facts.order
    if order.order_day is not None:
        about = ", ".join([order.device_kind or "device not named", *order.diagnosis_codes])
        yield f"Order: {order.order_day}, NPI {order.ordering_npi or 'not named'}, {about}"
    for gate in facts.gates:
        if gate.gate not in {"consent", "order"}:
            yield f"Holds: {gate.gate}, {_span(gate.from_day, gate.to_day)}"
    for coverage in facts.coverage:
        yield f"Payer: {coverage.payer_key}, {_span(coverage.from_day, coverage.to_day)}"


def _span(first: date, last: date | None) -> str:
    return f"from {first}" if last is None else f"{first} to {last}"


def _readings(found: Explanation) -> Iterator[str]:
    if found.facts.readings:
        yield f"Readings ({len(found.facts.readings)}):"
    for reading in found.facts.readings:
        yield f"  {_reading(reading)}"


def _reading(reading: ReadingEvidence) -> str:
    values = ", ".join(
        f"{one.get('loinc', '')} {one.get('value', '')} {one.get('ucum', '')}"
        for one in reading.components
    )
    at = "" if reading.measured_at is None else f", taken {reading.measured_at:%Y-%m-%dT%H:%M:%SZ}"
    zone = "" if reading.zone is None else f" ({reading.zone})"
    return f"{reading.local_day}{zone} {reading.kind}: {values}{at}, id {reading.id}"


def _entries(found: Explanation) -> Iterator[str]:
    if found.facts.entries:
        yield f"Minutes ({len(found.facts.entries)} entries):"
    for entry in found.facts.entries:
        yield f"  {_entry(entry)}"


def _entry(entry: EntryEvidence) -> str:
    start = "" if entry.start_second is None else f" {_time(entry.start_second)}"
    live = ", live" if entry.live else ""
    shared = ", partly yielded to another patient's entry" if entry.shared else ""
    return (
        f"{entry.local_day}{start} {_length(entry.duration_seconds)}, {entry.actor_name}"
        f" ({entry.role}), {entry.activity}{live}{shared}, id {entry.id}"
    )


def _time(second: int) -> str:
    return f"{second // 3600:02d}:{second % 3600 // 60:02d}"
