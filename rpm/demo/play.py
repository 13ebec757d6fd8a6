"""Playing the story: the clock is moved from step to step, and each step is carried out.

Owns the demo's folder, its database and the way through the story. Does not own the steps
(``story``) nor the service they go to (``post``, ``server``).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import inspect
from sqlalchemy.engine import Engine, make_url

from rpm.access import Actor, system_actor
from rpm.actions.bootstrap_organization import BootstrapOrganization, bootstrap_organization
from rpm.actions.evaluate_alerts import evaluate_alerts
from rpm.actions.watch_silence import watch_silence
from rpm.clock import DemoClock, clock_for, mark_as_demo
from rpm.demo import practice
from rpm.demo.enrollment import TOKEN_DAYS, opening
from rpm.demo.memory import Memory
from rpm.demo.people import PATIENTS, people
from rpm.demo.post import Door
from rpm.demo.practice import GATEWAYS, LAST_DAY, START, evening
from rpm.demo.server import serving, taken_address
from rpm.demo.steps import Step
from rpm.demo.story import story
from rpm.errors import Conflict, InvalidRequest, NotAllowed, NotReady
from rpm.settings import Settings
from rpm.store.engine import make_engine, transaction
from rpm.store.migrations import migrate
from rpm.store.tables.security import DemoClock as DemoClockRow

FOLDER = Path("var/demo")
DATABASE = "rpm-ledger.db"
STORY = "story.jsonl"
EXPORTS = "exports"
PEOPLE = "patients.txt"
_NIGHT = timedelta(hours=4)
"""Nothing happens for so long only at night: then the day's readings are held against limits."""
_FILES = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}.key", STORY, PEOPLE)

Progress = Callable[[datetime, int, int], None]
"""Called with the clock, the steps done and the steps in all."""


@dataclass(frozen=True)
class Demo:
    """An open demo: its folder, settings, database, clock and memory."""

    folder: Path
    settings: Settings
    engine: Engine
    clock: DemoClock
    memory: Memory

    @property
    def exports(self) -> Path:
        """Where the exported files are."""
        return self.folder / EXPORTS


def remove(folder: Path) -> None:
    """Remove the demo's own files from its folder, and nothing else."""
    for name in _FILES:
        (folder / name).unlink(missing_ok=True)
    for exported in (folder / EXPORTS).glob("????-??/*"):
        exported.unlink()


def demo_settings(folder: Path) -> Settings:
    """The settings of the environment, with the database of a demo's folder."""
    return Settings(database_url=f"sqlite:///{folder / DATABASE}")


@contextmanager
def new_demo(folder: Path, patients: int = PATIENTS) -> Iterator[Demo]:
    """A demo that begins on its first day; what the folder held of an earlier one is removed."""
    remove(folder)
    settings = demo_settings(folder)
    engine = make_engine(settings)
    try:
        migrate(engine)
        clock = mark_as_demo(engine, START)
        memory = Memory(folder / STORY)
        memory.remember(**_bootstrapped(engine), patients=patients)
        (folder / PEOPLE).write_text(_who(patients), encoding="utf-8")
        yield Demo(folder, settings, engine, clock, memory)
    finally:
        engine.dispose()


@contextmanager
def kept_demo(settings: Settings) -> Iterator[Demo]:
    """The demo in the settings' database; changes nothing in any other.

    ``NotAllowed`` when it is not a demo database, ``NotReady`` when there is none or it was left
    before its practice was open.
    """
    url = make_url(settings.database_url)
    folder = Path(url.database or "").parent
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise NotReady("there is no demo here: rpm-ledger demo makes one")
    engine = make_engine(settings)
    try:
        if not inspect(engine).has_table(str(DemoClockRow.__tablename__)):
            raise NotAllowed("this is not a demo database")
        clock = clock_for(engine)
        if not isinstance(clock, DemoClock):
            raise NotAllowed("this is not a demo database")
        memory = Memory(folder / STORY)
        if "patients" not in memory:
            raise NotReady("this demo cannot be taken up again: start it anew")
        yield Demo(folder, settings, engine, clock, memory)
    finally:
        engine.dispose()


def advance(demo: Demo, day: date, progress: Progress) -> list[str]:
    """Play the story to the evening of a day; what was answered in another way than expected.

    ``Conflict`` for a day that is over by the demo's clock; otherwise as ``play``.
    """
    if evening(day) < demo.clock.now():
        raise Conflict("the demo's clock is past that day and only moves forward")
    with serving(demo.settings, taken_address(None)) as url:
        return play(demo, url, day, progress)


def play(demo: Demo, url: str, day: date, progress: Progress) -> list[str]:
    """Carry out what is left of the story until the evening of a day, at the service's URL.

    ``InvalidRequest`` beyond the story, ``NotReady`` when the practice cannot be opened.
    """
    if day > LAST_DAY:
        raise InvalidRequest(f"the story ends on {LAST_DAY}")
    with closing(Door(url, demo.memory, demo.exports)) as door:
        first = list(opening())
        _steps(demo, door, first, 0, evening(day), progress)
        if door.unexpected:
            raise NotReady(f"the practice could not be opened: {door.unexpected[0]}")
        secrets = {one.key: demo.memory[f"secret:{one.key}"] for one in GATEWAYS}
        later = story(demo.memory["patients"], secrets)
        _steps(demo, door, later, len(first), evening(day), progress)
        _move(demo, evening(day))
        watch_silence(demo.engine, actor_of(demo), demo.clock.now())
        return door.unexpected


def actor_of(demo: Demo) -> Actor:
    """The demo itself, looking at its practice."""
    return system_actor(UUID(demo.memory["organization"]), "rpm-ledger demo")


def _steps(
    demo: Demo, door: Door, steps: Sequence[Step], before: int, until: datetime, progress: Progress
) -> None:
    """The steps that are not done yet; ``before`` are the steps ahead of them in the story."""
    due = sum(step.at <= until for step in steps)
    for place in range(max(0, demo.memory.done - before), due):
        if steps[place].at - demo.clock.now() >= _NIGHT:
            evaluate_alerts(demo.engine, actor_of(demo), demo.clock.now())
        _move(demo, steps[place].at)
        door.do(steps[place])
        progress(steps[place].at, place + 1, due)


def _move(demo: Demo, to: datetime) -> None:
    if to > demo.clock.now():
        demo.clock.advance(to)


def _who(patients: int) -> str:
    lines = [f"{one.key}  {one.family}, {one.given}: {one.shows}" for one in people(patients)]
    return "\n".join(lines) + "\n"


def _bootstrapped(engine: Engine) -> dict[str, str]:
    command = BootstrapOrganization(
        name=practice.NAME,
        timezone=practice.ZONE,
        npi=practice.NPI,
        tax_id=practice.TAX_ID,
        admin_name=practice.ADMIN.name,
        admin_email=practice.ADMIN.email,
        token_valid_days=TOKEN_DAYS,
    )
    with transaction(engine) as session:
        made = bootstrap_organization(session, START, command)
    return {"organization": str(made.organization.id), "token:admin": made.secret}
