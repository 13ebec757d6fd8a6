"""Choice of code: what the facts of an encounter support, with the reason and the alternatives.

Owns the choice between the families of codes by service, professional, payer and day. Does not
own levels (``levels``), digital services (``digital``), sittings (``sitting``), care of a month
(``care``), nor whether the lines may leave (``code``).
"""

from collections.abc import Callable

from billing.coding.care import month_of_care
from billing.coding.digital import check_in, e_visit, econsult, image_review
from billing.coding.encounter import CLINICS
from billing.coding.levels import ESTABLISHED, leveled, patient_status
from billing.coding.question import Proposal, Question, nothing
from billing.coding.sitting import is_sitting, sitting, with_sitting


def propose(question: Question) -> Proposal:
    """Lines the facts give, before any edit; none, with the reason, where they give none."""
    service = question.encounter.service or "visit"
    proposal = _BY_SERVICE[service](question)
    if question.encounter.modality == "NONE" and service == "visit":
        return proposal
    care = month_of_care(question)
    return proposal.joined(care) if care.lines else proposal


def _visit(question: Question) -> Proposal:
    encounter = question.encounter
    if encounter.modality == "NONE":
        return month_of_care(question)
    if encounter.modality == "ASYNC":
        return image_review(question) if question.mode else nothing("nothing was held live")
    if is_sitting(question):
        return sitting(question)
    if encounter.payer in CLINICS and encounter.live and not _is_behavioral(question):
        return _clinic_visit(question)
    if not encounter.bills_em:
        return _by_another_professional(question)
    return with_sitting(question, visit_with_level(question))


def _is_behavioral(question: Question) -> bool:
    return bool({"mental_health", "sud"} & {*(question.encounter.condition or ())})


def _clinic_visit(question: Question) -> Proposal:
    code = question.family("clinic-visit").codes[0]
    if not code.on(question.dos):
        return nothing(f"{code.code} did not exist on this day")
    reason = "a medical distant-site visit of a rural health clinic or health center"
    return Proposal((question.line(code.code),), (reason,))


def _by_another_professional(question: Question) -> Proposal:
    """Professionals without E/M: a phone assessment, or nothing this reference has a code for."""
    if question.encounter.modality != "AUDIO":
        return nothing("this professional does not bill evaluation and management")
    minutes = question.encounter.spoken_minutes
    code = None if minutes is None else question.banded("phone-non-em", minutes)
    if code is None:
        return nothing("no minutes that support a phone assessment are documented")
    reason = f"{minutes} minutes of discussion support {code.code}"
    return Proposal((question.line(code.code),), (reason,))


def visit_with_level(question: Question) -> Proposal:
    """An office, video or phone visit by the payer's choice of family."""
    encounter, mode = question.encounter, question.mode
    if encounter.modality == "IN_PERSON" and encounter.patient_location == "HOME":
        return nothing("codes of home visits are not among the rules read")
    wanted = "office" if mode is None else mode.codes
    if wanted == "none":
        return nothing("the payer covers nothing by this modality on this day")
    if wanted == "phone":
        return _phone_until_2024(question)
    if wanted == "telemedicine":
        return _telemedicine(question)
    chosen = question.chosen("video" if encounter.modality == "AV" else "phone")
    if chosen is not None and mode is not None and question.row.telemedicine != "refused":
        return leveled(question, question.family(chosen.family))
    return _office(question)


def _office(question: Question) -> Proposal:
    if question.encounter.rendered_by == "staff":
        if patient_status(question) != ESTABLISHED:
            return nothing("staff do not render a visit of a new patient")
        return Proposal((question.line("99211"),), ("rendered by staff under supervision",))
    proposal = leveled(question, question.family("office"))
    if not proposal.lines or proposal.lines[0].code == "99211":
        return proposal
    return _with_complexity(question, _with_telemedicine(question, proposal))


def _with_telemedicine(question: Question, proposal: Proposal) -> Proposal:
    """98000-98015 as an alternative where it was not read whether the payer takes them."""
    if not question.encounter.live or question.row.telemedicine != "unknown":
        return proposal
    lines = _telemedicine(question).lines
    reason = "98000-98015, where the payer takes them: that was not read"
    return proposal.also(*lines, reason=reason) if lines else proposal


def _with_complexity(question: Question, proposal: Proposal) -> Proposal:
    """G2211 as an alternative: whether care is continuing is the practitioner's to say."""
    code = question.code("G2211")
    if code is None or not (
        question.encounter.is_medicare and question.encounter.longitudinal_care
    ):
        return proposal
    reason = "G2211 beside the visit where this practitioner's care is continuing"
    return proposal.also(*proposal.lines, question.line(code.code), reason=reason)


def _phone_until_2024(question: Question) -> Proposal:
    minutes, family = question.encounter.spoken_minutes, question.family("phone-until-2024")
    also_new = family.new_patients_to is not None and question.dos <= family.new_patients_to
    if not also_new and patient_status(question) != ESTABLISHED:
        return nothing("phone visits of this day are for established patients")
    if minutes is None:
        return nothing("the minutes of discussion are not documented")
    code = family.band(minutes, question.dos)
    if code is None:
        return nothing(f"{minutes} minutes support no phone visit on this day")
    reason = f"{minutes} minutes of discussion support {code.code}"
    return Proposal((question.line(code.code),), (reason,))


def _telemedicine(question: Question) -> Proposal:
    """98000-98007 for video; 98008-98015 by phone with more than ten minutes of discussion."""
    encounter = question.encounter
    family = question.family("video" if encounter.modality == "AV" else "phone")
    if encounter.total_minutes is not None and encounter.total_minutes < (
        family.least_minutes or 0
    ):
        return nothing(f"under {family.least_minutes} minutes nothing is reported")
    minutes = encounter.discussion_minutes
    if minutes is not None and minutes < (family.least_discussion or 0):
        return check_in(question)
    return leveled(question, family)


_BY_SERVICE: dict[str, Callable[[Question], Proposal]] = {
    "visit": _visit,
    "therapy": sitting,
    "check_in": check_in,
    "image_review": image_review,
    "e_visit": e_visit,
    "econsult": econsult,
}
