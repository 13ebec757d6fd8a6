"""The arithmetic of tamper evidence: digests of rows, and the keyed chain over events.

Owns canonical JSON, what a row's digest covers and what an event's HMAC covers. Does not own
writing events (``rpm.store.chain``), checking them (``rpm.store.verify``) nor where keys come
from (``rpm.keys``). Pure: values in, values out.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

GENESIS_HMAC = "0" * 64
"""What the first event of an organization names as its predecessor."""
LOCATOR_BYTES = 8
"""How much of each row digest an event keeps, to say which row does not fit."""

_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


@dataclass(frozen=True)
class Anchor:
    """The head of a chain at some moment, kept elsewhere: it makes a cut tail visible."""

    number: int
    hmac: str

    def as_json(self) -> dict[str, Any]:
        """As closes and export manifests keep it."""
        return {"number": self.number, "hmac": self.hmac}


def canonical_json(value: Any) -> str:
    """JSON as stored and as digested: sorted keys, no spaces, no NaN (ValueError)."""
    return _ENCODER.encode(value)


def canonical_value(value: Any) -> Any:
    """A column's value as JSON knows it, the same before storing and after reading back.

    Instants become UTC text, bytes their SHA-256, structures what JSON keeps of them.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    return json.loads(canonical_json(value))


def row_digest(table: str, row: Mapping[str, Any]) -> bytes:
    """SHA-256 over a row. Empty columns are left out, so a later empty column changes nothing."""
    known = {name: canonical_value(value) for name, value in row.items() if value is not None}
    return hashlib.sha256(f"{table}\n{canonical_json(known)}".encode()).digest()


def facts_digest(row_digests: Iterable[bytes]) -> str:
    """SHA-256, hex, over the digests of an event's rows in order of table and id."""
    return hashlib.sha256(b"".join(row_digests)).hexdigest()


def organization_key(audit_key: bytes, organization_id: UUID) -> bytes:
    """The chain key of one organization, derived from the installation's audit key."""
    info = b"rpm-ledger audit chain " + organization_id.bytes
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(audit_key)


def event_hmac(key: bytes, event: Mapping[str, Any]) -> str:
    """HMAC-SHA256, hex, over every column of an audit event but ``hmac`` itself."""
    covered = {
        name: canonical_value(value)
        for name, value in event.items()
        if name != "hmac" and value is not None
    }
    return hmac.new(key, canonical_json(covered).encode(), hashlib.sha256).hexdigest()
