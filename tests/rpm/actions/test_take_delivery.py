"""Deliveries at the door: stored once, answered alike, their readings facts once for ever."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from intake_door import Door, body_of, signed, weight
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlmodel import col, select

from devices.delivery import Incoming, Parsed
from devices.vendors.generic import Generic
from rpm.access import Actor
from rpm.actions.authenticate_delivery import authenticate
from rpm.actions.correction_history import reading_history
from rpm.actions.manage_connections import RetireConnection, retire_connection
from rpm.actions.replay_dead_letters import ReplayDeadLetters, replay_dead_letters
from rpm.clock import Clock
from rpm.errors import NotAllowed, NotAuthentic
from rpm.settings import Settings
from rpm.store import device_days
from rpm.store.engine import reading, transaction
from rpm.store.scope import Scope
from rpm.store.tables.monitoring import (
    Delivery,
    DeliveryReplay,
    ReadingConflict,
    RejectedItem,
)
from rpm.store.tables.security import AuditEvent
from rpm.store.verify import verify_chain

DAY = date(2026, 1, 14)


@pytest.fixture
def door(engine: Engine, settings: Settings, actor: Actor, clock: Clock) -> Door:
    """A connection of an organization that has no devices yet."""
    return Door(engine, settings, actor, clock.now())


def _events(door: Door, action: str) -> int:
    with reading(door.engine) as db:
        found = db.exec(select(AuditEvent.number).where(col(AuditEvent.action) == action)).all()
    return len(found)


def _count(door: Door, table: Any) -> int:
    with reading(door.engine) as db:
        return len(db.exec(select(table)).all())


def test_a_reading_of_an_assigned_device_makes_its_day(door: Door) -> None:
    """An authentic reading is stored with patient, episode and local day, and counts."""
    episode_id = door.enrolled_with_scale()
    answer = door.send(weight("r-1"))
    (stored,) = door.readings()
    assert (answer.state, answer.items[0]["status"]) == ("read", "accepted")
    assert answer.items[0]["reading_id"] == str(stored.id)
    assert (stored.episode_id, stored.local_day, stored.zone) == (episode_id, DAY, "-05:00")
    assert (stored.measure, stored.kind, stored.countable) == ("weight", "scale", True)
    assert stored.received_day == date(2026, 1, 15)
    assert door.days() == {(DAY, ""): (1, 0)}


def test_the_same_delivery_is_stored_once_and_answered_alike(door: Door) -> None:
    """A delivery that is sent again adds nothing and gets the first answer."""
    door.enrolled_with_scale()
    first = door.post("msg-a", body_of(weight("r-1")))
    again = [door.post("msg-a", body_of(weight("r-1"))) for _ in range(3)]
    assert again == [first] * 3
    assert (_count(door, Delivery), len(door.readings())) == (1, 1)
    assert _events(door, "delivery.take") == 1


def test_a_reused_message_id_loses_nothing(door: Door) -> None:
    """Other content under a message id that was used before is another delivery."""
    door.enrolled_with_scale()
    door.post("msg-a", body_of(weight("r-1")))
    door.post("msg-a", body_of(weight("r-2", "2026-01-13T08:15:00-05:00")))
    assert len(door.readings()) == 2


def test_a_repeat_of_a_reading_changes_nothing(door: Door) -> None:
    """The same reading in later deliveries, also as the same number written otherwise, is one."""
    door.enrolled_with_scale()
    door.send(weight("r-1"))
    answer = door.send(weight("r-1", value="72.50"), weight("r-1", value="72500", unit="g"))
    assert [item["status"] for item in answer.items] == ["duplicate", "duplicate"]
    assert {item["reading_id"] for item in answer.items} == {str(door.readings()[0].id)}
    assert door.days() == {(DAY, ""): (1, 0)}


def test_repeats_within_one_batch_are_one_reading(door: Door) -> None:
    """A batch may hold a reading twice."""
    door.enrolled_with_scale()
    assert door.statuses(weight("r-1"), weight("r-1"), weight("r-2")) == [
        "accepted",
        "duplicate",
        "accepted",
    ]
    assert door.days() == {(DAY, ""): (2, 0)}


def test_a_correction_is_a_new_version(door: Door) -> None:
    """A reading sent as corrected supersedes the first one and may move its day."""
    door.enrolled_with_scale()
    door.send(weight("r-1"))
    fixed = weight("r-1", "2026-01-13T08:15:00-05:00", status="corrected")
    assert door.statuses(fixed) == ["corrected"]
    assert door.statuses(fixed, weight("r-1")) == ["duplicate", "duplicate"]
    first, second = door.readings()
    assert (second.version, second.supersedes_id) == (2, first.id)
    assert door.days() == {(date(2026, 1, 13), ""): (1, 0)}
    with reading(door.engine) as db:
        steps = reading_history(db, Scope.of(door.actor), second.id)
    assert [(one.part, one.undoes_id, one.local_day) for one in steps] == [
        ("original", None, DAY),
        ("version", first.id, date(2026, 1, 13)),
    ]
    assert steps[1].recorded_by.startswith("connection ")


def test_a_correction_in_the_same_batch(door: Door) -> None:
    """A correction may come in the batch of the reading that it corrects."""
    door.enrolled_with_scale()
    fixed = weight("r-1", value="73.1", status="corrected")
    assert door.statuses(weight("r-1"), fixed) == ["accepted", "corrected"]
    assert door.days() == {(DAY, ""): (1, 0)}


def test_a_reading_may_replace_another_in_any_order(
    engine: Engine, settings: Settings, clock: Clock, actor: Actor, other_actor: Actor
) -> None:
    """A replacement supersedes the reading that it names, also when it arrives first."""
    old = weight("r-1", "2026-01-12T08:00:00-05:00")
    new = weight("r-2", status="corrected", replaces="r-1")
    outcomes = []
    for owner, order in ((actor, [old, new]), (other_actor, [new, old])):
        door = Door(engine, settings, owner, clock.now())
        door.enrolled_with_scale()
        for item in order:
            door.send(item)
        qualifying = {day: counts for (day, word), counts in door.days().items() if not word}
        outcomes.append(qualifying)
    assert outcomes[0] == outcomes[1] == {DAY: (1, 0)}


def test_a_reading_that_replaces_itself_is_a_correction(door: Door) -> None:
    """Naming the own id as replaced takes nothing away, neither now nor at the next correction."""
    door.enrolled_with_scale()
    door.send(weight("r-1"))
    for value in ("73", "74"):
        fixed = weight("r-1", value=value, status="corrected", replaces="r-1")
        assert door.statuses(fixed) == ["corrected"]
        assert door.days() == {(DAY, ""): (1, 0)}


def test_a_correction_may_also_replace_another_reading(door: Door) -> None:
    """A known reading that is corrected and takes another's place leaves one of the two."""
    door.enrolled_with_scale()
    door.send(weight("r-1", "2026-01-12T08:00:00-05:00"), weight("r-2"))
    fixed = weight("r-2", value="73", status="corrected", replaces="r-1")
    assert door.statuses(fixed, fixed) == ["corrected", "duplicate"]
    assert [day for day, word in door.days() if not word] == [DAY]


