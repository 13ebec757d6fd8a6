"""Repair: what becomes of lines when an edit fires that the facts can answer.

Owns one repair for each edit that has one (reference, section 12, column fix; 14.2). Does not own
counting again (``relevel``), when an edit fires (``check``), nor what happens without a repair.
A repair gives a change of lines, or None when the facts do not support one.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from billing.coding.digital import check_in, e_visit, e_visit_family, image_review
from billing.coding.encounter import CLINICS
from billing.coding.lines import Line
from billing.coding.mark import OF_TELEHEALTH, marked, recoded, set_down
from billing.coding.pairs import unit_limit
from billing.coding.question import Proposal, Question
from billing.coding.relevel import (
    Change,
    Slots,
    best_level,
    care_units,
    given_once,
    merged_threads,
    prolonged,
)
from billing.coding.visit import visit_with_level

Repair = Callable[[Question, Slots, int], Change | None]
Recode = Callable[[Question, Line], Line | None]


def _of_line(recode: Recode) -> Repair:
    """A repair that looks at one line only; none when nothing would change."""

    def repair(question: Question, slots: Slots, index: int) -> Change | None:
        line = slots[index]
        changed = None if line is None else recode(question, line)
        return None if changed in (None, line) else {index: changed}

    return repair


def _without(*modifiers: str) -> Repair:
    return _of_line(lambda question, line: marked(question, line.without_modifiers(*modifiers)))


def _gone(_question: Question, _slots: Slots, index: int) -> Change:
    return {index: None}


def _in_person(question: Question, line: Line) -> Line:
    return set_down(question, line.without_modifiers(*OF_TELEHEALTH, "G0"))


def _family(question: Question, line: Line) -> str:
    known = question.rules.codes.get(line.code)
    return "" if known is None else known.family


def _same_place_in(family: str) -> Recode:
    """The code at the same place of another family, where it exists on the day."""

    def recode(question: Question, line: Line) -> Line | None:
        codes = [one.code for one in question.family(_family(question, line)).codes]
        others = question.family(family).codes
        place = codes.index(line.code)
        if place >= len(others) or not others[place].on(question.dos):
            return None
        return recoded(question, line, others[place].code)

    return recode


def _same_level_in(question: Question, line: Line, family: str, status: str = "") -> Line | None:
    known = question.rules.codes.get(line.code)
    if known is None or known.mdm is None:
        return None
    for one in question.family(family).codes:
        same = one.mdm == known.mdm and one.patient == (status or known.patient)
        if same and one.on(question.dos):
            return recoded(question, line, one.code)
    return None


def _office(question: Question, line: Line) -> Line | None:
    """TH-CODE-01: the office visit of the same level, or a clinic's own code."""
    if question.encounter.payer in CLINICS:
        return recoded(question, line, question.family("clinic-visit").codes[0].code)
    return _same_level_in(question, line, "office")


def _telemedicine(question: Question, line: Line) -> Line | None:
    """TH-CODE-16: the video or phone visit of the same level, without modifiers of telehealth."""
    family = "video" if question.encounter.modality == "AV" else "phone"
    return _same_level_in(question, line, family)


def _established(question: Question, line: Line) -> Line | None:
    """TH-CODE-17: the established-patient code of the same level."""
    return _same_level_in(question, line, _family(question, line), "EST")


def _first(question: Question, line: Line, proposal: Proposal) -> Line | None:
    """The line under the first code of a proposal."""
    return recoded(question, line, proposal.lines[0].code) if proposal.lines else None


def _after_phone_codes(question: Question, line: Line) -> Line | None:
    """TH-CODE-02: an office visit by phone or, under Medicare, a check-in; or 98008-98015."""
    wanted = None if question.mode is None else question.mode.codes
    if wanted not in ("office", "telemedicine"):
        return None
    found = _first(question, line, visit_with_level(question))
    if found is None and question.encounter.is_medicare:
        return _first(question, line, check_in(question))
    return found


