"""What a close adds up to for people: by code and payer, and its findings with who can settle them.

Owns the sums and their order. Does not own what is posted (``rpm.actions.compute_close``) nor the
texts of findings (``billing.rules``). Sums of a close that is recorded are a statement of the store
(``rpm.store.queries.close_sums``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from billing.finding import Severity, severity_of
from billing.rules.references import FindingText, finding_text
from rpm.store.queries.close_sums import LineSum

_ORDER = (Severity.ERROR, Severity.WARNING, Severity.INFORMATION)


class PostedLine(Protocol):
    """A posting, computed or stored."""

    @property
    def code(self) -> str: ...  # noqa: D102
    @property
    def payer_key(self) -> str: ...  # noqa: D102
    @property
    def sign(self) -> int: ...  # noqa: D102
    @property
    def units(self) -> int: ...  # noqa: D102
    @property
    def amount_cents(self) -> int | None: ...  # noqa: D102


@dataclass(frozen=True)
class FindingSum:
    """One kind of finding of a month: how often, and what to do about it."""

    code: str
    text: FindingText
    severity: Severity
    count: int


def line_sums(postings: Iterable[PostedLine]) -> list[LineSum]:
    """The sum for each code and payer that something was posted for, in this order."""
    sums: dict[tuple[str, str], LineSum] = {}
    for one in postings:
        key = (one.code, one.payer_key)
        found = sums.setdefault(key, LineSum(*key))
        found.issued += one.sign > 0
        found.reversed += one.sign < 0
        found.units += one.sign * one.units
        if one.amount_cents is None:
            found.amounts_unknown += 1
        else:
            found.amount_cents += one.sign * one.amount_cents
    return [sums[key] for key in sorted(sums)]


def finding_sums(counts: Mapping[str, int]) -> list[FindingSum]:
    """Findings of a close, counted by code: what stops a line first, then the frequent."""
    sums = [
        FindingSum(code, finding_text(code), severity_of(code), count)
        for code, count in counts.items()
    ]
    return sorted(sums, key=lambda one: (_ORDER.index(one.severity), -one.count, one.code))
