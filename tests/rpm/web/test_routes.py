"""Every route: described, permitted, and writing only where something is recorded."""

from collections.abc import Iterator

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from rpm.access import PERMISSIONS
from rpm.settings import Settings
from rpm.web import deps
from rpm.web.app import create_app
from rpm.web.caller import permission_of
from rpm.web.openapi import api_routes

ROUTES = [
    (path, route) for path, route in api_routes(create_app(Settings())) if path.startswith("/v1/")
]
RECORDED_READS = {
    "/v1/patients/{patient_id}",
    "/v1/postings/{posting_id}/evidence",
    "/v1/closes/{close_id}/evidence",
    "/v1/postings/{posting_id}/evidence.pdf",
    "/v1/closes/{close_id}/evidence.pdf",
    "/v1/fhir/$export",
}
"""Reads that are audited: opening a chart, giving out evidence, asking for an export."""

each_route = pytest.mark.parametrize(
    ("path", "route"), ROUTES, ids=[f"{min(r.methods or ())} {p}" for p, r in ROUTES]
)


def calls(dependant: Dependant) -> Iterator[object]:
    """Everything that a route depends on."""
    for inner in dependant.dependencies:
        yield inner.call
        yield from calls(inner)


@each_route
def test_a_route_asks_for_a_known_permission(path: str, route: APIRoute) -> None:
    """No route under /v1 is open, and each names a permission of the table."""
    assert permission_of(route) in PERMISSIONS


@each_route
def test_a_route_is_described(path: str, route: APIRoute) -> None:
    """A route has summary, description, an id of its own and documented problems."""
    assert route.summary
    assert len(route.description) > len(route.summary)
    assert route.operation_id
    assert route.response_model is not None or route.response_class
    assert {401, 403, 422} <= set(route.responses)


@each_route
def test_a_route_keeps_its_answer_for_idempotency(path: str, route: APIRoute) -> None:
    """Routes are made on area_router: a plain router would not keep answers."""
    assert isinstance(route, deps.LedgerRoute)


@each_route
def test_a_read_does_not_wait_for_writers(path: str, route: APIRoute) -> None:
    """GET takes a reading session, but where the read itself is recorded."""
    if route.methods == {"GET"} and path not in RECORDED_READS:
        assert deps.writing not in set(calls(route.dependant))


def test_operation_ids_are_unique() -> None:
    """Clients are generated from operation ids."""
    ids = [route.operation_id for _, route in ROUTES]
    assert len(ids) == len(set(ids))
