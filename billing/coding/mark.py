"""A line marked anew: another code, its place, and its modifiers as the payer wants them.

Owns what happens to the modifiers that are already there. Does not own which ones are wanted
(``place``).
"""

from dataclasses import replace

from billing.coding.lines import Line
from billing.coding.place import TELEHEALTH_MODIFIERS, asked, modifiers_of, place_of
from billing.coding.question import Question

OF_TELEHEALTH = (*TELEHEALTH_MODIFIERS, "FQ")
"""Modifiers that tell how a visit was held."""


def marked(question: Question, line: Line) -> Line:
    """The line with the modifiers of telehealth that it should have, and none it may not have."""
    encounter, rules = question.encounter, question.rules
    wanted = asked(encounter, rules, question.known_day)
    kept = [one for one in line.modifiers if rules.mark_exists(one, question.dos)]
    if wanted is None or rules.is_apart(line.code):
        return replace(line, modifiers=tuple(one for one in kept if one not in OF_TELEHEALTH))
    welcome = {*wanted.required, *wanted.mode.allowed}
    kept = [
        one
        for one in kept
        if one not in wanted.forbidden and (one not in OF_TELEHEALTH or one in welcome)
    ]
    proposed = modifiers_of(encounter, line.code, rules, question.known_day)
    if {*kept} & {*wanted.required}:
        proposed = tuple(one for one in proposed if one not in wanted.required)
    return replace(line, modifiers=(*kept, *(one for one in proposed if one not in kept)))


def set_down(question: Question, line: Line) -> Line:
    """The line with its place and modifiers as the payer wants them."""
    place = place_of(question.encounter, line.code, question.rules, question.known_day)
    return marked(question, replace(line, place=place))


def recoded(question: Question, line: Line, code: str) -> Line:
    """The line under another code; itself, with nothing else changed, under its own."""
    return line if line.code == code else set_down(question, replace(line, code=code))
