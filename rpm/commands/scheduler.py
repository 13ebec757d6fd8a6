"""``rpm-ledger scheduler``: the scheduled jobs in a process of their own."""

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("scheduler")(scheduler)


def scheduler(
    once: bool = typer.Option(  # noqa: FBT001 - an option, not an argument
        False,  # noqa: FBT003 - as above
        "--once",
        help="Run what is due now and exit.",
    ),
) -> None:
    """Run the scheduled jobs until stopped.

    They are the close of a month on the day the practice chose, the nightly verification and the
    list of silent devices. Several schedulers may run: each due run is done by one of them.
    """
    from rpm import logs
    from rpm.commands.opened import opened_engine, read_settings
    from rpm.jobs.schedule import JOBS, foreground, run_latest
    from rpm.safe_start import refuse_unsafe_start
    from rpm.store.append_only import keep_schema

    settings = read_settings()
    logs.configure(settings.log_level)
    with opened_engine(settings) as engine:
        refuse_unsafe_start(settings, engine, listens=False)
        keep_schema(engine)
        if once:
            for job in JOBS:
                typer.echo(f"{job.name}: {run_latest(engine, settings, job) or 'nothing due'}")
        else:
            foreground(engine, settings)
