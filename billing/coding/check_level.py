"""Edits on levels, minutes and units earned (TH-LVL).

Owns when they fire. What minutes earn stands in ``levels``, ``care`` and the bands of
``codes.toml``; a fact that was not told supports what was submitted.
"""

from billing.coding.care import addon_units, monitoring_earned
from billing.coding.judging import (
    CARE,
    CHECK_INS,
    E_CONSULTS,
    E_CONSULTS_BEHAVIORAL,
    OFFICE,
    PORTAL,
    PROLONGED,
    TELEMEDICINE,
    THERAPY,
    Told,
    Visit,
    fires,
    line_edit,
    visit_edit,
)
from billing.coding.levels import MDM, TIME, prolonged_units
from billing.coding.lines import Line
from billing.coding.rules import Code

PHONE = ("phone-until-2024", "phone-non-em")
RPM_MANAGEMENT = ("99457", "99458", "99470")
_CARE_BASE = {"99439": "99490", "99437": "99491", "99489": "99487"}
"""Add-ons of chronic care and what they stand on."""


@line_edit("TH-LVL-01")
def too_few_minutes(visit: Visit, line: Line) -> Told:
    """Fewer minutes than the code asks for, where minutes chose it or are what it counts."""
    known = visit.rules.codes.get(line.code)
    if known is None or known.at_least is None:
        return None
    minutes = minutes_of(visit, line.code)
    if minutes is None or minutes >= known.at_least:
        return None
    if _staff_minutes_explain(visit, known, minutes):
        return None
    best = supported_by_minutes(visit, known, minutes)
    told = best.code if best is not None else "no code of this kind"
    return {"minutes": str(minutes), "best": told, "code": line.code}


def minutes_of(visit: Visit, code: str) -> int | None:
    """The minutes that decide a code's level; None where none were told, or others decide."""
    e = visit.encounter
    if visit.is_of(code, (*OFFICE, *TELEMEDICINE)):
        known = visit.rules.codes[code]
        timed = known.timed_from is not None and known.timed_from <= e.dos
        return e.total_minutes if e.level_basis == TIME and timed else None
    for families, minutes in (
        (PORTAL, e.e_visit_minutes),
        ((*E_CONSULTS, *E_CONSULTS_BEHAVIORAL), e.minutes_econsult),
        ((*PHONE, *CHECK_INS), e.spoken_minutes),
    ):
        if visit.is_of(code, families):
            return minutes
    return None


def _staff_minutes_explain(visit: Visit, known: Code, minutes: int) -> bool:
    """Whether TH-CODE-09 answers the line already."""
    staff = sum(visit.encounter.minutes_e_visit_staff)
    return known.family == "e-visit" and minutes + staff >= (known.at_least or 0)


def supported_by_minutes(visit: Visit, known: Code, minutes: int) -> Code | None:
    """The code of the same family and kind of patient that minutes support."""
    fitting = [
        one
        for one in visit.rules.families[known.family].codes
        if one.on(visit.encounter.dos)
        and one.patient == known.patient
        and one.at_least is not None
        and one.at_least <= minutes
    ]
    return max(fitting, key=lambda one: one.at_least or 0, default=None)


@line_edit("TH-LVL-02")
def unearned_prolonged(visit: Visit, line: Line) -> Told:
    """More units of prolonged time than the minutes earn."""
    minutes = visit.encounter.total_minutes
    if not visit.is_of(line.code, PROLONGED) or minutes is None:
        return None
    if visit.encounter.level_basis == MDM:
        return None
    earned = earned_prolonged(visit, line.code)
    if earned is None or line.units <= earned:
        return None
    return {"minutes": str(minutes), "best": str(earned)}


def earned_prolonged(visit: Visit, code: str) -> int | None:
    """Units that the total minutes earn on the visit of the claim; None without such a visit."""
    family, minutes = visit.family(code), visit.encounter.total_minutes
    if family is None or minutes is None:
        return None
    bases = [one.code for one in visit.lines if one.code in family.starts]
    if not bases:
        return None
    return prolonged_units(family, bases[0], minutes)


@line_edit("TH-LVL-03")
def prolonged_by_decision_making(visit: Visit, line: Line) -> Told:
    """Prolonged time on a visit that was chosen by decision making."""
    return fires(when=visit.is_of(line.code, PROLONGED) and visit.encounter.level_basis == MDM)


@line_edit("TH-LVL-04")
def sitting_outside_its_band(visit: Visit, line: Line) -> Told:
    """A sitting whose minutes lie outside the code's band."""
    minutes = visit.encounter.minutes_therapy
    known = visit.rules.codes.get(line.code)
    if minutes is None or known is None or not visit.is_of(line.code, THERAPY):
        return None
    if known.holds(minutes):
        return None
    best = supported_by_minutes(visit, known, minutes)
    return {"minutes": str(minutes), "best": best.code if best is not None else "no sitting"}


@visit_edit("TH-LVL-05")
def counted_twice(visit: Visit) -> Told:
    """Minutes of the visit that were counted again in another service."""
    twice = sum(minutes for _, minutes in visit.encounter.minutes_shared)
    return {"minutes": str(twice)} if twice else None


@line_edit("TH-LVL-06")
def practitioner_minutes_on_a_visit_day(visit: Visit, line: Line) -> Told:
    """Management minutes that the practitioner logged on the day of an own visit."""
    e = visit.encounter
    own_visit = any(visit.is_of(code, (*OFFICE, *TELEMEDICINE)) for code in visit.codes)
    logged = e.minutes_rpm_practitioner_on_dos > 0 or e.shared_minutes("rpm") > 0
    return fires(when=line.code in RPM_MANAGEMENT and own_visit and logged)


@line_edit("TH-LVL-07")
def unearned_care(visit: Visit, line: Line) -> Told:
    """More units of chronic care than the minutes of the month earn."""
    earned = care_units(visit, line.code)
    if earned is None or line.units <= earned:
        return None
    return {"minutes": str(_care_minutes(visit, line.code)), "best": f"{earned} of {line.code}"}


def _care_minutes(visit: Visit, code: str) -> int | None:
    """Minutes of the month that a code of chronic care counts; None where they were not told."""
    e = visit.encounter
    by_practitioner = _CARE_BASE.get(code, code) == "99491"
    return e.minutes_ccm_practitioner if by_practitioner else e.minutes_ccm_staff


def care_units(visit: Visit, code: str, *, without: int = 0) -> int | None:
    """Units of a code of chronic care that the month earns; None for another, or not told.

    ``without`` are minutes that belong to another service.
    """
    base = visit.rules.codes.get(_CARE_BASE.get(code, code))
    minutes = _care_minutes(visit, code)
    if base is None or base.family not in CARE or base.at_least is None or minutes is None:
        return None
    left = minutes - without - base.at_least
    if code == base.code:
        return int(left >= 0)
    return addon_units(visit.rules.codes[code], max(left, 0))


def monitoring_units(visit: Visit, code: str) -> int | None:
    """Units of monitoring management that the month earns without the visit's minutes."""
    e = visit.encounter
    if code not in RPM_MANAGEMENT or e.minutes_rpm is None:
        return None
    left = max(e.minutes_rpm - e.shared_minutes("rpm"), 0)
    return dict(monitoring_earned(left, e.dos, visit.known_day)).get(code, 0)
