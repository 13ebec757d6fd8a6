"""``rpm-ledger close``: close a month of a practice."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy.engine import Engine
    from sqlmodel import Session

    from rpm.access import Actor
    from rpm.actions.close_month import ClosedMonth
    from rpm.actions.compute_close import ComputedClose
    from rpm.store.scope import Scope
    from rpm.store.tables.ledger import Close


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("close")(close)


def close(
    month: Annotated[str, typer.Option(help="The month, as 2026-01; it must be over.")],
    organization: Annotated[
        str | None, typer.Option(help="Id, NPI or name; not needed when there is only one.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why, for the audit.")] = None,
    as_known: Annotated[
        str | None,
        typer.Option(
            metavar="DATE", help="Close nothing: compute the close as known at the end of this day."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="With --as-known: folder in which the files of that close are rebuilt."),
    ] = None,
) -> None:
    """Close a month: post what its facts earn and what changed in closed months since.

    A rerun with nothing new posts nothing and tells the close that is there. With --as-known
    nothing is stored: the latest close made by that day is computed anew from what it saw and held
    against what it recorded; with no close yet, the command tells what it would have posted.
    """
    from pydantic import ValidationError

    from rpm.actions.close_month import CloseMonth, post_close
    from rpm.actions.compute_close import compute_close
    from rpm.commands.opened import (
        day_or_none,
        opened_organization,
        refused,
    )
    from rpm.store.engine import reading, transaction
    from rpm.store.scope import Scope

    try:
        command = CloseMonth(month=month, reason=reason)
    except ValidationError as error:
        raise refused(error) from error
    known_at = day_or_none(as_known)
    if out is not None and known_at is None:
        raise typer.BadParameter("--out goes with --as-known; rpm-ledger export writes a close")
    with opened_organization(organization, "close") as (engine, actor, _, now):
        if known_at is not None:
            fits = _as_known(engine, actor, now, command.month_start_day, known_at, out)
            raise typer.Exit(0 if fits else 1)
        with reading(engine) as db:
            scope = Scope.of(actor)
            first = command.month_start_day
            computed = compute_close(db, scope, now, first, progress=show_parts)
        with transaction(engine) as db:
            closed = post_close(db, actor, now, computed, command.reason)
    _tell(closed, command.month)


def _as_known(
    engine: "Engine",
    actor: "Actor",
    now: "datetime",
    month_start_day: "date",
    known_at: "date",
    out: Path | None,
) -> bool:
    """Tell the close as known on a day; False when it differs from what was recorded."""
    from billing.finding import Severity
    from rpm.actions.compute_close import compute_close
    from rpm.actions.rebuild_close import rebuild_close
    from rpm.actions.seen_from import seen_on
    from rpm.store.engine import reading
    from rpm.store.queries.ledger import close_of_month
    from rpm.store.scope import Scope

    scope = Scope.of(actor)
    with reading(engine) as db:
        seen = seen_on(db, scope, now, known_at)
        made = close_of_month(db, scope, month_start_day, seen.until_audit_number)
        if made is None:
            _tell_computed(
                compute_close(db, scope, now, month_start_day, seen=seen, progress=show_parts)
            )
            typer.echo(f"no close of this month was made by {known_at}; nothing was stored")
            return True
        computed, findings = rebuild_close(db, actor, now, made, progress=show_parts)
        _tell_computed(computed)
        for finding in findings:
            typer.echo(f"{finding.code} {finding.where}: {finding.message}")
        # what another version computes otherwise is told, not called a mismatch
        fits = all(one.severity is not Severity.ERROR for one in findings[:1])
        if not findings:
            typer.echo(f"the same as recorded: close {made.id}, number {made.ordinal} of the month")
        return (out is None or _rebuilt_files(db, scope, made, out)) and fits


def _rebuilt_files(db: "Session", scope: "Scope", close: "Close", out: Path) -> bool:
    """Write a close's files again; False when they differ from those exported before."""
    from rpm.actions.export_close import close_files, digests_of, folder_of, unlike_before
    from rpm.actions.whole_files import folder_within, write_whole
    from rpm.errors import InvalidRequest
    from rpm.store.queries.ledger import exports_of_close

    files, _ = close_files(db, scope, close)
    try:
        folder = folder_within(out, folder_of(close))
        write_whole(folder, files)
    except OSError as error:
        raise InvalidRequest(f"the files cannot be written: {error.strerror}") from error
    before = exports_of_close(db, scope, close.id)
    unlike = unlike_before(before, digests_of(files))
    known = "the same bytes as exported before" if before else "never exported before"
    typer.echo(f"rebuilt: {folder}, {', '.join(unlike) + ' differ' if unlike else known}")
    return not unlike


def _tell_computed(computed: "ComputedClose") -> None:
    """Each posting, then the totals."""
    from collections import Counter

    from billing.money import cents_to_text
    from rpm.actions.close_month import totals_of

    totals = totals_of(computed)
    units: Counter[str] = Counter()
    for posted, reason in computed.postings:
        units[posted.code] += posted.sign * posted.units
        typer.echo(
            f"{posted.code} x{posted.sign * posted.units} on {posted.service_day}  {posted.key}"
            f"  ({reason})"
        )
    typer.echo(
        f"{computed.month_start_day:%Y-%m}, number {computed.ordinal} of the month, as known on"
        f" {computed.known_day}: {totals['issued']} issued, {totals['reversed']} reversed,"
        f" known amounts {cents_to_text(totals['amount_cents'])}"
    )
    for code, count in sorted(units.items()):
        typer.echo(f"  {code} {count} units")
    for code, found in totals["findings"].items():
        typer.echo(f"  {code} {found}")


def show_parts(done: int, total: int) -> None:
    """Parts of a long walk that are done: on a terminal a line written over, elsewhere nothing."""
    import sys

    if sys.stderr.isatty():
        typer.echo(f"\r{done:,} of {total:,} parts", nl=done >= total, err=True)


def _tell(closed: "ClosedMonth", month: str) -> None:
    from billing.money import cents_to_text

    row, totals = closed.close, closed.close.totals
    if closed.repeated:
        typer.echo("nothing new: this close is there already")
    unknown = totals["amounts_unknown"]
    more = f", {unknown} lines of unknown amount" if unknown else ""
    typer.echo(f"close {row.id}: {month}, number {row.ordinal} of the month")
    typer.echo(
        f"{totals['issued']} issued, {totals['reversed']} reversed,"
        f" known amounts {cents_to_text(totals['amount_cents'])}{more}"
    )
    for code, count in totals["findings"].items():
        typer.echo(f"  {code} {count}")
