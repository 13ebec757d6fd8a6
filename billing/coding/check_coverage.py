"""Edits on what Medicare and plans cover by telehealth (TH-COV), and on prescribing (TH-RX).

Owns when they fire; their days and payers stand in the catalog, regimes in ``regimes.toml``.
"""

from datetime import date

from billing.coding.encounter import THERAPIST_TYPES
from billing.coding.judging import (
    FIRES,
    OFFICE,
    PROLONGED,
    Told,
    Visit,
    fires,
    has,
    line_edit,
    visit_edit,
)
from billing.coding.lines import Line
from billing.coding.place import HOME

US_PLACES = ("US", "PR", "GU", "VI", "AS", "MP")
"""The United States and its territories, as countries are coded."""
_ANSWERED_BY_CODE_EDITS = (
    *("video", "phone", "phone-until-2024", "e-visit-non-em", "e-visit-non-em-2020"),
    *("check-in", *PROLONGED),
)
_NO_OFFICE_BY_PHONE = ("none", "phone-codes")
"""Regimes under which an office visit needs video."""
_EM_OR_MEDICAL = ("90792", "90833", "90836", "90838")
_COUNSELORS = ("MFT", "MHC")
_WITHOUT_EM = ("CP", "CSW", *_COUNSELORS)
_COUNSELORS_FROM = date(2024, 1, 1)
_THERAPISTS_UNTIL = date(2027, 12, 31)
_FREQUENCY_LIMITED = (
    *("99231", "99232", "99233", "99307", "99308", "99309", "99310", "G0508", "G0509"),
)
_EXEMPT_FROM_RURAL = ("esrd", "acute_stroke", "sud")
_FIRST_VISIT_MONTHS, _LATER_VISIT_MONTHS = 6, 12
_LAPSE = date(2025, 10, 1), date(2025, 11, 11)
"""Days on which claims were answered as if the law had ended."""


@line_edit("TH-COV-01")
def not_on_the_list(visit: Visit, line: Line) -> Told:
    """A live service that Medicare's telehealth list of the year does not hold."""
    e = visit.encounter
    if not e.live or not visit.is_visit_line(line):
        return None
    if (
        _listed(visit, line)
        or line.code in _FREQUENCY_LIMITED
        or _answered_by_code_edit(visit, line)
    ):
        return None
    return {"year": str(e.dos.year), "code": line.code}


def _listed(visit: Visit, line: Line) -> bool:
    """Whether the list holds the code for the way the visit was held.

    By phone an office visit is listed from 2025 on only; before, the phone codes were (section 6).
    """
    e = visit.encounter
    known = visit.rules.codes.get(line.code)
    if known is None or not known.listed(e.dos) or not e.payer_code_listed:
        return False
    office_by_phone = e.modality == "AUDIO" and visit.is_office(line.code)
    if office_by_phone and visit.regime and visit.regime.audio in _NO_OFFICE_BY_PHONE:
        return has(line, "93") and not visit.rules.mark_exists("93", e.dos)  # TH-MOD-12's
    return True


def _answered_by_code_edit(visit: Visit, line: Line) -> bool:
    """Whether an edit on the code itself says what is wrong (TH-CODE-01 to -05, -23)."""
    if line.code == "G2212":
        return False
    known = visit.rules.codes.get(line.code)
    ended = known is not None and not known.on(visit.encounter.dos)
    return visit.is_of(line.code, _ANSWERED_BY_CODE_EDITS) or (line.code == "99201" and ended)


@line_edit("TH-COV-02")
def audio_not_at_home(visit: Visit, line: Line) -> Told:
    """Audio-only care of a patient who was not at home."""
    e = visit.encounter
    return fires(
        when=e.modality == "AUDIO" and e.patient_location != "HOME" and visit.is_visit_line(line)
    )


@line_edit("TH-COV-03")
def audio_unexplained(visit: Visit, line: Line) -> Told:
    """Audio-only without the two facts Medicare asks for: video was possible, and why not."""
    e = visit.encounter
    explained = e.video_capable == "Y" and e.audio_reason == "documented"
    return fires(when=e.modality == "AUDIO" and not explained and visit.is_visit_line(line))


