"""The API's description: valid OpenAPI 3.1, complete, and the same as in the repository."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31
from starlette.testclient import TestClient

from rpm.access import PERMISSIONS
from rpm.settings import Settings
from rpm.web.app import create_app
from rpm.web.openapi import api_routes, records, text_of
from rpm.web.problems import KINDS

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The description, made without any database."""
    return create_app(Settings()).openapi()


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Path, method and operation of the API proper."""
    return [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if path.startswith("/v1/")
    ]


def test_valid(document: dict[str, Any]) -> None:
    """The document fulfils the published schema of OpenAPI 3.1."""
    assert document["openapi"] == "3.1.0"
    validator = jsonschema_rs.validator_for(OPENAPI_31)
    assert [error.message for error in validator.iter_errors(document)] == []


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    """No $ref points to a part that is not there."""
    text = json.dumps(document)
    for kind, known in document["components"].items():
        names = {part.split('"')[0] for part in text.split(f"#/components/{kind}/")[1:]}
        assert names <= set(known)


def test_the_repository_holds_the_same(document: dict[str, Any]) -> None:
    """docs/openapi.json is what `rpm-ledger openapi` prints."""
    kept = (DOCS / "openapi.json").read_text(encoding="utf-8")
    assert kept == text_of(document), "run: rpm-ledger openapi > docs/openapi.json"


def test_every_operation_is_complete(document: dict[str, Any]) -> None:
    """Each operation names its permission, token and problem answers; who keeps keys says so."""
    keeping = {
        (path, method.lower())
        for path, route in api_routes(create_app(Settings()))
        for method in route.methods or ()
        if records(route.dependant)
    }
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        assert operation["x-permission"] in PERMISSIONS, where
        assert operation["security"] == [{"bearer": []}], where
        for status in ("400", "401", "403", "422", "503"):
            answer = operation["responses"][status]
            assert answer == {"$ref": f"#/components/responses/Problem{status}"}, where
        keys = [p for p in operation.get("parameters", []) if p["name"] == "Idempotency-Key"]
        assert len(keys) == (method == "post" and (path, method) in keeping), where


def test_served_as_kept(client: TestClient, document: dict[str, Any]) -> None:
    """/openapi.json of a running service is the same document."""
    assert client.get("/openapi.json").json() == document


def test_every_problem_code_is_documented() -> None:
    """docs/api.md lists each problem code with its status."""
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    for code, kind in KINDS.items():
        assert f"| `{code}` | {kind.status} |" in text
