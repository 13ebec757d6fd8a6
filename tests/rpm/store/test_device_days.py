"""Device days: the projection is what the readings give, whatever happened to them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from intake_door import Door, device_day_rows, new_organization, weight
from sqlalchemy import Date, literal, select
from sqlalchemy.engine import Engine
from sqlmodel import Session

from billing.days import day_number
from rpm.actions.exclude_reading import (
    ExcludeReading,
    LiftExclusion,
    exclude_reading,
    lift_exclusion,
)
from rpm.clock import Clock
from rpm.errors import Conflict
from rpm.settings import Settings
from rpm.store import device_days
from rpm.store.chain import chain_head
from rpm.store.device_days import SqlDayNumber
from rpm.store.engine import reading, transaction
from rpm.store.tables.monitoring import DeviceDay

FEW = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
DAYS = st.integers(min_value=1, max_value=14)
IDS = st.sampled_from(["r-1", "r-2", "r-3", "r-4"])


def _item(reading_id: str, day: int, value: int, status: str, method: str, device: str) -> Any:
    item = weight(
        reading_id,
        f"2026-01-{day:02d}T12:00:00-05:00",
        value=str(value),
        status=status,
        entry_method=method,
        device_id=device,
    )
    return item | {"components": []} if status == "deleted" else item


ITEMS = st.builds(
    _item,
    IDS,
    DAYS,
    st.sampled_from([70, 71, 7_000]),
    st.sampled_from(["final", "final", "corrected", "deleted"]),
    st.sampled_from(["device", "device", "manual"]),
    st.sampled_from(["scale-1", "scale-1", "scale-2"]),
)
STEPS = st.one_of(
    st.tuples(st.just("send"), st.lists(ITEMS, min_size=1, max_size=4)),
    st.tuples(st.just("exclude"), st.integers(0, 5)),
    st.tuples(st.just("lift"), st.integers(0, 5)),
    st.tuples(st.just("register"), st.just(None)),
    st.tuples(st.just("take back"), DAYS),
)


class _Story:
    """Steps carried out at one door; those that make no sense at the time are left out."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.first = door.practice.enrolled()
        self.second = door.practice.enrolled()
        self.association = door.assign(door.device(), *self.first)
        self.steps: dict[str, Callable[[Any], None]] = {
            "send": lambda items: door.send(*items) and None,
            "exclude": lambda place: self._named(place, exclude_reading, ExcludeReading),
            "lift": lambda place: self._named(place, lift_exclusion, LiftExclusion),
            "register": self._register,
            "take back": self._take_back,
        }
        self.registered = False

    def _named(self, place: int, action: Any, command: Any) -> None:
        known = self.door.readings()
        if place >= len(known):
            return
        try:
            with transaction(self.door.engine) as db:
                wanted = command(reading_id=known[place].id, reason="test")
                action(db, self.door.actor, self.door.now, wanted)
        except Conflict:
            pass  # excluded already, or not excluded

    def _register(self, _: None) -> None:
        if not self.registered:
            self.registered = True
            device_id = self.door.device("scale-2")
            self.door.assign(device_id, *self.second, name="scale-2")

    def _take_back(self, day: int) -> None:
        self.door.take_back(self.association, datetime(2026, 1, day, tzinfo=UTC))


def _projection(db: Session, door: Door) -> set[tuple[Any, ...]]:
    return {tuple(row.model_dump().values()) for row in device_day_rows(db, door.organization_id)}


@FEW
@given(st.lists(STEPS, min_size=1, max_size=8))
def test_the_projection_equals_a_rebuild(
    engine: Engine, settings: Settings, clock: Clock, steps: list[tuple[str, Any]]
) -> None:
    """After any story the kept days are those that all readings give when counted anew."""
    door = Door(engine, settings, new_organization(engine, clock.now()), clock.now())
    story = _Story(door)
    for name, what in steps:
        story.steps[name](what)
    with transaction(engine) as db:
        assert device_days.differences(db, door.organization_id) == []
        kept = _projection(db, door)
        db.expire_all()
        device_days.rebuild(db, door.organization_id)
        assert _projection(db, door) == kept


@FEW
@given(st.data())
def test_days_do_not_depend_on_the_order_of_deliveries(
    engine: Engine, settings: Settings, clock: Clock, data: st.DataObject
) -> None:
    """Readings with at most one correction or deletion each give the same days in any order."""
    kinds = st.sampled_from(["final", "corrected", "deleted"])
    sent = [
        _item(f"r-{place}", day, 70 + change, status, "device", "scale-1")
        for place, (day, other_day, last) in enumerate(
            data.draw(st.lists(st.tuples(DAYS, DAYS, kinds), min_size=1, max_size=5))
        )
        for day, change, status in [(day, 0, "final"), (other_day, 1, last)][
            : 1 if last == "final" else 2
        ]
    ]
    shuffled = data.draw(st.permutations(sent + sent[:2]))
    qualifying = []
    for order in (sent, shuffled):
        door = Door(engine, settings, new_organization(engine, clock.now()), clock.now())
        door.enrolled_with_scale()
        for item in order:
            door.send(item)
        qualifying.append({day for (day, word) in door.days() if not word})
    assert qualifying[0] == qualifying[1]


