"""What a practice's figures are computed from: episodes, device days, readiness, visits.

Owns these reads. Does not own what was posted (``rpm.store.billed_figures``) nor the figures
(``billing.figures``, ``billing.screening``). A patient is a row number; ``patient_ids`` leads back
to the id.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import pandas as pd
from sqlalchemy import func, select
from sqlmodel import Session, col

from billing.days import day_number
from billing.screening import PARTS
from rpm.store.billed_figures import BilledPatients
from rpm.store.fact_rows import FactReader, RawId, as_uuid
from rpm.store.scope import Scope
from rpm.store.tables.ledger import ReadinessRow
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
    of_episode: Mapping[RawId, int]  # by raw id of the episode

    def patient_ids(self, rows: Collection[int]) -> list[UUID]:
        """The ids of some rows, in order of the ids."""
        ids = list(self.rows)
        return sorted(as_uuid(ids[row]) for row in rows)


def enrolled(db: Session, scope: Scope) -> Enrolled:
    """All episodes of the practice."""
    reader = FactReader(db, scope.organization_id)
    episodes = reader.fetch(reader.of_patients("episode", "id", "patient_id", "opened_day"))
    ends = reader.latest_of_episodes("episode_end", "last_day")
    rows: dict[RawId, int] = {}
    of_episode: dict[RawId, int] = {}
    values = []
    for episode_id, patient_id, opened_day in episodes:
        row = of_episode[episode_id] = rows.setdefault(patient_id, len(rows))
        end = ends.get(episode_id)
        closed_day = _OPEN if end is None or end[1] is None else day_number(end[1])
        values.append((row, day_number(opened_day), closed_day))
    frame = pd.DataFrame(values, columns=["patient", "opened_day", "closed_day"])
    return Enrolled(frame, rows, of_episode)


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


def parts_billed(who: Enrolled, billed: BilledPatients) -> pd.DataFrame:
    """Live units of each part of the service: patient, and a column for each of ``PARTS``."""
    rows = [(who.rows[patient], *units) for patient, units in billed.units.items()]
    return pd.DataFrame(rows, columns=["patient", *PARTS], dtype="int64")


@dataclass(frozen=True)
class Services:
    """Other services that stand, ours and those of other practices."""

    own: list[tuple[int, date]]  # row of the patient, day
    elsewhere: list[tuple[int, str, date]]  # with the code


def services_of(db: Session, scope: Scope, who: Enrolled) -> Services:
    """Services of the patients who were ever enrolled."""
    found = Services([], [])
    for _, patient_id, code, day, own, *_ in FactReader(db, scope.organization_id).services():
        row = who.rows.get(patient_id)
        if row is None:
            continue
        if own:
            found.own.append((row, day))
        else:
            found.elsewhere.append((row, code, day))
    return found


def visited_before(
    db: Session, scope: Scope, who: Enrolled, services: Services, first_day: date
) -> pd.DataFrame:
    """Patients first enrolled from a day on: patient, visited.

    Visited: a service of this practice, or the established relationship, is on file for the day
    of enrollment or before.
    """
    reader = FactReader(db, scope.organization_id)
    gates = reader.fetch(
        reader.of_episodes("episode_gate", "episode_id", "from_day").where(
            reader.table("episode_gate").c.gate == ESTABLISHED
        )
    )
    known = [*services.own]
    known += [(who.of_episode[episode_id], day) for episode_id, day in gates]
    earliest: dict[int, date] = {}
    for row, day in known:
        if row not in earliest or day < earliest[row]:
            earliest[row] = day
    first_enrolled = who.episodes.groupby("patient")["opened_day"].min()
    new = first_enrolled[first_enrolled >= day_number(first_day)]
    rows = [
        (patient, patient in earliest and day_number(earliest[patient]) <= day)
        for patient, day in zip(new.index.tolist(), new.tolist(), strict=True)
    ]
    return pd.DataFrame(rows, columns=["patient", "visited"])
