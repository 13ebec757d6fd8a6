"""Pages that lead into a circle, end without another, or say half; amounts that are not known."""

from dataclasses import replace
from datetime import date

import pytest
from cms_tables import RVU_NAME, addons, lines, rvu

from billing.days import day_number
from billing.rules.amounts import shipped_amounts
from billing.rules.book import shipped_book
from billing.rules.cms_sheet import NotATableError
from billing.rules.fee_files import read_fees
from billing.rules.fees import AMOUNT_UNKNOWN, FeeSchedules
from billing.rules.fields import RuleError
from billing.rules.ncci_files import read_ncci
from billing.rules.page_diff import page_differences
from billing.rules.read import read_page
from billing.rules.references import shipped_text

OF_2026 = next(one for one in shipped_book().pages if one.id == "medicare-b-2026")
TODAY = date(2026, 11, 1)
KNOWN_ON = 99_999


def test_a_page_that_leads_into_a_circle() -> None:
    """A page that extends two others which extend each other: the circle is refused, not walked."""
    names = {"own-1": "own-2", "own-2": "own-3", "own-3": "own-2"}
    pages = [replace(OF_2026, id=one, payer=one, extends=other) for one, other in names.items()]
    with pytest.raises(RuleError, match="own-2, line 1: extends: the page leads back to itself"):
        shipped_book().with_pages(pages)


def test_two_pages_that_became_known_the_same_day() -> None:
    """Neither could go before the other: the later one is refused at its first line."""
    pages = [replace(OF_2026, id=one, payer="OWN") for one in ("own-1", "own-2")]
    with pytest.raises(RuleError, match=r"^own-2, line 1: covers service days of own-1"):
        shipped_book().with_pages(pages)


def test_the_last_page_of_a_payer_ends_on_its_day() -> None:
    """Where nothing follows, days after the last one have no rule."""
    ends = date(2026, 3, 31)
    book = shipped_book().with_pages([replace(OF_2026, id="own", payer="OWN", effective_to=ends)])
    first, last = day_number(date(2026, 3, 1)), day_number(ends)
    assert [run[:2] for run in book.pages_for("OWN", first, last + 30, KNOWN_ON)] == [(first, last)]


@pytest.mark.parametrize("day", ["from_day = 2020-03-01", "to_day = 2023-05-11"])
def test_a_relaxation_without_one_of_its_days(day: str) -> None:
    """Fewer days suffice in a run of dates only: a missing end is named."""
    relaxed = shipped_text("pages/medicare-b-2020.toml")
    cut = relaxed.replace(f"{day}\n", "", 1)
    assert cut != relaxed
    with pytest.raises(RuleError, match=f"relaxation.*{day.split()[0]}: is missing"):
        read_page(cut, "own.toml", shipped_book().references)


def test_a_page_that_begins_on_another_day_differs() -> None:
    """The service days of a page are told among what it says otherwise."""
    moved = replace(OF_2026, effective_from=date(2026, 2, 1))
    assert list(page_differences(OF_2026, moved)) == [
        "- service days from 2026-01-01",
        "+ service days from 2026-02-01",
    ]


def test_no_facility_figure_is_no_amount() -> None:
    """A code that no schedule prices at a facility is unknown there, and never zero."""
    one = next(one for one in shipped_amounts() if one.facility_cents is None)
    found = FeeSchedules((), "national").priced(one.code, 1, day_number(one.from_day), place=22)
    assert found == (None, AMOUNT_UNKNOWN)


def test_the_file_of_qualifying_participants_is_not_taken() -> None:
    """Its factor is another one: it is refused as a whole, at its first line."""
    units = rvu(("99457", "0.61", "0.90", "0.14", "0.04"))
    name = RVU_NAME.replace("nonQPP", "QPP")
    with pytest.raises(NotATableError, match="line 1: of the factor of qualifying participants"):
        read_fees(name, lines(units), "0", shipped_book().references.codes, None)


def test_a_base_code_of_next_year_is_no_base_yet() -> None:
    """An add-on attaches to what its table tells of the first day of the quarter."""
    known = shipped_book().references.codes
    rows = addons(("99489", "99484", "2017001", ""), ("99489", "99487", "2027001", ""))
    table = read_ncci("x.txt", lines(rows), "0", known, known, "2026Q4")
    page = shipped_book().with_tables([table]).page("MEDICARE_B", day_number(TODAY), KNOWN_ON)
    assert page.codes["99489"].addon_to == "99484"