@pytest.fixture
def door(engine: Engine, settings: Settings, clock: Clock) -> Door:
    """A door with a patient who has a scale."""
    door = Door(engine, settings, new_organization(engine, clock.now()), clock.now())
    door.enrolled_with_scale()
    return door


def test_a_projection_that_was_touched_is_told(door: Door) -> None:
    """A day that was changed, added or removed by hand is named; a rebuild mends it."""
    door.send(weight("r-1"), weight("r-2", "2026-01-13T08:00:00-05:00"))
    with transaction(door.engine) as db:
        first, second = sorted(device_day_rows(db, door.organization_id), key=lambda r: r.day)
        invented = DeviceDay(**second.model_dump() | {"day": 20_000})
        first.qualifying_count = 16
        db.delete(second)
        db.add(invented)
        db.flush()
        found = device_days.differences(db, door.organization_id)
        assert [finding.where.split()[-1] for finding in found] == [
            "20000",
            str(day_number(date(2026, 1, 13))),
            str(day_number(date(2026, 1, 14))),
        ]
        assert {finding.code for finding in found} == {"E_DEVICE_DAY_DIFFERS"}
        assert len(device_days.differences(db, door.organization_id, limit=1)) == 1
        device_days.rebuild(db, door.organization_id)
        assert device_days.differences(db, door.organization_id) == []


def test_days_as_they_were_known(door: Door) -> None:
    """What was known up to an audit number leaves later readings, versions and lifts out."""
    known = []
    fixed = weight("r-1", "2026-01-10T08:00:00-05:00", status="corrected")
    for step in range(4):
        if step < 2:
            door.send(weight("r-1") if step == 0 else fixed)
        else:
            action, command = (
                (exclude_reading, ExcludeReading) if step == 2 else (lift_exclusion, LiftExclusion)
            )
            with transaction(door.engine) as db:
                wanted = command(reading_id=door.readings()[0].id, reason="test")
                action(db, door.actor, door.now, wanted)
        with reading(door.engine) as db:
            number = chain_head(db, door.organization_id).number
            known.append((number, _counted(db, door, None)))
    with reading(door.engine) as db:
        assert [_counted(db, door, number) for number, _ in known] == [rows for _, rows in known]
    assert len({str(rows) for _, rows in known}) == 3


def _counted(db: Session, door: Door, until: int | None) -> list[tuple[Any, ...]]:
    statement = device_days.counted(door.organization_id, until_audit_number=until)
    return sorted(tuple(row) for row in db.connection().execute(statement))


def test_one_organization_does_not_see_the_days_of_another(
    door: Door, engine: Engine, settings: Settings, clock: Clock
) -> None:
    """Counting and rebuilding touch one organization only."""
    door.send(weight("r-1"))
    other = Door(engine, settings, new_organization(engine, clock.now()), clock.now())
    with transaction(engine) as db:
        device_days.rebuild(db, other.organization_id)
        assert device_day_rows(db, other.organization_id) == []
        assert len(device_day_rows(db, door.organization_id)) == 1


@FEW
@given(st.integers(min_value=-30_000, max_value=90_000))
def test_a_date_is_the_same_number_in_the_database(engine: Engine, step: int) -> None:
    """A date column becomes the day number that the ledger uses, also before 1970."""
    day = date(1970, 1, 1) + timedelta(days=step)
    statement = select(SqlDayNumber(literal(day, Date)))
    with reading(engine) as db:
        assert db.connection().execute(statement).scalar_one() == day_number(day) == step


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_readings_of_a_day_are_found_by_index(door: Door) -> None:
    """Counting one day anew does not walk through all readings of the organization."""
    statement = device_days.counted(
        door.organization_id, days=[(door.practice.new_id(), date(2026, 1, 1))]
    )
    text = statement.compile(door.engine, compile_kwargs={"literal_binds": True})
    with reading(door.engine) as db:
        plan = db.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all()
    assert any("ix_reading_organization_id_episode_id" in row.detail for row in plan), plan


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_version_that_supersedes_a_reading_is_found_by_index(door: Door) -> None:
    """Counting as known before looks each later version up, not all that was known by then."""
    statement = device_days.counted(door.organization_id, until_audit_number=9)
    text = statement.compile(door.engine, compile_kwargs={"literal_binds": True})
    with reading(door.engine) as db:
        plan = db.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all()
    looked_up = [row.detail for row in plan if row.detail.startswith("SEARCH later ")]
    assert len(looked_up) == 1
    assert "ix_reading_organization_id_supersedes_id" in looked_up[0]
