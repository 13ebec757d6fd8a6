"""Parts of an event's evidence that come from one place each: rule, price, gates, coverages.

Owns their fields. Does not own the event as a whole (``rpm.actions.evidence_events``).
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from billing.days import FAR_DAY, day_date
from billing.ledger.explain import Computed, Explanation
from billing.ledger.facts import GATES, Facts
from billing.rules.amounts import cents_of
from billing.rules.book import RuleBook
from billing.rules.fees import FACILITY_PLACES
from billing.rules.profile import Profile
from billing.rules.read import content_text
from billing.rules.ruleset import RuleSet

Json = dict[str, Any]


def rule_of(found: Explanation) -> Json:
    """The band that gives the line."""
    band = found.band
    return {
        "page_id": found.rules.id,
        "page_digest": found.rules.digest,
        "ladder": found.ladder.name,
        "at_least": band.at_least,
        "at_most": band.at_most,
        "lines": [asdict(line) for line in band.lines],
        "status": band.status,
        "note": band.source.note,
        "checked_on": band.source.checked_on,
        "source_ids": list(band.source.ids),
    }


def priced_event(computed: Computed, found: Explanation) -> tuple[Json | None, int | None, str]:
    """The schedule's figure for one unit, the cents for all, and their status."""
    place = int(computed.facts.episodes["pos"].iloc[found.episode])
    fees, day = computed.book.fees, found.service_day
    cents, status = fees.priced(found.code, found.units, day, place=place)
    entry = fees.amount(found.code, day, place=place)
    if cents is None or entry is None:
        return None, cents, status
    facility = place in FACILITY_PLACES
    rvu = entry.facility_rvu if facility else entry.rvu
    price = {
        "unit_cents": cents_of(entry, facility=facility),
        "rvu": None if rvu is None else str(rvu),
        "factor": None if entry.factor is None or rvu is None else str(entry.factor),
        "facility": facility,
        "from_day": entry.from_day,
        "to_day": entry.to_day,
        "status": entry.status,
        "note": entry.source.note,
        "source_ids": list(entry.source.ids),
    }
    return price, cents, status


def gates_of(facts: Facts, episode: int) -> list[Json]:
    """All gates of an episode, by name and first day."""
    held = facts.gates[facts.gates["episode"].to_numpy() == episode]
    columns = (held[name].tolist() for name in ("gate", "from_day", "to_day"))
    rows = sorted((GATES[gate], first, last) for gate, first, last in zip(*columns, strict=True))
    return [
        {"gate": gate, "from_day": day_date(first), "to_day": _last(last)}
        for gate, first, last in rows
    ]


def coverages_of(facts: Facts, patient: int) -> list[Json]:
    """All coverages of a patient, by payer and first day."""
    held = facts.coverages[facts.coverages["patient"].to_numpy() == patient]
    columns = (held[name].tolist() for name in ("payer", "from_day", "to_day"))
    rows = sorted(
        (facts.payers[payer], first, last) for payer, first, last in zip(*columns, strict=True)
    )
    return [
        {"payer_key": key, "from_day": day_date(first), "to_day": _last(last)}
        for key, first, last in rows
    ]


def _last(number: int) -> Any:
    return None if number == FAR_DAY else day_date(number)


@lru_cache(maxsize=16)
def em_codes_of(book: RuleBook) -> tuple[str, ...]:
    """Codes of visits whose day takes a practitioner's minutes away, by any page of the book."""
    return tuple(sorted({code for page in book.pages for code in page.em_codes}))


def profile_json(profile: Profile) -> Json:
    """A profile as the pack has it."""
    return {
        "anchor": profile.anchor.value,
        "supply_service_day": profile.supply_service_day.value,
        "em_day_exclusion": profile.em_day_exclusion,
        "mue_cap": profile.mue_cap,
        "status": profile.status,
        "source_ids": list(profile.source),
    }


def rules_json(book: RuleBook, page: RuleSet) -> Json:
    """A page in the form that its digest covers, with the sources it names."""
    kept = json.loads(content_text(page))
    known = book.references.sources
    return {
        "id": page.id,
        "digest": page.digest,
        "content": kept,
        "sources": [
            {
                "id": one,
                "title": known[one].title if one in known else "",
                "where": known[one].where if one in known else "",
                "checked_on": str(known[one].checked_on) if one in known else None,
            }
            for one in sorted(set(_cited(kept)))
        ],
    }


def _cited(value: Any) -> Iterator[str]:
    """Every source id that stands somewhere in a page."""
    if isinstance(value, dict):
        yield from value.get("ids", ())
        for inner in value.values():
            yield from _cited(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _cited(inner)
