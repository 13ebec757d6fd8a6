"""S16: no patient data in logs, addresses, errors or counters, whatever is asked and sent."""

import copy
import re
from datetime import date
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from conftest import FixedClock
from evidence_practice import FEBRUARY_CLOSE, close, record_practitioner
from fastapi import FastAPI
from foreign import id_of
from ledger_practice import Practice
from promised import Promised
from role_table import WORDS, Place, is_page, routes
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient
from test_inputs import writes
from test_roles import caller_of

from rpm import logs
from rpm.access import Actor
from rpm.settings import Settings
from rpm.web.app import create_app

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
MARK = "Zyxwvutmark"
"""Begins every name, number and note of the patient, and everything that is sent."""
BORN = date(1913, 7, 29)
PARTS = re.compile(r"{(\w+)}")
LINKS = re.compile(r"""\b(?:href|action|src|hx-[a-z-]+)=["']([^"']*)["']""")
KEPT_ELSEWHERE = {"vendor", "connection", "secret", "hold_id", "order_id"}
"""Parts of addresses for which the practice has nothing."""


@pytest.fixture
def patient_id(engine: Engine, actor: Actor, clock: FixedClock) -> UUID:
    """A patient whose every text is marked, with a closed January."""
    clock.instant = FEBRUARY_CLOSE
    practice = Practice(engine, actor, clock.now())
    record_practitioner(practice)
    patient_id = practice.patient(
        family_name=f"{MARK}family",
        given_name=f"{MARK}given",
        record_number=f"{MARK}number",
        birth_date=BORN,
    )
    episode_id = practice.episode(patient_id)
    note = f"{MARK}note"
    practice.entry(patient_id, episode_id, date(2026, 1, 12), 1_260, activity=note, note=note)
    practice.reading(patient_id, episode_id, date(2026, 1, 12))
    close(practice, "2026-01", clock.now())
    return patient_id


def marked(body: Any) -> Any:
    """The body with the mark in each text."""
    if isinstance(body, dict):
        return {name: marked(value) for name, value in body.items()}
    if isinstance(body, list):
        return [marked(value) for value in body]
    return f"{MARK} {body}" if isinstance(body, str) else body


def tells(text: str) -> bool:
    """Whether a text holds something of the patient or of what was sent."""
    return MARK.lower() in text.lower() or BORN.isoformat() in text


def filled(engine: Engine, organization_id: UUID, path: str) -> str | None:
    """The address with real ids of the practice; None where it has none."""
    ids = dict(WORDS)
    for name in PARTS.findall(path):
        if name in KEPT_ELSEWHERE:
            return None
        if name.endswith("_id") or name == "key":
            try:
                ids[name] = id_of(engine, organization_id, name)
            except AssertionError:
                return None
    return PARTS.sub(lambda found: ids[found[1]], path)


def requests_of(
    app: FastAPI, engine: Engine, actor: Actor
) -> list[tuple[Place, bool, dict[str, Any] | None]]:
    """Every route with real ids; writes with a marked body, and with one marked field too many."""
    bodies = {(one.method, one.path): one.body for one in writes(app)}
    found: list[tuple[Place, bool, dict[str, Any] | None]] = []
    for (method, path), route in routes(app).items():
        address = filled(engine, actor.organization_id, path)
        if address is None:
            continue
        page = is_page(route)
        if method in {"GET", "HEAD"}:
            found.append(((method, address), page, None))
            continue
        form = {param.alias: MARK for param in route.dependant.body_params}
        body = copy.deepcopy(form if page else bodies.get((method, path), {}))
        found.append(((method, address), page, marked(body)))
        found.append(((method, address), page, body | {f"{MARK}field": f"{MARK}value"}))
    return found


@SQLITE
@pytest.mark.promise("S16")
def test_nothing_of_a_patient_leaves_by_another_door(
    engine: Engine,
    settings: Settings,
    actor: Actor,
    clock: FixedClock,
    patient_id: UUID,
    capfd: pytest.CaptureFixture[str],
    promised: Promised,
) -> None:
    """Every route, read and written with marked texts: logs, addresses, errors, counters."""
    logs.configure("debug")
    app, asked, links, errors, shown = create_app(settings, clock), 0, 0, 0, 0
    with TestClient(app, follow_redirects=False, raise_server_exceptions=True) as client:
        admin = caller_of(engine, actor, clock)
        for place, page, body in requests_of(app, engine, actor):
            if place[1].startswith(("/sign-out", "/demo")):
                continue
            answer = client.request(*place, headers=admin.headers(page=page), **sent(page, body))
            asked += 1
            addresses = [unescape(one) for one in LINKS.findall(answer.text)] if page else []
            addresses.append(answer.headers.get("location", ""))
            assert not any(map(tells, addresses)), place
            links += len(addresses)
            if answer.status_code >= 400 and is_error(answer.text, page=page):
                assert not tells(answer.text), (place, answer.text)
                errors += 1
            shown += tells(answer.text)
        assert not tells(client.get("/metrics").text)
    out = capfd.readouterr()
    lines = out.out.count("\n") + out.err.count("\n")
    assert not tells(out.out + out.err)
    assert shown > 20, "who may sees the patient"
    assert lines >= asked
    promised.reached(
        f"{asked} requests: {lines:,} log lines, {links:,} addresses, {errors} errors: 0 hits"
    )


def sent(page: bool, body: dict[str, Any] | None) -> dict[str, Any]:
    """The body as the route takes it."""
    return {} if body is None else {"data" if page else "json": body}


def is_error(text: str, *, page: bool) -> bool:
    """Whether this is an error and not a form that is shown again with what was typed."""
    return not page or "In the service's log this is" in text


def test_the_search_finds_what_it_is_for() -> None:
    """A name in a link, in any case, and the day of birth are found."""
    assert tells(f"/patients?name={MARK.upper()}family")
    assert tells("born 1913-07-29")
    assert LINKS.findall("<a href=\"/a?b\">x</a><form action='/c'>") == ["/a?b", "/c"]
