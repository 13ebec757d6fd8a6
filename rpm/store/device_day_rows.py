"""Device days as plain columns: from the kept projection, or counted anew as known before.

Owns the choice between the two. Does not own how readings are counted into days
(``rpm.store.device_days``).
"""

from typing import Any

from sqlalchemy import select

from rpm.store.device_days import counted
from rpm.store.fact_rows import FactReader, raw

_COLUMNS = ("day", "kind", "refused_reason", "qualifying_count", "refused_count")


def device_day_columns(reader: FactReader) -> dict[str, list[Any]]:
    """Columns of the table: days are numbers, kinds and reasons words."""
    if reader.until_audit_number is None:
        columns = ("episode_id", *_COLUMNS, "first_received_day")
        return reader.fetch_columns(reader.of_episodes("device_day", *columns))
    days = counted(
        reader.organization_id,
        episode_ids=None if reader.patients is None else reader.episode_ids(),
        until_audit_number=reader.until_audit_number,
    ).subquery()
    names = (*_COLUMNS, "first_received_day")
    shown: list[Any] = [raw(days.c.episode_id), *(days.c[name] for name in names)]
    return reader.fetch_columns(select(*shown))
