"""Requests that may be sent twice: the same ``Idempotency-Key`` gives the same answer again.

Owns the claim of a key and the kept answer, both in the transaction of the request itself: either
the change and its answer are recorded, or neither is. An answer that refuses is not kept, so the
request may be mended and sent again. Kept answers are encrypted: some show a secret once.
"""

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy import delete, update
from sqlmodel import Session, col

from rpm.access import Actor
from rpm.fields import decrypt_field, encrypt_field
from rpm.store.claim import claim_row
from rpm.store.tables.security import IdempotencyKey
from rpm.web.problems import BadRequest, IdempotencyKeyReused
from rpm.web.running import Running

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotent-Replayed"
_FORM = re.compile(r"[\x21-\x7e]{1,255}")


class Replay(Exception):  # noqa: N818 - not an error: the answer is already known
    """The request was carried out before; ``response`` is what it was answered."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


@dataclass(frozen=True)
class Asked:
    """A request that carries a key."""

    organization_id: UUID
    key: str
    request_hash: str

    @property
    def place(self) -> str:
        """Where the kept answer stands, for its encryption."""
        return f"idempotency_key.response {self.organization_id.hex} {self.key}"


async def asked(request: Request, actor: Actor) -> Asked | None:
    """The key of a POST and what was asked with it; None without; ``BadRequest`` if malformed."""
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST":
        return None
    if not _FORM.fullmatch(key):
        raise BadRequest("an Idempotency-Key has 1 to 255 visible ASCII characters")
    who = actor.user_id.hex if actor.user_id else ""
    query = request.url.query
    head = json.dumps([request.method, request.url.path, query, who]).encode()
    body = await request.body()
    return Asked(actor.organization_id, key, hashlib.sha256(head + b"\n" + body).hexdigest())


def claim(session: Session, running: Running, asked: Asked, now: datetime) -> None:
    """Take the key for this transaction.

    Raises ``Replay`` when the same request was answered before, and ``IdempotencyKeyReused`` when
    the key was used for another one. While a request with the key runs, another waits for it.
    """
    connection = session.connection()
    oldest = now - timedelta(hours=running.settings.idempotency_hours)
    mine = (col(IdempotencyKey.organization_id) == asked.organization_id) & (
        col(IdempotencyKey.key) == asked.key
    )
    connection.execute(delete(IdempotencyKey).where(mine, col(IdempotencyKey.created_at) < oldest))
    row = {
        "organization_id": asked.organization_id,
        "key": asked.key,
        "request_hash": asked.request_hash,
        "status": 0,
        "response": None,
        "created_at": now,
    }
    if claim_row(session, IdempotencyKey, row):
        return
    kept = session.get_one(IdempotencyKey, (asked.organization_id, asked.key))
    if kept.request_hash != asked.request_hash:
        raise IdempotencyKeyReused("use a new key for another request")
    raise Replay(_opened(running, asked, kept))


def keep(session: Session, running: Running, asked: Asked, answer: Response) -> None:
    """Keep the finished answer under the key."""
    sealed = encrypt_field(running.keys.field_encryption, bytes(answer.body), asked.place)
    content: dict[str, Any] = {
        "sealed": base64.b64encode(sealed).decode(),
        "media_type": answer.media_type,
        "location": answer.headers.get("location"),
    }
    session.connection().execute(
        update(IdempotencyKey)
        .where(
            col(IdempotencyKey.organization_id) == asked.organization_id,
            col(IdempotencyKey.key) == asked.key,
        )
        .values(status=answer.status_code, response=content)
    )


def _opened(running: Running, asked: Asked, kept: IdempotencyKey) -> Response:
    sealed = base64.b64decode(kept.response["sealed"])
    body = decrypt_field(running.keys.field_encryption, sealed, asked.place)
    headers = {REPLAYED_HEADER: "true"}
    if kept.response["location"]:
        headers["location"] = kept.response["location"]
    return Response(body, kept.status, headers, media_type=kept.response["media_type"])
