"""``rpm-ledger serve``: the web server, with the scheduler inside on the embedded database."""

from contextlib import ExitStack

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve)


def serve(
    host: str | None = typer.Option(None, help="Address to listen on instead of RPMLEDGER_HOST."),
    port: int | None = typer.Option(
        None, min=1, max=65535, help="Port to listen on instead of RPMLEDGER_PORT."
    ),
) -> None:
    """Serve the API; on SQLite the scheduler runs inside.

    An embedded SQLite file is upgraded first. On PostgreSQL the server refuses to start while the
    database is behind: run `rpm-ledger migrate` as the role that owns the tables. It refuses every
    start that is not safe, with all reasons and what mends them.
    """
    import structlog
    import uvicorn

    import rpm
    from rpm import logs
    from rpm.commands.opened import opened_engine, read_settings
    from rpm.jobs.schedule import background
    from rpm.safe_start import refuse_unsafe_start
    from rpm.store.append_only import keep_schema
    from rpm.web.app import create_app
    from rpm.web.heads import heads_in_time

    given = read_settings()
    settings = given.model_copy(update={"host": host or given.host, "port": port or given.port})
    logs.configure(settings.log_level)
    with ExitStack() as stack:
        engine = stack.enter_context(opened_engine(settings))
        refuse_unsafe_start(settings, engine, listens=True)
        keep_schema(engine)
        if engine.dialect.name == "sqlite":
            stack.enter_context(background(engine, settings))
        structlog.get_logger().info(
            "serving",
            version=rpm.__version__,
            host=settings.host,
            port=settings.port,
            database=engine.dialect.name,
        )
        uvicorn.run(
            create_app(settings),
            host=settings.host,
            port=settings.port,
            http=heads_in_time(settings.body_timeout_seconds),
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=30,
        )
