"""Must-pass cases of the intake that need the store, on both engines.

One test for each case of the reference on device formats (section 15), named for it. Elsewhere are
1 (published signatures) and 2 (the same delivery 1,000 times, 50 at once) by
``tests/promises/test_deliveries.py``; 8 (14 digits to a 15-digit IMEI) by
``test_reading_parts.py``; 13 (a device that changed hands) by ``test_take_delivery.py``; 16 (store
away: 503, the retry once) by ``tests/promises/test_restarts.py`` and
``tests/rpm/web/test_webhooks.py``, as is the byte too many of 17. 7 and 9 are the formats'
alone (``tests/devices/test_must_pass.py``); 5, 11 and 12 are files
(``tests/rpm/imports/test_must_pass.py``).
"""

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from hostile_bodies import HOSTILE
from intake_door import Door
from ledger_practice import days
from sqlalchemy.engine import Engine
from sqlmodel import col, func, select
from vendor_samples import sample
from withings_cloud import CLIENT, Cloud, client_of, served

from devices.delivery import Incoming, Secret
from devices.proof import prove
from devices.vendor import VENDORS
from rpm.access import Actor
from rpm.actions.close_month import ClosedMonth, CloseMonth, close_month
from rpm.actions.connection_settings import settings_of
from rpm.actions.export_close import ExportClose, export_close
from rpm.actions.pull_accounts import AuthorizeAccount, authorize_account
from rpm.actions.take_delivery import DeliveryAnswer
from rpm.actions.try_connection import example_of
from rpm.clock import Clock
from rpm.pull import Pulling
from rpm.settings import Settings
from rpm.store import device_days
from rpm.store.engine import reading, transaction
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Posting
from rpm.store.tables.monitoring import Reading, ReadingConflict
from rpm.store.verify import verify_chain
from tests.conftest import FixedClock

MakeDoor = Callable[..., Door]
USER = "7"


@pytest.fixture
def made(engine: Engine, settings: Settings, actor: Actor, clock: Clock) -> MakeDoor:
    """Makes a connection of a vendor, proved as the vendor does it."""

    def make(vendor: str) -> Door:
        return Door(engine, settings, actor, clock.now(), vendor=vendor)

    return make


