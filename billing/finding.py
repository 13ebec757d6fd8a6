"""Finding: a problem in data, returned as a value and never raised.

Owns the shape and the severities. Does not own the texts a person reads about one code: those
stand in ``billing/rules/data/findings.toml``.
"""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding weighs, read from the first letter of its code."""

    ERROR = "error"  # E_: stops a line
    WARNING = "warning"  # W_: goes with what leaves, or tells what was left out
    INFORMATION = "information"  # I_: informs


_SEVERITY_BY_LETTER = {
    "E": Severity.ERROR,
    "W": Severity.WARNING,
    "I": Severity.INFORMATION,
}


def severity_of(code: str) -> Severity:
    """Severity of a finding code such as ``E_NO_CONSENT``; KeyError for another first letter."""
    return _SEVERITY_BY_LETTER[code[0]]


@dataclass(frozen=True)
class Finding:
    """One problem: a stable code, where it lies (a file line, a field, a row) and a sentence."""

    code: str
    where: str
    message: str

    @property
    def severity(self) -> Severity:
        """Read from the code's first letter."""
        return severity_of(self.code)
