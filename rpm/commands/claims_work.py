"""``rpm-ledger claims``: facts and charges loaded, claims assembled, listed, decided on, written.

Owns the commands' options and what they print. Does not own what they do (``rpm.actions``).
``claims`` itself registers them. Who decides is named with ``--by``: a person, never the program.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlmodel import Session

    from billing.finding import Finding
    from rpm.access import Actor
    from rpm.actions.assemble_claims import Preview
    from rpm.actions.release_claims import Decided
    from rpm.store.queries.claims import ClaimFilter, ListedClaim

Organization = Annotated[
    str | None, typer.Option(help="Id, NPI or name; not needed when there is only one.")
]
By = Annotated[str, typer.Option(help="Who: e-mail address or id of a user of the practice.")]
Numbers = Annotated[
    list[str] | None, typer.Argument(help="Patient control numbers, such as RL000000001.")
]
MonthOption = Annotated[str | None, typer.Option(help="Claims with services of a month, 2026-01.")]


def register(group: typer.Typer) -> None:
    """Add the commands to the group ``claims``."""
    for command in (facts, charges, assemble, hold, release, write, corrections):
        group.command(command.__name__)(command)
    group.command("list")(list_)


@contextmanager
def _acting(
    organization: str | None, command: str, by: str | None = None
) -> "Iterator[tuple[Session, Actor, datetime]]":
    """A writing session, and the service or a person at work in it."""
    from rpm.commands.opened import opened_organization
    from rpm.store.engine import transaction
    from rpm.store.queries.people import actor_of_user
    from rpm.store.scope import Scope

    with (
        opened_organization(organization, f"claims {command}") as (engine, service, _, now),
        transaction(engine) as db,
    ):
        yield db, service if by is None else actor_of_user(db, Scope.of(service), by), now


def facts(
    file: Annotated[Path, typer.Argument(help="A TOML file; docs/claims.md describes it.")],
    reason: Annotated[str, typer.Option(help="Why, in your words.")],
    organization: Organization = None,
) -> None:
    """Record what claims need: billing identity, payers, practitioners, addresses, coverages.

    All of the file or nothing: 2 with every row that is wrong. The same file again adds nothing.
    """
    from rpm.actions.load_billing_facts import load_billing_facts
    from rpm.commands.rule_changes import page_text

    text = page_text(file)
    with _acting(organization, "facts") as (db, actor, now):
        done = load_billing_facts(db, actor, now, text, reason)
    for table, count in done.items():
        typer.echo(f"{table}: {count} recorded")


def charges(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX: procedure, modifier, fee, from_day.")],
    reason: Annotated[str, typer.Option(help="Why, in your words.")],
    begins: Annotated[
        str | None,
        typer.Option("--from", metavar="DATE", help="First day of rows that do not tell theirs."),
    ] = None,
    organization: Organization = None,
) -> None:
    """Load the practice's schedule of charges; 1 when rows were refused, each told by its line."""
    from rpm.actions.load_charges import LoadCharges, load_charges
    from rpm.commands.opened import day_or_none, file_bytes

    command = LoadCharges(
        name=file.name, content=file_bytes(file), first_day=day_or_none(begins), reason=reason
    )
    with _acting(organization, "charges") as (db, actor, now):
        loaded = load_charges(db, actor, now, command)
    typer.echo(
        f"{loaded.new} charges recorded, {loaded.known} known, {len(loaded.rejects)} refused"
    )
    for one in loaded.rejects:
        typer.echo(f"  {one.finding.where}: {one.finding.message}")
    if loaded.rejects:
        raise typer.Exit(1)


def assemble(
    month: Annotated[str | None, typer.Argument(help="A closed month, 2026-01.")] = None,
    close: Annotated[str | None, typer.Option(help="Id of one close instead of a month.")] = None,
    preview: Annotated[  # noqa: FBT002 - an option, not an argument
        bool, typer.Option("--preview", help="Record nothing, only tell what would be.")
    ] = False,
    organization: Organization = None,
) -> None:
    """Make claims of a closed month's lines and accepted visits; tell what is held and why.

    1 when anything is held. Done again it makes claims of what was mended or posted since.
    """
    from pydantic import ValidationError

    from rpm.actions.assemble_claims import AssembleClaims, assemble_claims, preview_claims
    from rpm.commands.opened import refused

    given = {"month": month, "close_id": close}
    try:
        told = {name: value for name, value in given.items() if value is not None}
        command = AssembleClaims.model_validate(told)
    except ValidationError as error:
        raise refused(error) from error
    with _acting(organization, "assemble") as (db, actor, now):
        if preview:
            found = preview_claims(db, actor, command)
        else:
            found = assemble_claims(db, actor, now, command).preview
    _tell_preview(found, "would be made" if preview else "made")
    if found.assembled.held:
        raise typer.Exit(1)


