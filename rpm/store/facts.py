"""Facts from the store: whole patients as the ledger's frames, now or as known before.

Owns the way from rows to whole-number columns and back to ids. Does not own the SQL
(``rpm.store.fact_rows``, ``rpm.store.device_day_rows``) nor what follows from the facts. Rows go
straight from the cursor into columns: no row objects, no strings in frames.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import compress
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
from sqlmodel import Session

from billing.days import FAR_DAY, NO_DAY, day_number
from billing.ledger.facts import (
    COVERAGE_COLUMNS,
    DEVICE_DAY_COLUMNS,
    END_REASONS,
    ENTRY_COLUMNS,
    EPISODE_COLUMNS,
    GATE_COLUMNS,
    GATES,
    KINDS,
    MODES,
    OTHER_COLUMNS,
    PROGRAMS,
    REFUSED,
    ROLES,
    SETTINGS,
    WORK,
    Facts,
    frame,
)
from billing.rules.book import RuleBook
from rpm.store.device_day_rows import device_day_columns
from rpm.store.fact_rows import FactReader, RawId, as_uuid, column_of
from rpm.store.overlaps import EntryParts, overlapping_parts
from rpm.store.selection import Patients

DEFAULT_PROFILE = "P0"
"""The profile of a practice that has chosen none."""


_Columns = dict[str, list[Any]]


@dataclass(frozen=True)
class LoadedFacts:
    """Facts and the ids behind their row numbers."""

    facts: Facts
    patient_ids: tuple[UUID, ...]  # by patient row
    episode_ids: tuple[UUID, ...]  # by episode row
    entry_keys: tuple[RawId, ...]  # by entry row; as the driver gives them
    actor_keys: tuple[RawId, ...]  # by actor row: practitioner, else user, else written name
    service_keys: tuple[RawId, ...]  # by row of ``facts.others``

    def entry_id(self, row: int) -> UUID:
        """The id of an entry row."""
        return as_uuid(self.entry_keys[row])

    def patient_row(self, patient_id: UUID) -> int:
        """The row of a patient; ValueError when the patient was not loaded or has no episode."""
        return self.patient_ids.index(patient_id)

    def episode_row(self, episode_id: UUID) -> int:
        """The row of an episode; ValueError when it was not loaded."""
        return self.episode_ids.index(episode_id)


class _Numbers:
    """Row numbers of keys, in order of first sight."""

    def __init__(self, keys: Iterable[RawId] = ()) -> None:
        self.rows: dict[RawId, int] = {}
        for key in keys:
            self.of(key)

    def of(self, key: RawId) -> int:
        return self.rows.setdefault(key, len(self.rows))

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def keys(self) -> tuple[RawId, ...]:
        return tuple(self.rows)


def facts_of(
    db: Session,
    organization_id: UUID,
    book: RuleBook,
    *,
    patients: Patients = None,
    until_audit_number: int | None = None,
    shared: EntryParts | None = None,
) -> LoadedFacts:
    """Everything known of the selected patients who have an episode.

    Without ``until_audit_number`` device days come from the kept projection; with it they are
    counted from the readings known by that audit number. ``shared`` are the parts of entries that
    overlap the same person's work on another patient, when the caller has them for all patients
    already; otherwise they are looked up. Raises KeyError for a word no vocabulary has.
    """
    reader = FactReader(db, organization_id, patients, until_audit_number)
    settings = reader.settings()
    episode_rows = reader.episodes()
    episodes = _Numbers(column_of(episode_rows, 0))
    patient_numbers = _Numbers(column_of(episode_rows, 1))
    actors = _Numbers()
    payers, codes = _Numbers(), _Numbers()
    profiles = _Numbers()
    practitioners = reader.practitioners_of_users()
    if shared is None:
        shared = overlapping_parts(reader)
    services = [row for row in reader.services() if row[1] in patient_numbers.rows]
    episode_frame = _episodes(reader, episode_rows, episodes, patient_numbers, profiles, settings)
    log = _of_known(reader.entries(), "patient_id", patient_numbers)
    entries = _Numbers(log["id"])
    facts = Facts(
        episodes=episode_frame,
        device_days=_device_days(reader, episodes, settings),
        entries=_entries(
            log,
            entries,
            _EpisodeOfDay(episode_rows, episodes),
            patient_numbers,
            [
                actors.of(practitioners.get(user, user) or name)
                for user, name in zip(log["actor_user_id"], log["actor_name"], strict=True)
            ],
            shared,
        ),
        gates=_gates(reader, episode_rows, episodes),
        coverages=_coverages(reader, patient_numbers, payers),
        others=_others(services, patient_numbers, codes, actors, practitioners),
        payers=tuple(str(key) for key in payers.keys),
        profiles=tuple(book.profile(str(name)) for name in profiles.keys),
        codes=tuple(str(key) for key in codes.keys),
    )
    return LoadedFacts(
        facts=facts,
        patient_ids=tuple(as_uuid(key) for key in patient_numbers.keys),
        episode_ids=tuple(as_uuid(key) for key in episodes.keys),
        entry_keys=entries.keys,
        actor_keys=actors.keys,
        service_keys=tuple(row[0] for row in services),
    )


def _episodes(
    reader: FactReader,
    rows: Any,
    episodes: _Numbers,
    patients: _Numbers,
    profiles: _Numbers,
    settings: Mapping[str, Any],
) -> pd.DataFrame:
    ends = reader.latest_of_episodes("episode_end", "last_day", "end_reason")
    setups = reader.latest_of_episodes("episode_setup", "setup_day")
    usual = str(settings.get("profile") or DEFAULT_PROFILE)
    ended = [ends.get(row[0], (None, None, "")) for row in rows]
    ended = [end if end[1] is not None else (None, None, "") for end in ended]
    set_up = [setups[row[0]][1] if row[0] in setups else row[6] for row in rows]
    return frame(
        EPISODE_COLUMNS,
        {
            "episode": range(len(rows)),
            "patient": [patients.rows[row[1]] for row in rows],
            "program": _coded(column_of(rows, 2), PROGRAMS),
            "setting": _coded(column_of(rows, 3), SETTINGS),
            "pos": column_of(rows, 4),
            "profile": [profiles.of(row[5] or usual) for row in rows],
            "setup_day": _days(set_up, NO_DAY),
            "opened_day": _days(column_of(rows, 7), NO_DAY),
            "closed_day": _days([end[1] for end in ended], FAR_DAY),
            "end_reason": _coded([end[2] for end in ended], END_REASONS),
            "setup_billed": column_of(rows, 8),
            "previous": [episodes.rows.get(row[9], -1) if row[9] else -1 for row in rows],
            "reorder": column_of(rows, 10),
        },
    )


def _device_days(
    reader: FactReader, episodes: _Numbers, settings: Mapping[str, Any]
) -> pd.DataFrame:
    days = _of_known(device_day_columns(reader), "episode_id", episodes)
    kind: Any = np.asarray(_coded(days["kind"], KINDS), dtype=np.int8)
    reason: Any = np.asarray(_coded(days["refused_reason"], REFUSED), dtype=np.int8)
    qualifying: Any = np.asarray(days["qualifying_count"], dtype=np.int32)
    refused: Any = np.asarray(days["refused_count"], dtype=np.int32)
    if not settings.get("count_cgm_days", False):
        left_out = (kind == KINDS.index("cgm")) & (qualifying > 0)
        reason = np.where(left_out, REFUSED.index("other"), reason)
        refused = np.where(left_out, refused + qualifying, refused)
        qualifying = np.where(left_out, 0, qualifying)
    return frame(
        DEVICE_DAY_COLUMNS,
        {
            "episode": [episodes.rows[key] for key in days["episode_id"]],
            "day": days["day"],
            "kind": kind,
            "qualifying_count": qualifying,
            "refused_count": refused,
            "refused_reason": reason,
            "first_received_day": days["first_received_day"],
        },
    )


class _EpisodeOfDay:
    """The episode an entry without one belongs to: open that day, else the nearest before."""

    def __init__(self, rows: Any, episodes: _Numbers) -> None:
        self.known = episodes.rows
        self._by_patient: dict[RawId, list[tuple[date, int]]] = {}
        for row in rows:
            self._by_patient.setdefault(row[1], []).append((row[7], episodes.rows[row[0]]))

    def row(self, patient_key: RawId, day: date) -> int:
        found = self._by_patient[patient_key]
        opened = [number for opened_day, number in found if opened_day <= day]
        return opened[-1] if opened else found[0][1]


def _entries(
    log: _Columns,
    entries: _Numbers,
    episode_of: _EpisodeOfDay,
    patients: _Numbers,
    actors: list[int],
    shared: EntryParts,
) -> pd.DataFrame:
    owners = zip(log["episode_id"], log["patient_id"], log["local_day"], strict=True)
    whole = frame(
        ENTRY_COLUMNS,
        {
            "entry": range(len(entries)),
            "reverses": [-1 if key is None else entries.rows[key] for key in log["reverses_id"]],
            "episode": [
                episode_of.row(patient, day) if episode is None else episode_of.known[episode]
                for episode, patient, day in owners
            ],
            "patient": [patients.rows[key] for key in log["patient_id"]],
            "actor": actors,
            "role": _coded(log["role"], ROLES),
            "work": _coded(log["work"], WORK),
            "mode": _coded(log["mode"], MODES),
            "day": _days(log["local_day"], NO_DAY),
            "start_second": [-1 if start is None else start for start in log["start_second"]],
            "seconds": log["duration_seconds"],
            "shared": [key in shared for key in log["id"]],
        },
    )
    return _in_parts(whole, [shared[key] for key in log["id"] if key in shared])


def _in_parts(whole: pd.DataFrame, parts: list[Sequence[tuple[int, int]]]) -> pd.DataFrame:
    """Entries with each shared one replaced by its parts, which may be none."""
    if not parts:
        return whole
    copies = np.ones(len(whole), dtype=np.int64)
    copies[whole["shared"].to_numpy()] = [len(some) for some in parts]
    split = whole.loc[np.repeat(np.arange(len(whole)), copies)].reset_index(drop=True)
    starts_and_lengths = np.array([part for some in parts for part in some], dtype=np.int32)
    split.loc[split["shared"], ["start_second", "seconds"]] = starts_and_lengths.reshape(-1, 2)
    return split


def _gates(reader: FactReader, episode_rows: Any, episodes: _Numbers) -> pd.DataFrame:
    rows: list[tuple[RawId, str, date, date | None]] = [
        (row[0], "order", row[11], None) for row in episode_rows if row[11] is not None
    ]
    rows += [(key, "consent", first, last) for key, first, last in reader.consents()]
    rows += [(row[0], row[1], row[2], row[3]) for row in reader.gates()]
    rows = [row for row in rows if row[0] in episodes.rows]
    return frame(
        GATE_COLUMNS,
        {
            "episode": [episodes.rows[row[0]] for row in rows],
            "gate": _coded(column_of(rows, 1), GATES),
            "from_day": _days(column_of(rows, 2), NO_DAY),
            "to_day": _days(column_of(rows, 3), FAR_DAY),
        },
    )


def _coverages(reader: FactReader, patients: _Numbers, payers: _Numbers) -> pd.DataFrame:
    rows = [row for row in reader.coverages() if row[0] in patients.rows]
    return frame(
        COVERAGE_COLUMNS,
        {
            "patient": [patients.rows[row[0]] for row in rows],
            "payer": [payers.of(row[1]) for row in rows],
            "from_day": _days(column_of(rows, 2), NO_DAY),
            "to_day": _days(column_of(rows, 3), FAR_DAY),
        },
    )


def _others(
    rows: list[Any],
    patients: _Numbers,
    codes: _Numbers,
    actors: _Numbers,
    practitioners: Mapping[RawId, RawId],
) -> pd.DataFrame:
    who = [row[5] or practitioners.get(row[6], row[6]) for row in rows]
    return frame(
        OTHER_COLUMNS,
        {
            "patient": [patients.rows[row[1]] for row in rows],
            "code": [codes.of(row[2]) for row in rows],
            "service_day": _days(column_of(rows, 3), NO_DAY),
            "own": column_of(rows, 4),
            "actor": [-1 if key is None else actors.of(key) for key in who],
        },
    )


def _coded(words: list[str], vocabulary: tuple[str, ...]) -> list[int]:
    positions = {word: position for position, word in enumerate(vocabulary)}
    return [positions[word] for word in words]


def _days(days: list[date | None], missing: int) -> list[int]:
    numbers = {day: missing if day is None else day_number(day) for day in set(days)}
    return [numbers[day] for day in days]


def _of_known(columns: _Columns, owner: str, known: _Numbers) -> _Columns:
    """Columns of those rows whose owner was loaded."""
    if known.rows.keys() >= set(columns[owner]):
        return columns
    kept = [key in known.rows for key in columns[owner]]
    return {name: list(compress(values, kept)) for name, values in columns.items()}
