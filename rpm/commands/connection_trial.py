"""``rpm-ledger connections test``: a vendor's example through a connection, and what comes of it.

Owns sending it and what is printed. Does not own the request (``rpm.actions.try_connection``).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from rpm.commands.opened import file_bytes, opened_organization

if TYPE_CHECKING:
    from devices.delivery import Incoming

Organization = Annotated[
    str | None, typer.Option(help="Id, NPI or name; not needed when there is only one.")
]
ConnectionId = Annotated[UUID, typer.Argument(metavar="CONNECTION", help="Its id.")]
_TIMEOUT_SECONDS = 15.0


def register(group: typer.Typer) -> None:
    """Add the command to the group ``connections``."""
    group.command("test")(try_out)


def try_out(
    connection: ConnectionId,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Post it there: the whole address, as its sender does. It is recorded.",
        ),
    ] = None,
    body: Annotated[
        Path | None, typer.Option(help="A file with another body than the vendor's example.")
    ] = None,
    organization: Organization = None,
) -> None:
    """Try a vendor's example out, proved as the connection demands, and say what comes of it.

    Without an address nothing is recorded, and address and source networks are not tried. 1 when
    it is refused or cannot be read.
    """
    from rpm.actions.try_connection import proved_request, tried
    from rpm.keys import load_keys
    from rpm.store.engine import reading

    sent = None if body is None else file_bytes(body)
    with opened_organization(organization, "connections") as (engine, actor, settings, now):
        ring = load_keys(settings).field_encryption
        with reading(engine) as db:
            incoming = proved_request(db, actor, now, ring, connection, sent)
        if to is not None:
            state, items = _posted(to, incoming)
        else:
            answer = tried(engine, actor, now, ring, connection, incoming)
            state, items = f"{answer.state} (nothing was recorded)", list(answer.items)
    typer.echo(state)
    for item in items:
        reason = f": {item['reason']}" if item["reason"] else ""
        typer.echo(f"  {item['id'] or 'item'} {item['status']}{reason}")
    if not state.startswith("read"):
        raise typer.Exit(1)


def _posted(to: str, incoming: "Incoming") -> "tuple[str, list[dict[str, Any]]]":
    """State and items of the service's answer, or what it answered otherwise."""
    import httpx2  # safe: the operator names the address of this service on the command line

    from rpm.errors import InvalidRequest

    try:
        answer = httpx2.post(
            f"{to}?{incoming.query}" if incoming.query else to,
            content=incoming.body,
            headers=dict(incoming.headers),
            timeout=_TIMEOUT_SECONDS,
            trust_env=False,
        )
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise InvalidRequest(f"the address cannot be reached: {type(error).__name__}") from None
    if answer.status_code not in {200, 202}:
        return f"refused: {answer.status_code}", []
    told = answer.json()
    return str(told["state"]), list(told["items"])
