"""Taking readings: items of a delivery or of a file become facts, each once.

Owns writing a batch with its device days, and the new versions when a device's assignments change.
Does not own what becomes of an item (``reading_batch``) nor the door it came through
(``take_delivery``, imports). Works inside the caller's recording; a batch of 1,000 takes a handful
of statements.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice

from sqlmodel import Session

from devices.delivery import Notice
from devices.device_ids import same_device_ids
from devices.reading import Reading, RejectedReading
from rpm.actions.judge_reading import Arrival, judge_again
from rpm.actions.reading_batch import SUPERSEDED, Batch, ItemResult, Source, days_of
from rpm.store import device_days
from rpm.store.chain import Record
from rpm.store.queries.assignments import known_devices
from rpm.store.queries.readings import readings_of_device
from rpm.store.tables.monitoring import Reading as ReadingRow
from rpm.store.tables.people import Organization

_ITEMS_AT_ONCE = 1_000


def take_readings(
    db: Session,
    record: Record,
    organization: Organization,
    source: Source,
    received_at: datetime,
    items: Iterable[Reading | RejectedReading | Notice],
) -> list[ItemResult]:
    """Record items in the order sent and count their days; one result for each.

    Whoever calls has checked the permission and opened the recording. An exact repeat changes
    nothing; a correction or deletion by the sender is a new version; other content under the same
    identity, unannounced, is kept beside the first, which stands. What cannot be read is kept as a
    rejected item and answered ``quarantined`` like everything else that waits for a person.
    """
    _ = record.previous  # the organization's lock, before anything is looked up
    results: list[ItemResult] = []
    waiting = iter(items)
    while part := list(islice(waiting, _ITEMS_AT_ONCE)):
        record.flush()
        batch = Batch.of(db, organization, source, received_at, part)
        results += [batch.take(item) for item in part]
        write_batch(db, record, batch)
    return results


def write_batch(db: Session, record: Record, batch: Batch) -> None:
    """Insert what came of a batch, with what the recording holds already, and count its days."""
    record.add_values(ReadingRow, [row.values() for row in batch.rows])
    record.add_all(batch.conflicts)
    record.add_all(batch.rejected)
    record.flush()
    device_days.refresh(db, batch.organization_id, batch.days)


def attach_readings(
    db: Session,
    record: Record,
    organization: Organization,
    *,
    vendor: str,
    vendor_device_id: str,
    now: datetime,
) -> list[ReadingRow]:
    """Give a device's readings to whoever had it when they were measured; the new versions.

    Called inside the recording that registers, assigns or takes back the device, after its rows
    were added: what waited in quarantine is attached, what was measured after a return is let go.
    Readings that name the device by another spelling of its IMEI are among them.
    """
    _ = record.previous
    record.flush()
    rows = readings_of_device(db, organization.id, vendor, same_device_ids(vendor_device_id))
    devices = known_devices(db, organization.id, vendor, {row.vendor_device_id for row in rows})
    arrival = Arrival.at(now, organization.timezone)
    changed: list[ReadingRow] = []
    days: set[device_days.EpisodeDay] = set()
    for row in rows:
        device = devices.get(row.vendor_device_id)
        if device is None or row.reason_code == SUPERSEDED:
            continue
        later = judge_again(row, device, arrival)
        if later is not None:
            changed.append(record.add(later.as_row()))
            days.update(days_of(row, later))
    record.flush()
    device_days.refresh(db, organization.id, days)
    return changed
