"""What vouches for a backup: its manifest, sealed with the audit key.

Owns the manifest's form, and telling a sound backup from a damaged one, a foreign one and one made
under another audit key. Does not own the copy (``rpm.store.snapshot``).
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import rpm
from rpm.audit import Anchor, content_digest, seal
from rpm.errors import InvalidRequest, NotReady
from rpm.keys import KeyRing
from rpm.store.snapshot import FILES, Holdings

MANIFEST = "manifest.json"
FORMAT = "rpm-ledger backup 1"
_PURPOSE = "backup"
_PIECE_BYTES = 1 << 20
_SUMS = frozenset({"digest", "seal"})


def manifest_of(
    held: Holdings, engine_name: str, path: Path, taken_at: datetime, keys: KeyRing
) -> dict[str, Any]:
    """The manifest of a copy that lies at a path."""
    content: dict[str, Any] = {
        "format": FORMAT,
        "product_version": rpm.__version__,
        "schema_revision": held.schema_revision,
        "engine": engine_name,
        "taken_at": taken_at.isoformat(),
        "file": {"name": path.name, "bytes": path.stat().st_size, "sha256": file_digest(path)},
        "rows": held.rows,
        "anchors": {str(one): anchor.as_json() for one, anchor in held.anchors.items()},
        "audit_key_id": keys.current_id,
    }
    digest = content_digest(content)
    return {**content, "digest": digest, "seal": seal(keys.current, _PURPOSE, content)}


def manifest_bytes(manifest: Mapping[str, Any]) -> bytes:
    """The manifest as its file holds it."""
    return (json.dumps(manifest, indent=1) + "\n").encode()


def checked_manifest(backup: Path, keys: KeyRing) -> dict[str, Any]:
    """The manifest of a backup whose every byte is as it was taken.

    ``InvalidRequest`` for a folder that is no backup and for a damaged one, ``NotReady`` where the
    audit key that made it is not set.
    """
    manifest = _read(backup)
    content = {name: value for name, value in manifest.items() if name not in _SUMS}
    if content.get("format") != FORMAT:
        raise InvalidRequest("not a backup of this product, or one of a newer version")
    if manifest.get("digest") != content_digest(content):
        raise InvalidRequest(f"the backup is damaged: {MANIFEST} was changed")
    key = keys.keys.get(str(content["audit_key_id"]))
    if key is None:
        raise NotReady(
            "the backup was made under another audit key than those that are set; this is no sign"
            " of tampering: set RPMLEDGER_AUDIT_KEY, or put the key file beside the new database"
        )
    if manifest.get("seal") != seal(key, _PURPOSE, content):
        raise InvalidRequest(f"the backup is not genuine: {MANIFEST} was not written by us")
    _check_file(backup, content)
    return content


def held_by(manifest: Mapping[str, Any]) -> Holdings:
    """What the copy of a checked manifest holds."""
    anchors = {
        UUID(one): Anchor(anchor["number"], anchor["hmac"])
        for one, anchor in manifest["anchors"].items()
    }
    return Holdings(manifest["schema_revision"], manifest["rows"], anchors)


def file_digest(path: Path) -> str:
    """SHA-256, hex, of a file of any size."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _read(backup: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((backup / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InvalidRequest(f"not a backup: it holds no {MANIFEST}") from error
    except ValueError as error:
        raise InvalidRequest(f"the backup is damaged: {MANIFEST} cannot be read") from error
    if not isinstance(manifest, dict):
        raise InvalidRequest(f"not a backup: {MANIFEST} is of another kind")
    return manifest


def _check_file(backup: Path, content: Mapping[str, Any]) -> None:
    told = content["file"]
    path = backup / FILES[content["engine"]]
    if not path.is_file():
        raise InvalidRequest(f"the backup is damaged: {path.name} is missing")
    if path.stat().st_size != told["bytes"] or file_digest(path) != told["sha256"]:
        raise InvalidRequest(f"the backup is damaged: {path.name} is not what was copied")
