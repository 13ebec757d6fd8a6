"""Checking a pack: a good one fits, and whatever is changed in it is found and named."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from changed_packs import (
    FILES,
    Pack,
    at,
    changed,
    kept_pack,
    leaves,
    path_of,
    sealed_anew,
    with_other_character,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.evidence.check import check
from billing.evidence.facts import Facts
from billing.evidence.pack import NotAPackError, read_pack

NAMES = ("posting-99454.json", "posting-99458.json")
KEPT = {name: kept_pack(name) for name in NAMES}
PLACES = [(name, place) for name in NAMES for place in leaves(KEPT[name])]
SUPPLY, TIME = (KEPT[name] for name in NAMES)


def paths(pack: Pack) -> list[str]:
    """Where a check finds something."""
    return [one.path for one in check(pack)]


@pytest.mark.parametrize("name", NAMES)
def test_a_pack_that_was_given_out_fits(name: str) -> None:
    """Packs of an earlier version stay good, and new digests over the same content are the same."""
    assert check(KEPT[name]) == []
    assert sealed_anew(KEPT[name]) == KEPT[name]


@settings(deadline=None)
@given(st.sampled_from(PLACES), st.integers(0, 100))
def test_one_changed_character_is_found_and_named(
    found: tuple[str, tuple[str | int, ...]], which: int
) -> None:
    """Any character of any value: a line names the value, or the part or fact that holds it."""
    name, place = found
    pack = KEPT[name]
    other = changed(pack, place, with_other_character(at(pack, place), which))
    if place == ("format",):
        with pytest.raises(NotAPackError, match="format"):
            read_pack(json.dumps(other).encode())
        return
    named = [one.split(" (")[0] for one in paths(other)]
    assert any(path_of(place).startswith(one) for one in named)


def fact(pack: Pack, table: str, **columns: Any) -> dict[str, Any]:
    """The stored form of the first fact of a table with these values."""
    return next(
        one["stored"]
        for one in pack["facts"]
        if one["table"] == table and columns.items() <= one["stored"].items()
    )


def without(pack: Pack, table: str, row_id: str) -> None:
    """Take a fact out."""
    pack["facts"] = [
        one for one in pack["facts"] if (one["table"], one["stored"]["id"]) != (table, row_id)
    ]


def put(pack: Pack, table: str, column: str, value: Any, **columns: Any) -> None:
    """Write another value into a fact."""
    fact(pack, table, **columns)[column] = value


FORGED: dict[str, tuple[str, Pack, Callable[[Pack], Any]]] = {
    "a reading on another day": (
        "local_day",
        SUPPLY,
        lambda pack: put(
            pack, "reading", "measured_at", "2026-01-19 13:00:00.000000", local_day="2026-01-05"
        ),
    ),
    "a reading by universal time": (
        "local_day",
        SUPPLY,
        lambda pack: put(pack, "reading", "zone", "UTC", local_day="2026-01-16"),
    ),
    "a reading entered by hand that counts": (
        "events[0].days.counted",
        SUPPLY,
        lambda pack: put(pack, "reading", "countable", 1, local_day="2026-01-20"),
    ),
    "an exclusion that is gone": (
        "events[0].readings[19].counts",
        SUPPLY,
        lambda pack: without(
            pack,
            "reading_exclusion",
            fact(pack, "reading_exclusion", reason="worn by a relative")["id"],
        ),
    ),
    "a reading that is gone": (
        "events[0].evidence_digest",
        SUPPLY,
        lambda pack: without(pack, "reading", fact(pack, "reading", local_day="2026-01-20")["id"]),
    ),
    "a later consent": (
        "events[0].days.counted",
        SUPPLY,
        lambda pack: put(pack, "consent", "consent_day", "2026-01-06"),
    ),
    "an earlier day of service": (
        "events[0].service_day",
        SUPPLY,
        lambda pack: (
            put(pack, "posting", "service_day", "2026-01-30")
            or pack["events"][0].update(service_day="2026-01-30")
        ),
    ),
    "another strategy": (
        "events[0].service_day",
        SUPPLY,
        lambda pack: pack["profiles"]["P0"].update(supply_service_day="last-reading"),
    ),
    "a rule that asks for more days": (
        "events[0].units",
        SUPPLY,
        lambda pack: [
            band.update(at_least=28)
            for ladder in pack["rules"][0]["content"]["ladders"]
            for band in ladder["bands"]
            if band["lines"] == [{"code": "99454", "every": None}]
        ],
    ),
    "a gate that is gone": (
        "events[0].needs_missing",
        SUPPLY,
        lambda pack: without(pack, "episode_gate", fact(pack, "episode_gate")["id"]),
    ),
    "another payer": (
        "events[0].payer_key",
        SUPPLY,
        lambda pack: put(pack, "coverage", "to_day", "2026-01-10"),
    ),
    "self-reported readings let in": (
        "events[0].also_counts",
        SUPPLY,
        lambda pack: pack["events"][0].update(also_counts=["manual_entry"]),
    ),
    "a higher amount": (
        "events[0].amount_cents",
        SUPPLY,
        lambda pack: pack["events"][0].update(amount_cents=9999),
    ),
    "a higher figure of the schedule": (
        "events[0].price.unit_cents",
        SUPPLY,
        lambda pack: pack["events"][0]["price"].update(unit_cents=9999),
    ),
    "longer work": (
        "events[0].measured.amount",
        TIME,
        lambda pack: put(
            pack, "interaction_entry", "duration_seconds", 1500, duration_seconds=900, work="RPM"
        ),
    ),
    "a reversal that is gone": (
        "events[0].measured.live_seconds",
        TIME,
        lambda pack: without(
            pack, "interaction_entry", fact(pack, "interaction_entry", origin="reversal")["id"]
        ),
    ),
    "clerical work as a nurse's": (
        "events[0].measured.amount",
        TIME,
        lambda pack: put(pack, "interaction_entry", "role", "rn", role="admin"),
    ),
    "other work as ours": (
        "events[0].measured.amount",
        TIME,
        lambda pack: put(pack, "interaction_entry", "work", "RPM", work="CCM"),
    ),
    "a visit that is gone": (
        "events[0].measured.amount",
        TIME,
        lambda pack: without(pack, "other_service", fact(pack, "other_service")["id"]),
    ),
    "work begun at another time": (
        "start_second",
        TIME,
        lambda pack: put(
            pack,
            "interaction_entry",
            "started_at",
            "2026-01-08 16:00:00.000000",
            local_day="2026-01-08",
            duration_seconds=1500,
        ),
    ),
    "one more unit": (
        "events[0].units",
        TIME,
        lambda pack: put(pack, "posting", "units", 2) or pack["events"][0].update(units=2),
    ),
    "a unit for less time": (
        "events[0].units",
        TIME,
        lambda pack: [
            line.update(every=300)
            for ladder in pack["rules"][0]["content"]["ladders"]
            for band in ladder["bands"]
            for line in band["lines"]
            if line["code"] == "99458"
        ],
    ),
    "a posting of another id": (
        "postings[0].id",
        TIME,
        lambda pack: put(pack, "posting", "ordinal", 2),
    ),
    "another practice": (
        "organization.name",
        TIME,
        lambda pack: pack["organization"].update(name="Somebody Else"),
    ),
    "a fact newer than the pack": (
        "chain.at_pack.number",
        TIME,
        lambda pack: pack["chain"]["at_pack"].update(number=3),
    ),
}


@pytest.mark.parametrize("what", FORGED)
def test_a_change_with_new_digests_is_found_by_recomputing(what: str) -> None:
    """Whoever makes every digest anew is found by what follows from the facts."""
    path, good, forge = FORGED[what]
    pack = json.loads(json.dumps(good))
    forge(pack)
    forged = sealed_anew(pack)
    found = paths(forged)
    assert not any(one.startswith(("digest", "facts")) and "digest" in one for one in found)
    assert any(path in one for one in found), found


def test_what_is_no_pack_is_named_as_such() -> None:
    """Not JSON, another kind of file, a newer format, a damaged pack: each by its name."""
    whole = (FILES / NAMES[1]).read_bytes()
    for content, words in (
        (b"", "not JSON"),
        (whole[:5000], "not JSON"),
        (b"\xff\xfe{}", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"format": "x", "format": "y"}', "same key"),
        (b"[]", "another kind"),
        (b'{"format": "rpm-ledger service lines 1"}', "another kind"),
        (whole.replace(b"evidence 1", b"evidence 2", 1), "newer format"),
        (b'{"format": "rpm-ledger evidence 1"}', "damaged"),
        (whole.replace(b'"people"', b'"peopl"', 1), "people is missing"),
    ):
        with pytest.raises(NotAPackError, match=words):
            read_pack(content)


@settings(deadline=None)
@given(st.sampled_from(PLACES), st.sampled_from([None, [], {}, -1, 10**30, "", "x", 1.5, False]))
def test_a_value_of_another_kind_never_ends_the_check(
    found: tuple[str, tuple[str | int, ...]], value: Any
) -> None:
    """Whatever stands in a place, with new digests or without, a check comes to its end."""
    name, place = found
    pack = KEPT[name]
    if at(pack, place) == value and type(at(pack, place)) is type(value):
        return
    assert check(changed(pack, place, value))


def test_facts_are_found_as_known_by_a_number() -> None:
    """Later facts are not looked at, and the order is that of recording."""
    rows = [
        {"id": str(number), "episode_id": "e", "audit_number": 9 - number} for number in range(3)
    ]
    facts = Facts([{"table": "consent", "stored": row} for row in rows])
    assert [row["id"] for row in facts.rows("consent", "episode_id", "e")] == ["2", "1", "0"]
    assert [row["id"] for row in facts.rows("consent", "episode_id", "e", 8)] == ["2", "1"]