def test_readings_that_replace_each_other_leave_one(door: Door) -> None:
    """Of two readings that each claim the other's place, the first to come counts."""
    door.enrolled_with_scale()
    door.send(weight("r-1", status="corrected", replaces="r-2"))
    assert door.statuses(weight("r-2", status="corrected", replaces="r-1")) == ["ignored"]
    assert door.days() == {(DAY, ""): (1, 0), (DAY, "excluded"): (0, 1)}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_chain_of_replacements_leaves_the_last(door: Door, order: tuple[int, ...]) -> None:
    """The third of three readings, each in the place of the one before, counts in any order."""
    door.enrolled_with_scale()
    chain = [
        weight("r-1", "2026-01-12T08:00:00-05:00"),
        weight("r-2", "2026-01-13T08:00:00-05:00", status="corrected", replaces="r-1"),
        weight("r-3", status="corrected", replaces="r-2"),
    ]
    for place in order:
        door.send(chain[place])
    assert [day for day, word in door.days() if not word] == [DAY]


def test_other_content_without_a_word_is_kept_beside_the_first(door: Door) -> None:
    """A silent difference changes nothing that counts; both are kept, the conflict once."""
    door.enrolled_with_scale()
    door.send(weight("r-1"))
    for _ in range(2):
        answer = door.send(weight("r-1", value="80.0"))
        assert answer.items[0]["status"] == "quarantined"
        assert answer.items[0]["reason"] == "conflict"
    assert len(door.readings()) == 1
    with reading(door.engine) as db:
        (conflict,) = db.exec(select(ReadingConflict)).all()
    assert conflict.content["components"][0]["original_value"] == "80.0"
    assert door.days() == {(DAY, ""): (1, 0)}


