"""Amounts: what a code is worth on a service day in the national schedule, or that it is unknown.

Owns the shipped amounts (national, non-QP, GPCI 1.0; R-VER-03: by date of service). Does not own
charges, which are a practice's own prices, nor rounding (``billing.money``). An unknown amount is
None, never zero.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import lru_cache

from billing.days import day_number
from billing.money import Cents, round_to_cents
from billing.rules.fields import Table, open_document
from billing.rules.references import (
    References,
    read_source,
    read_status,
    shipped_paths,
    shipped_references,
    shipped_text,
)
from billing.rules.ruleset import Amount


def read_amounts(text: str, name: str, references: References) -> tuple[Amount, ...]:
    """One file of amounts: ``[[rvu]]`` tables with the file's factor, or ``[[printed]]`` dollars.

    Raises RuleError with file, line and reason; also when a total is not the sum of its parts.
    """
    top = open_document(text, name)
    from_day, to_day = top.take("from_day", date), top.take("to_day", date)
    if to_day < from_day:
        raise top.place.error("lies before from_day", "to_day")
    frame = Amount(
        code="",
        from_day=from_day,
        to_day=to_day,
        cents=0,
        facility_cents=None,
        rvu=None,
        facility_rvu=None,
        factor=top.maybe("factor", Decimal),
        status=read_status(top),
        source=read_source(top, references.sources),
    )
    amounts = (*_computed(top, frame, references), *_printed(top, frame, references))
    top.finish()
    if len({amount.code for amount in amounts}) != len(amounts):
        raise top.place.error("gives a code twice")
    return amounts


def _computed(top: Table, frame: Amount, references: References) -> Iterator[Amount]:
    for one in top.each("rvu"):
        if frame.factor is None:
            raise top.place.error("is missing", "factor")
        code = one.word("code", references.codes)
        work, malpractice = one.take("work", Decimal), one.take("malpractice", Decimal)
        rvu = work + malpractice + one.take("practice", Decimal)
        facility_rvu = work + malpractice + one.take("practice_facility", Decimal)
        if one.take("total", Decimal) != rvu:
            raise one.place.error("is not the sum of work, practice and malpractice", "total")
        one.finish()
        yield replace(
            frame,
            code=code,
            rvu=rvu,
            facility_rvu=facility_rvu,
            cents=round_to_cents(rvu * frame.factor),
            facility_cents=round_to_cents(facility_rvu * frame.factor),
        )


def _printed(top: Table, frame: Amount, references: References) -> Iterator[Amount]:
    for one in top.each("printed"):
        code = one.word("code", references.codes)
        cents = round_to_cents(one.take("dollars", Decimal))
        note = one.maybe("note", str) or frame.source.note
        one.finish()
        if cents <= 0:
            raise one.place.error("must be more than zero", "dollars")
        yield replace(frame, code=code, cents=cents, source=replace(frame.source, note=note))


def shipped_amount_paths() -> tuple[str, ...]:
    """Paths of the shipped amounts below the data folder, in order."""
    return shipped_paths("amounts")


@lru_cache(maxsize=1)
def shipped_amounts() -> tuple[Amount, ...]:
    """Every shipped amount, by code and first day."""
    amounts: list[Amount] = []
    for path in shipped_amount_paths():
        amounts.extend(read_amounts(shipped_text(path), path, shipped_references()))
    return tuple(sorted(amounts, key=lambda amount: (amount.code, amount.from_day)))


@lru_cache(maxsize=1)
def _by_code() -> Mapping[str, tuple[Amount, ...]]:
    found: dict[str, list[Amount]] = {}
    for amount_ in shipped_amounts():
        found.setdefault(amount_.code, []).append(amount_)
    return {code: tuple(amounts) for code, amounts in found.items()}


def amount(code: str, service_day: int, *, facility: bool) -> Amount | None:
    """The schedule's entry for a code on a service day (day number); None when unknown.

    For a facility only an entry that has a facility figure is an answer. ``cents_of`` takes the
    figure out.
    """
    for one in _by_code().get(code, ()):
        if day_number(one.from_day) <= service_day <= day_number(one.to_day):
            return None if facility and one.facility_cents is None else one
    return None


def cents_of(entry: Amount, *, facility: bool) -> Cents | None:
    """The cents for one unit, in a facility or not; None when the schedule has no such figure."""
    return entry.facility_cents if facility else entry.cents
