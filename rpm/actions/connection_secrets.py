"""Connection secrets: what a sender proves itself with, kept encrypted, good until it ends.

Owns making and keeping them, and which are good at an instant. Does not own checking a delivery
with them (``devices``), encryption (``rpm.fields``) nor when they change (``manage_connections``).
"""

import base64
import json
import secrets
from datetime import datetime
from functools import lru_cache
from typing import Any

from devices.authenticity import SchemeKind, secret_problem
from devices.delivery import Secret
from devices.signature import STANDARD_WEBHOOKS_PREFIXES
from rpm.actions.command import refuse
from rpm.fields import decrypt_field, encrypt_field
from rpm.keys import KeyRing
from rpm.store.tables.monitoring import Connection

RANDOM_BYTES = 32
_NOBODY = "connection.secret_encrypted of nobody"


def new_secret(kind: SchemeKind, given: str | None) -> tuple[str | None, str | None]:
    """The secret to keep and the one to show: ours is shown once, one of the sender's is not.

    Neither for a scheme without one. ``InvalidRequest`` when a given one cannot be used.
    """
    if given is not None:
        problem = secret_problem(kind, given)
        if problem is not None:
            raise refuse("secret", "E_SECRET", problem)
        return given, None
    if kind == "path":
        return None, None
    made = _random_secret() if kind in STANDARD_WEBHOOKS_PREFIXES else _random_word()
    return made, made


def good_secrets(connection: Connection | None, ring: KeyRing, now: datetime) -> list[Secret]:
    """The secrets that are accepted at this instant; ``NotReady`` when no key opens them.

    Of no connection one that nobody knows, got by the same work: how long a refusal takes does not
    tell whether there is a connection.
    """
    if connection is None:
        sealed = _sealed_for_nobody(ring.current_id, ring.current)
        entries: list[dict[str, Any]] = json.loads(decrypt_field(ring, sealed, _NOBODY))
    else:
        entries = _entries(connection, ring)
    return [Secret(entry["secret"]) for entry in entries if _is_good(entry, now)]


def keep_secret(connection: Connection, ring: KeyRing, secret: str | None) -> None:
    """Give a new connection its secret, if it has one."""
    _keep(connection, ring, [] if secret is None else [{"secret": secret, "until": None}])


def keep_next_secret(
    connection: Connection, ring: KeyRing, secret: str, *, now: datetime, end: datetime
) -> None:
    """Add a secret; those before end then or earlier, and those that ended are forgotten."""
    kept = [_ending(entry, end) for entry in _entries(connection, ring) if _is_good(entry, now)]
    _keep(connection, ring, [*kept, {"secret": secret, "until": None}])


@lru_cache(maxsize=4)
def _sealed_for_nobody(key_id: str, key: bytes) -> bytes:
    plain = json.dumps([{"secret": _random_secret(), "until": None}]).encode()
    return encrypt_field(KeyRing(key_id, {key_id: key}), plain, _NOBODY)


def _random_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(RANDOM_BYTES)).decode()


def _random_word() -> str:
    return secrets.token_urlsafe(RANDOM_BYTES)


def _place(connection: Connection) -> str:
    return f"connection.secret_encrypted {connection.organization_id.hex} {connection.id.hex}"


def _entries(connection: Connection, ring: KeyRing) -> list[dict[str, Any]]:
    plain = decrypt_field(ring, connection.secret_encrypted, _place(connection))
    entries: list[dict[str, Any]] = json.loads(plain)
    return entries


def _keep(connection: Connection, ring: KeyRing, entries: list[dict[str, Any]]) -> None:
    plain = json.dumps(entries).encode()
    connection.secret_encrypted = encrypt_field(ring, plain, _place(connection))


def _is_good(entry: dict[str, Any], now: datetime) -> bool:
    return entry["until"] is None or now < datetime.fromisoformat(entry["until"])


def _ending(entry: dict[str, Any], end: datetime) -> dict[str, Any]:
    """The entry, ending then or earlier."""
    until = entry["until"]
    ends = end if until is None else min(end, datetime.fromisoformat(until))
    return {**entry, "until": ends.isoformat()}
