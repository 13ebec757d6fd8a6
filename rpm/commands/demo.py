"""``rpm-ledger demo``: a synthetic practice whose months can be watched closing."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rpm.demo.play import Demo

_WAIT_SECONDS = 0.5
_WIDTH = 40
_PATIENTS_WITH_CLAIMS = 24


def register(app: typer.Typer) -> None:
    """Add the command and those below it."""
    group = typer.Typer(help="A synthetic practice with its own clock.")
    group.callback(invoke_without_command=True)(demo)
    group.command("advance")(advance)
    group.command("codes")(codes)
    group.command("claims")(claims)
    app.add_typer(group, name="demo")


def demo(
    context: typer.Context,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port to serve on instead of RPMLEDGER_PORT."),
    ] = None,
    keep: Annotated[  # noqa: FBT002 - an option, not an argument
        bool, typer.Option("--keep", help="Go on with the demo that is there, if there is one.")
    ] = False,
    no_serve: Annotated[  # noqa: FBT002 - as above
        bool, typer.Option("--no-serve", help="End after the report.")
    ] = False,
    folder: Annotated[Path, typer.Option(help="The demo's folder.")] = Path("var/demo"),
    patients: Annotated[
        int | None, typer.Option(min=2, max=200, help="Patients of a new demo.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day on which the clock stops.")
    ] = None,
) -> None:
    """Play the story of a synthetic practice through the service, then serve it.

    The database is made anew in the demo's folder. The last line of the report tells the last
    export. A demo database has a clock of its own: `rpm-ledger demo advance DATE` moves it on. Exit
    1 when the service answered otherwise than the story has it.
    """
    if context.invoked_subcommand is not None:
        return
    from rpm.demo.moving import moving
    from rpm.demo.people import PATIENTS
    from rpm.demo.play import DATABASE, demo_settings, kept_demo, new_demo, play
    from rpm.demo.practice import STOP_DAY
    from rpm.demo.server import serving, taken_address, url_of
    from rpm.demo.sign_ins import give_sign_ins

    _quiet()
    settings = demo_settings(folder)
    address = taken_address(None if no_serve else port or settings.port)
    day = STOP_DAY if until is None else until.date()
    is_kept = keep and (folder / DATABASE).is_file()
    with (
        kept_demo(settings) if is_kept else new_demo(folder, patients or PATIENTS) as found,
        serving(found.settings, address, move_demo=moving(found, url_of(address))) as url,
    ):
        unexpected = play(found, url, day, _Progress())
        give_sign_ins(found)
        _report(found, unexpected)
        if not no_serve:
            _serve(found, url)
    raise typer.Exit(1 if unexpected else 0)


def advance(
    day: Annotated[
        datetime, typer.Argument(metavar="DATE", formats=["%Y-%m-%d"], help="Such as 2026-03-02.")
    ],
    folder: Annotated[Path, typer.Option(help="The demo's folder.")] = Path("var/demo"),
) -> None:
    """Move the demo's clock to the evening of a day; the story goes on until then.

    The database is that of RPMLEDGER_DATABASE_URL where it is set, else the demo folder's; any that
    is not a demo database is refused and left alone.
    """
    import os

    from rpm.commands.opened import read_settings
    from rpm.demo.play import advance as advance_to
    from rpm.demo.play import demo_settings, kept_demo

    _quiet()
    named = "RPMLEDGER_DATABASE_URL" in os.environ
    with kept_demo(read_settings() if named else demo_settings(folder)) as found:
        unexpected = advance_to(found, day.date(), _Progress())
        _report(found, unexpected)
    raise typer.Exit(1 if unexpected else 0)


def codes(
    folder: Annotated[Path, typer.Option(help="The demo's folder.")] = Path("var/demo"),
) -> None:
    """Who signs in to the demo's pages with what, and everybody's present one-time code.

    A code is good once and for a minute; the next one comes within half a minute.
    """
    from rpm.clock import SystemClock
    from rpm.demo.play import demo_settings, kept_demo
    from rpm.demo.sign_ins import sign_in_lines

    with kept_demo(demo_settings(folder)) as found:
        for line in sign_in_lines(found.memory, SystemClock().now()):
            typer.echo(line)


def claims(
    folder: Annotated[Path, typer.Option(help="The demo's folder.")] = Path("var/demo-claims"),
    patients: Annotated[
        int, typer.Option(min=8, max=200, help="Patients of the new demo.")
    ] = _PATIENTS_WITH_CLAIMS,
) -> None:
    """Play a new demo until January is closed, then bill it through a rehearsal clearinghouse.

    Claims are assembled, released, written, sent over SFTP, acknowledged and paid; what is denied
    is corrected or appealed. Nothing leaves this machine. `rpm-ledger demo --keep --folder FOLDER`
    serves the result. Exit 1 when something came out otherwise than it should.
    """
    import importlib.util

    from rpm.demo.play import new_demo, play
    from rpm.demo.server import serving, taken_address
    from rpm.demo.sign_ins import give_sign_ins
    from rpm.errors import NotReady

    if importlib.util.find_spec("asyncssh") is None:
        raise NotReady("the rehearsal needs asyncssh: install rpm-ledger[demo]")
    from rpm.demo.claims_walk import CLOSED_BY, MONTH, rehearsing

    _quiet()
    with new_demo(folder, patients) as found:
        with serving(found.settings, taken_address(None)) as url:
            missed = play(found, url, CLOSED_BY, _Progress())
        give_sign_ins(found)
        with rehearsing(found, MONTH, typer.echo) as walk:
            typer.echo(
                "A rehearsal on this machine: no file leaves it, and no payer said any of it."
            )
            walk.go()
            missed += walk.missed
    for one in missed:
        typer.echo(f"not as it should be: {one}", err=True)
    typer.echo("claims: done" if not missed else f"claims: {len(missed)} not as they should be")
    raise typer.Exit(1 if missed else 0)


def _quiet() -> None:
    """Only warnings are logged: thousands of requests are the demo's own."""
    from rpm import logs

    logs.configure("warning")


