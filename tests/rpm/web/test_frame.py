"""The frame: headers on every answer, a log without data, counters without ids."""

import io
import json
import logging
import re
from collections.abc import Iterator

import pytest
import structlog
from fastapi import FastAPI
from starlette.testclient import TestClient

from rpm import logs
from rpm.clock import Clock
from rpm.settings import Settings
from rpm.web.app import create_app
from rpm.web.frame import SECURITY_HEADERS
from tests.rpm.web.probe import add_probe

PLANTED = "Zebulon-Planted"


@pytest.fixture
def app(settings: Settings, clock: Clock) -> FastAPI:
    """The application with the probe's routes."""
    return add_probe(create_app(settings, clock))


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, at the most talkative level."""
    before = logging.getLogger().handlers[:]
    stream = io.StringIO()
    logs.configure("debug", stream)
    yield stream
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = before
    logging.getLogger().setLevel(logging.WARNING)


def lines(log: io.StringIO) -> list[dict[str, object]]:
    """The log's lines."""
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_every_answer_has_safe_headers(client: TestClient, admin: dict[str, str]) -> None:
    """Good answers, refusals and failures all carry the security headers and a request id."""
    for url in ("/healthz", "/v1/nothing", "/v1/x%00", "/v1/probe/failures/unexpected"):
        answer = client.get(url, headers=admin)
        assert (
            SECURITY_HEADERS.items()
            <= {
                name.title().replace("Nosniff", "nosniff"): value
                for name, value in answer.headers.items()
            }.items()
        )
        assert re.fullmatch(r"[0-9a-f]{24}", answer.headers["X-Request-Id"])


def test_a_patient_name_is_never_logged(
    client: TestClient, admin: dict[str, str], log: io.StringIO
) -> None:
    """A planted name in address, query, header, body and exception text is not in the log."""
    client.get(f"/v1/probe/days/{PLANTED}", headers=admin)
    client.get(f"/v1/{PLANTED}?name={PLANTED}", headers={**admin, "User-Agent": PLANTED})
    client.post("/v1/probe/payers", json={"key": PLANTED, PLANTED: PLANTED}, headers=admin)
    client.post("/v1/probe/payers", content=PLANTED.encode(), headers=admin)
    client.request("GET", "/healthz", headers={"X-Request-Id": PLANTED})
    client.get("/v1/probe/failures/unexpected", headers=admin)
    logging.getLogger("some.library").error("cannot read %s", PLANTED)
    logging.getLogger("uvicorn.error").error("failed", exc_info=ValueError(PLANTED))
    structlog.get_logger().info("event", patient_name=PLANTED)
    assert len(lines(log)) >= 9
    assert "Planted" not in log.getvalue()
    assert admin["Authorization"].removeprefix("Bearer ") not in log.getvalue()


def test_a_request_is_one_line(client: TestClient, admin: dict[str, str], log: io.StringIO) -> None:
    """The line names the template, status, time and who asked by ids."""
    answer = client.get("/v1/probe/days/2026-01-01?x=1", headers=admin)
    (line,) = [line for line in lines(log) if line["event"] == "request"]
    assert set(line) <= logs.FIELDS
    assert line["route"] == "/v1/probe/days/{day}"
    assert (line["method"], line["status"]) == ("GET", 200)
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert line["organization_id"]


def test_a_failure_tells_where(client: TestClient, admin: dict[str, str], log: io.StringIO) -> None:
    """An unexpected exception is logged with its type and its places in the code."""
    client.get("/v1/probe/failures/unexpected", headers=admin)
    (line,) = [line for line in lines(log) if line["event"] == "request_failed"]
    assert line["error"] == "builtins.ValueError"
    assert "probe.py" in str(line["places"])


def test_counters_have_no_ids_in_labels(client: TestClient, admin: dict[str, str]) -> None:
    """Labels are templates, methods and statuses; an unknown address has one label for all."""
    client.get("/v1/probe/days/2026-01-01", headers=admin)
    for number in range(3):
        client.get(f"/v1/unknown/{number}", headers=admin)
    client.request("BREW", "/healthz")
    text = client.get("/metrics").text
    labels = re.findall(r'(\w+)="([^"]*)"', text)
    assert {name for name, _ in labels} == {"method", "route", "status", "le"}
    assert {value for name, value in labels if name == "route"} == {
        "/v1/probe/days/{day}",
        "/healthz",
        "(none)",
    }
    assert {value for name, value in labels if name == "method"} == {"GET", "OTHER"}
    unknown = 'rpm_ledger_request_seconds_count{method="GET",route="(none)",status="404"} 3.0'
    assert unknown in text


def test_facts_are_counted_when_committed(client: TestClient, admin: dict[str, str]) -> None:
    """Counters of facts begin at zero and know deliveries, readings, entries and closes."""
    text = client.get("/metrics").text
    for name in ("deliveries", "readings", "entries", "closes"):
        assert f"rpm_ledger_{name}_total 0.0" in text
