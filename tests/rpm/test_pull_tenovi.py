"""Gaps of Tenovi: what was pushed and what is listed are one reading; only the gap is new."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from intake_door import Door
from sqlalchemy.engine import Engine
from sqlmodel import col, select
from vendor_samples import ANY_JSON
from withings_cloud import Cloud, client_of, served

from devices.delivery import Incoming, UnreadableDeliveryError
from devices.pull import Held, Refresh, Request, Response, Stop, Took, Wait, may_go
from devices.vendor import VENDORS, settings_with_defaults
from devices.vendors.tenovi_pull import TenoviSource
from rpm.access import Actor
from rpm.actions.pull_accounts import AuthorizeAccount, ask_where_notified, authorize_account
from rpm.clock import Clock
from rpm.pull import Outcome, Pulling
from rpm.settings import Settings
from rpm.store.engine import reading, transaction
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Delivery, ReadingConflict
from rpm.store.tables.pulls import PullAccount

DEVICE = "e9c24a26-7d69-490f"
KEY = {"client_domain": "example-clinic", "api_key": "key-1"}
SETTINGS = settings_with_defaults(VENDORS["tenovi"], {})
NOW = datetime(2026, 1, 15, 15, tzinfo=UTC)
SOURCE = TenoviSource()


def metric(kind: str, value: str, timestamp: str, index: int = 1, **more: Any) -> dict[str, Any]:
    """A metric as it is pushed."""
    return {
        "metric": kind,
        "hwi_device_id": DEVICE,
        "value_1": value,
        "value_2": None,
        "timestamp": timestamp,
        "filter_params": {"measurement_index": index},
    } | more


class TenoviCloud(Cloud):
    """What the vendor lists for a device, page by page."""

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.metrics: list[dict[str, Any]] = []
        self.keys: set[str] = set()
        self.port = 0

    def answer(self, path: str, token: str, form: dict[str, str]) -> Any:
        """A page of the list; ``next`` is an address, as the vendor writes it."""
        self.keys.add(token)
        page = int(form["page"])
        listed = self.metrics[(page - 1) * self.page_groups : page * self.page_groups]
        is_last = page * self.page_groups >= len(self.metrics)
        address = None if is_last else f"https://example.com{path}?page={page + 1}"
        return {"count": len(self.metrics), "next": address, "previous": None, "results": listed}


@pytest.fixture
def door(engine: Engine, settings: Settings, actor: Actor, clock: Clock) -> Door:
    """A Tenovi connection with a cuff that a patient has."""
    door = Door(engine, settings, actor, clock.now(), vendor="tenovi")
    patient_id = door.practice.patient()
    device_id = door.device(DEVICE, kind="bp")
    door.assign(device_id, patient_id, door.practice.episode(patient_id), name=DEVICE)
    return door


@pytest.fixture
def cloud(door: Door) -> Iterator[TenoviCloud]:
    """The vendor, and the account of the cuff."""
    cloud = TenoviCloud(door.now)
    for subject, credentials in (("", KEY), (DEVICE, {})):
        command = AuthorizeAccount(
            connection_id=door.connection.id, subject=subject, credentials=credentials
        )
        with transaction(door.engine) as db:
            authorize_account(db, door.actor, door.now, door.ring, command)
    with served(cloud) as cloud.port:
        yield cloud


def _pull(door: Door, clock: Clock, cloud: TenoviCloud) -> Outcome:
    with reading(door.engine) as db:
        account_id = db.exec(select(PullAccount.id).where(col(PullAccount.subject) == DEVICE)).one()
    with client_of(cloud.port) as client:
        pulling = Pulling(door.engine, door.ring, clock, client, lambda _seconds: None)
        return pulling.run(Scope.of(door.actor), account_id)


def _push(door: Door, *metrics: dict[str, Any]) -> None:
    headers = {"x-tenovi-key": door.secret}
    door.take(Incoming(headers, json.dumps(list(metrics)).encode()))


def test_only_the_gap_is_new(door: Door, clock: Clock, cloud: TenoviCloud) -> None:
    """Parts that were pushed are repeats also in the list's spelling; the missed one counts."""
    pressure = metric("blood_pressure", "128", "2026-01-14T13:15:00Z", value_2="79")
    pulse = metric("pulse", "66", "2026-01-14T13:15:00Z")
    _push(door, pressure, pulse)
    cloud.page_groups = 2
    cloud.metrics = [
        {**pressure, "timestamp": "2026-01-14T13:15:00.000000Z", "created": "2026-01-14T13:16:00Z"},
        {**pulse, "timestamp": "2026-01-14T13:15:00+00:00"},
        metric("blood_pressure", "131", "2026-01-13T13:15:00Z", 2, value_2="82"),
    ]
    del cloud.metrics[1]["hwi_device_id"]
    outcome = _pull(door, clock, cloud)
    assert (outcome.problem, outcome.requests, outcome.recorded) == ("", 2, 1)
    assert {day for day, _ in door.days()} == {date(2026, 1, 14), date(2026, 1, 13)}
    assert len(door.readings()) == 2
    with reading(door.engine) as db:
        assert db.exec(select(ReadingConflict)).all() == []
    assert _pull(door, clock, cloud).recorded == 0
    assert len(door.readings()) == 2
    assert {host for host, _, _ in cloud.asked} == {"api2.tenovi.com"}
    paths = {path for _, path, _ in cloud.asked}
    assert paths == {f"/clients/example-clinic/hwi/hwi-devices/{DEVICE}/measurements/"}
    assert [form["page"] for _, _, form in cloud.asked] == ["1", "2", "1", "2"]
    assert cloud.asked[0][2]["created__gte"] == "2026-01-08T15:00:00Z"
    assert cloud.keys == {"key-1"}


