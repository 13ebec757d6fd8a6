"""Imports in a test: files written on the spot, imported as the command line does."""

import csv
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.actions.import_file import Imported, ImportFile, Progress, import_file
from rpm.imports.profile import ImportProfile, load_profile
from rpm.store.engine import reading
from rpm.store.tables import METADATA

Counts = tuple[int, int, int]
"""New rows, rows that were there already, rejected rows."""


class Importer:
    """A person at the command line of one practice, with a folder for files."""

    def __init__(self, engine: Engine, actor: Actor, now: datetime, folder: Path) -> None:
        self.engine, self.actor, self.now, self.folder = engine, actor, now, folder

    def rows(self, kind: str, *lines: str, **options: str) -> Counts:
        """Import lines of CSV, the column names first, through the generic profile of a kind."""
        path = self.folder / f"{kind}.csv"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        done = self.file(path, f"generic-{kind}", **options)
        return done.new, done.known, done.rejected

    def file(self, path: Path, profile_name: str, **options: str) -> Imported:
        """Import a file through a profile with its options."""
        return self.profiled(path, load_profile(profile_name).with_options(options))

    def profiled(
        self,
        path: Path,
        profile: ImportProfile,
        *,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> Imported:
        """Import a file through a profile whose options are filled in."""
        asked = ImportFile(path, "a-profile", profile, self._rejects_path(path), dry_run)
        return import_file(self.engine, self.actor, self.now, asked, progress)

    def rejected(self, kind: str) -> list[tuple[int, str]]:
        """Line and reason of each row of the rejects file of a kind."""
        path = self._rejects_path(self.folder / f"{kind}.csv")
        with path.open(encoding="utf-8", newline="") as file:
            return [(int(row["line"]), row["reason"]) for row in csv.DictReader(file)]

    def stored(self) -> dict[str, int]:
        """How many rows each table holds."""
        with reading(self.engine) as db:
            return {
                name: db.connection().execute(select(func.count()).select_from(table)).scalar_one()
                for name, table in METADATA.tables.items()
            }

    def _rejects_path(self, path: Path) -> Path:
        return self.folder / f"{path.name}.rejects.csv"
