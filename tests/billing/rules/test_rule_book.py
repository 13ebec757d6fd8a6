"""The book answers payer, service day and known day with one joined page, or an error."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from threading import Barrier
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.days import day_number
from billing.rules.book import NoRuleError, RuleBook, shipped_book
from billing.rules.fields import RuleError
from billing.rules.join import join
from billing.rules.profile import Anchor, SupplyServiceDay
from billing.rules.read import read_page
from billing.rules.ruleset import RuleSet

PAYERS = [
    "MEDICARE_B",
    "MA_UNITEDHEALTHCARE",
    "COM_UNITEDHEALTHCARE",
    "MCD_UNITEDHEALTHCARE",
    "MA_GENERIC",
    "MCD_FL",
    "MCD_NY",
    "MCD_TX",
    "MCD_CA",
    "MCD_NC",
    "COM_BCBS_MS",
    "COM_CIGNA",
    "COM_ANTHEM",
    "COM_AETNA",
    "COM_GENERIC",
    "COM_GENERIC_PRE2026_CODESET",
]


def number(text: str) -> int:
    """The day number of a date."""
    return day_number(date.fromisoformat(text))


NOW = number("2026-11-23")

OVERRIDE = """\
id = "ours-setup-16"
title = "Set-up after 16 days, as our contractor reads it"
payer = "MEDICARE_B"
extends = "medicare-b-2026"
effective_from = 2026-01-01
known_from = 2026-03-15
status = "CONFLICT"
source = ["S39r"]

[[ladder]]
name = "setup"
role = "setup"
programs = ["RPM"]
period = "device-supply-30"
measure = "device_days"
needs = ["consent", "order", "established"]
status = "CONFLICT"
source = ["S39r"]

[[ladder.band]]
at_least = 16
lines = [{ code = "99453" }]
status = "CONFLICT"
source = ["S39r"]
"""


def page_of(text: str):
    """A practice's page from its text."""
    return read_page(text, "ours.toml", shipped_book().references)


def setup_days(book: RuleBook, payer: str, day: str, known: str) -> int:
    """The days set-up needs by the page in force."""
    page = book.page(payer, number(day), number(known))
    ladder = next(one for one in page.ladders if one.name == "setup")
    return ladder.bands[0].at_least


def test_every_payer_of_the_reference_has_a_page():
    """The shipped payers are the keys of the case files, no more and no fewer."""
    assert sorted(shipped_book().payers) == sorted(PAYERS)


@pytest.mark.parametrize(
    ("day", "page_id"),
    [
        ("2019-01-01", "medicare-b-2019"),
        ("2019-12-31", "medicare-b-2019"),
        ("2020-01-01", "medicare-b-2020"),
        ("2021-12-31", "medicare-b-2020"),
        ("2022-01-01", "medicare-b-2022"),
        ("2023-12-31", "medicare-b-2022"),
        ("2024-01-01", "medicare-b-2024"),
        ("2024-12-31", "medicare-b-2024"),
        ("2025-01-01", "medicare-b-2025"),
        ("2025-12-31", "medicare-b-2025"),
        ("2026-01-01", "medicare-b-2026"),
        ("2026-11-23", "medicare-b-2026"),
    ],
)
def test_the_page_changes_on_its_first_service_day(day, page_id):
    """Both ends of each page's service days are judged by that page."""
    assert shipped_book().page("MEDICARE_B", number(day), NOW).id == page_id
    joined = shipped_book().page("COM_CIGNA", number(day), NOW)
    assert joined.id == f"com-cigna+{page_id}"
    assert joined.payer == "COM_CIGNA"


@pytest.mark.parametrize(
    ("payer", "day"), [("NOBODY", "2026-01-01"), ("MEDICARE_B", "2018-12-31"), ("", "2026-01-01")]
)
def test_no_page_in_force_is_an_error_that_names_payer_and_day(payer, day):
    """An unknown payer or a day before the first page never gets a default."""
    with pytest.raises(NoRuleError, match=day) as missing:
        shipped_book().page(payer, number(day), NOW)
    assert (missing.value.payer, missing.value.day) == (payer, number(day))
    assert "99454" in str(NoRuleError(payer, number(day), "99454"))


def test_a_rule_judges_only_once_it_is_known():
    """Before the day its text became public, the page of 2025 goes on: its end was not known."""
    day = number("2026-01-15")
    assert shipped_book().page("MEDICARE_B", day, number("2025-11-03")).id == "medicare-b-2026"
    assert shipped_book().page("MEDICARE_B", day, number("2025-11-02")).id == "medicare-b-2025"
    runs = shipped_book().pages_for("COM_CIGNA", day - 30, day, number("2025-11-02"))
    assert [page.id for _, _, page in runs] == ["com-cigna+medicare-b-2025"]


def test_a_later_known_page_judges_from_the_day_it_is_known():
    """A practice's page wins over the shipped one for known days on or after its own."""
    book = shipped_book().with_pages([page_of(OVERRIDE)])
    assert setup_days(book, "MEDICARE_B", "2026-02-01", "2026-03-14") == 2
    assert setup_days(book, "MEDICARE_B", "2026-02-01", "2026-03-15") == 16
    assert setup_days(shipped_book(), "MEDICARE_B", "2026-02-01", "2026-11-23") == 2


