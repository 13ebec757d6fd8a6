"""``rpm-ledger claims send, look, settle, fetch``: claim files out, answers in.

Owns what is asked and printed. Does not own the exchange (``rpm.claim_exchange``).
"""

from typing import Annotated
from uuid import UUID

import typer

from rpm.commands.connection_trial import Organization
from rpm.commands.opened import checked

By = Annotated[str, typer.Option(help="Who: e-mail address or id of a user of the practice.")]
FileId = Annotated[UUID, typer.Argument(metavar="FILE", help="Id of a file of claims.")]


def register(group: typer.Typer) -> None:
    """Add the commands to the group ``claims``."""
    group.command("send")(send)
    group.command("look")(look)
    group.command("settle")(settle)
    group.command("fetch")(fetch)
    group.command("overdue")(overdue)


def send(file: FileId, organization: Organization = None) -> None:
    """Send a file of claims to its clearinghouse, once.

    1 when it surely did not arrive, and when that is not known: then look, and settle it. A file
    whose arrival is not known is never sent again by itself.
    """
    from billing.claims.sending import Step
    from rpm.claim_exchange import send_file
    from rpm.commands.clearinghouse import exchange_of
    from rpm.commands.opened import opened_organization

    with opened_organization(organization, "claims") as opened:
        sent = send_file(exchange_of(opened), opened[1], file)
    typer.echo(f"{sent.name}: {sent.step}")
    if sent.step == Step.SENT:
        return
    typer.echo(sent.problem or "")
    if sent.step == Step.UNKNOWN:
        typer.echo(f"look for it before anything else: rpm-ledger claims look {file}")
    raise typer.Exit(1)


def look(file: FileId, organization: Organization = None) -> None:
    """Look at the clearinghouse for a file whose arrival is not known, by name and size.

    1 when it does not lie there: it may have been taken in, so ask, then settle it.
    """
    from billing.claims.sending import Step
    from rpm.claim_exchange import look_for_file
    from rpm.commands.clearinghouse import exchange_of
    from rpm.commands.opened import opened_organization
    from rpm.errors import NotReady
    from rpm.transport.place import TransportError

    with opened_organization(organization, "claims") as opened:
        try:
            seen = look_for_file(exchange_of(opened), opened[1], file)
        except TransportError as error:
            raise NotReady(f"nobody could look: {error}") from error
    typer.echo(f"{seen.name}: {seen.step}")
    if seen.step != Step.FOUND:
        typer.echo("it may have been taken in: wait for its 999, or ask; then settle it")
        raise typer.Exit(1)


def settle(
    file: FileId,
    reason: Annotated[str, typer.Option(help="How you know, for the audit.")],
    by: By,
    *,
    arrived: Annotated[
        bool,
        typer.Option("--arrived/--not-arrived", help="Whether the clearinghouse has it."),
    ],
    organization: Organization = None,
) -> None:
    """Say whether a file arrived whose arrival is not known; one that did not may be sent again.

    Its bytes and numbers stay the same. Somebody must have looked before it is said not to have
    arrived.
    """
    from rpm.actions.send_claim_file import DecideSending, decide_sending
    from rpm.commands.opened import opened_organization
    from rpm.store.engine import transaction
    from rpm.store.queries.people import actor_of_user
    from rpm.store.scope import Scope

    command = checked(DecideSending, file_id=file, arrived=arrived, reason=reason)
    with (
        opened_organization(organization, "claims") as (engine, service, _settings, now),
        transaction(engine) as db,
    ):
        person = actor_of_user(db, Scope.of(service), by)
        settled = decide_sending(db, person, now, command)
    typer.echo(f"{settled.name}: {settled.step}")


def fetch(
    clearinghouse: Annotated[
        str | None, typer.Argument(help="Its key; every clearinghouse when none is named.")
    ] = None,
    organization: Organization = None,
) -> None:
    """Fetch the answers that wait, store each once, and post what they say.

    1 when something went wrong, needs a look, or an interchange came with two contents.
    """
    from rpm.claim_exchange import fetch_files
    from rpm.commands.clearinghouse import exchange_of
    from rpm.commands.opened import opened_organization
    from rpm.store.engine import reading
    from rpm.store.queries.answers import POSTED
    from rpm.store.queries.clearinghouses import clearinghouse_profiles
    from rpm.store.scope import Scope

    wrong = 0
    with opened_organization(organization, "claims") as opened:
        engine, actor, _settings, _now = opened
        with reading(engine) as db:
            keys = (
                [clearinghouse] if clearinghouse else [*clearinghouse_profiles(db, Scope.of(actor))]
            )
        for key in keys:
            done = fetch_files(exchange_of(opened), actor, key, at_once=True)
            looks = [one for one in done.posted if one.state != POSTED]
            told = (
                "another fetch is at it"
                if done.held
                else f"{len(done.new)} new, {done.known} known"
            )
            typer.echo(f"{key}: {told}, {len(done.posted)} posted, {len(looks)} to look at")
            for problem in done.problems:
                typer.echo(f"  {problem}")
            for sender, number in done.alarms:
                typer.echo(f"  interchange {number} of {sender} came with different contents")
            wrong += len(done.problems) + len(looks) + len(done.alarms)
    if wrong:
        raise typer.Exit(1)


def overdue(organization: Organization = None) -> None:
    """List answers that are overdue, files whose arrival is not known, and numbers used twice.

    1 when there is any.
    """
    from rpm.actions.overdue_answers import exchange_work
    from rpm.commands.opened import opened_organization
    from rpm.store.engine import reading, within

    with (
        opened_organization(organization, "claims") as (engine, actor, _settings, now),
        reading(within(engine, actor.organization_id)) as db,
    ):
        work = exchange_work(db, actor, now)
    for one in work.overdue:
        told = one.overdue
        typer.echo(
            f"{one.control_number}  {told.answer} overdue by {told.days_over} days:"
            f" sent {told.sent_on} to {one.clearinghouse}, due {told.due_on}"
        )
    for unsure in work.unsure:
        typer.echo(f"{unsure.file.id}  {unsure.file.name}: whether it arrived is not known")
    for sender, number in work.alarms:
        typer.echo(f"interchange {number} of {sender} came with different contents")
    typer.echo(f"{work.count} to look after" if work.count else "nothing to look after")
    if work.count:
        raise typer.Exit(1)
