"""Level of a visit: by decision making or by the practitioner's minutes, and prolonged time.

Owns sections 3.1 to 3.3 of the reference. Does not own the choice between families of visits
(``visit``). The higher supported level is proposed; a person decides.
"""

from dataclasses import dataclass

from billing.coding.encounter import MDM_LEVELS
from billing.coding.question import Proposal, Question, nothing
from billing.coding.rules import Code, Family

NEW, ESTABLISHED = "NEW", "EST"
MDM, TIME = "MDM", "TIME"


@dataclass(frozen=True)
class Level:
    """The code of a level, and what chose it."""

    code: Code
    basis: str

    @property
    def rank(self) -> int:
        """Place of the level, from 0."""
        return MDM_LEVELS.index(self.code.mdm or MDM_LEVELS[0])


def patient_status(question: Question) -> str:
    """NEW or EST; a visit to the group within three years makes a new patient established."""
    encounter = question.encounter
    if encounter.patient_status != NEW:
        return ESTABLISHED
    return ESTABLISHED if encounter.group_saw_lately else NEW


def by_mdm(question: Question, family: Family, status: str) -> Level | None:
    """The level that decision making supports; None when it was not told."""
    fitting = _codes(question, family, status)
    found = next((one for one in fitting if one.mdm == question.encounter.mdm), None)
    return None if found is None else Level(found, MDM)


def by_time(question: Question, family: Family, status: str) -> Level | None:
    """The level that the minutes support; None without minutes, below the lowest, or in 2020."""
    minutes = question.encounter.total_minutes
    if minutes is None:
        return None
    reached = [
        one
        for one in _codes(question, family, status)
        if one.at_least is not None
        and one.at_least <= minutes
        and one.timed_from is not None
        and one.timed_from <= question.dos
    ]
    best = max(reached, key=lambda one: one.at_least or 0, default=None)
    return None if best is None else Level(best, TIME)


def _codes(question: Question, family: Family, status: str) -> list[Code]:
    return [
        one
        for one in family.codes
        if one.on(question.dos) and one.patient == status and one.mdm is not None
    ]


def supported(question: Question, family: Family, status: str) -> Level | None:
    """The higher level of the two; between equals the told basis, without one minutes."""
    mdm, time = by_mdm(question, family, status), by_time(question, family, status)
    if mdm is None or time is None:
        return mdm or time
    if mdm.rank != time.rank:
        return max(mdm, time, key=lambda one: one.rank)
    return mdm if question.encounter.level_basis == MDM else time


def leveled(question: Question, family: Family) -> Proposal:
    """A visit of a family at its supported level, with prolonged time where it was earned."""
    status = patient_status(question)
    level = supported(question, family, status)
    if level is None:
        return nothing(_why_no_level(question))
    chosen = question.chosen(family.name)
    if chosen is not None and chosen.patient == status and _is_lower(chosen, level):
        level = Level(chosen, level.basis)
    proposal = Proposal((question.line(level.code.code),), (_why(question, level),))
    proposal = _with_prolonged(question, proposal, level)
    return _with_other_basis(question, proposal, family, status, level)


def _is_lower(chosen: Code, level: Level) -> bool:
    return chosen.mdm is not None and Level(chosen, level.basis).rank <= level.rank


def _why(question: Question, level: Level) -> str:
    code, encounter = level.code, question.encounter
    if level.basis == TIME:
        return f"{encounter.total_minutes} minutes reach the {code.at_least} of {code.code}"
    return f"decision making {encounter.mdm} supports {code.code}"


def _why_no_level(question: Question) -> str:
    minutes = question.encounter.total_minutes
    if minutes is None:
        return "neither decision making nor minutes are documented: no level can be proposed"
    return f"{minutes} minutes support no level of this kind of visit on this day"


def _with_other_basis(
    question: Question, proposal: Proposal, family: Family, status: str, level: Level
) -> Proposal:
    """The lower level of the other basis, as an alternative."""
    other = (by_mdm if level.basis == TIME else by_time)(question, family, status)
    if other is not None and other.code != level.code:
        how = "decision making" if other.basis == MDM else "minutes"
        proposal = proposal.also(question.line(other.code.code), reason=f"by {how} alone")
    return Proposal(proposal.lines, proposal.reasons, proposal.alternatives, level.basis)


def prolonged_family(question: Question) -> Family:
    """G2212 for Medicare and Medicare Advantage, 99417 for all others (TH-CODE-23)."""
    medicare = question.family("prolonged-medicare")
    return medicare if medicare.takes(question.encounter.payer) else question.family("prolonged")


def prolonged_units(family: Family, base: str, minutes: int) -> int:
    """Units of prolonged time that minutes earn on a base code (section 3.3); 0 for another."""
    start = family.starts.get(base)
    if start is None or family.step_minutes is None or minutes < start:
        return 0
    return 1 + (minutes - start) // family.step_minutes


def _with_prolonged(question: Question, proposal: Proposal, level: Level) -> Proposal:
    minutes, family = question.encounter.total_minutes, prolonged_family(question)
    if level.basis != TIME or minutes is None or not family.codes[0].on(question.dos):
        return proposal
    code = family.codes[0].code
    units = prolonged_units(family, level.code.code, minutes)
    if not units:
        return proposal
    first = family.starts[level.code.code]
    return proposal.plus(
        question.line(code, units), f"{minutes} minutes earn {units} of {code}, from {first} on"
    )
