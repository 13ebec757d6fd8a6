"""The jobs that fetch: what the night asks for is fetched by the next look, account by account."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx2
import pytest
from intake_door import Door
from sqlalchemy.engine import Engine
from sqlmodel import col, select
from withings_cloud import CLIENT, Cloud, client_of, served

from devices.delivery import Incoming
from rpm.access import Actor
from rpm.actions.pull_accounts import AuthorizeAccount, authorize_account
from rpm.clock import SystemClock
from rpm.jobs.pulls import ask_every_account, pull_due
from rpm.settings import Settings
from rpm.store.engine import reading, transaction
from rpm.store.tables.monitoring import Delivery, Reading
from rpm.store.tables.pulls import PullAccount

USERS = ("1001", "1002")


@pytest.fixture
def door(engine: Engine, settings: Settings, actor: Actor) -> Door:
    """A Withings connection of a practice that lives by the machine's clock."""
    return Door(engine, settings, actor, SystemClock().now(), vendor="withings")


@pytest.fixture
def cloud(door: Door, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """A cloud that the job's client reaches, with two accounts that were authorized."""
    cloud = Cloud(door.now)
    with served(cloud) as port:

        @contextmanager
        def to_cloud() -> Iterator[httpx2.Client]:
            with client_of(port) as client:
                yield client

        monkeypatch.setattr("rpm.jobs.pulls.outgoing_client", to_cloud)
        for subject, given in [("", CLIENT), *((user, cloud.account(user)) for user in USERS)]:
            command = AuthorizeAccount(
                connection_id=door.connection.id, subject=subject, credentials=given
            )
            with transaction(door.engine) as db:
                authorize_account(db, door.actor, door.now, door.ring, command)
        yield cloud


def _fetched(door: Door) -> list[str]:
    with reading(door.engine) as db:
        return sorted(row.vendor_reading_id or "" for row in db.exec(select(Reading)))


def test_the_night_asks_and_the_next_look_fetches(
    door: Door, settings: Settings, cloud: Cloud
) -> None:
    """New accounts are fetched at once, then nothing until a notification or the night asks."""
    for number, user in enumerate(USERS):
        cloud.weigh(user, number, door.now - timedelta(hours=1))
    assert pull_due(door.engine, settings, door.now) == "2 fetched, 0 with problems, 0 failed"
    assert _fetched(door) == ["0/weight", "1/weight"]
    assert pull_due(door.engine, settings, door.now) == "0 fetched, 0 with problems, 0 failed"
    cloud.weigh("1002", 7, door.now - timedelta(minutes=50))
    ping = Incoming({}, b"userid=1002&appli=1&startdate=1768482800&enddate=1768482901")
    assert door.take(ping).state == "read"
    assert pull_due(door.engine, settings, door.now) == "1 fetched, 0 with problems, 0 failed"
    assert _fetched(door) == ["0/weight", "1/weight", "7/weight"]
    cloud.weigh("1001", 8, door.now - timedelta(minutes=40))
    assert ask_every_account(door.engine, settings, door.now) == "2 asked for, 0 failed"
    assert pull_due(door.engine, settings, door.now) == "2 fetched, 0 with problems, 0 failed"
    assert _fetched(door) == ["0/weight", "1/weight", "7/weight", "8/weight"]


def test_one_account_with_a_problem_keeps_no_other_waiting(
    door: Door, settings: Settings, cloud: Cloud
) -> None:
    """Refused tokens stop their own account; the other one is fetched."""
    cloud.accounts["1001"].refresh_tokens.clear()
    cloud.weigh("1002", 2, door.now - timedelta(hours=1))
    assert pull_due(door.engine, settings, door.now) == "2 fetched, 1 with problems, 0 failed"
    assert _fetched(door) == ["2/weight"]
    with reading(door.engine) as db:
        stopped = db.exec(select(PullAccount.subject).where(col(PullAccount.stopped))).all()
    assert stopped == ["1001"]


def test_without_accounts_nothing_is_asked(engine: Engine, settings: Settings, door: Door) -> None:
    """A practice that fetches nothing costs a look."""
    door.take(Incoming({}, b"userid=1002&appli=1"))
    assert pull_due(engine, settings, door.now) == "0 fetched, 0 with problems, 0 failed"
    with reading(engine) as db:
        assert len(db.exec(select(Delivery)).all()) == 1
