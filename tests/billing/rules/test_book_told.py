"""Pages and loaded tables told word for word, and documents refused by file and line."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from cms_tables import GPCI_NAME, RVU_NAME, addons, gpci, lines, mue, ptp, rvu

from billing.days import day_number
from billing.rules.book import RuleBook, shipped_book
from billing.rules.fee_files import read_fees
from billing.rules.fees import FeeSchedules
from billing.rules.fields import RuleError, open_document
from billing.rules.ncci_files import read_ncci
from billing.rules.references import shipped_text
from billing.rules.text import show_rules
from billing.rules.trial import check_fit

TEXTS = Path(__file__).parent / "texts"
KNOWN = shipped_book().references.codes
PAGE = shipped_text("pages/medicare-b-2026.toml")
OF_2026 = next(one for one in shipped_book().pages if one.id == "medicare-b-2026")


def with_tables() -> RuleBook:
    """A book with one table of each kind."""
    edits = [
        ptp(("99453", "99091", "20200101", "*", "1")),
        mue(("99458", "2", "3")),
        addons(("99458", "99457", "2020001", ""), ("99458", "99487", "2027001", "")),
    ]
    loaded = [read_ncci("x.txt", lines(rows), "0", KNOWN, KNOWN, "2026Q4") for rows in edits]
    units = rvu(("99457", "0.61", "0.90", "0.14", "0.04"), ("99454", "0", "0", "0", "0"))
    factors = gpci(("01112", "CA", "05", "1.086", "1.394", "0.454"))
    fees = [
        read_fees(RVU_NAME, lines(units), "1", KNOWN, None),
        read_fees(GPCI_NAME, lines(factors), "2", KNOWN, None),
    ]
    return shipped_book().with_tables([*loaded, *fees], "01112-05")


@pytest.mark.parametrize("name", ["medicare-b-2026", "medicare-b-2024", "amounts", "ncci"])
def test_rules_are_told_word_for_word(name: str) -> None:
    """Each number with what it is for, its status and its source, loaded tables first."""
    assert show_rules(with_tables(), name) == (TEXTS / f"{name}.txt").read_text(encoding="utf-8")


def test_an_add_on_counts_from_its_first_day() -> None:
    """A base code that begins next year is no base of this quarter's add-on."""
    page = with_tables().page("MEDICARE_B", day_number(date(2026, 11, 1)), 99_999)
    assert page.codes["99458"].addon_to == "99457"


@pytest.mark.parametrize(("place", "facility"), [(18, False), (19, True), (21, True), (22, True)])
def test_places_with_the_facility_figure(place: int, facility: bool) -> None:
    """R-CLM-05: two kinds of outpatient hospital and the inpatient one."""
    day = day_number(date(2026, 3, 1))
    figure, _ = FeeSchedules((), "national").priced("99457", 1, day, place=place)
    assert figure == (2639 if facility else 5177)


@pytest.mark.parametrize("first", [date(2026, 4, 1), date(2026, 5, 1)])
def test_a_page_that_would_leave_a_gap(first: date) -> None:
    """Days between two pages of a payer are named with the line that leaves them out."""
    early = replace(OF_2026, id="own-1", payer="OWN", effective_to=date(2026, 3, 31))
    later_on = {"known_from": date(2026, 2, 1), "effective_from": first, "effective_to": None}
    page = replace(OF_2026, id="own-2", payer="OWN", **later_on)
    book = shipped_book().with_pages([early])
    if first == date(2026, 4, 1):
        check_fit(book, page, "own.toml", PAGE)
        return
    with pytest.raises(RuleError, match="from 2026-04-01 to 2026-04-30 would") as refused:
        check_fit(book, page, "own.toml", PAGE)
    assert PAGE.splitlines()[refused.value.line - 1].startswith("effective_from")


def test_a_table_without_rows_and_a_text_without_end() -> None:
    """A table of heads alone, and a document that is broken off, are refused with their line."""
    with pytest.raises(RuleError, match="no row that begins with a code"):
        read_ncci("x.txt", lines(ptp()), "0", KNOWN, KNOWN, "2026Q4")
    with pytest.raises(RuleError) as refused:
        open_document("a = 1\nb = [1,\n", "p.toml")
    assert refused.value.line == 3
