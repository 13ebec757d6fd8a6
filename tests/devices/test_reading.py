"""Readings: the table of kinds, unit conversion against fractions, components, RFC 3339 texts."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.kinds import KINDS, ledger_kind
from devices.reading import (
    CannotReadError,
    Reading,
    component,
    missing_quantities,
    valid_offset,
)
from devices.timestamps import parse_rfc3339
from devices.units import UnknownUnitError, convert

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LEDGER_WORDS = {
    "bp", "scale", "pulseox", "glucose", "thermometer", "spirometer", "wellness", "cgm",
    "adherence",
}  # fmt: skip
ORACLE = {
    ("[lb_av]", "kg"): lambda x: x * Fraction(45359237, 100_000_000),
    ("g", "kg"): lambda x: x / 1000,
    ("[degF]", "Cel"): lambda x: (x - 32) * Fraction(5, 9),
    ("kPa", "mm[Hg]"): lambda x: x * Fraction(7500617, 1_000_000),
    ("mmol/L", "mg/dL"): lambda x: x * Fraction(1801559, 100_000),
    ("L/s", "L/min"): lambda x: x * 60,
    ("min", "h"): lambda x: x / 60,
}
VALUES = st.decimals(Decimal(-999_999), Decimal(999_999), places=4)


@pytest.mark.parametrize("pair", ORACLE, ids=lambda pair: f"{pair[0]} to {pair[1]}")
@given(value=VALUES)
def test_conversion_agrees_with_fractions(pair: tuple[str, str], value: Decimal) -> None:
    """Conversion is the exact fraction, or the nearest decimal of 28 digits."""
    exact = ORACLE[pair](Fraction(value))
    converted = Fraction(convert(value, *pair))
    assert abs(converted - exact) <= abs(exact) / 10**27
    if exact.denominator % 3:
        assert converted == exact


@given(VALUES)
def test_a_value_in_its_own_unit_stays_as_it_is(value: Decimal) -> None:
    """No rounding and no other digits where nothing is to be converted."""
    assert str(convert(value, "mmHg", "mm[Hg]")) == str(value)


@pytest.mark.parametrize("factor", ["18.0182", "18"])
def test_other_glucose_factors_stay_within_a_thousandth(factor: str) -> None:
    """The two other factors in use give figures within 0.1 percent of ours."""
    ours = convert(Decimal(10), "mmol/L", "mg/dL")
    assert abs(ours - 10 * Decimal(factor)) / ours <= Decimal("0.001")


@pytest.mark.parametrize(
    ("unit", "to"), [("[stone_av]", "kg"), ("kg", "[lb_av]"), ("", "kg"), ("mm[Hg]", "kg")]
)
def test_an_unknown_unit_is_refused(unit: str, to: str) -> None:
    """A pair that is not in the table is an error, never a guess."""
    with pytest.raises(UnknownUnitError):
        convert(Decimal(1), unit, to)


def test_every_kind_has_a_word_of_the_ledger() -> None:
    """Each kind maps to one of the ledger's nine device words, and every word is used."""
    assert {ledger_kind(kind) for kind in KINDS} == LEDGER_WORDS


def test_usual_ranges_lie_within_refused_ones() -> None:
    """What is flagged is wider watched than what is refused, for every quantity of every kind."""
    for kind in KINDS.values():
        for quantity in kind.quantities:
            low, high = quantity.refuse
            assert low <= quantity.flag[0] < quantity.flag[1] <= high, quantity.name


def test_a_quantity_goes_by_one_code() -> None:
    """Another LOINC code or the short name of a quantity is kept under its first code."""
    kind = KINDS["glucose"]
    codes = {
        component(kind, code, "100", "mg/dL").loinc for code in ("2339-0", "41653-7", "glucose")
    }
    assert codes == {"41653-7"}