def test_a_deletion_by_the_sender_voids(door: Door) -> None:
    """A deleted reading no longer counts and is not revived by its own repeat."""
    door.enrolled_with_scale()
    gone = {**weight("r-1"), "status": "deleted", "components": []}
    door.send(weight("r-1"))
    assert door.statuses(gone) == ["corrected"]
    assert door.statuses(gone, weight("r-1")) == ["duplicate", "duplicate"]
    assert door.readings()[-1].status == "void"
    assert door.days() == {(DAY, "excluded"): (0, 1)}


def test_a_deletion_of_an_unknown_reading_is_ignored(door: Door) -> None:
    """A deletion that comes first counts nothing, and the reading after it does not either."""
    door.enrolled_with_scale()
    assert door.statuses({**weight("r-1"), "status": "deleted", "components": []}) == ["ignored"]
    assert door.statuses(weight("r-1")) == ["quarantined"]
    assert door.days() == {(DAY, "excluded"): (0, 1)}


def test_an_unknown_device_waits_and_is_attached_by_measurement_time(door: Door) -> None:
    """Readings of an unknown device wait; registering and assigning it attaches those it covers."""
    patient_id, episode_id = door.practice.enrolled()
    early = weight("r-1", "2026-01-09T08:00:00-05:00")
    answer = door.send(early, weight("r-2"))
    assert [item["reason"] for item in answer.items] == ["unknown_device"] * 2
    assert [item["status"] for item in answer.items] == ["quarantined"] * 2
    assert door.days() == {}
    device_id = door.device()
    door.assign(device_id, patient_id, episode_id, datetime(2026, 1, 10, tzinfo=UTC))
    assert door.days() == {(DAY, ""): (1, 0)}
    latest = {row.vendor_reading_id: row for row in door.readings()}
    assert (latest["r-1"].reason_code, latest["r-1"].episode_id) == ("before_assignment", None)
    assert (latest["r-2"].reason_code, latest["r-2"].episode_id) == ("", episode_id)
    assert door.statuses(early, weight("r-2")) == ["duplicate", "duplicate"]


def test_an_attached_reading_keeps_its_arrival(door: Door) -> None:
    """A reading that waited for its device reached us when it arrived, not when it was attached."""
    patient_id, episode_id = door.practice.enrolled()
    door.send(weight("r-1"))
    arrived = door.now
    door.now += timedelta(days=20)
    door.assign(door.device(), patient_id, episode_id)
    assert door.readings()[-1].received_at == arrived
    assert door.readings()[-1].episode_id == episode_id


def test_an_unknown_device_gives_the_day_of_the_patient_once_known(door: Door) -> None:
    """Without an offset of the device, an attached reading's day is that of the patient's zone."""
    patient_id = door.practice.patient(timezone="America/Los_Angeles")
    episode_id = door.practice.episode(patient_id)
    door.send(weight("r-1", "2026-01-14T06:30:00-00:00"))
    assert door.readings()[0].local_day == date(2026, 1, 14)
    door.assign(door.device(), patient_id, episode_id)
    assert door.days() == {(date(2026, 1, 13), ""): (1, 0)}


def test_a_reassigned_device_gives_stored_readings_to_the_first_patient(door: Door) -> None:
    """Readings from memory that arrive after a hand-over belong to who had the device then."""
    device_id = door.device()
    first, second = door.practice.enrolled(), door.practice.enrolled()
    handed_over = datetime(2026, 1, 10, tzinfo=UTC)
    association_id = door.assign(device_id, *first)
    door.take_back(association_id, handed_over)
    door.assign(device_id, *second, from_at=handed_over)
    door.send(weight("r-1", "2026-01-05T08:00:00-05:00"), weight("r-2"))
    assert [row.episode_id for row in door.readings()] == [first[1], second[1]]


def test_a_return_recorded_late_lets_readings_go(door: Door) -> None:
    """Readings measured after a return that is recorded later leave the patient's days."""
    device_id = door.device()
    association_id = door.assign(device_id, *door.practice.enrolled())
    door.send(weight("r-1"), weight("r-2", "2026-01-09T08:00:00-05:00"))
    door.take_back(association_id, datetime(2026, 1, 10, tzinfo=UTC))
    assert door.days() == {(date(2026, 1, 9), ""): (1, 0)}
    assert door.readings()[-1].reason_code == "after_return"


