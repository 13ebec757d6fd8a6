"""A model's coding suggestion, judged by the rules: the shape of an adapter, and the verdict.

Owns what an adapter is asked and may answer, and what the rules make of it. Does not own any model:
none is shipped, and nothing asks one by itself. A suggestion is text of unknown worth. It changes
no facts, it is never repaired into something that may leave, and even an accepted one is only
shown: a person decides on a visit, as without it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from billing.coding.code_visit import code_visit
from billing.coding.coded import CLEAN, REVIEW, CodedVisit
from billing.coding.encounter import Encounter
from billing.coding.lines import Line, lines_text, read_lines
from billing.coding.rules import CodingRules
from billing.finding import Finding
from billing.rules.edits import Edits

UNREADABLE = "E_SUGGESTION_UNREADABLE"
WITHOUT_REASON = "E_SUGGESTION_WITHOUT_REASON"
CHANGED = "E_SUGGESTION_CHANGED"
OTHERWISE = "W_SUGGESTION_OTHERWISE"
FAILED = "E_SUGGESTER_FAILED"
MOST_TEXT = 4_000
"""Letters of an answer that are looked at; a longer one is refused."""


@dataclass(frozen=True)
class Asked:
    """What an adapter is told: the documented facts, which name nobody, and what the caller adds.

    ``note`` is the text of the visit's note where the practice chose to give it out, else empty.
    """

    encounter: Encounter
    note: str = ""


@dataclass(frozen=True)
class Suggestion:
    """An adapter's answer: lines as people write them, ``99214-95@10;99417x2``, and why."""

    lines: str
    reason: str


class Suggester(Protocol):
    """An adapter of a model. ``name`` tells which model and version answered."""

    @property
    def name(self) -> str:
        """Model and version."""
        ...

    def suggest(self, asked: Asked) -> Suggestion | None:
        """A suggestion, or None where the model has none."""
        ...


class Verdict(StrEnum):
    """What the rules make of a suggestion."""

    ACCEPTED = "accepted"  # no edit objects, and the rules come to the same from the facts
    LOOK = "look"  # no edit refuses it, but the rules come to something else or ask for a person
    REFUSED = "refused"


@dataclass(frozen=True)
class Judged:
    """A suggestion with its verdict; ``lines`` are what was suggested, never a repaired form."""

    suggester: str
    verdict: Verdict
    lines: tuple[Line, ...]
    reason: str
    findings: tuple[Finding, ...]
    of_rules: tuple[Line, ...]  # what the rules propose from the same facts


def suggested(
    asked: Asked,
    rules: CodingRules,
    known_day: date,
    *,
    suggester: Suggester | None = None,
    pairs: Edits | None = None,
) -> Judged | None:
    """The judged suggestion of an adapter; None without an adapter, which is the default.

    An adapter that fails is told as a refused suggestion: coding goes on without it.
    """
    if suggester is None:
        return None
    try:
        answer = suggester.suggest(asked)
    except Exception as error:  # noqa: BLE001 - whatever a foreign program raises
        message = f"The suggester failed ({type(error).__name__})."
        failed = Finding(FAILED, "suggestion", message)
        of_rules = code_visit(asked.encounter, rules, known_day, pairs=pairs).lines
        return Judged(suggester.name, Verdict.REFUSED, (), "", (failed,), of_rules)
    if answer is None:
        return None
    return judge(suggester.name, answer, asked.encounter, rules, known_day, pairs=pairs)


def judge(
    name: str,
    suggestion: Suggestion,
    encounter: Encounter,
    rules: CodingRules,
    known_day: date,
    *,
    pairs: Edits | None = None,
) -> Judged:
    """What the rules make of a suggestion, as known on a day.

    Refused: it cannot be read, has no reason, or an edit holds it or would change it. Accepted: no
    edit objects, and the rules propose the same lines or name them among their alternatives.
    """
    own = code_visit(encounter, rules, known_day, pairs=pairs)
    lines, problems = _read(suggestion)
    if problems:
        return Judged(name, Verdict.REFUSED, lines, suggestion.reason, problems, own.lines)
    tried = code_visit(encounter, rules, known_day, submitted=lines, pairs=pairs)
    verdict, found = _verdict(lines, tried, own)
    return Judged(name, verdict, lines, suggestion.reason, found, own.lines)


def _read(suggestion: Suggestion) -> tuple[tuple[Line, ...], tuple[Finding, ...]]:
    if len(suggestion.lines) + len(suggestion.reason) > MOST_TEXT:
        return (), (Finding(UNREADABLE, "suggestion", "It is too long to be looked at."),)
    try:
        lines = read_lines(suggestion.lines)
    except ValueError as error:
        return (), (Finding(UNREADABLE, "suggested lines", f"They cannot be read: {error}."),)
    if not lines:
        return (), (Finding(UNREADABLE, "suggested lines", "It names no line."),)
    if not suggestion.reason.strip():
        message = "It gives no reason, so nobody can weigh it."
        return lines, (Finding(WITHOUT_REASON, "suggestion", message),)
    return lines, ()


def _verdict(
    lines: tuple[Line, ...], tried: CodedVisit, own: CodedVisit
) -> tuple[Verdict, tuple[Finding, ...]]:
    if tried.status not in (CLEAN, REVIEW):
        message = (
            f"The edits would not let it leave as it is; what is left: {lines_text(tried.lines)}."
        )
        return Verdict.REFUSED, (*tried.findings, Finding(CHANGED, "suggested lines", message))
    if _same(lines, own.lines) or any(_same(lines, one.lines) for one in own.alternatives):
        verdict = Verdict.ACCEPTED if tried.status == CLEAN else Verdict.LOOK
        return verdict, tried.findings
    message = f"From the same facts the rules come to: {lines_text(own.lines)}."
    return Verdict.LOOK, (*tried.findings, Finding(OTHERWISE, "suggested lines", message))


def _same(some: Sequence[Line], others: Sequence[Line]) -> bool:
    """The same lines in any order."""
    return sorted(one.text for one in some) == sorted(one.text for one in others)
