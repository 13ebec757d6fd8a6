"""Every page: for people who are signed in and may, from our own pages only."""

import pytest
from fastapi.routing import APIRoute
from test_routes import calls

from rpm.access import PERMISSIONS
from rpm.web.caller import permission_of
from rpm.web.pages.listed import PAGES
from rpm.web.pages.same_site import PageRoute
from rpm.web.pages.visitor import visitor

OPEN = {
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("GET", "/sign-in/answer"),
    ("GET", "/sign-in/practices/{organization_id}"),
    ("GET", "/invitations/{secret}"),
    ("POST", "/invitations/{secret}"),
}
"""Pages of nobody in particular. A new one here is a decision."""
OWN = {
    ("GET", "/"),
    ("GET", "/account"),
    ("GET", "/account/app"),
    ("POST", "/account/app"),
    ("GET", "/account/codes"),
    ("POST", "/account/codes"),
    ("GET", "/account/password"),
    ("POST", "/account/password"),
    ("POST", "/account/sign-ins/{sign_in_id}/end"),
    ("GET", "/demo/clock"),
    ("POST", "/demo/clock"),
    ("GET", "/emergency"),
    ("POST", "/emergency"),
    ("POST", "/sign-out"),
    ("POST", "/sign-out-everywhere"),
}
"""Pages that concern everybody who is signed in themselves. A new one here is a decision."""

ROUTES = [
    (min(route.methods), route.path, route)
    for router in PAGES
    for route in router.routes
    if isinstance(route, APIRoute)
]
each_page = pytest.mark.parametrize(
    ("method", "path", "route"), ROUTES, ids=[f"{method} {path}" for method, path, _ in ROUTES]
)


@each_page
def test_a_page_asks_for_a_known_permission(method: str, path: str, route: APIRoute) -> None:
    """Each page needs a permission of the table, or stands in one of two short lists."""
    if (method, path) in OPEN | OWN:
        assert permission_of(route) is None
    else:
        assert permission_of(route) in PERMISSIONS


@each_page
def test_a_page_needs_a_person(method: str, path: str, route: APIRoute) -> None:
    """Every page but the open ones looks up who is signed in."""
    assert ((method, path) in OPEN) != (visitor in set(calls(route.dependant)))


@each_page
def test_a_page_is_made_on_page_router(method: str, path: str, route: APIRoute) -> None:
    """Its route refuses other sites, takes one method, and stays out of the API's description."""
    assert isinstance(route, PageRoute)
    assert route.methods in ({"GET"}, {"POST"})
    assert not route.include_in_schema


def test_no_page_stands_twice() -> None:
    """Two pages with one address would hide each other."""
    places = [(method, path) for method, path, _ in ROUTES]
    assert len(places) == len(set(places))
