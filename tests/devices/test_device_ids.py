"""IMEI numbers with and without leading zeros and check digit name the same device."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.device_ids import check_digit, imei, same_device_ids

CORES = st.from_regex(r"\A0{0,2}[1-9][0-9]{11}[0-9]{2}\Z").map(lambda text: text[:14])


def test_check_digit_is_the_one_of_the_standard() -> None:
    """The example of 3GPP TS 23.003 annex B: 26053179311383 has the check digit 7."""
    assert check_digit("26053179311383") == "7"
    assert check_digit("49015420323751") == "8"


@pytest.mark.parametrize(
    "text",
    ["013554001234567", "01355400123456", "1355400123456", "13554001234567"],
    ids=["whole", "no check digit", "neither", "no leading zero"],
)
def test_one_imei_in_every_spelling(text: str) -> None:
    """Whole, without check digit, without leading zeros and without both: the same device."""
    assert check_digit("01355400123456") == "7"
    assert {"013554001234567", "1355400123456"} <= same_device_ids(text)


def test_a_wrong_check_digit_is_no_imei() -> None:
    """Serial numbers of fifteen digits that differ in the last one stay two devices."""
    assert same_device_ids("490154203237517") == {"490154203237517"}


@pytest.mark.parametrize("text", ["", "BP-00417", "12345678901", "3f2a-imei", "٤٩٠١٥٤٢٠٣٢٣٧٥١٨"])
def test_other_ids_have_no_other_spelling(text: str) -> None:
    """Texts, short numbers and digits of other scripts are themselves only."""
    assert same_device_ids(text) == {text}


@given(core=CORES)
def test_spellings_lead_back_to_each_other(core: str) -> None:
    """Whichever spelling is registered, every other one finds it."""
    whole = core + check_digit(core)
    spellings = {core, whole, core.lstrip("0"), whole.lstrip("0")}
    for one in spellings:
        assert spellings <= same_device_ids(one)


@given(text=st.text(max_size=20))
def test_a_text_always_names_itself(text: str) -> None:
    """No text is lost, whatever it holds."""
    assert text in same_device_ids(text)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("490154203237518", "490154203237518"),
        ("35209900176148", "352099001761481"),
        ("1355400123456", "013554001234567"),
        ("490154203237517", None),
        ("BP-00417", None),
        ("٤٩٠١٥٤٢٠٣٢٣٧٥١٨", None),
    ],
    ids=["whole", "no check digit", "neither", "wrong check digit", "no number", "other digits"],
)
def test_the_imei_as_it_is_printed(text: str, whole: str | None) -> None:
    """A text that can be one IMEI only is told with its check digit; a serial number is none."""
    assert imei(text) == whole


def test_a_number_that_may_be_two_imeis_is_told_as_none() -> None:
    """Thirteen or fourteen digits whose last one would be a check digit too stay open."""
    core = "01355400123456"
    assert imei((core + check_digit(core))[1:]) is None
    assert imei("49015420323751") is None
