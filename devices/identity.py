"""Identity of a reading: the key that makes it one, and the digest that tells repeat from conflict.

Owns both. Does not own what happens to a repeat (nothing changes), a correction (a new version) or
a conflict (the first stays, the second is shown beside it): those are the store's.
"""

import hashlib
import json
import re
from decimal import Decimal

from devices.kinds import KINDS
from devices.reading import Component, Reading

_TO_THE_SECOND = re.compile(r"\d\d:\d\d:\d\d|^(?:\d{10}|\d{13})$", re.ASCII)


def identity_key(reading: Reading, *, adapter: str, account: str) -> str:
    """The key under which a reading is one for ever, whatever delivers it again.

    ``account`` is the sender's account or connection: its reading ids are unique within it. A
    reading without an id of the sender's is known by what it says: adapter, device, kind and the
    device's own time text, never the corrected time (two gateways correct differently). Where that
    text is no finer than a minute, or for glucose, the values belong to the key too.
    """
    if reading.vendor_reading_id is not None:
        return vendor_key(adapter, account, reading.vendor_reading_id)
    parts: list[object] = [adapter, reading.device_id, reading.kind, reading.vendor_time]
    if _needs_value(reading):
        parts.append([_component_parts(part) for part in reading.components])
    return f"content:{_digest(parts)}"


def replaced_key(reading: Reading, *, adapter: str, account: str) -> str | None:
    """The identity key of the reading that this one says it replaces, or None."""
    if reading.replaces is None:
        return None
    return vendor_key(adapter, account, reading.replaces)


def vendor_key(adapter: str, account: str, vendor_reading_id: str) -> str:
    """The identity key of the reading that a sender knows by this id."""
    return f"vendor:{_digest([adapter, account, vendor_reading_id])}"


def content_hash(reading: Reading) -> str:
    """SHA-256 of what a reading says: same key and same hash is a repeat, else a conflict.

    Converted values are compared, so 72.5 and 72.50 and the same weight in another unit are the
    same; order of components does not matter.
    """
    measured_at = reading.measured_at
    return _digest(
        [
            reading.device_id,
            reading.patient_ref,
            reading.kind,
            sorted(_component_parts(part) for part in reading.components),
            None if measured_at is None else measured_at.timestamp(),
            reading.offset_minutes,
            reading.entry_method,
            reading.status,
            reading.replaces,
        ]
    )


def _needs_value(reading: Reading) -> bool:
    kind = KINDS.get(reading.kind)
    is_glucose = kind is not None and kind.ledger in {"glucose", "cgm"}
    return is_glucose or _TO_THE_SECOND.search(reading.vendor_time) is None


def _component_parts(part: Component) -> list[str]:
    return [part.loinc, part.comparator, _plain(part.value), part.ucum]


def _plain(value: Decimal) -> str:
    """One text per number: 72.5 for 72.50, 0 for -0.0."""
    return f"{value.normalize() + 0:f}"


def _digest(parts: list[object]) -> str:
    text = json.dumps(parts, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
