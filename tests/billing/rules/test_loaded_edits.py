"""Which edit tables a service day takes, and what pages say under them."""

from datetime import date

import pytest
from cms_tables import addons, lines, mue, ptp

from billing.days import day_number
from billing.rules.book import RuleBook, shipped_book
from billing.rules.edits import LoadedTable
from billing.rules.ncci_files import read_ncci
from billing.rules.pairs import pair_edits
from billing.rules.ruleset import RuleSet

NOW = day_number(date(2026, 11, 23))
KNOWN = shipped_book().references.codes


def loaded(quarter: str, rows: list[tuple[str, ...]], sha256: str = "0") -> LoadedTable:
    """A file of a quarter."""
    return read_ncci("x.txt", lines(rows), sha256, KNOWN, KNOWN, quarter)


def page(book: RuleBook, day: str, payer: str = "MEDICARE_B") -> RuleSet:
    """The page that judges a service day."""
    return book.page(payer, day_number(date.fromisoformat(day)), NOW)


def pairs(book: RuleBook, day: str, one: str, other: str) -> set[int]:
    """Indicators of the pairs of two codes that hold on a service day."""
    number = day_number(date.fromisoformat(day))
    edits = pair_edits(one, other, page(book, day).edits)
    return {edit.indicator for edit in edits if edit.from_day <= number <= edit.to_day}


def limit(book: RuleBook, day: str, code: str = "99458") -> tuple[int | None, int | None]:
    """Unit limit and indicator of a code on a service day."""
    found = page(book, day).codes[code]
    return found.max_units, found.mai


def test_a_service_day_takes_the_newest_quarter_that_has_begun() -> None:
    """Each table for itself: the quarter of the day, else the newest before it, else as shipped."""
    book = shipped_book().with_tables(
        [
            loaded("2026Q1", mue(("99458", "4", "3"), ("99445", "1", "2"))),
            loaded("2026Q3", mue(("99458", "2", "3"))),
            loaded("2026Q3", ptp(("99453", "99091", "20200101", "*", "1"))),
        ]
    )
    assert limit(book, "2025-12-31") == limit(shipped_book(), "2025-12-31") == (3, 3)
    assert limit(book, "2026-01-01") == limit(book, "2026-06-30") == (4, 3)
    assert limit(book, "2026-07-01") == limit(book, "2027-03-01") == (2, 3)
    assert (limit(book, "2026-03-01", "99445"), limit(book, "2026-08-01", "99445")) == (
        (1, 2),
        (None, None),
    )
    assert pairs(book, "2026-06-30", "99091", "99453") == {0}  # as shipped
    assert pairs(book, "2026-07-01", "99091", "99453") == {1}
    assert pairs(book, "2026-07-01", "99457", "99091") == set()


def test_older_tables_do_not_replace_the_shipped_ones() -> None:
    """Loaded for 2024Q1, they count until the shipped edition begins on 1 July 2024."""
    book = shipped_book().with_tables([loaded("2024Q1", mue(("99458", "9", "3")))])
    assert limit(book, "2024-06-30") == (9, 3)
    assert limit(book, "2024-07-01") == (3, 3)
    assert page(book, "2024-07-01").edits is None


def test_days_of_a_pair_count() -> None:
    """A deleted pair holds to its last day, one that was taken back (9) on none."""
    book = shipped_book().with_tables(
        [
            loaded(
                "2026Q1",
                ptp(
                    ("99453", "99091", "20200101", "20260131", "0"),
                    ("99454", "99091", "20260301", "*", "1"),
                    ("99457", "99091", "20200101", "20200101", "9"),
                ),
            )
        ]
    )
    assert [pairs(book, day, "99091", "99453") for day in ("2026-01-31", "2026-02-01")] == [
        {0},
        set(),
    ]
    assert [pairs(book, day, "99091", "99454") for day in ("2026-02-28", "2026-03-01")] == [
        set(),
        {1},
    ]
    assert pairs(book, "2026-02-01", "99457", "99091") == set()


def test_a_later_file_replaces_its_stretch_of_a_quarter() -> None:
    """CMS gives pairs in parts; a part loaded again takes the place of the same part only."""
    first = ptp(("11111", "99453", "20200101", "*", "0"), ("22222", "99453", "20200101", "*", "0"))
    second = ptp(("93241", "99453", "20200101", "*", "0"))
    again = ptp(("11111", "99453", "20200101", "*", "1"), ("33333", "99453", "20200101", "*", "0"))
    book = shipped_book().with_tables(
        [loaded("2026Q1", rows, str(n)) for n, rows in enumerate((first, second, again))]
    )
    found = {code: pairs(book, "2026-02-01", "99453", code) for code in ("11111", "22222", "93241")}
    assert found == {"11111": {1}, "22222": set(), "93241": {0}}


def test_an_add_on_attaches_to_what_its_table_tells() -> None:
    """What the code table has stays where the file lists it; else the file decides."""
    table = addons(
        ("99458", "99470", "2026001", ""),
        ("99489", "99487", "2017001", ""),
        ("99489", "99484", "2017001", ""),
        ("98981", "98979", "2020001", "2025365"),
    )
    book = shipped_book().with_tables([loaded("2026Q1", table)])
    codes = page(book, "2026-02-01").codes
    assert (codes["99458"].addon_to, codes["99489"].addon_to) == ("99470", "99487")
    assert codes["98981"].addon_to == "98980"


def test_a_page_under_loaded_tables_has_a_name_and_a_digest_of_its_own() -> None:
    """The name leads back to the same page; the shipped pages stay what they were."""
    book = shipped_book().with_tables([loaded("2026Q1", mue(("99458", "4", "3")))])
    for payer in ("MEDICARE_B", "COM_CIGNA"):
        under, shipped = page(book, "2026-02-01", payer), page(shipped_book(), "2026-02-01", payer)
        assert under.id == f"{shipped.id}@2026Q1"
        assert book.joined(under.id) is under
        assert under.digest != shipped.digest
        assert page(book, "2026-03-31", payer) is under
        assert (
            page(book, "2025-12-31", payer).digest
            == page(shipped_book(), "2025-12-31", payer).digest
        )
    with pytest.raises(KeyError):
        book.joined("medicare-b-2026@2026Q2")
    other = shipped_book().with_tables([loaded("2026Q1", mue(("99458", "4", "3")), "1")])
    assert page(other, "2026-02-01").digest != page(book, "2026-02-01").digest


def test_payers_share_codes_under_the_same_tables_only() -> None:
    """Pages of two payers judge alike in one quarter, and are told apart across quarters."""
    book = shipped_book().with_tables(
        [loaded("2026Q1", mue(("99458", "3", "3"))), loaded("2026Q2", mue(("99458", "3", "3")))]
    )
    one = page(book, "2026-02-01").codes["99458"]
    assert page(book, "2026-02-01", "COM_CIGNA").codes["99458"] is one
    assert page(book, "2026-05-01").codes["99458"] is not one


def test_runs_of_days_are_cut_where_tables_begin() -> None:
    """A vectorised look-up gives each day the page that a look-up of the day gives."""
    book = shipped_book().with_tables(
        [loaded("2024Q1", mue(("99458", "2", "3"))), loaded("2026Q3", mue(("99458", "4", "3")))]
    )
    first, last = day_number(date(2023, 12, 1)), day_number(date(2026, 12, 31))
    for from_day, to_day, found in book.pages_for("COM_CIGNA", first, last, NOW):
        for day in (from_day, to_day, (from_day + to_day) // 2):
            assert book.page("COM_CIGNA", day, NOW) is found
