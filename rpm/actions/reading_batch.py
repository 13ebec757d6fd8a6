"""One batch of items: looked up together, then each becomes a version, a conflict or a refusal.

Owns what a repeat, a correction, a deletion, a conflict and a part of a reading lead to. Does not
own whether a reading counts (``judge_reading``) nor writing what comes of a batch
(``take_readings``).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlmodel import Session

from devices.counting import refused_word
from devices.delivery import Notice
from devices.identity import content_hash
from devices.parts import joined
from devices.reading import Reading, RejectedReading
from rpm.actions.judge_reading import (
    Arrival,
    Identity,
    as_reading,
    component_json,
    is_quarantined,
    new_row,
    next_version,
)
from rpm.actions.reading_version import AnyVersion, ReadingVersion
from rpm.store.device_days import EpisodeDay
from rpm.store.queries.assignments import KnownDevice, known_devices
from rpm.store.queries.readings import (
    known_conflicts,
    replaced_identities,
    versions_by_identity,
)
from rpm.store.tables.monitoring import ReadingConflict, RejectedItem
from rpm.store.tables.people import Organization

ItemStatus = Literal["accepted", "duplicate", "corrected", "quarantined", "ignored"]
SUPERSEDED = "superseded"
_CONFLICT = "conflict"


@dataclass(frozen=True)
class Source:
    """Where items come from. ``account`` keeps ids of different senders of a vendor apart."""

    vendor: str
    account: str
    delivery_id: UUID | None = None
    import_id: UUID | None = None
    connection_id: UUID | None = None


@dataclass(frozen=True)
class ItemResult:
    """What became of an item: our id of the reading, and why it does not count, if it does not."""

    status: ItemStatus
    reading_id: UUID | None
    vendor_reading_id: str | None
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """As the sender is answered and as the delivery keeps it, byte for byte: keys in order."""
        return {
            "id": self.vendor_reading_id,
            "reading_id": str(self.reading_id) if self.reading_id else None,
            "reason": self.reason,
            "status": self.status,
        }


def days_of(*rows: AnyVersion) -> Iterator[EpisodeDay]:
    """Episode and local day of those rows that have both."""
    for row in rows:
        if row.episode_id is not None and row.local_day is not None:
            yield row.episode_id, row.local_day


def _taken_back(last: AnyVersion) -> Reading:
    """A deletion says no more: device, time and values stay those of what it takes back."""
    return replace(as_reading(last), status="deleted")


def _supersede(row: ReadingVersion) -> None:
    row.countable, row.reason_code = False, SUPERSEDED
    row.refused_reason = refused_word(SUPERSEDED)


@dataclass
class Batch:
    """Some items, with all that is known of their devices and identities."""

    organization_id: UUID
    source: Source
    arrival: Arrival
    devices: Mapping[str, KnownDevice]
    versions: dict[str, list[AnyVersion]]
    replaced: set[str]
    conflicting: set[tuple[UUID, str]]
    identities: Mapping[int, tuple[Reading, Identity]]  # by the id() of the reading beside it
    rows: list[ReadingVersion] = field(default_factory=list)
    conflicts: list[ReadingConflict] = field(default_factory=list)
    rejected: list[RejectedItem] = field(default_factory=list)
    days: set[EpisodeDay] = field(default_factory=set)

    @classmethod
    def of(
        cls,
        db: Session,
        organization: Organization,
        source: Source,
        received_at: datetime,
        items: Sequence[Reading | RejectedReading | Notice],
    ) -> "Batch":
        """A batch with what is known of its devices and identities; four statements."""
        readings = [item for item in items if isinstance(item, Reading)]
        identities = {
            id(one): (one, Identity.of(one, source.vendor, source.account)) for one in readings
        }
        keys = {identity.key for _, identity in identities.values()}
        targets = {i.replaces_key for _, i in identities.values() if i.replaces_key is not None}
        found = versions_by_identity(db, organization.id, sorted(keys | targets))
        versions: dict[str, list[AnyVersion]] = {key: list(rows) for key, rows in found.items()}
        latest = [rows[-1].id for rows in found.values()]
        device_ids = {reading.device_id for reading in readings}
        device_ids.update(rows[-1].vendor_device_id for rows in found.values())
        return cls(
            organization.id,
            source,
            Arrival.at(received_at, organization.timezone),
            known_devices(db, organization.id, source.vendor, sorted(device_ids)),
            versions,
            set(replaced_identities(db, organization.id, sorted(keys))),
            set(known_conflicts(db, organization.id, latest)),
            identities,
        )

    def turn_to(self, source: Source, received_at: datetime) -> None:
        """From here on items come from this source of the same sender."""
        self.source = source
        self.arrival = Arrival.at(received_at, self.arrival.practice_zone)

    def take(self, item: Reading | RejectedReading | Notice) -> ItemResult:
        """What becomes of one item; a notice is no reading, and its delivery keeps it."""
        if isinstance(item, Notice):
            return ItemResult("ignored", None, None, item.kind)
        if isinstance(item, RejectedReading):
            return self._reject(item)
        identity = self._identity(item)
        known = self.versions.get(identity.key)
        if known is None:
            return self._first(item, identity)
        last = known[-1]
        compared = known[-1:] if item.changes == "ordered" else known
        repeats = identity.content_hash in {row.content_hash for row in compared}
        if repeats or (item.status == "deleted" and last.status == "void"):
            return ItemResult("duplicate", last.id, item.vendor_reading_id, last.reason_code)
        if item.is_part and item.status == "final":
            return self._join(item, last, identity)
        if item.status == "final" and item.changes == "announced":
            return self._conflict(item, last, identity)
        if item.status == "deleted":
            item = _taken_back(last)
            identity = replace(identity, content_hash=content_hash(item))
        return self._correct(item, last, identity)

    def _identity(self, item: Reading) -> Identity:
        known = self.identities.get(id(item))
        if known is not None:
            return known[1]
        return Identity.of(item, self.source.vendor, self.source.account)

    def _first(self, item: Reading, identity: Identity) -> ItemResult:
        row = self._row(item, identity)
        target = self._replaced_by(identity)
        if target is not None:
            row.supersedes_id = target.id
            self.days.update(days_of(target))
        return self._keep(row, "corrected" if target else "accepted")

    def _replaced_by(self, identity: Identity) -> AnyVersion | None:
        """The reading that this one takes the place of; none if each says so of the other."""
        if identity.replaces_key is None:
            return None
        self.replaced.add(identity.replaces_key)
        known = self.versions.get(identity.replaces_key)
        return known[-1] if known and known[-1].replaces_key != identity.key else None

    def _join(self, item: Reading, last: AnyVersion, identity: Identity) -> ItemResult:
        """A part of a reading that other parts were sent of already: they make one reading."""
        known = replace(as_reading(last), is_part=True)
        whole = joined(known, item) if last.status != "void" else None
        if whole is None:
            return self._conflict(item, last, identity)
        if whole is known:
            return ItemResult("duplicate", last.id, item.vendor_reading_id, last.reason_code)
        amended = replace(whole, status="corrected")
        return self._correct(
            amended, last, Identity.of(amended, self.source.vendor, self.source.account)
        )

    def _correct(self, item: Reading, last: AnyVersion, identity: Identity) -> ItemResult:
        """A new version. Its day reached us when the first version did, unless the day changed."""
        row = self._row(item, identity)
        row.version, row.supersedes_id = last.version + 1, last.id
        row.status = "corrected" if row.status == "final" else row.status
        if row.local_day == last.local_day:
            row.received_at, row.received_day = last.received_at, last.received_day
        self.days.update(days_of(last))
        target = self._replaced_by(identity)
        if target is not None and target.reason_code != SUPERSEDED:
            self._set_aside(target)
        return self._keep(row, "corrected")

    def _set_aside(self, target: AnyVersion) -> None:
        """A version of a reading that no longer counts: one row supersedes only one other."""
        later = next_version(target, self.arrival.received_at)
        _supersede(later)
        self.versions[target.identity_key].append(later)
        self.rows.append(later)
        self.days.update(days_of(later))

    def _row(self, item: Reading, identity: Identity) -> ReadingVersion:
        row = new_row(item, identity, self.devices.get(item.device_id), self.arrival)
        row.delivery_id, row.import_id = self.source.delivery_id, self.source.import_id
        row.connection_id = self.source.connection_id
        if identity.key in self.replaced and row.status != "void":
            # its replacement came first: sending order is not arrival order
            _supersede(row)
        return row

    def _keep(self, row: ReadingVersion, status: ItemStatus) -> ItemResult:
        self.versions.setdefault(row.identity_key, []).append(row)
        self.rows.append(row)
        self.days.update(days_of(row))
        if row.reason_code == SUPERSEDED or (row.status == "void" and status == "accepted"):
            status = "ignored"
        elif is_quarantined(row):
            status = "quarantined"
        return ItemResult(status, row.id, row.vendor_reading_id, row.reason_code)

    def _conflict(self, item: Reading, first: AnyVersion, identity: Identity) -> ItemResult:
        found = (first.id, identity.content_hash)
        if found not in self.conflicting:
            self.conflicting.add(found)
            self.conflicts.append(
                ReadingConflict(
                    reading_id=first.id,
                    delivery_id=self.source.delivery_id,
                    import_id=self.source.import_id,
                    content_hash=identity.content_hash,
                    content={
                        "measure": item.kind,
                        "components": [component_json(part) for part in item.components],
                        "vendor_time": item.vendor_time,
                        "vendor_device_id": item.device_id,
                        "entry_method": item.entry_method,
                    },
                )
            )
        return ItemResult("quarantined", first.id, item.vendor_reading_id, _CONFLICT)

    def _reject(self, item: RejectedReading) -> ItemResult:
        self.rejected.append(
            RejectedItem(
                delivery_id=self.source.delivery_id,
                import_id=self.source.import_id,
                place=item.where,
                reason=item.reason,
                message=item.message,
                vendor_reading_id=item.vendor_reading_id,
            )
        )
        return ItemResult("quarantined", None, item.vendor_reading_id, item.reason)