def send(door: Door, content: Any, message_id: str = "msg-1") -> DeliveryAnswer:
    """A body, proved by the connection's own scheme."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    scheme = settings_of(door.connection).scheme
    proof = prove(scheme, Secret(door.secret), message_id, door.now, body)
    return door.take(Incoming(proof.headers, body, proof.query))


def statuses(answer: DeliveryAnswer) -> list[str]:
    """What became of each item."""
    return [item["status"] for item in answer.items]


def with_device(door: Door, name: str, kind: str, **patient: Any) -> tuple[UUID, UUID]:
    """A patient with an episode and a device: their ids."""
    patient_id = door.practice.patient(**patient)
    episode_id = door.practice.episode(patient_id)
    door.assign(door.device(name, kind=kind), patient_id, episode_id, name=name)
    return patient_id, episode_id


def rows(door: Door, table: type[Reading] | type[ReadingConflict]) -> int:
    """How many rows a table holds."""
    with reading(door.engine) as db:
        return db.exec(select(func.count()).select_from(table)).one()


def standing(door: Door) -> list[Reading]:
    """The last version of each reading."""
    last = {row.identity_key: row for row in door.readings()}
    return list(last.values())


def assert_sound(door: Door) -> None:
    """The chain verifies and the days are those that the readings give."""
    with reading(door.engine) as db:
        assert verify_chain(db, door.organization_id) == []
        assert device_days.differences(db, door.organization_id) == []


TENOVI_POSTS = [
    sample("tenovi", name) for name in ("blood-pressure", "pulse", "irregular-heartbeat")
]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_case_3_tenovi_parts_split_over_90_seconds(made: MakeDoor, order: tuple[int, ...]) -> None:
    """Pressure, pulse and mark, 45 seconds apart in any order: one reading, one day."""
    door = made("tenovi")
    posts = [post | {"hwi_device_id": "d-1"} for post in TENOVI_POSTS]
    moment = posts[0]["timestamp"], posts[0].get("filter_params")
    with_device(door, "d-1", "bp")
    for place in order:
        post = posts[place] | {"timestamp": moment[0], "filter_params": moment[1]}
        send(door, post, f"msg-{place}")
        door.now += timedelta(seconds=45)
    (whole,) = standing(door)
    assert (whole.measure, whole.countable, len(whole.components)) == ("bp", True, 3)
    assert "irregular_heartbeat" in whole.flags
    assert list(door.days().values()) == [(1, 0)]
    assert rows(door, ReadingConflict) == 0
    assert_sound(door)


def _glucose(number: int) -> dict[str, Any]:
    """A stored value of a meter that gives no ids: half a day after the one before."""
    at = datetime(2025, 11, 5, 13, 0, tzinfo=UTC) + timedelta(hours=12 * number)
    content = sample("fhir", "glucose-without-loinc") | {
        "device": {"reference": "Device/meter-1"},
        "effectiveDateTime": at.isoformat(),
        "valueQuantity": {"value": 90 + number % 60, "code": "mg/dL"},
    }
    del content["identifier"]
    return {"resource": content, "request": {"method": "POST", "url": "Observation"}}


def test_case_4_a_meter_that_resends_its_memory(made: MakeDoor) -> None:
    """200 old readings with each new one on 60 days: 260 readings, and not a row more."""
    door = made("fhir")
    with_device(door, "meter-1", "glucose")
    door.now = datetime(2026, 2, 13, 15, 0, tzinfo=UTC)
    for day in range(60):
        door.now += timedelta(days=1)
        memory = [_glucose(number) for number in range(day, day + 201)]
        content = {"resourceType": "Bundle", "type": "batch", "entry": memory}
        answer = statuses(send(door, content, f"msg-{day}"))
        assert answer.count("accepted") == (201 if day == 0 else 1)
        assert answer.count("duplicate") == (0 if day == 0 else 200)
    assert (rows(door, Reading), rows(door, ReadingConflict)) == (260, 0)
    assert sum(qualifying for qualifying, _ in door.days().values()) == 260
    assert_sound(door)


@contextmanager
def withings(door: Door, clock: FixedClock) -> Iterator[tuple[Cloud, Callable[[], int]]]:
    """A vendor's cloud with one account, and what fetches it an hour later: readings recorded."""
    cloud = Cloud(clock.now())
    with served(cloud) as port, closing(client_of(port)) as client:
        for subject, credentials in (("", CLIENT), (USER, cloud.account(USER))):
            command = AuthorizeAccount(
                connection_id=door.connection.id, subject=subject, credentials=credentials
            )
            with transaction(door.engine) as db:
                account_id = authorize_account(db, door.actor, door.now, door.ring, command).id
        pulling = Pulling(door.engine, door.ring, clock, client, lambda _seconds: None)

        def pull() -> int:
            door.now = cloud.now = clock.advance(hours=1)
            outcome = pulling.run(Scope.of(door.actor), account_id)
            assert outcome.problem == ""
            return outcome.recorded

        yield cloud, pull


def test_case_6_the_real_body_of_withings(made: MakeDoor, clock: FixedClock) -> None:
    """Exponents hold, type 18 and goals are passed over, what was typed in does not count."""
    door = made("withings")
    patient_id = door.practice.patient(timezone="America/Los_Angeles")
    episode_id = door.practice.episode(patient_id, opened_day=date(2015, 1, 1))
    long_ago = datetime(2015, 1, 1, tzinfo=UTC)
    door.assign(door.device("scale-1"), patient_id, episode_id, long_ago, name="scale-1")
    groups = sample("withings", "body-measures")["body"]["measuregrps"]
    goal = groups[1] | {"grpid": 9, "category": 2}
    with withings(door, clock) as (cloud, pull):
        for one in [*groups, goal]:
            at = datetime.fromtimestamp(one["date"], UTC)
            said = {name: one[name] for name in ("attrib", "category", "measures")}
            cloud.weigh(USER, one["grpid"], at, **said)
        assert pull() == 6
    found = {row.vendor_reading_id: row for row in standing(door)}
    pressure = {part["loinc"]: part["value"] for part in found["366956482/bp"].components}
    assert pressure == {"8480-6": "104", "8462-4": "68", "8867-4": "41"}
    assert found["366956482/weight"].components[0]["value"] == "74.126"
    assert {name for name, row in found.items() if row.countable} == {
        "366956482/bp",
        "366956482/weight",
        "347186704/weight",
    }
    assert {row.reason_code for row in found.values() if not row.countable} == {"manual_entry"}
    assert_sound(door)


