"""Claims as tables by profile: what a column holds, and that none of it is live."""

import csv
import io

import pytest
from claims_made import CLAIM, EVERYTHING

from billing.claims.claim_table import (
    ProfileError,
    claim_rows,
    profiled_csv,
    read_profile,
    shipped_profiles,
)
from billing.claims.table import COLUMNS

ROWS = claim_rows(EVERYTHING, claim_id="c1", batch_id="b1", record_number="00042")


def table(name: str) -> list[dict[str, str]]:
    """The rows in a shipped profile's columns."""
    content = profiled_csv(shipped_profiles()[name], ROWS)
    assert content.count(b"\r\n") == len(ROWS) + 1
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


def test_the_generic_table_holds_every_line() -> None:
    """All columns in their order; a line's own place, modifiers and pointers; leading zeros."""
    rows = table("generic")
    assert tuple(rows[0]) == COLUMNS
    first = rows[0]
    assert (first["patient_id"], first["pos"], first["mod1"], first["mod2"]) == (
        "00042", "10", "95", "KX",
    )  # fmt: skip
    assert (first["dos_from"], first["dos_to"]) == ("2026-10-01", "2026-10-30")
    assert (first["charge"], first["dx1"], first["dx2"], first["dx_pointers"]) == (
        "65.00", "I10", "E119", "1:2",
    )  # fmt: skip
    assert (first["frequency"], first["orig_claim_number"]) == ("7", "2026300123456")
    assert claim_rows(CLAIM, claim_id="", batch_id="", record_number="")[0]["pos"] == "11"


def test_profiles_rename_order_and_write_days_their_way() -> None:
    """Days as MM/DD/YYYY where the profile says so; a profile's own headings."""
    assert table("us-dates")[0]["dos_from"] == "10/01/2026"
    rows = table("practicesuite-like")
    assert rows[0]["Date of Service From"] == "10/01/2026"
    assert rows[0]["Patient Id"] == "00042"
    assert set(shipped_profiles()) == {"generic", "us-dates", "practicesuite-like"}


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("color = 1", "no key color"),
        ('dates = "DD.MM.YYYY"', "dates"),
        ('delimiter = "x"', "delimiter"),
        ('[[column]]\nfrom = "nothing"', "no column nothing"),
        ('[[column]]\nname = "x"', "has from"),
        ('[[column]]\nfrom = "pos"\n[[column]]\nfrom = "pos"', "twice"),
        ("column = 3", "column"),
        ("= 1", "own"),
    ],
)
def test_a_wrong_profile_is_refused(text: str, about: str) -> None:
    """A page that cannot be used is refused with its name and what is wrong."""
    with pytest.raises(ProfileError, match=f"own: .*{about}|{about}"):
        read_profile(text, "own")


def test_a_profile_of_ones_own_cannot_bring_formulas() -> None:
    """A heading that begins as a formula is guarded, and so is every cell."""
    profile = read_profile('[[column]]\nname = "=1+1"\nfrom = "patient_last"', "own")
    rows = [{"patient_last": "=1+1"}, {"patient_last": "-x"}]
    assert profiled_csv(profile, rows) == b"'=1+1\r\n'=1+1\r\n'-x\r\n"
