"""The first page and the list of operations: plain pages for whoever opens the address.

Owns both pages; they hold no script, no style and nothing of any organization. Does not own the
API's description, from which the list is made.
"""

from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

import rpm
from rpm.clock import DemoClock
from rpm.web.deps import Now
from rpm.web.running import running_of

router = APIRouter(include_in_schema=False)

_METHODS = ("get", "post", "put", "patch", "delete")


@router.get("/", response_class=HTMLResponse)
def landing(request: Request, now: Now) -> HTMLResponse:
    """What runs here; in a demo also its clock."""
    parts = [
        "<h1>rpm-ledger</h1>",
        "<p>Remote patient monitoring: readings and minutes in, billable events and a month-end"
        " file out, each line with the evidence behind it.</p>",
        "<ul>",
        '<li><a href="/docs">Operations of the API</a>'
        ' (<a href="/openapi.json">OpenAPI 3.1</a>)</li>',
        '<li><a href="/readyz">Can the service work</a></li>',
        "</ul>",
        f"<p>Version {escape(rpm.__version__)}.</p>",
    ]
    if isinstance(running_of(request).clock, DemoClock):
        parts.append(
            "<p>This is a demo: every person in it is invented. Its clock stands at"
            f" {now:%Y-%m-%d %H:%M} UTC; <code>rpm-ledger demo advance DATE</code> moves it.</p>"
        )
    return _page("rpm-ledger", parts)


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
