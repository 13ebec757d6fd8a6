"""Take a file that came from a clearinghouse or payer: stored whole, once, before it is read.

Owns what makes a file the same (its bytes) and its name. Does not own what it says nor what
follows (``rpm.actions.post_answers``): a file is stored and committed first, so nothing that goes
wrong with reading it can lose it.
"""

import hashlib
import re
from datetime import datetime

from sqlmodel import Session

from billing.claims.x12.kind import kind_of
from rpm.access import Actor, require
from rpm.actions.command import refuse
from rpm.errors import TooLarge
from rpm.store.chain import recording
from rpm.store.queries.answers import file_with_digest
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.tables.answers import ReceivedFile

MOST_BYTES = 64 * 1024**2
"""A remittance of 10,000 claims has about 2 MB."""
_LONGEST_NAME = 120
_UNSAFE = re.compile(r"[^A-Za-z0-9._ -]+")


def take_received_file(
    db: Session, actor: Actor, now: datetime, name: str, source: str, content: bytes
) -> ReceivedFile:
    """The file as stored; the same bytes again give the row there is, without effect.

    ``source`` is ``upload``, ``command`` or the key of a clearinghouse. ``InvalidRequest`` for an
    empty file, ``TooLarge`` above 64 MB.
    """
    require(actor, "remittances:post")
    if not content:
        raise refuse("file", "E_EMPTY", "the file is empty")
    if len(content) > MOST_BYTES:
        raise TooLarge("files of more than 64 MB are not taken")
    scope = Scope.of(actor)
    digest = hashlib.sha256(content).hexdigest()
    told = kind_of(content)
    hold_organization(db, scope)
    known = file_with_digest(db, scope, digest)
    if known is not None:
        return known
    with recording(db, actor, now, "answers.receive") as record:
        file = record.add(
            ReceivedFile(
                name=safe_name(name),
                source=safe_name(source),
                sha256=digest,
                size_bytes=len(content),
                kind=told.kind,
                interchange_sender=safe_name(told.sender) if told.sender else "",
                interchange_number=safe_name(told.number) if told.number else "",
                content=content,
                received_by=actor.user_id,
            )
        )
        record.subject["file_id"] = file.id
    return file


def safe_name(name: str) -> str:
    """The last part of a name, in plain characters: it is shown and never opened."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return _UNSAFE.sub("_", last).strip(" .")[:_LONGEST_NAME] or "file"
