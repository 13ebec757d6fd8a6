"""DuckDB on the same facts: the bare four-band query that ``evaluate`` is measured beside.

Owns the query: windows from the first counted day, distinct days, minutes by month, four bands. It
knows no consent, payer, overlap, end, finding or progress. The facts lie in DuckDB's own file, in
the columns it needs; filling it is not measured.
"""

from pathlib import Path

import duckdb
import pandas as pd

from benchmarks.measure import Spent, Stopwatch
from benchmarks.stored import part_paths, read_part

THREADS = 2
QUERY = """
CREATE TEMP TABLE events AS
WITH counted AS (
    SELECT episode, day FROM device_days WHERE qualifying_count > 0
), anchors AS (
    SELECT episode, min(day) AS day FROM counted GROUP BY episode
), windows AS (
    SELECT counted.episode,
           (counted.day - anchors.day) // 30 AS number,
           count(DISTINCT counted.day) AS days
    FROM counted JOIN anchors USING (episode)
    GROUP BY 1, 2
), months AS (
    SELECT patient, date_trunc('month', DATE '1970-01-01' + day) AS month, sum(seconds) AS seconds
    FROM entries
    GROUP BY 1, 2
)
SELECT episode AS subject, number AS period, 'supply' AS ladder,
       CASE WHEN days >= 16 THEN '99454' ELSE '99445' END AS code, 1 AS units
FROM windows WHERE days >= 2
UNION ALL
SELECT patient, NULL, 'management',
       CASE WHEN seconds >= 1200 THEN '99457' ELSE '99470' END, 1
FROM months WHERE seconds >= 600
UNION ALL
SELECT patient, NULL, 'management', '99458', (seconds - 1200) // 1200
FROM months WHERE seconds >= 2400
"""


def fill(database: Path, folder: Path) -> None:
    """Put the facts of all parts into a new DuckDB file, under row numbers of the whole."""
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            "CREATE TABLE device_days (episode INTEGER, day INTEGER, qualifying_count INTEGER)"
        )
        connection.execute("CREATE TABLE entries (patient INTEGER, day INTEGER, seconds INTEGER)")
        first_episode = 0
        for path in part_paths(folder):
            facts = read_part(path)
            _append(
                connection,
                "device_days",
                facts.device_days[["episode", "day", "qualifying_count"]],
                first_episode,
            )
            _append(
                connection, "entries", facts.entries[["patient", "day", "seconds"]], first_episode
            )
            first_episode += len(facts.episodes)


def _append(
    connection: duckdb.DuckDBPyConnection, table: str, rows: pd.DataFrame, first_row: int
) -> None:
    numbered = rows.assign(**{str(rows.columns[0]): rows.iloc[:, 0] + first_row})
    connection.register("numbered", numbered)
    connection.execute(f"INSERT INTO {table} SELECT * FROM numbered")
    connection.unregister("numbered")


def query_all(database: Path) -> Spent:
    """Run the bare query over the whole file; counts the events it made."""
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute(f"SET threads = {THREADS}")
        connection.execute("SET enable_progress_bar = false")
        watch = Stopwatch()
        connection.execute(QUERY)
        spent = watch.spent()
        row = connection.execute("SELECT count(*) FROM events").fetchone()
        assert row is not None
        return Spent(spent.seconds, spent.core_seconds, spent.peak_megabytes, int(row[0]))
