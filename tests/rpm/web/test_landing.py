"""The list of operations: plain, without scripts, complete."""

from starlette.testclient import TestClient


def test_the_list_needs_nothing_that_is_not_on_it(client: TestClient) -> None:
    """The page is a whole HTML document without scripts, styles or outside addresses."""
    answer = client.get("/docs")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.text.startswith("<!doctype html>")
    assert not any(word in answer.text for word in ("<script", "style", "http://", "https://"))


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
