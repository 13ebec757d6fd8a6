"""Sittings: psychotherapy by its minutes, alone or with a visit, and diagnostic evaluation.

Owns section 3.4 of the reference. Does not own the visit's own level (``levels``).
"""

from billing.coding.encounter import CLINICS
from billing.coding.levels import leveled
from billing.coding.question import Proposal, Question, nothing
from billing.coding.rules import Code

_CHOSEN = ("evaluation", "evaluation-medical", "family-therapy")


def is_sitting(question: Question) -> bool:
    """Whether a documented visit is a sitting: by a professional without E/M, or by its code."""
    minutes = question.encounter.minutes_therapy
    alone = minutes is not None and not question.encounter.bills_em
    return alone or question.chosen(*_CHOSEN) is not None


def sitting(question: Question) -> Proposal:
    """A sitting by its minutes; beside a visit with a level, the add-on of the same band."""
    encounter = question.encounter
    if encounter.payer in CLINICS and encounter.live and _is_clinic_visit(question):
        clinic = question.family("clinic-visit").codes[0].code
        return Proposal((question.line(clinic),), ("a clinic's sitting of this day",))
    if chosen := question.chosen(*_CHOSEN):
        return _picked(question, chosen)
    if encounter.minutes_therapy is None:
        return nothing("the minutes of the sitting are not documented")
    if encounter.bills_em and encounter.payer not in CLINICS:
        visit = leveled(question, question.family("office")) if _has_level(question) else None
        if visit is not None and visit.lines:
            return with_sitting(question, visit)
    code = question.banded("therapy", encounter.minutes_therapy)
    if code is None:
        return nothing(f"{encounter.minutes_therapy} minutes are below the lowest sitting")
    return Proposal((question.line(code.code),), (_why(question, code),))


def _is_clinic_visit(question: Question) -> bool:
    """Whether a clinic's sitting still has the code of its medical visits (section 4.5, S41)."""
    family = question.family("clinic-visit")
    last = family.sittings_to
    return last is not None and question.dos <= last and family.codes[0].on(question.dos)


def _has_level(question: Question) -> bool:
    return question.encounter.mdm is not None or question.encounter.total_minutes is not None


def _picked(question: Question, chosen: Code) -> Proposal:
    minutes = question.encounter.minutes_therapy
    if chosen.at_least is not None and minutes is not None and minutes < chosen.at_least:
        return nothing(f"{minutes} minutes are below the {chosen.at_least} of {chosen.code}")
    return Proposal((question.line(chosen.code),), (f"the clinician picked {chosen.code}",))


def with_sitting(question: Question, visit: Proposal) -> Proposal:
    """A visit with the add-on for psychotherapy beside it, where its minutes reach a band."""
    minutes = question.encounter.minutes_therapy
    if minutes is None or not visit.lines:
        return visit
    code = question.banded("therapy-with-visit", minutes)
    if code is None:
        return visit.because(f"{minutes} minutes of psychotherapy are below the lowest sitting")
    return visit.plus(question.line(code.code), _why(question, code))


def _why(question: Question, code: Code) -> str:
    return f"{question.encounter.minutes_therapy} minutes of psychotherapy support {code.code}"
