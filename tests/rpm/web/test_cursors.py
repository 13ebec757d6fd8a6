"""Cursors: pages without gaps, and no cursor but those that were given out."""

import base64
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from rpm.access import Actor
from rpm.clock import Clock
from rpm.keys import key_ring
from rpm.settings import Settings
from rpm.store.chain import recording
from rpm.store.engine import transaction
from rpm.store.tables.people import Payer
from rpm.web.app import create_app
from rpm.web.cursors import Scalar, seal, unseal
from rpm.web.problems import InvalidCursor
from tests.conftest import FixedClock
from tests.rpm.web.probe import add_probe

RING = key_ring("a key for these tests only, long enough")
URL = "/v1/probe/payers"


@pytest.fixture
def app(settings: Settings, clock: Clock) -> FastAPI:
    """The application with the probe's routes."""
    return add_probe(create_app(settings, clock))


@pytest.fixture
def payers(engine: Engine, actor: Actor, clock: FixedClock) -> list[str]:
    """Five payers of the organization, by key."""
    keys = [f"PAYER_{number}" for number in range(5)]
    with transaction(engine) as session, recording(session, actor, clock.now(), "test") as record:
        record.add_all(Payer(key=key, name="same name") for key in keys)
    return keys


def test_pages_give_every_row_once(
    client: TestClient, admin: dict[str, str], payers: list[str]
) -> None:
    """Following next_cursor gives all rows in order; the last page has none."""
    found: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        page = client.get(
            URL, headers=admin, params={"limit": 2} | ({"cursor": cursor} if cursor else {})
        )
        found += [item["key"] for item in page.json()["items"]]
        cursor = page.json()["next_cursor"]
    assert (found, cursor) == (payers, None)


def test_a_full_last_page_has_no_cursor(
    client: TestClient, admin: dict[str, str], payers: list[str]
) -> None:
    """When the rows end exactly with the page, no empty page follows."""
    assert client.get(URL, headers=admin, params={"limit": 5}).json()["next_cursor"] is None


def test_a_cursor_is_good_for_its_list_only(
    client: TestClient, admin: dict[str, str], stranger: dict[str, str], payers: list[str]
) -> None:
    """Another filter, another organization or a changed letter makes a cursor worthless: 400."""
    cursor = client.get(URL, headers=admin, params={"limit": 2}).json()["next_cursor"]
    changed = ("A" if cursor[30] != "A" else "B").join([cursor[:30], cursor[31:]])
    for headers, params in (
        (stranger, {"cursor": cursor}),
        (admin, {"cursor": cursor, "name": "same name"}),
        (admin, {"cursor": changed}),
        (admin, {"cursor": cursor[:-4]}),
        (admin, {"cursor": "nonsense"}),
        (admin, {"cursor": "\N{SNOWMAN}"}),
        (admin, {"cursor": ""}),
    ):
        answer = client.get(URL, headers=headers, params=params)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")


def test_limits(client: TestClient, admin: dict[str, str]) -> None:
    """A page has 1 to 200 rows."""
    for limit, status in ((0, 422), (1, 200), (200, 200), (201, 422)):
        assert client.get(URL, headers=admin, params={"limit": limit}).status_code == status


def test_a_cursor_does_not_show_its_key() -> None:
    """A name in a row's key cannot be read from the cursor, which stands in addresses."""
    cursor = seal(RING, "list", ("Planted", 7))
    assert b"Planted" not in base64.urlsafe_b64decode(cursor + "==")


scalars: st.SearchStrategy[Scalar] = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.text(), st.uuids(), st.dates(),
    st.datetimes(timezones=st.just(UTC)),
)  # fmt: skip


@given(st.lists(scalars, min_size=1, max_size=4).map(tuple))
def test_a_key_comes_back_as_it_was(key: tuple[Scalar, ...]) -> None:
    """Text, numbers, ids, days and instants keep value and type."""
    back = unseal(RING, "list", seal(RING, "list", key))
    assert back == key
    assert [type(value) for value in back] == [type(value) for value in key]


def test_a_cursor_of_another_place_or_key_is_refused() -> None:
    """Place and key of the installation are part of the seal."""
    key = (UUID(int=7), date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC))
    cursor = seal(RING, "list", key)
    for ring, place in ((RING, "other"), (key_ring("another key, just as long as that"), "list")):
        with pytest.raises(InvalidCursor):
            unseal(ring, place, cursor)
