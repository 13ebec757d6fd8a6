"""An 837P back into the values it was written from.

Owns which element gives which value. Does not own finding what is wrong with a file (``scrub``
reads loops, not claims): a value that cannot be read raises, an absent one is empty.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import TypeVar

from billing.claims import claim as told
from billing.claims.x12 import loops
from billing.claims.x12.envelope import (
    ClaimFile,
    ClaimSet,
    Interchange,
    Party,
    Receiver,
    Submitter,
)
from billing.claims.x12.loops import Loop, read_loops
from billing.claims.x12.segments import Segment, read_segments
from billing.money import text_to_cents

Value = TypeVar("Value")
_NOTHING = Segment(0, "", ())


class UnreadableClaimError(ValueError):
    """A value of an 837P cannot be read; the message names the segment, never the value."""


def read_837p(content: bytes) -> ClaimFile:
    """The file as values.

    Raises ``NotX12Error`` for content that is no X12, ``UnreadableClaimError`` for a file that is
    no 837P of one interchange and one group or holds a value that cannot be read.
    """
    segments = read_segments(content).segments
    heads = [one for one in segments if one.name in ("ISA", "GS")]
    if [one.name for one in heads] != ["ISA", "GS"]:
        raise UnreadableClaimError("it does not hold one interchange with one group")
    sets = tuple(claim_set(read_loops(one)) for one in transaction_sets(segments))
    return ClaimFile(_interchange(*heads), sets)


def transaction_sets(segments: Iterable[Segment]) -> list[list[Segment]]:
    """The segments of each set, from its ST to its SE or to the next ST or trailer."""
    found: list[list[Segment]] = []
    inside = False
    for segment in segments:
        if segment.name == "ST":
            found.append([])
        inside = segment.name == "ST" or (inside and segment.name not in ("GE", "IEA", "GS"))
        if inside:
            found[-1].append(segment)
        inside = inside and segment.name != "SE"
    return found


def claim_set(top: Loop) -> ClaimSet:
    """One transaction set; ``UnreadableClaimError`` for a value that cannot be read."""
    heading, beginning = _own(top, "ST"), _own(top, "BHT")
    if heading.get(1) != "837":
        raise UnreadableClaimError("a transaction set is not an 837")
    submitter, contact = _named(top, "1000A"), _own(top.one("1000A"), "PER")
    receiver = _named(top, "1000B")
    return ClaimSet(
        _read(heading, 2, int),
        beginning.get(3),
        Submitter(submitter.get(3), submitter.get(9), contact.get(2), contact.get(4)),
        Receiver(receiver.get(3), receiver.get(9)),
        tuple(_claim(loop) for loop in top.everywhere() if loop.name == loops.CLAIM),
    )


def _interchange(header: Segment, group: Segment) -> Interchange:
    made = f"{group.get(4)}{group.get(5)[:4]}"
    try:
        made_at = datetime.strptime(made, "%Y%m%d%H%M")  # noqa: DTZ007 - the sender's local minute
    except ValueError:
        raise _unreadable(group, 4) from None
    return Interchange(
        Party(header.get(5), header.get(6).strip(), group.get(2)),
        Party(header.get(7), header.get(8).strip(), group.get(3)),
        _read(header, 13, int),
        _read(group, 6, int),
        made_at,
        production=header.get(15) == "P",
        acknowledge=header.get(14) == "1",
    )


def _claim(loop: Loop) -> told.Claim:
    head = _own(loop, "CLM")
    subscriber = loop.above(loops.SUBSCRIBER)
    billing = loop.above(loops.BILLING)
    if subscriber is None or billing is None:
        raise UnreadableClaimError(f"segment {head.number}: a claim without its levels")
    patient = loop.above(loops.PATIENT)
    facility = loop.one("2310C")
    return told.Claim(
        control_number=head.get(1),
        billing=_billing(billing),
        coverage=_coverage(subscriber),
        place=head.part(5, 1),
        diagnoses=_diagnoses(loop),
        lines=tuple(_line(line) for line in loop.within(loops.LINE)),
        dependent=None if patient is None else _dependent(patient),
        frequency=head.part(5, 3),
        payer_claim_number=_own(loop, "REF", "F8").get(2),
        prior_authorization=_own(loop, "REF", "G1").get(2),
        note=_own(loop, "NTE", "ADD").get(2),
        rendering=_provider(loop.one("2310B")),
        referring=_provider(loop.one("2310A")),
        supervising=_provider(loop.one("2310D")),
        facility=None if facility is None else _facility(facility),
        others=tuple(_other(other) for other in loop.within(loops.OTHER)),
    )


def _billing(loop: Loop) -> told.BillingProvider:
    party = loop.one("2010AA")
    named = _own(party, "NM1")
    tax = _own(party, "REF", told.EMPLOYER_ID, told.SOCIAL_SECURITY)
    return told.BillingProvider(
        _name(named),
        named.get(9),
        _address(party) or told.Address("", "", "", ""),
        tax.get(2),
        tax.get(1),
        _own(loop, "PRV").get(3),
    )


def _coverage(loop: Loop) -> told.Coverage:
    head = _own(loop, "SBR")
    return told.Coverage(
        _payer(loop.one("2010BB")),
        _person(loop.one("2010BA")),
        _named(loop, "2010BA").get(9),
        head.get(9),
        head.get(1),
        head.get(3),
        head.get(4),
        head.get(5),
    )


def _dependent(loop: Loop) -> told.Dependent:
    return told.Dependent(_person(loop.one("2010CA")), _own(loop, "PAT").get(1))


def _person(loop: Loop | None) -> told.Person:
    born = _own(loop, "DMG")
    day = _read(born, 2, _day) if born.get(2) else None
    return told.Person(_name(_own(loop, "NM1")), day, born.get(3), _address(loop))


def _payer(loop: Loop | None) -> told.Payer:
    named = _own(loop, "NM1")
    return told.Payer(named.get(3), named.get(9), _address(loop))


def _provider(loop: Loop | None) -> told.Provider | None:
    if loop is None:
        return None
    named = _own(loop, "NM1")
    return told.Provider(_name(named), named.get(9), _own(loop, "PRV").get(3))


def _facility(loop: Loop) -> told.Facility:
    named = _own(loop, "NM1")
    return told.Facility(named.get(3), named.get(9), _address(loop) or told.Address("", "", "", ""))


def _other(loop: Loop) -> told.OtherCoverage:
    head, holder = _own(loop, "SBR"), _named(loop, "2330A")
    paid = _own(loop, "AMT", "D")
    return told.OtherCoverage(
        _payer(loop.one("2330B")),
        _name(holder),
        holder.get(9),
        head.get(9),
        head.get(1),
        head.get(2),
        head.get(3),
        _read(paid, 2, text_to_cents) if paid.get(2) else None,
    )


def _line(loop: Loop) -> told.ServiceLine:
    service, days = _own(loop, "SV1"), _own(loop, "DTP", "472")
    first, last = _read(days, 3, _days)
    return told.ServiceLine(
        procedure=service.part(1, 2),
        charge_cents=_read(service, 2, text_to_cents),
        units=_read(service, 4, _whole),
        from_day=first,
        to_day=last,
        pointers=_read(service, 7, lambda text: tuple(map(int, text.split(service.component)))),
        control_number=_own(loop, "REF", "6R").get(2),
        modifiers=tuple(part for part in service.parts(1)[2:6] if part),
        place=service.get(5),
        adjudications=tuple(_adjudication(one) for one in loop.within("2430")),
    )


def _adjudication(loop: Loop) -> told.Adjudication:
    head, paid = _own(loop, "SVD"), _own(loop, "DTP", "573")
    return told.Adjudication(
        head.get(1),
        _read(head, 2, text_to_cents),
        _read(head, 5, _whole),
        _read(paid, 3, _day),
        tuple(
            told.Adjustment(one.get(1), one.get(place), _read(one, place + 1, text_to_cents))
            for one in loop.all("CAS")
            for place in range(2, len(one.elements), 3)
        ),
    )


def _diagnoses(loop: Loop) -> tuple[str, ...]:
    return tuple(
        segment.part(place, 2)
        for segment in loop.all("HI")
        for place in range(1, len(segment.elements) + 1)
        if segment.part(place, 1) in ("ABK", "ABF", "BK", "BF")
    )


def _name(named: Segment) -> told.Name:
    return told.Name(
        named.get(3), named.get(4), named.get(5), named.get(7), organization=named.get(2) == "2"
    )


def _address(loop: Loop | None) -> told.Address | None:
    street, city = _own(loop, "N3"), _own(loop, "N4")
    if street is _NOTHING and city is _NOTHING:
        return None
    return told.Address(street.get(1), city.get(1), city.get(2), city.get(3), street.get(2))


def _named(loop: Loop, name: str) -> Segment:
    return _own(loop.one(name), "NM1")


def _own(loop: Loop | None, name: str, *qualifiers: str) -> Segment:
    """A loop's own segment, or one without elements."""
    return (loop.first(name, *qualifiers) if loop is not None else None) or _NOTHING


def _read(segment: Segment, position: int, read: Callable[[str], Value]) -> Value:
    try:
        return read(segment.get(position))
    except ValueError:
        raise _unreadable(segment, position) from None


def _unreadable(segment: Segment, position: int) -> UnreadableClaimError:
    place = f"segment {segment.number}, {segment.name}{position:02d}"
    return UnreadableClaimError(f"{place}: the value cannot be read")


def _day(text: str) -> date:
    if len(text) != 8 or not text.isdecimal():
        raise ValueError("not a day")
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))


def _days(text: str) -> tuple[date, date]:
    first, _, last = text.partition("-")
    return _day(first), _day(last or first)


def _whole(text: str) -> int:
    """Units are written whole; others write ``1.00``."""
    whole, _, rest = text.partition(".")
    if rest.strip("0"):
        raise ValueError("not whole units")
    return int(whole)