def _pressure(door: Door, at: str) -> list[date | None]:
    content = sample("fhir", "blood-pressure") | {"effectiveDateTime": at}
    content["identifier"] = [{"value": at}]
    send(door, content, at)
    return [row.local_day for row in door.readings()][-1:]


def test_case_10_late_evening_clock_changes_and_another_zone(made: MakeDoor) -> None:
    """The day is the patient's: at 23:30, on both nights of the clock, and after a move west."""
    door = made("fhir")
    with_device(door, "cuff-17", "bp", timezone="America/New_York")
    door.now = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
    # 23:30 at home while it is tomorrow in UTC, with the offset and without one
    assert _pressure(door, "2026-01-10T23:30:00-05:00") == [date(2026, 1, 10)]
    assert _pressure(door, "2026-01-12T04:30:00-00:00") == [date(2026, 1, 11)]
    # a day of 23 hours (8 March) and one of 25 (1 November): the minutes around both ends
    assert _pressure(door, "2026-03-08T04:59:00-00:00") == [date(2026, 3, 7)]
    assert _pressure(door, "2026-03-08T05:00:00-00:00") == [date(2026, 3, 8)]
    assert _pressure(door, "2026-03-09T03:59:00-00:00") == [date(2026, 3, 8)]
    assert _pressure(door, "2026-03-09T04:00:00-00:00") == [date(2026, 3, 9)]
    assert _pressure(door, "2026-11-01T03:59:00-00:00") == [date(2026, 10, 31)]
    assert _pressure(door, "2026-11-01T05:30:00-00:00") == [date(2026, 11, 1)]
    assert _pressure(door, "2026-11-01T06:30:00-00:00") == [date(2026, 11, 1)]
    assert _pressure(door, "2026-11-02T04:59:00-00:00") == [date(2026, 11, 1)]
    # in the middle of a period the cuff is in Seattle: its own offset says so, history stays
    assert _pressure(door, "2026-01-20T22:30:00-08:00") == [date(2026, 1, 20)]
    assert _pressure(door, "2026-01-21T23:30:00-08:00") == [date(2026, 1, 21)]
    counted = [row.local_day for row in door.readings()]
    assert counted[:2] == [date(2026, 1, 10), date(2026, 1, 11)]
    assert all(row.countable for row in door.readings())
    assert_sound(door)


def _fhir(day: date, *, void: bool = False) -> Any:
    content = sample("fhir", "entered-in-error" if void else "blood-pressure")
    at = {"effectiveDateTime": f"{day.isoformat()}T08:15:00-05:00"}
    return content | at | {"identifier": [{"value": f"cuff-17-{day.isoformat()}"}]}


def _by_identifier_alone(day: date, *, void: bool = False) -> Any:
    content = _fhir(day, void=void)
    return {name: content[name] for name in content if not void or name not in _SAID}


_SAID = ("component", "device", "effectiveDateTime", "subject")


def _validic(day: date, *, void: bool = False) -> Any:
    content = sample("validic", "deleted" if void else "single-record")
    return content | {"id": f"r-{day.isoformat()}", "start_time": f"{day.isoformat()}T13:15:00Z"}


VOIDING = [
    pytest.param("fhir", "cuff-17", _fhir, id="fhir"),
    pytest.param("fhir", "cuff-17", _by_identifier_alone, id="fhir-by-identifier-alone"),
    pytest.param("validic", "864351055723276", _validic, id="validic"),
]
"""Vendors that take a reading back: a device, and what is posted of it on a day."""


