"""One billable event of an evidence pack on paper: what was billed and all that it rests on.

Owns the order and the words of its sections. Does not own the look (``sheet``) nor the look-up of
facts (``evidence_facts``). Computes nothing: every figure stands in the pack.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from billing.ledger.left_out import REASON_WORDS
from billing.rules.references import finding_text
from rpm.documents.evidence_facts import PackReader, clock_time, codes_of, day_of, value_of
from rpm.documents.sheet import Sheet
from rpm.written import dollars, minutes

Json = Mapping[str, Any]
_DAYS_IN_LINE = 8


def tell_event(sheet: Sheet, pack: Json, facts: PackReader, event: Json, number: int) -> None:
    """All sections of an event."""
    sheet.heading(f"{number}. {event['code']} {event['label']}, {day_of(event['service_day'])}")
    sheet.pairs(_billed(facts, event))
    _rule(sheet, pack, event)
    _papers(sheet, facts, event)
    if event["readings"]:
        _days(sheet, event)
        _readings(sheet, facts, event)
    if event["entries"]:
        _minutes(sheet, facts, event)
    if event["findings"]:
        sheet.subheading("Remarks that go with it")
        for code in event["findings"]:
            told = finding_text(code)
            sheet.text_line(f"{told.title} ({code}): {told.message}")
    sheet.subheading("Digests")
    sheet.pairs(
        [
            ("Evidence", event["evidence_digest"]),
            ("Rule page", event["rule"]["page_digest"]),
            ("Key of the event", event["key"]),
        ]
    )


def _billed(facts: PackReader, event: Json) -> Iterator[tuple[str, str]]:
    patient = facts.one("patient", event["patient_id"])
    period = event["period"]
    yield "Patient", f"record number {patient.get('record_number', event['patient_id'])}"
    yield "Payer", _payer(facts, event)
    yield "Billed", f"{_counted(event['units'], 'unit')} on {day_of(event['service_day'])}"
    yield "Amount", f"{dollars(event['amount_cents'])} ({event['amount_status']})"
    yield (
        "Period",
        f"{day_of(period['start_day'])} to {day_of(period['end_day'])}, {period['state']}",
    )
    yield "Measured", measured_words(event)
    yield (
        "Known then",
        f"facts up to audit event {event['known_audit_number'] or 'the last'},"
        + (f" rules known on {day_of(event['known_day'])}"),
    )


def _payer(facts: PackReader, event: Json) -> str:
    named = facts.of("payer", "key", event["payer_key"])
    name = named[0]["name"] if named else event["payer_key"]
    return name if name == event["payer_key"] else f"{name} ({event['payer_key']})"


def _counted(amount: int, word: str) -> str:
    return f"{amount} {word}" if amount == 1 else f"{amount} {word}s"


def measured_words(event: Json) -> str:
    """What was counted in the period, in words."""
    measured = event["measured"]
    if measured["measure"] == "device_days":
        return f"{_counted(measured['amount'], 'day')} with qualifying readings"
    whose = " of practitioners" if measured["measure"] == "practitioner_seconds" else ""
    return (
        f"{minutes(measured['amount'])} minutes{whose} that count, of them"
        f" {minutes(measured['live_seconds'])} in live contact"
    )


def _rule(sheet: Sheet, pack: Json, event: Json) -> None:
    rule = event["rule"]
    most = f" to {rule['at_most']}" if rule["at_most"] is not None else " or more"
    days = event["measured"]["measure"] == "device_days"
    unit = "days" if days else "seconds"
    codes = ", ".join(line["code"] for line in rule["lines"])
    sheet.subheading("Rule")
    sheet.text_line(
        f"Page {rule['page_id']}, ladder {rule['ladder']}: {rule['at_least']}{most} {unit} give"
        f" {codes}. Status {rule['status']}, read {day_of(rule['checked_on'])}."
    )
    if rule["note"]:
        sheet.quiet_line(rule["note"])
    page = next((one for one in pack["rules"] if one["digest"] == rule["page_digest"]), None)
    for source in page["sources"] if page else ():
        if source["id"] in rule["source_ids"]:
            sheet.quiet_line(f"{source['id']}: {source['title']} ({source['where']})")
    profile = pack["profiles"].get(event["profile"])
    if profile is not None and days:
        sheet.quiet_line(
            f"Profile {event['profile']}: window from {profile['anchor']}, day of service"
            f" {profile['supply_service_day']} ({profile['status']})"
        )


def _papers(sheet: Sheet, facts: PackReader, event: Json) -> None:
    sheet.subheading("Consent, order, set-up, coverage")
    sheet.pairs(_paper_lines(facts, event))


def _paper_lines(facts: PackReader, event: Json) -> Iterator[tuple[str, str]]:
    episode = facts.one("episode", event["episode_id"])
    for consent in facts.of("consent", "episode_id", event["episode_id"]):
        told = "told of cost sharing" if consent.get("cost_share_told") else "cost sharing not told"
        day = day_of(consent["consent_day"])
        yield "Consent", f"{day}, {consent['mode']}, taken by {consent['taken_by']}, {told}"
    if episode.get("order_day"):
        parts = [
            day_of(episode["order_day"]),
            f"ordered by NPI {episode['ordering_npi']}" if episode.get("ordering_npi") else "",
            episode.get("order_device_kind", ""),
            codes_of(episode),
            episode.get("order_reason", ""),
        ]
        yield "Order", ", ".join(part for part in parts if part)
    setup = facts.latest("episode_setup", "episode_id", event["episode_id"])
    if setup:
        yield "Set-up", f"{day_of(setup['setup_day'])}, taught by {setup['trained_by']}"
    elif episode.get("setup_day"):
        yield "Set-up", day_of(episode["setup_day"])
    for given in facts.of("device_association", "episode_id", event["episode_id"]):
        yield "Device", _device(facts.one("device", given["device_id"]), facts, given)
    for gate in event["gates"]:
        if gate["gate"] not in {"consent", "order"}:
            yield f"Holds: {gate['gate']}", _from_to(gate)
    for coverage in event["coverages"]:
        yield "Coverage", f"{coverage['payer_key']}, {_from_to(coverage)}"


def _device(device: Json, facts: PackReader, given: Json) -> str:
    named = " ".join(device[name] for name in ("make", "model") if device.get(name))
    parts = [
        named or f"{device.get('vendor', '')} {device.get('vendor_device_id', '')}",
        f"serial {device['serial']}" if device.get("serial") else "",
        "listed with FDA" if device.get("fda_listed") else "not listed with FDA",
        "sends by itself" if device.get("automatic") else "read by hand",
        f"with the patient from {facts.moment(given['from_at'])}",
    ]
    return ", ".join(part for part in parts if part)


def _from_to(held: Json) -> str:
    last = f" to {day_of(held['to_day'])}" if held["to_day"] else ""
    return f"from {day_of(held['from_day'])}{last}"


def _days(sheet: Sheet, event: Json) -> None:
    counted = [day_of(day) for day in event["days"]["counted"]]
    sheet.subheading(f"Days that count: {len(counted)}")
    for start in range(0, len(counted), _DAYS_IN_LINE):
        sheet.text_line("   ".join(counted[start : start + _DAYS_IN_LINE]))
    left_out = event["days"]["left_out"]
    if left_out:
        sheet.subheading(f"Days with readings that do not count: {len(left_out)}")
        for one in left_out:
            sheet.text_line(f"{day_of(one['day'])}: {', '.join(map(_reason, one['reasons']))}")


def _reason(word: str) -> str:
    return REASON_WORDS.get(word, word)


def _readings(sheet: Sheet, facts: PackReader, event: Json) -> None:
    sheet.subheading(f"Readings as received: {len(event['readings'])}")
    names = ("Day", "Measured", "Received", "Value", "Device", "Entered", "Counts")
    sheet.grid(names, _reading_rows(facts, event), (15, 26, 26, 17, 14, 13, 22))


def _reading_rows(facts: PackReader, event: Json) -> Iterator[tuple[str, ...]]:
    for one in event["readings"]:
        row = facts.one("reading", one["id"])
        yield (
            day_of(one["day"]),
            facts.moment(row.get("measured_at")),
            facts.moment(row.get("received_at")),
            value_of(row),
            str(row.get("vendor_device_id", "")),
            str(row.get("entry_method", "")),
            "yes" if one["counts"] else f"no: {_reason(one['reason'])}",
        )


def _minutes(sheet: Sheet, facts: PackReader, event: Json) -> None:
    sheet.subheading(f"Entries of the time log: {len(event['entries'])}")
    names = ("Day", "From", "Minutes", "Who", "Role", "For", "Contact", "Activity", "Counts")
    widths = (16, 10, 9, 18, 8, 9, 12, 22, 22)
    sheet.grid(names, _entry_rows(facts, event), widths, right=(2,))


def _entry_rows(facts: PackReader, event: Json) -> Iterator[tuple[str, ...]]:
    for one in event["entries"]:
        row = facts.one("interaction_entry", one["id"])
        yield (
            day_of(row.get("local_day")),
            clock_time(row.get("start_second")),
            minutes(int(row.get("duration_seconds", 0))),
            str(row.get("actor_name", "")),
            str(row.get("role", "")),
            str(row.get("work", "")),
            str(row.get("mode", "")),
            ", ".join(filter(None, (row.get("activity"), row.get("origin")))),
            "yes" if one["counts"] else f"no: {_reason(one['reason'])}",
        )
