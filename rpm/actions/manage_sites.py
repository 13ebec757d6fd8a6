"""Sites: name one, say where a patient belongs, and limit a user to some.

Owns these acts. Does not own what a limited user sees
(``rpm.store.scope``, ``rpm.web.pages.site_gate``).
"""

from datetime import datetime
from uuid import UUID

from pydantic import Field
from sqlmodel import Session

from rpm.access import LIMITED_ROLES, Actor, require
from rpm.actions.command import Command, Id, Name, Reason, refuse
from rpm.errors import Conflict
from rpm.store.chain import recording
from rpm.store.queries.people import hold_organization, tokens_of_user
from rpm.store.queries.sites import site_of_patient, site_with_name
from rpm.store.scope import Scope
from rpm.store.tables.people import ApiToken, Patient, User
from rpm.store.tables.sites import PatientSite, Site, UserSites


class AddSite(Command):
    """An office of the practice."""

    name: Name = Field(max_length=80, examples=["North clinic"])
    place: Name | None = Field(default=None, examples=["12 Orchard Street, Springfield"])


class PlacePatient(Command):
    """A patient belongs to this site from now on; to none where no site is named."""

    patient_id: Id
    site_id: Id | None = None


class LimitUser(Command):
    """A user sees patients of these sites only; of the whole practice where none is named."""

    user_id: Id
    site_ids: list[Id] = Field(max_length=200)
    reason: Reason


def add_site(db: Session, actor: Actor, now: datetime, command: AddSite) -> Site:
    """The site; ``Conflict`` when one has this name."""
    require(actor, "users:manage")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    if site_with_name(db, scope, command.name) is not None:
        raise Conflict("a site has this name")
    with recording(db, actor, now, "site.add") as record:
        site = record.add(Site(**command.model_dump()))
        record.subject["site_id"] = site.id
    return site


def place_patient(db: Session, actor: Actor, now: datetime, command: PlacePatient) -> None:
    """Where the patient belongs from now on; nothing is recorded where it is so already.

    ``InvalidRequest`` when a limited person would give the patient out of their own sight.
    """
    require(actor, "patients:write")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    scope.get(db, Patient, command.patient_id)
    if command.site_id is not None:
        scope.get(db, Site, command.site_id)
    if actor.site_ids is not None and command.site_id not in actor.site_ids:
        raise refuse("site_id", "E_SITE", "Choose one of your own sites")
    if site_of_patient(db, scope, command.patient_id) == command.site_id:
        return
    subject = {"patient_id": command.patient_id, "site_id": command.site_id}
    with recording(db, actor, now, "patient.place", subject) as record:
        record.add(PatientSite(patient_id=command.patient_id, site_id=command.site_id))


def first_site(actor: Actor) -> UUID | None:
    """The site of a patient whom this person registers; None for who sees the whole practice."""
    return min(actor.site_ids) if actor.site_ids else None


def limit_user(db: Session, actor: Actor, now: datetime, command: LimitUser) -> None:
    """Which patients the user sees from the next request on.

    ``InvalidRequest`` for a role that is of the whole practice, ``Conflict`` while a token of the
    user is good: programs are not limited to sites.
    """
    require(actor, "users:manage")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    user = scope.get(db, User, command.user_id)
    site_ids = sorted({scope.get(db, Site, one).id.hex for one in command.site_ids})
    if site_ids and user.role not in LIMITED_ROLES:
        raise refuse("site_ids", "E_ROLE", "This role is of the whole practice")
    if site_ids and any(_is_good(one, now) for one in tokens_of_user(db, scope, user.id)):
        raise Conflict("the user has API tokens, which are of the whole practice: revoke them")
    subject = {"user_id": user.id, "site_ids": site_ids}
    with recording(db, actor, now, "user.limit", subject, command.reason) as record:
        record.add(UserSites(user_id=user.id, site_ids=site_ids, reason=command.reason))


def _is_good(token: ApiToken, now: datetime) -> bool:
    return token.revoked_at is None and token.expires_at > now
