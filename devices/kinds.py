"""Kinds of reading: which quantities each holds, their LOINC codes, units and ranges.

Owns the table and the word each kind has in the ledger. Does not own what makes a reading count
(``counting``). Ranges are this project's proposal, wide enough not to lose a true crisis reading:
outside ``refuse`` a reading is kept but quarantined, outside ``flag`` it is kept and marked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

Range = tuple[Decimal, Decimal]


@dataclass(frozen=True)
class Quantity:
    """One number of a reading: our short name, LOINC codes (the first is kept), unit, ranges."""

    name: str
    loinc: tuple[str, ...]
    ucum: str
    refuse: Range
    flag: Range
    required: bool = True

    @property
    def code(self) -> str:
        """The LOINC code that is kept."""
        return self.loinc[0]


@dataclass(frozen=True)
class Kind:
    """A kind of reading: its quantities, the ledger's word for it, whether it is physiologic."""

    name: str
    ledger: str
    physiologic: bool
    quantities: tuple[Quantity, ...]

    def quantity(self, code: str) -> Quantity | None:
        """The quantity that goes by this LOINC code or short name, or None."""
        for quantity in self.quantities:
            if code == quantity.name or code in quantity.loinc:
                return quantity
        return None


def _between(low: str, high: str) -> Range:
    return Decimal(low), Decimal(high)


_PULSE = Quantity("pulse", ("8867-4",), "/min", _between("20", "300"), _between("30", "200"))
_OPTIONAL_PULSE = Quantity(
    _PULSE.name, _PULSE.loinc, _PULSE.ucum, _PULSE.refuse, _PULSE.flag, required=False
)
_FEV1 = Quantity("fev1", ("20150-9",), "L", _between("0.1", "10"), _between("0.5", "7"))
_GLUCOSE_REFUSED = _between("10", "1000")

_TABLE = (
    Kind(
        "bp",
        "bp",
        physiologic=True,
        quantities=(
            Quantity(
                "systolic", ("8480-6",), "mm[Hg]", _between("40", "300"), _between("70", "250")
            ),
            Quantity(
                "diastolic", ("8462-4",), "mm[Hg]", _between("20", "200"), _between("40", "150")
            ),
            Quantity(
                "mean",
                ("8478-0",),
                "mm[Hg]",
                _between("25", "240"),
                _between("25", "240"),
                required=False,
            ),
            _OPTIONAL_PULSE,
        ),
    ),
    # The ledger names devices: of its words the oximeter is the one that reports both rates.
    Kind("heart_rate", "pulseox", physiologic=True, quantities=(_PULSE,)),
    Kind(
        "resp_rate",
        "pulseox",
        physiologic=True,
        quantities=(
            Quantity("rate", ("9279-1",), "/min", _between("2", "100"), _between("4", "60")),
        ),
    ),
    Kind(
        "weight",
        "scale",
        physiologic=True,
        quantities=(
            Quantity("weight", ("29463-7",), "kg", _between("0.5", "500"), _between("20", "350")),
        ),
    ),
    Kind(
        "glucose",
        "glucose",
        physiologic=True,
        quantities=(
            Quantity(
                "glucose", ("41653-7", "2339-0"), "mg/dL", _GLUCOSE_REFUSED, _between("20", "600")
            ),
        ),
    ),
    Kind(
        "glucose_cgm",
        "cgm",
        physiologic=True,
        quantities=(
            Quantity(
                "glucose", ("99504-3", "105272-9"), "mg/dL", _GLUCOSE_REFUSED, _between("40", "400")
            ),
        ),
    ),
    Kind(
        "spo2",
        "pulseox",
        physiologic=True,
        quantities=(
            Quantity(
                "spo2", ("59408-5", "2708-6"), "%", _between("30", "100"), _between("70", "100")
            ),
            _OPTIONAL_PULSE,
        ),
    ),
    Kind(
        "temperature",
        "thermometer",
        physiologic=True,
        quantities=(
            Quantity("temperature", ("8310-5",), "Cel", _between("25", "45"), _between("34", "42")),
        ),
    ),
    Kind(
        "peak_flow",
        "spirometer",
        physiologic=True,
        quantities=(
            Quantity(
                "peak_flow", ("33452-4",), "L/min", _between("20", "1000"), _between("50", "900")
            ),
            Quantity(_FEV1.name, _FEV1.loinc, _FEV1.ucum, _FEV1.refuse, _FEV1.flag, required=False),
        ),
    ),
    Kind("fev1", "spirometer", physiologic=True, quantities=(_FEV1,)),
    Kind(
        "steps",
        "wellness",
        physiologic=False,
        quantities=(
            Quantity("steps", ("41950-7",), "1", _between("0", "200000"), _between("0", "100000")),
        ),
    ),
    Kind(
        "sleep",
        "wellness",
        physiologic=False,
        quantities=(
            Quantity("sleep", ("93832-4",), "h", _between("0", "24"), _between("2", "16")),
        ),
    ),
    # Events without a measured quantity: kept as facts of their day, with no component.
    Kind("ecg_flag", "wellness", physiologic=False, quantities=()),
    Kind("medication", "adherence", physiologic=False, quantities=()),
)

KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in _TABLE})
"""Every kind of reading by name."""


def ledger_kind(kind: str) -> str:
    """The ledger's word for a kind of reading; KeyError for a kind that is not in the table."""
    return KINDS[kind].ledger