def _tell_preview(found: "Preview", word: str) -> None:
    from collections import Counter

    from billing.money import cents_to_text

    claims = found.assembled.claims
    lines = sum(len(one.service_ids) for one in claims)
    charge = cents_to_text(found.charge_cents)
    typer.echo(
        f"{found.month_start_day:%Y-%m}: {len(claims)} claims with {lines} lines {word},"
        f" charges {charge}; {len(found.assembled.held)} lines held"
    )
    reasons: Counter[tuple[str, str, str]] = Counter()
    for held in found.assembled.held:
        reasons.update({(one.code, one.where, one.message) for one in held.findings})
    for (code, where, message), count in sorted(reasons.items()):
        typer.echo(f"  {code}  {count} lines: {where}. {message}")


def list_(
    month: MonthOption = None,
    status: Annotated[str | None, typer.Option(help="Only claims that stand so.")] = None,
    organization: Organization = None,
) -> None:
    """List claims with where each stands: number, days, charge, paid, status; then the totals."""
    from collections import Counter

    from billing.money import cents_to_text
    from rpm.store.queries.claimed import unclaimed_months
    from rpm.store.queries.claims import listed_claims
    from rpm.store.scope import Scope

    with _acting(organization, "list") as (db, actor, _):
        scope = Scope.of(actor)
        found = listed_claims(db, scope, _of_month(month))
        left = unclaimed_months(db, scope)
    shown = [one for one in found if status in (None, one.standing.status)]
    for one in shown:
        typer.echo(_line(one))
    counts = Counter(one.standing.status for one in shown)
    cents: Counter[str] = Counter()
    for one in shown:
        cents[one.standing.status] += one.charge_cents
    for name, count in sorted(counts.items()):
        typer.echo(f"{name}: {count} claims, charges {cents_to_text(cents[name])}")
    for each in left:
        typer.echo(f"{each.month_start_day:%Y-%m}: {each.lines} lines are on no claim")


def _of_month(month: str | None) -> "ClaimFilter":
    from datetime import date, timedelta

    from rpm.actions.compute_close import next_month
    from rpm.commands.opened import month_or_none
    from rpm.store.queries.claims import ClaimFilter

    told = month_or_none(month)
    if told is None:
        return ClaimFilter()
    first = date.fromisoformat(f"{told}-01")
    return ClaimFilter(from_day=first, to_day=next_month(first) - timedelta(days=1))


def _line(one: "ListedClaim") -> str:
    from billing.money import cents_to_text

    days = str(one.from_day) if one.from_day == one.to_day else f"{one.from_day} to {one.to_day}"
    paid = cents_to_text(one.standing.paid_cents)
    charge = cents_to_text(one.charge_cents)
    return f"{one.control_number}  {days}  {charge}  paid {paid}  {one.standing.status}"


def hold(
    by: By,
    reason: Annotated[str, typer.Option(help="Why, in your words.")],
    numbers: Numbers = None,
    month: MonthOption = None,
    organization: Organization = None,
) -> None:
    """Hold claims that did not leave yet: those named, or all of a month; 1 when one was not."""
    from rpm.actions.release_claims import HoldClaims, hold_claims

    with _acting(organization, "hold", by) as (db, actor, now):
        ids = _chosen(db, actor, numbers, month, ("assembled", "approved", "released"))
        decided = hold_claims(db, actor, now, HoldClaims(claim_ids=ids, reason=reason))
    _tell_decided(decided, "held")


def release(
    by: By,
    numbers: Numbers = None,
    month: MonthOption = None,
    organization: Organization = None,
) -> None:
    """Release claims: those named, or all of a month that nobody holds; 1 when one was not.

    Above the practice's amount (setting `claims_two_persons_above`) a second person does the same.
    """
    from rpm.actions.release_claims import ReleaseClaims, release_claims

    with _acting(organization, "release", by) as (db, actor, now):
        ids = _chosen(db, actor, numbers, month, ("assembled", "approved"))
        decided = release_claims(db, actor, now, ReleaseClaims(claim_ids=ids))
    _tell_decided(decided, "released")


