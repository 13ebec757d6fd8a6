"""Overlaps across patients: the parts of entries that another patient's entry leaves standing.

Owns which entries have to be looked at together. Does not own who yields
(``billing.ledger.overlap``).
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Select, select, type_coerce

from billing.days import day_number
from billing.ledger.facts import ENTRY_COLUMNS, MODES, ROLES, WORK, frame
from billing.ledger.overlap import yield_across_patients
from rpm.store.fact_rows import ENTRY_ROW, FactReader, RawId, Rows, as_recorded
from rpm.store.selection import among
from rpm.store.tables.base import METADATA

EntryParts = Mapping[RawId, Sequence[tuple[int, int]]]
"""By entry: start second and length of each part that stays with it, of shared entries only."""


def overlapping_parts(reader: FactReader) -> EntryParts:
    """The parts of the selected patients' entries that overlap work on any other patient."""
    rows = _candidates(reader)
    if len({row[3] for row in rows}) < 2:
        return {}
    entries: dict[RawId, int] = {}
    patients: dict[RawId, int] = {}
    actors: dict[RawId, int] = {}
    for row in rows:
        entries.setdefault(row[0], len(entries))
        patients.setdefault(row[3], len(patients))
        actors.setdefault(row[4] or row[5], len(actors))
    log = frame(
        ENTRY_COLUMNS,
        {
            "entry": range(len(rows)),
            "reverses": [entries.get(row[1], -1) for row in rows],
            "episode": [patients[row[3]] for row in rows],
            "patient": [patients[row[3]] for row in rows],
            "actor": [actors[row[4] or row[5]] for row in rows],
            "role": [ROLES.index(row[6]) for row in rows],
            "work": [WORK.index(row[7]) for row in rows],
            "mode": [MODES.index(row[8]) for row in rows],
            "day": [day_number(row[9]) for row in rows],
            "start_second": [-1 if row[10] is None else row[10] for row in rows],
            "seconds": [row[11] for row in rows],
            "shared": [False] * len(rows),
        },
    )
    yielded = yield_across_patients(log, np.arange(len(rows)))
    kept = yielded[yielded["shared"].to_numpy()]
    keys = list(entries)
    left = np.bincount(yielded["entry"].to_numpy(), minlength=len(keys))
    parts: dict[RawId, list[tuple[int, int]]] = {
        keys[entry]: [] for entry in np.flatnonzero(left == 0).tolist()
    }
    for entry, start, seconds in zip(
        kept["entry"].tolist(), kept["start_second"].tolist(), kept["seconds"].tolist(), strict=True
    ):
        parts.setdefault(keys[entry], []).append((start, seconds))
    return parts


def _candidates(reader: FactReader) -> Rows:
    """Entries of the people and days on which such an overlap may stand, as recorded."""
    table = reader.table("interaction_entry")
    everyone = FactReader(
        reader.db, reader.organization_id, until_audit_number=reader.until_audit_number
    )
    statement = everyone.of_patients("interaction_entry", *ENTRY_ROW).order_by(*as_recorded(table))
    if reader.patients is None:
        return reader.fetch(statement)
    found: list[Any] = []
    for column in ("actor_user_id", "actor_name"):
        days_of: dict[Any, set[date]] = {}
        for who, day in reader.fetch(_overlapping_days(reader, column)):
            days_of.setdefault(who, set()).add(day)
        # one statement a person: both engines then look these days up instead of reading all
        for who, days in days_of.items():
            of_person = [table.c[column] == who, table.c.local_day.in_(sorted(days))]
            found += reader.fetch(statement.where(*_is_person(table, column), *of_person))
    return found


def _overlapping_days(reader: FactReader, column: str) -> Select[Any]:
    """Person and day of each selected patient's entry that overlaps one of another patient."""
    table, other = reader.table("interaction_entry"), _other_entry()
    # apart on SQLite, which would else walk everybody's entries to find the selected patients'
    mine = (
        # values only: references would be taken over anew with each statement
        select(*(type_coerce(table.c[name], table.c[name].type).label(name) for name in _COMPARED))
        .where(
            reader.known(table),
            *_is_person(table, column),
            among(table.c.patient_id, reader.patients),
            table.c.duration_seconds > 0,
        )
        .cte("mine")
        .prefix_with("MATERIALIZED", dialect="sqlite")
    )
    # without DISTINCT: it would make SQLite walk everybody's entries in order
    return select(mine.c[column], mine.c.local_day).where(
        reader.known(other),
        *_is_person(other, column),
        other.c[column] == mine.c[column],
        other.c.local_day == mine.c.local_day,
        other.c.patient_id != mine.c.patient_id,
        other.c.duration_seconds > 0,
        other.c.start_second < mine.c.start_second + mine.c.duration_seconds,
        mine.c.start_second < other.c.start_second + other.c.duration_seconds,
    )


@cache
def _other_entry() -> Any:
    """The table a second time; made once, for its many columns take longer than the query."""
    return METADATA.tables["interaction_entry"].alias("other")


_COMPARED = (
    "patient_id",
    "actor_user_id",
    "actor_name",
    "local_day",
    "start_second",
    "duration_seconds",
)


def _is_person(table: Any, column: str) -> list[ColumnElement[bool]]:
    """People are users; an entry without a user is told apart by the written name."""
    return [] if column == "actor_user_id" else [table.c.actor_user_id.is_(None)]
