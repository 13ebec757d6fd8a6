"""Units: our exact conversions against pint, which is used nowhere but here."""

from decimal import Decimal

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.kinds import KINDS
from devices.units import convert, ucum

REGISTRY = pint.UnitRegistry(non_int_type=Decimal)
GLUCOSE = REGISTRY.Quantity(Decimal("180.1559"), "g/mol")
EXACT = Decimal("1e-20")
PINT = {
    ("[lb_av]", "kg"): ("pound", "kilogram", EXACT),
    ("g", "kg"): ("gram", "kilogram", EXACT),
    ("[degF]", "Cel"): ("degree_Fahrenheit", "degree_Celsius", EXACT),
    # the factor has seven digits; definitions of the millimeter of mercury differ in the seventh
    ("kPa", "mm[Hg]"): ("kilopascal", "millimeter_Hg", Decimal("2e-7")),
    ("Pa", "mm[Hg]"): ("pascal", "millimeter_Hg", Decimal("2e-7")),
    ("mmol/L", "mg/dL"): ("millimole/liter", "milligram/deciliter", EXACT),
    ("L/s", "L/min"): ("liter/second", "liter/minute", EXACT),
    ("min", "h"): ("minute", "hour", EXACT),
}
"""Our pair, the same for pint, and how far they may lie apart as a share of the value."""
VALUES = st.decimals(Decimal(-1_000), Decimal(200_000), places=4)


@pytest.mark.parametrize("pair", PINT, ids=lambda pair: f"{pair[0]} to {pair[1]}")
@given(value=VALUES)
def test_conversion_agrees_with_pint(pair: tuple[str, str], value: Decimal) -> None:
    """Every pair of our table gives what pint gives, to the digits that the factor has."""
    source, target, apart = PINT[pair]
    quantity = REGISTRY.Quantity(value, source)
    if pair == ("mmol/L", "mg/dL"):
        expected = quantity.to(target, "chemistry", mw=GLUCOSE).magnitude
    else:
        expected = quantity.to(target).magnitude
    assert abs(convert(value, *pair) - expected) <= apart * max(abs(expected), 1)


def test_every_conversion_has_its_judge() -> None:
    """No pair into a kept unit is known to us that pint was not asked about."""
    kept = {quantity.ucum for kind in KINDS.values() for quantity in kind.quantities}
    sent = {source for source, _ in PINT} | kept | {"oz", "[oz_av]", "K", "cm[Hg]", "mg", "s", "L"}
    known = set()
    for source in sent:
        for target in kept - {source}:
            try:
                convert(Decimal(1), source, target)
            except ValueError:
                continue
            known.add((source, target))
    assert known == set(PINT)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("{beat}/min", "/min"),
        ("{Beats}/min", "/min"),
        ("1/min", "/min"),
        ("{steps}", "1"),
        ("%{saturation}", "%"),
        ("mmHg", "mm[Hg]"),
        (" lb ", "[lb_av]"),
        ("stone", "stone"),
        ("{beat}/min}", "/min}"),
    ],
)
def test_spellings_of_a_unit_are_one_code(sent: str, code: str) -> None:
    """Names of senders are known, annotations in braces say nothing of the unit (UCUM 6)."""
    assert ucum(sent) == code