def _chosen(
    db: "Session",
    actor: "Actor",
    numbers: list[str] | None,
    month: str | None,
    statuses: tuple[str, ...],
) -> "list[UUID]":
    """Ids of the claims named, or of a month's that stand so; ``NotFound`` for none."""
    from rpm.errors import NotFound
    from rpm.store.queries.claims import claim_with_number, listed_claims
    from rpm.store.scope import Scope

    scope = Scope.of(actor)
    if bool(numbers) == bool(month):
        raise typer.BadParameter("name claims by their numbers, or a month with --month")
    if month:
        found = listed_claims(db, scope, _of_month(month))
        ids = [one.id for one in found if one.standing.status in statuses]
    else:
        rows = [claim_with_number(db, scope, number) for number in numbers or ()]
        ids = [row.id for row in rows if row is not None]
        if len(ids) < len(rows):
            raise NotFound("there is no claim of this number")
    if not ids:
        raise NotFound("no claim of the month stands so")
    return ids


def _tell_decided(decided: "Decided", word: str) -> None:
    waiting = f", {len(decided.waiting)} wait for a second person" if decided.waiting else ""
    typer.echo(f"{len(decided.done)} {word}{waiting}, {len(decided.refused)} stay as they are")
    _tell_findings([found for one in decided.refused for found in one.findings])
    if decided.refused:
        raise typer.Exit(1)


def _tell_findings(findings: "list[Finding]") -> None:
    for one in dict.fromkeys(findings):
        typer.echo(f"  {one.code}  {one.where}: {one.message}")


def write(
    by: By,
    clearinghouse: Annotated[
        str, typer.Option(help="Key of the clearinghouse; not needed when there is only one.")
    ] = "",
    organization: Organization = None,
) -> None:
    """Write released claims into a file that waits to be sent; at most 2,000 in one.

    Kept only when validator, own reader and scrub agree; else 1 with what they found, and the
    claims stay released.
    """
    from rpm.actions.write_claim_file import write_claim_file
    from rpm.store.tables.claims import ClaimFile

    with _acting(organization, "write", by) as (db, actor, now):
        written = write_claim_file(db, actor, now, clearinghouse)
    if not isinstance(written, ClaimFile):
        typer.echo("no file was written")
        _tell_findings(list(written))
        raise typer.Exit(1)
    typer.echo(f"{written.name}: {written.claim_count} claims, SHA-256 {written.sha256}")
    typer.echo(f"file {written.id} waits to be sent to {written.clearinghouse_key}")


def corrections(
    accept: Annotated[
        str | None, typer.Option(help="Control number of a claim whose correction is made.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="With --accept: who.")] = None,
    reason: Annotated[str | None, typer.Option(help="With --accept: why.")] = None,
    organization: Organization = None,
) -> None:
    """Tell claims whose lines were taken back or changed since, and what is proposed; 1 for any.

    With --accept the correction of one claim is made: it is rebuilt, withdrawn, replaced or voided,
    and a new version waits for its release.
    """
    from rpm.actions.claim_corrections import AcceptCorrection, accept_correction, proposals
    from rpm.errors import NotFound
    from rpm.store.queries.claims import claim_with_number
    from rpm.store.scope import Scope

    if accept is not None and (by is None or reason is None):
        raise typer.BadParameter("--accept goes with --by and --reason")
    with _acting(organization, "corrections", by if accept else None) as (db, actor, now):
        scope = Scope.of(actor)
        if accept is not None:
            row = claim_with_number(db, scope, accept)
            if row is None:
                raise NotFound("there is no claim of this number")
            command = AcceptCorrection(claim_id=row.id, reason=reason or "")
            made = accept_correction(db, actor, now, command)
            typer.echo(f"{accept}: {made.correction}")
            return
        found = proposals(db, scope)
    for one in found:
        gone = " ".join(line.procedure for line in one.gone) or "nothing"
        added = " ".join(service.procedure for service, _ in one.added) or "nothing"
        typer.echo(
            f"{one.current.row.control_number}  {one.correction}: {gone} gone, {added} instead"
        )
    if found:
        raise typer.Exit(1)
    typer.echo("every claim says what the record says")