def test_a_component_keeps_what_was_sent() -> None:
    """Value and unit as sent stand beside the converted ones."""
    part = component(KINDS["weight"], "weight", " 180.50", "lbs")
    assert part.value == Decimal("81.8734227850") == Decimal("180.5") * Decimal("0.45359237")
    assert (part.ucum, part.original_value, part.original_unit) == ("kg", " 180.50", "lbs")


@pytest.mark.parametrize(
    ("code", "value", "unit", "reason"),
    [
        ("8480-6", "80", "kg", "code"),
        ("weight", "", "kg", "value"),
        ("weight", "80,5", "kg", "value"),
        ("weight", "٨٠", "kg", "value"),
        ("weight", "8" * 10, "kg", "value"),
        ("weight", "High", "kg", "value"),
        ("weight", "80", "mmol/L", "unit"),
    ],
)
def test_what_cannot_be_read_says_which_part(code: str, value: str, unit: str, reason: str) -> None:
    """Code, value and unit are refused each with its own reason code."""
    with pytest.raises(CannotReadError) as caught:
        component(KINDS["weight"], code, value, unit)
    assert caught.value.reason == reason


def test_missing_quantities_are_named() -> None:
    """A pressure with one value lacks the other; an optional pulse is never missing."""
    kind = KINDS["bp"]
    systolic = component(kind, "systolic", "120", "mmHg")
    diastolic = component(kind, "diastolic", "80", "mmHg")
    pulse = component(kind, "pulse", "70", "bpm")
    assert missing_quantities(kind, [systolic]) == ("diastolic",)
    assert missing_quantities(kind, [diastolic, systolic]) == ()
    for parts in ([pulse], [], [systolic, systolic]):
        with pytest.raises(CannotReadError):
            missing_quantities(kind, parts)


def test_a_reading_refuses_a_time_without_zone() -> None:
    """A naive time of measurement is a programming error, not a guess."""
    with pytest.raises(ValueError, match="no zone"):
        Reading("d", "weight", (), datetime(2026, 1, 1), "")  # noqa: DTZ001 - the point of it


@pytest.mark.parametrize(
    ("minutes", "valid"),
    [(-300, True), (345, True), (0, True), (-840, True), (855, False), (-200, False), (1, False)],
)
def test_offsets_are_quarter_hours_within_14_hours(minutes: int, *, valid: bool) -> None:
    """An offset that no zone has, such as -200 minutes, is not one."""
    assert valid_offset(minutes) is valid


@given(
    st.integers(-631_000_000, 7_258_000_000).map(lambda s: EPOCH + timedelta(seconds=s)),
    st.integers(-56, 56),
)
def test_rfc3339_texts_give_instant_and_offset(instant: datetime, quarters: int) -> None:
    """A text with an offset gives back the instant and, if it is not UTC itself, the offset."""
    zone = timezone(timedelta(minutes=15 * quarters))
    stamp = parse_rfc3339(instant.astimezone(zone).isoformat())
    assert stamp == (instant, 15 * quarters)


@pytest.mark.parametrize(
    ("text", "offset_minutes"),
    [
        ("2026-01-31T12:00:00Z", None),
        ("2026-01-31t12:00:00z", None),
        ("2026-01-31 12:00:00-00:00", None),
        ("2026-01-31T12:00:00+00:00", 0),
    ],
)
def test_only_a_stated_offset_is_an_offset(text: str, offset_minutes: int | None) -> None:
    """``Z`` and ``-00:00`` leave the offset unknown; ``+00:00`` states it."""
    assert parse_rfc3339(text) == (datetime(2026, 1, 31, 12, tzinfo=UTC), offset_minutes)


@given(st.text(max_size=30) | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d"))
def test_any_text_is_a_time_or_a_refusal(text: str) -> None:
    """A text is read as an instant of the years 1950 to 2200 or refused with reason ``time``."""
    try:
        stamp = parse_rfc3339(text)
    except CannotReadError as error:
        reason = error.reason
    else:
        reason = "time" if 1949 <= stamp.instant.year <= 2200 else "out of bounds"
    assert reason == "time"
