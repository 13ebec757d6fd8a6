"""The list of operations: a plain page for whoever opens the address.

Owns the page; it holds no script, no style and nothing of any organization. Does not own the API's
description, from which the list is made.
"""

from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

_METHODS = ("get", "post", "put", "patch", "delete")


@router.get("/docs", response_class=HTMLResponse)
def operations(request: Request) -> HTMLResponse:
    """Every operation of the API, from its description."""
    document = request.app.openapi()
    parts = [
        "<h1>Operations</h1>",
        '<p>Fields, examples and answers: <a href="/openapi.json">openapi.json</a>. The token of a'
        " call under <code>/v1</code> needs the permission named here.</p>",
    ]
    for area, rows in sorted(_by_area(document).items()):
        parts += [f"<table><caption>{escape(area)}</caption>", _HEADS, "<tbody>", *rows]
        parts.append("</tbody></table>")
    return _page("Operations of rpm-ledger", parts)


_HEADS = (
    '<thead><tr><th scope="col">Operation</th><th scope="col">What it does</th>'
    '<th scope="col">Permission</th></tr></thead>'
)


def _by_area(document: dict[str, Any]) -> dict[str, list[str]]:
    areas: dict[str, list[str]] = {}
    for path, method, operation in _operations(document):
        cells = (
            f"<code>{method.upper()} {escape(path)}</code>",
            escape(operation["summary"]),
            escape(operation.get("x-permission", "")),
        )
        row = "".join(f"<td>{cell}</td>" for cell in cells)
        areas.setdefault(operation["tags"][0], []).append(f"<tr>{row}</tr>")
    return areas


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield path, method, item[method]


def _page(title: str, parts: list[str]) -> HTMLResponse:
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title>"
    )
    lines = ["<!doctype html>", '<html lang="en">', f"<head>{head}</head>", "<body>", *parts]
    return HTMLResponse("\n".join([*lines, "</body>", "</html>", ""]))
