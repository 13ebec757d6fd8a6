"""Listening to a real server that speaks as Validic's streams do; on both engines."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from intake_door import Door
from sqlalchemy.engine import Engine
from sqlmodel import col, select
from validic_line import STREAM, TOKEN, Killed, Line, client_of, event, record, served

from devices.delivery import Incoming
from devices.pull import Held, Request
from devices.vendor import SOURCES
from rpm.access import Actor
from rpm.actions.pull_accounts import AuthorizeAccount, ask_streams, authorize_account
from rpm.pull import Outcome, Pulling
from rpm.settings import Settings
from rpm.store.device_days import holds
from rpm.store.engine import reading, transaction
from rpm.store.queries.pulls import due_accounts
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Delivery, Reading
from rpm.store.tables.pulls import PullAccount
from rpm.store.tables.security import AuditEvent
from tests.conftest import FixedClock


class Practice:
    """A practice with a Validic connection, its stream, and what listens."""

    def __init__(
        self, engine: Engine, settings: Settings, actor: Actor, clock: FixedClock, port: int
    ) -> None:
        self.engine, self.actor, self.clock, self.port = engine, actor, clock, port
        self.scope = Scope.of(actor)
        self.door = Door(engine, settings, actor, clock.now(), vendor="validic")
        self.waits: list[float] = []
        for subject, credentials in (("", {"token": TOKEN}), (STREAM, {})):
            command = AuthorizeAccount(
                connection_id=self.door.connection.id, subject=subject, credentials=credentials
            )
            with transaction(engine) as db:
                authorize_account(db, actor, clock.now(), self.door.ring, command)

    def account(self) -> PullAccount:
        """The stream as it stands here."""
        with reading(self.engine) as db:
            return db.exec(select(PullAccount).where(col(PullAccount.subject) == STREAM)).one()

    def listen(self, dies_after: int | None = None) -> Outcome:
        """Hear what waits; the process dies after so many bytes of an answer."""
        with client_of(self.port, dies_after) as client:
            pulling = Pulling(self.engine, self.door.ring, self.clock, client, self.waits.append)
            return pulling.run(self.scope, self.account().id)

    def held(self) -> dict[str | None, tuple[str, int]]:
        """The readings that hold, with status and version."""
        with reading(self.engine) as db:
            rows = db.exec(select(Reading).where(holds())).all()
        assert len({row.vendor_reading_id for row in rows}) == len(rows)
        return {row.vendor_reading_id: (row.status, row.version) for row in rows}

    def deliveries(self) -> list[Delivery]:
        """All deliveries in the order they came."""
        with reading(self.engine) as db:
            return list(db.exec(select(Delivery).order_by(col(Delivery.audit_number))).all())

    def later(self, **parts: float) -> None:
        """Time passes."""
        self.clock.advance(**parts)


@pytest.fixture
def line() -> Line:
    """A line with three records that wait."""
    line = Line()
    for number in range(3):
        line.tell(record(number))
    return line


@pytest.fixture
def practice(
    engine: Engine, settings: Settings, actor: Actor, clock: FixedClock, line: Line
) -> Iterator[Practice]:
    """A practice whose patient has the scale that the records are of."""
    with served(line) as port:
        made = Practice(engine, settings, actor, clock, port)
        made.door.enrolled_with_scale()
        yield made


ALL = {f"record-{number}/weight": ("final", 1) for number in range(3)}


def test_a_first_run_replays_then_hears_what_waits(practice: Practice, line: Line) -> None:
    """Each record is one reading and one delivery, though both lines bring it."""
    outcome = practice.listen()
    assert (outcome.problem, outcome.recorded, outcome.requests) == ("", 3, 2)
    assert practice.held() == ALL
    assert len(practice.deliveries()) == 3
    assert [path for path, _ in line.asked] == ["/replay", f"/streams/{STREAM}/connect"]
    first = practice.clock.now() - timedelta(days=30)
    assert line.asked[0][1]["date"] == f"{first:%Y-%m-%d}"
    assert practice.door.days() == {(date(2026, 1, 14), ""): (3, 0)}
    assert practice.account().problem is None


def test_a_quiet_stream_records_nothing(practice: Practice, line: Line) -> None:
    """Heartbeats are no deliveries and no audit events, and no replay is asked for again."""
    practice.listen()
    with reading(practice.engine) as db:
        before = db.exec(select(AuditEvent.number)).all()
    practice.later(minutes=1)
    assert practice.listen().recorded == 0
    with reading(practice.engine) as db:
        assert db.exec(select(AuditEvent.number)).all() == before
    assert [path for path, _ in line.asked[2:]] == [f"/streams/{STREAM}/connect"]


def test_what_the_stream_lost_comes_with_the_nights_replay(practice: Practice, line: Line) -> None:
    """A record that was on its way when the line was left is played again within a day."""
    practice.listen()
    line.tell(record(7), lost=True)
    practice.later(hours=1)
    assert practice.listen().recorded == 0
    practice.later(hours=20)
    assert practice.listen().recorded == 1
    assert practice.held() == {**ALL, "record-7/weight": ("final", 1)}


def test_a_cut_anywhere_loses_and_doubles_nothing(practice: Practice, line: Line) -> None:
    """The process dies after any number of bytes, again and again; the next run goes on."""
    practice.listen()
    for round_, after in enumerate(range(0, 400, 50)):
        line.tell(record(10 + round_))
        practice.later(minutes=11)
        with pytest.raises(Killed):
            practice.listen(dies_after=after)
        practice.later(minutes=11)
        assert practice.listen().problem == ""
    expected = {f"record-{10 + number}/weight": ("final", 1) for number in range(8)}
    assert practice.held() == {**ALL, **expected}
    assert len(practice.deliveries()) == 11


@pytest.mark.parametrize("events", [0, 1, 2])
def test_a_stream_that_the_vendor_cuts_is_replayed(
    practice: Practice, line: Line, events: int
) -> None:
    """The run says so, is tried again soon, and then plays the days again first."""
    practice.listen()
    for number in (20, 21):
        line.tell(record(number))
    line.ends_after = events
    practice.later(minutes=1)
    assert practice.listen().problem == "the stream was cut"
    assert practice.account().retry_at is not None
    line.waiting.clear()  # what was on its way when it was cut does not come again
    practice.later(minutes=1)
    assert practice.listen().problem == ""
    assert line.asked[-2][0] == "/replay"
    assert set(practice.held()) == {*ALL, "record-20/weight", "record-21/weight"}


def test_records_change_and_are_taken_back_by_a_replay(practice: Practice, line: Line) -> None:
    """A later state of a record is a version of its reading; played again, it is a repeat."""
    practice.listen()
    changed = record(1, metrics=[{"type": "weight", "origin": "device", "unit": "kg", "value": 99}])
    line.tell(changed)
    line.tell(record(2, deleted_at="2026-01-14T15:00:00Z"))
    for _ in range(2):
        practice.later(hours=21)
        assert practice.listen().problem == ""
    assert practice.held()["record-1/weight"] == ("corrected", 2)
    assert practice.held()["record-2/weight"] == ("void", 2)


def test_what_was_pushed_is_not_recorded_again(practice: Practice, line: Line) -> None:
    """A record of the push and of the stream is one reading of one connection."""
    body = event("data", record(0)).split(b"data: ")[1].strip()
    practice.door.take(Incoming({"content-type": "application/json"}, body))
    assert practice.listen().recorded == 2
    assert practice.held() == ALL


def test_an_event_that_cannot_be_read_waits_and_the_stream_goes_on(
    practice: Practice, line: Line
) -> None:
    """An event of an unknown name is a dead letter; rules and connections are kept as told."""
    practice.listen()
    line.waiting += [event("surprise", {}), event("rule", {"user_id": "u"}), b"data: {\n\n"]
    line.tell(record(30))
    practice.later(minutes=1)
    assert practice.listen().problem == ""
    assert "record-30/weight" in practice.held()
    states = [one.state for one in practice.deliveries()[3:]]
    assert states == ["dead_letter", "read", "dead_letter", "read"]


def test_a_stream_with_all_its_clients_is_asked_again(practice: Practice, line: Line) -> None:
    """While the vendor still counts the line that was left, it is waited for."""
    line.refusals = [422, 503]
    assert practice.listen().problem == ""
    assert 10.0 in practice.waits
    assert practice.held() == ALL


@pytest.mark.parametrize("status", [401, 404])
def test_a_refused_token_or_stream_stops_the_account(
    practice: Practice, line: Line, status: int
) -> None:
    """A person has to look; the token stands in no text of it."""
    line.refusals = [status] * 4
    outcome = practice.listen()
    assert outcome.stopped
    assert TOKEN not in outcome.problem


def test_streams_are_due_every_minute_without_a_notification(practice: Practice) -> None:
    """A stream that is not stopped is asked for, a busy one after its wait."""
    practice.listen()
    with transaction(practice.engine) as db:
        assert due_accounts(db, practice.scope, practice.clock.now()) == []
        assert ask_streams(db, practice.scope, practice.clock.now()) == 1
    with reading(practice.engine) as db:
        assert len(due_accounts(db, practice.scope, practice.clock.now())) == 1


def test_no_token_is_shown(practice: Practice) -> None:
    """The token goes in the query, as the vendor wants it, and no repr tells it."""
    source, now = SOURCES["validic"], practice.clock.now()
    held = Held(STREAM, {"token": TOKEN}, source.begin({}, None, now))
    request = source.next_request(held, {}, now)
    assert isinstance(request, Request)
    assert TOKEN in request.query.values()
    assert TOKEN not in f"{request!r} {request.url}"
