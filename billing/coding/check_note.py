"""Edits on the note and on the clinician's authority (TH-DOC, TH-LIC).

Owns when they fire. What an auditor asks for in a note stands in ``documentation``; what licenses
grant, in ``authority``. A fact that was not told is taken as documented.
"""

from billing.coding.authority import (
    LICENSE_STILL_NEEDED,
    NO_AUTHORITY,
    NOT_A_MEMBER,
    CompactMember,
    Lack,
    PractitionerAuthority,
    authority_gaps,
)
from billing.coding.judging import (
    CARE,
    PORTAL,
    PROLONGED,
    THERAPY,
    Told,
    Visit,
    fires,
    visit_edit,
)
from billing.coding.levels import TIME

MISSING = "missing"
MEDI_CAL_POINTS = ("in_person", "voluntary", "transport", "limits", "interpreter")
"""What a consent for Medi-Cal covers; by phone also that it is by phone."""
_SOMEWHERE = ("HOME", "FACILITY", "NONFACILITY")
_TIMED = (*PROLONGED, *THERAPY, *PORTAL, *CARE)


@visit_edit("TH-DOC-01")
def modality_unclear(visit: Visit) -> Told:
    """The note does not say how the visit was held, or says two ways without why."""
    e = visit.encounter
    told = e.modality_documented
    if told is None:
        return None
    several = len(set(told)) > 1 and not e.modality_switch_explained
    return fires(when=several or e.modality not in told)


@visit_edit("TH-DOC-02")
def patient_location_missing(visit: Visit) -> Told:
    """The note does not say in which state and in what kind of place the patient was."""
    e = visit.encounter
    unknown = not e.state and e.patient_location in _SOMEWHERE
    return fires(when=unknown or not e.patient_location_documented)


@visit_edit("TH-DOC-03")
def clinician_location_missing(visit: Visit) -> Told:
    """The note does not say where the clinician was."""
    return fires(when=not visit.encounter.clinician_location_documented)


@visit_edit("TH-DOC-04")
def consent_missing(visit: Visit) -> Told:
    """No consent, or not the one that this payer asks for."""
    e = visit.encounter
    if e.modality == "IN_PERSON":
        return None
    points = _points_asked(visit)
    lacking = e.consent_points is not None and not points <= set(e.consent_points)
    late = e.consent_time == "after" and _asked_before(visit)
    return fires(when=e.consent == MISSING or lacking or late)


def _points_asked(visit: Visit) -> set[str]:
    e = visit.encounter
    if e.payer != "MCD_CA":
        return set()
    return {*MEDI_CAL_POINTS, *(("audio_only",) if e.modality == "AUDIO" else ())}


def _asked_before(visit: Visit) -> bool:
    """Texas asks for the consent to behavioral care by phone before the service."""
    e = visit.encounter
    behavioral = any(visit.is_behavioral(code) for code in visit.codes)
    return e.payer == "MCD_TX" and e.modality == "AUDIO" and behavioral


@visit_edit("TH-DOC-05")
def minutes_missing(visit: Visit) -> Told:
    """A code that rests on time, without minutes and activities in the note."""
    e = visit.encounter
    by_time = e.level_basis == TIME
    counted = any(visit.is_of(code, _TIMED) for code in visit.codes)
    without = by_time and e.total_minutes is None
    return fires(when=without or (not e.minutes_documented and (by_time or counted)))


@visit_edit("TH-DOC-06")
def guardian_missing(visit: Visit) -> Told:
    """A minor without a guardian's agreement on record."""
    e = visit.encounter
    return fires(when=e.is_minor and e.guardian_consent == MISSING)


@visit_edit("TH-DOC-07")
def participants_missing(visit: Visit) -> Told:
    """The note does not list who took part."""
    return fires(when=visit.encounter.participants == MISSING)


@visit_edit("TH-DOC-08")
def need_missing(visit: Visit) -> Told:
    """The note does not say why the service was needed."""
    e = visit.encounter
    return fires(when=e.assessment == MISSING or e.dx == ())


def _gaps(visit: Visit) -> tuple[Lack, ...]:
    """What the licenses and compacts that were told lack; none when none were told."""
    e = visit.encounter
    if not e.authority_told or not e.state or e.patient_location == "ABROAD":
        return ()
    held = [
        PractitionerAuthority("STATE_LICENSE", one.state, valid_to=one.expired_on)
        for one in e.licence or ()
    ]
    held += [
        PractitionerAuthority("COMPACT_PRIVILEGE", compact=one.compact, home_state=one.home_state)
        for one in e.compact
    ]
    members = [
        CompactMember(compact, state) for compact, states in e.compact_members for state in states
    ]
    return authority_gaps(e.provider_type, e.state, e.dos, held, members)


def _gap(visit: Visit, edit_id: str) -> Told:
    for lack in _gaps(visit):
        if lack.edit_id == edit_id:
            return {"state": lack.state, "compact": lack.compact}
    return None


@visit_edit(NO_AUTHORITY)
def no_authority(visit: Visit) -> Told:
    """No license or privilege for the patient's state on the day."""
    return _gap(visit, NO_AUTHORITY)


@visit_edit(LICENSE_STILL_NEEDED)
def license_still_needed(visit: Visit) -> Told:
    """A medical compact without the state's own license."""
    return _gap(visit, LICENSE_STILL_NEEDED)


@visit_edit("TH-LIC-03")
def not_enrolled(visit: Visit) -> Told:
    """A practitioner who is not enrolled in Medicare for the state."""
    e = visit.encounter
    return fires(when=e.enrolled is not None and bool(e.state) and e.state not in e.enrolled)


@visit_edit(NOT_A_MEMBER)
def not_a_member(visit: Visit) -> Told:
    """A compact of which one of the two states was no operative member on the day."""
    return _gap(visit, NOT_A_MEMBER)
