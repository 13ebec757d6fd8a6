"""S20: every access leaves a trace: who, what, when and with what result, refused ones too."""

from collections import Counter
from itertools import cycle, islice

import pytest
from conftest import FixedClock
from fastapi import FastAPI
from promised import Promised
from role_table import ROLES, called, is_page, kept, routes
from sqlalchemy.engine import Engine
from sqlmodel import select
from starlette.testclient import TestClient
from test_roles import Caller, app, call, callers, client

from rpm.store.engine import reading
from rpm.store.tables.accesses import AccessRecord
from rpm.web.access_trail import NOT_OF_PATIENTS, UNATTENDED
from rpm.web.caller import permission_of

__all__ = ["app", "callers", "client"]


def of_patients(app: FastAPI) -> list[tuple[str, str]]:
    """The routes that touch patients, but those that a page asks by itself."""
    return [
        place
        for place, route in routes(app).items()
        if permission_of(route) not in {None, *NOT_OF_PATIENTS}
        and not getattr(route.endpoint, UNATTENDED, False)
    ]


def recorded(client: TestClient, app: FastAPI, engine: Engine) -> list[AccessRecord]:
    """All rows of the trail, once everything is on disk."""
    assert client.portal is not None
    client.portal.call(app.state.running.trail.settle)
    with reading(engine) as db:
        return list(db.exec(select(AccessRecord)).all())


@pytest.mark.promise("S20")
def test_every_access_leaves_a_trace(
    app: FastAPI,
    client: TestClient,
    engine: Engine,
    callers: dict[str, Caller],
    clock: FixedClock,
    promised: Promised,
) -> None:
    """Each route that touches patients, called by roles that may and may not: one row each."""
    expected: Counter[tuple[str, str, str, int]] = Counter()
    turns, table, refused = cycle(ROLES), kept(), 0
    for place in of_patients(app):
        for role in islice(turns, promised.count(len(ROLES), 1)):
            status = call(client, place, callers[role], page=is_page(routes(app)[place]))
            expected[(*place, role, status)] += 1
            refused += table[place][role] == "no"
    rows = recorded(client, app, engine)
    found = Counter((row.method, row.route, row.role, row.status) for row in rows)
    assert found == expected
    assert all(row.user_id and (row.token_id or row.sign_in_id) and row.request_id for row in rows)
    assert {row.at for row in rows} == {clock.now()}
    assert refused > 10
    promised.reached(
        f"{engine.dialect.name}: {len(rows):,} of {expected.total():,} accesses recorded,"
        f" {refused} refused ones among them"
    )


def test_an_access_names_the_patient_of_its_address(
    app: FastAPI, client: TestClient, engine: Engine, callers: dict[str, Caller]
) -> None:
    """The patient asked for is kept even where there is none; the address's other ids too."""
    nurse = callers["clinical_staff"]
    path = called("/v1/patients/{patient_id}")
    client.get(path, headers=nurse.token)
    client.get("/v1/patients/not-an-id", headers=nurse.token)
    rows = recorded(client, app, engine)
    assert [str(row.patient_id) for row in rows if row.status == 404] == [path.rsplit("/", 1)[1]]
    assert [row.patient_id for row in rows if row.status == 422] == [None]


def test_nobody_and_what_is_no_patients_leave_none(
    app: FastAPI, client: TestClient, engine: Engine, callers: dict[str, Caller]
) -> None:
    """Requests without a login and those about rules or users are not in the trail."""
    client.get(called("/v1/patients/{patient_id}"))
    client.get("/v1/users", headers=callers["practice_admin"].token)
    assert recorded(client, app, engine) == []
