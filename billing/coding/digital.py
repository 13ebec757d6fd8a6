"""Services that are no visits: check-ins, stored images, portal visits, e-consults.

Owns the choice of their codes (reference, sections 2, 4.1 to 4.3 and 4.6). Does not own what
forbids them, such as a related visit nearby: those are edits.
"""

from billing.coding.levels import leveled
from billing.coding.question import Proposal, Question, nothing

_CLINIC = "clinic-digital"
_NO_MINUTES = "the minutes are not documented"


def check_in(question: Question) -> Proposal:
    """A brief check-in by the minutes of discussion."""
    family = "check-in" if question.encounter.bills_em else "check-in-non-em"
    return _timed(question, family, question.encounter.spoken_minutes, "discussion")


def e_visit(question: Question) -> Proposal:
    """A portal visit by the practitioners' own minutes in the seven days, added up."""
    encounter = question.encounter
    proposal = _timed(question, e_visit_family(question), encounter.e_visit_minutes, "the thread")
    if encounter.minutes_e_visit_staff and proposal.lines:
        return proposal.because("minutes of clinical staff do not count")
    return proposal


def e_visit_family(question: Question) -> str:
    """The family of portal visits for this professional, payer and year."""
    if question.encounter.bills_em:
        return "e-visit"
    before, after = question.family("e-visit-non-em-2020"), question.family("e-visit-non-em")
    of_2020 = before.takes(question.encounter.payer) and before.codes[0].on(question.dos)
    return before.name if of_2020 else after.name


def _timed(question: Question, family: str, minutes: int | None, what: str) -> Proposal:
    if minutes is None:
        return nothing(_NO_MINUTES)
    if wrapper := _wrapper(question):
        family = wrapper
    code = question.banded(family, minutes)
    if code is None:
        return nothing(f"{minutes} minutes of {what} are below the lowest code of this day")
    reason = f"{minutes} minutes of {what} support {code.code}"
    return Proposal((question.line(code.code),), (reason,))


def _wrapper(question: Question) -> str:
    """A clinic's own code for digital services, while there is one."""
    clinic = question.encounter.payer in ("MCR_RHC", "MCR_FQHC")
    return _CLINIC if clinic and question.family(_CLINIC).codes[0].on(question.dos) else ""


def image_review(question: Question) -> Proposal:
    """A stored image: what the payer's own row says, else a review with a reply in time."""
    if question.mode is not None:
        return _stored_visit(question)
    family = question.family(
        "image-review" if question.encounter.bills_em else "image-review-non-em"
    )
    hours, most = question.encounter.image_reply_business_hours, family.most_reply_hours
    if hours is not None and most is not None and hours > most:
        return nothing(f"the reply came after more than {most} business hours")
    if wrapper := _wrapper(question):
        family = question.family(wrapper)
    code = next((one for one in family.codes if one.on(question.dos)), None)
    if code is None:
        return nothing("no code for a stored image is in force on this day")
    return Proposal((question.line(code.code),), ("a stored image was reviewed and answered",))


def _stored_visit(question: Question) -> Proposal:
    """The code the clinician picked, or the supported level, marked as a stored image."""
    chosen = question.chosen("office")
    if chosen is not None:
        reason = f"the clinician picked {chosen.code} for the stored image"
        return Proposal((question.line(chosen.code),), (reason,))
    return leveled(question, question.family("office"))


def econsult(question: Question) -> Proposal:
    """An e-consult by the consultant's minutes and the kind of report, or by the requester."""
    minutes = question.encounter.minutes_econsult
    if minutes is None:
        return nothing(_NO_MINUTES)
    base = "e-consult" if question.encounter.bills_em else "e-consult-behavioral"
    if not question.encounter.bills_em and not question.is_behavioral_professional:
        return nothing("no e-consult code for this professional was read")
    family = (
        base if question.encounter.econsult_report == "spoken_and_written" else f"{base}-written"
    )
    if question.chosen(f"{base}-requester") is not None:
        family = f"{base}-requester"
    code = question.banded(family, minutes)
    if code is None:
        return nothing(f"{minutes} minutes are below the lowest code of this day")
    reason = f"{minutes} minutes of e-consult support {code.code}"
    return Proposal((question.line(code.code),), (reason,))
