"""Who may do what: roles, permissions, actors, and the form of API tokens.

Owns the permission table and token texts. Does not own users and tokens as rows (``rpm.store``)
nor how a request carries them (``rpm.web``).
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rpm.errors import InvalidRequest, NotAllowed

PERMISSIONS = frozenset(
    {
        "patients:read",
        "patients:write",
        "episodes:write",
        "readings:read",
        "readings:write",
        "alerts:write",
        "limits:write",
        "entries:read",
        "entries:write",
        "entries:reverse",
        "entries:approve",
        "services:write",
        "visits:decide",
        "rules:read",
        "rules:write",
        "ledger:read",
        "close:run",
        "export:run",
        "audit:read",
        "users:manage",
        "tokens:manage",
        "connections:manage",
        "endpoints:manage",
        "records:purge",
        "claims:read",
        "claims:write",
        "claims:release",
        "remittances:post",
    }
)

_READS = frozenset({"patients:read", "readings:read", "entries:read", "rules:read", "ledger:read"})
ROLE_PERMISSIONS: dict[str, frozenset[str]] = {
    "practice_admin": PERMISSIONS,
    "practitioner": _READS
    | {
        "patients:write",
        "episodes:write",
        "readings:write",
        "alerts:write",
        "limits:write",
        "entries:write",
        "entries:reverse",
        "entries:approve",
        "services:write",
        "visits:decide",
        "claims:read",
    },
    "clinical_staff": _READS
    | {
        "patients:write",
        "episodes:write",
        "readings:write",
        "alerts:write",
        "entries:write",
        "entries:reverse",
    },
    "clerical_staff": frozenset({"patients:read", "patients:write", "services:write"}),
    "biller": _READS
    | {
        "services:write",
        "visits:decide",
        "close:run",
        "export:run",
        "claims:read",
        "claims:write",
        "claims:release",
        "remittances:post",
    },
    "auditor": _READS | {"audit:read", "claims:read"},
}
"""What each role may do at most; a token may be given less, never more."""

EMERGENCY_PERMISSIONS = _READS | {"alerts:write"}
"""What emergency access adds to any role for a while: to read every chart and answer alerts."""

LIMITED_ROLES = frozenset({"practitioner", "clinical_staff", "clerical_staff"})
"""Who may be limited to sites: billing, auditing and administration are of the whole practice."""

TOKEN_PREFIX = "rl_"  # noqa: S105 - the public beginning of every token, not a secret
_TOKEN_BYTES = 32


@dataclass(frozen=True)
class Actor:
    """Who acts in one organization, with the permissions that hold for this request."""

    organization_id: UUID
    user_id: UUID | None
    token_id: UUID | None
    role: str
    permissions: frozenset[str]
    name_for_audit: str
    sign_in_id: UUID | None = None
    emergency_id: UUID | None = None
    site_ids: frozenset[UUID] | None = None  # None: the whole practice

    def as_json(self) -> dict[str, Any]:
        """As audit events keep it; who came by a page, and in an emergency, is marked so."""
        told: dict[str, Any] = {
            "user_id": self.user_id.hex if self.user_id else None,
            "token_id": self.token_id.hex if self.token_id else None,
            "name": self.name_for_audit,
            "role": self.role,
        }
        if self.sign_in_id is not None:
            told["sign_in_id"] = self.sign_in_id.hex
        if self.emergency_id is not None:
            told["emergency_id"] = self.emergency_id.hex
        return told


def system_actor(organization_id: UUID, name: str) -> Actor:
    """The service itself at work for an organization: a job, the demo, the command line."""
    return Actor(organization_id, None, None, "system", PERMISSIONS, name)


def require(actor: Actor, permission: str) -> None:
    """``NotAllowed`` unless the actor has the permission; KeyError for an unknown one."""
    if permission not in PERMISSIONS:
        raise KeyError(permission)
    if permission not in actor.permissions:
        raise NotAllowed(f"this needs the permission {permission}")


def permissions_of(role: str, asked: Iterable[str] | None = None) -> frozenset[str]:
    """Permissions of a role, or the part of them that is asked for.

    ``InvalidRequest`` for an unknown role or word, ``NotAllowed`` when more is asked than the role
    has.
    """
    if role not in ROLE_PERMISSIONS:
        raise InvalidRequest("there is no such role")
    if asked is None:
        return ROLE_PERMISSIONS[role]
    wanted = frozenset(asked)
    if not wanted <= PERMISSIONS:
        raise InvalidRequest("there is no such permission")
    if not wanted <= ROLE_PERMISSIONS[role]:
        raise NotAllowed("a token cannot do more than its user's role")
    return wanted


def new_token() -> str:
    """A new bearer token with 256 random bits; shown once, kept only as its hash."""
    return TOKEN_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)


def token_hash(token: str) -> str:
    """SHA-256 of a token, hex. Enough without salt: a token is random and long."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
