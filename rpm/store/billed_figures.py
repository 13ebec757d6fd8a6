"""What closes posted, added up for a practice's figures, and kept: a posting never changes.

Owns these sums and their SELECTs. Does not own the other facts behind figures
(``rpm.store.practice_figures``). What is kept here saves time and nothing else: it follows from the
closes that name it.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import case, func, select
from sqlmodel import Session

from billing.screening import PARTS, SUPPLY
from rpm.store.fact_rows import RawId, raw, recorded_by
from rpm.store.scope import Scope
from rpm.store.tables.base import METADATA

T = TypeVar("T")
_CLOSE, _POSTING = METADATA.tables["close"], METADATA.tables["posting"]
_MOST_KEPT = 64


class Kept(Generic[T]):
    """Values of this process by what they follow from; when there are many it begins anew."""

    def __init__(self, most: int = _MOST_KEPT) -> None:
        self._most = most
        self._values: dict[Hashable, T] = {}

    def of(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of a key, made when nobody asked before."""
        known = self._values.get(key)
        if known is not None:
            return known
        if len(self._values) >= self._most:
            self._values.clear()
        # threads share values: whoever comes second takes the one of the first
        return self._values.setdefault(key, make())


@dataclass(frozen=True)
class PostedSum:
    """What the closes of a month posted for a code; reversals count against issues."""

    month_start_day: date
    code: str
    units: int
    amount_cents: int
    amounts_unknown: int


_SUMS: Kept[tuple[tuple[Any, ...], ...]] = Kept(512)


def posted_sums(db: Session, scope: Scope, first_month: date) -> list[PostedSum]:
    """Sums by month of the close and code, from a month on, in this order."""
    closes = db.execute(
        select(_CLOSE.c.month_start_day, _CLOSE.c.id).where(
            _CLOSE.c.organization_id == scope.organization_id,
            _CLOSE.c.month_start_day >= first_month,
        )
    ).all()
    found: dict[tuple[date, str], list[int]] = {}
    for month, close_id in closes:
        for code, *sums in _SUMS.of(close_id, partial(_sums, db, scope, close_id)):
            known = found.setdefault((month, code), [0, 0, 0])
            known[:] = [before + more for before, more in zip(known, sums, strict=True)]
    return [PostedSum(month, code, *found[month, code]) for month, code in sorted(found)]


def _sums(db: Session, scope: Scope, close_id: UUID) -> tuple[tuple[Any, ...], ...]:
    """Code, units, cents and amounts not known of what one close posted."""
    signed = _POSTING.c.sign
    found = db.execute(
        select(
            _POSTING.c.code,
            func.sum(signed * _POSTING.c.units),
            func.coalesce(func.sum(signed * _POSTING.c.amount_cents), 0),
            func.count() - func.count(_POSTING.c.amount_cents),
        )
        .where(
            _POSTING.c.organization_id == scope.organization_id,
            _POSTING.c.close_id == close_id,
        )
        .group_by(_POSTING.c.code)
    )
    return tuple((code, *(int(one) for one in sums)) for code, *sums in found)


@dataclass(frozen=True)
class BilledPatients:
    """What stands billed of patients, by raw id."""

    units: Mapping[RawId, tuple[int, ...]]  # of each of ``PARTS``
    overlapping: frozenset[RawId]  # with supply for days that overlap, or two units in one line


_NOBODY = BilledPatients({}, frozenset())
_BILLED: Kept[BilledPatients] = Kept()


def billed_patients(
    db: Session, scope: Scope, codes: Mapping[str, str], first_day: date
) -> BilledPatients:
    """What stands of services from a day on. ``codes``: the part of each code."""
    last = db.execute(
        select(_CLOSE.c.id, _CLOSE.c.audit_number)
        .where(_CLOSE.c.organization_id == scope.organization_id)
        .order_by(_CLOSE.c.audit_number.desc())
        .limit(1)
    ).first()
    if last is None:
        return _NOBODY
    close_id, until = last
    key = (close_id, first_day, tuple(sorted(codes.items())))
    return _BILLED.of(key, lambda: _billed(db, scope, codes, first_day, until))


def _billed(
    db: Session, scope: Scope, codes: Mapping[str, str], first_day: date, until: int
) -> BilledPatients:
    known = (
        _POSTING.c.organization_id == scope.organization_id,
        _POSTING.c.service_day >= first_day,
        recorded_by(_POSTING, until),
    )
    signed = _POSTING.c.sign * _POSTING.c.units
    of_part = [[code for code, part in codes.items() if part == name] for name in PARTS]
    sums = (func.sum(case((_POSTING.c.code.in_(some), signed), else_=0)) for some in of_part)
    units = db.execute(
        select(raw(_POSTING.c.patient_id), *sums)
        .where(*known, _POSTING.c.code.in_(sorted(codes)))
        .group_by(_POSTING.c.patient_id)
    )
    lines = (
        select(
            _POSTING.c.patient_id,
            func.min(_POSTING.c.period_start_day).label("start_day"),
            func.max(_POSTING.c.period_end_day).label("end_day"),
            func.sum(signed).label("units"),
        )
        .where(*known, _POSTING.c.code.in_(of_part[PARTS.index(SUPPLY)]))
        .group_by(_POSTING.c.patient_id, _POSTING.c.code, _POSTING.c.key)
        .having(func.sum(signed) > 0)
        .subquery()
    )
    before = func.lag(lines.c.end_day).over(
        partition_by=lines.c.patient_id, order_by=lines.c.start_day
    )
    followed = select(lines, before.label("before_day")).subquery()
    overlaps = (followed.c.units > 1) | (followed.c.start_day <= followed.c.before_day)
    twice = db.execute(select(raw(followed.c.patient_id)).where(overlaps).distinct())
    return BilledPatients(
        {patient: tuple(int(one) for one in sums) for patient, *sums in units},
        frozenset(row[0] for row in twice),
    )
