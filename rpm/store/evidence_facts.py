"""Facts for a pack: the rows behind events in stored form, each once, with its digest.

Owns which rows are fetched, and what of a patient is withheld. Does not own what counts
(``billing.ledger``) nor the digest (``rpm.audit``).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement

from billing.days import day_date
from rpm.audit import row_digest
from rpm.store.day_readings import DayReading, day_readings
from rpm.store.fact_rows import FactReader
from rpm.store.stored_form import stored_form
from rpm.store.tables.base import METADATA

WITHHELD = {"patient": ("birth_date", "family_name", "given_name", "sex")}
"""Columns that a pack leaves out: the record number tells who it is about."""
_OF_PATIENT = ("episode", "coverage")
_OF_EPISODE = ("episode_end", "episode_setup", "consent", "episode_gate")
_ENDS = (("consent_end", "consent_id", "consent"), ("coverage_end", "coverage_id", "coverage"))
_SETTINGS = ("count_cgm_days", "profile")
Row = Mapping[str, Any]


class PackFacts:
    """The facts of a pack, gathered event by event."""

    def __init__(self) -> None:
        self._facts: dict[tuple[str, str], dict[str, Any]] = {}

    def take(self, name: str, rows: Iterable[Row]) -> None:
        """Take rows of a table in."""
        table = METADATA.tables[name]
        withheld = sorted(WITHHELD.get(name, ()))
        for row in rows:
            key = (name, row["id"].hex)
            if key in self._facts:
                continue
            stored = stored_form(table, row)
            self._facts[key] = {
                "table": name,
                "row_digest": row_digest(name, stored).hex(),
                "withheld": withheld,
                "stored": {column: one for column, one in stored.items() if column not in withheld},
            }

    def listed(self) -> list[dict[str, Any]]:
        """All facts, by table and id."""
        return [self._facts[key] for key in sorted(self._facts)]

    def values(self, name: str, column: str) -> set[str]:
        """What stands in a column of a table's facts."""
        rows = (fact["stored"] for (table, _), fact in self._facts.items() if table == name)
        return {row[column] for row in rows if column in row}


class EventFacts:
    """The rows behind events of some patients, as known up to an audit number."""

    def __init__(self, reader: FactReader, into: PackFacts) -> None:
        self._reader, self._into = reader, into
        self._windows: dict[tuple[UUID, int, int], list[DayReading]] = {}
        self._logs: dict[tuple[UUID, int, int], list[Row]] = {}

    def papers(self, patient_ids: Sequence[UUID]) -> None:
        """Organization, settings, patients, episodes, consents, gates, coverages and payers."""
        into = self._into
        into.take("organization", self._rows("organization", id=[self._reader.organization_id]))
        into.take("practice_setting", self._rows("practice_setting", key=_SETTINGS))
        into.take("patient", self._rows("patient", id=patient_ids))
        taken = {name: self._rows(name, patient_id=patient_ids) for name in _OF_PATIENT}
        episode_ids = [row["id"] for row in taken["episode"]]
        taken |= {name: self._rows(name, episode_id=episode_ids) for name in _OF_EPISODE}
        for name, column, of in _ENDS:
            taken[name] = self._rows(name, **{column: [row["id"] for row in taken[of]]})
        taken["payer"] = self._rows("payer", id={row["payer_id"] for row in taken["coverage"]})
        for name, rows in taken.items():
            into.take(name, rows)

    def window(self, episode_id: UUID, first: int, last: int) -> list[DayReading]:
        """Readings of an episode between two day numbers that hold, by day and id.

        Their other versions, exclusions and devices are taken in with them.
        """
        key = (episode_id, first, last)
        if key not in self._windows:
            found = day_readings(self._reader, episode_id, day_date(first), day_date(last))
            self._windows[key] = found
            self._take_readings(found)
        return self._windows[key]

    def _take_readings(self, found: Sequence[DayReading]) -> None:
        identities = {one.reading.identity_key for one in found}
        versions = self._rows("reading", identity_key=identities)
        excluded = self._rows("reading_exclusion", reading_id=[row["id"] for row in versions])
        for name, rows in (
            ("reading", versions),
            ("reading_exclusion", excluded),
            ("device", self._rows("device", id=_ids(versions, "device_id"))),
            (
                "device_association",
                self._rows("device_association", id=_ids(versions, "association_id")),
            ),
        ):
            self._into.take(name, rows)

    def log(self, patient_id: UUID, first: int, last: int) -> list[Row]:
        """A patient's entries between two day numbers, reversals too, by day and id."""
        key = (patient_id, first, last)
        if key not in self._logs:
            day = self._reader.table("interaction_entry").c.local_day
            inside = day.between(day_date(first), day_date(last))
            rows = self._rows("interaction_entry", inside, patient_id=[patient_id])
            self._logs[key] = sorted(rows, key=lambda row: (row["local_day"], row["id"]))
            self._into.take("interaction_entry", rows)
        return self._logs[key]

    def visits(self, patient_id: UUID, codes: Sequence[str], first: int, last: int) -> None:
        """Take in the practice's own visits of a patient between two day numbers."""
        table = self._reader.table("other_service")
        inside = table.c.service_day.between(day_date(first), day_date(last))
        of_ours = (inside, table.c.own)
        rows = self._rows("other_service", *of_ours, patient_id=[patient_id], code=codes)
        self._into.take("other_service", rows)

    def _rows(self, name: str, *where: ColumnElement[bool], **among: Iterable[Any]) -> list[Row]:
        """Known rows whose columns have one of some values."""
        table = self._reader.table(name)
        conditions = list(where)
        for column, values in among.items():
            wanted = sorted(values)
            if not wanted:
                return []
            conditions.append(table.c[column].in_(wanted))
        if name == "organization":
            conditions.append(table.c.id == self._reader.organization_id)
        else:
            conditions.append(self._reader.known(table))
        found = self._reader.db.execute(table.select().where(*conditions))
        return [dict(row._mapping) for row in found]


def _ids(rows: Iterable[Row], column: str) -> set[UUID]:
    return {row[column] for row in rows if row[column] is not None}
