"""Receivers of events over HTTP: secrets shown once, lists, resending, refusals."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from rpm.access import Actor
from tests.rpm.web.conftest import MakeHeaders

Headers = dict[str, str]
WANTED = {"name": "Care desk", "url": "https://events.example.org/rpm", "types": ["month.closed"]}
NOBODY = "019a4a41-d620-732b-b5bf-cbf07fae0169"


def posted(client: TestClient, path: str, headers: Headers, body: Any) -> dict[str, Any]:
    """The answer of a POST that succeeds."""
    answer = client.post(path, headers=headers, json=body)
    assert answer.status_code in {200, 201, 202}, answer.text
    content: dict[str, Any] = answer.json()
    return content


def test_a_secret_is_shown_once(client: TestClient, admin: Headers) -> None:
    """When the receiver is added, and a new one when it is rotated; no list has it."""
    made = posted(client, "/v1/endpoints", admin, WANTED)
    path = f"/v1/endpoints/{made['endpoint']['id']}"
    rotated = posted(client, f"{path}/rotate-secret", admin, {"overlap_hours": 1})
    assert made["secret"].startswith("whsec_")
    assert rotated["secret"] != made["secret"]
    listed = client.get("/v1/endpoints", headers=admin).json()["items"]
    assert listed == [rotated["endpoint"]]
    assert "secret" not in listed[0]
    retired = posted(client, f"{path}/retire", admin, {"reason": "moved"})
    assert retired["retired_at"] is not None
    assert client.post(f"{path}/test", headers=admin, json={}).status_code == 409


def test_events_are_listed_and_sent_again(
    client: TestClient, admin: Headers, stranger: Headers
) -> None:
    """Page by page, each with how far it is; another practice sees none of it."""
    made = posted(client, "/v1/endpoints", admin, WANTED)
    endpoint_id = made["endpoint"]["id"]
    path = f"/v1/endpoints/{endpoint_id}/test"
    ids = [posted(client, path, admin, {})["event_id"] for _ in range(3)]
    first = client.get("/v1/endpoints/events", headers=admin, params={"limit": 2}).json()
    more = {"limit": 2, "cursor": first["next_cursor"]}
    second = client.get("/v1/endpoints/events", headers=admin, params=more).json()
    items = first["items"] + second["items"]
    assert [item["event_id"] for item in items] == sorted(ids)
    assert {(item["state"], item["type"], item["attempts"]) for item in items} == {
        ("waiting", "endpoint.test", 0)
    }
    again = {"event_id": ids[0], "endpoint_id": endpoint_id}
    assert posted(client, "/v1/endpoints/resend", admin, again) == again
    assert (
        client.get("/v1/endpoints/events", headers=admin, params={"state": "dead"}).json()["items"]
        == []
    )
    assert client.get("/v1/endpoints/events", headers=stranger).json()["items"] == []
    assert client.post("/v1/endpoints/resend", headers=stranger, json=again).status_code == 404
    assert client.post(path, headers=stranger, json={}).status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "http://events.example.org/"},
        {"url": "https://169.254.169.254/"},
        {"url": "https://[::1]/"},
        {"types": ["patient.born"]},
        {"name": ""},
    ],
)
def test_a_receiver_that_is_refused(
    client: TestClient, admin: Headers, changes: dict[str, Any]
) -> None:
    """422 that repeats nothing of what was sent, and no receiver."""
    answer = client.post("/v1/endpoints", headers=admin, json=WANTED | changes)
    assert answer.status_code == 422
    assert "169.254" not in answer.text
    assert client.get("/v1/endpoints", headers=admin).json()["items"] == []


def test_the_permission_is_needed(
    client: TestClient, actor: Actor, headers_of: MakeHeaders
) -> None:
    """Who manages connections does not thereby send events anywhere."""
    other = headers_of(actor, "connections:manage", "readings:read")
    assert client.post("/v1/endpoints", headers=other, json=WANTED).status_code == 403
    again = {"event_id": NOBODY, "endpoint_id": NOBODY}
    assert client.post("/v1/endpoints/resend", headers=other, json=again).status_code == 403
