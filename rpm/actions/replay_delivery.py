"""Replay a delivery: a stored body is read again as it came, by the format as it reads today.

Owns what may come of it: what was read before is never recorded again, whatever its connection's
settings are now; what could not be read before and can be now is recorded, with the instant at
which the delivery arrived. Does not own the first reading (``take_delivery``) nor which dead
letters are chosen (``replay_dead_letters``). What is already booked stays as it is.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from devices.delivery import Parsed
from devices.reading import Reading
from rpm.access import Actor, require
from rpm.actions.command import Command, Id
from rpm.actions.connection_settings import settings_of
from rpm.actions.judge_reading import Identity
from rpm.actions.reading_batch import Batch, ItemResult, Source
from rpm.actions.reading_version import AnyVersion
from rpm.actions.take_delivery import parsed_or_problem, source_of
from rpm.actions.take_readings import write_batch
from rpm.errors import Conflict
from rpm.store.chain import Record, recording
from rpm.store.purgeable import is_purged
from rpm.store.queries.connections import DEAD_LETTER, READ, latest_replay
from rpm.store.queries.people import hold_organization, organization_of
from rpm.store.queries.replays import readings_with_ids, rejected_places
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Connection, Delivery, DeliveryReplay
from rpm.store.tables.people import Organization


class ReplayDelivery(Command):
    """A stored delivery that is to be read again."""

    delivery_id: Id


@dataclass(frozen=True)
class Replayed:
    """What came of one delivery; ``problem`` is why its body cannot be read today."""

    delivery_id: UUID
    state: str
    problem: str | None
    results: tuple[dict[str, Any], ...]

    @property
    def items(self) -> int:
        """How many items it held."""
        return len(self.results)


def replay_delivery(db: Session, actor: Actor, now: datetime, command: ReplayDelivery) -> Replayed:
    """Read a delivery again, a dead letter or not; ``NotFound`` when there is none here.

    ``Conflict`` when its payload was purged.
    """
    require(actor, "readings:write")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    delivery = scope.get(db, Delivery, command.delivery_id)
    if is_purged(db, scope, delivery.id):
        raise Conflict("its payload was removed by a purge")
    subject = {"delivery_ids": [str(delivery.id)]}
    with recording(db, actor, now, "delivery.replay", subject) as record:
        return read_again(db, record, organization_of(db, scope), delivery)


def read_again(
    db: Session, record: Record, organization: Organization, delivery: Delivery
) -> Replayed:
    """Read a delivery inside the caller's recording; a replay is kept where it changes anything."""
    connection = db.get_one(Connection, (delivery.organization_id, delivery.connection_id))
    settings = settings_of(connection)
    parsed = parsed_or_problem(settings, delivery.body, delivery.headers)
    told = latest_replay(db, delivery.organization_id, delivery.id) or delivery
    was_read = told.state == READ
    if isinstance(parsed, str):
        if not was_read:
            record.add(
                DeliveryReplay(
                    delivery_id=delivery.id, state=DEAD_LETTER, problem=parsed, results=[]
                )
            )
        return Replayed(delivery.id, told.state, parsed, ())
    source = source_of(delivery, settings.account)
    batch = Batch.of(db, organization, source, delivery.received_at, parsed.items)
    taken = _taken(batch, source, parsed, _recorded(db, organization.id, told.results))
    results = [result.as_json() for result in taken]
    known = rejected_places(db, organization.id, delivery.id)
    batch.rejected = [one for one in batch.rejected if one.place not in known]
    if not was_read or batch.rows or batch.conflicts or batch.rejected:
        record.add(DeliveryReplay(delivery_id=delivery.id, state=READ, results=results))
        write_batch(db, record, batch)
    return Replayed(delivery.id, READ, None, tuple(results))


def _taken(
    batch: Batch, source: Source, parsed: Parsed, recorded: Counter[tuple[str | None, str]]
) -> list[ItemResult]:
    """What becomes of each item; one that was recorded stays so under another identity too.

    A setting that was changed since, such as a unit, may be part of the identity. What any version
    says already is known, although a later version says otherwise: a replay is no news.
    """
    readings = [item if isinstance(item, Reading) else None for item in parsed.items]
    standing = [_standing(batch, source, one) for one in readings]
    for one, versions in zip(readings, standing, strict=True):
        if one is not None and versions:
            recorded[_told(one)] -= 1
    results = []
    for item, one, versions in zip(parsed.items, readings, standing, strict=True):
        known = None if one is None else _known(source, one, versions, recorded)
        results.append(known or batch.take(item))
    return results


def _standing(batch: Batch, source: Source, item: Reading | None) -> list[AnyVersion]:
    """The versions that were known of a reading before this replay."""
    if item is None:
        return []
    key = Identity.of(item, source.vendor, source.account).key
    return list(batch.versions.get(key, ()))


def _known(
    source: Source,
    item: Reading,
    versions: Sequence[AnyVersion],
    recorded: Counter[tuple[str | None, str]],
) -> ItemResult | None:
    """The result of a reading that brings nothing new, or None."""
    said = Identity.of(item, source.vendor, source.account).content_hash
    if said in {row.content_hash for row in versions}:
        last = versions[-1]
        return ItemResult("duplicate", last.id, item.vendor_reading_id, last.reason_code)
    if not versions and recorded[_told(item)] > 0:
        recorded[_told(item)] -= 1
        return ItemResult("duplicate", None, item.vendor_reading_id)
    return None


def _told(item: Reading | AnyVersion) -> tuple[str | None, str]:
    return item.vendor_reading_id, item.vendor_time


def _recorded(
    db: Session, organization_id: UUID, results: Sequence[dict[str, Any]]
) -> Counter[tuple[str | None, str]]:
    """How many readings a delivery's items were answered with, by sender's id and time text."""
    answered = [UUID(one["reading_id"]) for one in results if one["reading_id"]]
    rows = readings_with_ids(db, organization_id, set(answered))
    return Counter(_told(rows[one]) for one in answered if one in rows)
