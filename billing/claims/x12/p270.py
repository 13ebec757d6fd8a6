"""The eligibility inquiry (270) of guide 005010X279A1: is this person covered on a day, and how.

Owns the segments. Does not own whom to ask (``rpm.actions.ask_eligibility``) nor the envelope. One
set for each payer; a person is asked about under a trace number that comes back with the answer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from billing.claims.claim import Name, Payer, Person
from billing.claims.x12.element import Element, SegmentWriter, element
from billing.claims.x12.envelope import Interchange, interchange, transaction_set

GUIDE = "005010X279A1"
SERVICES = ("30", "98")
"""What is asked: the plan as a whole, and visits at a professional (X12 1365)."""
_LAST, _FIRST, _MIDDLE, _SUFFIX = 60, 35, 25, 10
_EIN_DIGITS = 9


@dataclass(frozen=True)
class Inquiry:
    """A person at a payer; ``dependent`` is the patient where the subscriber is another."""

    trace_number: str
    payer: Payer
    member_id: str
    subscriber: Person
    day: date
    dependent: Person | None = None


@dataclass(frozen=True)
class Asking:
    """Who asks: the practice, its NPI, and its employer id of nine digits."""

    name: str
    npi: str
    tax_id: str


def write_270(told: Interchange, asking: Asking, inquiries: Sequence[Inquiry]) -> bytes:
    """The file. ValueError without inquiries, or for a tax id that is none."""
    if not inquiries:
        raise ValueError("a file asks about somebody")
    if len(asking.tax_id) != _EIN_DIGITS or not asking.tax_id.isdigit():
        raise ValueError("the practice's tax id has nine digits")
    by_payer: dict[Payer, list[Inquiry]] = {}
    for one in inquiries:
        by_payer.setdefault(one.payer, []).append(one)
    out = SegmentWriter()
    with interchange(out, told, len(by_payer), "HS", GUIDE):
        for number, (payer, asked) in enumerate(by_payer.items(), start=1):
            with transaction_set(out, number, "270", GUIDE):
                reference = f"{told.number:09d}{number:04d}"
                when = (f"{told.made_at:%Y%m%d}", f"{told.made_at:%H%M}")
                out.add("BHT", "0022", "13", reference, *when)
                _levels(out, payer, asking, asked)
    return out.content()


def _levels(out: SegmentWriter, payer: Payer, asking: Asking, asked: Iterable[Inquiry]) -> None:
    out.add("HL", "1", "", "20", "1")
    out.add("NM1", "PR", "2", element(payer.name, _LAST), *[""] * 4, "PI", payer.payer_id)
    out.add("HL", "2", "1", "21", "1")
    out.add("NM1", "1P", "2", element(asking.name, _LAST), *[""] * 4, "XX", asking.npi)
    level = 2
    for one in asked:
        level += 1
        has_child = "0" if one.dependent is None else "1"
        out.add("HL", str(level), "2", "22", has_child)
        if one.dependent is None:
            out.add("TRN", "1", one.trace_number, f"1{asking.tax_id}")
        _person(out, "IL", one.subscriber, ("MI", one.member_id))
        if one.dependent is not None:
            out.add("HL", str(level + 1), str(level), "23", "0")
            out.add("TRN", "1", one.trace_number, f"1{asking.tax_id}")
            _person(out, "03", one.dependent, ())
            level += 1
        out.add("DTP", "291", "D8", f"{one.day:%Y%m%d}")
        for service in SERVICES:
            out.add("EQ", service)


def _person(out: SegmentWriter, entity: str, who: Person, known_by: tuple[str, ...]) -> None:
    name: Name = who.name
    parts: tuple[Element, ...] = (
        element(name.last, _LAST),
        element(name.first, _FIRST),
        element(name.middle, _MIDDLE),
        "",
        element(name.suffix, _SUFFIX),
    )
    out.add("NM1", entity, "1", *parts, *known_by)
    if who.birth_day is not None:
        sex = who.sex if who.sex in ("F", "M") else ""
        out.add("DMG", "D8", f"{who.birth_day:%Y%m%d}", sex)
