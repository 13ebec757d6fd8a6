"""A page on trial: a book as it would be with a page that nobody activated yet.

Owns how a changed page takes the place of another for a trial, and what a page must not leave
behind when it joins a book. Does not own the reading of pages (``read``) nor the calculation.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from billing.days import FAR_DAY, day_date, day_number
from billing.rules.book import RuleBook
from billing.rules.fields import Place, RuleError
from billing.rules.ruleset import RuleSet


@dataclass(frozen=True)
class Trial:
    """The book with the changed page, and the day from which both books are to be asked.

    ``replaced`` and ``changed`` are joined with what they extend, for a look side by side.
    """

    book: RuleBook
    known: date
    replaced: RuleSet
    changed: RuleSet


def try_page(book: RuleBook, page_id: str, page: RuleSet, today: date) -> Trial:
    """A book in which ``page`` judges its service days in the place of the page of an id.

    Where the changed page covers no service day of the other, the other goes on judging. The
    trial page is taken as the one that became known last, whatever day it names: it is asked
    about before that day has come. KeyError when the book has no page of the id; RuleError when
    the page is of another payer or extends nothing the book has.
    """
    old = next((one for one in book.pages if one.id == page_id.partition("+")[0]), None)
    if old is None:
        raise KeyError(page_id)
    if page.payer != old.payer:
        raise RuleError(page.id, 1, f"payer: it is of another payer than {old.id}")
    known = max(
        today,
        page.known_from,
        *(one.known_from + timedelta(days=1) for one in book.pages if one.payer == page.payer),
    )
    trial = replace(page, id=_free_id(book, page.id), known_from=known)
    with_page = book.with_pages([trial])
    return Trial(
        with_page, known, _seen(with_page, old, today, known), _seen(with_page, trial, today, known)
    )


def _free_id(book: RuleBook, wanted: str) -> str:
    taken = {page.id for page in book.pages}
    return f"{wanted}.changed" if wanted in taken else wanted


def _seen(book: RuleBook, page: RuleSet, today: date, known: date) -> RuleSet:
    """The page joined with what it extends today, or on the day it covers that is nearest."""
    day = max(today, page.effective_from)
    day = day if page.effective_to is None else min(day, page.effective_to)
    return book.resolved(page, day_number(day), day_number(known)) or page


def check_fit(book: RuleBook, page: RuleSet, file: str, text: str) -> None:
    """Refuse a page that does not fit the book, or would leave days of its payer without a rule.

    Days before the payer's first and after its last page are no gap; days between, and days on
    which there is nothing to extend, are. RuleError names the file and the line.
    """
    place = Place(file, text)
    try:
        joined = book.with_pages([page])
    except RuleError as error:
        key = next((key for word, key in _KEYS.items() if word in error.reason), None)
        about = "" if error.file == page.id else f"{error.file} "
        raise RuleError(file, place.line_of(key), f"{about}{error.reason}") from error
    known_day = max(day_number(one.known_from) for one in joined.pages)
    known = set(_uncovered(book, page.payer, known_day))
    for first, last in _uncovered(joined, page.payer, known_day):
        if (first, last) not in known:
            until = "on" if last >= FAR_DAY - 1 else f"to {day_date(last)}"
            after = page.effective_to is not None and first > day_number(page.effective_to)
            raise place.error(
                f"service days from {day_date(first)} {until} would have no rule",
                "effective_to" if after else "effective_from",
            )


_KEYS = {"extends": "extends", "this id": "id", "known the same day": "known_from"}
"""The key of a page that each of the book's refusals is about."""


def _uncovered(book: RuleBook, payer: str, known_day: int) -> Iterator[tuple[int, int]]:
    """Runs of days, between the payer's first and last, that no page judges."""
    pages = [page for page in book.pages if page.payer == payer]
    if not pages:
        return
    day = min(day_number(page.effective_from) for page in pages)
    ends = [page.effective_to for page in pages]
    last = FAR_DAY - 1 if None in ends else max(day_number(one) for one in ends if one)
    for from_day, to_day, _ in book.pages_for(payer, day, last, known_day):
        if from_day > day:
            yield day, from_day - 1
        day = to_day + 1
    if day <= last:
        yield day, last
