"""Swaps and returns: one action, no gap, no overlap, and each reading to whoever had the device."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from intake_door import Door, weight
from practice import Practice
from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.actions.end_episode import EndEpisode, end_episode
from rpm.actions.register_device import RegisterDevice, register_device
from rpm.actions.report_device import ReportDevice, report_device
from rpm.actions.swap_device import ReturnDevice, SwapDevice, return_device, swap_device
from rpm.clock import Clock
from rpm.errors import Conflict, InvalidRequest, NotAllowed, NotFound, ServiceError
from rpm.settings import Settings
from rpm.store.engine import reading, transaction
from rpm.store.queries.device_state import InventoryFilter
from rpm.store.queries.episodes import associations
from rpm.store.queries.inventory import inventory_of
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import Device, Reading


def swap(practice: Practice, old: Device, new: Device, **changes: Any) -> SwapDevice:
    """The old device is replaced two days ago."""
    content: dict[str, Any] = {
        "device_id": old.id,
        "new_device_id": new.id,
        "at": practice.now - timedelta(days=2),
        "reason": "cuff broke",
    }
    return SwapDevice(**(content | changes))


def test_a_swap_leaves_neither_gap_nor_overlap(practice: Practice) -> None:
    """The old association ends at the very instant at which the new one begins, in one event."""
    old, new = practice.register_device(), practice.register_device()
    held = practice.associate(old, practice.enroll())
    command = swap(practice, old, new)
    begun = swap_device(practice.db, practice.actor, practice.now, command)
    scope = Scope.of(practice.actor)
    first, second = associations(practice.db, scope, episode_id=held.episode_id)
    assert (first.association.device_id, first.to_at) == (old.id, command.at)
    assert (second.association.device_id, second.association.from_at) == (new.id, command.at)
    assert (first.end_reason, second.to_at) == ("cuff broke", None)
    assert begun.patient_id == held.patient_id
    event = practice.last_event()
    assert (event.action, event.reason) == ("device.swap", "cuff broke")
    assert event.subject["new_device_id"] == new.id.hex


@pytest.mark.parametrize(
    ("changes", "error", "where"),
    [
        ({"at": timedelta(seconds=1)}, InvalidRequest, "at"),
        ({"at": timedelta(days=-11)}, InvalidRequest, "at"),
        ({"new": "old"}, InvalidRequest, "new_device_id"),
        ({"new": "scale"}, InvalidRequest, "new_device_id"),
        ({"new": "taken"}, Conflict, None),
        ({"old": "spare"}, Conflict, None),
    ],
    ids=["ahead", "before it came", "itself", "other kind", "with somebody", "with nobody"],
)
def test_a_swap_that_cannot_be_is_refused(
    practice: Practice, changes: dict[str, Any], error: type[ServiceError], where: str | None
) -> None:
    """Nothing is recorded of a swap that would not be one."""
    named = {"old": practice.register_device(), "stock": practice.register_device()}
    named |= {"scale": practice.register_device(kind="scale"), "taken": practice.register_device()}
    named["spare"] = practice.register_device()
    practice.associate(named["old"], practice.enroll())
    practice.associate(named["taken"], practice.enroll())
    old, new = named[changes.get("old", "old")], named[changes.get("new", "stock")]
    at = practice.now + changes.get("at", timedelta(days=-2))
    with practice.refused(error) as caught:
        swap_device(practice.db, practice.actor, practice.now, swap(practice, old, new, at=at))
    if where is not None:
        assert isinstance(caught.value, InvalidRequest)
        assert [finding.where for finding in caught.value.findings] == [where]


def test_nobody_swaps_after_the_episode_or_without_permission(practice: Practice) -> None:
    """An episode that is over gets no other device; strangers and readers change nothing."""
    old, new = practice.register_device(), practice.register_device()
    episode = practice.enroll()
    practice.associate(old, episode)
    command = swap(practice, old, new)
    for actor, error in (
        (practice.without("episodes:write"), NotAllowed),
        (practice.stranger, NotFound),
    ):
        with practice.refused(error):
            swap_device(practice.db, actor, practice.now, command)
    end = EndEpisode(episode_id=episode.id, last_day=date(2026, 1, 8), end_reason="goals_met")
    end_episode(practice.db, practice.actor, practice.now, end)
    with practice.refused(InvalidRequest):
        swap_device(practice.db, practice.actor, practice.now, command)


def test_a_device_that_came_back_can_be_given_out_again(practice: Practice) -> None:
    """A return needs no more than the device; who has nobody cannot come back."""
    device, first, second = practice.register_device(), practice.enroll(), practice.enroll()
    practice.associate(device, first)
    at = practice.now - timedelta(days=10)
    command = ReturnDevice(device_id=device.id, at=at, reason="goals met")
    with practice.refused(InvalidRequest):
        early = command.model_copy(update={"at": at - timedelta(seconds=1)})
        return_device(practice.db, practice.actor, practice.now, early)
    ended = return_device(practice.db, practice.actor, practice.now, command)
    assert (ended.to_at, ended.reason) == (at, "goals met")
    with practice.refused(Conflict):
        return_device(practice.db, practice.actor, practice.now, command)
    assert practice.associate(device, second).patient_id == second.patient_id


def test_a_device_is_registered_under_one_spelling_of_its_imei(practice: Practice) -> None:
    """The number without its check digit is the same device, of one vendor only."""
    command = RegisterDevice(
        vendor="bodytrace",
        vendor_device_id="013554001234567",
        kind="scale",
        fda_listed=True,
        automatic=True,
    )
    register_device(practice.db, practice.actor, practice.now, command)
    short = command.model_copy(update={"vendor_device_id": "1355400123456"})
    with practice.refused(Conflict):
        register_device(practice.db, practice.actor, practice.now, short)
    other = short.model_copy(update={"vendor": "telli"})
    assert register_device(practice.db, practice.actor, practice.now, other)


class Reassigned:
    """A scale that went from one patient to another, and the door it sends through."""

    def __init__(self, door: Door, changed_at: datetime) -> None:
        self.door, self.changed_at = door, changed_at
        self.first, self.second = door.practice.enrolled(), door.practice.enrolled()
        self.device_id = door.device()
        door.assign(self.device_id, *self.first)

    def patients(self) -> dict[str, UUID | None]:
        """Whose each reading is as it stands now, by the sender's id."""
        latest: dict[str, Reading] = {}
        for row in self.door.readings():
            latest[str(row.vendor_reading_id)] = row
        return {name: row.patient_id for name, row in latest.items()}


