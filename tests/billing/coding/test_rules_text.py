"""Tables of coding for a person at a terminal, and what is due for re-reading."""

from datetime import date

import pytest
from coded_visits import RULES

from billing.coding import rules_text
from billing.coding.authority import shipped_compacts
from billing.coding.filing import shipped_limits
from billing.coding.pairs import PAIRS_FILE, visit_edition
from billing.coding.rules_text import (
    TABLES,
    check_coding_rules,
    list_coding_rules,
    show_coding_rules,
)
from billing.coding.specialties import shipped_elements, shipped_specialties
from billing.rules.references import shipped_text


def test_every_table_is_listed_and_can_be_shown() -> None:
    """Each listed name shows a table; another name is a KeyError."""
    assert [line.split()[0] for line in list_coding_rules().splitlines()] == list(TABLES)
    for name in TABLES:
        assert show_coding_rules(name)
    with pytest.raises(KeyError):
        show_coding_rules("telehealth-nothing")


def test_every_row_tells_its_confidence_its_sources_and_their_reading() -> None:
    """Each row of each table shows how far it is known and since when."""
    told = {
        "telehealth-codes": len(RULES.families),
        "telehealth-regimes": len(RULES.regimes),
        "telehealth-payers": len(RULES.rows),
        "telehealth-marks": len(RULES.marks),
        "telehealth-compacts": len(shipped_compacts()),
        "telehealth-filing": sum(one.source is not None for one in shipped_limits()),
        "telehealth-notes": len(shipped_elements()) + len(shipped_specialties()),
    }
    for name, rows in told.items():
        assert show_coding_rules(name).count(", last read 2026-11-23") == rows


def test_a_lapse_is_shown_with_the_day_from_which_it_was_known() -> None:
    """Two rows of one run of service days differ in the day on which they became known."""
    shown = show_coding_rules("telehealth-regimes").splitlines()
    days = [line.split("known from ")[1][:10] for line in shown if "2025-10-01 to" in line]
    assert days == ["2025-03-15", "2025-11-12"]


def test_every_file_is_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of pairs that cannot be read is a finding with its place, not a failure."""

    def broken(name: str) -> str:
        return "quarter = 3\n" if name == PAIRS_FILE else shipped_text(name)

    monkeypatch.setattr(rules_text, "shipped_text", broken)
    found = check_coding_rules(date(2026, 11, 23))
    assert [one.code for one in found] == ["E_RULE_PAGE"]
    assert found[0].where.startswith(PAIRS_FILE)


def test_sources_are_due_after_half_a_year() -> None:
    """Nothing is due on the day of reading; 181 days later every source that a row names is."""
    assert check_coding_rules(date(2026, 11, 23)) == []
    due = check_coding_rules(date(2027, 5, 23))
    assert {one.code for one in due} == {"W_SOURCE_STALE"}
    assert "telehealth S58" in {one.where for one in due}
    pairs = {name for one in visit_edition().sections for name in one.source.ids}
    assert {f"telehealth {name}" for name in pairs} <= {one.where for one in due}
    assert check_coding_rules(date(2027, 5, 22)) == []
