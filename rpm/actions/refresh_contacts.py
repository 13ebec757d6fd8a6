"""Refresh of contacts: what was last heard of each device, from deliveries and readings.

Owns bringing the projection up to date: it goes on behind the last audit event that was read, so
intake writes nothing for it. Does not own what they tell (``heard_contacts``) nor the list
(``rpm.store.queries.inventory``).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine
from sqlmodel import Session

from rpm.actions.heard_contacts import Contact, Sender, heard, later, registered_since
from rpm.store.chain import chain_head
from rpm.store.engine import reading, transaction, within
from rpm.store.queries.assignments import known_devices
from rpm.store.queries.device_state import CONTACT_COLUMNS
from rpm.store.scope import Scope
from rpm.store.tables.base import METADATA
from rpm.store.tables.inventory import DeviceContact, DeviceContactMark

EVENTS_AT_ONCE = 10_000
"""Audit events that one step reads at most."""
_ROWS_AT_ONCE = 500
_CONTACTS = METADATA.tables[str(DeviceContact.__tablename__)]
_MARK = METADATA.tables[str(DeviceContactMark.__tablename__)]


def refresh_contacts(engine: Engine, scope: Scope) -> int:
    """Read everything recorded since the last time; the number of devices something came from."""
    total = 0
    while True:
        behind, found = refresh_step(engine, scope)
        total += found
        if not behind:
            return total


def refresh_step(engine: Engine, scope: Scope) -> tuple[bool, int]:
    """Read the next events; whether there are more, and how many devices something came from.

    A page does one step before it is shown: enough unless very much came since the scheduler's last
    round. Reading holds no lock; two at once come to the same.
    """
    engine = within(engine, scope.organization_id)
    organization_id = scope.organization_id
    with reading(engine) as db:
        after = _computed_through(db, organization_id)
        head = chain_head(db, organization_id).number
        until = min(head, after + EVENTS_AT_ONCE)
        if until == after:
            return False, 0
        news = heard(db, organization_id, after, until)
        renamed = registered_since(db, organization_id, after, until)
    with transaction(engine) as db:
        if _locked_mark(db.connection(), organization_id) == after:
            _put(db, organization_id, news, renamed)
            db.connection().execute(
                update(_MARK)
                .where(_MARK.c.organization_id == organization_id)
                .values(computed_through=until)
            )
    return until < head, len(news)


def _computed_through(db: Session, organization_id: UUID) -> int:
    mark = db.get(DeviceContactMark, organization_id)
    return 0 if mark is None else mark.computed_through


def _locked_mark(connection: Connection, organization_id: UUID) -> int:
    insert_new: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(
        insert_new(_MARK)
        .values(organization_id=organization_id, computed_through=0)
        .on_conflict_do_nothing()
    )
    where = _MARK.c.organization_id == organization_id
    found: int = connection.execute(
        select(_MARK.c.computed_through).where(where).with_for_update()
    ).scalar_one()
    return found


def _put(
    db: Session, organization_id: UUID, news: Mapping[Sender, Contact], renamed: set[Sender]
) -> None:
    senders = sorted(news.keys() | renamed)
    for start in range(0, len(senders), _ROWS_AT_ONCE):
        _put_some(db, organization_id, news, senders[start : start + _ROWS_AT_ONCE])


def _put_some(
    db: Session, organization_id: UUID, news: Mapping[Sender, Contact], senders: list[Sender]
) -> None:
    """Rows of some senders anew: as they stood with what is new, and whose device each is now."""
    connection = db.connection()
    where = (_CONTACTS.c.organization_id == organization_id) & tuple_(
        _CONTACTS.c.vendor, _CONTACTS.c.vendor_device_id
    ).in_(senders)
    rows: dict[Sender, Contact] = {
        (row["vendor"], row["vendor_device_id"]): {name: row[name] for name in CONTACT_COLUMNS}
        for row in connection.execute(select(_CONTACTS).where(where)).mappings()
    }
    for sender in senders:
        if sender in news:
            rows[sender] = later(rows.get(sender), news[sender])
    if not rows:
        return
    devices = _devices(db, organization_id, rows)
    connection.execute(delete(_CONTACTS).where(where))
    named = [
        {
            "organization_id": organization_id,
            "vendor": vendor,
            "vendor_device_id": text,
            "device_id": devices.get((vendor, text)),
            **row,
        }
        for (vendor, text), row in rows.items()
    ]
    connection.execute(insert(_CONTACTS), named)


def _devices(
    db: Session, organization_id: UUID, senders: Iterable[Sender]
) -> Mapping[Sender, UUID]:
    by_vendor: defaultdict[str, set[str]] = defaultdict(set)
    for vendor, text in senders:
        by_vendor[vendor].add(text)
    return {
        (vendor, text): device.device_id
        for vendor, texts in by_vendor.items()
        for text, device in known_devices(db, organization_id, vendor, texts).items()
    }
