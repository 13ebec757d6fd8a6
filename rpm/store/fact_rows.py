"""Rows behind the facts: each read once, plain, as known now or at an audit number.

Owns the SQL and which row of several counts (the latest, by audit number). Does not own the
frames made of them (``rpm.store.facts``) nor thresholds. Ids stay as the driver gives them:
hundreds of thousands are only compared and never looked at.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, Table, and_, cast, select
from sqlmodel import Session

from rpm.store.selection import Patients, among
from rpm.store.tables.base import METADATA

RawId = Hashable
"""An id as the text that the engine has for it: with dashes on PostgreSQL, without on SQLite."""

Rows = Sequence[Any]
_ROWS_AT_ONCE = 500
"""Few enough that the interpreter's collector of cycles never walks over many rows."""


def raw(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The id column as text: cheaper to read and to look up than an object for each value."""
    return cast(column, String())


def as_recorded(table: Any) -> tuple[ColumnElement[Any], ...]:
    """The order of recording, to sort few rows by.

    The sum keeps SQLite from walking the whole organization's index in this order instead of
    looking the few rows up.
    """
    return (table.c.audit_number + 0, table.c.id)


def recorded_by(table: Any, audit_number: int) -> ColumnElement[bool]:
    """Recorded by the audit number at most.

    The sum keeps SQLite from walking all that the organization recorded so far instead of looking
    the few rows up by what else is asked of them.
    """
    recorded: ColumnElement[bool] = table.c.audit_number + 0 <= audit_number
    return recorded


def as_uuid(raw_id: Any) -> UUID:
    """A raw id as ``UUID``."""
    return raw_id if isinstance(raw_id, UUID) else UUID(raw_id)


@dataclass(frozen=True)
class FactReader:
    """Reads of one organization's patients, of facts up to an audit number (None: all)."""

    db: Session
    organization_id: UUID
    patients: Patients = None
    until_audit_number: int | None = None

    def table(self, name: str) -> Table:
        """A table of the store by its name."""
        return METADATA.tables[name]

    def known(self, table: Any) -> ColumnElement[bool]:
        """Of this organization, and recorded by the audit number asked for."""
        of_organization: ColumnElement[bool] = table.c.organization_id == self.organization_id
        if self.until_audit_number is None:
            return of_organization
        return and_(of_organization, recorded_by(table, self.until_audit_number))

    def fetch(self, statement: Select[Any]) -> Rows:
        """All rows of a statement, as the cursor gives them."""
        return self.db.execute(statement).all()

    def fetch_columns(self, statement: Select[Any]) -> dict[str, list[Any]]:
        """All values of a statement by column: of many rows only some are there at once."""
        result = self.db.execute(statement)
        columns: dict[str, list[Any]] = {name: [] for name in result.keys()}  # noqa: SIM118 - no mapping
        for rows in result.partitions(_ROWS_AT_ONCE):
            for position, column in enumerate(columns.values()):
                column.extend(column_of(rows, position))
        return columns

    def of_organization(self, name: str, *columns: str) -> Select[Any]:
        """A select of a table's facts of the organization; columns ending in ``_id`` stay raw."""
        table = self.table(name)
        return select(*(_plain(table, column) for column in columns)).where(self.known(table))

    def of_patients(self, name: str, *columns: str) -> Select[Any]:
        """A select of a table with ``patient_id``; columns that end in ``_id`` stay raw."""
        patient_id = self.table(name).c.patient_id
        return self.of_organization(name, *columns).where(among(patient_id, self.patients))

    def of_episodes(self, name: str, *columns: str) -> Select[Any]:
        """A select of a table with ``episode_id``, of the selected patients' episodes."""
        table = self.table(name)
        statement = select(*(_plain(table, column) for column in columns)).where(
            table.c.organization_id == self.organization_id
        )
        if self.patients is None:
            return statement
        # as a list of ids, not as a join: both engines then walk the index of the episode's rows
        return statement.where(table.c.episode_id.in_(self.episode_ids()))

    def episode_ids(self) -> Select[Any]:
        """The ids of the selected patients' episodes, for an IN."""
        episode = self.table("episode")
        return select(episode.c.id).where(
            episode.c.organization_id == self.organization_id,
            among(episode.c.patient_id, self.patients),
        )

    def latest(self, statement: Select[Any], table: Any) -> dict[RawId, Any]:
        """The last recorded row by its first column, which is what it speaks about."""
        ordered = statement.order_by(*as_recorded(table))
        return {row[0]: row for row in self.fetch(ordered)}

    def episodes(self) -> Rows:
        """Episodes by patient and opening day, with their latest end and set-up left out."""
        table = self.table("episode")
        return self.fetch(
            self.of_patients(
                "episode",
                "id",
                "patient_id",
                "program",
                "setting",
                "pos",
                "profile",
                "setup_day",
                "opened_day",
                "setup_billed",
                "previous_id",
                "reorder",
                "order_day",
            ).order_by(table.c.patient_id, table.c.opened_day, table.c.id)
        )

    def latest_of_episodes(self, name: str, *columns: str) -> dict[RawId, Any]:
        """By episode, the last recorded row of a table about episodes."""
        table = self.table(name)
        statement = self.of_episodes(name, "episode_id", *columns).where(self.known(table))
        return self.latest(statement, table)

    def consents(self) -> list[tuple[RawId, date, date | None]]:
        """Episode, first and last day of each consent; the last is None while it stands."""
        consent, end = self.table("consent"), self.table("consent_end")
        of_these = (
            self.of_episodes("consent", "id")
            .with_only_columns(consent.c.id)  # compared with ids, so not as text
            .where(self.known(consent))
        )
        ends = self.latest(
            select(raw(end.c.consent_id), end.c.last_day).where(
                self.known(end), end.c.consent_id.in_(of_these)
            ),
            end,
        )
        rows = self.fetch(
            self.of_episodes("consent", "id", "episode_id", "consent_day").where(
                self.known(consent)
            )
        )
        return [(row[1], row[2], ends[row[0]][1] if row[0] in ends else None) for row in rows]

    def gates(self) -> Rows:
        """Episode, gate, first and last day of what was recorded of episodes."""
        table = self.table("episode_gate")
        return self.fetch(
            self.of_episodes("episode_gate", "episode_id", "gate", "from_day", "to_day").where(
                self.known(table)
            )
        )

    def coverages(self) -> list[tuple[RawId, str, date, date | None]]:
        """Patient, payer key, first and last day of each coverage, in order of recording."""
        coverage, end, payer = (self.table(name) for name in ("coverage", "coverage_end", "payer"))
        keys = {
            row[0]: row[1]
            for row in self.fetch(select(raw(payer.c.id), payer.c.key).where(self.known(payer)))
        }
        of_these = self.of_patients("coverage", "id").with_only_columns(coverage.c.id)
        ends = self.latest(
            select(raw(end.c.coverage_id), end.c.last_day).where(
                self.known(end), end.c.coverage_id.in_(of_these)
            ),
            end,
        )
        rows = self.fetch(
            self.of_patients(
                "coverage", "id", "patient_id", "payer_id", "from_day", "to_day"
            ).order_by(*as_recorded(coverage))
        )
        return [
            (row[1], keys[row[2]], row[3], ends[row[0]][1] if row[0] in ends else row[4])
            for row in rows
        ]

    def services(self) -> list[Any]:
        """Other services that stand: id, patient, code, day, own, practitioner, user."""
        rows = self.fetch(
            self.of_patients(
                "other_service",
                "id",
                "reverses_id",
                "patient_id",
                "code",
                "service_day",
                "own",
                "practitioner_id",
                "actor_user_id",
            )
        )
        reversed_ids = {row[1] for row in rows if row[1] is not None}
        standing = [row for row in rows if row[1] is None and row[0] not in reversed_ids]
        return [(row[0], *row[2:]) for row in standing]

    def entries(self) -> dict[str, list[Any]]:
        """Columns of interaction entries and their reversals in the order they were recorded."""
        table = self.table("interaction_entry")
        return self.fetch_columns(
            self.of_patients("interaction_entry", *ENTRY_ROW).order_by(*as_recorded(table))
        )

    def practitioners_of_users(self) -> dict[RawId, RawId]:
        """The practitioner that a user is, where known."""
        user = self.table("user_account")
        rows = self.fetch(
            select(raw(user.c.id), raw(user.c.practitioner_id)).where(
                user.c.organization_id == self.organization_id, user.c.practitioner_id.is_not(None)
            )
        )
        return {row[0]: row[1] for row in rows}

    def settings(self) -> dict[str, Any]:
        """The practice's settings, the latest of each key."""
        table = self.table("practice_setting")
        rows = self.fetch(
            select(table.c.key, table.c.value)
            .where(self.known(table))
            .order_by(*as_recorded(table))
        )
        return {row[0]: row[1] for row in rows}


ENTRY_ROW = (
    "id",
    "reverses_id",
    "episode_id",
    "patient_id",
    "actor_user_id",
    "actor_name",
    "role",
    "work",
    "mode",
    "local_day",
    "start_second",
    "duration_seconds",
)
"""What is read of an interaction entry, in this order."""


def _plain(table: Table, column: str) -> ColumnElement[Any]:
    found = table.c[column]
    return raw(found) if column == "id" or column.endswith("_id") else found


def column_of(rows: Iterable[Any], position: int) -> list[Any]:
    """One column of rows."""
    return [row[position] for row in rows]
