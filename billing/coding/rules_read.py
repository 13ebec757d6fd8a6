"""The shipped data of telehealth coding, read and checked, refused with file, line and reason.

Owns what ``telehealth/{codes,regimes,payers,marks}.toml`` may say: a source on each row, days in
order, no two rows of the same known day over one service day, no word that is not known. Does not
own the catalog of edits (``catalog``).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from billing.codes import CODE, is_modifier
from billing.coding.catalog import CONFIDENCES
from billing.coding.encounter import MDM_LEVELS, PATIENT_STATUSES, PAYERS
from billing.coding.rules import (
    ADVANTAGE,
    ANY_PAYER,
    Code,
    CodingRules,
    Family,
    Mark,
    Mode,
    PayerRow,
    Regime,
)
from billing.coding.sources import telehealth_sources
from billing.rules.fields import Place, Table, open_document
from billing.rules.references import SourceEntry, read_source, shipped_text

CODES_FILE = "telehealth/codes.toml"
REGIMES_FILE = "telehealth/regimes.toml"
PAYERS_FILE = "telehealth/payers.toml"
MARKS_FILE = "telehealth/marks.toml"

_NAME = re.compile(r"[a-z0-9-]+")
_STARTS = re.compile(r"([0-9A-Z]{5}) ([0-9]{1,3})")
_STANDS = ("live", "apart", "fee")
_BILLS = ("em", "non-em", "behavioral", "clinic", "any")
_CODE_SETS = ("office", "telemedicine", "phone", "listed", "clinic", "stored", "none")
_PLACES = ("by-location", "in-person", "02", "open")
_UNKNOWN = ("codes", "place", "modifiers")

Sources = Mapping[str, SourceEntry]


@lru_cache(maxsize=1)
def shipped_coding_rules() -> CodingRules:
    """The rules shipped with the product."""
    sources = telehealth_sources()
    return CodingRules(
        read_families(shipped_text(CODES_FILE), CODES_FILE, sources),
        read_regimes(shipped_text(REGIMES_FILE), REGIMES_FILE, sources),
        read_payers(shipped_text(PAYERS_FILE), PAYERS_FILE, sources),
        read_marks(shipped_text(MARKS_FILE), MARKS_FILE, sources),
    )


def read_families(text: str, name: str, sources: Sources) -> tuple[Family, ...]:
    """Families of codes; RuleError for what the file may not say, or a code that stands twice."""
    top = open_document(text, name)
    found = tuple(_family(table, sources) for table in top.each("family"))
    top.finish()
    names = [one.name for one in found]
    codes = [code.code for one in found for code in one.codes]
    for word in (*names, *codes):
        if names.count(word) + codes.count(word) > 1:
            raise top.place.error(f"{word} stands twice")
    for one in found:
        lost = sorted({*one.addon_to} - {*names} | {*one.starts} - {*codes})
        if lost:
            raise top.place.error(f"{one.name} names {lost[0]}, which is not there")
    return found


def _family(table: Table, sources: Sources) -> Family:
    name = table.text("name", _NAME)
    common: dict[str, Any] = {
        key: table.maybe(key, date) for key in ("from", "to", "listed_from", "listed_to")
    }
    starts = table.several("starts", str)
    if not all(_STARTS.fullmatch(one) for one in starts):
        raise table.place.error("each must be a code and minutes", "starts")
    family = Family(
        name=name,
        stands=table.word("set", _STANDS),
        bills=table.word("bills", _BILLS),
        codes=tuple(_code(one, name, common) for one in table.each("code")),
        payers=table.words("payers", (*PAYERS, ADVANTAGE)),
        medicare_from=table.maybe("medicare_from", date),
        addon_to=table.several("addon_to", str),
        starts={one.split()[0]: int(one.split()[1]) for one in starts},
        step_minutes=table.maybe("step_minutes", int),
        least_discussion=table.maybe("least_discussion", int),
        least_minutes=table.maybe("least_minutes", int),
        most_reply_hours=table.maybe("most_reply_hours", int),
        new_patients_to=table.maybe("new_patients_to", date),
        sittings_to=table.maybe("sittings_to", date),
        confidence=table.word("confidence", CONFIDENCES),
        source=read_source(table, sources),
    )
    table.finish()
    if not family.codes:
        raise table.place.error("has no code")
    return family


def _code(table: Table, family: str, common: Mapping[str, Any]) -> Code:
    days = {key: table.maybe(key, date) or value for key, value in common.items()}
    code = Code(
        code=table.text("code", CODE),
        label=table.text("label"),
        family=family,
        from_day=days["from"],
        to_day=days["to"],
        patient=table.word("patient", PATIENT_STATUSES) if table.has("patient") else None,
        mdm=table.word("mdm", MDM_LEVELS) if table.has("mdm") else None,
        at_least=table.maybe("at_least", int),
        at_most=table.maybe("at_most", int),
        timed_from=table.maybe("timed_from", date),
        step_minutes=table.maybe("step_minutes", int),
        most_units=table.maybe("most_units", int),
        listed_from=days["listed_from"],
        listed_to=days["listed_to"],
        appendix_t=bool(table.maybe("appendix_t", bool)),
        behavioral=bool(table.maybe("behavioral", bool)),
    )
    table.finish()
    _check_days(table, code.from_day, code.to_day)
    if code.at_most is not None and (code.at_least is None or code.at_most < code.at_least):
        raise table.place.error("lies below at_least", "at_most")
    return code


def read_regimes(text: str, name: str, sources: Sources) -> tuple[Regime, ...]:
    """Medicare's regimes; RuleError also for overlaps of one known day and for days without one."""
    top = open_document(text, name)
    found = tuple(_regime(table, sources) for table in top.each("regime"))
    top.finish()
    _check_overlaps(top.place, [("regime", one) for one in found])
    last = max((one.to_day or date.max for one in found), default=None)
    for one in found:
        ended = one.to_day
        if ended is None or ended == last:
            continue
        if not any(other.from_day <= _next(ended) <= (other.to_day or date.max) for other in found):
            raise top.place.error(f"no regime follows {one.id}")
    return found