@pytest.mark.parametrize(
    ("measured_at", "reason"),
    [
        ("2026-01-18T08:00:00-05:00", "time_suspect"),
        ("2000-01-01T08:00:00-05:00", "time_suspect"),
        ("1970-01-02T08:00:00-05:00", "time_suspect"),
        ("2025-10-01T08:00:00-05:00", "before_assignment"),
    ],
)
def test_times_that_cannot_be_are_kept_and_never_count(
    door: Door, measured_at: str, reason: str
) -> None:
    """A reading from the future, of a reset clock or before the assignment waits for a person."""
    door.enrolled_with_scale()
    answer = door.send(weight("r-1", measured_at))
    assert answer.items[0] | {"reading_id": ""} == {
        "id": "r-1",
        "status": "quarantined",
        "reading_id": "",
        "reason": reason,
    }
    assert [row.countable for row in door.readings()] == [False]
    assert all(qualifying == 0 for qualifying, _ in door.days().values())


def test_an_impossible_value_is_kept_and_listed(door: Door) -> None:
    """A weight beyond all measure is stored, marked and refused."""
    door.enrolled_with_scale()
    assert door.statuses(weight("r-1", value="7250")) == ["quarantined"]
    assert door.days() == {(DAY, "out_of_range"): (0, 1)}


def test_another_unit_is_converted_and_an_unknown_one_kept_as_rejected(door: Door) -> None:
    """Pounds become kilograms; stones are kept as a rejected item with its reason."""
    door.enrolled_with_scale()
    pounds = weight("r-1", value="160", unit="lb")
    answer = door.send(pounds, weight("r-2", value="11", unit="stone"))
    assert [item["status"] for item in answer.items] == ["accepted", "quarantined"]
    assert answer.items[1]["reason"] == "unit"
    (stored,) = door.readings()
    assert stored.components[0]["value"] == "72.5747792"
    assert stored.components[0]["original_unit"] == "lb"
    with reading(door.engine) as db:
        (rejected,) = db.exec(select(RejectedItem)).all()
    assert (rejected.place, rejected.reason) == ("readings[1]", "unit")


def test_false_is_not_a_number(door: Door) -> None:
    """A boolean as a value is rejected, never read as 0."""
    door.enrolled_with_scale()
    answer = door.send(weight("r-1", value=False), weight("r-2"))
    assert [item["status"] for item in answer.items] == ["quarantined", "accepted"]
    assert len(door.readings()) == 1


def test_manual_and_unlisted_readings_are_refused_by_their_word(door: Door) -> None:
    """Typed-in values and devices that are not listed stand as refused on their day."""
    door.enrolled_with_scale()
    door.send(weight("r-1", entry_method="manual"))
    assert door.days() == {(DAY, "manual_entry"): (0, 1)}


def test_cgm_and_meter_are_kinds_of_their_own(door: Door) -> None:
    """Sensor glucose and finger-stick glucose of one device are counted apart."""
    door.enrolled_with_scale()
    kinds = (("glucose", "41653-7"), ("glucose_cgm", "99504-3"))
    door.send(
        *(
            weight(f"r-{kind}", kind=kind)
            | {"components": [{"code": code, "value": "110", "unit": "mg/dL"}]}
            for kind, code in kinds
        )
    )
    with reading(door.engine) as db:
        rows = db.execute(device_days.counted(door.organization_id)).all()
    assert sorted(row.kind for row in rows) == ["cgm", "glucose"]


@pytest.mark.parametrize("change", ["secret", "body", "time", "token", "vendor", "retired"])
def test_a_delivery_that_is_not_authentic_is_refused_alike(door: Door, change: str) -> None:
    """A wrong secret, body, time, address or vendor is refused, and nothing is stored."""
    body = body_of(weight("r-1"))
    secret = "whsec_" + "A" * 44 if change == "secret" else door.secret
    at = door.now - timedelta(minutes=6) if change == "time" else door.now
    headers = signed(secret, "msg-1", at, body)
    body = body + b" " if change == "body" else body
    token = "unknown" if change == "token" else door.token
    vendor = "other" if change == "vendor" else "generic"
    if change == "retired":
        with transaction(door.engine) as db:
            command = RetireConnection(connection_id=door.connection.id, reason="vendor changed")
            retire_connection(db, door.actor, door.now, command)
    with reading(door.engine) as db, pytest.raises(NotAuthentic) as refused:
        authenticate(db, door.ring, door.now, vendor, token, Incoming(headers, body))
    assert refused.value.message == "the delivery is not authentic"
    assert _count(door, Delivery) == 0


