"""A changed page in the place of another: the book on trial, and the two side by side."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from billing.days import day_number
from billing.rules.book import shipped_book
from billing.rules.fields import RuleError
from billing.rules.page_diff import page_differences
from billing.rules.read import read_page
from billing.rules.references import shipped_text
from billing.rules.trial import Trial, check_fit, try_page

PAGE = "medicare-b-2026"
TODAY = date(2026, 3, 1)
BAND = 'at_least = 2\nlines = [{ code = "99453" }]'


def changed(*swaps: tuple[str, str]) -> str:
    """The text of the page in force with some words changed."""
    text = shipped_text(f"pages/{PAGE}.toml")
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def tried(text: str, page_id: str = PAGE) -> Trial:
    """A page on trial in the shipped book."""
    book = shipped_book()
    return try_page(book, page_id, read_page(text, "new.toml", book.references), TODAY)


def setup_days(trial: Trial, day: date) -> int:
    """The fewest days that earn 99453 for Medicare on a service day of the trial book."""
    page = trial.book.page("MEDICARE_B", day_number(day), day_number(trial.known))
    [ladder] = [one for one in page.ladders if one.name == "setup"]
    return ladder.bands[0].at_least


def test_a_changed_copy_of_a_page_takes_its_place() -> None:
    """Under the same id, and known as long, the copy judges; payers that extend it follow."""
    trial = tried(changed((BAND, BAND.replace("2", "3", 1))))
    assert setup_days(trial, date(2026, 1, 5)) == 3
    cigna = trial.book.page("COM_CIGNA", day_number(TODAY), day_number(trial.known))
    assert next(one for one in cigna.ladders if one.name == "setup").bands[0].at_least == 3


def test_the_page_goes_on_where_the_changed_one_does_not_reach() -> None:
    """Service days that the changed page leaves out are judged as before, not without a rule."""
    trial = tried(
        changed(
            (BAND, BAND.replace("2", "3", 1)),
            ("effective_from = 2026-01-01", "effective_from = 2026-02-01"),
        )
    )
    assert setup_days(trial, date(2026, 1, 31)) == 2
    assert setup_days(trial, date(2026, 2, 1)) == 3


@pytest.mark.parametrize("known_from", [date(2025, 11, 3), date(2026, 1, 1), date(2027, 5, 1)])
def test_a_page_is_tried_whenever_it_becomes_known(known_from: date) -> None:
    """The day it names as known, past or to come, does not keep it from judging on trial."""
    text = changed(
        (BAND, BAND.replace("2", "3", 1)),
        ("known_from = 2025-11-03", f"known_from = {known_from}"),
    )
    trial = tried(text)
    assert setup_days(trial, date(2026, 1, 5)) == 3
    assert trial.known >= max(TODAY, known_from)


def test_what_a_page_says_otherwise_is_told_band_by_band() -> None:
    """Both bands with their sources, under the ladder they stand on; nothing for the same page."""
    trial = tried(changed((BAND, BAND.replace("2", "3", 1))))
    lines = list(page_differences(trial.replaced, trial.changed))
    assert lines[0] == "  ladder setup (setup)"
    assert lines[1].startswith("-   2 or more device days: 99453  [CONFLICT; S21 S39r S44,")
    assert lines[2].startswith("+   3 or more device days: 99453  [CONFLICT; S21 S39r S44,")
    assert len(lines) == 3
    same = tried(changed())
    assert list(page_differences(same.replaced, same.changed)) == []


def test_a_source_alone_is_a_difference() -> None:
    """A number read elsewhere is told, although the number is the same."""
    trial = tried(changed((f'{BAND}\nstatus = "CONFLICT"', f'{BAND}\nstatus = "SETTLED"')))
    [_, old, new] = page_differences(trial.replaced, trial.changed)
    assert ("[CONFLICT;" in old, "[SETTLED;" in new) == (True, True)


def test_a_payers_page_is_shown_with_what_it_extends() -> None:
    """Of a page that extends a payer, both sides are joined with the page of one day."""
    text = shipped_text("pages/com-cigna.toml") + BAND_OF_OUR_OWN
    lines = list(page_differences(*sides(tried(text, "com-cigna"))))
    assert [one.partition("  [")[0] for one in lines if "device days: 99453" in one] == [
        "-   2 or more device days: 99453",
        "+   9 or more device days: 99453",
    ]


def sides(trial: Trial):
    """Both pages of a trial."""
    return trial.replaced, trial.changed


BAND_OF_OUR_OWN = """
[[ladder]]
name = "setup"
role = "setup"
programs = ["RPM"]
period = "device-supply-30"
measure = "device_days"
needs = ["consent", "order", "established"]
status = "SECONDARY"
source = ["S31c"]

[[ladder.band]]
at_least = 9
lines = [{ code = "99453" }]
status = "SECONDARY"
source = ["S31c"]
"""


def test_a_trial_names_a_page_and_keeps_its_payer() -> None:
    """An unknown page, or one of another payer, cannot be replaced."""
    with pytest.raises(KeyError):
        tried(changed(), "medicare-b-1999")
    with pytest.raises(RuleError, match="another payer"):
        tried(changed(), "com-cigna")


def test_every_shipped_payer_has_a_rule_from_its_first_day_on() -> None:
    """A copy of any shipped page, known a day later, fits the book and leaves no gap."""
    book = shipped_book()
    for page in book.pages:
        later = replace(page, id="ours", known_from=page.known_from + timedelta(days=1))
        check_fit(book, later, "ours.toml", 'id = "ours"\n')
