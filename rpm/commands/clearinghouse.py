"""``rpm-ledger clearinghouse``: agreements with clearinghouses: add, test, list, switch, end.

Owns what is asked and printed. Does not own what is recorded (``manage_clearinghouse``) nor how
files travel (``rpm.claim_exchange``). A password comes from a variable of the environment or a
file, never from the command line, where every process can read it.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rpm.commands.connection_trial import Organization
from rpm.commands.opened import checked

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Engine

    from rpm.access import Actor
    from rpm.claim_exchange import Exchange
    from rpm.settings import Settings

Key = Annotated[str, typer.Argument(metavar="KEY", help="The practice's word for it.")]
Reason = Annotated[str, typer.Option(help="Why, for the audit.")]
Text = str | None


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(
        help="Agree with a clearinghouse, test it, and see how it stands.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("add")(add)
    group.command("test")(try_out)
    group.command("list")(list_)
    group.command("usage")(usage)
    group.command("retire")(retire)
    app.add_typer(group, name="clearinghouse")


def add(
    key: Key,
    reason: Reason,
    profile: Annotated[
        str, typer.Option(help="A shipped profile: folder, sftp, stedi, claim-md, loopback.")
    ] = "sftp",
    name: Annotated[Text, typer.Option(help="Its name on pages.")] = None,
    sender_id: Annotated[Text, typer.Option(help="Our id there (ISA06).")] = None,
    receiver_id: Annotated[Text, typer.Option(help="Its id (ISA08).")] = None,
    receiver_name: Annotated[Text, typer.Option(help="Its name in the file (NM1*40).")] = None,
    test_receiver_id: Annotated[Text, typer.Option(help="Its id in test files.")] = None,
    sender_qualifier: Annotated[Text, typer.Option(help="ISA05; ZZ unless told.")] = None,
    receiver_qualifier: Annotated[Text, typer.Option(help="ISA07; ZZ unless told.")] = None,
    host: Annotated[Text, typer.Option(help="Host of its SFTP server.")] = None,
    port: Annotated[int | None, typer.Option(help="Its port; 22 unless told.")] = None,
    username: Annotated[Text, typer.Option(help="Who we are there.")] = None,
    fingerprint: Annotated[
        Text, typer.Option(help="SHA256 fingerprint of its host key, from the clearinghouse.")
    ] = None,
    out_folder: Annotated[Text, typer.Option(help="Folder that claims go to.")] = None,
    in_folder: Annotated[Text, typer.Option(help="Folder that answers lie in.")] = None,
    archive_folder: Annotated[
        Text, typer.Option(help="Folder there that fetched answers are moved to.")
    ] = None,
    name_pattern: Annotated[
        Text, typer.Option(help="Names of files sent, such as CLAIMS{number}.837")
    ] = None,
    acknowledgment_days: Annotated[int | None, typer.Option(help="Days for a TA1 or 999.")] = None,
    claim_acknowledgment_days: Annotated[int | None, typer.Option(help="Days for a 277CA.")] = None,
    remittance_days: Annotated[int | None, typer.Option(help="Days for an 835.")] = None,
    password_from: Annotated[
        Text, typer.Option(metavar="VARIABLE", help="Variable that holds the password.")
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option(help="File with the private key, without a pass phrase.")
    ] = None,
    organization: Organization = None,
) -> None:
    """Record an agreement; of the same key the latest counts. Files are marked as tests first."""
    from rpm.actions.manage_clearinghouse import AddClearinghouse, add_clearinghouse
    from rpm.commands.opened import opened_organization
    from rpm.keys import load_keys
    from rpm.store.engine import transaction

    told = {
        "key": key,
        "reason": reason,
        "shipped": profile,
        "name": name,
        "sender_id": sender_id,
        "receiver_id": receiver_id,
        "receiver_name": receiver_name,
        "test_receiver_id": test_receiver_id,
        "sender_qualifier": sender_qualifier,
        "receiver_qualifier": receiver_qualifier,
        "host": host,
        "port": port,
        "username": username,
        "fingerprint": fingerprint,
        "out_folder": out_folder,
        "in_folder": in_folder,
        "archive_folder": archive_folder,
        "name_pattern": name_pattern,
        "acknowledgment_days": acknowledgment_days,
        "remittance_days": remittance_days,
        "claim_acknowledgment_days": claim_acknowledgment_days,
        **_secret(password_from, key_file),
    }
    command = checked(AddClearinghouse, **told)
    with opened_organization(organization, "clearinghouse") as (engine, actor, settings, now):
        ring = load_keys(settings).field_encryption
        with transaction(engine) as db:
            made = add_clearinghouse(db, actor, now, ring, command)
    typer.echo(f"{key}: {made.name}, files are marked {made.usage}")
    typer.echo(f"next: rpm-ledger clearinghouse test {key}")


def try_out(key: Key, organization: Organization = None) -> None:
    """Send a test file with one made-up claim. 1 when it surely did not arrive, or may not have.

    Its 999 comes with `rpm-ledger claims fetch`; then files for production may be sent.
    """
    from billing.claims.sending import Step
    from rpm.actions.try_clearinghouse import make_test_file
    from rpm.claim_exchange import send_file
    from rpm.commands.opened import opened_organization
    from rpm.store.engine import transaction

    with opened_organization(organization, "clearinghouse") as opened:
        engine, actor, _settings, now = opened
        with transaction(engine) as db:
            file = make_test_file(db, actor, now, key)
        sent = send_file(exchange_of(opened), actor, file.id)
    typer.echo(f"test file {file.id} ({file.name}): {sent.step}")
    if sent.step != Step.SENT:
        typer.echo(sent.problem or "")
        raise typer.Exit(1)
    typer.echo("its 999 comes with: rpm-ledger claims fetch")


def list_(organization: Organization = None) -> None:
    """List clearinghouses: where, how files are marked, tried or not, the last look, problems."""
    from rpm.commands.opened import opened_organization
    from rpm.store.engine import reading
    from rpm.store.queries.clearinghouse_tests import is_tried
    from rpm.store.queries.clearinghouses import clearinghouse_profiles, state_of
    from rpm.store.scope import Scope
    from rpm.transport.profile import SFTP

    with (
        opened_organization(organization, "clearinghouse") as (engine, actor, _settings, _now),
        reading(engine) as db,
    ):
        scope = Scope.of(actor)
        found = clearinghouse_profiles(db, scope)
        for key, one in found.items():
            state = state_of(db, scope, key)
            where = f"{one.username}@{one.host}:{one.port}" if one.kind == SFTP else "drop folder"
            tried = "tried" if is_tried(db, scope, key, one) else "not tried"
            typer.echo(f"{key}  {one.name}: {where}, marked {one.usage}, {tried}")
            looked = state.looked_at if state is not None else None
            typer.echo(f"  last look: {f'{looked:%Y-%m-%d %H:%M} UTC' if looked else 'never'}")
            if state is not None and state.problem:
                typer.echo(f"  problem: {state.problem}")
    typer.echo(f"{len(found)} clearinghouses")


def usage(
    key: Key,
    mark: Annotated[str, typer.Argument(metavar="T|P", help="T for tests, P for production.")],
    reason: Reason,
    organization: Organization = None,
) -> None:
    """Mark files from now on as tests or for production."""
    from rpm.actions.manage_clearinghouse import ChangeUsage, change_usage

    made = _do(change_usage, ChangeUsage, organization, key=key, usage=mark, reason=reason)
    typer.echo(f"{key}: files are marked {made.usage}")


def retire(key: Key, reason: Reason, organization: Organization = None) -> None:
    """End an agreement: nothing is sent there any more, and nothing fetched."""
    from rpm.actions.manage_clearinghouse import RetireClearinghouse, retire_clearinghouse

    _do(retire_clearinghouse, RetireClearinghouse, organization, key=key, reason=reason)
    typer.echo("retired")


def exchange_of(opened: "tuple[Engine, Actor, Settings, datetime]") -> "Exchange":
    """The exchange of an opened database."""
    from rpm.claim_exchange import exchange_with

    engine, _actor, settings, _now = opened
    return exchange_with(engine, settings)


def _do(action: Any, model: Any, organization: str | None, **told: Any) -> Any:
    from rpm.commands.opened import opened_organization
    from rpm.store.engine import transaction

    command = checked(model, **told)
    with (
        opened_organization(organization, "clearinghouse") as (engine, actor, _settings, now),
        transaction(engine) as db,
    ):
        return action(db, actor, now, command)


def _secret(password_from: str | None, key_file: Path | None) -> dict[str, str]:
    from rpm.commands.opened import file_bytes
    from rpm.errors import InvalidRequest

    if key_file is not None:
        return {"private_key": file_bytes(key_file).decode("utf-8", "replace")}
    if password_from is None:
        return {}
    if not os.environ.get(password_from):
        raise InvalidRequest("the variable of the password is not set")
    return {"password": os.environ[password_from]}
