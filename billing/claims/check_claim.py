"""What the parts of a claim say together: totals, pointers, corrections, days, patient, codes.

Owns these checks, which no guide map makes. Does not own single elements (``check_elements``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from billing.claims.check_elements import day_of, days_of
from billing.claims.check_shape import first_of
from billing.claims.claim import CORRECTIONS, MOST_MODIFIERS, MOST_POINTERS, SELF
from billing.claims.spot import Spot, element_name
from billing.claims.x12 import loops
from billing.claims.x12.loops import Loop
from billing.claims.x12.segments import Segment
from billing.codes import is_diagnosis_code, is_modifier, is_procedure_code

ICD_10_FROM = date(2015, 10, 1)
"""The first day of service of which diagnoses are told as ICD-10-CM."""
_ICD_9, _ICD_10 = ("BK", "BF"), ("ABK", "ABF")
_BOXES = ("PO BOX", "P O BOX", "P.O. BOX", "P.O.BOX", "POB ")


@dataclass(frozen=True)
class Lists:
    """Codes that are known; None where no list was given, and then none is missed."""

    procedures: frozenset[str] | None = None
    diagnoses: frozenset[str] | None = None


def claim_spots(top: Loop, today: date, lists: Lists) -> Iterator[Spot]:
    """Everything wrong with the claims of one transaction set, each by itself."""
    for loop in top.everywhere():
        if loop.name == loops.CLAIM:
            yield from _claim(loop, today, lists)
        elif loop.name == loops.SUBSCRIBER:
            yield from _subscriber(loop)
        elif loop.name in ("2010AA", "2310C"):
            yield from _address(loop)


def repeated_spots(tops: list[Loop]) -> Iterator[Spot]:
    """Patient control numbers used twice, over all sets of a file."""
    seen: set[str] = set()
    for top in tops:
        for loop in top.everywhere():
            head = loop.first("CLM")
            if head is not None and head.get(1):
                if head.get(1) in seen:
                    yield Spot("E_CLAIM_TWICE", head, "CLM01")
                seen.add(head.get(1))


def _claim(claim: Loop, today: date, lists: Lists) -> Iterator[Spot]:
    lines = list(claim.within(loops.LINE))
    yield from _total(claim, lines)
    yield from _correction(claim)
    yield from _diagnoses(claim, lines, lists)
    yield from _days(claim, lines, today)
    yield from _ranks(claim)
    for line in lines:
        yield from _service(line, lists)
    yield from _line_numbers(lines)


def _total(claim: Loop, lines: list[Loop]) -> Iterator[Spot]:
    head = claim.segments[0]
    charges = [one.get(2) for line in lines for one in line.all("SV1")]
    try:
        total = sum(map(Decimal, charges), Decimal(0))
        wrong = Decimal(head.get(2)) != total
    except InvalidOperation:
        return  # an amount that cannot be read is a finding of its own
    if wrong:
        yield Spot("E_TOTAL", head, "CLM02")


def _correction(claim: Loop) -> Iterator[Spot]:
    head = claim.segments[0]
    named = claim.first("REF", "F8")
    frequency = head.part(5, 3)
    if frequency in CORRECTIONS and (named is None or not named.get(2)):
        yield Spot("E_NO_ORIGINAL", head, "REF*F8")
    if frequency == "1" and named is not None:
        yield Spot("W_ORIGINAL_NAMED", named)


def _diagnoses(claim: Loop, lines: list[Loop], lists: Lists) -> Iterator[Spot]:
    count = 0
    starts = [days[0] for line in lines if (days := _service_days(line)) is not None]
    for segment in claim.all("HI"):
        for position in range(1, len(segment.elements) + 1):
            qualifier, code = segment.part(position, 1), segment.part(position, 2)
            count += qualifier in (*_ICD_9, *_ICD_10)
            named = element_name(segment, position, 2)
            if qualifier in _ICD_9 and any(day >= ICD_10_FROM for day in starts):
                yield Spot("E_DIAGNOSIS_SYSTEM", segment, named)
            elif qualifier in _ICD_10 and (not is_diagnosis_code(code) or "." in code):
                yield Spot("E_DIAGNOSIS", segment, named)
            elif qualifier in _ICD_10 and lists.diagnoses and code not in lists.diagnoses:
                yield Spot("W_DIAGNOSIS_UNKNOWN", segment, named)
    for line in lines:
        for service in line.all("SV1"):
            yield from _pointers(service, count)


def _pointers(service: Segment, count: int) -> Iterator[Spot]:
    pointers = service.parts(7)
    wrong = [one for one in pointers if not one.isdecimal() or not 1 <= int(one) <= count]
    if wrong or len(pointers) > MOST_POINTERS or len(set(pointers)) < len(pointers):
        yield Spot("E_POINTER", service, "SV107")


def _service_days(line: Loop) -> tuple[date, date] | None:
    told = line.first("DTP", "472")
    return None if told is None else days_of(told)


def _days(claim: Loop, lines: list[Loop], today: date) -> Iterator[Spot]:
    born = _birth_day(claim)
    for line in lines:
        told, days = line.first("DTP", "472"), _service_days(line)
        if told is None or days is None:
            continue
        if days[1] < days[0]:
            yield Spot("E_RANGE", told, "DTP03")
        if max(days) > today:
            yield Spot("E_FUTURE", told, "DTP03")
        if born is not None and days[0] < born:
            yield Spot("E_BEFORE_BIRTH", told, "DTP03")


def _birth_day(claim: Loop) -> date | None:
    patient, subscriber = claim.above(loops.PATIENT), claim.above(loops.SUBSCRIBER)
    person = patient.one("2010CA") if patient else subscriber.one("2010BA") if subscriber else None
    told = person.first("DMG") if person else None
    return day_of(told.get(2)) if told else None


def _ranks(claim: Loop) -> Iterator[Spot]:
    subscriber = claim.above(loops.SUBSCRIBER)
    seen = {one.get(1) for one in subscriber.all("SBR")} if subscriber else set()
    for other in claim.within(loops.OTHER):
        rank = other.segments[0]
        if rank.get(1) in seen and rank.get(1) != "U":
            yield Spot("E_RANK", rank, "SBR01")
        seen.add(rank.get(1))


def _service(line: Loop, lists: Lists) -> Iterator[Spot]:
    for service in line.all("SV1"):
        if service.part(1, 1) != "HC":
            continue
        code = service.part(1, 2)
        if code and not is_procedure_code(code):
            yield Spot("E_PROCEDURE", service, "SV101-2")
        elif code and lists.procedures is not None and code not in lists.procedures:
            yield Spot("W_PROCEDURE_UNKNOWN", service, "SV101-2")
        modifiers = service.parts(1)[2 : 2 + MOST_MODIFIERS]
        for place, modifier in enumerate(modifiers, start=3):
            if modifier and not is_modifier(modifier):
                yield Spot("E_MODIFIER", service, element_name(service, 1, place))


def _line_numbers(lines: list[Loop]) -> Iterator[Spot]:
    seen: set[str] = set()
    for line in lines:
        for told in line.all("REF", "6R"):
            if told.get(2) in seen:
                yield Spot("E_LINE_TWICE", told, "REF02")
            seen.add(told.get(2))


def _subscriber(level: Loop) -> Iterator[Spot]:
    """Relationship, birth date, sex and address where the subscriber is the patient."""
    claims = level.one(loops.CLAIM) is not None
    told, person = level.first("SBR"), level.one("2010BA")
    if told is not None and (told.get(2) == SELF) != claims:
        yield Spot("E_RELATIONSHIP", told, "SBR02")
    if not claims or person is None:
        return
    if person.first("DMG") is None:
        yield Spot("E_BIRTH_AND_SEX", first_of(person), "DMG")
    if person.first("N3") is None or person.first("N4") is None:
        yield Spot("E_PATIENT_ADDRESS", first_of(person), "N3")


def _address(party: Loop) -> Iterator[Spot]:
    city, street = party.first("N4"), party.first("N3")
    if city is not None and not (len(city.get(3)) == 9 and city.get(3).isdecimal()):
        yield Spot("W_POSTAL_CODE", city, "N403")
    if party.name == "2010AA" and street is not None and street.get(1).startswith(_BOXES):
        yield Spot("W_POST_BOX", street, "N301")