def _check_in_of_day(question: Question, line: Line) -> Line | None:
    """TH-CODE-04: the five-minute check-in of the day."""
    codes = question.family("check-in").codes
    found = next((one for one in codes if one.on(question.dos) and one.at_least == 5), None)
    return None if found is None else recoded(question, line, found.code)


def _e_visit_of_professional(question: Question, line: Line) -> Line | None:
    """TH-CODE-05, TH-CODE-10: the same band of the family of this professional, payer and year."""
    return _same_place_in(e_visit_family(question))(question, line)


def _recounted(question: Question, line: Line) -> Line | None:
    """TH-CODE-09: by the practitioners' own minutes."""
    return _first(question, line, e_visit(question))


def _short_call(question: Question, line: Line) -> Line | None:
    """TH-CODE-11: a check-in for five to ten minutes."""
    return _first(question, line, check_in(question))


def _component(question: Question, line: Line) -> Line | None:
    """TH-CODE-12: the code that the clinic's wrapper stood for."""
    encounter = question.encounter
    if encounter.service == "image_review":
        return _first(question, line, image_review(question))
    if encounter.service == "e_visit" or encounter.minutes_e_visit is not None:
        return _first(question, line, e_visit(question))
    if question.encounter.spoken_minutes is None:
        return _check_in_of_day(question, line)
    return _first(question, line, check_in(question))


def _of_care(question: Question, line: Line) -> Line | None:
    """TH-CODE-14: the care code that the minutes of the month earn."""
    encounter = question.encounter
    for family, minutes in (
        ("care-practitioner", encounter.minutes_ccm_practitioner),
        ("care-staff", encounter.minutes_ccm_staff),
    ):
        base = question.family(family).codes[0]
        if minutes is not None and base.holds(minutes):
            return recoded(question, line, base.code)
    return None


def _not_live(question: Question, line: Line) -> Line | None:
    """TH-MOD-05, TH-MOD-06: what was not held live, by what the facts say it was."""
    encounter = question.encounter
    if encounter.modality != "ASYNC" or question.rules.is_apart(line.code):
        return set_down(question, line.without_modifiers("GQ"))
    if encounter.service == "image_review":
        return _first(question, line, image_review(question))
    if encounter.service == "e_visit" or encounter.minutes_e_visit is not None:
        return _first(question, line, e_visit(question))
    return None


def _phone_code(question: Question, line: Line) -> Line | None:
    """TH-COV-01: the phone visit's own code, where office visits needed video (to 2024)."""
    mode = question.mode
    if mode is None or mode.codes != "phone" or _family(question, line) != "office":
        return None
    return _first(question, line, visit_with_level(question))


def _before_93(question: Question, line: Line) -> Line | None:
    """TH-MOD-12: no mark that did not exist; a phone visit has its own code then."""
    return _phone_code(question, line) or set_down(question, line)


def _video_or_phone(question: Question, line: Line) -> Line:
    """TH-MOD-03: the modifier that the note supports."""
    wrong = ("93",) if question.encounter.modality == "AV" else ("95", "GT")
    return marked(question, line.without_modifiers(*wrong))


def _without_notice(_question: Question, line: Line) -> Line:
    """TH-COV-11: sent again without the modifiers of a service that is not covered."""
    return line.without_modifiers("GY", "GA", "GZ")


def _apart_or_gone(question: Question, slots: Slots, index: int) -> Change:
    """TH-NCCI-03: with proof of separate work a modifier that opens the pair, else dropped."""
    line = slots[index]
    if line is None or not question.encounter.separate_work:
        return {index: None}
    return {index: line.with_modifier("59")}


def _with_visit(question: Question, slots: Slots, index: int) -> Change | None:
    """TH-NCCI-06: psychotherapy beside a visit is its add-on."""
    change: dict[int, Line | None] = {}
    for place, line in enumerate(slots):
        if line is None or _family(question, line) != "therapy":
            continue
        minutes = question.encounter.minutes_therapy
        code = None if minutes is None else question.banded("therapy-with-visit", minutes)
        if code is None and minutes is None:
            found = _same_place_in("therapy-with-visit")(question, line)
        else:
            found = None if code is None else recoded(question, line, code.code)
        stands = any(one is not None and found and one.code == found.code for one in slots)
        change[place] = None if stands else found
    return change or {index: None}


