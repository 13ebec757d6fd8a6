"""Rules printed for a person, and the check of their age."""

from datetime import date, timedelta

import pytest

from billing.finding import Severity
from billing.rules.book import shipped_book
from billing.rules.read import read_page
from billing.rules.references import finding_text, shipped_references
from billing.rules.text import check, list_rules, show_rules

READ_ON = date(2026, 11, 23)


def test_the_list_names_every_page_and_table():
    """Each page stands on a line with its payer, days, status and title."""
    text = list_rules(shipped_book())
    for page in shipped_book().pages:
        line = next(line for line in text.splitlines() if line.startswith(f"{page.id} "))
        assert page.payer in line
        assert page.title in line
        assert str(page.known_from) in line
    assert {"amounts", "ncci", "profiles", "sources"} <= {
        line.split()[0] for line in text.splitlines()
    }


def test_a_page_is_shown_with_every_number_its_status_and_sources():
    """Each band's line has its range, codes, status and sources."""
    text = show_rules(shipped_book(), "medicare-b-2026")
    assert "2 to 15 device days: 99445  [SETTLED; S01 S15b S16, read 2026-11-23; R-DEV-02]" in text
    assert "2 or more device days: 99453  [CONFLICT; S21 S39r S44" in text
    assert "1200 or more seconds: 99457, 99458 for each full 1200 beyond  [SETTLED" in text
    assert "relaxation phe_covid_2_days: 99453 99454 from 2 days with covid" in text
    assert "boundary W_STRADDLE_2026" in text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mcd-ny", "1800 or more practitioner's seconds: 99091  [UNVERIFIED; S32n"),
        ("com-bcbs-ms+medicare-b-2025", "nothing leaves without prior-auth"),
        ("medicare-b-2024", "replacement I_RHC_BUNDLED: 99454 99457 by G0511, RHC FQHC"),
        ("com-generic-pre2026-codeset", "not adopted (E_PAYER_CODE_NOT_ADOPTED): 99445 99470"),
        ("amounts", "99457  2026-01-01 to 2026-12-31  51.77  facility 26.39  (1.55 x 33.4009)"),
        ("ncci", "pair 99457 (paid) with 99091: indicator 1"),
        ("ncci", "limit 99458: 3 units, MAI 3"),
        ("profiles", "supply_service_day = window-end  [CONFLICT; S06 S23 S24"),
        ("sources", "S06  NGS Medicare"),
    ],
)
def test_pages_and_tables_are_shown_by_name(name, expected):
    """A page's id or a table's name gives its full text."""
    assert expected in show_rules(shipped_book(), name)


def test_an_unknown_name_is_an_error():
    """Nothing is shown in place of a page that is not there."""
    with pytest.raises(KeyError):
        show_rules(shipped_book(), "medicare-b-1999")


def test_the_shipped_rules_pass_their_check():
    """All files read anew, and no source is stale on the day it may last be used."""
    assert check(shipped_book(), READ_ON) == []
    assert check(shipped_book(), READ_ON + timedelta(days=180)) == []


def test_sources_not_read_again_for_180_days_are_listed():
    """From the 181st day each source is a warning that names it and its age."""
    stale = check(shipped_book(), READ_ON + timedelta(days=181))
    assert [one.where for one in stale] == sorted(shipped_references().sources)
    assert {one.code for one in stale} == {"W_SOURCE_STALE"}
    assert stale[0].severity is Severity.WARNING
    assert "181 days ago" in stale[0].message


def test_the_own_sources_of_a_page_age_too():
    """A practice's letter from its payer is listed when it gets old."""
    page = read_page(
        'id = "ours"\ntitle = "Ours"\npayer = "OURS"\nextends = "MEDICARE_B"\n'
        'effective_from = 2026-01-01\nknown_from = 2026-01-01\nstatus = "SETTLED"\n'
        'source = ["LETTER"]\n[sources.LETTER]\ntitle = "Letter"\nwhere = "files"\n'
        "checked_on = 2026-01-01\n",
        "ours.toml",
        shipped_references(),
    )
    stale = check(shipped_book().with_pages([page]), READ_ON)
    assert [one.where for one in stale] == ["LETTER"]


def test_a_finding_has_words_for_a_biller():
    """The words of a finding are found by its code."""
    assert finding_text("E_NO_CONSENT").title == "No consent on file"
    with pytest.raises(KeyError):
        finding_text("E_NOTHING")
