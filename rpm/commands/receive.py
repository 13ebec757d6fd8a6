"""``rpm-ledger receive``, ``mllp`` and ``platforms``: what other systems tell, taken in.

Owns the commands' options and what they print. Does not own reading messages.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

if TYPE_CHECKING:
    from rpm.actions.take_message import Source

_Organization = Annotated[
    str | None, typer.Option(help="Id, NPI or name; not needed when there is only one.")
]
_LOCAL = "127.0.0.1"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("receive")(receive)
    app.command("mllp")(mllp)
    group = typer.Typer(
        help="Telehealth platforms whose signed events of visits are taken.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("add")(add)
    group.command("list")(list_)
    group.command("retire")(retire)
    app.add_typer(group, name="platforms")


def receive(
    files: Annotated[list[Path], typer.Argument(help="Messages: HL7 v2 ADT, or FHIR as JSON.")],
    organization: _Organization = None,
) -> None:
    """Take messages of an EHR in: what they propose waits on the page Proposals.

    Told apart by content. A file that came before changes nothing; one that cannot be read is kept
    and told; then the command ends with 1.
    """
    from rpm.actions.take_message import take_message
    from rpm.commands.opened import file_bytes, opened_organization
    from rpm.store.engine import transaction
    from rpm.store.queries.proposals import READ

    contents = [(path, file_bytes(path)) for path in files]
    unread = waiting = 0
    with opened_organization(organization, "receive") as (engine, actor, _, now):
        for path, content in contents:
            source: Source = "adt-file" if _begins_as_message(content) else "fhir"
            with transaction(engine) as db:
                taken = take_message(db, actor, now, source, path.name, content)
                state, findings = taken.message.state, taken.message.findings
            waiting += len(taken.proposals)
            unread += state != READ
            told = "came before" if taken.repeated else f"{len(taken.proposals)} proposals"
            typer.echo(f"{path.name}: {told}{'' if state == READ else ', not wholly read'}")
            for one in findings:
                typer.echo(f"  {one['where']}: {one['message']} ({one['code']})")
    typer.echo(f"receive: files={len(contents)} proposals={waiting} unread={unread}")
    if unread:
        raise typer.Exit(1)


def _begins_as_message(content: bytes) -> bool:
    """Whether it looks like HL7 v2, which begins with MSH; anything else is taken for FHIR."""
    return content.lstrip(b"\xef\xbb\xbf\x0b\r\n ")[:3] == b"MSH"


def mllp(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port; 0: any that is free.")] = 2575,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = _LOCAL,
    networks: Annotated[
        list[str] | None,
        typer.Option("--from", metavar="CIDR", help="Who may send; may be repeated."),
    ] = None,
    organization: _Organization = None,
) -> None:
    """Listen for HL7 v2 ADT messages (MLLP) until stopped.

    Each is stored before it is acknowledged: AA when it was read, AE when it is kept but was not.
    MLLP proves no sender and encrypts nothing: beyond this machine, name the networks that may
    send, and put a tunnel around it.
    """
    import asyncio
    import ipaddress

    from rpm import logs
    from rpm.clock import clock_for
    from rpm.commands.opened import opened_organization
    from rpm.errors import InvalidRequest
    from rpm.mllp import Listener, listen
    from rpm.safe_start import refuse_unsafe_start
    from rpm.store.append_only import keep_schema

    allowed = networks or []
    try:
        for one in allowed:
            ipaddress.ip_network(one)
        if not allowed and not ipaddress.ip_address(host).is_loopback:
            raise InvalidRequest("name the networks that may send, with --from")
    except ValueError:
        raise InvalidRequest("an address or a network is wrong") from None

    def ready(at: int) -> None:
        typer.echo(f"mllp: listening on {host}:{at}")

    with opened_organization(organization, "mllp") as (engine, actor, settings, _):
        logs.configure(settings.log_level)
        refuse_unsafe_start(settings, engine, listens=False)
        keep_schema(engine)
        listener = Listener(engine, actor, clock_for(engine), tuple(allowed))
        try:
            asyncio.run(listen(listener, host, port, ready))
        except OSError as error:
            raise InvalidRequest(f"cannot listen there: {error.strerror}") from error


def add(
    name: Annotated[str, typer.Argument(help="The practice's name for it.")],
    organization: _Organization = None,
) -> None:
    """Add a platform; its address and secret are shown once."""
    from pydantic import ValidationError

    from rpm.actions.visit_platforms import AddVisitPlatform, add_visit_platform
    from rpm.commands.opened import opened_organization, refused
    from rpm.keys import load_keys
    from rpm.store.engine import transaction

    try:
        command = AddVisitPlatform(name=name)
    except ValidationError as error:
        raise refused(error) from None
    with opened_organization(organization, "platforms") as (engine, actor, settings, now):
        ring = load_keys(settings).field_encryption
        with transaction(engine) as db:
            made = add_visit_platform(db, actor, now, ring, command)
    typer.echo(f"platform: {made.platform.id}")
    typer.echo(f"address (shown once), below the service's own:\n{made.path}")
    typer.echo(f"secret (shown once):\n{made.secret}")


def list_(organization: _Organization = None) -> None:
    """List platforms, retired ones too."""
    from rpm.commands.opened import opened_organization
    from rpm.store.engine import reading
    from rpm.store.scope import Scope
    from rpm.store.tables.proposals import VisitPlatform

    with (
        opened_organization(organization, "platforms") as (engine, actor, _settings, _now),
        reading(engine) as db,
    ):
        rows = Scope.of(actor).all_of(db, VisitPlatform)
    for row in rows:
        state = f", retired {row.retired_at:%Y-%m-%d}" if row.retired_at else ""
        typer.echo(f"{row.id}  {row.name}{state}")
    typer.echo(f"{len(rows)} platforms")


def retire(
    platform: Annotated[UUID, typer.Argument(help="Its id.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    organization: _Organization = None,
) -> None:
    """Take nothing more from a platform."""
    from pydantic import ValidationError

    from rpm.actions.visit_platforms import RetireVisitPlatform, retire_visit_platform
    from rpm.commands.opened import opened_organization, refused
    from rpm.store.engine import transaction

    try:
        command = RetireVisitPlatform(platform_id=platform, reason=reason)
    except ValidationError as error:
        raise refused(error) from None
    with (
        opened_organization(organization, "platforms") as (engine, actor, _settings, now),
        transaction(engine) as db,
    ):
        retire_visit_platform(db, actor, now, command)
    typer.echo(f"retired: {platform}")
