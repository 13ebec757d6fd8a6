"""The shipped profiles: each named strategy with its status and source.

Owns the reading of profiles.toml. Does not own what a strategy does (``billing.ledger``) nor its
vocabulary (``profile``).
"""

from collections.abc import Collection
from dataclasses import dataclass

from billing.rules.fields import Place, Table, open_document
from billing.rules.profile import Anchor, Profile, SupplyServiceDay
from billing.rules.references import References, read_source, read_status
from billing.rules.ruleset import Source


@dataclass(frozen=True)
class Strategy:
    """One choice of a profile: its name, its value in words, and how far it is known."""

    name: str
    value: str
    status: str
    source: Source


@dataclass(frozen=True)
class ShippedProfile:
    """A profile with the standing of each of its choices."""

    profile: Profile
    title: str
    strategies: tuple[Strategy, ...]


def read_profiles(text: str, name: str, references: References) -> tuple[ShippedProfile, ...]:
    """Every ``[[profile]]`` of a text; RuleError for unknown words or missing sources."""
    top = open_document(text, name)
    found: list[ShippedProfile] = []
    strategies_before = 0
    for one in top.each("profile"):
        strategies = tuple(
            _strategy(
                Table(
                    raw,
                    Place(name, text, "profile.strategy", strategies_before + ordinal),
                ),
                references,
            )
            for ordinal, raw in enumerate(one.tables("strategy"))
        )
        strategies_before += len(strategies)
        found.append(_profile(one, strategies, references))
    top.finish()
    return tuple(found)


def _strategy(one: Table, references: References) -> Strategy:
    names: dict[str, Collection[str]] = {
        "anchor": set(Anchor),
        "supply_service_day": set(SupplyServiceDay),
        "em_day_exclusion": {"on", "off"},
        "mue_cap": {"on", "off"},
    }
    name = one.word("name", names)
    strategy = Strategy(
        name,
        str(one.word("value", names[name])),
        read_status(one),
        read_source(one, references.sources),
    )
    one.finish()
    return strategy


def _profile(
    one: Table, strategies: tuple[Strategy, ...], references: References
) -> ShippedProfile:
    values = {strategy.name: strategy.value for strategy in strategies}
    missing = {"anchor", "supply_service_day", "em_day_exclusion", "mue_cap"} - set(values)
    if missing or len(values) != len(strategies):
        raise one.place.error("needs each strategy once")
    profile = Profile(
        name=one.text("name"),
        anchor=Anchor(values["anchor"]),
        supply_service_day=SupplyServiceDay(values["supply_service_day"]),
        em_day_exclusion=values["em_day_exclusion"] == "on",
        mue_cap=values["mue_cap"] == "on",
        status=read_status(one),
        source=read_source(one, references.sources).ids,
    )
    title = one.text("title")
    one.finish()
    return ShippedProfile(profile, title, strategies)
