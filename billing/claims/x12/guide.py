"""What a loop of the 837P may hold, in which order, how often, and what it must not lack.

Owns the shape of loops and of the elements that are looked at, in our own short form of what the
implementation guide 005010X222A1 demands. Does not own what values mean (``billing.claims.scrub``).

A loop's line names its segments in order: ``!`` must be there, ``:4`` at most four times, once
where nothing is said; after the bar its loops in the same form. ``REF(EI,SY)!`` must be there with
one of these qualifiers.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from billing.claims.claim import SEXES

_UNLIMITED = 1_000_000
_WORD = re.compile(r"(?P<name>\w+)(\((?P<only>[\w,]+)\))?(:(?P<most>\d+|n))?(?P<needed>!)?")


@dataclass(frozen=True)
class Part:
    """A segment or loop of a loop: its name, whether it must be there, how often it may be."""

    name: str
    needed: bool
    most: int
    qualifiers: tuple[str, ...] = ()  # it must be there with one of these


@dataclass(frozen=True)
class LoopShape:
    """What a loop holds, in order."""

    segments: tuple[Part, ...]
    loops: tuple[Part, ...]

    def place(self, name: str) -> int | None:
        """Where a segment stands among the others; None when it does not belong here."""
        names = [part.name for part in self.segments]
        return names.index(name) if name in names else None


def _parts(text: str) -> tuple[Part, ...]:
    found = []
    for word in text.split():
        told = _WORD.fullmatch(word)
        if told is None:
            raise ValueError(f"not a part of a loop: {word}")
        most = told["most"] or "1"
        found.append(
            Part(
                told["name"],
                bool(told["needed"]),
                _UNLIMITED if most == "n" else int(most),
                tuple(told["only"].split(",")) if told["only"] else (),
            )
        )
    return tuple(found)


def _shape(text: str) -> LoopShape:
    segments, _, inner = text.partition("|")
    return LoopShape(_parts(segments), _parts(inner))


_ADDRESSED = "NM1! N3! N4!"
_REFERRED = "NM1! REF:20"
SHAPES: Mapping[str, LoopShape] = {
    name: _shape(text)
    for name, text in {
        "SET": "ST! BHT! SE! | 1000A! 1000B! 2000A:n!",
        "1000A": "NM1! PER:2!",
        "1000B": "NM1!",
        "2000A": "HL! PRV CUR | 2010AA! 2010AB 2010AC 2000B:n!",
        "2010AA": "NM1! N3! N4! REF(EI,SY):3! PER:2",
        "2010AB": "NM1! N3 N4",
        "2010AC": f"{_ADDRESSED} REF:2",
        "2000B": "HL! SBR! PAT | 2010BA! 2010BB! 2300:100 2000C:n",
        "2010BA": "NM1! N3 N4 DMG REF:2 PER",
        "2010BB": "NM1! N3 N4 REF:5",
        "2000C": "HL! PAT! | 2010CA! 2300:100!",
        "2010CA": "NM1! N3! N4! DMG! REF:2 PER",
        "2300": (
            "CLM! DTP:17 PWK:10 CN1 AMT REF:14 K3:10 NTE CR1 CR2 CRC:8 HI:4! HCP"
            " | 2310A:2 2310B 2310C 2310D 2310E 2310F 2320:10 2400:50!"
        ),
        "2310A": "NM1! REF:3",
        "2310B": "NM1! PRV REF:4",
        "2310C": f"{_ADDRESSED} REF:3 PER",
        "2310D": "NM1! REF:4",
        **dict.fromkeys(("2310E", "2310F", "2420G", "2420H"), _ADDRESSED),
        "2320": ("SBR! CAS:5 AMT:3 OI! MOA | 2330A! 2330B! 2330C:2 2330D 2330E 2330F 2330G"),
        "2330A": "NM1! N3 N4 REF",
        "2330B": "NM1! N3 N4 DTP REF:6",
        **dict.fromkeys(("2330C", "2330D", "2330E", "2330F", "2330G"), "NM1! REF:4!"),
        "2400": (
            "LX! SV1! SV5 PWK:11 CR1 CR3 CRC:5 DTP(472):11! QTY:2 MEA:5 CN1 REF:17 AMT:2 K3:10"
            " NTE:2 PS1 HCP"
            " | 2410 2420A 2420B 2420C 2420D 2420E 2420F:2 2420G 2420H 2430:15 2440:n"
        ),
        "2410": "LIN! CTP! REF",
        "2420A": "NM1! PRV REF:20",
        **dict.fromkeys(("2420B", "2420D", "2420F"), _REFERRED),
        "2420C": f"{_ADDRESSED} REF:3",
        "2420E": "NM1! N3 N4 REF:20 PER",
        "2430": "SVD! CAS:5 DTP! AMT",
        "2440": "LQ! FRM:99!",
    }.items()
}

LOOP_WORDS: Mapping[str, str] = {
    "SET": "transaction set",
    "1000A": "submitter",
    "1000B": "receiver",
    "2000A": "billing provider level",
    "2010AA": "billing provider",
    "2010AB": "pay-to address",
    "2000B": "subscriber level",
    "2010BA": "subscriber",
    "2010BB": "payer",
    "2000C": "patient level",
    "2010CA": "patient",
    "2300": "claim",
    "2310A": "referring provider",
    "2310B": "rendering provider",
    "2310C": "service facility",
    "2310D": "supervising provider",
    "2320": "other payer's coverage",
    "2330A": "other subscriber",
    "2330B": "other payer",
    "2400": "service line",
    "2420A": "rendering provider of the line",
    "2430": "other payer's adjudication",
}
"""Loops in words, where a word helps."""


@dataclass(frozen=True)
class ElementShape:
    """What an element may be: needed or not, one of a list, of a kind, of a length at most."""

    position: int
    needed: bool = True
    codes: frozenset[str] = frozenset()
    kind: str = ""
    part: int = 0  # 0: the element as a whole
    longest: int = 0  # 0: not looked at
    missing_code: str = "E_ELEMENT_MISSING"  # the finding where it is absent


def _coded(position: int, *codes: str, needed: bool = True, part: int = 0) -> ElementShape:
    return ElementShape(position, needed, frozenset(codes), part=part)


_NPI = (_coded(8, "XX", needed=False), ElementShape(9, needed=False, kind="npi"))
_NPI_NEEDED = (
    ElementShape(9, kind="npi", missing_code="E_NPI_MISSING"),
    _coded(8, "XX", needed=False),
)
_NPI_WANTED = (
    ElementShape(9, kind="npi", missing_code="W_NPI_MISSING"),
    _coded(8, "XX", needed=False),
)
_KIND_OF_NAME = _coded(2, "1", "2")
_NAMED = (_KIND_OF_NAME, ElementShape(3, longest=60))
_MEMBER = (_coded(8, "MI", "II"), ElementShape(9, longest=80, missing_code="E_MEMBER_ID_MISSING"))
_PAYER = (_coded(8, "PI", "XV"), ElementShape(9, longest=80))
_YES_NO = ("Y", "N")
_RANKS = ("P", "S", "T", "A", "B", "C", "D", "E", "F", "G", "H", "U")

ELEMENTS: Mapping[str, tuple[ElementShape, ...]] = {
    "NM1*41": (*_NAMED, _coded(8, "46"), ElementShape(9)),
    "NM1*40": (*_NAMED, _coded(8, "46"), ElementShape(9)),
    "NM1*85": (*_NAMED, *_NPI_NEEDED),
    "NM1*87": (_KIND_OF_NAME,),
    "NM1*IL": (*_NAMED, *_MEMBER),
    "NM1*PR": (*_NAMED, *_PAYER),
    "NM1*QC": _NAMED,
    "NM1*82": (*_NAMED, *_NPI_NEEDED),
    "NM1*77": (*_NAMED, *_NPI),
    "NM1*DQ": (*_NAMED, *_NPI_WANTED),
    "NM1*DN": (*_NAMED, *_NPI_WANTED),
    "NM1*P3": (*_NAMED, *_NPI_WANTED),
    "NM1*DK": (*_NAMED, *_NPI_WANTED),
    "HL": (
        ElementShape(1, kind="number"),
        _coded(3, "20", "22", "23"),
        _coded(4, "0", "1", needed=False),
    ),
    "SBR": (_coded(1, *_RANKS), ElementShape(9, needed=False)),
    "PRV": (_coded(2, "PXC"), ElementShape(3, kind="taxonomy")),
    "N3": (ElementShape(1, longest=55),),
    "N4": (ElementShape(1, longest=30),),
    "DMG": (_coded(1, "D8"), ElementShape(2, kind="day"), _coded(3, *SEXES)),
    "REF": (ElementShape(1), ElementShape(2, longest=50)),
    "CLM": (
        ElementShape(1, longest=20),
        ElementShape(2, kind="amount"),
        ElementShape(5, kind="place", part=1),
        _coded(5, "B", part=2),
        ElementShape(5, kind="frequency", part=3),
        _coded(6, *_YES_NO),
        _coded(7, "A", "B", "C"),
        _coded(8, "Y", "N", "W"),
        _coded(9, "Y", "I"),
    ),
    "SV1": (
        _coded(1, "HC", "ER", "IV", "WK", part=1),
        ElementShape(1, part=2),
        ElementShape(2, kind="amount"),
        _coded(3, "UN", "MJ"),
        ElementShape(4, kind="units"),
        ElementShape(5, needed=False, kind="place"),
        ElementShape(7),
    ),
    "LX": (ElementShape(1, kind="number"),),
    "DTP": (
        ElementShape(1),
        _coded(2, "D8", "RD8", "DT"),
        ElementShape(3, kind="days"),
    ),
    "AMT": (ElementShape(1), ElementShape(2, kind="amount")),
    "SVD": (ElementShape(1), ElementShape(2, kind="amount"), ElementShape(5, kind="units")),
    "CAS": (_coded(1, "CO", "PR", "OA", "PI", "CR"), ElementShape(2)),
}
"""Elements looked at, by segment, or by segment and qualifier of a name."""
