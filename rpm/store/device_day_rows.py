"""Device days as plain rows: from the kept projection, or counted anew as known before.

Owns the choice between the two. Does not own how readings are counted into days
(``rpm.store.device_days``).
"""

from sqlalchemy import select

from rpm.store.device_days import counted
from rpm.store.fact_rows import FactReader, Rows, raw
from rpm.store.selection import among

_COLUMNS = ("day", "kind", "refused_reason", "qualifying_count", "refused_count")


def device_day_rows(reader: FactReader) -> Rows:
    """Episode, day number, kind, refusal word, qualifying and refused count, first receipt day."""
    if reader.until_audit_number is None:
        columns = ("episode_id", *_COLUMNS, "first_received_day")
        return reader.fetch(reader.of_episodes("device_day", *columns))
    episode = reader.table("episode")
    days = counted(reader.organization_id, until_audit_number=reader.until_audit_number).subquery()
    of_these = select(episode.c.id).where(
        episode.c.organization_id == reader.organization_id,
        among(episode.c.patient_id, reader.patients),
    )
    return reader.fetch(
        select(
            raw(days.c.episode_id),
            *(days.c[name] for name in _COLUMNS),
            days.c.first_received_day,
        ).where(days.c.episode_id.in_(of_these))
    )