def _within_limit(question: Question, slots: Slots, index: int) -> Change | None:
    """TH-NCCI-09: as many units as the day's limit leaves for the line."""
    line = slots[index]
    limit = None if line is None else unit_limit(line.code, question.pairs)
    if line is None or limit is None:
        return None
    before = sum(one.units for one in slots[:index] if one is not None and one.code == line.code)
    left = limit - before
    return {index: replace(line, units=left) if left > 0 else None}


_PLACE, _MARK = _of_line(set_down), _of_line(marked)

REPAIRS: Mapping[str, Repair] = {
    **dict.fromkeys(("TH-POS-01", "TH-POS-02", "TH-POS-03", "TH-POS-04", "TH-POS-05"), _PLACE),
    **dict.fromkeys(("TH-POS-07", "TH-POS-10"), _PLACE),
    "TH-POS-06": _of_line(_in_person),
    "TH-POS-08": _of_line(_in_person),
    **dict.fromkeys(("TH-MOD-01", "TH-MOD-08", "TH-MOD-10", "TH-MOD-18"), _MARK),
    "TH-MOD-02": _without("93"),
    "TH-MOD-03": _of_line(_video_or_phone),
    "TH-MOD-04": _without("GT"),
    "TH-MOD-05": _of_line(_not_live),
    "TH-MOD-06": _of_line(_not_live),
    "TH-MOD-07": _without("FQ"),
    "TH-MOD-09": _without("95"),
    "TH-MOD-12": _of_line(_before_93),
    "TH-MOD-13": _without("CS"),
    "TH-MOD-15": _without("G0"),
    "TH-MOD-16": _without("93", "95", "GT"),
    "TH-CODE-01": _of_line(_office),
    "TH-CODE-02": _of_line(_after_phone_codes),
    "TH-CODE-03": _of_line(lambda question, line: recoded(question, line, "99202")),
    "TH-CODE-04": _of_line(_check_in_of_day),
    "TH-CODE-05": _of_line(_e_visit_of_professional),
    "TH-CODE-08": merged_threads,
    "TH-CODE-09": _of_line(_recounted),
    "TH-CODE-10": _of_line(_e_visit_of_professional),
    "TH-CODE-11": _of_line(_short_call),
    "TH-CODE-12": _of_line(_component),
    "TH-CODE-14": _of_line(_of_care),
    "TH-CODE-16": _of_line(_telemedicine),
    "TH-CODE-17": _of_line(_established),
    "TH-CODE-23": prolonged,
    "TH-LVL-01": best_level,
    "TH-LVL-02": prolonged,
    "TH-LVL-03": _gone,
    "TH-LVL-04": best_level,
    "TH-LVL-05": given_once,
    "TH-LVL-07": care_units,
    "TH-COV-01": _of_line(_phone_code),
    "TH-COV-11": _of_line(_without_notice),
    "TH-NCCI-03": _apart_or_gone,
    "TH-NCCI-06": _with_visit,
    "TH-NCCI-09": _within_limit,
    "TH-NCCI-12": _gone,
}
"""By edit id. An edit without a repair holds the claim, drops its line or leaves it."""
CHANGE_THOUGH_NO_ERROR = ("TH-POS-05", "TH-MOD-10", "TH-NCCI-03", "TH-COV-11")
"""Edits of less weight whose repair is proposed all the same (14.2, rule 3)."""


def repair_of(edit: str, question: Question, slots: Slots, index: int) -> Change | None:
    """What an edit's repair makes of the lines; None when there is none or the facts lack it."""
    repair = REPAIRS.get(edit)
    return None if repair is None else repair(question, slots, index)
