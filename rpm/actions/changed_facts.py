"""Changed facts: loaded frames with some rows added and some left out, as a what-if asks.

Owns the mapping from the question's ids and words to rows. Does not own the question
(``rpm.actions.what_if_command``). Nothing is stored.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd

from billing.days import FAR_DAY, day_number
from billing.ledger.added import NewDay, NewEntry, with_days, with_entries
from billing.ledger.facts import (
    DEVICE_DAY_COLUMNS,
    GATE_COLUMNS,
    GATES,
    KINDS,
    OTHER_COLUMNS,
    REFUSED,
    Facts,
    frame,
)
from rpm.actions.command import refuse
from rpm.actions.what_if_command import WhatIf
from rpm.errors import NotFound
from rpm.store.day_readings import DayReading, day_readings
from rpm.store.fact_rows import FactReader, as_uuid
from rpm.store.facts import LoadedFacts
from rpm.store.tables.monitoring import Reading


def changed_facts(reader: FactReader, loaded: LoadedFacts, command: WhatIf) -> Facts:
    """The facts as the question wants them.

    ``NotFound`` for a fact that is not of this patient, ``InvalidRequest`` for such an episode.
    """
    facts = _with_days(reader, loaded, command)
    facts = _with_entries(loaded, facts, command)
    facts = _with_services(loaded, facts, command)
    return _with_gates(loaded, facts, command)


def _with_days(reader: FactReader, loaded: LoadedFacts, command: WhatIf) -> Facts:
    facts = loaded.facts
    if command.leave_out_readings:
        parts = _without_readings(reader, loaded, command.leave_out_readings)
        facts = replace(facts, device_days=_joined(parts))
    counts_cgm = bool(reader.settings().get("count_cgm_days", False))
    added = [
        NewDay(
            _episode(loaded, one.episode_id, "add_days"),
            day_number(one.day),
            one.kind,
            "other" if one.kind == "cgm" and not counts_cgm else "",
        )
        for one in command.add_days
    ]
    return with_days(facts, added)


def _without_readings(
    reader: FactReader, loaded: LoadedFacts, reading_ids: list[UUID]
) -> list[pd.DataFrame]:
    """Device days with some readings left out: their days are counted anew from the others."""
    days = loaded.facts.device_days
    affected: dict[tuple[UUID, date], list[DayReading]] = {}
    for reading_id in reading_ids:
        row = reader.db.get(Reading, (reader.organization_id, reading_id))
        if row is None or row.episode_id not in loaded.episode_ids or row.local_day is None:
            raise NotFound("there is no such reading of this patient")
        if (row.episode_id, row.local_day) not in affected:
            found = day_readings(reader, row.episode_id, row.local_day, row.local_day)
            affected[row.episode_id, row.local_day] = found
    pairs = {(loaded.episode_row(one), day_number(day)) for one, day in affected}
    standing = [
        (episode, day) not in pairs
        for episode, day in zip(days["episode"].tolist(), days["day"].tolist(), strict=True)
    ]
    left = [
        one
        for found in affected.values()
        for one in found
        if one.reading.id not in set(reading_ids)
    ]
    counts_cgm = bool(reader.settings().get("count_cgm_days", False))
    return [
        days[standing],
        frame(DEVICE_DAY_COLUMNS, _recounted(loaded, left, counts_cgm=counts_cgm)),
    ]


def _recounted(
    loaded: LoadedFacts, left: list[DayReading], *, counts_cgm: bool
) -> dict[str, list[Any]]:
    words = [
        "other" if one.reading.kind == "cgm" and not counts_cgm and not one.word else one.word
        for one in left
    ]
    readings = [one.reading for one in left]
    return {
        "episode": [loaded.episode_ids.index(one.episode_id) for one in readings if one.episode_id],
        "day": [day_number(one.local_day) for one in readings if one.local_day],
        "kind": [KINDS.index(one.kind) for one in readings],
        "qualifying_count": [int(not word) for word in words],
        "refused_count": [int(bool(word)) for word in words],
        "refused_reason": [REFUSED.index(word) for word in words],
        "first_received_day": [day_number(one.received_day) for one in readings],
    }


def _with_entries(loaded: LoadedFacts, facts: Facts, command: WhatIf) -> Facts:
    entries = facts.entries
    keys = {as_uuid(key): row for row, key in enumerate(loaded.entry_keys)}
    out = _rows(keys, command.leave_out_entries, "entry")
    gone = np.isin(entries["entry"].to_numpy(), out) | np.isin(entries["reverses"].to_numpy(), out)
    added = [
        NewEntry(
            _episode(loaded, one.episode_id, "add_entries"),
            day_number(one.day),
            one.duration_seconds,
            -1 if one.start_second is None else one.start_second,
            one.role,
            one.work,
            one.mode,
        )
        for one in command.add_entries
    ]
    return with_entries(replace(facts, entries=entries[~gone]), added)


def _with_services(loaded: LoadedFacts, facts: Facts, command: WhatIf) -> Facts:
    keys = {as_uuid(key): row for row, key in enumerate(loaded.service_keys)}
    out = _rows(keys, command.leave_out_services, "service")
    gone = np.isin(np.arange(len(facts.others)), out)
    added = command.add_services
    codes = list(dict.fromkeys([*facts.codes, *(one.code for one in added)]))
    rows = frame(
        OTHER_COLUMNS,
        {
            "patient": [0] * len(added),
            "code": [codes.index(one.code) for one in added],
            "service_day": [day_number(one.service_day) for one in added],
            "own": [one.own for one in added],
            "actor": [-1] * len(added),
        },
    )
    return replace(facts, others=_joined([facts.others[~gone], rows]), codes=tuple(codes))


def _with_gates(loaded: LoadedFacts, facts: Facts, command: WhatIf) -> Facts:
    added = command.add_gates
    rows = frame(
        GATE_COLUMNS,
        {
            "episode": [_episode(loaded, one.episode_id, "add_gates") for one in added],
            "gate": [GATES.index(one.gate) for one in added],
            "from_day": [day_number(one.from_day) for one in added],
            "to_day": [FAR_DAY if one.to_day is None else day_number(one.to_day) for one in added],
        },
    )
    return replace(facts, gates=_joined([facts.gates, rows]))


def _joined(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(list(parts), ignore_index=True)


def _rows(known: dict[UUID, int], wanted: list[UUID], what: str) -> list[int]:
    if not set(wanted) <= known.keys():
        raise NotFound(f"there is no such {what} of this patient")
    return [known[one] for one in wanted]


def _episode(loaded: LoadedFacts, episode_id: UUID, field: str) -> int:
    if episode_id not in loaded.episode_ids:
        raise refuse(field, "E_UNKNOWN_EPISODE", "there is no such episode of this patient")
    return loaded.episode_row(episode_id)
