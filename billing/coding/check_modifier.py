"""Edits on modifiers (TH-MOD).

Owns when they fire; their days and payers stand in the catalog, the days of each modifier in
``marks.toml``.
"""

from billing.coding.encounter import THERAPIST_TYPES
from billing.coding.judging import (
    OFFICE,
    TELEMEDICINE,
    Told,
    Visit,
    fires,
    has,
    line_edit,
)
from billing.coding.lines import Line
from billing.coding.place import asked
from billing.coding.rules import ANY_PAYER

_VIDEO = ("95", "GT")
_STORED = "GQ"


@line_edit("TH-MOD-01")
def audio_unmarked(visit: Visit, line: Line) -> Told:
    """A telephone visit without the modifier by which the payer tells it."""
    if visit.encounter.modality != "AUDIO":
        return None
    wanted = required_modifiers(visit, line)
    if not wanted or has(line, *wanted):
        return None
    return {"modifier": " or ".join(wanted)}


def required_modifiers(visit: Visit, line: Line) -> tuple[str, ...]:
    """The modifiers of which the payer asks one on this line; none where it was not read.

    Rows of confidence U, and modifiers that a row says were not read, block nothing.
    """
    e = visit.encounter
    if visit.row is None or not visit.is_visit_line(line):
        return ()
    wanted = asked(e, visit.rules, visit.known_day)
    if wanted is None or wanted.row.payer == ANY_PAYER or wanted.row.confidence == "U":
        return ()
    if "modifiers" in wanted.mode.unknown or wanted.mode.codes == "none":
        return ()
    if e.modality == "AUDIO":
        if wanted.mode.codes == "listed" and not _on_appendix_t(visit, line):
            return ()
        if e.payer == "MCD_TX" and not visit.is_behavioral(line.code):
            return ()
    return wanted.required


def _on_appendix_t(visit: Visit, line: Line) -> bool:
    known = visit.rules.codes.get(line.code)
    return known is not None and known.appendix_t


@line_edit("TH-MOD-02")
def video_marked_as_audio(visit: Visit, line: Line) -> Told:
    """93 although the note says video."""
    return fires(when=visit.encounter.modality == "AV" and has(line, "93"))


@line_edit("TH-MOD-03")
def both_audio_and_video(_visit: Visit, line: Line) -> Told:
    """93 together with 95 or GT on one line."""
    return fires(when=has(line, "93") and has(line, *_VIDEO))


@line_edit("TH-MOD-04")
def gt_on_a_professional_claim(visit: Visit, line: Line) -> Told:
    """GT, which Medicare keeps for institutional claims of critical access hospitals."""
    return fires(when=visit.encounter.claim_form == "837P" and has(line, "GT"))


@line_edit("TH-MOD-05")
def gq_outside_the_demonstration(visit: Visit, line: Line) -> Told:
    """GQ outside the demonstration in Alaska and Hawaii."""
    e = visit.encounter
    in_demonstration = e.federal_demo and e.state in ("AK", "HI")
    return fires(when=has(line, _STORED) and not in_demonstration)


@line_edit("TH-MOD-06")
def stored_as_live(visit: Visit, line: Line) -> Told:
    """A stored image or message billed as a live visit, unless the payer marks stored images."""
    e = visit.encounter
    if e.modality != "ASYNC":
        return None
    wanted = asked(e, visit.rules, visit.known_day) if visit.row is not None else None
    marks_stored = wanted is not None and _STORED in wanted.required
    live_code = visit.is_of(line.code, (*OFFICE, *TELEMEDICINE)) and not marks_stored
    return fires(when=live_code or has(line, *_VIDEO, "93"))


@line_edit("TH-MOD-07")
def fq_outside_a_clinic(visit: Visit, line: Line) -> Told:
    """FQ on a Medicare claim that no rural health clinic or health center sends."""
    return fires(when=has(line, "FQ") and not visit.bills_as_clinic)


