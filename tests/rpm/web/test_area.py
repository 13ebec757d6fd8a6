"""Area routers: an address finds the route that it finds when every pattern is tried."""

from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import Match

from rpm.settings import Settings
from rpm.web.app import create_app
from rpm.web.area import AreaRouter
from rpm.web.openapi import api_routes

APP = create_app(Settings())
PATHS = sorted({path for path, _ in api_routes(APP)})


def found(app: FastAPI, path: str, method: str, root: str = "") -> list[tuple[int, Match]]:
    """Every router that would take the address, by its place."""
    asked: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": root + path,
        "root_path": root,
        "headers": [],
        "query_string": b"",
        "app": app,
    }
    taken = [route.matches(dict(asked))[0] for route in app.router.routes]
    return [(place, match) for place, match in enumerate(taken) if match is not Match.NONE]


def tried_one_by_one(path: str, method: str, root: str = "") -> list[tuple[int, Match]]:
    """As ``found``, with the base class's way of matching."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AreaRouter, "matches", APIRouter.matches)
        return found(APP, path, method, root)


@given(
    st.sampled_from(PATHS),
    st.sampled_from(["GET", "POST", "HEAD", "PUT"]),
    st.sampled_from(["", "/", "x", "/more", "-ends"]),
    st.integers(0, 40),
    st.sampled_from(["", "/below"]),
)
def test_an_address_finds_what_it_finds_when_all_patterns_are_tried(
    path: str, method: str, tail: str, cut: int, root: str
) -> None:
    """Whole addresses, cut ones, with something behind, and below another address."""
    address = path.replace("{", "").replace("}", "")
    for asked in (address + tail, address[: len(address) - cut] or "/"):
        assert found(APP, asked, method, root) == tried_one_by_one(asked, method, root)


def test_routes_that_are_added_later_are_found() -> None:
    """What the addresses begin with is looked at again once there are more."""
    router, app = AreaRouter(prefix="/v1"), FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    router.add_api_route("/first", lambda: None)
    app.include_router(router)
    assert found(app, "/v1/second", "GET") == []
    router.add_api_route("/second/{name}", lambda: None)
    assert found(app, "/v1/second/x", "GET") != []
