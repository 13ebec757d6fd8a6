"""The edits on a visit: every finding on lines as they stand, in the order of the catalog.

Owns asking each edit whose payers and days fit, and TH-ADM-08, which goes with whatever rule was
leaned on though a person should confirm it. Does not own the edits (``check_*``), their words
(``catalog``), nor what becomes of a line (``settle``).
"""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache

from billing.coding import (  # noqa: F401  # each registers its edits
    check_claim,
    check_code,
    check_coverage,
    check_level,
    check_modifier,
    check_note,
    check_pairs,
    check_place,
)
from billing.coding.catalog import Edit, EditSeverity, shipped_edits
from billing.coding.coded import CodedVisit, EditFinding
from billing.coding.encounter import Encounter
from billing.coding.judging import LINE_EDITS, PAIR_EDITS, VISIT_EDITS, Visit
from billing.coding.lines import Line
from billing.coding.place import unsettled
from billing.coding.rules import CodingRules
from billing.rules.edits import Edits

CONFIRM = "TH-ADM-08"
THE_VISIT = "visit"
BETWEEN_CODES = "pairs"
"""The area whose edits look at the lines as submitted."""


def check(
    encounter: Encounter,
    coded: CodedVisit,
    rules: CodingRules,
    known_day: date,
    *,
    pairs: Edits | None = None,
) -> tuple[EditFinding, ...]:
    """What every edit finds on the lines of a visit, as the rules were known on a day.

    Edits between codes look at ``coded.submitted`` and tell lines by their place there; all
    others look at ``coded.lines``. ``pairs`` are the loaded NCCI tables of the day of service;
    without them the shipped fixture answers. Nothing is changed here.
    """
    visit = Visit(encounter, coded.lines, rules, known_day, coded.submitted, pairs)
    found = [
        finding
        for edit in _judging(encounter.payer, encounter.dos)
        for finding in _ask(edit, visit)
    ]
    return (*found, *_to_confirm(visit, found))


@lru_cache(maxsize=8_192)
def _judging(payer: str, dos: date) -> tuple[Edit, ...]:
    """The edits that concern a payer on a day of service."""
    return tuple(edit for edit in shipped_edits().values() if edit.judges(payer, dos))


def _ask(edit: Edit, visit: Visit) -> Iterator[EditFinding]:
    if edit.id in LINE_EDITS:
        judge = LINE_EDITS[edit.id]
        for index, line in enumerate(visit.lines):
            told = judge(visit, line)
            if told is not None:
                yield _finding(edit, told, index, visit.lines)
    elif edit.id in VISIT_EDITS:
        told = VISIT_EDITS[edit.id](visit)
        if told is not None:
            yield _finding(edit, told, None, ())
    elif edit.id in PAIR_EDITS:
        lines = visit.submitted if edit.area == BETWEEN_CODES else visit.lines
        seen = set()
        for index, told in PAIR_EDITS[edit.id](visit):
            if index not in seen:
                seen.add(index)
                yield _finding(edit, told, index, lines)


def _finding(
    edit: Edit, told: Mapping[str, str], index: int | None, lines: tuple[Line, ...]
) -> EditFinding:
    where = THE_VISIT if index is None else f"line {index + 1}, {lines[index].code}"
    return EditFinding(edit.id, where, edit.message.format_map(told), edit.severity.value, index)


def _to_confirm(visit: Visit, found: list[EditFinding]) -> Iterator[EditFinding]:
    """TH-ADM-08: what the payer's row leaves open, and edits that rest on a weak source."""
    edit = shipped_edits()[CONFIRM]
    reasons = list(_open_questions(visit))
    for finding in found:
        fired = shipped_edits()[finding.code]
        if fired.is_weak and fired.severity is not EditSeverity.INFO:
            reasons.append(f"{fired.id} rests on a source of confidence {fired.confidence}")
    if reasons:
        told = "; ".join(dict.fromkeys(reasons))
        yield EditFinding(edit.id, THE_VISIT, f"{edit.message} {told}.", edit.severity.value, None)


def _open_questions(visit: Visit) -> tuple[str, ...]:
    if visit.row is None:
        return ("no rule was read for this date of service",)
    return unsettled(visit.encounter, visit.lines, visit.rules, visit.known_day)


def registered() -> frozenset[str]:
    """The ids of every edit that can fire."""
    return frozenset({*LINE_EDITS, *VISIT_EDITS, *PAIR_EDITS, CONFIRM})
