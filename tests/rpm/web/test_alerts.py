"""Alerts and limits over HTTP: what every answer says, lists, answers and refusals."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from devices.alerts import NOTICE
from rpm.access import Actor, system_actor
from rpm.actions.evaluate_alerts import evaluate_alerts
from rpm.web.routes.limits import NONE_HOLD, SOME_HOLD
from tests.conftest import FixedClock
from tests.ledger_practice import Practice
from tests.rpm.web.conftest import MakeHeaders

HIGH = {
    "kind": "bp",
    "quantity": "systolic",
    "comparison": "above",
    "band": "red",
    "value": "180",
    "reason": "ordered",
}
Headers = dict[str, str]


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: FixedClock) -> Practice:
    """The practice behind the application."""
    return Practice(engine, actor, clock.now())


def crisis(practice: Practice, clock: FixedClock) -> None:
    """A patient measures 191, and the job looks."""
    patient_id, episode_id = practice.enrolled()
    at = clock.now() - timedelta(minutes=5)
    row = practice.reading(
        patient_id,
        episode_id,
        at.date(),
        measure="bp",
        components=[{"loinc": "8480-6", "value": "191", "ucum": "mm[Hg]"}],
        measured_at=at,
        received_at=clock.now(),
    )
    practice.record(row)
    service = system_actor(practice.actor.organization_id, "test")
    evaluate_alerts(practice.engine, service, clock.now())


def got(client: TestClient, path: str, headers: Headers, **params: Any) -> dict[str, Any]:
    """The answer of a GET, which says what alerts are not."""
    answer = client.get(path, headers=headers, params=params)
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    assert content["notice"] == NOTICE
    return content


def posted(client: TestClient, path: str, headers: Headers, body: Any) -> dict[str, Any]:
    """The answer of a POST that succeeds, which says what alerts are not."""
    answer = client.post(path, headers=headers, json=body)
    assert answer.status_code in {200, 201}, answer.text
    content: dict[str, Any] = answer.json()
    assert content["notice"] == NOTICE
    return content


def test_until_a_practice_sets_limits_the_list_says_so(
    client: TestClient, admin: Headers, stranger: Headers
) -> None:
    """None hold at first; adopted ones tell who, why and where they come from, here only."""
    assert got(client, "/v1/limits", admin)["state"] == NONE_HOLD
    assert got(client, "/v1/limits/points", admin)["status"] == "not a recommendation"
    wanted = {"points": ["clinic-systolic-high"], "reason": "decided"}
    adopted = posted(client, "/v1/limits/adopt", admin, wanted)
    assert adopted["state"] == SOME_HOLD
    (item,) = adopted["items"]
    assert (item["rule"], item["set_by"], item["reason"]) == (
        "bp.systolic.high.red",
        "Ada Admin",
        "decided",
    )
    assert got(client, "/v1/limits", stranger)["items"] == []
    ended = posted(client, "/v1/limits/end", admin, {"rule": item["rule"], "reason": "wrong"})
    assert (ended["state"], ended["items"]) == (NONE_HOLD, [])


def test_an_alert_is_answered(
    client: TestClient, admin: Headers, practice: Practice, clock: FixedClock
) -> None:
    """Listed with value, limit and both times; acknowledged, acted on and closed."""
    posted(client, "/v1/limits", admin, HIGH)
    crisis(practice, clock)
    (item,) = got(client, "/v1/alerts", admin, state="open")["items"]
    assert item["notice"] == NOTICE
    assert (item["value"], item["comparison"], item["limit_value"]) == ("191", ">", "180")
    assert (item["measured_at"], item["received_at"]) == (
        "2026-01-15T14:55:00Z",
        "2026-01-15T15:00:00Z",
    )
    path = f"/v1/alerts/{item['id']}"
    assert posted(client, f"{path}/acknowledge", admin, {})["state"] == "acknowledged"
    again = client.post(f"{path}/acknowledge", headers=admin, json={})
    assert again.status_code == 409
    assert posted(client, f"{path}/act", admin, {"note": "called"})["state"] == "acted"
    assert posted(client, f"{path}/close", admin, {"note": "well"})["state"] == "closed"
    assert [step["by"] for step in got(client, path, admin)["steps"]] == ["Ada Admin"] * 3
    assert got(client, "/v1/alerts", admin, state="open")["items"] == []


def test_another_practice_sees_no_alert(
    client: TestClient,
    admin: Headers,
    stranger: Headers,
    practice: Practice,
    clock: FixedClock,
) -> None:
    """Its id is answered like one that does not exist."""
    posted(client, "/v1/limits", admin, HIGH)
    crisis(practice, clock)
    (item,) = got(client, "/v1/alerts", admin)["items"]
    assert got(client, "/v1/alerts", stranger)["items"] == []
    assert client.get(f"/v1/alerts/{item['id']}", headers=stranger).status_code == 404


def test_pages_of_alerts(
    client: TestClient, admin: Headers, practice: Practice, clock: FixedClock
) -> None:
    """Page by page in the order they were opened."""
    posted(client, "/v1/limits", admin, HIGH)
    for _ in range(3):
        crisis(practice, clock)
    first = got(client, "/v1/alerts", admin, limit=2)
    second = got(client, "/v1/alerts", admin, limit=2, cursor=first["next_cursor"])
    ids = [item["id"] for item in first["items"] + second["items"]]
    assert ids == sorted(set(ids))
    assert (len(ids), second["next_cursor"]) == (3, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"value": "1e3"},
        {"value": "900"},
        {"unit": "kg"},
        {"quantity": "glucose"},
        {"route": ["biller"]},
        {"route": ["user:nobody"]},
        {"in_a_row": 0},
        {"quiet_from": "25:00"},
    ],
)
def test_a_limit_that_means_nothing_is_refused(
    client: TestClient, admin: Headers, changes: dict[str, Any]
) -> None:
    """422, and no limit holds."""
    assert client.post("/v1/limits", headers=admin, json=HIGH | changes).status_code == 422
    assert got(client, "/v1/limits", admin)["state"] == NONE_HOLD


def test_who_may_do_what(client: TestClient, actor: Actor, headers_of: MakeHeaders) -> None:
    """Reading alerts, answering them and setting limits are three permissions."""
    reads, answers = headers_of(actor, "readings:read"), headers_of(actor, "alerts:write")
    assert client.post("/v1/limits", headers=answers, json=HIGH).status_code == 403
    assert client.get("/v1/alerts", headers=answers).status_code == 403
    nobodys = "/v1/alerts/019a4a41-d620-732b-b5bf-cbf07fae0169/acknowledge"
    assert client.post(nobodys, headers=reads, json={}).status_code == 403
    assert client.post(nobodys, headers=answers, json={}).status_code == 404
