"""``rpm-ledger users``: who may sign in to the pages of a practice.

Owns what is asked and printed. Does not own who may give what (``rpm.actions.manage_access``).
"""

from typing import TYPE_CHECKING, Annotated

import typer

from rpm.commands.connection_trial import Organization

if TYPE_CHECKING:
    from sqlmodel import Session

    from rpm.access import Actor
    from rpm.actions.credentials import NewInvitation
    from rpm.store.tables.people import User

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="The user's address.")]
Why = Annotated[str, typer.Option("--reason", help="Why.")]
Url = Annotated[str, typer.Option(help="Where the pages are, for the link.")]
_URL = "http://127.0.0.1:8000"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        help="Who may sign in to the pages of a practice.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("list")(list_users)
    group.command("add")(add)
    group.command("invite")(invite)
    group.command("disable")(disable)
    group.command("enable")(enable)
    group.command("reset")(reset)
    app.add_typer(group, name="users")


def list_users(organization: Organization = None) -> None:
    """List the users: address, role, and how far their access is."""
    from rpm.clock import SystemClock
    from rpm.commands.opened import opened_organization
    from rpm.store.engine import reading
    from rpm.store.queries.sign_ins import access_states
    from rpm.store.scope import Scope
    from rpm.store.tables.people import User

    with opened_organization(organization, "users") as (engine, actor, _, _), reading(engine) as db:
        scope = Scope.of(actor)
        rows = scope.all_of(db, User)
        states = access_states(db, scope, [row.id for row in rows], SystemClock().now())
        for row in rows:
            state = states[row.id]
            waiting = "invited" if state.invited_until else "not invited"
            told = "can sign in" if state.can_sign_in else waiting
            role = row.role.replace("_", " ")
            typer.echo(f"{row.email}  {row.name}, {role}: {told if row.active else 'no access'}")


def add(
    address: Address,
    name: Annotated[str, typer.Option(help="The user's name.")],
    role: Annotated[str, typer.Option(help="Such as clinical_staff.")],
    organization: Organization = None,
    url: Url = _URL,
) -> None:
    """Add a user and print the link to send them.

    Behind the link the user chooses a password and sets up an app for one-time codes. It works
    once, for three days, and is printed this once.
    """
    from pydantic import ValidationError

    from rpm.actions.credentials import InviteUser, invite_user
    from rpm.actions.manage_access import AddUser, add_user
    from rpm.clock import SystemClock
    from rpm.commands.opened import opened_organization, refused
    from rpm.keys import load_keys
    from rpm.store.engine import transaction

    try:
        command = AddUser.model_validate({"name": name, "email": address, "role": role})
    except ValidationError as error:
        raise refused(error) from error
    wall = SystemClock().now()
    with opened_organization(organization, "users") as (engine, actor, settings, now):
        keys = load_keys(settings)
        with transaction(engine) as db:
            user = add_user(db, actor, now, command)
            made = invite_user(db, keys, actor, now, wall, InviteUser(user_id=user.id))
    _tell(made, url)


def invite(address: Address, organization: Organization = None, url: Url = _URL) -> None:
    """Print a new link for a user; earlier links work no longer.

    For a first password, also of the administrator that `rpm-ledger bootstrap` made.
    """
    from rpm.actions.credentials import InviteUser, invite_user
    from rpm.clock import SystemClock
    from rpm.commands.opened import opened_organization
    from rpm.keys import load_keys
    from rpm.store.engine import transaction

    wall = SystemClock().now()
    with opened_organization(organization, "users") as (engine, actor, settings, now):
        keys = load_keys(settings)
        with transaction(engine) as db:
            user = _user(db, actor, address)
            made = invite_user(db, keys, actor, now, wall, InviteUser(user_id=user.id))
    _tell(made, url)


def disable(address: Address, reason: Why, organization: Organization = None) -> None:
    """Take a user's access away: in every browser and for every token, at once."""
    _change(address, reason, organization, active=False)


def enable(address: Address, reason: Why, organization: Organization = None) -> None:
    """Give a user's access back."""
    _change(address, reason, organization, active=True)


def reset(address: Address, reason: Why, organization: Organization = None) -> None:
    """A phone was lost or a password seen: password, app, codes and sign-ins are no longer good."""
    from rpm.actions.credentials import EndAccess, end_access
    from rpm.clock import SystemClock
    from rpm.commands.opened import opened_organization
    from rpm.store.engine import transaction

    with (
        opened_organization(organization, "users") as (engine, actor, _, now),
        transaction(engine) as db,
    ):
        command = EndAccess(user_id=_user(db, actor, address).id, reason=reason)
        end_access(db, actor, now, SystemClock().now(), command)
    typer.echo("signed out everywhere; rpm-ledger users invite makes a new link")


def _change(address: str, reason: str, organization: str | None, *, active: bool) -> None:
    from rpm.actions.manage_access import ChangeUser, change_user
    from rpm.commands.opened import opened_organization
    from rpm.store.engine import transaction

    with (
        opened_organization(organization, "users") as (engine, actor, _, now),
        transaction(engine) as db,
    ):
        user = _user(db, actor, address)
        change_user(db, actor, now, ChangeUser(user_id=user.id, active=active, reason=reason))
    typer.echo("has access again" if active else "has no access any more")


def _user(db: "Session", actor: "Actor", address: str) -> "User":
    from rpm.errors import NotFound
    from rpm.store.queries.people import user_with_email
    from rpm.store.scope import Scope

    found = user_with_email(db, Scope.of(actor), address)
    if found is None:
        raise NotFound("there is no user with this address: rpm-ledger users list shows them")
    return found


def _tell(made: "NewInvitation", url: str) -> None:
    typer.echo(f"{url.rstrip('/')}/invitations/{made.secret}")
    typer.echo(
        f"works once, until {made.invitation.expires_at:%Y-%m-%d %H:%M} UTC; shown this once"
    )
