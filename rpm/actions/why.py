"""Why a patient's month bills what it does: facts loaded, the ledger asked, the answer with ids.

Owns the loading, the notes on empty answers and the words for the answer about a code. Does not own
the calculation (``billing.ledger.why``). Changes nothing.
"""

from collections.abc import Iterator
from datetime import date
from uuid import UUID

from sqlmodel import Session

from billing.days import day_date, day_number
from billing.ledger.why import why
from billing.ledger.why_told import CodeWhy, PeriodWhy, Why
from rpm.access import Actor, require
from rpm.actions.command import Command, Month, ProcedureCode
from rpm.actions.seen_from import SeenFrom
from rpm.actions.why_answer import CodeTold, LadderTold, MonthWhy, MoreTold
from rpm.actions.why_words import WithIds, amount_words, lines_words, more_words, reach_words
from rpm.store.facts import LoadedFacts, facts_of
from rpm.store.rule_books import book_of
from rpm.store.scope import Scope
from rpm.store.tables.people import Patient


class AskWhy(Command):
    """Which month, and which code if one is asked for."""

    month: Month
    code: ProcedureCode | None = None

    @property
    def month_start_day(self) -> date:
        """The first day of the month."""
        return date.fromisoformat(f"{self.month}-01")


def why_month(
    db: Session, actor: Actor, patient_id: UUID, asked: AskWhy, seen: SeenFrom
) -> MonthWhy:
    """The month as facts and rules were seen; ``NotFound`` for a patient that is not there."""
    require(actor, "ledger:read")
    scope = Scope.of(actor)
    scope.get(db, Patient, patient_id)
    book = book_of(db, scope.organization_id, seen.until_audit_number)
    loaded = facts_of(
        db,
        scope.organization_id,
        book,
        patients=[patient_id],
        until_audit_number=seen.until_audit_number,
    )
    found = why(loaded.facts, book, seen.as_of, seen.known_day, asked.month_start_day, asked.code)
    told = WithIds(loaded.episode_ids)
    periods = [told.period(one) for one in found.periods]
    return MonthWhy(
        patient_id=patient_id,
        month=asked.month,
        as_of=seen.as_of,
        known_day=seen.known_day,
        known_audit_number=seen.until_audit_number,
        notes=list(_notes(loaded, found, asked, seen)),
        periods=periods,
        left_out=[told.left_out(one) for one in found.left_out],
        services=[told.service(one) for one in found.services],
        asked=None
        if found.asked is None
        else _answer(told, found, found.asked, [one.ladders for one in periods]),
    )


def _notes(loaded: LoadedFacts, found: Why, asked: AskWhy, seen: SeenFrom) -> Iterator[str]:
    if not loaded.episode_ids:
        yield "The patient is in no program: no episode is on file."
        return
    if day_number(asked.month_start_day) > day_number(seen.as_of):
        yield "The month has not begun."
    elif not found.periods:
        yield "The patient was in no program in this month."
    yield from dict.fromkeys(note for one in found.periods for note in _period_notes(one))


def _period_notes(period: PeriodWhy) -> Iterator[str]:
    if period.rules is not None or period.service_day is None:
        return
    day = day_date(period.service_day)
    if period.payer:
        yield f"No rule page of {period.payer} is in force on {day}, so nothing is computed."
    else:
        yield f"No coverage is on file on {day}, so no rule can be chosen."


def _answer(told: WithIds, found: Why, asked: CodeWhy, ladders: list[list[LadderTold]]) -> CodeTold:
    takes = None if asked.takes is None else told.more(asked.takes)
    label = next(
        (
            one.rules.codes[asked.code].label
            for one in found.periods
            if one.rules is not None and asked.code in one.rules.codes
        ),
        "",
    )
    lines = [told.line(one) for one in asked.lines]
    sentences = [f"Billed: {lines_words(lines)}."]
    if asked.state == "unknown":
        sentences = [_unknown(found, asked.code)]
    elif asked.state == "not_billed":
        on = [(found.periods[at], ladders[at][position]) for at, position in asked.on]
        sentences = list(_not_billed(asked, on, takes))
    return CodeTold(
        code=asked.code,
        label=label,
        state=asked.state,
        lines=lines,
        sentences=sentences,
        takes=takes,
    )


def _unknown(found: Why, code: str) -> str:
    pages = sorted({one.rules.id for one in found.periods if one.rules is not None})
    if not pages:
        return f"Nothing can be told of {code}: no rule page judges this month."
    named = f"page {pages[0]}" if len(pages) == 1 else f"pages {', '.join(pages)}"
    return f"No ladder of {named} earns {code} for this patient."


def _not_billed(
    asked: CodeWhy, on: list[tuple[PeriodWhy, LadderTold]], takes: MoreTold | None
) -> Iterator[str]:
    for period, ladder in on:
        start = "" if period.start_day is None else f" from {day_date(period.start_day)}"
        kind = "month" if period.kind == "calendar-month" else "window"
        has = f"the {kind}{start} has {amount_words(ladder.amount, ladder.unit)}"
        reasons = ladder.not_billed_because
        if ladder.billed:
            reasons = [f"It leaves {lines_words(ladder.billed)} instead."]
        yield f"Not billed: {has}. {' '.join(reasons)}"
    if takes is None:
        if asked.short and not asked.above:
            yield "More would not bring it while this stands in the way."
        return
    yield f"It would take {more_words(takes)}: {reach_words(takes)}."
