"""Pull accounts: who is asked for readings, with which tokens, and whose turn it is.

Owns giving an account its credentials, what asks for a fetch, and holding an account while it is
fetched. Does not own what is fetched (``take_pulled``) nor sending (``rpm.pull``). Credentials are
kept encrypted; a new refresh token is stored before it is used, because the old one is used up.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlmodel import Session

from devices.delivery import Parsed
from devices.pull import Held, Source, StreamSource
from devices.vendor import SOURCES
from rpm.access import Actor, require
from rpm.actions.command import Command, Id, refuse
from rpm.actions.connection_settings import ConnectionSettings, settings_of
from rpm.actions.take_delivery import parsed_or_problem
from rpm.errors import Conflict
from rpm.fields import decrypt_field, encrypt_field
from rpm.ids import uuid7
from rpm.keys import KeyRing
from rpm.store.chain import recording
from rpm.store.queries.connections import PULLED
from rpm.store.queries.people import hold_organization
from rpm.store.queries.pulls import (
    APPLICATION,
    account_of,
    accounts_of,
    applications,
    hold_account,
    pushed_since,
)
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Connection
from rpm.store.tables.pulls import PullAccount

HELD_FOR = timedelta(minutes=10)
"""An account whose holder died is free again after this long."""
WITHDRAWN = "withdrawn by the practice"
_TOKENS = ("access_token", "expires_at")
_READ_THROUGH = "read_through"
_Secret = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,1000}$")]
Credentials = dict[str, _Secret]
Subject = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{0,64}$")]
"""A vendor's word for an account; empty for the practice's own application."""
AccountName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


class AuthorizeAccount(Command):
    """Credentials of an account, or, with an empty subject, of the practice's own application."""

    connection_id: Id
    subject: Subject = APPLICATION
    credentials: Credentials = Field(repr=False)


class WithdrawAccount(Command):
    """An account that is asked no more."""

    connection_id: Id
    subject: AccountName


@dataclass(frozen=True)
class Claim:
    """An account in the hands of one holder, with what must be known to ask for its readings."""

    account: PullAccount
    connection: Connection
    settings: ConnectionSettings
    source: Source
    held: Held = field(repr=False)


def authorize_account(
    db: Session, actor: Actor, now: datetime, ring: KeyRing, command: AuthorizeAccount
) -> PullAccount:
    """The account with its credentials, to be fetched soon; the application's only kept.

    ``Conflict`` when the connection is retired or its vendor is not asked for readings,
    ``InvalidRequest`` names credentials that are missing or not known.
    """
    require(actor, "connections:manage")
    scope, connection = _open_connection(db, actor, command.connection_id)
    source = SOURCES[connection.vendor]
    for_application = command.subject == APPLICATION
    needed = source.application_credentials if for_application else source.account_credentials
    known = {*needed, *(source.application_options if for_application else _TOKENS)}
    if not ({*needed} <= command.credentials.keys() <= known):
        raise refuse("credentials", "E_CREDENTIALS", f"needed: {', '.join(needed)}")
    account = account_of(db, scope, connection.id, command.subject) or PullAccount(
        organization_id=scope.organization_id,
        id=uuid7(now),
        connection_id=connection.id,
        subject=command.subject,
        credentials_encrypted=b"",
        cursor={},
        created_at=now,
    )
    account.stopped, account.problem, account.retry_at, account.failures = False, None, None, 0
    account.asked_at = None if for_application else now
    _keep(account, ring, command.credentials)
    subject = {"connection_id": connection.id, "pull_account_id": account.id}
    with recording(db, actor, now, "connection.authorize_account", subject):
        db.add(account)
    return account


def withdraw_account(
    db: Session, actor: Actor, now: datetime, ring: KeyRing, command: WithdrawAccount
) -> PullAccount:
    """The account without its credentials; what was fetched stays. ``Conflict`` when not known."""
    require(actor, "connections:manage")
    scope, connection = _open_connection(db, actor, command.connection_id)
    account = account_of(db, scope, connection.id, command.subject)
    if account is None:
        raise Conflict("the connection has no such account")
    account.stopped, account.problem, account.asked_at = True, WITHDRAWN, None
    _keep(account, ring, {})
    subject = {"connection_id": connection.id, "pull_account_id": account.id}
    with recording(db, actor, now, "connection.withdraw_account", subject):
        db.add(account)
    return account


def ask_all(db: Session, scope: Scope, now: datetime, connection_id: UUID | None = None) -> int:
    """Ask for a fetch of every account that is not stopped; how many there are."""
    return _ask_of(db, now, accounts_of(db, scope, connection_id))


def ask_streams(db: Session, scope: Scope, now: datetime) -> int:
    """Ask for a fetch of every account that is a stream, which says nothing beforehand."""
    streams = [
        account
        for account in accounts_of(db, scope)
        if isinstance(
            SOURCES[scope.get(db, Connection, account.connection_id).vendor], StreamSource
        )
    ]
    return _ask_of(db, now, streams)


