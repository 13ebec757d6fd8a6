"""Connection secrets: what a sender, or we to a receiver, prove messages with; kept encrypted.

Owns making and keeping them, and which are good at an instant. Does not own checking a delivery
with them (``devices``), encryption (``rpm.fields``) nor when they change (``manage_connections``).
"""

import base64
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from devices.authenticity import SchemeKind, secret_problem
from devices.delivery import Secret
from devices.signature import STANDARD_WEBHOOKS_PREFIXES
from rpm.actions.command import refuse
from rpm.fields import decrypt_field, encrypt_field
from rpm.keys import KeyRing
from rpm.store.tables.monitoring import Connection
from rpm.store.tables.outbound import Endpoint
from rpm.store.tables.proposals import VisitPlatform

RANDOM_BYTES = 32
SecretKeeper = Connection | Endpoint | VisitPlatform
"""Rows that keep secrets."""
_NOBODY = "connection.secret_encrypted of nobody"


@dataclass(frozen=True)
class KeptSecret:
    """A secret and when it ends (exclusive); None: it does not."""

    secret: Secret
    until: datetime | None = None

    def is_good(self, now: datetime) -> bool:
        """Whether it is accepted at this instant."""
        return self.until is None or now < self.until

    def ending(self, end: datetime) -> "KeptSecret":
        """The same, ending then or earlier."""
        return replace(self, until=end if self.until is None else min(end, self.until))


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


def good_secrets(connection: SecretKeeper | None, ring: KeyRing, now: datetime) -> list[Secret]:
    """The secrets that are accepted at this instant; errors as of ``kept_secrets``."""
    return good_of(kept_secrets(connection, ring), now)


def good_of(kept: Iterable[KeptSecret], now: datetime) -> list[Secret]:
    """Those of the kept secrets that are accepted at this instant."""
    return [one.secret for one in kept if one.is_good(now)]


def kept_secrets(connection: SecretKeeper | None, ring: KeyRing) -> tuple[KeptSecret, ...]:
    """The secrets of a connection; ``NotReady`` when no key opens them.

    Of no connection one that nobody knows, got by the same work: how long a refusal takes does not
    tell whether there is a connection.
    """
    if connection is None:
        sealed = _sealed_for_nobody(ring.current_id, ring.current)
        return _opened(decrypt_field(ring, sealed, _NOBODY))
    return _entries(connection, ring)


def keep_secret(connection: SecretKeeper, ring: KeyRing, secret: str | None) -> None:
    """Give a new connection its secret, if it has one."""
    _keep(connection, ring, [] if secret is None else [KeptSecret(Secret(secret))])


def keep_next_secret(
    connection: SecretKeeper, ring: KeyRing, secret: str, *, now: datetime, end: datetime
) -> None:
    """Add a secret; those before end then or earlier, and those that ended are forgotten."""
    kept = [one.ending(end) for one in _entries(connection, ring) if one.is_good(now)]
    _keep(connection, ring, [*kept, KeptSecret(Secret(secret))])


@lru_cache(maxsize=4)
def _sealed_for_nobody(key_id: str, key: bytes) -> bytes:
    plain = json.dumps([{"secret": _random_secret(), "until": None}]).encode()
    return encrypt_field(KeyRing(key_id, {key_id: key}), plain, _NOBODY)


def _random_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(RANDOM_BYTES)).decode()


def _random_word() -> str:
    return secrets.token_urlsafe(RANDOM_BYTES)


def _place(connection: SecretKeeper) -> str:
    table = connection.__tablename__
    return f"{table}.secret_encrypted {connection.organization_id.hex} {connection.id.hex}"


def _entries(connection: SecretKeeper, ring: KeyRing) -> tuple[KeptSecret, ...]:
    return _opened(decrypt_field(ring, connection.secret_encrypted, _place(connection)))


def _opened(plain: bytes) -> tuple[KeptSecret, ...]:
    return tuple(
        KeptSecret(
            Secret(entry["secret"]),
            None if entry["until"] is None else datetime.fromisoformat(entry["until"]),
        )
        for entry in json.loads(plain)
    )


def _keep(connection: SecretKeeper, ring: KeyRing, kept: Iterable[KeptSecret]) -> None:
    entries = [
        {"secret": one.secret.text, "until": one.until.isoformat() if one.until else None}
        for one in kept
    ]
    plain = json.dumps(entries).encode()
    connection.secret_encrypted = encrypt_field(ring, plain, _place(connection))
