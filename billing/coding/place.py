"""Place of service and modifiers of a line, by payer, service day and known day.

Owns where a telehealth line says the patient was, which modifiers go with it, and what the rules
leave open about it. Does not own the choice of code (``visit``) nor the edits (``check``).
"""

from dataclasses import dataclass
from datetime import date

from billing.coding.catalog import WEAK
from billing.coding.encounter import THERAPIST_TYPES, Encounter
from billing.coding.lines import Line
from billing.coding.rules import ANY_PAYER, CodingRules, Mode, PayerRow

TELEHEALTH_PLACES = ("02", "10")
TELEHEALTH_MODIFIERS = ("95", "93", "GT", "GQ")
HOME, ELSEWHERE, PRIVATE_HOME = "10", "02", "12"
_STROKE = "G0"
STALE_AFTER_DAYS = 180
"""A row read longer ago needs a person's look (TH-ADM-08)."""


@dataclass(frozen=True)
class Asked:
    """What a payer asks for on the telehealth lines of one encounter."""

    row: PayerRow
    mode: Mode
    required: tuple[str, ...]  # one of them; proposed is the first
    forbidden: tuple[str, ...]


def asked(encounter: Encounter, rules: CodingRules, known_day: date) -> Asked | None:
    """What the payer asks of this way of holding the visit; None when it is not telehealth.

    A stored image is telehealth only where the payer has a row for it, under Medicare only in the
    federal demonstration (section 4.6).
    """
    row = rules.payer_row(encounter.payer, encounter.dos, known_day)
    mode = _mode(encounter, row)
    if mode is None:
        return None
    exists = rules.mark_exists
    required = tuple(one for one in mode.required if exists(one, encounter.dos))
    if not required and (kept := _kept_in_hospital(encounter, mode)):
        required = kept
    forbidden = mode.forbidden
    if encounter.claim_form == "837I":
        forbidden = tuple(one for one in forbidden if one != "GT")  # critical access, method II
    return Asked(row, mode, required, forbidden)


def _mode(encounter: Encounter, row: PayerRow) -> Mode | None:
    if encounter.modality == "AV":
        return row.video
    if encounter.modality == "AUDIO":
        return row.audio
    if encounter.modality == "ASYNC" and row.stored is not None:
        demonstration = encounter.federal_demo and encounter.state in ("AK", "HI")
        return row.stored if demonstration or not encounter.is_medicare else None
    return None


def _kept_in_hospital(encounter: Encounter, mode: Mode) -> tuple[str, ...]:
    """95 of Medicare from 2024 on: hospital clinicians, hospital therapists, or a switch."""
    in_hospital = encounter.provider_site == "HOSPITAL"
    at_home = encounter.patient_location == "HOME"
    if in_hospital and (at_home or encounter.provider_type in THERAPIST_TYPES):
        return mode.hospital
    return mode.hospital if encounter.switch_medicare_95_required else ()


def place_of(encounter: Encounter, code: str, rules: CodingRules, known_day: date) -> str | None:
    """The place of service of a code; None on an institutional claim or where it is not settled.

    A code that is never telehealth has the place of the same visit held in person.
    """
    if encounter.claim_form == "837I":
        return None
    wanted = asked(encounter, rules, known_day)
    if rules.is_apart(code) or wanted is None:
        in_person_at_home = (
            encounter.modality == "IN_PERSON" and encounter.patient_location == "HOME"
        )
        return PRIVATE_HOME if in_person_at_home else encounter.practice_pos
    if wanted.mode.place == "open":
        return None
    if wanted.mode.place == "in-person":
        return encounter.practice_pos
    return ELSEWHERE if wanted.mode.place == ELSEWHERE else _by_location(encounter, rules)


def _by_location(encounter: Encounter, rules: CodingRules) -> str:
    """10 for a patient not in a facility, 02 for one who is, or before 10 existed."""
    in_facility = encounter.patient_location == "FACILITY"
    return HOME if rules.mark_exists(HOME, encounter.dos) and not in_facility else ELSEWHERE


def modifiers_of(
    encounter: Encounter, code: str, rules: CodingRules, known_day: date
) -> tuple[str, ...]:
    """The modifiers a code carries: what the payer asks for, and G0 for an acute stroke."""
    wanted = asked(encounter, rules, known_day)
    if wanted is None or rules.is_apart(code) or code not in rules.codes:
        return ()
    if rules.codes[code].family == "originating-site":
        return ()
    stroke = (
        encounter.is_medicare
        and encounter.live
        and "acute_stroke" in (encounter.condition or ())
        and rules.mark_exists(_STROKE, encounter.dos)
    )
    return (*wanted.required[:1], *((_STROKE,) if stroke else ()))


def placed(
    encounter: Encounter, code: str, rules: CodingRules, known_day: date, units: int = 1
) -> Line:
    """A line with its code, place and modifiers as the payer wants them."""
    return Line(
        code,
        modifiers_of(encounter, code, rules, known_day),
        place_of(encounter, code, rules, known_day),
        units,
    )


def unsettled(
    encounter: Encounter, lines: tuple[Line, ...], rules: CodingRules, known_day: date
) -> tuple[str, ...]:
    """What the payer's row leaves open about these lines: what TH-ADM-08 tells a person.

    The row is missing, of weak confidence or long not re-read, or does not tell the codes, the
    place or the modifiers; or the payer was not read on lines that are never telehealth.
    """
    row = rules.payer_row(encounter.payer, encounter.dos, known_day)
    apart = [line for line in lines if rules.is_apart(line.code)]
    wanted = asked(encounter, rules, known_day)
    found = []
    if wanted is not None and len(apart) < len(lines):
        if row.payer == ANY_PAYER:
            found.append("no rule of this payer was read for the date of service")
        elif row.confidence in WEAK:
            found.append(f"the payer's row is of confidence {row.confidence}")
        found += [f"the payer's {one} were not read" for one in wanted.mode.unknown]
    elif apart and row.apart == "unknown" and not encounter.is_medicare:
        found.append("the payer's rule for this kind of service was not read")
    if found or wanted is not None:
        age_days = (known_day - row.source.checked_on).days
        if age_days > STALE_AFTER_DAYS:
            found.append(f"the payer's row was last read {age_days} days before")
    return tuple(found)
