"""The first page and the list of operations: plain, without scripts, complete."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from rpm.clock import mark_as_demo
from rpm.settings import Settings
from rpm.web.app import create_app


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_need_nothing_that_is_not_on_them(client: TestClient, path: str) -> None:
    """Both pages are whole HTML documents without scripts, styles or outside addresses."""
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.text.startswith("<!doctype html>")
    assert not any(word in answer.text for word in ("<script", "style", "http://", "https://"))


def test_the_first_page_leads_to_pages_that_answer(client: TestClient) -> None:
    """Every link of the first page is answered."""
    links = [part.split('"')[0] for part in client.get("/").text.split('href="')[1:]]
    assert links == ["/docs", "/openapi.json", "/readyz"]
    assert {client.get(link).status_code for link in links} == {200}


def test_every_operation_is_listed(client: TestClient) -> None:
    """The list shows each operation of the description once, with its permission."""
    document = client.get("/openapi.json").json()
    text = client.get("/docs").text
    operations = [
        (f"<code>{method.upper()} {path}</code>", operation.get("x-permission", ""))
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in {"get", "post", "put", "patch", "delete"}
    ]
    assert len(operations) > 50
    for shown, permission in operations:
        assert text.count(shown) == 1
        row = text.split(shown)[1].split("</tr>")[0]
        assert f"<td>{permission}</td>" in row


def test_only_a_demo_tells_its_clock(
    client: TestClient, settings: Settings, engine: Engine
) -> None:
    """The page speaks of a demo only where the database has its own clock."""
    assert "demo" not in client.get("/").text
    mark_as_demo(engine, datetime(2025, 11, 1, 13, 0, tzinfo=UTC))
    with TestClient(create_app(settings)) as demo:
        assert "2025-11-01 13:00 UTC" in demo.get("/").text
