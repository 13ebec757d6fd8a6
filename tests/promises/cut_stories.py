"""What is cut: a day's work from intake to export, a close with its export, an export alone.

Owns what each story does and what must be true after a cut and after going on. Does not own where
it is cut (``cut_program``).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from cut_place import FEBRUARY, JANUARY, Place
from intake_door import body_of, signed, weight
from sqlalchemy import select

from devices.delivery import Incoming
from rpm.actions.authenticate_delivery import authenticate
from rpm.actions.close_month import post_close
from rpm.actions.compute_close import compute_close
from rpm.actions.export_close import ExportClose, export_close
from rpm.actions.log_entry import LogEntry, log_entry
from rpm.actions.reverse_entry import ReverseEntry, reverse_entry
from rpm.actions.take_delivery import DeliveryAnswer, take_delivery
from rpm.actions.verify import verify_record
from rpm.actions.whole_files import write_whole
from rpm.errors import Conflict
from rpm.keys import load_keys
from rpm.store.engine import reading, transaction
from rpm.store.scope import Scope
from rpm.store.tables.base import METADATA

Say = Callable[[str], None]
MANIFEST = "manifest.json"


def whole_day(place: Place, say: Say) -> None:
    """Intake, an entry, its correction, the close of the month and its export; may be repeated."""
    intake(place, say)
    first = entry(place, say, UUID(int=1), 480)
    try:
        with transaction(place.engine) as db:
            command = ReverseEntry(entry_id=first, reason="too long")
            row = reverse_entry(db, place.actor, FEBRUARY, command).reversal
        say(f"interaction_entry {row.id}")
    except Conflict:
        pass  # taken back before the cut
    entry(place, say, UUID(int=2), 300)
    close_and_export(place, say)


def intake(place: Place, say: Say) -> None:
    """A delivery of three readings."""
    body = body_of(*(weight(f"r-{n}", f"2026-01-2{n}T08:15:00-05:00") for n in range(5, 8)))
    answer = delivered(place, "msg-1", body)
    say(f"delivery {answer.delivery_id}")
    for item in answer.items:
        say(f"reading {item['reading_id']}")


def delivered(place: Place, message_id: str, body: bytes) -> DeliveryAnswer:
    """What the door answers to a signed body, as the webhook route takes it."""
    sent = Incoming(signed(place.prepared.secret, message_id, FEBRUARY, body), body)
    ring = load_keys(place.settings).field_encryption
    with reading(place.engine) as db:
        token = place.prepared.token
        sender = authenticate(db, ring, FEBRUARY, "generic", token, sent)
    with transaction(place.engine) as db:
        return take_delivery(db, sender, FEBRUARY, sent)


def entry(place: Place, say: Say, client_id: UUID, seconds: int) -> UUID:
    """Work that is logged under a client's id."""
    command = LogEntry(
        client_id=client_id,
        patient_id=UUID(place.prepared.patient_id),
        role="rn",
        work="RPM",
        mode="live",
        started_at=FEBRUARY - timedelta(days=3, seconds=seconds),
        duration_seconds=seconds,
        activity="talk about readings",
    )
    with transaction(place.engine) as db:
        row = log_entry(db, place.actor, FEBRUARY, command).entries[0]
    say(f"interaction_entry {row.id}")
    return row.id


def close_and_export(place: Place, say: Say) -> None:
    """The month's close and its export, as the two commands do it."""
    with reading(place.engine) as db:
        computed = compute_close(db, Scope.of(place.actor), FEBRUARY, JANUARY)
    with transaction(place.engine) as db:
        close = post_close(db, place.actor, FEBRUARY, computed).close
    say(f"close {close.id}")
    export(place, say, close.id)


def export_alone(place: Place, say: Say) -> None:
    """The export of a close that is there."""
    export(place, say, UUID(place.prepared.close_id))


def export(
    place: Place,
    say: Say,
    close_id: UUID,
    write: Callable[[Path, Mapping[str, bytes]], None] = write_whole,
) -> None:
    """The files of a close: written inside the transaction that records the export."""
    with transaction(place.engine) as db:
        made = export_close(db, place.actor, FEBRUARY, ExportClose(close_id=close_id))
        write(place.exported, made.files)
    say(f"export {made.export.id}")


