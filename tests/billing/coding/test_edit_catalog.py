"""The catalog of edits: what is shipped, and what a catalog may not say."""

from datetime import date

import pytest

from billing.coding.catalog import EditSeverity, Unrepaired, read_edits, shipped_edits
from billing.coding.sources import telehealth_sources
from billing.rules.fields import RuleError

ONE = """
[[edit]]
id = "TH-POS-01"
area = "place"
severity = "ERROR"
unrepaired = "drop"
message = "POS {pos} does not fit."
confidence = "A"
source = ["S10"]
"""


def test_every_area_has_its_edits_once() -> None:
    """The shipped catalog holds 106 edits; each ERROR says what becomes of its line."""
    edits = shipped_edits()
    assert len(edits) == 106
    weights = [edit.severity for edit in edits.values()]
    assert {w: weights.count(w) for w in EditSeverity} == {
        EditSeverity.ERROR: 85,
        EditSeverity.REVIEW: 4,
        EditSeverity.WARN: 12,
        EditSeverity.INFO: 5,
    }
    holds = {name for name, edit in edits.items() if edit.unrepaired is Unrepaired.HOLD}
    assert {"TH-DOC-04", "TH-COV-03", "TH-ADM-02"} <= holds
    assert "TH-POS-01" not in holds


def test_an_edit_knows_its_payers_and_days() -> None:
    """An edit judges the payers and days of service of its runs, first and last day included."""
    edit = shipped_edits()["TH-POS-03"]
    assert edit.judges("MCR", date(2024, 1, 1))
    assert not edit.judges("MCR", date(2023, 12, 31))
    assert edit.judges("UHC_COM", date(2022, 1, 1))
    assert not edit.judges("CIGNA_COM", date(2026, 1, 1))
    group = shipped_edits()["TH-MOD-04"]
    assert group.judges("HUMANA_MA", date(2018, 10, 1))
    assert not group.judges("MCD_IL", date(2024, 1, 1))
    assert shipped_edits()["TH-MOD-08"].judges("MCD_TX", date(2024, 1, 1))
    last = shipped_edits()["TH-POS-04"]
    assert last.judges("MCR", date(2021, 12, 31))
    assert not last.judges("MCR", date(2022, 1, 1))


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        ('unrepaired = "drop"', "", "an ERROR has it"),
        ('severity = "ERROR"', 'severity = "WARN"', "an ERROR has it"),
        ('severity = "ERROR"', 'severity = "FATAL"', "not a known word"),
        ('unrepaired = "drop"', 'unrepaired = "keep"', "not a known word"),
        ('source = ["S10"]', "", "is missing"),
        ('source = ["S10"]', 'source = ["S999"]', "not in the list of sources"),
        ("{pos}", "{patient}", "not something a message may tell"),
        ('confidence = "A"', 'confidence = "D"', "not a known word"),
        ('id = "TH-POS-01"', 'id = "POS-1"', "does not have the expected form"),
        ('area = "place"', 'area = "place"\nfrom = 2024-02-01\nto = 2024-01-01', "lies before"),
        ('area = "place"', 'area = "place"\npayers = ["mcr"]', "must be a payer's key"),
        ('area = "place"', 'area = "place"\ncolor = "red"', "is not a known key"),
        (
            'source = ["S10"]',
            'source = ["S10"]\npayers = ["MCR"]\n[[edit.when]]\nfrom = 2024-01-01',
            "stands beside payers",
        ),
        ('source = ["S10"]', 'source = ["S10"]' + ONE, "stands twice"),
    ],
)
def test_a_catalog_is_refused(was: str, becomes: str, says: str) -> None:
    """What a catalog may not say is refused with its line and the reason."""
    assert was in ONE
    with pytest.raises(RuleError, match=says) as refused:
        read_edits(ONE.replace(was, becomes, 1), "edits.toml", telehealth_sources())
    assert refused.value.line > 1
