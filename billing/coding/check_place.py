"""Edits on the place of service (TH-POS).

Owns when they fire; their days and payers stand in the catalog.
"""

from datetime import date

from billing.coding.judging import Told, Visit, fires, has, line_edit, visit_edit
from billing.coding.lines import Line
from billing.coding.place import ELSEWHERE, HOME, TELEHEALTH_MODIFIERS, TELEHEALTH_PLACES

FACILITY_PLACES = (
    *("02", "19", "21", "22", "23", "24", "26", "31", "34", "41", "42", "51", "52", "53"),
    *("56", "61"),
)
"""Places that Medicare pays at the facility rate."""
_CIGNA_TELEHEALTH_PLACE_FROM = date(2022, 7, 1)
_UHC_BY_LOCATION_FROM = date(2022, 1, 1)


@line_edit("TH-POS-01")
def came_in(visit: Visit, line: Line) -> Told:
    """A listed telehealth service whose place says that the patient came in."""
    e = visit.encounter
    known = visit.rules.codes.get(line.code)
    wrong = (
        e.live
        and e.claim_form == "837P"
        and visit.is_visit_line(line)
        and known is not None
        and known.listed(e.dos)
        and line.place not in TELEHEALTH_PLACES
    )
    return {"pos": line.place or "none"} if wrong else None


@line_edit("TH-POS-02")
def at_home_but_in_a_facility(visit: Visit, line: Line) -> Told:
    """POS 10 although the chart puts the patient in a facility."""
    e = visit.encounter
    return fires(when=e.live and line.place == HOME and e.patient_location == "FACILITY")


@line_edit("TH-POS-03")
def elsewhere_but_at_home(visit: Visit, line: Line) -> Told:
    """POS 02 although the patient was not in a facility, where the place follows the location."""
    e = visit.encounter
    return fires(
        when=e.live and line.place == ELSEWHERE and e.patient_location in ("HOME", "NONFACILITY")
    )


@line_edit("TH-POS-04")
def before_its_time(_visit: Visit, line: Line) -> Told:
    """POS 10 on a day on which it did not exist."""
    return fires(when=line.place == HOME)


@line_edit("TH-POS-05")
def facility_rate(visit: Visit, line: Line) -> Told:
    """A telehealth place while the place of the visit in person was allowed and better paid."""
    e = visit.encounter
    return fires(
        when=e.modality == "AV"
        and visit.is_visit_line(line)
        and line.place in TELEHEALTH_PLACES
        and e.practice_pos not in FACILITY_PLACES
    )


@line_edit("TH-POS-06")
def never_telehealth(visit: Visit, line: Line) -> Told:
    """A telehealth place or modifier on a service that is never telehealth."""
    if not visit.rules.is_apart(line.code):
        return None
    any_place = visit.row is not None and visit.row.apart == "any-place"
    marked = has(line, *TELEHEALTH_MODIFIERS)
    placed = line.place in TELEHEALTH_PLACES and not any_place
    return {"code": line.code} if marked or placed else None


@line_edit("TH-POS-07")
def cigna_place(visit: Visit, line: Line) -> Told:
    """Cigna commercial: the place in person until 2022-06-30, 02 since."""
    e = visit.encounter
    if not (e.live and visit.is_visit_line(line)):
        return None
    if e.dos < _CIGNA_TELEHEALTH_PLACE_FROM:
        wrong, expected = line.place == ELSEWHERE, e.practice_pos
    else:
        wrong, expected = line.place != ELSEWHERE, ELSEWHERE
    return {"expected_pos": f"POS {expected}"} if wrong else None


@line_edit("TH-POS-08")
def in_person_as_telehealth(visit: Visit, line: Line) -> Told:
    """An in-person visit whose line says telehealth."""
    return fires(when=visit.encounter.modality == "IN_PERSON" and visit.looks_like_telehealth(line))


@visit_edit("TH-POS-09")
def neither_home_nor_facility(visit: Visit) -> Told:
    """The patient was in a car, at work or in a public place: contractors disagree."""
    e = visit.encounter
    return fires(
        when=e.live
        and e.patient_location == "NONFACILITY"
        and any(visit.is_visit_line(line) for line in visit.lines)
    )


@line_edit("TH-POS-10")
def uhc_place(visit: Visit, line: Line) -> Told:
    """UnitedHealthcare commercial: 02 in 2021, 02 or 10 since."""
    e = visit.encounter
    if not (e.live and visit.is_visit_line(line)):
        return None
    allowed = TELEHEALTH_PLACES if e.dos >= _UHC_BY_LOCATION_FROM else (ELSEWHERE,)
    return fires(when=line.place not in allowed)
