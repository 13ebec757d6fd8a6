"""Shapes of codes and identifiers, and the check digit of an NPI."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.codes import (
    is_diagnosis_code,
    is_modifier,
    is_place_of_service,
    is_procedure_code,
    npi_is_valid,
)


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (is_procedure_code, "99453 G0511 0001F 0591T S9110", "9945 994533 G051 W1234 99-53 ９9453"),
        (is_diagnosis_code, "I10 E11.9 E119 Z79.899 C4A.0 U07.1", "I1 10I E11. e11.9 E11.90000"),
        (is_place_of_service, "11 02 19 99", "00 1 111 AA"),
        (is_modifier, "25 GT X1", "2 255 g5"),
    ],
)
def test_shapes_are_told_apart(check, good, bad):
    """Well-formed values pass, and near misses do not."""
    assert all(check(value) for value in good.split())
    assert not any(check(value) for value in bad.split())
    assert not check("")


@pytest.mark.parametrize("npi", ["1234567893", "1245319599", "1000000004"])
def test_a_right_npi_passes(npi):
    """Ten digits with the right check digit."""
    assert npi_is_valid(npi)


@pytest.mark.parametrize(
    "npi", ["", "123456789", "12345678933", "3234567893", "123456789X", "1234567893\n"]
)
def test_a_malformed_npi_fails(npi):
    """Wrong length, wrong first digit or other characters."""
    assert not npi_is_valid(npi)


@given(
    st.from_regex(r"[12][0-9]{8}", fullmatch=True),
    st.integers(0, 8),
    st.integers(1, 9),
)
def test_one_wrong_digit_is_always_found(body, position, shift):
    """Exactly one last digit is right, and changing any one digit of it is noticed."""
    right = [body + str(last) for last in range(10) if npi_is_valid(body + str(last))]
    assert len(right) == 1
    changed = list(right[0])
    changed[position + 1] = str((int(changed[position + 1]) + shift) % 10)
    assert not npi_is_valid("".join(changed))
