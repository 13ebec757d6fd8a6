"""What a practice's figures are computed from, as frames: episodes, device days, postings, visits.

Owns these reads. Does not own the figures (``billing.figures``, ``billing.screening``). A patient
is a row number; ``patient_ids`` leads back to the id.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import pandas as pd
from sqlalchemy import func, select
from sqlmodel import Session, col

from billing.days import day_number
from rpm.store.fact_rows import FactReader, RawId, as_uuid, raw
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close, Posting, ReadinessRow
from rpm.store.tables.monitoring import DeviceDay

ESTABLISHED = "established"
_OPEN = -1


@dataclass(frozen=True)
class Enrolled:
    """Episodes as a frame, and the patients that its rows name.

    ``episodes``: patient, opened_day, closed_day (-1 while it is open).
    """

    episodes: pd.DataFrame
    rows: Mapping[RawId, int]  # by raw id of the patient

    def patient_ids(self, rows: Collection[int]) -> list[UUID]:
        """The ids of some rows, in order of the ids."""
        ids = list(self.rows)
        return sorted(as_uuid(ids[row]) for row in rows)


def enrolled(db: Session, scope: Scope) -> Enrolled:
    """All episodes of the practice."""
    reader = FactReader(db, scope.organization_id)
    episodes = reader.episodes()
    ends = reader.latest_of_episodes("episode_end", "last_day")
    rows: dict[RawId, int] = {}
    values = []
    for episode in episodes:
        end = ends.get(episode.id)
        last_day = None if end is None else end[1]
        values.append(
            (
                rows.setdefault(episode.patient_id, len(rows)),
                day_number(episode.opened_day),
                _OPEN if last_day is None else day_number(last_day),
            )
        )
    return Enrolled(pd.DataFrame(values, columns=["patient", "opened_day", "closed_day"]), rows)


def readings_by_day(db: Session, scope: Scope, first_day: date) -> pd.DataFrame:
    """By day number, readings that count and readings that do not, from a day on."""
    found = db.execute(
        select(
            col(DeviceDay.day),
            func.sum(col(DeviceDay.qualifying_count)),
            func.sum(col(DeviceDay.refused_count)),
        )
        .where(
            col(DeviceDay.organization_id) == scope.organization_id,
            col(DeviceDay.day) >= day_number(first_day),
        )
        .group_by(col(DeviceDay.day))
    )
    rows = [(int(day), int(counted), int(refused)) for day, counted, refused in found]
    return pd.DataFrame(rows, columns=["day", "counted", "refused"])


@dataclass(frozen=True)
class PostedSum:
    """What the closes of a month posted for a code; reversals count against issues."""

    month_start_day: date
    code: str
    units: int
    amount_cents: int
    amounts_unknown: int


def posted_sums(db: Session, scope: Scope, first_month: date) -> list[PostedSum]:
    """Sums by month of the close and code, from a month on."""
    signed = col(Posting.sign)
    found = db.execute(
        select(
            col(Close.month_start_day),
            col(Posting.code),
            func.sum(signed * col(Posting.units)),
            func.coalesce(func.sum(signed * col(Posting.amount_cents)), 0),
            func.count() - func.count(col(Posting.amount_cents)),
        )
        .join(
            Close,
            (col(Close.organization_id) == col(Posting.organization_id))
            & (col(Close.id) == col(Posting.close_id)),
        )
        .where(
            col(Posting.organization_id) == scope.organization_id,
            col(Close.month_start_day) >= first_month,
        )
        .group_by(col(Close.month_start_day), col(Posting.code))
        .order_by(col(Close.month_start_day), col(Posting.code))
    )
    return [PostedSum(row[0], row[1], int(row[2]), int(row[3]), int(row[4])) for row in found]


def earned_now(db: Session, scope: Scope) -> dict[str, int]:
    """How many running periods earn a code as they stand, by code; held ones are left out."""
    found = db.execute(
        select(col(ReadinessRow.earned_code), func.count())
        .where(
            col(ReadinessRow.organization_id) == scope.organization_id,
            col(ReadinessRow.earned_code) != "",
            col(ReadinessRow.state) != "held",
        )
        .group_by(col(ReadinessRow.earned_code))
    )
    return {code: int(count) for code, count in found}


def parts_billed(
    db: Session, scope: Scope, who: Enrolled, codes: Mapping[str, str], first_day: date
) -> pd.DataFrame:
    """Live units of each part by patient, for services from a day on.

    ``codes``: the part of each code. Gives patient and a column for each part.
    """
    found = db.execute(
        select(_raw_patient(), col(Posting.code), func.sum(col(Posting.sign) * col(Posting.units)))
        .where(
            col(Posting.organization_id) == scope.organization_id,
            col(Posting.service_day) >= first_day,
            col(Posting.code).in_(sorted(codes)),
        )
        .group_by(col(Posting.patient_id), col(Posting.code))
    )
    units: dict[int, dict[str, int]] = {}
    for patient_id, code, count in found:
        row = units.setdefault(who.rows[patient_id], dict.fromkeys(codes.values(), 0))
        row[codes[code]] += int(count)
    parts = sorted(set(codes.values()))
    rows = [(patient, *(row[part] for part in parts)) for patient, row in units.items()]
    return pd.DataFrame(rows, columns=["patient", *parts])


def supply_billed(
    db: Session, scope: Scope, who: Enrolled, codes: Collection[str], first_day: date
) -> pd.DataFrame:
    """Live supply lines for services from a day on: patient, start_day, end_day, units."""
    live = func.sum(col(Posting.sign) * col(Posting.units))
    found = db.execute(
        select(
            _raw_patient(),
            func.min(col(Posting.period_start_day)),
            func.max(col(Posting.period_end_day)),
            live,
        )
        .where(
            col(Posting.organization_id) == scope.organization_id,
            col(Posting.service_day) >= first_day,
            col(Posting.code).in_(sorted(codes)),
        )
        .group_by(col(Posting.patient_id), col(Posting.key))
        .having(live > 0)
    )
    rows = [
        (who.rows[patient], day_number(start), day_number(end), int(units))
        for patient, start, end, units in found
    ]
    return pd.DataFrame(rows, columns=["patient", "start_day", "end_day", "units"])


def visited_before(db: Session, scope: Scope, who: Enrolled, first_day: date) -> pd.DataFrame:
    """Patients first enrolled from a day on: patient, visited.

    Visited: a service of this practice, or the established relationship, is on file for the day
    of enrollment or before.
    """
    reader = FactReader(db, scope.organization_id)
    first_enrolled = who.episodes.groupby("patient")["opened_day"].min()
    earliest: dict[int, int] = {}

    def note(patient_id: RawId, day: date) -> None:
        row = who.rows.get(patient_id)
        if row is not None:
            number = day_number(day)
            earliest[row] = min(number, earliest.get(row, number))

    for _, patient_id, _, day, own, *_ in reader.services():
        if own:
            note(patient_id, day)
    patients = {episode.id: episode.patient_id for episode in reader.episodes()}
    for gate in reader.fetch(reader.of_episodes("episode_gate", "episode_id", "gate", "from_day")):
        if gate.gate == ESTABLISHED:
            note(patients[gate.episode_id], gate.from_day)
    new = first_enrolled[first_enrolled >= day_number(first_day)]
    rows = [
        (patient, earliest.get(patient, day + 1) <= day)
        for patient, day in zip(new.index.tolist(), new.tolist(), strict=True)
    ]
    return pd.DataFrame(rows, columns=["patient", "visited"])


def billed_elsewhere(
    db: Session, scope: Scope, who: Enrolled, codes: Collection[str], first_day: date
) -> pd.Series:
    """Patients for whom another practice's service of these codes is on file from a day on."""
    services = FactReader(db, scope.organization_id).services()
    rows = [
        who.rows[patient_id]
        for _, patient_id, code, day, own, *_ in services
        if not own and code in codes and day >= first_day and patient_id in who.rows
    ]
    return pd.Series(rows, dtype="int64")


def _raw_patient() -> Any:
    column: Any = Posting.patient_id
    return raw(column)
