"""The bare driver: what a design without group commit can reach, one commit a body.

Owns these statements. No web, no proof, no raw body, no audit event: the rows of readings behind a
unique key and one row a device and day, and the disk.
"""

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from benchmarks.intake_load import Asked, Load, reading

WORTH_A_COPY = 100
_ORGANIZATION, _CONNECTION = uuid4().hex, uuid4().hex
_TABLES = (
    """CREATE TABLE IF NOT EXISTS bare_reading (
    id text PRIMARY KEY, organization_id text, connection_id text, reading_id text, device_id text,
    episode_id text, kind text, components text, measured_at text, local_day text, received_at text,
    UNIQUE (connection_id, reading_id))""",
    "CREATE INDEX IF NOT EXISTS bare_measured ON bare_reading (episode_id, measured_at)",
    """CREATE TABLE IF NOT EXISTS bare_day (
    episode_id text, day text, count integer, PRIMARY KEY (episode_id, day))""",
)
_COLUMNS = 11
_ADD = "INSERT INTO bare_reading VALUES ({}) ON CONFLICT DO NOTHING"
_COUNT = (
    "INSERT INTO bare_day VALUES ({}) ON CONFLICT (episode_id, day)"
    " DO UPDATE SET count = bare_day.count + excluded.count"
)
_STAGED = "CREATE TEMPORARY TABLE staged (LIKE bare_reading)"
_MERGE = "INSERT INTO bare_reading SELECT * FROM staged ON CONFLICT DO NOTHING"

Row = tuple[str, ...]


def bare(engine_name: str, place: str, asked: Asked) -> Load:
    """Store the same readings as ``drive`` sends; to be called in a process of its own."""
    now = datetime.now(UTC)
    bodies = [
        [_row(asked.first + body * asked.size + n, now) for n in range(asked.size)]
        for body in range(asked.deliveries)
    ]
    work = _sqlite if engine_name == "sqlite" else _postgresql
    took = work(place, bodies)
    slowest = sorted(took)[int(len(took) * 0.99)]
    return Load(asked.readings, sum(took), slowest * 1000, 0)


def _row(number: int, now: datetime) -> Row:
    sent: dict[str, Any] = reading(number, now)
    device, at = sent["device_id"], sent["measured_at"]
    components = json.dumps(sent["components"])
    return (
        uuid4().hex,
        _ORGANIZATION,
        _CONNECTION,
        sent["id"],
        device,
        f"episode of {device}",
        sent["kind"],
        components,
        at,
        at[:10],
        now.isoformat(),
    )


def _days(rows: Sequence[Row]) -> list[tuple[str, str, int]]:
    counts = Counter((row[5], row[9]) for row in rows)
    return [(episode, day, number) for (episode, day), number in sorted(counts.items())]


def _sqlite(place: str, bodies: Sequence[list[Row]]) -> list[float]:
    connection = sqlite3.connect(Path(place), isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    for statement in _TABLES:
        connection.execute(statement)
    took = []
    for rows in bodies:
        began = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_ADD.format(", ".join("?" * _COLUMNS)), rows)
        connection.executemany(_COUNT.format("?, ?, ?"), _days(rows))
        connection.execute("COMMIT")
        took.append(time.perf_counter() - began)
    connection.close()
    return took


def _postgresql(place: str, bodies: Sequence[list[Row]]) -> list[float]:
    took = []
    with psycopg.connect(place, autocommit=True) as connection:
        for statement in (*_TABLES, _STAGED):
            connection.execute(statement)
        for rows in bodies:
            began = time.perf_counter()
            with connection.transaction(), connection.cursor() as cursor:
                _put(cursor, rows)
                cursor.executemany(_COUNT.format("%s, %s, %s"), _days(rows))
            took.append(time.perf_counter() - began)
    return took


def _put(cursor: psycopg.Cursor[Any], rows: Sequence[Row]) -> None:
    if len(rows) < WORTH_A_COPY:
        cursor.executemany(_ADD.format(", ".join(["%s"] * _COLUMNS)), rows)
        return
    cursor.execute("TRUNCATE staged")
    with cursor.copy("COPY staged FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    cursor.execute(_MERGE)