@line_edit("TH-MOD-08")
def state_modifier_missing(visit: Visit, line: Line) -> Told:
    """The modifier that the state's Medicaid program asks for is not there."""
    wanted = required_modifiers(visit, line)
    if not wanted or has(line, *wanted):
        return None
    return {"state": visit.encounter.payer.removeprefix("MCD_"), "modifier": " or ".join(wanted)}


@line_edit("TH-MOD-09")
def wrong_video_modifier(visit: Visit, line: Line) -> Told:
    """95 where the program tells video visits by GT."""
    return fires(when=visit.encounter.modality == "AV" and has(line, "95") and not has(line, "GT"))


@line_edit("TH-MOD-10")
def hospital_clinician(visit: Visit, line: Line) -> Told:
    """95 missing where Medicare keeps it: a clinician in a hospital, the patient at home."""
    e = visit.encounter
    if e.modality != "AV" or e.provider_site != "HOSPITAL" or not visit.is_visit_line(line):
        return None
    kept = e.patient_location == "HOME" or e.provider_type in THERAPIST_TYPES
    return fires(when=kept and not has(line, "95"))


@line_edit("TH-MOD-11")
def needless_95(visit: Visit, line: Line) -> Told:
    """95 that Medicare does not ask of a clinician in an office."""
    e = visit.encounter
    return fires(
        when=e.modality == "AV"
        and e.provider_site == "OFFICE"
        and not e.switch_medicare_95_required
        and has(line, "95")
    )


@line_edit("TH-MOD-12")
def not_yet_in_force(visit: Visit, line: Line) -> Told:
    """A modifier of telehealth before its first day."""
    marks = [visit.rules.marks[one] for one in line.modifiers if one in visit.rules.marks]
    dos = visit.encounter.dos
    return fires(
        when=any(
            one.from_day is not None and dos < one.from_day for one in marks if one.mark != "CS"
        )
    )


@line_edit("TH-MOD-13")
def cost_share_waiver(visit: Visit, line: Line) -> Told:
    """CS outside its days, or on a line that has nothing to do with a COVID-19 test."""
    e = visit.encounter
    in_force = visit.rules.mark_exists("CS", e.dos)
    return fires(when=has(line, "CS") and not (in_force and "covid_test" in (e.condition or ())))


@line_edit("TH-MOD-14")
def disaster_waiver(visit: Visit, line: Line) -> Told:
    """CR on a line of telehealth."""
    telehealth = visit.looks_like_telehealth(line) or visit.encounter.live
    return fires(when=has(line, "CR") and telehealth)


@line_edit("TH-MOD-15")
def stroke_modifier(visit: Visit, line: Line) -> Told:
    """G0 without an acute stroke."""
    return fires(when=has(line, "G0") and "acute_stroke" not in (visit.encounter.condition or ()))


@line_edit("TH-MOD-16")
def modifier_on_telemedicine(visit: Visit, line: Line) -> Told:
    """A telehealth modifier on a code that itself says how the visit was held."""
    says_itself = visit.is_of(line.code, TELEMEDICINE) or line.code == "98016"
    return fires(when=says_itself and has(line, "93", *_VIDEO))


@line_edit("TH-MOD-17")
def supervisor_by_video(visit: Visit, line: Line) -> Told:
    """FR missing on mental-health telehealth whose supervisor was present by video."""
    e = visit.encounter
    return fires(
        when=e.live
        and e.supervision == "virtual"
        and visit.is_behavioral(line.code)
        and visit.is_visit_line(line)
        and not has(line, "FR")
    )


@line_edit("TH-MOD-18")
def cigna_modifier(visit: Visit, line: Line) -> Told:
    """No virtual-care modifier on a Cigna commercial line."""
    e = visit.encounter
    if e.modality not in ("AV", "AUDIO", "ASYNC") or not visit.is_visit_line(line):
        return None
    audio = e.modality == "AUDIO" and has(line, "93")
    return fires(when=not has(line, *_VIDEO, _STORED) and not audio)
