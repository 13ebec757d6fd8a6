"""One rule page as lines of text: every number with its status, its sources and its note.

Owns the wording of a page's clauses. Does not own the list of pages nor the tables beside them
(``text``).
"""

from collections.abc import Iterator
from datetime import date

from billing.rules.ruleset import Band, Code, Exclusion, Ladder, Measure, RuleSet, Source

_UNITS = {
    Measure.DEVICE_DAYS: "device days",
    Measure.SECONDS: "seconds",
    Measure.PRACTITIONER_SECONDS: "practitioner's seconds",
}


def standing(status: str, source: Source) -> str:
    """How far a rule is known and where it was read, in brackets."""
    note = f"; {source.note}" if source.note else ""
    return f"[{status}; {' '.join(source.ids)}, read {source.checked_on}{note}]"


def run_text(first: date | None, last: date | None) -> str:
    """A run of days in words: ``2020-03-01 to 2023-05-11``, or with an open end, or ``always``."""
    if first is None and last is None:
        return "always"
    if last is None:
        return f"from {first}"
    return f"to {last}" if first is None else f"{first} to {last}"


def page_lines(page: RuleSet) -> Iterator[str]:
    """The page in full."""
    yield f"{page.id}: {page.title}  {standing(page.status, page.source)}"
    yield f"payer {page.payer}" + (f", extends {page.extends}" if page.extends else "")
    yield f"service days {run_text(page.effective_from, page.effective_to)}"
    yield f"known from {page.known_from}"
    yield f"digest {page.digest}"
    for ladder in page.ladders:
        yield ""
        yield from _ladder_lines(ladder)
    for lines in (_excuse_lines, _exclusion_lines, _stop_lines, _notice_lines, _change_lines):
        clauses = list(lines(page))
        if clauses:
            yield ""
            yield from clauses
    if page.not_adopted:
        yield ""
        yield f"not adopted ({page.not_adopted_finding}): {' '.join(page.not_adopted)}"
    if page.em_codes:
        yield ""
        yield f"visits whose day takes a practitioner's minutes away: {' '.join(page.em_codes)}"
    yield ""
    yield "codes"
    for code in page.codes.values():
        yield f"  {_code_text(code)}  {standing(code.status, code.source)}"


def _ladder_lines(ladder: Ladder) -> Iterator[str]:
    yield f"ladder {ladder.name} ({ladder.role})  {standing(ladder.status, ladder.source)}"
    yield f"  counts {_UNITS[ladder.measure]} per {ladder.period} for {', '.join(ladder.programs)}"
    for title, words in (
        ("work logged for", ladder.work),
        ("needs", ladder.needs),
        ("also counts", ladder.also_counts),
    ):
        if words:
            yield f"  {title}: {', '.join(words)}"
    for band in ladder.bands:
        yield f"  {_band_text(band)} {_UNITS[ladder.measure]}: {_lines_text(band)}" + (
            f"  {standing(band.status, band.source)}"
        )


def _band_text(band: Band) -> str:
    if band.at_most is None:
        return f"{band.at_least} or more"
    return f"{band.at_least} to {band.at_most}"


def _lines_text(band: Band) -> str:
    return ", ".join(
        line.code if line.every is None else f"{line.code} for each full {line.every} beyond"
        for line in band.lines
    )


def _excuse_lines(page: RuleSet) -> Iterator[str]:
    for one in page.relaxations:
        yield (
            f"relaxation {one.id}: {' '.join(one.codes)} from {one.at_least} days with {one.needs},"
            f" {run_text(one.from_day, one.to_day)}  {standing(one.status, one.source)}"
        )
    for waiver in page.waivers:
        yield (
            f"waiver {waiver.id}: {waiver.gate} is not asked for,"
            f" {run_text(waiver.from_day, waiver.to_day)}  {standing(waiver.status, waiver.source)}"
        )


def _exclusion_lines(page: RuleSet) -> Iterator[str]:
    for one in page.exclusions:
        yield f"exclusion {one.finding}: {_exclusion_text(one)}  {standing(one.status, one.source)}"


def _exclusion_text(one: Exclusion) -> str:
    kinds = f", where all readings are {' or '.join(one.only_kinds)}" if one.only_kinds else ""
    return (
        f"{' '.join(one.applies_to)} not beside {' '.join(one.blocked_by)}"
        f" ({one.who}, {one.within}){kinds}"
    )


def _stop_lines(page: RuleSet) -> Iterator[str]:
    for one in page.stops:
        without = f" without {one.missing_gate}" if one.missing_gate else ""
        yield (
            f"stop {one.finding}: nothing leaves{without}, {_settings_text(one.settings)},"
            f" {run_text(one.from_day, one.to_day)}  {standing(one.status, one.source)}"
        )


def _notice_lines(page: RuleSet) -> Iterator[str]:
    for one in page.notices:
        parts = [
            "always" if one.always else "with what leaves",
            " ".join(one.codes) or "every code",
            _settings_text(one.settings),
            f"POS {' '.join(map(str, one.pos))}" if one.pos else "every POS",
            f"while {one.gate}" if one.gate else "",
            run_text(one.from_day, one.to_day),
        ]
        said = ", ".join(part for part in parts if part)
        yield f"notice {one.finding}: {said}  {standing(one.status, one.source)}"


def _change_lines(page: RuleSet) -> Iterator[str]:
    for one in page.replacements:
        yield (
            f"replacement {one.finding}: {' '.join(one.codes)} by {one.by or 'nothing of its own'},"
            f" {_settings_text(one.settings)}, {run_text(one.from_day, one.to_day)}"
            f"  {standing(one.status, one.source)}"
        )
    for boundary in page.boundaries:
        yield (
            f"boundary {boundary.finding}: windows across {boundary.first_day} with"
            f" {boundary.at_least} to {boundary.at_most} days"
            f"  {standing(boundary.status, boundary.source)}"
        )


def _settings_text(settings: tuple[str, ...]) -> str:
    return " ".join(settings) or "every setting"


def _code_text(code: Code) -> str:
    parts = [f"{code.code} {code.label}"]
    if code.payable_from or code.payable_to:
        parts.append(f"payable {run_text(code.payable_from, code.payable_to)}")
    else:
        parts.append("recorded only")
    if code.max_units is not None:
        parts.append(f"at most {code.max_units} (MAI {code.mai})")
    if code.addon_to:
        parts.append(f"added to {code.addon_to}")
    return ", ".join(parts)