def test_a_refused_key_stops_the_account(door: Door, clock: Clock, cloud: TenoviCloud) -> None:
    """There is nothing to renew: a person has to give another key."""
    cloud.faults = [(401, {}, b'{"detail": "Invalid API key."}')]
    outcome = _pull(door, clock, cloud)
    assert (outcome.stopped, outcome.requests) == (True, 1)


def test_what_is_pushed_asks_for_nothing(door: Door, cloud: TenoviCloud) -> None:
    """Readings that were pushed lead to no fetch, and are not read a second time for it."""
    _push(door, metric("pulse", "66", "2026-01-14T13:15:00Z"))
    with transaction(door.engine) as db:
        assert ask_where_notified(db, Scope.of(door.actor), door.now) == 0
    assert cloud.asked == []
    with reading(door.engine) as db:
        assert len(db.exec(select(Delivery)).all()) == 1


def _held(subject: str = DEVICE, **cursor: Any) -> Held:
    return Held(subject, KEY, SOURCE.begin({}, None, NOW) | cursor)


def _read(body: Any, status: int = 200, **cursor: Any) -> Any:
    response = Response(status, {}, json.dumps(body).encode())
    return SOURCE.read(_held(**cursor), response, SETTINGS, NOW)


def test_a_patient_is_asked_for_at_the_other_list() -> None:
    """The subject says which of the two lists it is."""
    request = SOURCE.next_request(_held("patient.p-117"), SETTINGS, NOW)
    assert isinstance(request, Request)
    assert request.url == (
        "https://api2.tenovi.com/clients/example-clinic/hwi/patients/p-117/measurements/"
        "?created__gte=2026-01-08T15%3A00%3A00Z&page=1"
    )
    assert request.headers == {"authorization": "Api-Key key-1"}


@pytest.mark.parametrize("subject", ["..", "a/b", "patient.", "a?b", "a.b"])
def test_a_subject_cannot_change_the_path(subject: str) -> None:
    """Only a word stands in the address."""
    assert SOURCE.next_request(_held(subject), SETTINGS, NOW) == Refresh()


def test_the_days_since_the_last_whole_run_are_read() -> None:
    """Seven days, more after a longer pause, 92 at most; a cut run goes on at its page."""
    done = _read({"results": [], "next": None}).cursor
    assert done == {"page": 0, "read_through": int(NOW.timestamp())}
    for days, expected in [(1, 7), (20, 20), (400, 92)]:
        cursor = {"page": 0, "read_through": int(NOW.timestamp()) - days * 86_400}
        begun = SOURCE.begin(cursor, None, NOW)
        assert int(NOW.timestamp()) - begun["from"] == expected * 86_400
    cut = _read({"results": [metric("pulse", "66", "2026-01-14T13:15:00Z")], "next": "x"}).cursor
    assert SOURCE.begin(cut, None, NOW)["page"] == 2


def test_pages_without_end_end() -> None:
    """A page that is empty and promises more, and the two hundredth, are the last."""
    one = [metric("pulse", "66", "2026-01-14T13:15:00Z")]
    assert _read({"results": [], "next": "https://example.com/"}).problem
    assert _read({"results": one, "next": "https://example.com/"}, page=200).problem
    assert not _read({"results": one, "next": "https://example.com/"}, page=199).problem


@pytest.mark.parametrize(
    ("status", "expected"),
    [(401, Refresh), (403, Refresh), (404, Stop), (302, Stop), (429, Wait), (502, Wait)],
)
def test_what_a_status_means(status: int, expected: type) -> None:
    """A refused key, an account that is not there, and a vendor that is busy."""
    assert isinstance(_read({}, status), expected)


@given(results=ANY_JSON, more=ANY_JSON)
def test_no_list_leads_elsewhere(results: Any, more: Any) -> None:
    """Whatever a page holds, the next request goes to the vendor or nowhere."""
    for body in (results, {"results": results, "next": more}, {"results": [results], "next": more}):
        try:
            outcome = _read(body)
        except UnreadableDeliveryError:
            continue
        assert isinstance(outcome, Took)
        request = SOURCE.next_request(Held(DEVICE, KEY, outcome.cursor), SETTINGS, NOW)
        assert request is None or (isinstance(request, Request) and may_go(request, SOURCE))