@line_edit("TH-COV-04")
def rural_facility_only(visit: Visit, line: Line) -> Told:
    """A day on which, as then known, Medicare paid only for rural facilities and exceptions."""
    e = visit.encounter
    if visit.regime is None or not visit.regime.is_restricted:
        return None
    if not e.live or not visit.is_visit_line(line) or visit.is_behavioral(line.code):
        return None
    exempt = set(_EXEMPT_FROM_RURAL) & set(e.condition or ())
    rural_site = e.rural and e.patient_location == "FACILITY"
    return fires(when=not exempt and not rural_site)


@line_edit("TH-COV-05")
def in_person_visit_missing(visit: Visit, line: Line) -> Told:
    """Mental-health care at home without the in-person visit that Medicare asks for again."""
    e = visit.encounter
    if not e.live or e.patient_location != "HOME" or not visit.is_behavioral(line.code):
        return None
    if not visit.is_visit_line(line) or "sud" in (e.condition or ()):
        return None
    if e.in_person_exception == "colleague":
        return None
    if e.in_person_exception == "recorded" and not e.first_telehealth:
        return None
    months = _FIRST_VISIT_MONTHS if e.first_telehealth else _LATER_VISIT_MONTHS
    return fires(when=not _seen_within(visit, months))


def _seen_within(visit: Visit, months: int) -> bool:
    e = visit.encounter
    if e.in_person_visit is None:
        return not e.in_person_visit_none
    seen = e.in_person_visit
    year, month = divmod(seen.year * 12 + seen.month - 1 + months, 12)
    return (e.dos.year, e.dos.month, e.dos.day) <= (year, month + 1, seen.day)


@line_edit("TH-COV-06")
def abroad(visit: Visit, _line: Line) -> Told:
    """A patient outside the United States and its territories."""
    e = visit.encounter
    return fires(when=e.patient_location == "ABROAD" or e.country not in US_PLACES)


@line_edit("TH-COV-07")
def professional_not_eligible(visit: Visit, line: Line) -> Told:
    """A professional whom Medicare does not pay for this code, or not on this day."""
    e = visit.encounter
    told = {"code": line.code}
    if e.provider_type in _COUNSELORS and e.dos < _COUNSELORS_FROM:
        return told
    em = visit.is_of(line.code, OFFICE) or line.code in _EM_OR_MEDICAL
    if e.provider_type in _WITHOUT_EM and em:
        return told
    therapist = e.provider_type in (*THERAPIST_TYPES, "AUD") and e.dos > _THERAPISTS_UNTIL
    return told if therapist and e.live and visit.is_visit_line(line) else None


@line_edit("TH-COV-08")
def fee_of_the_originating_site(visit: Visit, line: Line) -> Told:
    """The fee of the patient's facility, billed for a patient at home or by somebody else."""
    e = visit.encounter
    wrong = e.patient_location == "HOME" or line.place == HOME or e.originating_site != "self"
    return fires(when=line.code == "Q3014" and wrong)


@line_edit("TH-COV-09")
def frequency_limits(visit: Visit, line: Line) -> Told:
    """A code whose limits of frequency were suspended and then removed."""
    return fires(when=line.code in _FREQUENCY_LIMITED and visit.encounter.live)


@visit_edit("TH-COV-10")
def advantage_plan(_visit: Visit) -> Told:
    """A Medicare Advantage plan, which may cover more than Medicare."""
    return FIRES


@visit_edit("TH-COV-11")
def answered_during_the_lapse(visit: Visit) -> Told:
    """A claim that was returned or denied before the law was restored backwards."""
    first, last = _LAPSE
    return fires(
        when=any(
            one.answer in ("returned", "denied") and first <= one.day <= last
            for one in visit.encounter.prior_claim
        )
        and visit.known_day > last
    )


@visit_edit("TH-RX-01")
def controlled_drug(visit: Visit) -> Told:
    """A controlled drug prescribed by telehealth to a patient never seen in person."""
    e = visit.encounter
    return fires(
        when=e.controlled_rx is not None and e.in_person_visit_none and e.modality != "IN_PERSON"
    )
