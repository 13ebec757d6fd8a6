"""Make an organization: its first administrator, a token to begin with, and default settings.

Owns the one action without an actor: it is run at the terminal by whoever runs the installation.
Does not own later users and tokens (``manage_access``).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints
from sqlmodel import Session

from rpm.access import ROLE_PERMISSIONS, system_actor
from rpm.actions.command import Command, Name, Npi, Zone
from rpm.actions.manage_access import MOST_TOKEN_DAYS, USUAL_TOKEN_DAYS, Email, made_token
from rpm.actions.set_practice_setting import SETTINGS
from rpm.errors import Conflict
from rpm.ids import uuid7
from rpm.store.chain import recording
from rpm.store.queries.people import organization_with_npi
from rpm.store.tables.people import ApiToken, Organization, PracticeSetting, User


class BootstrapOrganization(Command):
    """A new practice and its first administrator."""

    name: Name = Field(examples=["Example Family Medicine"])
    timezone: Zone
    npi: Npi
    tax_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{2}-?[0-9]{7}$")] | None = None
    admin_name: Name = Field(examples=["Ada Admin"])
    admin_email: Email
    token_valid_days: int = Field(default=USUAL_TOKEN_DAYS, ge=1, le=MOST_TOKEN_DAYS)


@dataclass(frozen=True)
class Bootstrapped:
    """What was made; ``secret`` is the first token's text, shown once."""

    organization: Organization
    user: User
    token: ApiToken
    secret: str


def bootstrap_organization(
    db: Session, now: datetime, command: BootstrapOrganization
) -> Bootstrapped:
    """The organization with its first user and token.

    ``Conflict``, and nothing is written, when an organization has this NPI already.
    """
    if organization_with_npi(db, command.npi) is not None:
        raise Conflict("an organization with this NPI exists")
    organization = Organization(
        id=uuid7(now),
        name=command.name,
        timezone=command.timezone,
        npi=command.npi,
        tax_id=command.tax_id,
        created_at=now,
    )
    user = User(
        id=uuid7(now),
        name=command.admin_name,
        email=command.admin_email,
        role="practice_admin",
        created_at=now,
    )
    permissions = sorted(ROLE_PERMISSIONS["practice_admin"])
    token = made_token(user, now, "first token", permissions, command.token_valid_days)
    actor = system_actor(organization.id, "bootstrap")
    subject = {"organization_id": organization.id, "user_id": user.id, "token_id": token.token.id}
    with recording(db, actor, now, "organization.bootstrap", subject) as record:
        record.add(organization)
        record.add(user)
        record.add(token.token)
        for key, setting in SETTINGS.items():
            reason = "default of a new practice"
            record.add(PracticeSetting(key=key, value=setting.default, reason=reason))
    return Bootstrapped(organization, user, token.token, token.secret)
