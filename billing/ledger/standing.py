"""Standing of each episode: consent, other gates, profile and chain, ready for lookup by day.

Owns how gates and coverages are asked. Does not own which gate a code needs: rule pages say so.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from billing.days import FAR_DAY, NO_DAY
from billing.ledger.facts import GATES, Facts
from billing.ledger.kernels import Intervals, Ints, Mask
from billing.rules.profile import Anchor, SupplyServiceDay


@dataclass(frozen=True)
class Standing:
    """Arrays by episode row, and the intervals of its gates."""

    count: int
    patient: Ints
    program: Ints
    setting: Ints
    pos: Ints
    opened_day: Ints
    setup_day: Ints  # the opening day where set-up is not recorded
    setup_recorded: Mask
    closed_day: Ints
    end_reason: Ints
    setup_billed: Mask
    previous: Ints
    reorder: Mask
    anchored_on_service_day: Mask  # NGS
    supply_service_day: Ints  # position in SupplyServiceDay
    em_day_exclusion: Mask
    mue_cap: Mask
    has_consent: Mask
    consent_from: Ints  # first day of any consent; NO_DAY where there is none
    consent_to: Ints
    gates: dict[str, Intervals]
    single_consent: bool

    def consented(self, episode: Ints, day: Ints) -> Mask:
        """Whether the day is under consent; everywhere True for an episode without any.

        Without consent nothing leaves, yet days and seconds are still shown (P0 step 1).
        """
        if self.single_consent:
            inside: Mask = (day >= self.consent_from[episode]) & (day <= self.consent_to[episode])
            return inside
        return self.holds("consent", episode, day) | ~self.has_consent[episode]

    def before_consent(self, episode: Ints, day: Ints) -> Mask:
        """Whether the day lies before the first consent of an episode that has one."""
        before: Mask = day < self.consent_from[episode]
        return before

    def holds(self, gate: str, episode: Ints, day: Ints) -> Mask:
        """Whether a gate holds for each episode on each day."""
        return self.gates[gate].holding(episode, day) >= 0

    def chain_root(self) -> Ints:
        """The episode whose set-up stands for each one: itself, unless it goes on without one.

        R-SET-02: a new order with a new set-up opens a new episode for the set-up code; without
        them the set-up of the earlier episode stands.
        """
        root = np.arange(self.count)
        carries = (self.previous >= 0) & ~self.reorder
        for _ in range(self.count):
            moved = np.where(carries[root], self.previous[root], root)
            if np.array_equal(moved, root):
                break
            root = moved
        return root


def standing_of(facts: Facts) -> Standing:
    """The standing of every episode of the facts."""
    episodes = facts.episodes
    count = len(episodes)
    profiles = facts.profiles
    profile = episodes["profile"].to_numpy()
    setup = episodes["setup_day"].to_numpy().astype(np.int64)
    consents = facts.gates[facts.gates["gate"].to_numpy() == GATES.index("consent")]
    at = consents["episode"].to_numpy()
    consent_from = np.full(count, FAR_DAY, dtype=np.int64)
    consent_to = np.full(count, NO_DAY, dtype=np.int64)
    np.minimum.at(consent_from, at, consents["from_day"].to_numpy())
    np.maximum.at(consent_to, at, consents["to_day"].to_numpy())
    has_consent = np.bincount(at, minlength=count) > 0
    strategies = tuple(SupplyServiceDay)
    return Standing(
        count=count,
        patient=episodes["patient"].to_numpy(),
        program=episodes["program"].to_numpy(),
        setting=episodes["setting"].to_numpy(),
        pos=episodes["pos"].to_numpy(),
        opened_day=episodes["opened_day"].to_numpy().astype(np.int64),
        setup_day=np.where(setup == NO_DAY, episodes["opened_day"].to_numpy(), setup),
        setup_recorded=setup != NO_DAY,
        closed_day=episodes["closed_day"].to_numpy().astype(np.int64),
        end_reason=episodes["end_reason"].to_numpy(),
        setup_billed=episodes["setup_billed"].to_numpy(),
        previous=episodes["previous"].to_numpy(),
        reorder=episodes["reorder"].to_numpy(),
        anchored_on_service_day=np.array(
            [p.anchor is Anchor.PREVIOUS_SERVICE_DAY for p in profiles], dtype=np.bool_
        )[profile],
        supply_service_day=np.array(
            [strategies.index(p.supply_service_day) for p in profiles], dtype=np.int8
        )[profile],
        em_day_exclusion=np.array([p.em_day_exclusion for p in profiles], dtype=np.bool_)[profile],
        mue_cap=np.array([p.mue_cap for p in profiles], dtype=np.bool_)[profile],
        has_consent=has_consent,
        consent_from=np.where(has_consent, consent_from, NO_DAY),
        consent_to=np.where(has_consent, consent_to, FAR_DAY),
        gates={word: _intervals(facts.gates, word) for word in GATES},
        single_consent=bool(np.bincount(at, minlength=1).max() <= 1),
    )


def _intervals(gates: pd.DataFrame, word: str) -> Intervals:
    rows = gates[gates["gate"].to_numpy() == GATES.index(word)]
    return Intervals(
        rows["episode"].to_numpy(), rows["from_day"].to_numpy(), rows["to_day"].to_numpy()
    )
