"""A version of a reading on its way into the store: a light row, made by the thousand.

Owns the columns that are filled before a recording stamps the row. Does not own what they mean
(``rpm.store.tables.monitoring``). A table's own class costs many times more to make and fill, which
at the vendors' door was most of the work.
"""

from dataclasses import dataclass, fields
from datetime import date, datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from rpm.store.tables.monitoring import Reading as ReadingRow


@dataclass(slots=True)
class ReadingVersion:
    """The columns of ``reading``; the recording adds organization, number and time."""

    id: UUID
    vendor: str
    identity_key: str
    content_hash: str
    replaces_key: str | None
    vendor_reading_id: str | None
    vendor_device_id: str
    patient_ref: str | None
    kind: str
    measure: str
    components: list[dict[str, Any]]
    measured_at: datetime | None
    vendor_time: str
    time_quality: str
    entry_method: str
    status: str
    received_at: datetime
    received_day: date
    flags: list[str]
    delivery_id: UUID | None = None
    import_id: UUID | None = None
    connection_id: UUID | None = None
    version: int = 1
    device_id: UUID | None = None
    association_id: UUID | None = None
    episode_id: UUID | None = None
    patient_id: UUID | None = None
    local_day: date | None = None
    zone: str | None = None
    zone_origin: str | None = None
    supersedes_id: UUID | None = None
    countable: bool = False
    refused_reason: str = ""
    reason_code: str = ""

    def values(self) -> dict[str, Any]:
        """The row by column."""
        return dict(zip(_NAMES, _values_of(self), strict=True))

    def as_row(self) -> ReadingRow:
        """The row as the table's own class."""
        return ReadingRow(**self.values())


_NAMES = tuple(one.name for one in fields(ReadingVersion))
_values_of = attrgetter(*_NAMES)

AnyVersion = ReadingVersion | ReadingRow


def copy_of(row: AnyVersion, copy_id: UUID) -> ReadingVersion:
    """A version with the same columns and an id of its own."""
    copy = ReadingVersion(*_values_of(row))
    copy.id, copy.components, copy.flags = copy_id, list(row.components), list(row.flags)
    return copy