@pytest.fixture
def reassigned(engine: Engine, settings: Settings, actor: Actor, clock: Clock) -> Reassigned:
    """On January 12 the scale went from A to B."""
    changed_at = datetime(2026, 1, 12, 17, tzinfo=UTC)
    story = Reassigned(Door(engine, settings, actor, clock.now()), changed_at)
    with transaction(engine) as db:
        command = ReturnDevice(device_id=story.device_id, at=changed_at, reason="goals met")
        return_device(db, actor, clock.now(), command)
    story.door.assign(story.device_id, *story.second, from_at=changed_at)
    return story


def test_stored_readings_go_to_who_had_the_device_then(reassigned: Reassigned) -> None:
    """A's readings arrive from the device's memory when B has it: they are A's, later ones B's."""
    old = [weight(f"a-{day}", f"2026-01-{day:02}T08:00:00-05:00") for day in range(6, 12)]
    statuses = reassigned.door.statuses(
        *old,
        weight("a-last", "2026-01-12T11:59:59-05:00"),
        weight("b-first", "2026-01-12T12:00:00-05:00"),
        weight("b-next", "2026-01-13T08:00:00-05:00"),
    )
    assert statuses == ["accepted"] * 9
    a, b = reassigned.first[0], reassigned.second[0]
    assert reassigned.patients() == {
        **{f"a-{day}": a for day in range(6, 12)},
        "a-last": a,
        "b-first": b,
        "b-next": b,
    }
    assert sum(counted for counted, _ in reassigned.door.days().values()) > 0


