"""Authority to practice: whether a clinician was allowed to care for a patient in a state on a day.

Owns what licenses and compacts grant. Care happens where the patient is. Does not own the lists of
members, which each commission publishes and a practice loads, nor where licenses are kept.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from billing.coding.catalog import CONFIDENCES
from billing.coding.sources import telehealth_sources
from billing.rules.fields import open_document
from billing.rules.references import SourceEntry, read_source, shipped_text
from billing.rules.ruleset import Source

COMPACTS_FILE = "telehealth/compacts.toml"
KINDS = (
    "STATE_LICENSE",
    "COMPACT_PRIVILEGE",
    "MULTISTATE_LICENSE",
    "TELEHEALTH_REGISTRATION",
    "FEDERAL",
)
"""Of an authority; FEDERAL stands for care under the federal government, in any state."""
OF_ONE_STATE = ("STATE_LICENSE", "TELEHEALTH_REGISTRATION")
GRANTS = ("separate-license", "multistate", "privilege")
NO_AUTHORITY, LICENSE_STILL_NEEDED, NOT_A_MEMBER = "TH-LIC-01", "TH-LIC-02", "TH-LIC-04"
"""The edits that a lack of authority raises."""


@dataclass(frozen=True)
class Compact:
    """What a compact grants, and to whom; no professions: to any."""

    compact: str
    title: str
    grants: str
    professions: tuple[str, ...]
    operative: bool
    confidence: str
    source: Source


@dataclass(frozen=True)
class PractitionerAuthority:
    """One license or privilege; days include both ends, None has no end.

    ``jurisdiction`` is the state it authorizes; of a compact the state may be left out, then every
    member state is meant. ``home_state`` is the state a compact rests on.
    """

    kind: str
    jurisdiction: str = ""
    compact: str = ""
    home_state: str = ""
    active: bool = True
    valid_from: date | None = None
    valid_to: date | None = None

    def holds_on(self, day: date) -> bool:
        """Whether it is active on a day."""
        begun = self.valid_from is None or self.valid_from <= day
        return self.active and begun and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True)
class CompactMember:
    """A state that takes part in a compact from one day on, until it withdraws."""

    compact: str
    jurisdiction: str
    operative_from: date | None = None
    withdrawn_on: date | None = None

    def takes_part_on(self, day: date) -> bool:
        """Whether the state is an operative member; the day it withdraws counts no more."""
        begun = self.operative_from is None or self.operative_from <= day
        return begun and (self.withdrawn_on is None or day < self.withdrawn_on)


@dataclass(frozen=True)
class Lack:
    """Why an authority does not reach a state: the edit, and the compact and state it is about."""

    edit_id: str
    state: str
    compact: str = ""


def authority_gaps(
    profession: str,
    state: str,
    day: date,
    authorities: Sequence[PractitionerAuthority],
    members: Iterable[CompactMember],
) -> tuple[Lack, ...]:
    """Why a clinician may not care for a patient in ``state`` on ``day``; empty: they may.

    A state license or registration of that state suffices. A compact does where it grants
    authority, its name fits the profession, and the home state and the patient's state are both
    operative members (telehealth rules, section 7). A compact whose members were not loaded
    proves nothing.
    """
    held = [one for one in authorities if one.holds_on(day)]
    if any(_of_state(one, state) for one in held):
        return ()
    taking_part: dict[str, set[str]] = {}
    loaded = set()
    for member in members:
        loaded.add(member.compact)
        if member.takes_part_on(day):
            taking_part.setdefault(member.compact, set()).add(member.jurisdiction)
    licensed = {one.jurisdiction for one in held if one.kind in OF_ONE_STATE}
    lacks = [Lack(NO_AUTHORITY, state)]
    for one in held:
        if not one.compact:
            continue
        lack = _compact_lack(one, profession, state, licensed, loaded, taking_part)
        if lack is None:
            return ()
        lacks.append(lack)
    return tuple(dict.fromkeys(lack for lack in lacks if lack.edit_id))


def _of_state(one: PractitionerAuthority, state: str) -> bool:
    if one.kind == "FEDERAL":
        return one.jurisdiction in ("", state)
    return one.kind in OF_ONE_STATE and one.jurisdiction == state


def _compact_lack(
    one: PractitionerAuthority,
    profession: str,
    state: str,
    licensed: set[str],
    loaded: set[str],
    taking_part: Mapping[str, set[str]],
) -> Lack | None:
    """Why this compact does not reach the state; None: it does; no edit: nothing is proved."""
    meaning = shipped_compacts()[one.compact]
    if meaning.grants == "separate-license":
        return Lack(LICENSE_STILL_NEEDED, state, one.compact)
    if meaning.professions and profession not in meaning.professions:
        return Lack("", state, one.compact)
    if not meaning.operative:
        return Lack(NOT_A_MEMBER, state, one.compact)
    if one.compact not in loaded:
        return Lack("", state, one.compact)
    members = taking_part.get(one.compact, set())
    homes = {one.home_state} if one.home_state else licensed
    # a membership of which no home state is known rests on its own word
    reached = state in members and (not homes or bool(homes & members))
    if reached and one.jurisdiction in ("", state):
        return None
    if reached:
        return Lack("", state, one.compact)
    missing = state if state not in members else min(homes, default=state)
    return Lack(NOT_A_MEMBER, missing, one.compact)


@lru_cache(maxsize=1)
def shipped_compacts() -> Mapping[str, Compact]:
    """The compacts by their short name."""
    return read_compacts(shipped_text(COMPACTS_FILE), COMPACTS_FILE, telehealth_sources())


def read_compacts(text: str, name: str, sources: Mapping[str, SourceEntry]) -> dict[str, Compact]:
    """A table of compacts; RuleError with file, line and reason for what it may not say."""
    top = open_document(text, name)
    found: dict[str, Compact] = {}
    for table in top.each("compact"):
        one = Compact(
            compact=table.text("compact"),
            title=table.text("title"),
            grants=table.word("grants", GRANTS),
            professions=table.several("professions", str),
            operative=table.take("operative", bool),
            confidence=table.word("confidence", CONFIDENCES),
            source=read_source(table, sources),
        )
        table.finish()
        if one.compact in found:
            raise table.place.error(f"{one.compact} stands twice", "compact")
        found[one.compact] = one
    top.finish()
    return found
