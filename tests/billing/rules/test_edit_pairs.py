"""Edit pairs and unit limits, against the rows of the reference copied here by hand."""

from datetime import date

import pytest

from billing.days import day_number
from billing.rules.fields import RuleError
from billing.rules.pairs import max_units, ncci_pair, read_edition, shipped_editions
from billing.rules.references import EDITS_FILE, shipped_references, shipped_text

DAY = day_number(date(2026, 6, 1))
FIRST_DAY = day_number(date(2024, 7, 1))

PAIRS = """\
99457|99091|1
99458|99091|0
99453 99454|99091|0
99457 99458|98980|0
99453 99454|98975 98976 98977|1
98978|99453 99454 99457 99458 99091|0
98975 98976 98977 98978 98980 98981|99091|0
99453 99454 99457|99473|0
99474|99453 99454|0
99457|99474|0
95249 95250 95251|99453 99454|0
95250|99457 99458|0
93784 93786 93788 93790|99453 99454|0
93264|99453 99454 99457 99458 99091|0
93228 93229 93268 93270 93271 93272 93294 93295 93296 93297 93298|99453 99454|0
93290 93296 93272|99457 99458|0
99457 99458|93294 93295 93297 93298|0
93228 93241 93268|99457 99458|1
99457 99458|93793|1
99453 99454|93241 93243|0
95249|99091|1
95250 95251|99091|0
G0506|99457 99458 99091|0
99202 99203 99204 99205 99211 99212 99213 99214 99215|99091|0
99221 99223 99231 99232 99238 99291|99091|0
99490 99439 99437 99487 99489|99091|1
99491 99484 99492 99493 99494 99483 99497|99091|0
99091|99424 99425 99426 99427 99421 99422 99423|1
99091|98970 98971 98972 99473 99474|0
"""


def expected() -> dict[tuple[str, str], int]:
    """The pairs of the table above."""
    found = {}
    for row in PAIRS.splitlines():
        firsts, seconds, indicator = row.split("|")
        for first in firsts.split():
            for second in seconds.split():
                found[first, second] = int(indicator)
    return found


def test_the_shipped_pairs_are_those_of_the_reference():
    """No pair is missing, none is added, and each has its indicator."""
    (edition,) = shipped_editions()
    assert edition.pairs == expected()
    assert edition.quarter == "2024Q3"


def test_a_pair_is_found_whichever_way_round_it_is_asked():
    """The answer names the paid code first, the indicator and the quarter of the edition."""
    for (first, second), indicator in expected().items():
        answer = (first, second, indicator, "2024Q3")
        assert ncci_pair(first, second, DAY) == answer
        assert ncci_pair(second, first, DAY) == answer


@pytest.mark.parametrize("code", ["99453", "99454", "99457", "99458"])
@pytest.mark.parametrize(
    "other",
    [
        "99202",
        "99213",
        "99490",
        "99439",
        "99487",
        "99424",
        "99426",
        "99495",
        "99484",
        "99421",
        "98970",
        "G2211",
        "G0511",
        "99453",
        "99454",
        "99457",
        "99458",
    ],
)
def test_codes_named_as_free_of_pairs_have_none(code, other):
    """RPM stands beside visits, care management, the clinic bundle and itself."""
    assert ncci_pair(code, other, DAY) is None


def test_an_edition_answers_from_its_first_day_on():
    """Before the edition's first day nothing is known."""
    assert ncci_pair("99457", "99091", FIRST_DAY) is not None
    assert ncci_pair("99457", "99091", FIRST_DAY - 1) is None
    assert max_units("99458", FIRST_DAY) == 3
    assert max_units("99458", FIRST_DAY - 1) is None


@pytest.mark.parametrize(
    ("code", "units"),
    [
        *[
            (code, 1)
            for code in [
                "99453",
                "99454",
                "99457",
                "99091",
                "98975",
                "98976",
                "98977",
                "98978",
                "98980",
            ]
        ],
        *[
            (code, 1)
            for code in ["99473", "99474", "99490", "99491", "99487", "99424", "99426", "99484"]
        ],
        *[(code, 1) for code in ["99495", "99496", "G0506", "95249", "95250", "95251"]],
        *[(code, 2) for code in ["99439", "99437", "99425", "99427"]],
        ("99458", 3),
        ("98981", 3),
        ("G0511", 8),
        ("99489", 10),
        *[
            (code, None)
            for code in ["99445", "99470", "98979", "98984", "98985", "98986", "G0556", "G2211"]
        ],
    ],
)
def test_unit_limits_are_those_of_the_reference(code, units):
    """A limit as printed, or none where none was read."""
    assert max_units(code, DAY) == units


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("indicator = 1", "indicator = 2", "0 or 1"),
        ('column2 = ["99091"]', 'column2 = ["99457"]', "twice"),
        ('column2 = ["99091"]', 'column2 = ["x"]', "list of codes"),
        ('column2 = ["99091"]\n', "", "list of codes"),
        ("max_units = 8", 'max_units = "8"', "whole number"),
        ('quarter = "2024Q3"\n', "", "quarter"),
        ('status = "SETTLED"', 'status = "SURE"', "not a known word"),
        ('"95249", "95250", "95251", "98975"', '"95249", "G0511"', "stands twice"),
    ],
)
def test_a_wrong_edit_file_is_refused(old, new, reason):
    """Unknown indicators, repeated pairs and malformed codes are errors, not guesses."""
    text = shipped_text(EDITS_FILE)
    assert old in text
    with pytest.raises(RuleError, match=reason):
        read_edition(text.replace(old, new, 1), EDITS_FILE, shipped_references().sources)
