"""The arithmetic of tamper evidence: digests of rows, and the keyed chain over events.

Owns canonical JSON, what a row's digest covers and what an event's HMAC covers. Does not own
writing events (``rpm.store.chain``), checking them (``rpm.store.verify``) nor where keys come
from (``rpm.keys``). Pure: values in, values out.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
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


class JsonText(str):
    """Canonical JSON that was made already: it is stored and digested as it stands."""

    __slots__ = ()


def canonical_json(value: Any) -> str:
    """JSON as stored and as digested: sorted keys, no spaces, no NaN (ValueError)."""
    return value if isinstance(value, JsonText) else _ENCODER.encode(value)


def canonical_value(value: Any) -> Any:
    """A value in the form that SQLite stores, which is the form that digests cover.

    Instants are UTC text, days ISO text, ids 32 digits, truth 0 or 1, structures JSON text; bytes
    are their SHA-256. TypeError for a value that no column holds.
    """
    if isinstance(value, bool):
        return int(value)
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, dict | list | tuple):
        return canonical_json(value)
    raise TypeError(f"no column holds a {type(value).__name__}")


def row_digest(table: str, stored: Mapping[str, Any]) -> bytes:
    """SHA-256 over a row in stored form, its columns in order of their names.

    Empty columns are left out: a column that a later version adds changes no old digest.
    """
    return digest_of(table)(_ENCODER.encode(stored).encode())


def digest_of(table: str) -> Callable[[bytes], bytes]:
    """``row_digest`` for rows of a table whose canonical JSON is there already."""
    before = f"{table}\n".encode()
    return lambda stored: hashlib.sha256(before + stored).digest()


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


def content_digest(content: Any) -> str:
    """SHA-256, hex, over a structure's canonical JSON."""
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def seal(audit_key: bytes, purpose: str, content: Any) -> str:
    """HMAC-SHA256, hex, of a structure under a key derived from the audit key for one purpose."""
    info = f"rpm-ledger {purpose}".encode()
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(audit_key)
    return hmac.new(key, canonical_json(content).encode(), hashlib.sha256).hexdigest()
