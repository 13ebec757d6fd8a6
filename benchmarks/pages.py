"""Screens of the web app measured: requests of a person who is signed in.

Owns which screens are asked, on a demo and on a large practice, and their goals. Does not own the
figures of the API (``benchmarks.dashboard``). The application runs in this process; no network is
between.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from benchmarks.asking import StandingClock, quiet
from benchmarks.measure import Series, repeated_in_turn, say
from benchmarks.result import Result
from rpm.access import Actor
from rpm.actions.sign_in import start_sign_in
from rpm.demo.named import NAMED
from rpm.demo.play import actor_of, new_demo, play
from rpm.demo.practice import NORA
from rpm.demo.server import serving, taken_address
from rpm.store.engine import reading, transaction
from rpm.store.queries.people import actor_of_user
from rpm.store.scope import Scope
from rpm.store.tables.people import User
from rpm.web.app import create_app

DEMO_MILLISECONDS, LARGE_MILLISECONDS = 100.0, 300.0
DEMO_PATIENTS = 60
_COOKIE = "rpm-ledger"
_FORM = {"Sec-Fetch-Site": "same-origin"}


@dataclass(frozen=True)
class PagesMeasured:
    """Milliseconds of each screen, and on what."""

    where: str
    limit_milliseconds: float
    screens: Mapping[str, Series]


def pages_of(
    client: TestClient, engine: Engine, actor: Actor, now: datetime, patient_id: UUID, repeats: int
) -> dict[str, Series]:
    """The screens as a person sees them who is signed in; ``patient_id`` is whose chart it is."""
    assert actor.user_id is not None
    with transaction(engine) as db:
        user = Scope.of(actor).get(db, User, actor.user_id)
        cookie = start_sign_in(db, now, now, user).secret
    headers = {"Cookie": f"{_COOKIE}={cookie}", "Accept": "text/html", **_FORM}
    chart = f"/patients/{patient_id}"

    def ask(method: str, address: str, form: dict[str, str] | None = None) -> None:
        answer = client.request(method, address, headers=headers, data=form)
        if answer.status_code != 200:
            raise AssertionError(f"{address}: {answer.status_code}")

    question = {"minutes": "5", "minutes_day": now.date().isoformat(), "mode": "live"}
    works: dict[str, Callable[[], object]] = {
        "worklist": partial(ask, "GET", "/worklist"),
        "calls to make": partial(ask, "GET", "/worklist?show=call"),
        "worklist by name": partial(ask, "GET", "/worklist?sort=name"),
        "worklist search": partial(ask, "POST", "/worklist/search", {"family_name": "A"}),
        "patients": partial(ask, "GET", "/patients"),
        "a chart": partial(ask, "GET", chart),
        "why": partial(ask, "GET", f"{chart}/why"),
        "what if": partial(ask, "POST", f"{chart}/what-if", question),
        "enrollment": partial(ask, "GET", f"{chart}/enrollment"),
        "figures": partial(ask, "GET", "/figures"),
        "self-check": partial(ask, "GET", "/figures/checks"),
    }
    return repeated_in_turn(works, repeats)


def judge_pages(result: Result, demo: PagesMeasured, large: Sequence[PagesMeasured]) -> None:
    """Show all figures, and the goals: the slowest screen of the demo and of the large practice."""
    result.table(
        "Screens, median and 95th percentile in milliseconds",
        ("on", *demo.screens),
        [
            (
                one.where,
                *(f"{series.median:.0f} / {series.p95:.0f}" for series in one.screens.values()),
            )
            for one in (demo, *large)
        ],
    )
    for goal_id, measured in (("R5", [demo]), ("R6", large)):
        limit = measured[0].limit_milliseconds
        slowest, screen, where = max(
            (series.p95, name, one.where)
            for one in measured
            for name, series in one.screens.items()
        )
        result.goal(
            goal_id,
            f"95 of 100 requests for a screen at most {limit:g} ms",
            f"at worst {slowest:.0f} ms ({screen}, {where})",
            reached=slowest <= limit,
        )


def demo_pages(patients: int, until: date, repeats: int) -> PagesMeasured:
    """The screens of the demo, played to a day."""
    say(f"playing the demo of {patients} patients to {until}")
    with TemporaryDirectory() as name, _played(Path(name), patients, until) as found:
        client, engine, actor, now, patient_id = found
        screens = pages_of(client, engine, actor, now, patient_id, repeats)
    return PagesMeasured(f"demo of {patients} patients", DEMO_MILLISECONDS, screens)


Played = tuple[TestClient, Engine, Actor, datetime, UUID]


@contextmanager
def _played(folder: Path, patients: int, until: date) -> Iterator[Played]:
    with quiet(), new_demo(folder, patients) as demo:
        with serving(demo.settings, taken_address(None)) as url:
            play(demo, url, until, lambda *_told: None)
        now = demo.clock.now()
        with reading(demo.engine) as db:
            nurse = actor_of_user(db, Scope.of(actor_of(demo)), NORA.email)
        app = create_app(demo.settings, StandingClock(now))
        with TestClient(app, follow_redirects=False) as client:
            patient_id = UUID(demo.memory[f"patient:{NAMED[0].key}"])
            yield client, demo.engine, nurse, now, patient_id
