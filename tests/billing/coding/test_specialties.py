"""Specialty sets: bundles of what a note holds and which edits are met most."""

import pytest

from billing.coding.catalog import shipped_edits
from billing.coding.sources import telehealth_sources
from billing.coding.specialties import (
    before_signing,
    read_elements,
    read_specialties,
    shipped_elements,
    shipped_specialties,
)
from billing.rules.fields import RuleError
from billing.rules.references import shipped_text


def test_the_five_specialties_are_there() -> None:
    """Each has elements, edits, a consent text and a note; each element leads to its edits."""
    found = shipped_specialties()
    assert set(found) == {
        "primary-care",
        "behavioral-health",
        "dermatology",
        "cardiology",
        "pediatrics",
    }
    for one in found.values():
        assert one.elements
        assert one.note
        assert set(one.edits) <= set(shipped_edits())
    assert {edit for one in shipped_elements().values() for edit in one.edits} >= {
        f"TH-DOC-0{number}" for number in range(1, 9)
    }


def test_what_is_missing_is_asked_for_before_signing() -> None:
    """An edit that fired marks its element of the note, and no other one."""
    asked = before_signing(shipped_specialties()["pediatrics"], {"TH-DOC-06", "TH-POS-01"})
    assert [one.element.id for one in asked if one.missing] == ["guardian"]
    assert len(asked) == 7


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        ('elements = ["modality"', 'elements = ["weather"', "not a known word"),
        ('edits = ["TH-POS-01"', 'edits = ["TH-POS-99"', "not a known word"),
        ('name = "cardiology"', 'name = "dermatology"', "stands twice"),
        ('source = ["S80", "S35", "S91"]', 'source = ["S000"]', "not in the list"),
    ],
)
def test_a_table_of_specialties_is_refused(was: str, becomes: str, says: str) -> None:
    """A bundle names elements, edits and sources that exist."""
    text = shipped_text("telehealth/specialties.toml")
    assert was in text
    with pytest.raises(RuleError, match=says):
        read_specialties(
            text.replace(was, becomes, 1),
            "specialties.toml",
            telehealth_sources(),
            shipped_edits(),
            shipped_elements(),
        )


def test_an_element_is_refused_that_names_no_edit_of_the_catalog() -> None:
    """What a note holds leads to edits that exist."""
    text = shipped_text("telehealth/documentation.toml").replace("TH-DOC-01", "TH-DOC-91")
    with pytest.raises(RuleError, match="not a known word"):
        read_elements(text, "documentation.toml", telehealth_sources(), shipped_edits())
