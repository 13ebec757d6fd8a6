"""How people sign in: what proves them, their sign-ins, invitations, tries and emergencies.

Owns their tables. Does not own the people (``people``) nor what proves them (``rpm.proofs``). Times
here are the machine's, never those of a demo's clock; only facts carry the ledger's time.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from rpm.store.tables.base import Fact, JsonValue, Row, TenantRow, UtcDateTime, fact_table, refers

NO_PASSWORD = "-"  # noqa: S105 - stands where a hash would; no password has it


class Credential(Row, table=True):
    """What a user signs in with; mutable, every change has its audit event."""

    __table_args__ = (UniqueConstraint("login"), refers("user_id", "user_account"))

    organization_id: UUID = Field(primary_key=True, foreign_key="organization.id")
    user_id: UUID = Field(primary_key=True)
    login: str  # the user's address in lower case: one in the whole installation
    password_hash: str  # argon2id
    totp_secret_encrypted: bytes
    totp_last_step: int  # a code of this step or an earlier one is not taken again
    recovery_hashes: list[str] = Field(sa_type=JsonValue)  # SHA-256, hex; of the codes left
    changed_at: datetime = Field(sa_type=UtcDateTime)


class SignIn(TenantRow, table=True):
    """A browser that is signed in; its cookie holds a random text that is kept as a hash."""

    __table_args__ = (
        UniqueConstraint("token_hash"),
        refers("user_id", "user_account"),
        Index(None, "organization_id", "user_id"),
    )

    user_id: UUID
    token_hash: str  # SHA-256, hex
    created_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)  # the person's own last request
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Invitation(TenantRow, table=True):
    """A link that lets a user choose a password once; kept as a hash."""

    __table_args__ = (UniqueConstraint("token_hash"), refers("user_id", "user_account"))

    user_id: UUID
    token_hash: str  # SHA-256, hex
    totp_secret_encrypted: bytes
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SignInTries(Row, table=True):
    """Tries to sign in since a time, by a keyed hash of the name or of the sender's address."""

    key: str = Field(primary_key=True)
    tries: int
    since: datetime = Field(sa_type=UtcDateTime)


class EmergencyAccess(Fact, table=True):
    """A person opened more than their role does, for a stated reason, until a time."""

    __table_args__ = fact_table(
        refers("user_id", "user_account"), Index(None, "organization_id", "user_id")
    )

    user_id: UUID
    reason: str
    from_at: datetime = Field(sa_type=UtcDateTime)
    to_at: datetime = Field(sa_type=UtcDateTime)


class IdentityProvider(Fact, table=True):
    """Whose word the practice takes for who somebody is (OpenID Connect); the latest counts."""

    __table_args__ = fact_table()

    issuer: str  # empty: nobody's any more
    client_id: str
    client_secret_encrypted: bytes | None = None
    reason: str
