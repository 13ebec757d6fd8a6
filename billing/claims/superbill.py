"""A superbill: what was done for one patient in one month, with codes, diagnoses and charges.

Owns which lines stand on it and their sums. Does not own its look (``rpm.documents.superbill``) nor
what was paid. A line belongs to the month of its last day.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from billing.claims.claim import (
    BillingProvider,
    Claim,
    Coverage,
    Person,
    Provider,
)
from billing.money import Cents


@dataclass(frozen=True)
class SuperbillLine:
    """One service; ``label`` is our own short word for its code, empty where there is none."""

    from_day: date
    to_day: date
    procedure: str
    label: str
    modifiers: tuple[str, ...]
    place: str
    units: int
    diagnoses: tuple[str, ...]
    charge_cents: Cents
    control_number: str  # of its claim


@dataclass(frozen=True)
class Superbill:
    """The whole paper, from the month's first day to its last one."""

    billing: BillingProvider
    patient: Person
    coverages: tuple[Coverage, ...]
    providers: tuple[Provider, ...]
    from_day: date
    to_day: date
    lines: tuple[SuperbillLine, ...]

    @property
    def charge_cents(self) -> Cents:
        """The sum of its lines."""
        return sum(line.charge_cents for line in self.lines)


def superbill(
    claims: Iterable[Claim], from_day: date, to_day: date, labels: Mapping[str, str]
) -> Superbill:
    """The superbill of one patient's standing claims; ``labels`` are words for procedure codes.

    Raises ValueError for no claim with a line in the time, and for claims of several patients.
    """
    fitting = [one for one in claims if any(_ends_in(one, from_day, to_day))]
    if not fitting:
        raise ValueError("no claim has a line in this time")
    # names and addresses may have changed from claim to claim
    if len({one.patient.birth_day for one in fitting}) > 1:
        raise ValueError("a superbill is of one patient")
    lines = [
        _line(claim, place, labels)
        for claim in fitting
        for place, within in enumerate(_ends_in(claim, from_day, to_day))
        if within
    ]
    providers = [one.rendering for one in fitting if one.rendering is not None]
    return Superbill(
        billing=fitting[-1].billing,
        patient=fitting[-1].patient,
        coverages=tuple(dict.fromkeys(one.coverage for one in fitting)),
        providers=tuple(dict.fromkeys(providers)),
        from_day=from_day,
        to_day=to_day,
        lines=tuple(sorted(lines, key=lambda one: (one.to_day, one.procedure, one.from_day))),
    )


def _ends_in(claim: Claim, from_day: date, to_day: date) -> tuple[bool, ...]:
    return tuple(from_day <= line.to_day <= to_day for line in claim.lines)


def _line(claim: Claim, place: int, labels: Mapping[str, str]) -> SuperbillLine:
    line = claim.lines[place]
    return SuperbillLine(
        from_day=line.from_day,
        to_day=line.to_day,
        procedure=line.procedure,
        label=labels.get(line.procedure, ""),
        modifiers=line.modifiers,
        place=line.place or claim.place,
        units=line.units,
        diagnoses=tuple(claim.diagnoses[pointer - 1] for pointer in line.pointers),
        charge_cents=line.charge_cents,
        control_number=claim.control_number,
    )
