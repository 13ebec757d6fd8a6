"""Pairs and unit limits of visit codes: the shipped fixture, and tables that a practice loaded."""

from datetime import date

from cms_tables import lines, mue, ptp

from billing.coding.code_visit import code_visit
from billing.coding.encounter import Encounter
from billing.coding.lines import lines_text, read_lines
from billing.coding.pairs import CodePair, pair_of, unit_limit, visit_edition
from billing.coding.rules_read import shipped_coding_rules
from billing.days import day_number
from billing.rules.book import shipped_book
from billing.rules.edits import Edits
from billing.rules.ncci_files import read_ncci
from billing.rules.pairs import shipped_editions

DOS = date(2026, 6, 1)
RULES = shipped_coding_rules()
OPENED = ptp(("99213", "99421", "20260101", "*", "1"))
"""A quarter in which the pair of visit and portal visit can be opened, and no other is held."""


def loaded(rows: list[tuple[str, ...]], *, visits: bool = True) -> Edits:
    """The tables of a file of the second quarter of 2026."""
    known = shipped_book().references.codes
    table = read_ncci(
        "x.txt", lines(rows), "0", known, known, "2026Q2", RULES.codes if visits else ()
    )
    edits = shipped_book().with_tables([table]).edits.on(day_number(DOS))
    assert edits is not None
    return edits


def settled(text: str, pairs: Edits | None = None) -> str:
    """What is left of a Medicare visit's lines."""
    visit = Encounter(
        payer="MCR",
        state="OH",
        dos=DOS,
        provider_type="MD",
        provider_site="OFFICE",
        patient_location="HOME",
        modality="AV",
        patient_status="EST",
    )
    done = code_visit(visit, RULES, DOS, submitted=read_lines(text), pairs=pairs)
    return lines_text(done.lines)


def test_the_fixture_and_the_ledgers_edition_hold_no_pair_twice() -> None:
    """Each shipped pair and limit stands in one of the two files, in one direction."""
    ledger, visits = shipped_editions()[-1], visit_edition()
    both = {*ledger.pairs, *((two, one) for one, two in ledger.pairs)}
    assert not both & set(visits.pairs)
    assert not set(ledger.limits) & set(visits.limits)
    assert len(visits.pairs) == 458


def test_the_fixture_answers_whichever_way_round_and_on_any_day() -> None:
    """Column 1 is the one that is paid; without loaded tables the day does not matter."""
    for dos in (date(2021, 1, 1), DOS):
        assert pair_of("99421", "99213", dos) == CodePair("99213", "99421", 0)
        assert pair_of("99212", "99422", dos) == CodePair("99422", "99212", 0)
        assert pair_of("99457", "99091", dos) == CodePair("99457", "99091", 1)
        assert pair_of("99213", "99454", dos) is None
    assert (unit_limit("99213"), unit_limit("99458"), unit_limit("20610")) == (2, 3, None)


def test_loaded_tables_answer_for_their_days() -> None:
    """What a practice loaded overtakes the fixture, also by what it no longer holds."""
    tables = loaded(OPENED)
    assert pair_of("99213", "99421", DOS, tables) == CodePair("99213", "99421", 1)
    assert pair_of("99214", "99421", DOS, tables) is None
    assert settled("99213@10;99421@11") == "99213@10"
    assert settled("99214@10;99421@11", tables) == "99214@10;99421@11"


def test_tables_from_before_visits_leave_them_to_the_fixture() -> None:
    """A table that was loaded without the codes of visits does not speak of them."""
    tables = loaded(ptp(("99457", "99091", "20260101", "*", "0")), visits=False)
    assert pair_of("99457", "99091", DOS, tables) == CodePair("99457", "99091", 0)
    assert pair_of("99214", "99421", DOS, tables) == CodePair("99214", "99421", 0)


def test_a_loaded_limit_cuts_the_units() -> None:
    """The day's limit of the loaded table counts, not the fixture's."""
    tables = loaded(mue(("99458", "1", "3"), ("99213", "1", "3")))
    assert (unit_limit("99458", tables), unit_limit("99213", tables)) == (1, 1)
    assert unit_limit("99214", tables) is None
    assert settled("99457@11;99458@11x3") == "99457@11;99458@11x3"
    assert settled("99457@11;99458@11x3", tables) == "99457@11;99458@11"
