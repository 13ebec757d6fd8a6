"""Bulk export over HTTP: kick-off, manifest, files, end."""

import json
from urllib.parse import urlsplit

import pytest
from conftest import make_organization
from fhir_checked import problems
from ledger_practice import Practice
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from rpm.access import Actor
from rpm.clock import Clock


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, sqlite_template, tmp_path) -> str:  # type: ignore[no-untyped-def]
    """SQLite alone: the statements are those of the actions' tests."""
    path = tmp_path / "test.db"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{path}"


def test_an_export_is_asked_for_fetched_and_ended(
    client: TestClient, engine: Engine, actor: Actor, clock: Clock, headers_of
) -> None:  # type: ignore[no-untyped-def]
    """202 with an address, the manifest there, each file as lines; ended, nothing is there."""
    practice = Practice(engine, actor, clock.now())
    for _ in range(3):
        practice.patient(sex="F")
    stranger = make_organization(engine, clock.now(), "Other")
    headers, foreign = headers_of(actor), headers_of(stranger)
    asked = client.get("/v1/fhir/$export?_type=Patient,Coverage,Claim", headers=headers)
    assert (asked.status_code, asked.content) == (202, b"")
    at = urlsplit(asked.headers["content-location"]).path
    manifest = client.get(at, headers=headers).json()
    assert manifest["request"].endswith("/v1/fhir/$export?_type=Patient,Coverage,Claim")
    assert [one["type"] for one in manifest["output"]] == ["Patient", "Coverage"]
    for one in manifest["output"]:
        path = urlsplit(one["url"]).path
        got = client.get(path, headers=headers)
        assert got.headers["content-type"] == "application/fhir+ndjson"
        assert got.content == client.get(path, headers=headers).content
        lines = got.text.splitlines()
        assert len(lines) == 3
        assert [problems(line) for line in lines] == [[], [], []]
        assert {json.loads(line)["resourceType"] for line in lines} == {one["type"]}
        assert client.get(path, headers=foreign).status_code == 404
    assert client.get(at, headers=foreign).status_code == 404
    assert client.get(f"{at}/Device", headers=headers).status_code == 404
    assert client.get(f"{at}/Nothing", headers=headers).status_code == 422
    assert client.get(at, headers=headers_of(actor, "patients:read")).status_code == 403
    assert client.delete(at, headers=headers).status_code == 202
    assert client.get(at, headers=headers).status_code == 404


def test_wrong_parameters_are_refused(client: TestClient, actor: Actor, headers_of) -> None:  # type: ignore[no-untyped-def]
    """An unknown type and an instant that is none are 422, by POST as by GET."""
    headers = headers_of(actor)
    for query in ("_type=Nothing", "_since=yesterday", "_since=2999-01-01T00:00:00Z"):
        assert client.get(f"/v1/fhir/$export?{query}", headers=headers).status_code == 422
    assert client.post("/v1/fhir/$export", headers=headers).status_code == 202