def test_payers_that_extend_a_payer_follow_its_override():
    """A page that extends Medicare is joined with the Medicare page in force and known."""
    book = shipped_book().with_pages([page_of(OVERRIDE)])
    assert setup_days(book, "COM_CIGNA", "2026-02-01", "2026-03-14") == 2
    assert setup_days(book, "COM_CIGNA", "2026-02-01", "2026-03-15") == 16
    assert book.page("COM_CIGNA", number("2026-02-01"), NOW).id == "com-cigna+ours-setup-16"


def test_joining_replaces_ladders_by_name_and_adds_the_other_tables():
    """The override keeps every other ladder and clause of the page it extends."""
    base = shipped_book().page("MEDICARE_B", number("2026-02-01"), NOW)
    book = shipped_book().with_pages([page_of(OVERRIDE)])
    joined = book.page("MEDICARE_B", number("2026-02-01"), NOW)
    assert [one.name for one in joined.ladders] == [one.name for one in base.ladders]
    assert [one for one in joined.ladders if one.name != "setup"] == [
        one for one in base.ladders if one.name != "setup"
    ]
    assert joined.exclusions == base.exclusions
    assert joined.em_codes == base.em_codes
    assert joined.digest != base.digest
    cigna = shipped_book().page("COM_CIGNA", number("2026-02-01"), NOW)
    assert cigna.notices[: len(base.notices)] == base.notices
    assert cigna.notices[-1].finding == "W_PAYER_RULE_RECHECK"


def test_a_lookup_gives_the_same_object_for_the_same_page():
    """Callers may group by the page they get."""
    book = shipped_book()
    first = book.page("COM_AETNA", number("2026-02-01"), NOW)
    assert book.page("COM_AETNA", number("2026-05-01"), NOW) is first
    assert shipped_book() is book


def test_a_joined_page_is_found_again_by_the_id_that_outcomes_carry():
    """The id of a judged line leads back to exactly the page that judged it."""
    book = shipped_book()
    for payer in book.payers:
        for _, _, page in book.pages_for(payer, number("2019-01-01"), NOW, NOW):
            assert book.joined(page.id) is page
    assert book.joined("com-cigna").extends == "MEDICARE_B"
    for unknown in ("nothing", "com-cigna+nothing", "com-cigna+mcd-ny"):
        with pytest.raises(KeyError):
            book.joined(unknown)


DAYS = st.integers(number("2018-01-01"), number("2028-01-01"))


@given(payer=st.sampled_from([*PAYERS, "NOBODY"]), days=st.tuples(DAYS, DAYS, DAYS), known=DAYS)
def test_runs_and_single_lookups_agree(payer, days, known):
    """A day lies in a run exactly when a single lookup finds the same page for it."""
    book = shipped_book()
    first, day, last = sorted(days)
    runs = book.pages_for(payer, first, last, known)
    assert all(
        first <= from_day <= to_day <= last and (i == 0 or runs[i - 1][1] < from_day)
        for i, (from_day, to_day, _) in enumerate(runs)
    )
    found = [page for from_day, to_day, page in runs if from_day <= day <= to_day]
    if found:
        assert book.page(payer, day, known) is found[0]
    else:
        with pytest.raises(NoRuleError):
            book.page(payer, day, known)


def test_pages_that_do_not_fit_the_book_are_refused():
    """A repeated id, colliding days, a page extended that is not there, and a circle."""
    book, page = shipped_book(), page_of(OVERRIDE)
    with pytest.raises(RuleError, match="have this id"):
        book.with_pages([page, page])
    with pytest.raises(RuleError, match="became known the same day"):
        book.with_pages([page, replace(page, id="ours-again")])
    with pytest.raises(RuleError, match="neither page nor payer"):
        book.with_pages([replace(page, extends="medicare-b-1999")])
    with pytest.raises(RuleError, match="leads back to itself"):
        book.with_pages(
            [
                replace(page, id="one", payer="ONE", extends="TWO"),
                replace(page, id="two", payer="TWO", extends="ONE"),
            ]
        )
    later = replace(page, id="ours-later", known_from=date(2026, 6, 1))
    assert len(book.with_pages([page, later]).pages) == len(book.pages) + 2


def test_profiles_are_the_readings_of_the_reference():
    """Four profiles with the strategies of section 14 and of the case files."""
    book = shipped_book()
    found = {
        name: (one.profile.anchor, one.profile.supply_service_day)
        for name, one in book.profiles.items()
    }
    assert found == {
        "P0": (Anchor.FIRST_READING, SupplyServiceDay.WINDOW_END),
        "NGS": (Anchor.PREVIOUS_SERVICE_DAY, SupplyServiceDay.LAST_READING),
        "THRESHOLD": (Anchor.FIRST_READING, SupplyServiceDay.THRESHOLD_DAY),
        "LAST_READING": (Anchor.FIRST_READING, SupplyServiceDay.LAST_READING),
    }
    for name in found:
        assert book.profile(name).em_day_exclusion
        assert book.profile(name).mue_cap
        assert book.profile(name).source
    with pytest.raises(KeyError):
        book.profile("P9")


def test_threads_share_the_joined_pages_of_a_book(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads that join the same page at once get one page: its identity tells it apart."""
    meeting = Barrier(2, timeout=5)

    def join_together(*arguments: Any) -> RuleSet:
        meeting.wait()
        return join(*arguments)

    shipped = shipped_book()
    book = RuleBook(shipped.pages, shipped.profiles.values(), shipped.references)
    monkeypatch.setattr("billing.rules.book.join", join_together)

    def page(_: int) -> RuleSet:
        return book.page("COM_AETNA", NOW, NOW)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(page, range(2))
    assert first is second