def _next(day: date) -> date:
    return date.fromordinal(day.toordinal() + 1)


def _regime(table: Table, sources: Sources) -> Regime:
    regime = Regime(
        id=table.text("id"),
        from_day=table.take("from", date),
        to_day=table.maybe("to", date),
        known_from=table.take("known_from", date),
        originating=table.word("originating", ("waived", "restricted")),
        audio=table.word("audio", ("none", "phone-codes", "listed", "behavioral")),
        in_person_visit=table.word("in_person_visit", ("not-in-force", "suspended", "required")),
        confidence=table.word("confidence", CONFIDENCES),
        source=read_source(table, sources),
    )
    table.finish()
    _check_days(table, regime.from_day, regime.to_day)
    return regime


def read_payers(text: str, name: str, sources: Sources) -> tuple[PayerRow, ...]:
    """What payers ask for; RuleError also for rows of one known day that overlap."""
    top = open_document(text, name)
    found = tuple(_row(table, sources) for table in top.each("row"))
    top.finish()
    _check_overlaps(top.place, [(one.payer, one) for one in found])
    return found


def _row(table: Table, sources: Sources) -> PayerRow:
    first = table.take("from", date)
    row = PayerRow(
        payer=table.word("payer", (*PAYERS, ANY_PAYER)),
        from_day=first,
        to_day=table.maybe("to", date),
        known_from=table.maybe("known_from", date) or first,
        video=_mode(table, "video"),
        audio=_mode(table, "audio"),
        stored=_mode(table, "stored") if table.has("stored") else None,
        apart=table.word("apart", ("read", "any-place", "unknown")),
        telemedicine=table.word("telemedicine", ("required", "refused", "unknown")),
        confidence=table.word("confidence", CONFIDENCES),
        source=read_source(table, sources),
    )
    table.finish()
    _check_days(table, row.from_day, row.to_day)
    return row


def _mode(table: Table, key: str) -> Mode:
    one = Table(
        table.take(key, dict),
        Place(table.place.file, table.place.text, table.place.header, table.place.ordinal),
    )
    lists = {
        name: one.several(name, str) for name in ("required", "allowed", "forbidden", "hospital")
    }
    for name, modifiers in lists.items():
        if not all(is_modifier(modifier) for modifier in modifiers):
            raise table.place.error(f"{name}: each must be a modifier", key)
    mode = Mode(
        codes=one.word("codes", _CODE_SETS),
        place=one.word("place", _PLACES),
        unknown=one.words("unknown", _UNKNOWN),
        **lists,
    )
    one.finish()
    if {*mode.required, *mode.allowed} & {*mode.forbidden}:
        raise table.place.error("a modifier is both asked for and forbidden", key)
    return mode


def read_marks(text: str, name: str, sources: Sources) -> tuple[Mark, ...]:
    """Places of service and modifiers with their days; RuleError for one that stands twice."""
    top = open_document(text, name)
    found: list[Mark] = []
    for table in top.each("mark"):
        mark = Mark(
            mark=table.text("mark", re.compile("[0-9A-Z]{2}")),
            kind=table.word("kind", ("place", "modifier")),
            meaning=table.text("meaning"),
            from_day=table.maybe("from", date),
            to_day=table.maybe("to", date),
            confidence=table.word("confidence", CONFIDENCES),
            source=read_source(table, sources),
        )
        table.finish()
        _check_days(table, mark.from_day, mark.to_day)
        if any(one.mark == mark.mark for one in found):
            raise table.place.error(f"{mark.mark} stands twice", "mark")
        found.append(mark)
    top.finish()
    return tuple(found)


def _check_days(table: Table, first: date | None, last: date | None) -> None:
    if first is not None and last is not None and last < first:
        raise table.place.error("lies before from", "to")


def _check_overlaps(place: Place, rows: Iterable[tuple[str, Regime | PayerRow]]) -> None:
    for name, one, other in _pairs(list(rows)):
        if one.known_from != other.known_from:
            continue
        if one.from_day <= (other.to_day or date.max) and other.from_day <= (
            one.to_day or date.max
        ):
            raise place.error(f"{name}: two rows of one known day cover {other.from_day}")


def _pairs(
    rows: list[tuple[str, Regime | PayerRow]],
) -> Iterator[tuple[str, Regime | PayerRow, Regime | PayerRow]]:
    for position, (name, one) in enumerate(rows):
        for other_name, other in rows[position + 1 :]:
            if name == other_name:
                yield name, one, other
