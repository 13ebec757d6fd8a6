"""Settling: edits judge the lines, repairs change them, until nothing changes; then the status.

Owns the loop and the status (reference, 14.2). Does not own the edits (``check``), the repairs
(``repair``) nor the first lines (``visit``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from billing.coding.catalog import Edit, EditSeverity, Review, Unrepaired, shipped_edits
from billing.coding.check import check
from billing.coding.coded import BLOCK, CLEAN, FIX, REVIEW, CodedVisit, EditFinding
from billing.coding.lines import Line
from billing.coding.question import Question
from billing.coding.relevel import Change
from billing.coding.repair import CHANGE_THOUGH_NO_ERROR, repair_of

_MOST_ROUNDS = 12
"""A repair never brings back what another took away; more rounds than this never came up."""
_PAIRS = "TH-NCCI-"
_FIRST = ("code", "level")
"""Areas whose repairs come before others: what they change is judged anew first."""


@dataclass
class _State:
    """Lines by their place in what was submitted, while they are being settled."""

    slots: list[Line | None]
    in_pairs: set[int] = field(default_factory=set)  # taken away by an edit between codes
    held: bool = False
    fired: dict[tuple[str, int | None], EditFinding] = field(default_factory=dict)

    def judged(self) -> list[int]:
        """Slots that are judged: those that stand, and those that only a pair took away."""
        return [place for place, line in enumerate(self.slots) if line is not None]

    def standing(self) -> tuple[Line, ...]:
        """The lines that would leave."""
        return tuple(self.slots[place] for place in self.left())  # type: ignore[misc]  # left() names lines

    def left(self) -> list[int]:
        """Slots whose lines would leave."""
        return [place for place in self.judged() if place not in self.in_pairs]


@dataclass(frozen=True)
class Settled:
    """Lines as they would leave, every edit that fired on the way, and how the visit stands."""

    lines: tuple[Line, ...]
    findings: tuple[EditFinding, ...]
    status: str


def settle(question: Question, submitted: Sequence[Line]) -> Settled:
    """Judge lines and repair them until nothing changes.

    Edits between codes look at the lines as submitted, so they are asked once; a line they take
    away is still judged by the others, and no longer repaired. When all is at rest those lines
    go, and what is left is judged once more without them.
    """
    state = _State(list(submitted))
    _to_rest(question, state, tuple(submitted), first=True)
    if state.in_pairs:
        for place in state.in_pairs:
            state.slots[place] = None
        state.in_pairs.clear()
        _to_rest(question, state, tuple(submitted), first=False)
    lines = state.standing()
    found = tuple(state.fired.values())
    return Settled(lines, found, _status(state, lines, tuple(submitted)))


def _to_rest(
    question: Question, state: _State, submitted: tuple[Line, ...], *, first: bool
) -> None:
    for round_number in range(_MOST_ROUNDS):
        before = list(state.slots), set(state.in_pairs)
        asked = first and round_number == 0
        findings = _findings(question, state, submitted, first=asked)
        for finding in findings:
            state.fired.setdefault((finding.code, finding.line), finding)
        _apply(question, state, findings)
        if before == (state.slots, state.in_pairs):
            break


def _findings(
    question: Question, state: _State, submitted: tuple[Line, ...], *, first: bool
) -> list[EditFinding]:
    """What fires on the lines as they are, its lines told by their place in what was submitted."""
    places = state.judged()
    lines = tuple(line for line in state.slots if line is not None)
    visit = CodedVisit(lines=lines, submitted=submitted)
    found = []
    asked = question.encounter, visit, question.rules, question.known_day
    for one in check(*asked, pairs=question.pairs):
        between_codes = one.code.startswith(_PAIRS)
        if between_codes and not first:
            continue
        place = one.line if one.line is None or between_codes else places[one.line]
        found.append(EditFinding(one.code, one.where, one.message, one.weight, place))
    return found


def _apply(question: Question, state: _State, findings: Iterable[EditFinding]) -> None:
    catalog = shipped_edits()
    ordered = sorted(findings, key=lambda one: _turn(catalog[one.code]))
    before = list(state.slots)
    for finding in ordered:
        edit = catalog[finding.code]
        if edit.severity is not EditSeverity.ERROR and edit.id not in CHANGE_THOUGH_NO_ERROR:
            continue
        for place in _places(state, finding):
            line = state.slots[place]
            # a line that changed is judged anew before anything else happens to it
            if line is not None and place not in state.in_pairs and line == before[place]:
                _answer(question, state, edit, place)


def _turn(edit: Edit) -> int:
    """Edits between codes are asked once, so they come first; then what changes a code."""
    if edit.id.startswith(_PAIRS):
        return 0
    return 1 if edit.area in _FIRST else 2


def _places(state: _State, finding: EditFinding) -> list[int]:
    return state.left() if finding.line is None else [finding.line]


def _answer(question: Question, state: _State, edit: Edit, place: int) -> None:
    """Repair a line, or do what the catalog says of an edit that the facts cannot repair."""
    change = repair_of(edit.id, question, state.slots, place)
    if change is not None:
        _change(state, edit, change)
    elif edit.unrepaired is Unrepaired.HOLD:
        state.held = True
    elif edit.unrepaired is Unrepaired.DROP:
        _change(state, edit, {place: None})


def _change(state: _State, edit: Edit, change: Change) -> None:
    for place, line in change.items():
        if line is None and edit.id.startswith(_PAIRS):
            state.in_pairs.add(place)
        elif place not in state.in_pairs:
            state.slots[place] = line


def _status(state: _State, lines: tuple[Line, ...], submitted: tuple[Line, ...]) -> str:
    if state.held or not lines:
        return BLOCK
    if _asks_for_a_person(state.fired):
        return REVIEW
    return CLEAN if lines == submitted else FIX


def _asks_for_a_person(fired: Mapping[tuple[str, int | None], EditFinding]) -> bool:
    catalog = shipped_edits()
    wrong = {line for code, line in fired if catalog[code].severity is EditSeverity.ERROR}
    for code, line in fired:
        edit = catalog[code]
        if edit.severity is EditSeverity.REVIEW or edit.review is Review.ALWAYS:
            return True
        if edit.review is Review.UNLESS_ERROR and line not in wrong:
            return True
    return False
