"""Manage clearinghouses: the agreement with one, and the secret that proves who we are.

Owns recording an agreement and keeping its secret encrypted. Does not own what an agreement says
(``rpm.transport.profile``) nor sending. The latest agreement of a key counts; one ends by another.
"""

import json
import re
from dataclasses import fields
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints
from sqlmodel import Session

from rpm.access import Actor, require
from rpm.actions.command import Command, Name, OneOf, Reason, refuse
from rpm.fields import decrypt_field, encrypt_field
from rpm.ids import uuid7
from rpm.keys import KeyRing
from rpm.store.chain import recording
from rpm.store.queries.clearinghouses import clearinghouse_profile, state_of
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.tables.transport import Clearinghouse, ClearinghouseState
from rpm.transport.profile import SFTP, Profile, profile_from, shipped_profiles
from rpm.transport.sftp import SftpSecret, key_problem

_SHIPPED = tuple(shipped_profiles())
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
InterchangeId = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9 ._-]{0,14}$")]
Qualifier = Annotated[str, StringConstraints(pattern=r"^(01|14|20|27|28|29|30|33|ZZ)$")]
Folder = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._/ -]{0,200}$")]
Pattern = Annotated[
    str,
    StringConstraints(pattern=r"^(\{number\}|\{day\}|\{usage\}|[A-Za-z0-9._-])+$", max_length=80),
]
Days = Annotated[int, Field(ge=1, le=365)]


class AddClearinghouse(Command):
    """An agreement: one that is shipped, and what this practice's own says otherwise."""

    key: Key
    shipped: Annotated[str, OneOf(_SHIPPED)] = "sftp"
    reason: Reason
    name: Name | None = None
    sender_id: InterchangeId | None = None
    receiver_id: InterchangeId | None = None
    receiver_name: Name | None = None
    sender_qualifier: Qualifier | None = None
    receiver_qualifier: Qualifier | None = None
    sender_group: InterchangeId | None = None
    receiver_group: InterchangeId | None = None
    test_receiver_id: InterchangeId | None = None
    usage: Annotated[str, OneOf(("T", "P"))] | None = None
    host: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.:-]{1,253}$")] | None = None
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    username: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,100}$")] | None = None
    fingerprint: Annotated[str, StringConstraints(max_length=60)] | None = None
    out_folder: Folder | None = None
    in_folder: Folder | None = None
    archive_folder: Folder | None = None
    name_pattern: Pattern | None = None
    acknowledgment_days: Days | None = None
    claim_acknowledgment_days: Days | None = None
    remittance_days: Days | None = None
    password: Annotated[str, Field(max_length=1_000)] | None = Field(default=None, repr=False)
    private_key: Annotated[str, Field(max_length=20_000)] | None = Field(default=None, repr=False)


class ChangeUsage(Command):
    """From test files to files for production, or back."""

    key: Key
    usage: Annotated[str, OneOf(("T", "P"))]
    reason: Reason


class RetireClearinghouse(Command):
    """A clearinghouse that gets nothing any more."""

    key: Key
    reason: Reason


def add_clearinghouse(
    db: Session, actor: Actor, now: datetime, ring: KeyRing, command: AddClearinghouse
) -> Profile:
    """The agreement that counts from now on; the secret stays where none is given.

    ``InvalidRequest`` names what lacks for files to be sent there, and a key that cannot be used.
    """
    require(actor, "connections:manage")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    own = command.model_dump(include={one.name for one in fields(Profile)})
    profile = profile_from(command.shipped, **own)
    _refuse_unfinished(profile)
    secret = _secret(command)
    state = state_of(db, scope, command.key)
    if profile.kind == SFTP and secret is None and (state is None or not state.secret_encrypted):
        raise refuse("secret", "E_SECRET", "a password or a private key is needed")
    with recording(db, actor, now, "clearinghouse.add", {}, command.reason) as record:
        row = _row(command.key, profile, command.reason)
        record.subject["clearinghouse_id"] = record.add(row).id
        if state is None:
            state = ClearinghouseState(
                organization_id=scope.organization_id,
                id=uuid7(now),
                key=command.key,
                secret_encrypted=b"",
            )
        if secret is not None:
            plain = json.dumps(secret).encode()
            state.secret_encrypted = encrypt_field(ring, plain, _place(state))
        state.failures, state.problem, state.held_until = 0, None, None
        db.add(state)
    return profile


def change_usage(db: Session, actor: Actor, now: datetime, command: ChangeUsage) -> Profile:
    """The agreement with the other mark in its files."""
    return _changed(db, actor, now, command.key, command.reason, usage=command.usage)


def retire_clearinghouse(
    db: Session, actor: Actor, now: datetime, command: RetireClearinghouse
) -> Profile:
    """The agreement, ended: nothing is sent there, and nothing fetched."""
    return _changed(db, actor, now, command.key, command.reason, retired=True)


def secret_of(db: Session, scope: Scope, ring: KeyRing, key: str) -> SftpSecret | None:
    """The secret of a clearinghouse; None where there is none. ``NotReady`` when no key fits."""
    state = state_of(db, scope, key)
    if state is None or not state.secret_encrypted:
        return None
    kept = json.loads(decrypt_field(ring, state.secret_encrypted, _place(state)))
    return SftpSecret(**kept)


def _changed(
    db: Session, actor: Actor, now: datetime, key: str, reason: str, **changes: Any
) -> Profile:
    require(actor, "connections:manage")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    before = clearinghouse_profile(db, scope, key)
    profile = Profile.of_json(before.as_json() | changes)
    with recording(db, actor, now, "clearinghouse.change", {}, reason) as record:
        record.subject["clearinghouse_id"] = record.add(_row(key, profile, reason)).id
    return profile


def _row(key: str, profile: Profile, reason: str) -> Clearinghouse:
    return Clearinghouse(key=key, profile=profile.as_json(), reason=reason)


def _refuse_unfinished(profile: Profile) -> None:
    needed = ["sender_id", "receiver_id", "receiver_name"]
    if profile.kind == SFTP:
        needed += ["host", "username", "fingerprint", "out_folder", "in_folder"]
    for name in needed:
        if not getattr(profile, name):
            raise refuse(name, "E_CLEARINGHOUSE", "the agreement lacks this")
    if profile.kind == SFTP and not _FINGERPRINT.fullmatch(profile.fingerprint):
        raise refuse(
            "fingerprint", "E_FINGERPRINT", "as ssh-keygen -l shows it: SHA256: and 43 characters"
        )
    if "{number}" not in profile.name_pattern:
        raise refuse("name_pattern", "E_NAME_PATTERN", "it needs {number}: no name comes twice")


def _secret(command: AddClearinghouse) -> dict[str, str] | None:
    if command.private_key:
        problem = key_problem(command.private_key)
        if problem is not None:
            raise refuse("private_key", "E_SECRET", problem)
        return {"private_key": command.private_key}
    return {"password": command.password} if command.password else None


def _place(state: ClearinghouseState) -> str:
    ids = f"{state.organization_id.hex} {state.id.hex}"
    return f"clearinghouse_state.secret_encrypted {ids}"
