"""Alerts are told in a few words, with units as people write them."""

import pytest

from rpm.store.tables.alerts import Alert
from rpm.web.pages.alert_words import alert_words, limit_of_alert


@pytest.mark.parametrize(
    ("values", "words", "limit"),
    [
        ({}, "systolic 191 mmHg", "limit above 180"),
        (
            {"rule": "weight.weight.rise.24h.red", "value": "2", "unit": "kg"},
            "weight rise 2 kg",
            "limit above 180",
        ),
        (
            {"rule": "missed.red", "subject": "missed", "value": "3", "unit": "d"},
            "no reading for 3 days",
            "limit above 180",
        ),
        (
            {"rule": "dead_letter", "subject": "dead_letter", "value": "", "unit": ""}
            | {"limit_value": ""},
            "a delivery could not be read",
            "",
        ),
    ],
)
def test_an_alert_in_words(values: dict[str, object], words: str, limit: str) -> None:
    """Values, changes, silence and what needs no limit are each told in a few words."""
    row: dict[str, object] = {
        "rule": "bp.systolic.high.red",
        "subject": "reading",
        "value": "191",
        "unit": "mm[Hg]",
        "comparison": "above",
        "limit_value": "180",
    }
    told = Alert(**(row | values))
    assert alert_words(told) == words
    assert limit_of_alert(told) == limit
