"""Repairs that count again: levels, bands, units and minutes that two services share.

Owns what a line becomes when its minutes support another code or fewer units. Does not own other
repairs (``repair``) nor when an edit fires (``check``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from billing.coding.care import Earned, care_earned, monitoring_earned
from billing.coding.levels import prolonged_family, prolonged_units, supported
from billing.coding.lines import Line
from billing.coding.mark import recoded
from billing.coding.question import Question

Slots = Sequence[Line | None]
"""Lines by their place in what was submitted; None for one that is gone."""
Change = Mapping[int, Line | None]
"""Slots and what becomes of them; None takes the line away."""

_CARE = ("care-staff", "care-practitioner", "care-complex")
_MANAGEMENT = ("99457", "99458", "99470")


def best_level(question: Question, slots: Slots, index: int) -> Change | None:
    """The code of the line's family that decision making or minutes support (TH-LVL-01)."""
    line = _line(slots, index)
    known = question.rules.codes.get(line.code)
    if known is None:
        return None
    if known.mdm is not None:
        level = supported(question, question.family(known.family), known.patient or "EST")
        return None if level is None else {index: recoded(question, line, level.code.code)}
    minutes = _minutes_of(question, known.family)
    code = None if minutes is None else question.banded(known.family, minutes)
    return None if code is None else {index: recoded(question, line, code.code)}


def _minutes_of(question: Question, family: str) -> int | None:
    encounter = question.encounter
    if family.startswith("e-visit"):
        return encounter.e_visit_minutes
    if family.startswith("e-consult"):
        return encounter.minutes_econsult
    if "therapy" in family:
        return encounter.minutes_therapy
    return question.encounter.spoken_minutes


def prolonged(question: Question, slots: Slots, index: int) -> Change | None:
    """The payer's prolonged code with the units that the minutes earn (TH-LVL-02, TH-CODE-23)."""
    minutes, line = question.encounter.total_minutes, _line(slots, index)
    family = prolonged_family(question)
    bases = [one.code for one in slots if one is not None and one.code in family.starts]
    if not bases or minutes is None:
        return None
    units = prolonged_units(family, bases[0], minutes)
    if not units:
        return None
    return {index: replace(recoded(question, line, family.codes[0].code), units=units)}


def merged_threads(question: Question, slots: Slots, index: int) -> Change:
    """One portal visit for the window, by all its minutes; the other lines go (TH-CODE-08)."""
    threads = [
        place
        for place, line in enumerate(slots)
        if line is not None and _family(question, line).startswith("e-visit")
    ]
    first, *others = threads or [index]
    lines = [line for line in (slots[place] for place in threads) if line is not None]
    best = max(lines, key=lambda line: line.code)
    minutes = question.encounter.e_visit_minutes
    code = None if minutes is None else question.banded(_family(question, best), minutes)
    merged = best if code is None else recoded(question, best, code.code)
    return {first: replace(merged, units=1), **dict.fromkeys(others)}


def given_once(question: Question, slots: Slots, _index: int) -> Change:
    """Shared minutes stay with the visit; the other service has what is left (TH-LVL-05)."""
    change: dict[int, Line | None] = {}
    for service, shared in question.encounter.minutes_shared:
        change.update(_left_over(question, slots, service, shared))
    return change


def _left_over(question: Question, slots: Slots, service: str, shared: int) -> Change:
    encounter = question.encounter
    if service == "rpm":
        left = (encounter.minutes_rpm or 0) - shared
        earned = monitoring_earned(max(left, 0), question.dos, question.known_day)
        return _fitted(question, slots, _MANAGEMENT, earned)
    change: dict[int, Line | None] = {}
    for index, line in enumerate(slots):
        family = "" if line is None else _family(question, line)
        if line is None or not _is_of(family, service):
            continue
        minutes = (
            _care_minutes(question, family) if service == "ccm" else _minutes_of(question, family)
        )
        if minutes is None:
            change[index] = None
        elif service == "ccm":
            codes = [code.code for code in question.family(family).codes]
            earned = care_earned(question.family(family), max(minutes - shared, 0))
            change.update(_fitted(question, slots, codes, earned))
        else:
            code = question.banded(family, minutes - shared)
            change[index] = None if code is None else recoded(question, line, code.code)
    return change


def _is_of(family: str, service: str) -> bool:
    if service == "ccm":
        return family in _CARE
    return family.startswith("e-visit" if service == "e_visit" else "therapy")


def care_units(question: Question, slots: Slots, index: int) -> Change | None:
    """Care of the month as its minutes earn it (TH-LVL-07)."""
    family = _family(question, _line(slots, index))
    minutes = _care_minutes(question, family)
    if family not in _CARE or minutes is None:
        return None
    codes = [code.code for code in question.family(family).codes]
    return _fitted(question, slots, codes, care_earned(question.family(family), minutes))


def _care_minutes(question: Question, family: str) -> int | None:
    encounter = question.encounter
    if family == "care-practitioner":
        return encounter.minutes_ccm_practitioner
    return encounter.minutes_ccm_staff


def _fitted(question: Question, slots: Slots, codes: Sequence[str], earned: Earned) -> Change:
    """Lines of these codes as far as they were earned; a first code may become another first."""
    left = dict(earned)
    change: dict[int, Line | None] = {}
    for index, line in enumerate(slots):
        if line is None or line.code not in codes:
            continue
        code = line.code if line.code in left else _first_left(left, slots, line.code)
        if not code:
            change[index] = None
            continue
        units = min(line.units, left.pop(code))
        change[index] = replace(recoded(question, line, code), units=units)
    return change


def _first_left(left: Mapping[str, int], slots: Slots, code: str) -> str:
    """The first earned code where no line carries it yet and the line was no add-on."""
    first = next(iter(left), "")
    carried = any(line is not None and line.code == first for line in slots)
    return "" if carried or code == "99458" else first


def _family(question: Question, line: Line) -> str:
    known = question.rules.codes.get(line.code)
    return "" if known is None else known.family


def _line(slots: Slots, index: int) -> Line:
    line = slots[index]
    if line is None:
        raise ValueError("a line that is gone cannot be repaired")
    return line