def test_a_swap_divides_what_was_received_already(
    engine: Engine, settings: Settings, actor: Actor, clock: Clock
) -> None:
    """What the new device measured before it was recorded follows; the old one's is let go."""
    door = Door(engine, settings, actor, clock.now())
    patient, episode = door.practice.enrolled()
    old, new = door.device(), door.device("scale-2")
    door.assign(old, patient, episode)
    door.send(
        weight("old-before", "2026-01-12T08:00:00-05:00"),
        weight("old-after", "2026-01-14T08:00:00-05:00"),
        weight("new-before", "2026-01-12T08:05:00-05:00", device_id="scale-2"),
        weight("new-after", "2026-01-14T08:05:00-05:00", device_id="scale-2"),
    )
    with transaction(engine) as db:
        at = datetime(2026, 1, 13, 15, tzinfo=UTC)
        command = SwapDevice(device_id=old, new_device_id=new, at=at, reason="battery dead")
        swap_device(db, actor, clock.now(), command)
    latest = {str(row.vendor_reading_id): row for row in door.readings()}
    assert {name: row.reason_code for name, row in latest.items()} == {
        "old-before": "",
        "old-after": "after_return",
        "new-before": "before_assignment",
        "new-after": "",
    }
    with reading(engine) as db:
        held = associations(db, Scope.of(actor), episode_id=episode)
    assert [state.to_at for state in held] == [at, None]


def report(device: Device, condition: str, at: datetime) -> ReportDevice:
    """A report about a device."""
    return ReportDevice(device_id=device.id, condition=condition, at=at, reason="as told")


@pytest.mark.parametrize("condition", ["lost", "broken"])
def test_a_lost_or_broken_device_leaves_its_patient_and_is_given_to_nobody(
    practice: Practice, condition: str
) -> None:
    """Its association ends with the report; it is given out again once it works."""
    db, actor, now = practice.db, practice.actor, practice.now
    device, spare, scope = practice.register_device(), practice.register_device(), Scope.of(actor)
    episode = practice.enroll()
    held = practice.associate(device, episode)
    at = now - timedelta(hours=5)
    report_device(db, actor, now, report(device, condition, at))
    (state,) = associations(db, scope, episode_id=held.episode_id)
    assert (state.to_at, state.end_reason) == (at, "as told")
    event = practice.last_event()
    assert (event.action, event.subject["condition"]) == ("device.report", condition)
    (found,) = inventory_of(db, scope, now, InventoryFilter(status=condition))
    assert (found.device.id, found.status) == (device.id, condition)
    with pytest.raises(Conflict, match=f"reported {condition}"):
        practice.associate(device, episode)
    practice.associate(spare, episode)
    with pytest.raises(Conflict, match=f"reported {condition}"):
        swap_device(db, actor, now, swap(practice, spare, device, at=now))
    with pytest.raises(Conflict, match="known to be so"):
        report_device(db, actor, now, report(device, condition, at))
    report_device(db, actor, now, report(device, "working", now))
    assert inventory_of(db, scope, now, InventoryFilter(status=condition)) == []
    (again,) = inventory_of(db, scope, now, InventoryFilter(status="in_stock"))
    assert again.device.id == device.id
    swap_device(db, actor, now, swap(practice, spare, device, at=now, old_condition="broken"))
    (broken,) = inventory_of(db, scope, now, InventoryFilter(status="broken"))
    assert broken.device.id == spare.id


@pytest.mark.parametrize(
    ("condition", "hours", "error"),
    [("lost", 1, InvalidRequest), ("lost", -24 * 30, InvalidRequest), ("working", 0, Conflict)],
    ids=["ahead", "before it came", "it works"],
)
def test_a_report_that_cannot_be(
    practice: Practice, condition: str, hours: int, error: type[ServiceError]
) -> None:
    """Not from an instant ahead, nor before the patient had it, nor of what is known anyway."""
    device = practice.register_device()
    practice.associate(device, practice.enroll())
    at = practice.now + timedelta(hours=hours)
    with pytest.raises(error):
        report_device(practice.db, practice.actor, practice.now, report(device, condition, at))


def test_what_a_lost_device_measures_makes_no_day(
    engine: Engine, settings: Settings, actor: Actor, clock: Clock
) -> None:
    """Readings after the loss are let go, and wait as those of a returned device."""
    door = Door(engine, settings, actor, clock.now())
    door.enrolled_with_scale()
    door.send(weight("r-1"), weight("r-2", "2026-01-14T09:15:00-05:00"))
    with transaction(engine) as db:
        (device,) = Scope.of(actor).all_of(db, Device)
        at = datetime(2026, 1, 14, 14, tzinfo=UTC)
        report_device(db, actor, clock.now(), report(device, "lost", at))
    assert door.readings()[-1].reason_code == "after_return"
    assert door.days()[date(2026, 1, 14), ""] == (1, 0)
