"""The dated data of coding: two clocks, families of codes, and what a file may not say."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from coded_visits import RULES

from billing.coding.encounter import FIRST_DAY, PAYERS
from billing.coding.rules import CodingRules
from billing.coding.rules_read import (
    read_families,
    read_marks,
    read_payers,
    read_regimes,
)
from billing.coding.sources import telehealth_sources
from billing.rules.fields import RuleError

SOURCES = telehealth_sources()


@pytest.mark.parametrize(
    ("dos", "known", "regime"),
    [
        (date(2020, 2, 10), date(2020, 2, 15), "M0"),
        (date(2020, 3, 3), date(2020, 4, 1), "M1-before-waiver"),
        (date(2020, 3, 6), date(2020, 3, 10), "M1"),
        (date(2023, 12, 31), date(2024, 1, 5), "M2"),
        (date(2024, 1, 1), date(2024, 1, 6), "M3"),
        (date(2025, 9, 30), date(2025, 10, 5), "M4b"),
        (date(2025, 10, 15), date(2025, 11, 1), "lapse-2025"),
        (date(2025, 10, 15), date(2025, 11, 11), "lapse-2025"),
        (date(2025, 10, 15), date(2025, 11, 12), "M5"),
        (date(2026, 2, 1), date(2026, 2, 2), "lapse-2026"),
        (date(2026, 2, 1), date(2026, 2, 3), "M6"),
        (date(2028, 1, 1), date(2028, 1, 6), "M7"),
    ],
)
def test_a_regime_is_the_one_known_on_the_day(dos: date, known: date, regime: str) -> None:
    """Of the regimes of a service day the one that became known last judges."""
    assert RULES.regime(dos, known).id == regime


def test_every_service_day_has_a_regime_and_every_payer_an_answer() -> None:
    """No day from 2020 on is without Medicare's regime or a row for each payer."""
    for month in range(110):
        dos = FIRST_DAY + timedelta(days=30 * month)
        assert RULES.regime(dos, dos).from_day <= dos
        for payer in PAYERS:
            assert RULES.payer_row(payer, dos, dos).payer in (payer, "ANY")


@pytest.mark.parametrize(
    ("payer", "dos", "answers"),
    [
        ("BCBSM", date(2025, 6, 30), "ANY"),
        ("BCBSM", date(2025, 7, 1), "BCBSM"),
        ("HORIZON", date(2026, 3, 31), "ANY"),
        ("MCR", date(2020, 1, 1), "MCR"),
    ],
)
def test_a_payer_answers_from_the_day_on_which_it_was_read(
    payer: str, dos: date, answers: str
) -> None:
    """Before the first row of a payer the general row answers, never a neighbor's."""
    assert RULES.payer_row(payer, dos, dos + timedelta(days=5)).payer == answers


def test_a_row_that_is_not_known_yet_does_not_answer() -> None:
    """A payer's row judges only from the day on which it became known."""
    dos = date(2025, 7, 3)
    assert RULES.payer_row("BCBSM", dos, date(2025, 6, 30)).payer == "ANY"


@pytest.mark.parametrize(
    ("code", "day", "there"),
    [
        ("99201", date(2020, 12, 31), True),
        ("99201", date(2021, 1, 1), False),
        ("G2012", date(2024, 12, 31), True),
        ("98016", date(2024, 12, 31), False),
        ("99443", date(2025, 1, 1), False),
        ("98000", date(2025, 1, 1), True),
        ("G0071", date(2026, 1, 1), False),
        ("G0511", date(2025, 10, 1), False),
        ("G2211", date(2023, 12, 31), False),
    ],
)
def test_a_code_exists_on_its_days(code: str, day: date, there: bool) -> None:
    """Codes begin and end on the days of the reference."""
    assert RULES.codes[code].on(day) is there


def test_the_medicare_list_holds_what_the_reference_takes_for_granted() -> None:
    """Office visits, psychotherapy and, for their days, phone visits and add-ons are listed."""
    listed = {code for code, one in RULES.codes.items() if one.listed(date(2024, 6, 1))}
    assert {"99202", "99215", "90791", "90838", "90847", "99443", "G2211", "G2212"} <= listed
    assert not {"98000", "99417", "98016", "99457", "G2010"} & listed
    assert not RULES.codes["99443"].listed(date(2025, 1, 1))


