"""A timer in a demo, whose clock stands still between moves."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from conftest import START, FixedClock
from fastapi import FastAPI
from practice import Practice
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from rpm.access import Actor
from rpm.clock import DemoClock, mark_as_demo
from rpm.settings import Settings
from rpm.store.engine import reading, transaction
from rpm.store.queries.entries import entries_page
from rpm.store.scope import Scope
from rpm.web.app import create_app


@pytest.fixture
def app(settings: Settings, engine: Engine) -> FastAPI:
    """The application on a demo's database."""
    mark_as_demo(engine, START)
    return create_app(settings)


def test_a_demo_goes_on_while_a_timer_runs(
    browser: TestClient,
    signed_in: Callable[..., TestClient],
    engine: Engine,
    actor: Actor,
    clock: FixedClock,
) -> None:
    """The timer counts as the machine's clock goes, and its stop takes the demo's clock along."""
    app: FastAPI = browser.app  # type: ignore[assignment]
    app.state.running = replace(app.state.running, wall=clock)
    with transaction(engine) as session:
        episode = Practice(session, actor, actor, START).enroll(opened_day=date(2025, 11, 3))
        patient_id = episode.patient_id
    nurse = signed_in("clinical_staff")
    assert nurse.post("/time/start", data={"patient_id": str(patient_id)}).status_code == 303
    clock.advance(seconds=130)
    shown = nurse.get("/time/bar").text
    assert 'data-seconds="130"' in shown
    form = {
        "timer_id": shown.split('data-timer="')[1].split('"')[0],
        "client_id": "6a1b2c3d-0000-4000-8000-000000000001",
        "contact": "call",
        "live": "yes",
        "activity": "talk",
        "role": "rn",
    }
    assert nurse.post("/time/stop", data=form).status_code == 303
    with reading(engine) as session:
        [entry] = entries_page(session, Scope.of(actor))
    assert (entry.started_at, entry.duration_seconds) == (START, 130)
    assert (DemoClock(engine).now() - START).total_seconds() == 130
