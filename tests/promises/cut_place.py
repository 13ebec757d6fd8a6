"""Where work is cut: a prepared practice, its copy for each try, and the same ids in every try.

Owns the prepared database on either engine and what a story needs to know of it. Does not own the
stories (``cut_stories``) nor the cutting (``traced``).
"""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy.engine import Engine, make_url

from rpm import ids
from rpm.access import PERMISSIONS, Actor
from rpm.settings import Settings
from rpm.store.chain import chain_head
from rpm.store.engine import make_engine, reading

FEBRUARY = datetime(2026, 2, 2, 15, tzinfo=UTC)
JANUARY = date(2026, 1, 1)


@dataclass(frozen=True)
class Prepared:
    """A practice with a month that can be closed, as text that another process can be given."""

    database_url: str
    secret_key: str
    audit_key: str
    field_key: str
    organization_id: str
    user_id: str
    patient_id: str
    folder: str
    token: str = ""
    secret: str = ""
    close_id: str = ""

    def as_text(self) -> str:
        """For the command line of the process that cuts."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Place:
    """The practice of one try."""

    prepared: Prepared

    @cached_property
    def folder(self) -> Path:
        """Files of the try: the database, if it is a file, and what is exported."""
        return Path(self.prepared.folder)

    @property
    def exported(self) -> Path:
        """Where an export is written."""
        return self.folder / "exports"

    @cached_property
    def settings(self) -> Settings:
        """The installation that the try is made in."""
        keys = ("secret_key", "audit_key", "field_key")
        given: dict[str, Any] = {name: getattr(self.prepared, name) for name in keys}
        return Settings(database_url=self._url, **given)

    @cached_property
    def engine(self) -> Engine:
        """Inherited by each try with its compiled statements, without connections."""
        return make_engine(self.settings)

    @cached_property
    def actor(self) -> Actor:
        """Who acts."""
        organization_id, user_id = UUID(self.prepared.organization_id), UUID(self.prepared.user_id)
        return Actor(organization_id, user_id, None, "practice_admin", PERMISSIONS, "Ada Admin")

    @cached_property
    def _template(self) -> str:
        return make_url(self.prepared.database_url).database or ""

    @cached_property
    def _is_file(self) -> bool:
        return make_url(self.prepared.database_url).get_backend_name() == "sqlite"

    @cached_property
    def _database(self) -> str:
        return str(self.folder / "try.db") if self._is_file else f"{self._template}_try"

    @cached_property
    def _url(self) -> str:
        url = make_url(self.prepared.database_url).set(database=self._database)
        return url.render_as_string(hide_password=False)

    def renew(self) -> None:
        """The practice as it was prepared, and no exports."""
        self.leave()
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.mkdir()
        if self._is_file:
            shutil.copyfile(self._template, self._database)
            return
        with self._server() as server:
            server.execute(f'DROP DATABASE IF EXISTS "{self._database}" WITH (FORCE)')
            server.execute(f'CREATE DATABASE "{self._database}" TEMPLATE "{self._template}"')

    def leave(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def remove(self) -> None:
        """Nothing is left of the tries."""
        self.leave()
        shutil.rmtree(self.folder, ignore_errors=True)
        if not self._is_file:
            with self._server() as server:
                server.execute(f'DROP DATABASE IF EXISTS "{self._database}" WITH (FORCE)')

    @contextmanager
    def _server(self) -> Iterator[psycopg.Connection[Any]]:
        url = make_url(self.prepared.database_url).set(database="postgres")
        text = url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(text, autocommit=True) as connection:
            yield connection


def same_ids(place: Place) -> None:
    """From here on ids are drawn from the same numbers in every try: bytes can be compared.

    What goes on from another state of the record draws others.
    """
    with reading(place.engine) as db:
        number = chain_head(db, place.actor.organization_id).number
    ids.uuid7.__defaults__ = (random.Random(number).randbytes,)


def run_program(module: str, *arguments: str | Prepared) -> dict[str, Any]:
    """What a program of this folder answers; it has one thread, so that it may fork."""
    here = Path(__file__).parent
    paths = os.pathsep.join(str(path) for path in (here.parent.parent, here.parent, here))
    environment = os.environ | {"PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"}
    told = [one if isinstance(one, str) else one.as_text() for one in arguments]
    command = [sys.executable, "-B", "-m", module, *told]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def run_cuts(story: str, prepared: Prepared, points: int, *faults: str) -> dict[str, Any]:
    """What ``cut_program`` found; 0 points: every call."""
    return run_program("cut_program", story, str(points), *faults, prepared)