def test_listed_headers_are_kept_and_no_other(door: Door) -> None:
    """A delivery keeps its content type and message id; signatures and cookies are not stored."""
    body = body_of(weight("r-1"))
    headers = signed(door.secret, "msg-1", door.now, body) | {"Cookie": "a=b", "User-Agent": "kit"}
    door.take(Incoming(headers, body))
    with reading(door.engine) as db:
        (stored,) = db.exec(select(Delivery)).all()
    assert set(stored.headers) == {
        "content-type",
        "user-agent",
        "webhook-id",
        "webhook-timestamp",
    }
    assert stored.body == body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b'{"readings": []}',
        b"[" * 10_000,
        b'{"readings": [{"id": NaN}]}',
        b'{"readings": [], "readings": []}',
        b"\xff\xfe{}",
        b"\x1f\x8b\x08\x00broken",
    ],
)
def test_an_authentic_body_that_cannot_be_read_waits_as_a_dead_letter(
    door: Door, body: bytes
) -> None:
    """Hostile or broken bodies are stored as they came, with a reason that holds none of them."""
    answer = door.post("msg-1", body)
    assert (answer.state, answer.items) == ("dead_letter", ())
    with reading(door.engine) as db:
        (stored,) = db.exec(select(Delivery)).all()
    assert stored.body == body
    assert stored.problem


class _Faulty(Generic):
    """A format whose reader fails on what it should read."""

    def parse(self, body: bytes, settings: Mapping[str, Any]) -> Parsed:
        """Fails as a program with a fault does."""
        raise KeyError(len(body))


def _replay(door: Door, **chosen: Any) -> list[tuple[str, int]]:
    with transaction(door.engine) as db:
        outcome = replay_dead_letters(db, door.actor, door.now, ReplayDeadLetters(**chosen))
    return [(done.state, done.items) for done in outcome.replayed]


def test_a_dead_letter_is_replayed_once_its_format_can_be_read(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of a reader loses nothing: after the fix the readings count from their arrival."""
    door.enrolled_with_scale()
    arrived, body = door.now, body_of(weight("r-1"))
    with monkeypatch.context() as before_the_fix:
        before_the_fix.setattr("rpm.actions.take_delivery.VENDORS", {"generic": _Faulty()})
        assert door.post("msg-1", body).state == "dead_letter"
        assert _replay(door) == [("dead_letter", 0)]
    door.now += timedelta(days=2)
    assert _replay(door, received_before=arrived) == []
    assert _replay(door, vendor="generic", received_from=arrived) == [("read", 1)]
    assert _replay(door) == []
    assert door.readings()[0].received_at == arrived
    assert door.days() == {(DAY, ""): (1, 0)}
    door.now = arrived
    assert door.post("msg-1", body).items[0]["status"] == "accepted"
    assert (_count(door, Delivery), _count(door, DeliveryReplay)) == (1, 2)


def test_a_replay_needs_its_permission_and_stays_in_its_organization(
    door: Door, other_actor: Actor
) -> None:
    """Another organization replays nothing of ours, and without the permission nobody does."""
    door.post("msg-1", b"{")
    with transaction(door.engine) as db:
        assert replay_dead_letters(db, other_actor, door.now, ReplayDeadLetters()).replayed == ()
        reader = Actor(door.organization_id, None, None, "auditor", frozenset(), "A")
        with pytest.raises(NotAllowed):
            replay_dead_letters(db, reader, door.now, ReplayDeadLetters())


def test_a_batch_of_a_thousand_takes_a_handful_of_statements(door: Door) -> None:
    """The number of statements does not grow with the number of readings."""
    door.enrolled_with_scale()
    counts = []
    for size in (10, 1_000):
        start = datetime(2026, 1, 2, 12, tzinfo=UTC)
        sent = [
            weight(f"{size}-{step}", (start + timedelta(minutes=step)).isoformat())
            for step in range(size)
        ]
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any, to: Any = seen) -> None:
            to.append(statement)

        event.listen(door.engine, "before_cursor_execute", note)
        assert set(door.statuses(*sent)) == {"accepted"}
        event.remove(door.engine, "before_cursor_execute", note)
        counts.append(len(seen))
    assert counts[1] <= counts[0] + 2
    assert counts[1] < 40


def test_what_was_recorded_verifies(door: Door) -> None:
    """The chain covers deliveries, readings, conflicts, rejected items and replays."""
    door.enrolled_with_scale()
    door.send(weight("r-1"), weight("r-2", unit="stone"))
    door.send(weight("r-1", value="80"), weight("r-1", value="81", status="corrected"))
    door.post("msg-x", json.dumps([1]).encode())
    with transaction(door.engine) as db:
        replay_dead_letters(db, door.actor, door.now, ReplayDeadLetters())
    with reading(door.engine) as db:
        assert verify_chain(db, door.organization_id) == []
