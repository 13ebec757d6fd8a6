"""The catalog's page: it follows from the data, and the kept copy is in step."""

from pathlib import Path

from billing.coding.catalog import shipped_edits
from billing.coding.catalog_text import catalog_page

PAGE = Path(__file__).parents[3] / "docs" / "edits.md"


def test_the_kept_page_is_what_the_data_gives() -> None:
    """docs/edits.md is what `rpm-ledger rules edits` prints."""
    kept = PAGE.read_text(encoding="utf-8")
    assert kept == catalog_page(), "run: rpm-ledger rules edits > docs/edits.md"


def test_every_edit_has_its_row() -> None:
    """Each edit stands on the page once, with as many cells as the head has."""
    rows = [line for line in catalog_page().splitlines() if line.startswith("| TH-")]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == list(shipped_edits())
    assert {row.count(" | ") for row in rows} == {7}
