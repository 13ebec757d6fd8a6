"""Coding a visit: from the facts, or from submitted lines, to lines that may leave or why not.

Owns the one way in, and the amounts of the lines. Does not own the choice (``visit``), the edits
(``check``) nor the loop between them (``settle``). A person decides: a proposal is no claim.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from billing.coding.coded import CodedVisit
from billing.coding.encounter import Encounter
from billing.coding.lines import Line
from billing.coding.place import ELSEWHERE, unsettled
from billing.coding.question import Proposal, Question
from billing.coding.rules import CodingRules
from billing.coding.settle import settle
from billing.coding.visit import propose
from billing.days import day_number
from billing.money import Cents
from billing.rules.edits import Edits
from billing.rules.fees import FeeSchedules

_FACILITY = 22
"""A place with the facility figure: so is telehealth paid with the patient not at home (5.1)."""


def code_visit(
    encounter: Encounter,
    rules: CodingRules,
    known_day: date,
    *,
    submitted: Sequence[Line] | None = None,
    fees: FeeSchedules | None = None,
    pairs: Edits | None = None,
) -> CodedVisit:
    """Lines for an encounter under the rules as known on a day, with reasons and findings.

    Without ``submitted`` the codes are proposed from the facts; with it those lines are judged and
    repaired. ``amounts`` holds cents only where ``fees`` knows the code: Medicare's, by the day of
    service and the place; what is not known is absent. ``pairs`` are the loaded NCCI tables of the
    day of service; without them the shipped fixture answers.
    """
    question = Question(encounter, rules, known_day, pairs)
    proposal = Proposal(tuple(submitted)) if submitted is not None else propose(question)
    if proposal.basis is not None:
        told = replace(encounter, level_basis=proposal.basis)
        question = replace(question, encounter=told)
    settled = settle(question, proposal.lines)
    return CodedVisit(
        lines=settled.lines,
        submitted=proposal.lines,
        reasons=proposal.reasons,
        alternatives=proposal.alternatives,
        findings=settled.findings,
        status=settled.status,
        amounts=_amounts(encounter, settled.lines, fees),
        unsettled=unsettled(encounter, proposal.lines, rules, known_day),
        basis=proposal.basis,
    )


def _amounts(
    encounter: Encounter, lines: tuple[Line, ...], fees: FeeSchedules | None
) -> Mapping[int, Cents]:
    if fees is None or not encounter.is_medicare:
        return {}
    found = {}
    for index, line in enumerate(lines):
        if line.place is None:
            continue
        place = _FACILITY if line.place == ELSEWHERE else int(line.place)
        cents, _ = fees.priced(line.code, line.units, day_number(encounter.dos), place=place)
        if cents is not None:
            found[index] = cents
    return found
