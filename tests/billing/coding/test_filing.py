"""Timely filing: the last day on which a payer takes a claim."""

from datetime import date

import pytest

from billing.coding.filing import filing_limit, read_limits
from billing.coding.sources import telehealth_sources
from billing.rules.fields import RuleError


def last_day(payer: str, dos: date, *, participating: bool = True) -> date | None:
    """The last day on time; None where no limit is known."""
    limit = filing_limit(payer, dos)
    return limit and limit.last_day(dos, participating=participating)


@pytest.mark.parametrize(
    ("payer", "dos", "last"),
    [
        ("MCR", date(2025, 11, 20), date(2026, 11, 20)),
        ("MCR", date(2024, 2, 29), date(2025, 2, 28)),
        ("MCD_TX", date(2026, 1, 1), date(2026, 4, 6)),
        ("MCD_NC", date(2026, 1, 31), date(2027, 1, 31)),
        ("MCD_IL", date(2026, 1, 1), date(2026, 6, 30)),
        ("UHC_COM", date(2026, 1, 1), date(2026, 4, 1)),
        ("AETNA_COM", date(2026, 1, 1), date(2026, 5, 1)),
        ("ANTHEM_COM", date(2019, 9, 30), None),
        ("ANTHEM_COM", date(2019, 10, 1), date(2019, 12, 30)),
        ("BCBSM", date(2026, 1, 1), None),
    ],
)
def test_the_last_day_on_time(payer: str, dos: date, last: date | None) -> None:
    """Days are added; twelve months end on the same calendar day; no row means not known."""
    assert last_day(payer, dos) == last


def test_who_does_not_participate_has_another_limit_or_none_that_is_known() -> None:
    """UnitedHealthcare gives 180 days outside its network; of Aetna nothing was read."""
    dos = date(2026, 1, 1)
    assert last_day("UHC_COM", dos, participating=False) == date(2026, 6, 30)
    assert last_day("AETNA_COM", dos, participating=False) is None
    assert last_day("MCR", dos, participating=False) == date(2027, 1, 1)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ('payers = ["X"]\nconfidence = "A"\nsource = ["S88"]', "either days or months"),
        ('payers = ["X"]\ndays = 1\nmonths = 1\nconfidence = "A"\nsource = ["S88"]', "either"),
        ('payers = ["X"]\ndays = 0\nconfidence = "A"\nsource = ["S88"]', "at least 1"),
        ('days = 9\nconfidence = "A"\nsource = ["S88"]', "payers: is missing"),
        ('payers = ["X"]\ndays = 9\nconfidence = "A"', "source: is missing"),
        (
            'payers = ["X"]\ndays = 9\nconfidence = "A"\nsource = ["S88"]\n'
            '[[limit]]\npayers = ["X"]\ndays = 9\nconfidence = "A"\nsource = ["S88"]',
            "another limit names",
        ),
    ],
)
def test_a_table_of_limits_is_refused(row: str, says: str) -> None:
    """A limit says either days or months, for whom, and where it was read."""
    with pytest.raises(RuleError, match=says):
        read_limits(f"[[limit]]\n{row}\n", "filing.toml", telehealth_sources())