def _ask_of(db: Session, now: datetime, accounts: Iterable[PullAccount]) -> int:
    open_ones = [one for one in accounts if not one.stopped]
    for account in open_ones:
        account.asked_at = account.asked_at or now
        db.add(account)
    return len(open_ones)


def ask_where_notified(db: Session, scope: Scope, now: datetime) -> int:
    """Ask for a fetch of the accounts that new notifications name; how many there are.

    A notification proves nothing, so it leads to a fetch and to nothing else. Audit numbers are in
    commit order: one that is being recorded now is found by the next look.
    """
    asked = 0
    for application in applications(db, scope):
        connection = scope.get(db, Connection, application.connection_id)
        settings, source = settings_of(connection), SOURCES[connection.vendor]
        if not source.notifies:
            continue
        read_through = int(application.cursor.get(_READ_THROUGH, 0))
        for delivery in pushed_since(db, scope, connection.id, read_through):
            read_through = delivery.audit_number
            if PULLED in delivery.headers:
                continue
            parsed = parsed_or_problem(settings, delivery.body)
            if isinstance(parsed, Parsed):
                asked += _ask(db, scope, connection.id, source, parsed, now)
        if read_through != application.cursor.get(_READ_THROUGH, 0):
            application.cursor = {_READ_THROUGH: read_through}
            db.add(application)
    return asked


def claim_account(
    db: Session, scope: Scope, ring: KeyRing, now: datetime, account_id: UUID, holder: UUID
) -> Claim | None:
    """The account for this holder, at the beginning of a run; None while another one has it."""
    if not hold_account(db, scope, account_id, holder, now, now + HELD_FOR):
        return None
    account = scope.get(db, PullAccount, account_id)
    db.refresh(account)
    connection = scope.get(db, Connection, account.connection_id)
    source = SOURCES[connection.vendor]
    application = account_of(db, scope, connection.id, APPLICATION)
    account.cursor = source.begin(account.cursor, account.asked_since, now)
    db.add(account)
    credentials = _kept(application, ring) | _kept(account, ring)
    held = Held(account.subject, credentials, account.cursor)
    return Claim(account, connection, settings_of(connection), source, held)


def keep_tokens(
    db: Session, scope: Scope, ring: KeyRing, account_id: UUID, renewed: Mapping[str, str]
) -> None:
    """Store new tokens of an account over those before, unless it was withdrawn meanwhile."""
    account = scope.get(db, PullAccount, account_id)
    if account.problem != WITHDRAWN:
        _keep(account, ring, _kept(account, ring) | dict(renewed))
        db.add(account)


def end_run(
    db: Session, scope: Scope, now: datetime, claim: Claim, *, problem: str, retry: timedelta | None
) -> None:
    """Let an account go after a run: done, to be asked again after a while, or stopped.

    With a problem and no ``retry`` it is stopped until somebody gives it new credentials. What
    asked for a fetch in the meantime still stands.
    """
    account = scope.get(db, PullAccount, claim.account.id)
    db.refresh(account)
    account.holder, account.held_until = None, None
    account.problem = account.problem if account.problem == WITHDRAWN else problem or None
    account.stopped = account.stopped or (bool(problem) and retry is None)
    account.retry_at = None if retry is None else now + retry
    account.failures = account.failures + 1 if problem else 0
    if not problem:
        account.pulled_at = now
        if account.asked_at == claim.account.asked_at:
            account.asked_at, account.asked_since = None, None
    db.add(account)


def _ask(
    db: Session, scope: Scope, connection_id: UUID, source: Source, parsed: Parsed, now: datetime
) -> int:
    asked = 0
    for subject, since in source.asked(parsed):
        account = account_of(db, scope, connection_id, subject) if subject else None
        if account is None or account.stopped:
            continue
        account.asked_at = now
        if since is not None:
            account.asked_since = min(since, account.asked_since or since)
        db.add(account)
        db.flush()
        asked += 1
    return asked


def _open_connection(db: Session, actor: Actor, connection_id: UUID) -> tuple[Scope, Connection]:
    scope = Scope.of(actor)
    hold_organization(db, scope)
    connection = scope.get(db, Connection, connection_id)
    if connection.retired_at is not None:
        raise Conflict("the connection is retired")
    if connection.vendor not in SOURCES:
        raise Conflict("the connection's vendor sends by itself and is not asked for readings")
    return scope, connection


def _place(account: PullAccount) -> str:
    ids = f"{account.organization_id.hex} {account.id.hex}"
    return f"pull_account.credentials_encrypted {ids}"


def _kept(account: PullAccount | None, ring: KeyRing) -> dict[str, str]:
    if account is None:
        return {}
    plain = decrypt_field(ring, account.credentials_encrypted, _place(account))
    kept: dict[str, str] = json.loads(plain)
    return kept


def _keep(account: PullAccount, ring: KeyRing, credentials: Mapping[str, str]) -> None:
    plain = json.dumps(dict(credentials)).encode()
    account.credentials_encrypted = encrypt_field(ring, plain, _place(account))
