"""Edits between the lines of one claim (TH-NCCI, TH-G2211).

Owns when they fire. Pairs and limits stand in ``pairs``. All lines are of one practitioner and
one day of service; lines of monitoring and care management stand for their whole month. A pair
tells the index of the line that goes: the one of column 2.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import date

from billing.coding.judging import (
    E_CONSULTS,
    EVALUATIONS,
    FIRES,
    PORTAL,
    THERAPY,
    Told,
    Visit,
    has,
    line_edit,
    pair_edit,
)
from billing.coding.lines import Line
from billing.coding.pairs import pair_of, unit_limit

Hits = Iterator[tuple[int, Mapping[str, str]]]

NEVER, WITH_MODIFIER = 0, 1
NCCI_MODIFIERS = ("59", "XE", "XP", "XS", "XU")
_OFFICE = (
    *("99202", "99203", "99204", "99205"),
    *("99211", "99212", "99213", "99214", "99215"),
)
_PORTAL = ("99421", "99422", "99423")
_PORTAL_ALL = (*_PORTAL, "98970", "98971", "98972")
_CARE_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "99490": ("99439",),
    "99491": ("99437",),
    "99487": ("99489",),
    "99424": ("99425",),
    "99426": ("99427",),
}
"""The first code of each family of care management, and its add-ons."""
_EVALUATIONS = ("90791", "90792")
_ALONE = ("90832", "90834", "90837", *_EVALUATIONS)
_MONITORING = ("99453", "99454", "99457", "99458")
_PRIMARY_CARE = ("G0556", "G0557", "G0558")
_IN_PRIMARY_CARE = (
    *("99490", "99439", "99491", "99437", "99487", "99489", "99424", "99425", "99426", "99427"),
    *("99495", "99496", "98016", "G2012", "G2252", "G2010", *_PORTAL),
    *("99446", "99447", "99448", "99449", "99451", "99452"),
)
_HOME_VISITS = (*("99341", "99342", "99344", "99345", "99347", "99348", "99349", "99350"),)
_HOME_VISITS_FROM = date(2026, 1, 1)
_COMPLEXITY_FROM = date(2024, 1, 1)
_PREVENTIVE_FROM = date(2025, 1, 1)
PREVENTIVE = (
    *("G0402", "G0438", "G0439", "G0008", "G0009", "G0010", "90471", "90472", "90473", "90474"),
    *("90480", "G0101", "G0102", "G0103", "G0442", "G0443", "G0444", "G0445", "G0446", "G0447"),
)
"""Annual wellness, vaccine administration and other Part B preventive services, as far as known."""
_BASES: Mapping[str, tuple[str, ...]] = {
    "99458": ("99457",),
    "99439": ("99490",),
    "99437": ("99491",),
    "99489": ("99487",),
    "99425": ("99424",),
    "99427": ("99426",),
    "98981": ("98980",),
    "99417": ("99205", "99215", "98003", "98007", "98011", "98015"),
    "G2212": ("99205", "99215"),
    "90833": _OFFICE,
    "90836": _OFFICE,
    "90838": _OFFICE,
}
"""Add-ons and what they may stand on."""


def _hits(
    visit: Visit,
    ones: Collection[str],
    others: Collection[str],
    indicators: Collection[int] = (NEVER,),
) -> Hits:
    """The line of column 2 for each pair of the two groups that the tables hold."""
    lines = visit.submitted
    for n, line in enumerate(lines):
        for m, other in enumerate(lines):
            if n == m or line.code not in ones or other.code not in others:
                continue
            pair = pair_of(line.code, other.code, visit.encounter.dos, visit.pairs)
            if pair is not None and pair.indicator in indicators:
                yield (m if other.code == pair.column2 else n), FIRES


@pair_edit("TH-NCCI-01")
def portal_beside_a_visit(visit: Visit) -> Hits:
    """A portal visit and a visit on one day."""
    return _hits(visit, _PORTAL, _OFFICE)


@pair_edit("TH-NCCI-02")
def data_beside_a_visit(visit: Visit) -> Hits:
    """99091 and a visit on one day."""
    return _hits(visit, ("99091",), _OFFICE)


@pair_edit("TH-NCCI-03")
def data_beside_management(visit: Visit) -> Hits:
    """99457 and 99091 on one day without a modifier that tells they were separate."""
    marked = any(
        line.code in ("99457", "99091") and has(line, *NCCI_MODIFIERS) for line in visit.submitted
    )
    if marked and visit.encounter.separate_work:
        return
    for n, told in _hits(visit, ("99457",), ("99091",), (WITH_MODIFIER,)):
        if not marked:
            yield n, told


@pair_edit("TH-NCCI-04")
def never_together(visit: Visit) -> Hits:
    """Monitoring pairs that no modifier opens."""
    yield from _hits(visit, ("99458", "99453", "99454"), ("99091",))
    yield from _hits(visit, ("99457", "99458"), ("98980",))


@pair_edit("TH-NCCI-05")
def portal_beside_a_sitting(visit: Visit) -> Hits:
    """A portal visit and psychotherapy or a diagnostic evaluation on one day."""
    sittings = _codes_of(visit, (*THERAPY, *EVALUATIONS))
    return _hits(visit, sittings, _PORTAL)


def _codes_of(visit: Visit, families: Collection[str]) -> set[str]:
    return {line.code for line in visit.submitted if visit.is_of(line.code, families)}


@pair_edit("TH-NCCI-06")
def sitting_beside_a_visit(visit: Visit) -> Hits:
    """Stand-alone psychotherapy or a diagnostic evaluation with a visit on one day.

    Told of the sitting, which an add-on replaces; of an evaluation the visit goes.
    """
    lines = visit.submitted
    for n, line in enumerate(lines):
        if line.code not in _ALONE:
            continue
        for m, other in enumerate(lines):
            if other.code in _OFFICE and _never(visit, line.code, other.code):
                yield (m if line.code in _EVALUATIONS else n), FIRES


def _never(visit: Visit, one: str, other: str) -> bool:
    pair = pair_of(one, other, visit.encounter.dos, visit.pairs)
    return pair is not None and pair.indicator == NEVER


@pair_edit("TH-NCCI-07")
def two_families_of_care(visit: Visit) -> Hits:
    """Two families of care management in one month: all lines of one of them go."""
    families = {base: (base, *more) for base, more in _CARE_FAMILIES.items()}
    held = [base for base in families if any(one.code == base for one in visit.submitted)]
    losers = {_loser(visit, base, other) for n, base in enumerate(held) for other in held[n + 1 :]}
    going = {code for base in losers for code in families[base]}
    for n, line in enumerate(visit.submitted):
        if line.code in going:
            yield n, FIRES


def _loser(visit: Visit, base: str, other: str) -> str:
    """The family that is not paid: column 2 of the pair, without one the later of the two."""
    pair = pair_of(base, other, visit.encounter.dos, visit.pairs)
    return other if pair is None else pair.column2


@pair_edit("TH-NCCI-08")
def portal_beside_care(visit: Visit) -> Hits:
    """A portal visit and chronic care on one day, where no modifier opens the pair."""
    return _hits(visit, ("99490", "99487", "99491"), _PORTAL_ALL)


@pair_edit("TH-NCCI-09")
def too_many_units(visit: Visit) -> Hits:
    """More units of a code on the day than its limit; portal visits are TH-CODE-08's."""
    units: dict[str, int] = {}
    for n, line in enumerate(visit.submitted):
        if visit.is_of(line.code, PORTAL):
            continue
        units[line.code] = units.get(line.code, 0) + line.units
        limit = unit_limit(line.code, visit.pairs)
        if limit is not None and units[line.code] > limit:
            yield n, {"units": str(units[line.code]), "limit": str(limit)}


