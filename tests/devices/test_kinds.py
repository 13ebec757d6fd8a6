"""Kinds: codes, units and ranges as they were decided, written down a second time."""

import pytest

from devices.kinds import KINDS

DECIDED = {
    ("bp", "systolic"): ("8480-6", "mm[Hg]", "40-300", "70-250"),
    ("bp", "diastolic"): ("8462-4", "mm[Hg]", "20-200", "40-150"),
    ("bp", "mean"): ("8478-0", "mm[Hg]", "25-240", "25-240"),
    ("bp", "pulse"): ("8867-4", "/min", "20-300", "30-200"),
    ("heart_rate", "pulse"): ("8867-4", "/min", "20-300", "30-200"),
    ("weight", "weight"): ("29463-7", "kg", "0.5-500", "20-350"),
    ("glucose", "glucose"): ("41653-7 2339-0", "mg/dL", "10-1000", "20-600"),
    ("glucose_cgm", "glucose"): ("99504-3 105272-9", "mg/dL", "10-1000", "40-400"),
    ("spo2", "spo2"): ("59408-5 2708-6", "%", "30-100", "70-100"),
    ("spo2", "pulse"): ("8867-4", "/min", "20-300", "30-200"),
    ("temperature", "temperature"): ("8310-5", "Cel", "25-45", "34-42"),
    ("resp_rate", "rate"): ("9279-1", "/min", "2-100", "4-60"),
    ("peak_flow", "peak_flow"): ("33452-4", "L/min", "20-1000", "50-900"),
    ("peak_flow", "fev1"): ("20150-9", "L", "0.1-10", "0.5-7"),
    ("fev1", "fev1"): ("20150-9", "L", "0.1-10", "0.5-7"),
    ("steps", "steps"): ("41950-7", "1", "0-200000", "0-100000"),
    ("sleep", "sleep"): ("93832-4", "h", "0-24", "2-16"),
}
"""LOINC codes (the first is kept), unit, range that is not refused, range that is not marked."""
TABLE = {(kind.name, one.name): one for kind in KINDS.values() for one in kind.quantities}


def test_the_table_holds_what_was_decided_and_no_more() -> None:
    """No quantity is missing, none was added without a decision."""
    assert set(TABLE) == set(DECIDED)


@pytest.mark.parametrize("name", DECIDED, ids="-".join)
def test_a_quantity_is_as_it_was_decided(name: tuple[str, str]) -> None:
    """Codes, unit and both ranges of each quantity."""
    one = TABLE[name]
    refuse, flag = (f"{low}-{high}" for low, high in (one.refuse, one.flag))
    assert (" ".join(one.loinc), one.ucum, refuse, flag) == DECIDED[name]
