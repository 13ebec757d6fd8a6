"""Edits on the choice of code (TH-CODE).

Owns when they fire; their days and payers stand in the catalog, the days of each code in
``codes.toml``.
"""

from datetime import date, timedelta

from billing.coding.encounter import RelatedVisit
from billing.coding.judging import (
    CHECK_INS,
    E_CONSULTS,
    E_CONSULTS_BEHAVIORAL,
    PORTAL,
    PORTAL_NON_EM,
    TELEMEDICINE,
    Told,
    Visit,
    fires,
    line_edit,
    pair_edit,
)
from billing.coding.lines import Line

_RELATED_DAYS = 7
_NEXT_SLOT_DAYS = 1
"""Within 24 hours, told in days."""
_CONSULT_DAYS = 14
_PORTAL_LEAST_MINUTES = 5
_MEDICARE_PORTAL_NON_EM_FROM = date(2021, 1, 1)
_WRAPPER_ENDS = {"G0511": date(2025, 10, 1), "G0512": date(2026, 1, 1)}
_COMMERCIAL = ("BCBSM", "HORIZON")
_ESTABLISHED_ONLY = ("98016", "G2012", "G2252", "G2010")
_EM_PROFESSIONALS = ("MD", "NP", "PA")


@line_edit("TH-CODE-01")
def telemedicine_to_medicare(visit: Visit, line: Line) -> Told:
    """98000 to 98015, which Medicare does not pay."""
    return fires(when=visit.is_of(line.code, TELEMEDICINE))


@line_edit("TH-CODE-02")
def deleted_phone_code(visit: Visit, line: Line) -> Told:
    """99441 to 99443 after their end."""
    return fires(when=visit.is_of(line.code, ("phone-until-2024",)))


@line_edit("TH-CODE-03")
def deleted_lowest_visit(_visit: Visit, line: Line) -> Told:
    """99201 after its end."""
    return fires(when=line.code == "99201")


@line_edit("TH-CODE-04")
def check_in_outside_its_days(visit: Visit, line: Line) -> Told:
    """G2012 after its end, 98016 before its first day."""
    known = visit.rules.codes.get(line.code)
    changed = line.code in ("G2012", "98016")
    return fires(when=changed and known is not None and not known.on(visit.encounter.dos))


@line_edit("TH-CODE-05")
def portal_code_outside_its_days(visit: Visit, line: Line) -> Told:
    """G2061 to G2063 after 2020; 98970 to 98972 to Medicare before 2021."""
    e = visit.encounter
    late = e.dos >= _MEDICARE_PORTAL_NON_EM_FROM
    if late:
        return fires(when=visit.is_of(line.code, ("e-visit-non-em-2020",)))
    return fires(when=e.payer == "MCR" and visit.is_of(line.code, ("e-visit-non-em",)))


def _related(visits: tuple[RelatedVisit, ...], first: date, last: date) -> bool:
    """Whether a visit for the same problem lies between two days, both included."""
    return any(one.related and first <= one.day <= last for one in visits)


@line_edit("TH-CODE-06")
def check_in_beside_a_visit(visit: Visit, line: Line) -> Told:
    """A check-in or image review tied to a visit in the 7 days before or right after."""
    if not visit.is_of(line.code, CHECK_INS):
        return None
    e = visit.encounter
    before = _related(e.prior_em, e.dos - timedelta(days=_RELATED_DAYS), e.dos)
    after = _related(e.following_em, e.dos, e.dos + timedelta(days=_NEXT_SLOT_DAYS))
    return fires(when=before or after)


@line_edit("TH-CODE-07")
def portal_rules_not_met(visit: Visit, line: Line) -> Told:
    """A portal exchange that the patient did not begin, too short, or tied to a visit."""
    if not visit.is_of(line.code, PORTAL):
        return None
    e = visit.encounter
    minutes = e.e_visit_minutes
    first = min(e.portal_first_review or e.dos, e.dos)
    reasons = (
        ("the patient did not begin it", not e.patient_initiated),
        ("fewer than 5 minutes", minutes is not None and minutes < _PORTAL_LEAST_MINUTES),
        (
            "a related visit in the 7 days before",
            _related(e.prior_em, first - timedelta(days=_RELATED_DAYS), e.dos),
        ),
        (
            "a visit for it within 7 days",
            _related(e.following_em, e.dos, e.dos + timedelta(days=_RELATED_DAYS)),
        ),
    )
    told = [words for words, applies in reasons if applies]
    return {"reason": "; ".join(told)} if told else None


@pair_edit("TH-CODE-08")
def several_portal_codes(visit: Visit) -> list[tuple[int, dict[str, str]]]:
    """More than one portal code, or unit, inside one window of seven days."""
    found = [n for n, line in enumerate(visit.lines) if visit.is_of(line.code, PORTAL)]
    several = len(found) > 1 or any(visit.lines[n].units > 1 for n in found)
    return [(n, {}) for n in found[-1:]] if several else []


