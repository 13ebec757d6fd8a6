"""``rpm-ledger connections``: vendors' doors: make, list, change, and give them new secrets.

Owns what is asked and printed. Does not own trying one out (``connection_trial``) nor accounts that
readings are fetched from (``connection_pull``); both are registered here as well.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from uuid import UUID

import typer

from rpm.commands import connection_pull, connection_trial
from rpm.commands.connection_trial import ConnectionId, Organization
from rpm.commands.opened import file_bytes, opened_organization

if TYPE_CHECKING:
    from devices.authenticity import Scheme
    from rpm.actions.command import Command
    from rpm.actions.manage_connections import ShownOnce
    from rpm.store.tables.monitoring import Connection

AnyCommand = TypeVar("AnyCommand", bound="Command")
SecretFile = Annotated[
    Path | None,
    typer.Option(
        help="A file with the sender's own secret or public key, - for standard input."
        " Otherwise we make one."
    ),
]
Chosen = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A setting of the vendor; may be repeated."),
]
Networks = Annotated[
    list[str] | None,
    typer.Option("--network", metavar="CIDR", help="Deliveries only from here; may be repeated."),
]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(
        help="Make, list, change and try out the doors of vendors.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("add")(add)
    group.command("list")(list_)
    group.command("change")(change)
    group.command("rotate")(rotate)
    group.command("retire")(retire)
    connection_trial.register(group)
    connection_pull.register(group)
    app.add_typer(group, name="connections")


def add(
    vendor: Annotated[str, typer.Option(help="Whose format: generic, tenovi, telli, ...")],
    name: Annotated[str, typer.Option(help="The practice's name for it.")],
    scheme: Annotated[
        str | None, typer.Option(help="How deliveries prove themselves; docs/vendors.md.")
    ] = None,
    secret_in: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Header or query parameter that carries the secret."),
    ] = None,
    username: Annotated[str | None, typer.Option(help="User name of basic.")] = None,
    tolerance_seconds: Annotated[
        int | None, typer.Option(help="How far a signature's time may lie from now.")
    ] = None,
    secret_file: SecretFile = None,
    chosen: Chosen = None,
    networks: Networks = None,
    continues: Annotated[
        UUID | None, typer.Option(help="An earlier connection of the same sender.")
    ] = None,
    organization: Organization = None,
) -> None:
    """Make a connection; its address and its secret are shown once.

    Keep both: only a hash of the address is stored, and the secret encrypted.
    """
    from rpm.actions.manage_connections import CreateConnection, create_connection
    from rpm.keys import load_keys
    from rpm.store.engine import transaction

    proof = {
        "kind": scheme,
        "name": secret_in,
        "username": username,
        "tolerance_seconds": tolerance_seconds,
    }
    if scheme is None and any(proof.values()):
        proof["kind"] = _usual_scheme(vendor)
    command = _checked(
        CreateConnection,
        vendor=vendor,
        name=name,
        scheme=proof if proof["kind"] else None,
        secret=_secret_of(secret_file),
        settings=_pairs(chosen),
        networks=networks or None,
        continues_id=continues,
    )
    with opened_organization(organization, "connections") as (engine, actor, settings, now):
        ring = load_keys(settings).field_encryption
        with transaction(engine) as db:
            made = create_connection(db, actor, now, ring, command)
    typer.echo(f"connection: {made.connection.id}")
    typer.echo("address (shown once), below the address of the service:")
    typer.echo(made.path)
    _tell_secret(made)
    _tell_settings(made.connection)


def list_(organization: Organization = None) -> None:
    """List connections: how each is proved, what is chosen, when it last delivered."""
    from sqlmodel import col, select

    from rpm.store.engine import reading
    from rpm.store.queries.connections import last_delivered
    from rpm.store.queries.pulls import accounts_of
    from rpm.store.scope import Scope
    from rpm.store.tables.monitoring import Connection

    with opened_organization(organization, "connections") as (engine, actor, _, _now):
        mine = col(Connection.organization_id) == actor.organization_id
        with reading(engine) as db:
            rows = db.exec(select(Connection).where(mine).order_by(col(Connection.id))).all()
            last = last_delivered(db, actor.organization_id, [row.id for row in rows])
            accounts = accounts_of(db, Scope.of(actor))
    for row in rows:
        delivered = f"{last[row.id]:%Y-%m-%d %H:%M}" if row.id in last else "never"
        state = f", retired {row.retired_at:%Y-%m-%d}" if row.retired_at else ""
        typer.echo(f"{row.id}  {row.vendor}: {row.name}; last delivered {delivered}{state}")
        _tell_settings(row)
        connection_pull.tell_accounts(one for one in accounts if one.connection_id == row.id)
    typer.echo(f"{len(rows)} connections")


def change(
    connection: ConnectionId,
    reason: Annotated[str, typer.Option(help="Why, for the audit.")],
    chosen: Chosen = None,
    networks: Networks = None,
    any_network: Annotated[  # noqa: FBT002 - an option, not an argument
        bool, typer.Option("--any-network", help="Deliveries may come from anywhere.")
    ] = False,
    organization: Organization = None,
) -> None:
    """Change a vendor's settings or the source networks, for deliveries from now on."""
    from rpm.actions.manage_connections import ChangeConnection, change_connection
    from rpm.errors import InvalidRequest
    from rpm.store.engine import transaction

    if any_network and networks:
        raise InvalidRequest("give --network or --any-network")
    command = _checked(
        ChangeConnection,
        connection_id=connection,
        settings=_pairs(chosen),
        networks=[] if any_network else networks or None,
        reason=reason,
    )
    with (
        opened_organization(organization, "connections") as (engine, actor, _, now),
        transaction(engine) as db,
    ):
        changed = change_connection(db, actor, now, command)
    _tell_settings(changed)


