"""Profiles: what a page may say, and what is refused with its place."""

import re
from pathlib import Path

import pytest

from rpm.imports.fields import FIELDS
from rpm.imports.profile import ImportProfile, load_profile, read_profile, shipped_profiles
from rpm.imports.refusals import ProfileError

GOOD = """
title = "cuffs"
kind = "readings"
format = "csv"
date_order = "MDY"
[columns]
measured_at = "When"
device_id = "Serial"
[fixed]
patient_ref = "{patient}"
kind = "bp"
[[component]]
name = "systolic"
values = [{ column = "Sys", unit = "mmHg" }]
"""


def refusal(text: str) -> str:
    """The reason for which a page is refused."""
    with pytest.raises(ProfileError) as caught:
        read_profile(text, "cuffs.toml")
    assert caught.value.name == "cuffs.toml"
    return caught.value.reason


def test_a_page_is_read() -> None:
    """One column may stand for a list of columns, and the header is the first row."""
    profile = read_profile(GOOD, "cuffs.toml")
    assert isinstance(profile, ImportProfile)
    assert profile.columns["measured_at"] == ["When"]
    assert profile.header.row == 1


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('title = "cuffs"', 'title = "cuffs"\ncolour = "red"', "colour: Extra inputs"),
        ('format = "csv"', 'format = "pdf"', "format: "),
        ('date_order = "MDY"', "", "date_order is missing"),
        ('date_order = "MDY"', 'date_order = "YDM"', "date_order is not"),
        ('date_order = "MDY"', 'date_order = "MDY"\nzone = "Mars/Base"', "zone is not"),
        ('date_order = "MDY"', 'date_order = "MDY"\nheader = {}', "header: .*either row or"),
        ('date_order = "MDY"', 'date_order = "MDY"\nheader = { row = 0 }', "header: .*from 1"),
        ('device_id = "Serial"', "", "nothing gives device_id"),
        ('device_id = "Serial"', 'device_id = "Serial"\nsize = "L"', "have no field size"),
        (', unit = "mmHg"', "", "component.0.values.0: .*either unit or"),
        ('kind = "bp"', 'kind = "bp"\n[words.status]\na = "final"', "what no column gives"),
        ('kind = "bp"', 'kind = "bp"\n[[keep]]\ncolumn = "T"', "keep.0: .*either one_of"),
        ('title = "cuffs"', "title = ", "Invalid value .*line 2"),
    ],
)
def test_a_page_with_an_error_is_refused_with_the_place(old: str, new: str, reason: str) -> None:
    """Each refusal names the key and what is wrong with it."""
    assert old in GOOD
    found = refusal(GOOD.replace(old, new))
    assert re.search(reason, found), found


def test_readings_need_a_component() -> None:
    """A page of readings without a quantity, or of entries with one, is refused."""
    assert "at least one component" in refusal(GOOD.partition("[[component]]")[0])
    assert "belong to readings" in refusal(
        'title = "x"\nkind = "coverages"\nformat = "csv"\ndate_order = "YMD"\n'
        'time = "epoch-seconds"\n[columns]\nrecord_number = "a"\npayer = "b"\n'
        'member_id = "c"\nfrom_day = "d"\n'
    )


def test_a_zone_of_the_patient_is_for_readings() -> None:
    """Days of entries are the practice's."""
    assert "only for readings" in refusal(
        'title = "x"\nkind = "services"\nformat = "csv"\ndate_order = "YMD"\nzone = "patient"\n'
        '[columns]\nrecord_number = "a"\ncode = "b"\nservice_day = "c"\n'
    )


def test_options_are_asked_for_and_filled_in() -> None:
    """A page names the options it needs; a missing or an unknown one is refused."""
    profile = read_profile(GOOD, "cuffs.toml")
    assert profile.options() == {"patient"}
    assert profile.with_options({"patient": "P-1"}).fixed["patient_ref"] == "P-1"
    with pytest.raises(ProfileError, match="needs the options patient"):
        profile.with_options({})
    with pytest.raises(ProfileError, match="has no options user"):
        profile.with_options({"patient": "P-1", "user": "x"})


def test_the_date_order_may_be_an_option_but_not_any_word() -> None:
    """An order left to the command line is checked when it is given."""
    profile = read_profile(GOOD.replace('"MDY"', '"{order}"'), "cuffs.toml")
    given = {"patient": "P-1", "order": "DMY"}
    assert profile.with_options(given).date_order == "DMY"
    with pytest.raises(ProfileError, match="date_order is not"):
        profile.with_options(given | {"order": "guess"})


@pytest.mark.parametrize("name", shipped_profiles())
def test_every_shipped_profile_is_sound(name: str) -> None:
    """A shipped page reads, and says in its first line what it is for."""
    assert load_profile(name).title
    folder = Path(__file__).parents[3] / "rpm" / "imports" / "profiles"
    assert (folder / f"{name}.toml").read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize("kind", sorted(FIELDS))
def test_each_kind_has_a_generic_profile(kind: str) -> None:
    """The documented generic columns exist for every kind and give every field of it."""
    profile = load_profile(f"generic-{kind}")
    assert profile.kind == kind
    assert set(FIELDS[kind]) - profile.fields <= {"offset"}
    assert not profile.options()


@pytest.mark.parametrize("name", ["nosuch", "../profile", "libreview/..", ""])
def test_an_unknown_profile_is_refused_with_the_known_ones(name: str) -> None:
    """A name that is not shipped lists the names that are, and leads to no other file."""
    with pytest.raises(ProfileError, match="dexcom-clarity"):
        load_profile(name)


def test_a_page_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    """A path that holds no text is an error of the profile."""
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    for path in (tmp_path / "none.toml", tmp_path / "bytes.toml"):
        with pytest.raises(ProfileError, match="cannot be read"):
            load_profile(str(path))
