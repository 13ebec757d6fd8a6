"""Acknowledgments of files: the TA1 of an interchange and the 999 of a group and its sets.

Owns what each says, as values. Does not own which of our files is meant, nor claims (``p837``).
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from billing.claims.x12.segments import Segment, sections
from billing.finding import Finding

ACCEPTED_CODES = ("A", "E")
"""Of sets and groups: accepted, and accepted although errors are noted."""
PARTLY = "P"
"""Of a group: some of its sets were accepted."""


class InterchangeAnswer(NamedTuple):
    """A TA1: the number (ISA13) it answers, ``A``, ``E`` or ``R``, and the note."""

    number: str
    code: str
    note: str

    @property
    def accepted(self) -> bool:
        """Whether the interchange was taken."""
        return self.code in ACCEPTED_CODES


class Fault(NamedTuple):
    """Where a set is wrong: segment, its place in the set from 1, element, and the bare codes."""

    segment: str
    place: str
    element: str
    codes: tuple[str, ...]


class SetAnswer(NamedTuple):
    """What became of one transaction set (ST02)."""

    number: str
    code: str
    codes: tuple[str, ...]
    faults: tuple[Fault, ...]

    @property
    def accepted(self) -> bool:
        """Whether the set was taken."""
        return self.code in ACCEPTED_CODES


class GroupAnswer(NamedTuple):
    """A 999: the group (GS06) it answers, and each set it names."""

    group_kind: str
    group_number: str
    code: str
    codes: tuple[str, ...]
    sets: tuple[SetAnswer, ...]
    findings: tuple[Finding, ...]

    @property
    def accepted(self) -> bool | None:
        """Whether the whole group was taken; None where some of its sets were."""
        return None if self.code == PARTLY else self.code in ACCEPTED_CODES


def read_ta1(segments: Iterable[Segment]) -> list[InterchangeAnswer]:
    """Every TA1 of an interchange."""
    return [
        InterchangeAnswer(one.get(1), one.get(4), one.get(5))
        for one in segments
        if one.name == "TA1"
    ]


def read_999(segments: Sequence[Segment]) -> GroupAnswer:
    """One 999, from its ST to its SE. A part that is missing is empty, with a finding."""
    group, verdict = _first(segments, "AK1"), _first(segments, "AK9")
    findings = []
    if group is None:
        findings.append(Finding("E_999_GROUP", "AK1", "It does not say which group it answers."))
    if verdict is None:
        findings.append(Finding("W_999_CUT_OFF", "AK9", "It ends without a word on the group."))
    sets = tuple(_sets(segments))
    if any(not one.code for one in sets):
        findings.append(Finding("W_999_SET", "IK5", "It ends without a word on a set."))
    return GroupAnswer(
        group.get(1) if group else "",
        group.get(2) if group else "",
        verdict.get(1) if verdict else "",
        _codes(verdict, 5),
        sets,
        tuple(findings),
    )


def _sets(segments: Sequence[Segment]) -> Iterable[SetAnswer]:
    for own in sections(segments, lambda one: one.name == "AK2"):
        verdict = _first(own, "IK5", "AK5")
        yield SetAnswer(
            own[0].get(2), verdict.get(1) if verdict else "", _codes(verdict, 2), _faults(own)
        )


def _faults(segments: Sequence[Segment]) -> tuple[Fault, ...]:
    found: list[Fault] = []
    for one in segments:
        if one.name in ("IK3", "AK3"):
            found.append(Fault(one.get(1), one.get(2), "", _codes(one, 4)))
        elif one.name in ("IK4", "AK4") and found:
            # the element follows the segment it stands in
            found.append(found[-1]._replace(element=one.get(1), codes=_codes(one, 3)[:1]))
    return tuple(found)


def _codes(segment: Segment | None, start: int) -> tuple[str, ...]:
    return () if segment is None else tuple(filter(None, segment.elements[start - 1 :]))


def _first(segments: Iterable[Segment], *names: str) -> Segment | None:
    return next((one for one in segments if one.name in names), None)
