"""Who may call what: the table that is kept beside the tests, and how a route is called.

``allowed.csv`` has a line for each method and address with yes or no for each role; addresses that
need nobody in particular say open, pages that concern everybody themselves say own. A new route
needs a line: somebody decides who may. Printed from the code, to be looked at before it is kept:
``PYTHONPATH=tests:tests/promises python -m role_table``.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from fastapi import FastAPI
from fastapi.routing import APIRoute

from rpm.access import ROLE_PERMISSIONS
from rpm.settings import Settings
from rpm.web.app import create_app
from rpm.web.caller import permission_of
from rpm.web.openapi import api_routes
from rpm.web.pages.same_site import PageRoute
from rpm.web.pages.visitor import visitor

TABLE = Path(__file__).with_name("allowed.csv")
ROLES = tuple(ROLE_PERMISSIONS)
OPEN, OWN = "open", "own"
WORDS = {
    "month": "2026-01",
    "step": "consent",
    "name": "lines",
    "key": "0" * 32,
    "kind": "Patient",
    "vendor": "generic",
    "code": "W_MUE_CAP",
}
"""Parts of addresses that are no ids."""

Place = tuple[str, str]


def routes(app: FastAPI) -> dict[Place, APIRoute]:
    """Every route by method and address."""
    return {
        (method, path): route
        for path, route in api_routes(app)
        for method in sorted(route.methods or ())
    }


def kept() -> dict[Place, dict[str, str]]:
    """The table in the repository."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {(row["method"], row["path"]): row for row in csv.DictReader(file)}


def called(path: str) -> str:
    """An address with an id that is nobody's in each place."""
    parts = []
    for part in path.split("/"):
        if part.startswith("{"):
            name, _, rest = part[1:].partition("}")
            part = WORDS.get(name, str(uuid4())) + rest
        parts.append(part)
    return "/".join(parts)


def is_page(route: APIRoute) -> bool:
    """Whether a route answers people."""
    return isinstance(route, PageRoute)


def by_code(app: FastAPI) -> Iterator[dict[str, str]]:
    """The table as the code has it."""
    for (method, path), route in sorted(routes(app).items(), key=lambda one: one[0][::-1]):
        permission = permission_of(route)
        if permission is None:
            is_own = visitor in {inner.call for inner in _inner(route)}
            word = OWN if is_own else OPEN
            cells = dict.fromkeys(ROLES, word)
        else:
            cells = {
                role: "yes" if permission in held else "no"
                for role, held in ROLE_PERMISSIONS.items()
            }
        yield {"method": method, "path": path, **cells}


def _inner(route: APIRoute) -> Iterator[object]:
    waiting = [route.dependant]
    while waiting:
        for inner in waiting.pop().dependencies:
            yield inner
            waiting.append(inner)


def text_of(rows: Iterator[dict[str, str]]) -> str:
    """The table as it is kept."""
    out = io.StringIO()
    writer = csv.DictWriter(out, ["method", "path", *ROLES], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


if __name__ == "__main__":
    print(text_of(by_code(create_app(Settings()))), end="")  # noqa: T201 - it is to be printed
