"""Signing in by a practice's own identity provider, which vouches for an existing user.

Owns which provider a practice trusts, what ties an answer to a browser, and the sign-in. Does not
own the protocol (``rpm.openid``) nor the calls to the provider. ``wall`` is the machine's time,
``now`` the ledger's.
"""

import base64
import binascii
import json
import secrets
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlmodel import Session, col

from rpm.access import Actor, require, system_actor
from rpm.actions.command import Command, Name, Reason, refuse
from rpm.actions.sign_in import NewSignIn, start_sign_in
from rpm.errors import NotAuthentic, NotFound, NotReady
from rpm.fields import decrypt_field, encrypt_field
from rpm.keys import Keys
from rpm.openid import Attempt, configuration_address
from rpm.outbound_address import AddressRefusedError, receiver_of
from rpm.store.chain import recording
from rpm.store.queries.people import hold_organization, user_with_email
from rpm.store.scope import Scope
from rpm.store.tables.sign_ins import IdentityProvider

AWAY_FOR = timedelta(minutes=10)
"""How long a browser may be at the provider."""
_TOKEN_BYTES = 32


class TrustProvider(Command):
    """Whose word the practice takes from now on; nobody's where no issuer is named."""

    issuer: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)] = Field(
        default="", examples=["https://login.example.org"]
    )
    client_id: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)] = ""
    client_secret: Name | None = Field(default=None, max_length=500)
    reason: Reason


@dataclass(frozen=True)
class Away:
    """A browser that was sent to a provider: for which practice, by which row."""

    organization_id: UUID
    provider_id: UUID
    attempt: Attempt


def trust_provider(
    db: Session,
    keys: Keys,
    actor: Actor,
    now: datetime,
    command: TrustProvider,
    listed_hosts: Collection[str] = (),
) -> IdentityProvider:
    """The row that counts. Without a secret the one before stays, if issuer and client stay.

    ``InvalidRequest`` for an issuer that may not be called, or without a client id.
    """
    require(actor, "users:manage")
    scope = Scope.of(actor)
    if command.issuer:
        _checked(command, listed_hosts)
    hold_organization(db, scope)
    before = latest_provider(db, scope)
    secret = _place_and_seal(keys, actor, command)
    same = before is not None and (before.issuer, before.client_id) == (
        command.issuer,
        command.client_id,
    )
    if secret is None and same and before is not None:
        secret = before.client_secret_encrypted
    row = IdentityProvider(
        issuer=command.issuer,
        client_id=command.client_id,
        client_secret_encrypted=secret,
        reason=command.reason,
    )
    with recording(db, actor, now, "identity_provider.trust", {}, command.reason) as record:
        record.add(row)
        record.subject["provider_id"] = row.id
    return row


def _checked(command: TrustProvider, listed_hosts: Collection[str]) -> None:
    try:
        receiver_of(configuration_address(command.issuer), listed_hosts)
    except AddressRefusedError as error:
        told = str(error)
        raise refuse("issuer", "E_ADDRESS", told[:1].upper() + told[1:]) from None
    if not command.client_id:
        raise refuse("client_id", "E_MISSING", "The provider gave you a client id")


def _place_and_seal(keys: Keys, actor: Actor, command: TrustProvider) -> bytes | None:
    if command.client_secret is None:
        return None
    place = _secret_place(actor.organization_id)
    return encrypt_field(keys.field_encryption, command.client_secret.encode(), place)


def _secret_place(organization_id: UUID) -> str:
    return f"identity_provider.client_secret_encrypted {organization_id.hex}"


def latest_provider(db: Session, scope: Scope) -> IdentityProvider | None:
    """What the practice said last."""
    return db.exec(
        scope.rows(IdentityProvider).order_by(col(IdentityProvider.audit_number).desc()).limit(1)
    ).first()


def provider_to_ask(db: Session, organization_id: UUID) -> IdentityProvider:
    """The provider of a practice; ``NotFound`` where it trusts none, or is none."""
    scope = Scope(organization_id, system_actor(organization_id, "sign-in"))
    row = latest_provider(db, scope)
    if row is None or not row.issuer:
        raise NotFound("this practice signs in by password and code")
    return row


def client_secret(keys: Keys, row: IdentityProvider) -> str | None:
    """What we prove ourselves to the provider with; None for a public client."""
    if row.client_secret_encrypted is None:
        return None
    place = _secret_place(row.organization_id)
    return decrypt_field(keys.field_encryption, row.client_secret_encrypted, place).decode()


def new_attempt() -> Attempt:
    """Three random texts for one journey to the provider."""
    return Attempt(*(secrets.token_urlsafe(_TOKEN_BYTES) for _ in range(3)))


def sealed_away(keys: Keys, wall: datetime, away: Away) -> str:
    """What the browser carries to the provider and back: nobody else can read or make it."""
    content = {
        "at": int(wall.timestamp()),
        "organization": away.organization_id.hex,
        "provider": away.provider_id.hex,
        "attempt": asdict(away.attempt),
    }
    sealed = encrypt_field(keys.field_encryption, json.dumps(content).encode(), _AWAY_PLACE)
    return base64.urlsafe_b64encode(sealed).decode()


_AWAY_PLACE = "browser at an identity provider"


def opened_away(keys: Keys, wall: datetime, text: str) -> Away:
    """The journey; ``NotAuthentic`` for one that was not begun here, or too long ago."""
    try:
        sealed = base64.urlsafe_b64decode(text.encode())
        content = json.loads(decrypt_field(keys.field_encryption, sealed, _AWAY_PLACE))
    except (NotReady, binascii.Error, ValueError):
        raise NotAuthentic("begin to sign in anew") from None
    if not 0 <= wall.timestamp() - content["at"] <= AWAY_FOR.total_seconds():
        raise NotAuthentic("it took too long: begin to sign in anew")
    return Away(
        UUID(content["organization"]), UUID(content["provider"]), Attempt(**content["attempt"])
    )


def sign_in_vouched(
    db: Session, now: datetime, wall: datetime, away: Away, address: str
) -> NewSignIn:
    """A sign-in of the user with this address, for whom the provider vouches.

    ``NotAuthentic`` where the practice has no active user of the address, or trusts the provider
    no longer.
    """
    scope = Scope(away.organization_id, system_actor(away.organization_id, "sign-in"))
    hold_organization(db, scope)
    row = latest_provider(db, scope)
    user = user_with_email(db, scope, address)
    if row is None or row.id != away.provider_id or not row.issuer:
        raise NotAuthentic("the practice trusts this provider no longer")
    if user is None or not user.active:
        raise NotAuthentic("your practice has no user with the address that the provider named")
    return start_sign_in(db, now, wall, user)