class Billed:
    """A patient whose January is closed and exported with just enough days of one device."""

    def __init__(self, door: Door, device: str, kind: str) -> None:
        self.door, practice = door, door.practice
        self.patient_id = practice.patient()
        episode_id = practice.episode(self.patient_id, opened_day=date(2026, 1, 1))
        door.assign(door.device(device, kind=kind), self.patient_id, episode_id, name=device)
        door.now = datetime(2026, 2, 2, 15, 0, tzinfo=UTC)

    def close(self, month: str) -> ClosedMonth:
        """Close a month now."""
        with transaction(self.door.engine) as db:
            return close_month(db, self.door.actor, self.door.now, CloseMonth(month=month))

    def files(self, closed: ClosedMonth) -> Any:
        """The files of a close."""
        with transaction(self.door.engine) as db:
            command = ExportClose(close_id=closed.close.id)
            return export_close(db, self.door.actor, self.door.now, command).files

    def postings(self, closed: ClosedMonth) -> list[Posting]:
        """The postings of a close."""
        with reading(self.door.engine) as db:
            where = col(Posting.close_id) == closed.close.id
            return list(Scope.of(self.door.actor).all_of(db, Posting, where))

    def assert_adjusted(self, day: date, take_back: Callable[[], None]) -> None:
        """Bill, take the reading of a day back, and bill the next month."""
        door, closed = self.door, self.close("2026-01")
        files, booked = self.files(closed), self.postings(closed)
        (supply,) = (one for one in booked if one.code == "99454")
        assert (supply.sign, supply.units) == (1, 1)
        take_back()
        (void,) = (row for row in standing(door) if row.status == "void")
        assert (void.patient_id, void.local_day) == (self.patient_id, day)
        assert self.postings(closed) == booked
        door.now = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
        later = self.postings(self.close("2026-02"))
        (reversal,) = (one for one in later if (one.key, one.sign) == (supply.key, -1))
        assert (reversal.code, reversal.units) == ("99454", 1)
        assert reversal.reason
        assert (self.postings(closed), self.files(closed)) == (booked, files)
        assert_sound(door)


@pytest.mark.parametrize(("vendor", "name", "posted"), VOIDING)
def test_case_14_taken_back_after_billing(
    made: MakeDoor, vendor: str, name: str, posted: Callable[..., Any]
) -> None:
    """An adjustment of the next close, with its reason; what was booked and written stays."""
    door = made(vendor)
    billed = Billed(door, name, "bp")
    sixteen = days(date(2026, 1, 1), 16)
    for day in sixteen:
        assert statuses(send(door, posted(day), day.isoformat())) == ["accepted"]

    def take_back() -> None:
        door.now = datetime(2026, 2, 10, 15, 0, tzinfo=UTC)
        assert statuses(send(door, posted(sixteen[3], void=True), "void")) == ["corrected"]

    billed.assert_adjusted(sixteen[3], take_back)


def test_case_14_gone_at_withings_after_billing(made: MakeDoor, clock: FixedClock) -> None:
    """What is missing at the vendor, looked at twice, is such an adjustment as well."""
    door = made("withings")
    billed = Billed(door, "scale-1", "scale")
    clock.instant = door.now
    sixteen = [date(2026, 1, 1), *days(date(2026, 1, 16), 15)]
    with withings(door, clock) as (cloud, pull):
        for day in sixteen:
            cloud.weigh(USER, day.day, datetime(2026, 1, day.day, 17, 0, tzinfo=UTC))
        assert pull() == 16

        def take_back() -> None:
            del cloud.accounts[USER].groups[sixteen[-1].day]
            pull()

        billed.assert_adjusted(sixteen[-1], take_back)


@pytest.mark.parametrize(
    ("at", "counts", "reason"),
    [
        ("2026-01-15T12:00:00-05:00", True, ""),
        ("2026-01-18T10:00:00-05:00", False, "time_suspect"),
        ("1970-01-01T08:00:00-05:00", False, "time_suspect"),
        ("2000-01-01T08:00:00-05:00", False, "time_suspect"),
    ],
)
def test_case_15_times_that_cannot_be(
    made: MakeDoor, at: str, *, counts: bool, reason: str
) -> None:
    """Two hours ahead on the same date counts and is marked; what cannot be waits for a person."""
    door = made("fhir")
    with_device(door, "cuff-17", "bp")
    _pressure(door, at)
    (row,) = door.readings()
    assert (row.countable, row.reason_code) == (counts, reason)
    assert ("clock_skew" in row.flags) == at.startswith("2026")


@pytest.mark.parametrize("vendor", [name for name in VENDORS if name != "withings"])
def test_case_17_hostile_bodies(made: MakeDoor, vendor: str) -> None:
    """Each is kept as it came, a dead letter that harms nothing; then the example is taken."""
    door = made(vendor)
    for number, (name, body) in enumerate(HOSTILE.items()):
        answer = send(door, body, f"msg-{number}")
        assert (answer.state, answer.items) == ("dead_letter", ()), name
    assert rows(door, Reading) == 0
    assert send(door, example_of(vendor), "msg-last").state == "read"
    assert_sound(door)
