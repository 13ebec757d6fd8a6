"""PostgreSQL's own programs for whole databases: ``pg_dump`` and ``pg_restore``.

Owns finding them, running them and what their failure means. Does not own what is done with the
archive. A password never stands on a command line.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy.engine import URL, Engine

from rpm.errors import NotReady

Progress = Callable[[int, int], None]

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_PIECE = re.compile(r"(dumping contents of|processing data for) table")
_OF_NOBODY = ("--no-owner", "--no-privileges")
_DENIED = re.compile(r"(permission denied for \w+ \w+|must be owner of \w+ \w+)")


def dump(
    engine: Engine,
    path: Path,
    snapshot: str,
    programs: Path | None,
    tables: int,
    progress: Progress,
) -> None:
    """Write the database, as an exported snapshot sees it, into an archive."""
    program = _found("pg_dump", programs)
    _new_enough(program, engine)
    arguments = [program, "--format=custom", f"--snapshot={snapshot}", f"--file={path}"]
    _run([*arguments, *_OF_NOBODY], engine.url, tables, progress)


def restore(
    engine: Engine, path: Path, programs: Path | None, tables: int, progress: Progress
) -> None:
    """Put an archive into the empty database behind an engine, all of it or nothing."""
    program = _found("pg_restore", programs)
    arguments = [program, "--single-transaction", "--exit-on-error", *_OF_NOBODY]
    _run([*arguments, str(path)], engine.url, tables, progress)


def _found(name: str, programs: Path | None) -> str:
    found = shutil.which(name, path=None if programs is None else str(programs))
    if found is None:
        raise NotReady(f"{name} was not found: install it or set RPMLEDGER_POSTGRESQL_PROGRAMS")
    return found


def _new_enough(program: str, engine: Engine) -> None:
    done = subprocess.run([program, "--version"], check=False, capture_output=True, text=True)  # noqa: S603 - the program that was found
    version = _VERSION.search(done.stdout)
    server = int((engine.dialect.server_version_info or (0,))[0])
    if version is None or int(version[1]) < server:
        raise NotReady(
            f"{Path(program).name} is older than the server: it must be of PostgreSQL {server} or"
            " newer (RPMLEDGER_POSTGRESQL_PROGRAMS)"
        )


def _run(arguments: Sequence[str], url: URL, total: int, progress: Progress) -> None:
    place = url.set(drivername="postgresql", password=None).render_as_string()
    environment = {**os.environ, "LC_ALL": "C"}
    if url.password:
        environment["PGPASSWORD"] = str(url.password)
    with subprocess.Popen(  # noqa: S603 - the program that was found
        [*arguments, "--verbose", f"--dbname={place}"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        done, why = 0, ""
        for line in process.stderr or ():
            denied = _DENIED.search(line)
            why = f": {denied[1]}" if denied is not None else why
            if _PIECE.search(line):
                done += 1
                progress(done, max(total, done))
    if process.returncode:
        name = Path(arguments[0]).name
        raise NotReady(f"{name} failed with exit code {process.returncode}{why}")