FAMILY = """
[[family]]
name = "one"
set = "live"
bills = "em"
confidence = "A"
source = ["S12"]
[[family.code]]
code = "99213"
label = "A visit"
"""
REGIME = """
[[regime]]
id = "R"
from = 2020-01-01
known_from = 2020-01-01
originating = "waived"
audio = "listed"
in_person_visit = "suspended"
confidence = "A"
source = ["S12"]
"""
ROW = """
[[row]]
payer = "MCR"
from = 2020-01-01
apart = "read"
telemedicine = "refused"
confidence = "A"
source = ["S12"]
video = { codes = "office", place = "by-location", required = ["95"] }
audio = { codes = "office", place = "by-location" }
"""
MARK = """
[[mark]]
mark = "10"
kind = "place"
meaning = "at home"
confidence = "A"
source = ["S12"]
"""
Reader = Callable[[str, str, object], object]


@pytest.mark.parametrize(
    ("reader", "text", "reason"),
    [
        (read_families, FAMILY.replace('source = ["S12"]', ""), "source: is missing"),
        (read_families, FAMILY.replace("S12", "S999"), "not in the list of sources"),
        (read_families, FAMILY.replace('"live"', '"alive"'), "not a known word"),
        (read_families, FAMILY + FAMILY.replace('"one"', '"two"'), "99213 stands twice"),
        (read_families, FAMILY + "at_most = 5\n", "lies below at_least"),
        (read_families, FAMILY + "from = 2021-01-01\nto = 2020-01-01\n", "lies before from"),
        (read_families, FAMILY.replace("bills", 'addon_to = ["x"]\nbills'), "names x"),
        (read_families, FAMILY.replace("bills", 'starts = ["99215"]\nbills'), "a code and minutes"),
        (read_regimes, REGIME + REGIME.replace('"R"', '"S"'), "two rows of one known day"),
        (read_regimes, REGIME.replace("waived", "lifted"), "not a known word"),
        (
            read_regimes,
            REGIME.replace("known_from", "to = 2020-03-01\nknown_from")
            + REGIME.replace("2020-01-01", "2020-04-01"),
            "no regime follows R",
        ),
        (read_payers, ROW + ROW, "two rows of one known day"),
        (read_payers, ROW.replace('"MCR"', '"ACME"'), "not a known word"),
        (read_payers, ROW.replace('required = ["95"]', 'required = ["9"]'), "must be a modifier"),
        (
            read_payers,
            ROW.replace('required = ["95"]', 'required = ["95"], forbidden = ["95"]'),
            "both asked for and forbidden",
        ),
        (read_payers, ROW.replace("place =", "pos ="), "place"),
        (read_marks, MARK + MARK, "10 stands twice"),
        (read_marks, MARK.replace('"place"', '"spot"'), "not a known word"),
        (read_marks, MARK + "since = 2022-01-01\n", "not a known key"),
    ],
)
def test_a_file_that_says_what_it_may_not_is_refused(
    reader: Reader, text: str, reason: str
) -> None:
    """Unknown words, missing sources, overlaps and gaps are refused with the file and the line."""
    with pytest.raises(RuleError, match=reason) as refused:
        reader(text, "own.toml", SOURCES)
    assert refused.value.file == "own.toml"


def test_a_row_known_later_overtakes_an_earlier_one() -> None:
    """Two rows of one service day and two known days stand together; the later one answers then."""
    later = ROW.replace("apart", "known_from = 2021-06-01\napart").replace('"office"', '"none"')
    rules = CodingRules((), (), read_payers(ROW + later, "own.toml", SOURCES), ())
    dos = date(2021, 1, 15)
    assert rules.payer_row("MCR", dos, date(2021, 5, 31)).video.codes == "office"
    assert rules.payer_row("MCR", dos, date(2021, 6, 1)).video.codes == "none"
