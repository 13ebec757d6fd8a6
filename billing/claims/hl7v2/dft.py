"""Charges for an EHR that posts them itself: DFT^P03 of HL7 2.5.1, one message a claim.

Owns the message and the batch around many. A claim's line is a charge (FT1-6 ``CG``) under its line
control number, so that a charge taken in twice can be told. Corrections of claims are not charges
and are refused. Texts of procedure codes stand nowhere.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from billing.claims.claim import ORIGINAL, Address, Claim, Name, Provider, ServiceLine
from billing.claims.hl7v2.write import CHARACTERS, ENCODING, FIELD, escaped, money, segment

VERSION = "2.5.1"
CHARGE = "CG"
PRODUCT = "RPM-LEDGER"
_HCPCS = re.compile(r"[A-Z]\d{4}")
_LONGEST_ID = 20
"""MSH-10 holds at most so many characters."""


@dataclass(frozen=True)
class Ends:
    """Who sends and who receives: application and facility of each, as the receiver wants them."""

    sending_facility: str
    receiving_application: str = ""
    receiving_facility: str = ""
    production: bool = True


@dataclass(frozen=True)
class Charged:
    """A claim, and the practice's own number of its patient."""

    claim: Claim
    record_number: str


def dft_message(charged: Charged, ends: Ends, made_at: datetime) -> str:
    """The message of a claim. ValueError for a correction, or a control number that is too long."""
    claim = charged.claim
    if claim.frequency != ORIGINAL:
        raise ValueError("a correction is no charge")
    if len(claim.control_number) > _LONGEST_ID:
        raise ValueError("the control number is longer than a message's id may be")
    patient = claim.patient
    parts = [
        _header("MSH", ends, made_at, ("DFT", "P03", "DFT_P03"), claim.control_number),
        segment("EVN", "", _instant(made_at)),
        segment(
            "PID",
            "1",
            "",
            (charged.record_number, "", "", ends.sending_facility, "MR"),
            "",
            _name(patient.name),
            "",
            _day(patient.birth_day),
            patient.sex,
            "",
            "",
            _address(patient.address),
        ),
        *(_charge(claim, line, number) for number, line in enumerate(claim.lines, start=1)),
    ]
    return "".join(parts)


def dft_file(charged: Sequence[Charged], ends: Ends, made_at: datetime, name: str) -> bytes:
    """Messages of claims in one batch of one file, in UTF-8."""
    messages = [dft_message(one, ends, made_at) for one in charged]
    return batch_file(messages, ends, made_at, name)


def batch_file(messages: Iterable[str], ends: Ends, made_at: datetime, name: str) -> bytes:
    """The file around messages, with their count."""
    held = list(messages)
    head = (PRODUCT, ends.sending_facility, ends.receiving_application, ends.receiving_facility)
    opened = [_opening(kind, *head, _instant(made_at), "", name) for kind in ("FHS", "BHS")]
    return "".join([*opened, *held, segment("BTS", str(len(held))), segment("FTS", "1")]).encode()


def _opening(kind: str, *fields: str) -> str:
    """A header that declares the separators: they are its first two fields."""
    texts = FIELD.join(map(escaped, fields)).rstrip(FIELD)
    return f"{kind}{FIELD}{ENCODING}{FIELD}{texts}\r"


def _header(
    kind: str, ends: Ends, made_at: datetime, message: tuple[str, ...], control_id: str
) -> str:
    after = segment(
        "",
        PRODUCT,
        ends.sending_facility,
        ends.receiving_application,
        ends.receiving_facility,
        _instant(made_at),
        "",
        message,
        control_id,
        "P" if ends.production else "T",
        VERSION,
        *("", "", "", "", ""),
        CHARACTERS,
    )
    return f"{kind}{FIELD}{ENCODING}{after}"


def _charge(claim: Claim, line: ServiceLine, number: int) -> str:
    code = (line.procedure, "", "HCPCS" if _HCPCS.fullmatch(line.procedure) else "C4")
    days = (_day(line.from_day), "" if line.to_day == line.from_day else _day(line.to_day))
    diagnoses = [(_pointed(claim.diagnoses[one - 1]), "", "I10") for one in line.pointers]
    modifiers: list[str | tuple[str, ...]] = [(one,) for one in line.modifiers]
    return segment(
        "FT1",
        str(number),
        line.control_number,
        claim.control_number,
        days,
        "",
        CHARGE,
        code,
        "",
        "",
        str(line.units),
        *("", "", "", "", ""),
        (*("",) * 8, f"place of service {line.place or claim.place}"),
        "",
        "",
        list(diagnoses),
        _provider(claim.rendering),
        _provider(claim.referring),
        *("", "", ""),
        code,
        modifiers,
        ready={11: money(line.charge_cents)},
    )


def _pointed(code: str) -> str:
    return code if len(code) <= 3 else f"{code[:3]}.{code[3:]}"


def _name(name: Name) -> tuple[str, ...]:
    return name.last, name.first, name.middle, name.suffix


def _address(place: Address | None) -> tuple[str, ...]:
    if place is None:
        return ("",)
    return place.street, place.street_more, place.city, place.state, place.postal_code, "USA"


def _provider(who: Provider | None) -> tuple[str, ...]:
    """NPI and name; the assigning authority says that the number is an NPI."""
    if who is None:
        return ("",)
    named = (who.npi, who.name.last, who.name.first, who.name.middle, who.name.suffix)
    return (*named, "", "", "", "NPI")


def _day(day: date | None) -> str:
    return "" if day is None else f"{day:%Y%m%d}"


def _instant(at: datetime) -> str:
    return f"{at:%Y%m%d%H%M%S%z}"