@line_edit("TH-CODE-09")
def staff_minutes_counted(visit: Visit, line: Line) -> Told:
    """A portal code that only holds with the minutes of staff."""
    e = visit.encounter
    known = visit.rules.codes.get(line.code)
    own = e.e_visit_minutes
    if known is None or known.at_least is None or own is None:
        return None
    if not visit.is_of(line.code, ("e-visit",)):
        return None
    staff = sum(e.minutes_e_visit_staff)
    return fires(when=own < known.at_least <= own + staff)


@line_edit("TH-CODE-10")
def wrong_portal_family(visit: Visit, line: Line) -> Told:
    """The portal codes of physicians by another professional, or the reverse."""
    e = visit.encounter
    if visit.is_of(line.code, ("e-visit",)):
        return fires(when=not e.bills_em)
    return fires(
        when=visit.is_of(line.code, PORTAL_NON_EM) and e.provider_type in _EM_PROFESSIONALS
    )


@line_edit("TH-CODE-11")
def short_discussion(visit: Visit, line: Line) -> Told:
    """A phone visit code with 10 minutes of discussion or fewer."""
    family, minutes = visit.family(line.code), visit.encounter.discussion_minutes
    if family is None or family.least_discussion is None or minutes is None:
        return None
    return fires(when=minutes < family.least_discussion)


@line_edit("TH-CODE-12")
def clinic_wrapper(visit: Visit, line: Line) -> Told:
    """G0071 after its end, or from whoever is no clinic."""
    known = visit.rules.codes.get("G0071")
    ended = known is None or not known.on(visit.encounter.dos)
    return fires(when=line.code == "G0071" and (ended or not visit.bills_as_clinic))


@line_edit("TH-CODE-13")
def clinic_visit_ends(_visit: Visit, line: Line) -> Told:
    """G2025 on days on which sources disagree whether it is still reported."""
    return fires(when=line.code == "G2025")


@line_edit("TH-CODE-14")
def clinic_care_ended(visit: Visit, line: Line) -> Told:
    """The care-management wrappers of clinics after their end."""
    end = _WRAPPER_ENDS.get(line.code)
    return fires(when=end is not None and visit.encounter.dos >= end)


@line_edit("TH-CODE-15")
def minimal_visit_by_time(visit: Visit, line: Line) -> Told:
    """99211 chosen by time."""
    return fires(when=line.code == "99211" and visit.encounter.level_basis == "TIME")


@line_edit("TH-CODE-16")
def office_code_to_bcbsm(visit: Visit, line: Line) -> Told:
    """An office code for telemedicine where the payer takes the telemedicine codes only."""
    office = visit.is_office(line.code) and line.code != "99201"
    return fires(when=office and visit.looks_like_telehealth(line))


@line_edit("TH-CODE-17")
def not_a_new_patient(visit: Visit, line: Line) -> Told:
    """A new-patient code although the group saw the patient within three years."""
    known = visit.rules.codes.get(line.code)
    if known is None or known.patient != "NEW":
        return None
    return fires(when=visit.encounter.group_saw_lately)


@line_edit("TH-CODE-18")
def established_only(visit: Visit, line: Line) -> Told:
    """A service for established patients, given to a new one."""
    only = line.code in _ESTABLISHED_ONLY or visit.is_of(line.code, ("e-visit", "e-visit-non-em"))
    new = visit.encounter.patient_status == "NEW" and not visit.encounter.group_saw_lately
    return fires(when=only and new)


@line_edit("TH-CODE-19")
@line_edit("TH-CODE-20")
def audio_not_covered(visit: Visit, line: Line) -> Told:
    """An audio-only visit to a payer that stopped paying for it."""
    return fires(when=visit.encounter.modality == "AUDIO" and visit.is_visit_line(line))


@line_edit("TH-CODE-21")
def audio_not_listed(visit: Visit, line: Line) -> Told:
    """An audio-only visit whose code is not on CPT's list of audio-only services."""
    e = visit.encounter
    if e.modality != "AUDIO" or not visit.is_visit_line(line):
        return None
    known = visit.rules.codes.get(line.code)
    listed = known is not None and known.appendix_t and e.payer_code_listed
    return fires(when=not listed)


@line_edit("TH-CODE-22")
def consult_beside_a_visit(visit: Visit, line: Line) -> Told:
    """An e-consult within 14 days of a visit with the consultant."""
    if not visit.is_of(line.code, (*E_CONSULTS, *E_CONSULTS_BEHAVIORAL)):
        return None
    e = visit.encounter
    span = timedelta(days=_CONSULT_DAYS)
    before = any(e.dos - span <= one.day <= e.dos for one in e.prior_em)
    after = any(e.dos <= one.day <= e.dos + span for one in e.following_em)
    return fires(when=before or after)


@line_edit("TH-CODE-23")
def prolonged_of_another_payer(visit: Visit, line: Line) -> Told:
    """99417 to Medicare, G2212 to a commercial payer."""
    e = visit.encounter
    if line.code == "99417":
        return fires(when=e.is_medicare or e.is_medicare_advantage)
    commercial = e.payer.endswith("_COM") or e.payer in _COMMERCIAL
    return fires(when=line.code == "G2212" and commercial)