class _Progress:
    """One line on a terminal, a line a month elsewhere."""

    def __init__(self) -> None:
        import sys

        self._terminal = sys.stderr.isatty()
        self._month = ""

    def __call__(self, now: datetime, done: int, due: int) -> None:
        """Show where the story is."""
        text = f"{now:%Y-%m-%d}  step {done} of {due}"
        if self._terminal:
            shown = text if done < due else ""
            typer.echo(f"\r{shown:<{_WIDTH}}\r{shown}", err=True, nl=False)
        elif f"{now:%Y-%m}" != self._month:
            self._month = f"{now:%Y-%m}"
            typer.echo(text, err=True)


def _report(found: "Demo", unexpected: list[str]) -> None:
    """What was answered in another way than the story has it, then the figures."""
    from rpm.demo.play import actor_of
    from rpm.demo.report import closed_months, report
    from rpm.store.engine import reading
    from rpm.store.scope import Scope

    for answer in unexpected:
        typer.echo(f"not as the story has it: {answer}", err=True)
    with reading(found.engine) as db:
        closed = closed_months(db, Scope.of(actor_of(found)))
    for line in report(closed, found.exports):
        typer.echo(line)


def _serve(found: "Demo", url: str) -> None:
    """Tell where it runs and what to try; serve until the process is asked to stop."""
    import signal
    import sys
    import threading

    from rpm.clock import SystemClock
    from rpm.demo.hints import hints
    from rpm.demo.sign_ins import sign_in_lines
    from rpm.jobs.schedule import background

    program = sys.argv[0] if Path(sys.argv[0]).name == "rpm-ledger" else "rpm-ledger"
    typer.echo("")
    for line in hints(found, url, program):
        typer.echo(line)
    typer.echo(f"\nThe pages: {url}/sign-in; fresh codes come from {program} demo codes\n")
    for line in sign_in_lines(found.memory, SystemClock().now()):
        typer.echo(line)
    stop = threading.Event()
    for asked in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked, lambda _signal, _frame: stop.set())
    typer.echo("\nServing; Ctrl-C stops it.")
    with background(found.engine, found.settings):
        while not stop.wait(_WAIT_SECONDS):
            pass
