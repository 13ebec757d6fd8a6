"""The ladders of a page: bands over one measure, checked for overlaps and unannounced gaps.

Owns the reading of ``[[ladder]]`` and ``[[ladder.band]]``. Does not own the other clauses
(``clauses``) nor how bands are applied (``billing.ledger``).
"""

import re
from itertools import pairwise

from billing.ledger.facts import GATES, PROGRAMS, REFUSED, WORK
from billing.rules.clauses import Known
from billing.rules.fields import Place, Table
from billing.rules.references import read_source, read_status
from billing.rules.ruleset import Band, Ladder, Line, Measure, Period, Role

NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
NEEDS = (*GATES, "live-contact")
"""What a ladder may ask for: a gate held on the service day, or a live contact in the period."""


def read_ladders(top: Table, known: Known) -> tuple[Ladder, ...]:
    """Every ``[[ladder]]`` of a page with its bands, none named twice."""
    ladders: list[Ladder] = []
    bands_before = 0
    for one in top.each("ladder"):
        ladder, band_count = _ladder(one, known, bands_before)
        bands_before += band_count
        if any(ladder.name == other.name for other in ladders):
            raise one.place.error(f"{ladder.name!r} stands twice", "name")
        ladders.append(ladder)
    return tuple(ladders)


def _ladder(one: Table, known: Known, bands_before: int) -> tuple[Ladder, int]:
    raw_bands = one.tables("band")
    places = [
        Place(one.place.file, one.place.text, "ladder.band", bands_before + ordinal)
        for ordinal in range(len(raw_bands))
    ]
    bands = [_band(Table(raw, place), known) for raw, place in zip(raw_bands, places, strict=True)]
    _check_bands(bands, places, one)
    ladder = Ladder(
        name=one.text("name", NAME),
        role=Role(one.word("role", set(Role))),
        programs=one.words("programs", PROGRAMS),
        period=Period(one.word("period", set(Period))),
        measure=Measure(one.word("measure", set(Measure))),
        work=one.words("work", WORK),
        needs=one.words("needs", NEEDS),
        also_counts=one.words("also_counts", REFUSED[1:]),
        bands=tuple(band for band in bands if band.lines),
        status=read_status(one),
        source=read_source(one, known.sources),
    )
    one.finish()
    if not ladder.programs:
        raise one.place.error("is missing", "programs")
    if bool(ladder.work) == (ladder.measure is Measure.DEVICE_DAYS):
        raise one.place.error("goes with a measure of seconds, and only with one", "work")
    return ladder, len(raw_bands)


def _band(one: Table, known: Known) -> Band:
    raw_lines = one.take("lines", list)
    lines: list[Line] = []
    for raw in raw_lines:
        if type(raw) is not dict:
            raise one.place.error("each must be a table", "lines")
        line = Table(raw, one.place)
        code = line.take("code", str)
        if code not in known.codes:
            raise one.place.error(f"{code!r} is not in the code table", "lines")
        lines.append(Line(code, line.maybe("every", int)))
        line.finish()
    band = Band(
        at_least=one.take("at_least", int),
        at_most=one.maybe("at_most", int),
        lines=tuple(lines),
        status=read_status(one),
        source=read_source(one, known.sources),
    )
    one.finish()
    if band.at_least < 1:
        raise one.place.error("must be 1 or more", "at_least")
    if band.at_most is not None and band.at_most < band.at_least:
        raise one.place.error("lies below at_least", "at_most")
    if any(line.every is not None and line.every < 1 for line in band.lines):
        raise one.place.error("every must be 1 or more", "lines")
    return band


def _check_bands(bands: list[Band], places: list[Place], ladder: Table) -> None:
    if not bands:
        raise ladder.place.error("has no bands")
    ordered = sorted(zip(bands, places, strict=True), key=lambda pair: pair[0].at_least)
    for (lower, _), (upper, place) in pairwise(ordered):
        if lower.at_most is None or upper.at_least <= lower.at_most:
            raise place.error("overlaps the band below", "at_least")
        if upper.at_least > lower.at_most + 1:
            first, last = lower.at_most + 1, upper.at_least - 1
            raise place.error(
                f"leaves {first} to {last} without a band (announce it with lines = [])",
                "at_least",
            )
