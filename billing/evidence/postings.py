"""Postings and totals: what a pack's postings say beside their events, and what they add up to.

Owns the comparison with events and originals and the sums. Does not own events.
"""

import json
import uuid
from collections.abc import Iterator

from billing.evidence.facts import Facts, first_of
from billing.evidence.mismatch import Mismatch, differences
from billing.evidence.pack import Row

_LIKE_EVENT = (
    "key",
    "patient_id",
    "episode_id",
    "code",
    "units",
    "service_day",
    "payer_key",
    "amount_cents",
    "amount_status",
    "evidence_digest",
)
_LIKE_ORIGINAL = (
    *_LIKE_EVENT,
    "ordinal",
    "period_start_day",
    "period_end_day",
    "rule_page_id",
    "organization_id",
)
_LIKE_CLOSE = ("as_of", "known_day", "known_audit_number")


def check_posting(path: str, pack: Row, facts: Facts, told: Row) -> Iterator[Mismatch]:
    """A posting against its event, its close, its id, and what it reverses."""
    row = first_of(facts.rows("posting", "id", told["id"]), "the posting")
    name = f"{row['key']} {row['ordinal']} {row['sign']}"
    made = uuid.uuid5(uuid.UUID(row["organization_id"]), name).hex
    yield from differences(f"{path}.id", told["id"], made)
    issue = row
    if row["sign"] < 0:
        issue = first_of(facts.rows("posting", "id", told["reverses"]), "what it reverses")
        original = {column: issue.get(column) for column in _LIKE_ORIGINAL}
        yield from differences(path, {one: row.get(one) for one in _LIKE_ORIGINAL}, original)
        yield from differences(f"{path}.reverses", issue["sign"], 1)
    elif told["reverses"] is not None:
        yield Mismatch(f"{path}.reverses", str(told["reverses"]), "nothing: this is no reversal")
    if told["event"] is None:
        yield Mismatch(f"{path}.event", "that no event gives it", "an event with its facts")
        return
    event, at = pack["events"][told["event"]], told["event"]
    close = first_of(facts.rows("close", "id", issue["close_id"]), "the close")
    known = {column: event[column] for column in _LIKE_CLOSE}
    yield from differences(
        f"events[{at}]", known, {column: close[column] for column in _LIKE_CLOSE}
    )
    digest = json.loads(close["rule_digests"]).get(issue["rule_page_id"])
    yield from differences(f"events[{at}].rule.page_digest", event["rule"]["page_digest"], digest)
    said = {column: issue.get(column) for column in _LIKE_EVENT}
    yield from differences(path, said, {column: event[column] for column in _LIKE_EVENT})
    span = [issue["period_start_day"], issue["period_end_day"], issue["rule_page_id"]]
    period = event["period"]
    follows = [period["start_day"], period["end_day"], event["rule"]["page_id"]]
    yield from differences(f"{path}.period", span, follows)


def check_close(pack: Row, facts: Facts) -> Iterator[Mismatch]:
    """The totals of a close against its postings, where the pack is of a close."""
    close = pack.get("close")
    if close is None:
        return
    kept = first_of(facts.rows("close", "id", close["id"]), "the close")
    told = {name: close[name] for name in (*_LIKE_CLOSE, "month_start_day", "ordinal")}
    yield from differences("close", told, {name: kept[name] for name in told})
    rows = facts.rows("posting", "close_id", close["id"])
    known = [row["sign"] * row["amount_cents"] for row in rows if "amount_cents" in row]
    totals = {
        "issued": sum(row["sign"] > 0 for row in rows),
        "reversed": sum(row["sign"] < 0 for row in rows),
        "units": sum(row["sign"] * row["units"] for row in rows),
        "amount_cents": sum(known),
        "amounts_unknown": len(rows) - len(known),
    }
    yield from differences("close.totals", close["totals"], totals)
    recorded = json.loads(kept["totals"])
    yield from differences("close.totals", {name: recorded[name] for name in totals}, totals)
    shown = sorted(one["id"] for one in pack["postings"])
    yield from differences("postings", shown, sorted(row["id"] for row in rows))


def check_kind(pack: Row) -> Iterator[Mismatch]:
    """What the pack is of, by what it holds."""
    kind = "posting" if pack["postings"] else "event"
    yield from differences("kind", pack["kind"], "close" if pack.get("close") else kind)


def check_chain(pack: Row) -> Iterator[Mismatch]:
    """The anchors: no fact is newer than the pack, and the close has its own number."""
    chain, last = pack["chain"], pack["chain"]["at_pack"]["number"]
    newest = max((fact["stored"]["audit_number"] for fact in pack["facts"]), default=0)
    if newest > last:
        yield Mismatch("chain.at_pack.number", str(last), f"at least {newest}")
    for fact in pack["facts"]:
        row = fact["stored"]
        owner = row["id"] if fact["table"] == "organization" else row["organization_id"]
        if owner != pack["organization"]["id"]:
            yield Mismatch("organization.id", pack["organization"]["id"], owner)
    closes = {
        fact["stored"]["id"]: fact["stored"] for fact in pack["facts"] if fact["table"] == "close"
    }
    for close_id, anchor in chain["at_closes"].items():
        number = closes[close_id]["audit_number"]
        yield from differences(f"chain.at_closes.{close_id}.number", anchor["number"], number)
