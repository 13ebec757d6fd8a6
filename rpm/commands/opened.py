"""What commands open: the settings, the database, and an organization in it.

Owns opening and closing for one command. Does not own what is done in between.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from billing.finding import Finding
from rpm.errors import InvalidRequest, NotFound, NotReady

if TYPE_CHECKING:
    from datetime import date, datetime
    from pathlib import Path

    from pydantic import ValidationError
    from sqlalchemy.engine import Engine

    from rpm.access import Actor
    from rpm.actions.command import Command
    from rpm.settings import Settings

C = TypeVar("C", bound="Command")


def read_settings() -> "Settings":
    """Settings from the environment; ``InvalidRequest`` names the variables that are wrong."""
    from pydantic import ValidationError

    from rpm.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        names = ", ".join(f"RPMLEDGER_{str(wrong['loc'][0]).upper()}" for wrong in error.errors())
        raise InvalidRequest(f"wrong value: {names} (docs/settings.md)") from error


@contextmanager
def opened_engine(settings: "Settings", *, migrated: bool = True) -> "Iterator[Engine]":
    """The database; an embedded file is upgraded first, any other must be at this version.

    ``NotReady`` when it is not. With ``migrated=False`` neither is done. A file that holds data is
    backed up before it is migrated and verified after it, as ``upgrade`` does.
    """
    from rpm.actions.upgrade_database import upgrade_database
    from rpm.clock import SystemClock
    from rpm.store.engine import make_engine
    from rpm.store.migrations import at_head

    engine = make_engine(settings)
    try:
        if migrated and engine.dialect.name == "sqlite":
            upgrade_database(
                engine, settings, SystemClock().now(), backups_folder(settings), _silently
            )
        elif migrated and not at_head(engine):
            raise NotReady("the database is not at this program's version: run rpm-ledger migrate")
        yield engine
    finally:
        engine.dispose()


def backups_folder(settings: "Settings") -> "Path":
    """Where backups go unless told: beside an SQLite file, else in the working directory."""
    from pathlib import Path

    from sqlalchemy.engine import make_url

    url = make_url(settings.database_url)
    beside = Path(url.database or "").parent if url.get_backend_name() == "sqlite" else Path("var")
    return beside / "backups"


def _silently(_part: str, _done: int, _total: int) -> None:
    pass


def refused(error: "ValidationError") -> InvalidRequest:
    """What pydantic refused in a command's options, as the error that the frame shows."""
    findings = [
        Finding("E_OPTION", ".".join(str(part) for part in wrong["loc"]), wrong["msg"])
        for wrong in error.errors(include_input=False, include_url=False)
    ]
    return InvalidRequest("wrong option", findings)


def checked(model: "type[C]", **fields: object) -> "C":
    """A command made of options; ``InvalidRequest`` names the options that are wrong."""
    from pydantic import ValidationError

    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise refused(error) from error


def organization_actors(engine: "Engine", named: str | None, command: str) -> "list[Actor]":
    """The service itself, at work from the command line, for each organization that fits.

    ``named`` is an id, an NPI or a name; None fits all. ``NotFound`` when none fits.
    """
    from sqlmodel import col, select

    from rpm.access import system_actor
    from rpm.store.engine import reading
    from rpm.store.tables.people import Organization

    with reading(engine) as session:
        known = session.exec(select(Organization).order_by(col(Organization.id))).all()
    fitting = [
        row
        for row in known
        if named is None or named in {row.name, row.npi, str(row.id), row.id.hex}
    ]
    if not fitting:
        raise NotFound("there is no such organization: rpm-ledger bootstrap creates one")
    return [system_actor(row.id, f"rpm-ledger {command}") for row in fitting]


def organization_actor(engine: "Engine", named: str | None, command: str) -> "Actor":
    """As ``organization_actors`` where only one will do; ``InvalidRequest`` when several fit."""
    actors = organization_actors(engine, named, command)
    if len(actors) > 1:
        raise InvalidRequest("there are several organizations: name one with --organization")
    return actors[0]


@contextmanager
def opened_organization(
    named: str | None, command: str
) -> "Iterator[tuple[Engine, Actor, Settings, datetime]]":
    """The database within one organization, the service at work for it, the settings, the time."""
    from rpm.clock import clock_for
    from rpm.store.engine import within

    settings = read_settings()
    with opened_engine(settings) as engine:
        actor = organization_actor(engine, named, command)
        yield within(engine, actor.organization_id), actor, settings, clock_for(engine).now()


def file_bytes(path: "Path") -> bytes:
    """A file that an option names; ``InvalidRequest`` when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidRequest(f"the file cannot be read: {error.strerror}") from error


def day_or_none(text: str | None) -> "date | None":
    """As ``day_of``; None where the option was not given."""
    return None if text is None else day_of(text)


def day_of(text: str) -> "date":
    """A day that an option names, 2026-02-03; ``InvalidRequest`` for what is none."""
    from datetime import date

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidRequest("a day is written like 2026-02-03") from None


def month_or_none(text: str | None) -> str | None:
    """A month that an option names, 2026-01; ``InvalidRequest`` for what is none."""
    from datetime import date

    try:
        return None if text is None else f"{date.fromisoformat(f'{text}-01'):%Y-%m}"
    except ValueError:
        raise InvalidRequest("a month is written like 2026-01") from None