def rotate(
    connection: ConnectionId,
    overlap_hours: Annotated[
        int, typer.Option(help="Hours during which the secret before is still accepted.")
    ] = 24,
    secret_file: SecretFile = None,
    organization: Organization = None,
) -> None:
    """Give a connection a new secret; the one before stays good for the overlap."""
    from rpm.actions.manage_connections import RotateSecret, rotate_secret
    from rpm.keys import load_keys
    from rpm.store.engine import transaction

    command = _checked(
        RotateSecret,
        connection_id=connection,
        overlap_hours=overlap_hours,
        secret=_secret_of(secret_file),
    )
    with opened_organization(organization, "connections") as (engine, actor, settings, now):
        ring = load_keys(settings).field_encryption
        with transaction(engine) as db:
            made = rotate_secret(db, actor, now, ring, command)
    _tell_secret(made)
    typer.echo(f"the secret before is accepted for {overlap_hours} hours")


def retire(
    connection: ConnectionId,
    reason: Annotated[str, typer.Option(help="Why, for the audit.")],
    organization: Organization = None,
) -> None:
    """Close a connection for good: deliveries to its address are refused like any unknown one.

    What came through it stays, and so do its devices.
    """
    from rpm.actions.manage_connections import RetireConnection, retire_connection
    from rpm.store.engine import transaction

    command = _checked(RetireConnection, connection_id=connection, reason=reason)
    with (
        opened_organization(organization, "connections") as (engine, actor, _, now),
        transaction(engine) as db,
    ):
        retired = retire_connection(db, actor, now, command)
    typer.echo(f"{retired.vendor}: {retired.name} is retired since {now:%Y-%m-%d %H:%M} UTC")


def _checked(model: "type[AnyCommand]", **fields: Any) -> "AnyCommand":
    """The command; ``InvalidRequest`` names the options that are wrong."""
    from pydantic import ValidationError

    from rpm.commands.opened import refused

    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise refused(error) from error


def _usual_scheme(vendor: str) -> str | None:
    from devices.vendor import VENDORS

    return VENDORS[vendor].schemes[0].kind if vendor in VENDORS else None


def _pairs(chosen: list[str] | None) -> dict[str, str]:
    from rpm.errors import InvalidRequest

    pairs = dict(text.partition("=")[::2] for text in chosen or ())
    if "" in pairs.values():
        raise InvalidRequest("a setting is written like NAME=VALUE")
    return pairs


def _secret_of(path: Path | None) -> str | None:
    if path is None:
        return None
    data = sys.stdin.buffer.read() if str(path) == "-" else file_bytes(path)
    return data.decode("utf-8", "replace").strip()


def _tell_secret(made: "ShownOnce") -> None:
    from rpm.actions.connection_settings import settings_of

    scheme = settings_of(made.connection).scheme
    if made.secret is not None:
        typer.echo(f"secret (shown once) for {described(scheme)}:")
        typer.echo(made.secret)
    elif scheme.kind == "path":
        typer.echo("the address is the only secret")
    else:
        typer.echo(f"secret: the sender's own for {described(scheme)}")


def _tell_settings(connection: "Connection") -> None:
    from devices.vendor import VENDORS
    from rpm.actions.connection_settings import settings_of

    settings = settings_of(connection)
    typer.echo(f"  proof: {described(settings.scheme)}")
    for name, setting in VENDORS[connection.vendor].settings.items():
        typer.echo(f"  {name}={settings.chosen[name]} (of {', '.join(setting.allowed)})")
        typer.echo(f"    {setting.note}")
    if settings.networks:
        typer.echo(f"  only from: {', '.join(settings.networks)}")


def described(scheme: "Scheme") -> str:
    """A scheme in a few words."""
    places = {
        "header": f"the header {scheme.name}",
        "basic": f"Basic credentials of {scheme.username}",
        "query": f"the query parameter {scheme.name}",
        "path": "the address alone",
    }
    return places.get(scheme.kind, scheme.kind)
