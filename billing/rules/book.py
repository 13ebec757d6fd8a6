"""RuleBook: payer, service day and known day -> one fully joined RuleSet, or an error.

Owns the choice between pages. Does not own their reading (``read``), their joining with what they
``extends`` (``join``) nor their use (``billing.ledger``). There is no default page.

``extends`` names either a page id (lower case) or a payer (upper case); of a payer, the page in
force on the service day and known on the known day is taken. What joining does stands in ``join``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

from billing.days import FAR_DAY, day_date, day_number
from billing.rules.edits import Edits, EditTables, LoadedTable
from billing.rules.fees import NATIONAL, FeeSchedules
from billing.rules.fields import RuleError
from billing.rules.join import join
from billing.rules.pairs import shipped_editions
from billing.rules.profile import Profile
from billing.rules.profiles import ShippedProfile, read_profiles
from billing.rules.read import digest_of, read_page
from billing.rules.references import References, shipped_paths, shipped_references, shipped_text
from billing.rules.ruleset import Code, RuleSet


class NoRuleError(LookupError):
    """No page in force: names the payer, the day (a day number) and, where known, the code."""

    def __init__(self, payer: str, day: int, code: str | None = None) -> None:
        about = f" for code {code}" if code else ""
        super().__init__(f"no rule in force for payer {payer} on {day_date(day)}{about}")
        self.payer = payer
        self.day = day
        self.code = code


class RuleBook:
    """Pages of many payers. Lookups return the same object for the same joined page."""

    def __init__(
        self,
        pages: Iterable[RuleSet],
        profiles: Iterable[ShippedProfile],
        references: References,
        tables: Sequence[LoadedTable] = (),
        locality: str = NATIONAL,
    ) -> None:
        self.tables = tuple(tables)
        self.fees = FeeSchedules(tables, locality)
        self.edits = EditTables(tables, shipped_editions()[-1].effective_day)
        self._dressed: dict[tuple[str, str], RuleSet] = {}
        self._codes: dict[str, dict[str, Code]] = {}
        self.pages = tuple(sorted(pages, key=lambda page: (page.payer, page.effective_from)))
        self.profiles = {one.profile.name: one for one in profiles}
        self.references = references
        self._by_id = {page.id: page for page in self.pages}
        self._by_payer: dict[str, list[RuleSet]] = {}
        self._joined: dict[tuple[str, str], RuleSet] = {}
        for page in self.pages:
            self._by_payer.setdefault(page.payer, []).append(page)
        self._check()

    @property
    def payers(self) -> tuple[str, ...]:
        """The payers that have a page, in order of their names."""
        return tuple(self._by_payer)

    def profile(self, name: str) -> Profile:
        """The shipped reading of the open questions by its name; KeyError for another."""
        return self.profiles[name].profile

    def with_pages(self, pages: Iterable[RuleSet]) -> "RuleBook":
        """A book with a practice's own pages added; RuleError when they do not fit."""
        return self._changed((*self.pages, *pages), self.tables, self.fees.locality)

    def with_tables(self, tables: Iterable[LoadedTable], locality: str | None = None) -> "RuleBook":
        """A book with the tables that a practice loaded, in order of loading, and its locality."""
        return self._changed(self.pages, (*self.tables, *tables), locality or self.fees.locality)

    def _changed(
        self, pages: Iterable[RuleSet], tables: Sequence[LoadedTable], locality: str
    ) -> "RuleBook":
        return RuleBook(pages, self.profiles.values(), self.references, tables, locality)

    def page(self, payer: str, service_day: int, known_day: int) -> RuleSet:
        """The joined page that judges a service day (day number), as known on ``known_day``.

        Among pages in force and known, the one that became known last judges. Raises NoRuleError
        when the payer is unknown or has no such page.
        """
        found = self._in_force(payer, service_day, known_day)
        if found is None:
            raise NoRuleError(payer, service_day)
        joined = self.resolved(found, service_day, known_day)
        if joined is None:
            raise NoRuleError(payer, service_day)
        return joined

    def joined(self, page_id: str) -> RuleSet:
        """The page of an id as outcomes carry it: ``page`` or, of a payer's page, ``page+base``.

        Under tables that the practice loaded, ``@`` and their quarter follow. A payer's page asked
        for without its base is given alone. KeyError for an unknown id.
        """
        page_id, _, quarter = page_id.partition("@")
        if quarter:
            edits = self.edits.of_quarter(quarter)
            if edits is None:
                raise KeyError(page_id)
            return self._under(self.joined(page_id), edits)
        name, _, base_id = page_id.partition("+")
        page = self._by_id[name]
        base = self._by_id[base_id] if base_id else page
        day = max(day_number(page.effective_from), day_number(base.effective_from))
        found = self._resolve(page, day, day_number(max(page.known_from, base.known_from)))
        if found is not None and found.id == page_id:
            return found
        if base_id:
            raise KeyError(page_id)
        return page

    def resolved(self, page: RuleSet, service_day: int, known_day: int) -> RuleSet | None:
        """A page of this book as it judges a day; None where what it extends has no page then."""
        joined = self._resolve(page, service_day, known_day)
        edits = self.edits.on(service_day)
        return joined if joined is None or edits is None else self._under(joined, edits)

    def _under(self, page: RuleSet, edits: Edits) -> RuleSet:
        """A joined page with the limits, add-ons and pairs of loaded tables.

        Codes that a page describes itself keep what it says of them.
        """
        key = (page.id, edits.quarter)
        if key not in self._dressed:
            shipped = self.references.codes
            if edits.quarter not in self._codes:
                self._codes.setdefault(edits.quarter, edits.codes(shipped))
            codes = {
                name: self._codes[edits.quarter][name] if shipped.get(name) == code else code
                for name, code in page.codes.items()
            }
            under = replace(page, id=f"{page.id}@{edits.quarter}", codes=codes, edits=edits)
            self._dressed.setdefault(key, replace(under, digest=digest_of(under)))
        return self._dressed[key]

    def pages_for(
        self, payer: str, first_day: int, last_day: int, known_day: int
    ) -> list[tuple[int, int, RuleSet]]:
        """Runs (from_day, to_day, page) inside the given days, in order, both ends included.

        A day in no run has no rule: none of an unknown payer has one. Nothing is raised.
        """
        cuts = {first_day, last_day + 1, *self.edits.first_days}
        for page in self.pages:
            cuts.add(day_number(page.effective_from))
            cuts.add(_last_day(page) + 1)
        ordered = sorted(cut for cut in cuts if first_day <= cut <= last_day + 1)
        runs: list[tuple[int, int, RuleSet]] = []
        for from_day, next_day in pairwise(ordered):
            found = self._in_force(payer, from_day, known_day)
            joined = self.resolved(found, from_day, known_day) if found else None
            if joined is None:
                continue
            if runs and runs[-1][2] is joined and runs[-1][1] == from_day - 1:
                runs[-1] = (runs[-1][0], next_day - 1, joined)
            else:
                runs.append((from_day, next_day - 1, joined))
        return runs

    def _in_force(self, payer: str, service_day: int, known_day: int) -> RuleSet | None:
        found: RuleSet | None = None
        for page in self._by_payer.get(payer, ()):
            if day_number(page.known_from) > known_day:
                continue
            in_force = day_number(page.effective_from) <= service_day
            if not in_force or service_day > self._last_day_as_known(page, known_day):
                continue
            if found is None or page.known_from > found.known_from:
                found = page
        return found

    def _last_day_as_known(self, page: RuleSet, known_day: int) -> int:
        """The last day of a page; open while the page that follows it is not known yet.

        That a page ends is known only from the one that replaces it: in December, before next
        year's rule is out, a window that ends in January is judged by the rule that holds.
        """
        last_day = _last_day(page)
        follows = [
            other
            for other in self._by_payer[page.payer]
            if day_number(other.effective_from) == last_day + 1
        ]
        unknown = follows and all(day_number(one.known_from) > known_day for one in follows)
        return FAR_DAY - 1 if unknown else last_day

    def _resolve(self, page: RuleSet, service_day: int, known_day: int) -> RuleSet | None:
        if page.extends is None:
            return page
        extended = self._by_id.get(page.extends)
        if extended is None:
            extended = self._in_force(page.extends, service_day, known_day)
        if extended is None:
            return None
        base = self._resolve(extended, service_day, known_day)
        if base is None:
            return None
        key = (page.id, base.id)
        if key not in self._joined:
            # threads share a book: whoever comes second takes the page of the first
            self._joined.setdefault(key, join(page, base, self.references))
        return self._joined[key]

    def _check(self) -> None:
        seen: set[str] = set()
        for page in self.pages:
            if page.id in seen:
                raise RuleError(page.id, 1, "two pages have this id")
            seen.add(page.id)
            if page.extends is not None and not self._extended(page.extends):
                raise RuleError(page.id, 1, f"extends: {page.extends!r} is neither page nor payer")
        for page in self.pages:
            self._check_cycle(page)
        for pages in self._by_payer.values():
            _check_collisions(pages)

    def _extended(self, name: str) -> list[RuleSet]:
        return [self._by_id[name]] if name in self._by_id else self._by_payer.get(name, [])

    def _check_cycle(self, page: RuleSet) -> None:
        waiting, seen = [page], {page.id}
        while waiting:
            target = waiting.pop().extends
            if target is None:
                continue
            for one in self._extended(target):
                if one.id == page.id:
                    raise RuleError(page.id, 1, "extends: the page leads back to itself")
                if one.id not in seen:
                    seen.add(one.id)
                    waiting.append(one)


def _last_day(page: RuleSet) -> int:
    return FAR_DAY - 1 if page.effective_to is None else day_number(page.effective_to)


def _check_collisions(pages: list[RuleSet]) -> None:
    for position, page in enumerate(pages):
        for other in pages[position + 1 :]:
            if (
                other.known_from == page.known_from
                and day_number(other.effective_from) <= _last_day(page)
                and day_number(page.effective_from) <= _last_day(other)
            ):
                reason = f"covers service days of {page.id} and became known the same day"
                raise RuleError(other.id, 1, reason)


@lru_cache(maxsize=1)
def shipped_book() -> RuleBook:
    """The book of the shipped pages; read once."""
    references = shipped_references()
    pages = [read_page(shipped_text(path), path, references) for path in shipped_page_paths()]
    text = shipped_text("profiles.toml")
    return RuleBook(pages, read_profiles(text, "profiles.toml", references), references)


def shipped_page_paths() -> tuple[str, ...]:
    """Paths of the shipped pages below the data folder, in order."""
    return shipped_paths("pages")