def careless_export(place: Place, say: Say) -> None:
    """What an export would be without care: files are written where they are seen."""

    def write(folder: Path, files: Mapping[str, bytes]) -> None:
        folder.mkdir(exist_ok=True)
        for name in (MANIFEST, *files):
            (folder / name).write_bytes(files[name])

    export(place, say, UUID(place.prepared.close_id), write)


def lost(place: Place, said: list[str]) -> list[str]:
    """What was said to be stored and is not."""
    missing = []
    with reading(place.engine) as db:
        for table, row_id in (line.split() for line in said if not line.startswith("error")):
            found = select(METADATA.tables[table]).where(
                METADATA.tables[table].c.id == UUID(row_id)
            )
            if db.connection().execute(found).first() is None:
                missing.append(f"lost: {table}")
            elif table == "export" and torn(place.exported, whole=True):
                missing.append("lost: a file of a recorded export")
    return missing


def unsound(place: Place) -> list[str]:
    """What the product's own verification finds."""
    with reading(place.engine) as db:
        return [f"{found.code} {found.message}" for found in verify_record(db, place.actor)]


def torn(folder: Path, *, whole: bool = False) -> list[str]:
    """Files that the manifest beside them does not vouch for; with ``whole`` all must be there."""
    manifest = folder / MANIFEST
    if not manifest.exists():
        return ["no manifest"] if whole else []
    try:
        files = json.loads(manifest.read_bytes())["files"]
    except ValueError:
        return [MANIFEST]
    return [
        name
        for name, about in files.items()
        if not (folder / name).exists()
        or sha256((folder / name).read_bytes()).hexdigest() != about["sha256"]
    ]


def files_of(place: Place) -> dict[str, bytes]:
    """The files of an export that a person would see."""
    if not place.exported.exists():
        return {}
    shown = (path for path in place.exported.iterdir() if not path.name.startswith("."))
    return {path.name: path.read_bytes() for path in shown}


def events_of(place: Place) -> list[tuple[Any, ...]]:
    """All closes and postings, to be compared: everything but when they were written."""
    with reading(place.engine) as db:
        return [
            tuple(row)
            for name in ("close", "posting")
            for row in db.connection().execute(
                select(METADATA.tables[name]).order_by(METADATA.tables[name].c.id)
            )
        ]


@dataclass(frozen=True)
class Undisturbed:
    """What a story leaves when nothing happens to it."""

    events: list[tuple[Any, ...]]
    files: Mapping[str, bytes]

    @classmethod
    def of(cls, place: Place) -> "Undisturbed":
        """What is there now."""
        return cls(events_of(place), files_of(place))


def unlike(place: Place, wanted: Undisturbed) -> list[str]:
    """How events and files differ from those of an undisturbed story."""
    found = Undisturbed.of(place)
    differences = ["other events"] if found.events != wanted.events else []
    return differences + ["other bytes"] * (found.files != wanted.files)


def half_files(place: Place, wanted: Undisturbed) -> list[str]:
    """Files that can be seen after a cut and are not whole."""
    seen = files_of(place)
    parts = [name for name, content in seen.items() if content != wanted.files[name]]
    return [f"torn: {name}" for name in {*parts, *torn(place.exported)}]


@dataclass(frozen=True)
class Story:
    """What is done, what is looked at after a cut, and whether going on must give the same."""

    work: Callable[[Place, Say], None]
    after_cut: Callable[[Place, list[str], Undisturbed], list[str]]
    same_when_repeated: bool


def _files_whole(place: Place, said: list[str], wanted: Undisturbed) -> list[str]:
    return [*lost(place, said), *half_files(place, wanted)]


STORIES = {
    "day": Story(
        whole_day,
        lambda place, said, wanted: [*lost(place, said), *unsound(place)],
        same_when_repeated=False,
    ),
    "close": Story(
        close_and_export, lambda place, said, wanted: lost(place, said), same_when_repeated=True
    ),
    "export": Story(export_alone, _files_whole, same_when_repeated=True),
    "careless export": Story(careless_export, _files_whole, same_when_repeated=True),
}