@pair_edit("TH-NCCI-10")
def monitoring_beside_a_visit(visit: Visit) -> Hits:
    """A visit and monitoring on one day, which no pair joins."""
    visits = any(line.code in _OFFICE for line in visit.submitted)
    for n, line in enumerate(visit.submitted):
        if visits and line.code in _MONITORING:
            yield n, FIRES


@pair_edit("TH-NCCI-11")
def consult_beside_a_visit(visit: Visit) -> Hits:
    """An e-consult and a visit by the same consultant on one day."""
    return _hits(visit, _codes_of(visit, E_CONSULTS[:1]), _OFFICE)


@pair_edit("TH-NCCI-12")
def mutually_exclusive(visit: Visit) -> Hits:
    """Pairs of which only one can be right on one day."""
    yield from _hits(visit, ("G2250",), ("99454", "98976", "98977"))
    yield from _hits(visit, ("G0506",), ("99457", "99458"))


@pair_edit("TH-NCCI-13")
def addon_alone(visit: Visit) -> Hits:
    """An add-on without anything it may stand on."""
    codes = {line.code for line in visit.submitted}
    for n, line in enumerate(visit.submitted):
        bases = _BASES.get(line.code)
        lonely = bases is not None and not codes & set(bases)
        if lonely or (line.code == "G2211" and len(codes - {"G2211"}) == 0):
            yield n, FIRES


@pair_edit("TH-NCCI-14")
def within_primary_care(visit: Visit) -> Hits:
    """A service that advanced primary care management already includes."""
    primary = any(line.code in _PRIMARY_CARE for line in visit.submitted)
    for n, line in enumerate(visit.submitted):
        if primary and line.code in _IN_PRIMARY_CARE:
            yield n, FIRES


@line_edit("TH-G2211-01")
def complexity_without_a_visit(visit: Visit, line: Line) -> Told:
    """G2211 without an office visit, or a home visit from 2026, or before its first day."""
    if line.code != "G2211":
        return None
    dos = visit.encounter.dos
    bases = (*_OFFICE, *(_HOME_VISITS if dos >= _HOME_VISITS_FROM else ()))
    fits = dos >= _COMPLEXITY_FROM and any(code in bases for code in visit.codes)
    return None if fits else FIRES


@line_edit("TH-G2211-02")
def complexity_beside_modifier_25(visit: Visit, line: Line) -> Told:
    """G2211 although the visit carries 25 for a service that is not preventive."""
    if line.code != "G2211":
        return None
    bases = (*_OFFICE, *_HOME_VISITS)
    if not any(one.code in bases and has(one, "25") for one in visit.lines):
        return None
    others = [
        one.code
        for one in visit.lines
        if one.code not in (*bases, "G2211") and not visit.rules.is_apart(one.code)
    ]
    preventive = bool(others) and all(code in PREVENTIVE for code in others)
    return None if preventive and visit.encounter.dos >= _PREVENTIVE_FROM else FIRES
