"""The installation's keys: from the settings, or from a key file beside an embedded database.

Owns key rings, key ids and the key file. Does not own what is signed or encrypted with them.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy.engine import make_url

from rpm.errors import NotReady
from rpm.settings import Settings

_NAMES = ("secret_key", "audit_key", "field_key")
KEY_ID_CHARACTERS = 16


@dataclass(frozen=True)
class KeyRing:
    """The key in use and earlier ones, by id; an id is a fingerprint, so none has to be set."""

    current_id: str
    keys: Mapping[str, bytes] = field(repr=False)

    @property
    def current(self) -> bytes:
        """The key that new signatures and ciphertexts use."""
        return self.keys[self.current_id]


@dataclass(frozen=True)
class Keys:
    """All keys of an installation."""

    secret: bytes = field(repr=False)
    audit: KeyRing
    field_encryption: KeyRing


def key_ring(current: str, previous: Sequence[str] = ()) -> KeyRing:
    """A ring of 32-byte keys made from texts of any form."""
    derived = [hashlib.sha256(text.encode()).digest() for text in (current, *previous)]
    by_id = {hashlib.sha256(key).hexdigest()[:KEY_ID_CHARACTERS]: key for key in derived}
    return KeyRing(next(iter(by_id)), by_id)


def load_keys(settings: Settings) -> Keys:
    """Keys from the settings; on SQLite the key file gives what they leave out.

    ``NotReady`` names the missing variables on PostgreSQL.
    """
    texts = key_texts(settings)
    return Keys(
        secret=hashlib.sha256(texts["secret_key"].encode()).digest(),
        audit=key_ring(texts["audit_key"], _texts(settings.previous_audit_keys)),
        field_encryption=key_ring(texts["field_key"], _texts(settings.previous_field_keys)),
    )


def key_texts(settings: Settings) -> dict[str, str]:
    """The three keys in use by name of their setting; as ``load_keys`` otherwise."""
    given = {name: _text(getattr(settings, name)) for name in _NAMES}
    missing = [name for name in _NAMES if given[name] is None]
    if missing:
        kept = _embedded_keys(settings.database_url, missing)
        given.update({name: kept[name] for name in missing})
    return {name: text for name, text in given.items() if text is not None}


def with_known_keys(settings: Settings) -> Settings:
    """Settings that hold the keys themselves; ``NotReady`` where one would have to be made."""
    path = key_file(settings.database_url)
    if path is None or path.exists():
        return settings.model_copy(
            update={name: SecretStr(text) for name, text in key_texts(settings).items()}
        )
    missing = [name for name in _NAMES if getattr(settings, name) is None]
    if missing:
        names = ", ".join(f"RPMLEDGER_{name.upper()}" for name in missing)
        raise NotReady(
            f"put the key file that was kept apart at {path.name} beside the database"
            f" that is to be, or set {names}"
        )
    return settings


def key_file(database_url: str) -> Path | None:
    """The key file of an embedded database; None for any other database."""
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite" or not url.database or url.database == ":memory:":
        return None
    return Path(f"{url.database}.key")


def _embedded_keys(database_url: str, missing: Sequence[str]) -> dict[str, str]:
    path = key_file(database_url)
    if path is None:
        names = ", ".join(f"RPMLEDGER_{name.upper()}" for name in missing)
        raise NotReady(f"set {names}: only an embedded database file keeps its own keys")
    path.parent.mkdir(parents=True, exist_ok=True)
    _create_once(path)
    kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    if any(name not in kept for name in missing):
        raise NotReady("the key file beside the database is not complete")
    return kept


def _create_once(path: Path) -> None:
    """Several processes may start at once: a whole file appears under its name, or none."""
    if path.exists():
        return
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({name: secrets.token_hex(32) for name in _NAMES}, file)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was first; its keys are read
    finally:
        draft.unlink()


def _text(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret is not None else None


def _texts(given: Sequence[SecretStr]) -> list[str]:
    return [secret.get_secret_value() for secret in given]
