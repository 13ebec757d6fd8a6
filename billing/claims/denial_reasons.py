"""What a payer's adjustment means for the practice's work: groups of reasons, read from data.

Owns the groups and which one an adjustment belongs to, and which edits, findings and checks would
have stopped it. Does not own a claim's denial (``denial``) nor the wording of single codes. All of
it is a hint: which code a payer picks is its own choice.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources

from billing.coding.catalog import Edit, shipped_edits
from billing.coding.sources import telehealth_sources
from billing.rules.fields import Table, open_document
from billing.rules.references import read_source
from billing.rules.ruleset import Source

_FILE = "denials.toml"
STEPS = ("correct", "appeal", "other-payer", "ask", "none")
"""What usually helps."""
OTHER = "other"
PATIENT = "patient"
_CONFIDENCES = ("A", "B", "U")
_CODE = re.compile(r"[A-Z]{0,2}[0-9]{1,3}")
_CARC = re.compile(r"(?:CO-|OA-|PR-|CARC |/ ?|, )([ABP]?[0-9]{1,3})\b")
_RARC = re.compile(r"\b((?:M|N|MA)[0-9]{1,3})\b")
_MOST_EDITS = 5


@dataclass(frozen=True)
class ReasonGroup:
    """One group; ``usual`` ones are no denial: the agreed reduction, and the patient's share."""

    key: str
    title: str
    advice: str
    step: str
    usual: bool
    reasons: frozenset[str]
    remarks: frozenset[str]
    known: frozenset[str]  # of both, those placed by common knowledge alone
    edits: tuple[str, ...]
    findings: tuple[str, ...]
    checks: tuple[str, ...]
    confidence: str

    def trust(self, reason: str) -> str:
        """How far the placing of a code was read in a source."""
        return "U" if reason in self.known else self.confidence


@dataclass(frozen=True)
class ReasonGroups:
    """All groups in the order of their file, and where they were read."""

    groups: tuple[ReasonGroup, ...]
    source: Source

    def get(self, key: str) -> ReasonGroup:
        """A group by its key; KeyError for one that is not there."""
        return next(one for one in self.groups if one.key == key)

    def of(self, group: str, reason: str, remarks: Iterable[str] = ()) -> ReasonGroup:
        """The group of an adjustment: group code, CARC, and the RARCs beside it.

        A remark decides before a reason, and group code PR before both: what is the patient's to
        pay is no denial, unless the reason is one that asks for other work.
        """
        by_reason = [one for one in self.groups if reason in one.reasons]
        if group == "PR" and (not by_reason or by_reason[0].usual):
            return self.get(PATIENT)
        if by_reason and by_reason[0].usual:
            return by_reason[0]
        told = frozenset(remarks)
        by_remark = [one for one in self.groups if told & one.remarks]
        return (by_remark or by_reason or [self.get(OTHER)])[0]


@cache
def shipped_groups() -> ReasonGroups:
    """The shipped groups."""
    text = resources.files("billing.claims").joinpath("data", _FILE).read_text("utf-8")
    return read_groups(text, _FILE)


def read_groups(text: str, name: str) -> ReasonGroups:
    """Groups; RuleError with file and line for what they may not say."""
    top = open_document(text, name)
    source = read_source(top, telehealth_sources())
    tables = list(top.each("group"))
    groups = tuple(_group(table) for table in tables)
    top.finish()
    keys = [one.key for one in groups]
    if len(set(keys)) != len(keys):
        raise top.place.error("a group stands twice")
    if not {OTHER, PATIENT} <= set(keys):
        raise top.place.error(f"the groups {OTHER} and {PATIENT} are missing")
    placed: set[str] = set()
    for table, group in zip(tables, groups, strict=True):
        if twice := sorted(placed & (group.reasons | group.remarks)):
            raise table.place.error(f"{twice[0]} stands in another group")
        placed |= group.reasons | group.remarks
    return ReasonGroups(groups, source)


def _group(table: Table) -> ReasonGroup:
    known = (_codes(table, "known_reasons"), _codes(table, "known_remarks"))
    group = ReasonGroup(
        key=table.text("key"),
        title=table.text("title"),
        advice=table.text("advice"),
        step=table.word("step", STEPS),
        usual=table.maybe("usual", bool) or False,
        reasons=_codes(table, "reasons") | known[0],
        remarks=_codes(table, "remarks") | known[1],
        known=known[0] | known[1],
        edits=table.several("edits", str),
        findings=table.several("findings", str),
        checks=table.several("checks", str),
        confidence=table.word("confidence", _CONFIDENCES),
    )
    table.finish()
    return group


def _codes(table: Table, key: str) -> frozenset[str]:
    codes = table.several(key, str)
    if any(not _CODE.fullmatch(code) for code in codes):
        raise table.place.error("each must be a bare code", key)
    return frozenset(codes)


def likely_edits(
    group: ReasonGroup, reason: str, remarks: Sequence[str], payer: str, service_day: date
) -> tuple[Edit, ...]:
    """Edits that would have stopped such a line on that day for that payer, likeliest first.

    At most five. Those whose expected answer names the reason and a remark stand before those that
    name the reason, and edits of the group that name neither are left out.
    """
    weighed = []
    for place, edit in enumerate(shipped_edits().values()):
        if not edit.id.startswith(group.edits) or not edit.judges(payer, service_day):
            continue
        named = _named(edit.likely_answer)
        weight = (reason in named) + 2 * bool(named & set(remarks))
        if weight:
            weighed.append((-weight, place, edit))
    return tuple(edit for _, _, edit in sorted(weighed, key=lambda one: one[:2])[:_MOST_EDITS])


@cache
def _named(likely_answer: str) -> frozenset[str]:
    """Bare codes in a hint such as ``CARC 170/172/185 + N95``."""
    return frozenset(_CARC.findall(likely_answer)) | frozenset(_RARC.findall(likely_answer))
