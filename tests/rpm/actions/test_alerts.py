"""Alerts in the record: limits, looking, repeats, answers and escalation; on both engines."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from intake_door import Door
from ledger_practice import Practice
from sqlalchemy.engine import Engine
from sqlmodel import col

from rpm.access import PERMISSIONS, Actor, system_actor
from rpm.actions.answer_alert import (
    AnswerAlert,
    alert_with_steps,
    answer_alert,
    escalate_alerts,
)
from rpm.actions.evaluate_alerts import Look, evaluate_alerts, next_look, settle
from rpm.actions.manage_limits import (
    AdoptPoints,
    EndLimit,
    SetLimit,
    adopt_points,
    end_limit,
    set_limit,
)
from rpm.actions.verify import verify_record
from rpm.actions.watch_silence import watch_silence
from rpm.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from rpm.settings import Settings
from rpm.store.engine import reading, transaction
from rpm.store.queries.alerts import (
    AlertFilter,
    AlertState,
    earliest_limit,
    list_alerts,
    looked_through,
)
from rpm.store.scope import Scope
from rpm.store.tables.alerts import Alert, AlertLimit
from rpm.store.tables.inventory import DeviceContact
from rpm.store.tables.monitoring import Device, DeviceAssociation, Reading
from tests.conftest import FixedClock

SYSTOLIC = "8480-6"


class Ward:
    """A practice with one patient, whose readings and limits a test adds."""

    def __init__(self, engine: Engine, actor: Actor, clock: FixedClock) -> None:
        self.engine, self.actor, self.clock = engine, actor, clock
        self.practice = Practice(engine, actor, clock.now())
        self.patient_id, self.episode_id = self.practice.enrolled()
        self.service = system_actor(actor.organization_id, "test")

    def limit(self, value: str = "180", **changes: Any) -> AlertLimit:
        """A red limit above a systolic pressure, unless said otherwise."""
        fields: dict[str, Any] = {
            "kind": "bp",
            "quantity": "systolic",
            "comparison": "above",
            "band": "red",
            "value": value,
            "reason": "ordered",
        }
        with transaction(self.engine) as db:
            command = SetLimit(**(fields | changes))
            return set_limit(db, self.actor, self.clock.now(), command)

    def measured(self, systolic: str, minutes_ago: float = 5, **changes: Any) -> Reading:
        """A reading that was taken some minutes ago and comes now."""
        now = self.clock.now()
        self.practice.now = now
        at = now - timedelta(minutes=minutes_ago)
        row = self.practice.reading(
            self.patient_id,
            self.episode_id,
            at.date(),
            measure="bp",
            components=[{"loinc": SYSTOLIC, "value": systolic, "ucum": "mm[Hg]"}],
            measured_at=at,
            received_at=now,
            **changes,
        )
        self.practice.record(row)
        return row

    def look(self) -> list[Alert]:
        """What the job opens now."""
        return evaluate_alerts(self.engine, self.service, self.clock.now())

    def alerts(self, **chosen: Any) -> list[AlertState]:
        """The alerts on record."""
        with reading(self.engine) as db:
            scope = Scope.of(self.actor)
            return list_alerts(db, scope, AlertFilter(**chosen), after=None, limit=100)

    def answer(self, alert: Alert, step: str, note: str | None = "done") -> AlertState:
        """A person answers."""
        with transaction(self.engine) as db:
            command = AnswerAlert(alert_id=alert.id, step=step, note=note)
            return answer_alert(db, self.actor, self.clock.now(), command)


@pytest.fixture
def ward(engine: Engine, actor: Actor, clock: FixedClock) -> Ward:
    """The practice and its patient."""
    return Ward(engine, actor, clock)


def test_without_limits_nothing_alerts(ward: Ward) -> None:
    """A practice that adopted nothing gets no alert, and the position moves on all the same."""
    ward.measured("250")
    assert ward.look() == []
    with reading(ward.engine) as db:
        before = looked_through(db, Scope.of(ward.actor))
    ward.limit()
    assert before > 0
    assert ward.look() == []  # a limit looks at what comes after it


def test_an_alert_states_value_limit_and_both_times(ward: Ward) -> None:
    """It is opened once, however often anyone looks, and the record verifies."""
    limit = ward.limit()
    row = ward.measured("191", minutes_ago=50)
    (opened,) = ward.look()
    assert ward.look() == []
    (held,) = ward.alerts()
    alert = held.alert
    assert (alert.value, alert.comparison, alert.limit_value, alert.unit) == (
        "191",
        ">",
        "180",
        "mm[Hg]",
    )
    assert (alert.measured_at, alert.received_at) == (row.measured_at, row.received_at)
    assert (alert.reading_id, alert.limit_id, alert.level) == (row.id, limit.id, "alert")
    assert (held.state, held.told, opened.id) == ("open", ["clinical_staff"], alert.id)
    with reading(ward.engine) as db:
        assert verify_record(db, ward.service) == []


def test_a_second_look_at_the_same_portion_changes_nothing(ward: Ward) -> None:
    """Two that look at once, or one that was cut off before it wrote: opened once."""
    ward.limit()
    ward.measured("191")
    with reading(ward.engine) as db:
        looks = [next_look(db, Scope.of(ward.actor), ward.clock.now()) for _ in range(2)]
    opened = []
    for look in looks:
        assert look is not None
        with transaction(ward.engine) as db:
            opened += settle(db, ward.service, ward.clock.now(), look)
    assert len(opened) == 1
    assert ward.look() == []


def cut_off(ward: Ward, look: Look) -> None:
    """Write what a look found, and fail before the commit."""
    with transaction(ward.engine) as db:
        settle(db, ward.service, ward.clock.now(), look)
        raise RuntimeError


def test_a_look_that_fails_while_writing_is_done_again(ward: Ward) -> None:
    """Position and alerts are one transaction: neither without the other."""
    ward.limit()
    ward.measured("191")
    with reading(ward.engine) as db:
        look = next_look(db, Scope.of(ward.actor), ward.clock.now())
    assert look is not None
    with pytest.raises(RuntimeError):
        cut_off(ward, look)
    assert ward.alerts() == []
    assert len(ward.look()) == 1


def test_history_before_the_first_limit_is_not_looked_at(ward: Ward) -> None:
    """What was recorded before the first limit is passed over at once, however much it is."""
    ward.measured("191")
    ward.limit()
    with reading(ward.engine) as db:
        first = earliest_limit(db, Scope.of(ward.actor))
        look = next_look(db, Scope.of(ward.actor), ward.clock.now())
    assert first is not None
    assert look == Look(0, first - 1, [])
    ward.measured("192")
    assert [alert.value for alert in ward.look()] == ["192"]


def test_an_unreadable_delivery_alerts_without_a_limit(ward: Ward, settings: Settings) -> None:
    """The administrators are told once a day for each connection; what waits for long is a note."""
    door = Door(ward.engine, settings, ward.actor, ward.clock.now())
    for number in range(2):
        door.post(f"message-{number}", f"not json {number}".encode())
    first, second = ward.look()
    assert (first.subject, first.level, first.route) == ("dead_letter", "alert", ["practice_admin"])
    assert (second.level, second.repeats_id) == ("repeat", first.id)
    assert ward.look() == []


def test_portions_reach_everything(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many readings are looked at in portions, and a run across two of them is seen."""
    monkeypatch.setattr("rpm.actions.evaluate_alerts.READINGS_AT_ONCE", 2)
    ward.limit(in_a_row=3, suppress_hours=0)
    for minutes in range(5):
        ward.measured("190", minutes_ago=60 - minutes)
    assert [alert.level for alert in ward.look()] == ["alert"] * 3


def test_a_late_reading_is_only_a_note(ward: Ward) -> None:
    """Older than a day when it came: written down, never told or escalated."""
    ward.limit()
    ward.measured("191", minutes_ago=25 * 60)
    (note,) = ward.look()
    assert (note.level, note.detail["age_hours"]) == ("note", 25)
    ward.clock.advance(days=3)
    assert escalate_alerts(ward.engine, ward.service, ward.clock.now()) == []


def test_what_does_not_count_may_alert(ward: Ward) -> None:
    """A typed-in and a quarantined reading alert; a taken-back one and a control do not."""
    ward.limit(suppress_hours=0)
    for code in ("manual_entry", "out_of_range", "void", "control_solution", "vendor_test"):
        word = "manual_entry" if code == "manual_entry" else "other"
        ward.measured("191", countable=False, reason_code=code, refused_reason=word)
    found = ward.look()
    assert [alert.detail["reason_code"] for alert in found] == ["manual_entry", "out_of_range"]
    assert not found[0].detail["counts_for_billing"]


def test_a_corrected_reading_does_not_alert_twice(ward: Ward) -> None:
    """A new version of a reading that alerted opens nothing; the old version is not looked at."""
    ward.limit(suppress_hours=0)
    first = ward.measured("191", identity_key="one")
    assert len(ward.look()) == 1
    ward.measured("195", identity_key="one", version=2, supersedes_id=first.id)
    assert ward.look() == []


def test_a_reading_that_a_person_excluded_is_not_looked_at(ward: Ward) -> None:
    """It was a visitor's."""
    ward.limit()
    ward.practice.exclude(ward.measured("191"))
    assert ward.look() == []


def test_a_repeat_is_kept_as_such(ward: Ward) -> None:
    """While an alert stands another one within its hours repeats it; closed or later it is new."""
    ward.limit(suppress_hours=4)
    ward.measured("191", 9)
    ward.measured("192", 8)
    first, second = ward.look()
    assert (first.level, second.level, second.repeats_id) == ("alert", "repeat", first.id)
    ward.clock.advance(hours=1)
    ward.measured("193")
    assert [alert.level for alert in ward.look()] == ["repeat"]
    assert ward.alerts(level="alert")[0].repeats == 2
    ward.answer(first, "closed")
    ward.measured("194", 1)
    (again,) = ward.look()
    assert again.level == "alert"
    ward.clock.advance(hours=4)
    ward.measured("195")
    assert [alert.level for alert in ward.look()] == ["alert"]
    with pytest.raises(Conflict):
        ward.answer(second, "acknowledged")


def test_a_patients_own_limit_takes_the_place_of_the_practices(ward: Ward) -> None:
    """The same rule at another value, or ended for this patient; others keep the practice's."""
    ward.limit("180")
    ward.limit("200", patient_id=ward.patient_id)
    ward.measured("191")
    assert ward.look() == []
    ward.measured("201")
    assert [alert.limit_value for alert in ward.look()] == ["200"]
    with transaction(ward.engine) as db:
        ended = EndLimit(
            patient_id=ward.patient_id, rule="bp.systolic.high.red", reason="in hospital"
        )
        end_limit(db, ward.actor, ward.clock.now(), ended)
    ward.measured("250")
    assert ward.look() == []


def test_limits_are_superseded_not_edited(ward: Ward) -> None:
    """Who set a limit, when and why stays on record, also after it ended."""
    ward.limit("180", reason="first")
    ward.clock.advance(hours=1)
    ward.limit("170", reason="second")
    with transaction(ward.engine) as db:
        ended = EndLimit(rule="bp.systolic.high.red", reason="third")
        end_limit(db, ward.actor, ward.clock.now(), ended)
        with pytest.raises(InvalidRequest):
            end_limit(db, ward.actor, ward.clock.now(), ended)
    with reading(ward.engine) as db:
        rows = Scope.of(ward.actor).all_of(db, AlertLimit)
    assert [(row.reason, row.active, row.set_by) for row in rows] == [
        ("first", True, "Ada Admin"),
        ("second", True, "Ada Admin"),
        ("third", False, "Ada Admin"),
    ]


def test_points_are_adopted_by_name(ward: Ward) -> None:
    """A practice takes published points as its own, each told where it comes from."""
    weight, glucose = "heart-failure-weight-day", "clinic-glucose-low"
    with transaction(ward.engine) as db:
        command = AdoptPoints(points=[weight, glucose], band="amber", reason="decided")
        rows = adopt_points(db, ward.actor, ward.clock.now(), command)
    assert [(row.rule, row.origin.split(":")[1]) for row in rows] == [
        ("weight.weight.rise.24h.amber", weight),
        ("glucose.glucose.low.amber", glucose),
    ]
    assert rows[0].content["given_value"] == "3"


@pytest.mark.parametrize(
    "changes",
    [
        {"points": ["clinic-glucose-low"]},  # its source names no band
        {"points": ["nothing"], "band": "red"},
        {"points": ["study-systolic-high", "clinic-systolic-high"], "band": "red"},
        {"points": ["clinic-systolic-high"], "route": ["biller"]},
        {"points": ["clinic-systolic-high"], "quiet_from": "22:00"},
    ],
)
def test_points_that_cannot_be_adopted(ward: Ward, changes: dict[str, Any]) -> None:
    """Unknown or contrary points, a missing band and somebody who cannot answer are refused."""
    with transaction(ward.engine) as db, pytest.raises(InvalidRequest):
        adopt_points(db, ward.actor, ward.clock.now(), AdoptPoints(reason="why not", **changes))


def test_an_alert_is_answered_step_by_step(ward: Ward) -> None:
    """Acknowledged, acted on, closed, each by a person with a note; nothing follows the end."""
    ward.limit()
    ward.measured("191")
    (alert,) = ward.look()
    assert ward.answer(alert, "acknowledged", None).state == "acknowledged"
    with pytest.raises(Conflict):
        ward.answer(alert, "acknowledged", None)
    with pytest.raises(InvalidRequest):
        ward.answer(alert, "acted", None)
    ward.answer(alert, "acted", "called")
    assert ward.answer(alert, "acted", "called again").state == "acted"
    assert ward.answer(alert, "closed", "feels well").state == "closed"
    with pytest.raises(Conflict):
        ward.answer(alert, "acted", "too late")
    (held,) = ward.alerts(state="closed")
    assert [(step.step, step.by_name, step.note) for step in held.steps] == [
        ("acknowledged", "Ada Admin", ""),
        ("acted", "Ada Admin", "called"),
        ("acted", "Ada Admin", "called again"),
        ("closed", "Ada Admin", "feels well"),
    ]


def test_only_a_person_who_may_answers(ward: Ward, other_actor: Actor) -> None:
    """Not the service, not without the permission, not from another practice."""
    ward.limit()
    ward.measured("191")
    (alert,) = ward.look()
    few = Actor(**{**ward.actor.__dict__, "permissions": PERMISSIONS - {"alerts:write"}})
    for actor, error in ((ward.service, NotAllowed), (few, NotAllowed), (other_actor, NotFound)):
        command = AnswerAlert(alert_id=alert.id, step="acknowledged")
        with transaction(ward.engine) as db, pytest.raises(error):
            answer_alert(db, actor, ward.clock.now(), command)


def test_an_unanswered_alert_goes_to_the_next_person(ward: Ward) -> None:
    """After its minutes, once each, until there is nobody left; an answer ends it."""
    route = ["clinical_staff", "practitioner", "practice_admin"]
    ward.limit(route=route, escalate_after_minutes=30)
    ward.measured("191")
    (alert,) = ward.look()

    def told_after(minutes: float) -> list[str]:
        ward.clock.advance(minutes=minutes)
        escalate_alerts(ward.engine, ward.service, ward.clock.now())
        escalate_alerts(ward.engine, ward.service, ward.clock.now())
        with reading(ward.engine) as db:
            return alert_with_steps(db, Scope.of(ward.actor), alert.id).told

    assert told_after(29) == route[:1]
    assert told_after(1) == route[:2]
    ward.answer(alert, "acknowledged", None)
    assert told_after(60) == route[:2]


def test_everyone_who_is_overdue_is_told_when_nobody_looked_for_long(ward: Ward) -> None:
    """After an outage the escalation does not begin anew."""
    route = ["clinical_staff", "practitioner", "practice_admin"]
    ward.limit(route=route, escalate_after_minutes=30)
    ward.measured("191")
    ward.look()
    ward.clock.advance(hours=5)
    steps = escalate_alerts(ward.engine, ward.service, ward.clock.now())
    assert [(step.told, step.ordinal) for step in steps] == [(route[1], 1), (route[2], 2)]
    assert ward.alerts(state="open")[0].told == route


def test_quiet_hours_put_telling_off(ward: Ward) -> None:
    """The alert opens at once; escalation is reckoned from the end of the quiet hours."""
    ward.limit(quiet_from="22:00", quiet_to="07:00", escalate_after_minutes=30)
    ward.clock.instant = datetime(2026, 1, 16, 4, tzinfo=UTC)  # 23:00 in New York
    ward.measured("191")
    (alert,) = ward.look()
    assert alert.told_from.astimezone(UTC) == datetime(2026, 1, 16, 12, tzinfo=UTC)
    ward.clock.instant = datetime(2026, 1, 16, 12, 29, tzinfo=UTC)
    assert escalate_alerts(ward.engine, ward.service, ward.clock.now()) == []
    ward.clock.advance(minutes=1)
    assert len(escalate_alerts(ward.engine, ward.service, ward.clock.now())) == 1


def with_device(ward: Ward, days_ago: int = 10) -> UUID:
    """A device that came to the patient."""
    device = Device(
        id=ward.practice.new_id(),
        vendor="generic",
        vendor_device_id="bp-1",
        kind="bp",
        fda_listed=True,
        automatic=True,
    )
    association = DeviceAssociation(
        device_id=device.id,
        episode_id=ward.episode_id,
        patient_id=ward.patient_id,
        from_at=ward.clock.now() - timedelta(days=days_ago),
    )
    ward.practice.record(device, association)
    return device.id


def silence(ward: Ward) -> list[Alert]:
    """What the hourly job opens."""
    return watch_silence(ward.engine, ward.service, ward.clock.now())


def test_missed_readings_alert_once_for_each_silence(ward: Ward) -> None:
    """Two days without a reading open one alert; a reading and another silence the next one."""
    with_device(ward)
    missed = {"subject": "missed", "kind": None, "quantity": None, "unit": "d", "band": "amber"}
    ward.limit("2", suppress_hours=0, **missed)
    ward.measured("120")
    assert silence(ward) == []
    ward.clock.advance(days=2)
    (alert,) = silence(ward)
    assert (alert.subject, alert.value, alert.patient_id) == ("missed", "2", ward.patient_id)
    ward.clock.advance(days=1)
    assert silence(ward) == []
    ward.measured("120")
    assert silence(ward) == []
    ward.clock.advance(days=2)
    assert len(silence(ward)) == 1


def test_a_threshold_about_to_be_lost_alerts_by_the_ledgers_day(ward: Ward) -> None:
    """The day by which a reading must come is the one the ledger's progress tells."""
    with_device(ward, days_ago=40)
    threshold = {"subject": "threshold", "kind": None, "quantity": None, "unit": "d"}
    ward.limit("1", band="amber", **threshold)
    ward.practice.readings(
        ward.patient_id, ward.episode_id, [datetime(2026, 1, 2, tzinfo=UTC).date()]
    )
    seen = []
    for day in range(3, 31):
        ward.clock.instant = datetime(2026, 1, day, 15, tzinfo=UTC)
        seen += [(day, alert.detail) for alert in silence(ward)]
    # of the 30 days to 2026-01-31 one is measured: 15 more make 99454, one more 99445
    assert [(day, told["due_code"], told["due_day"]) for day, told in seen] == [
        (16, "99454", "2026-01-17"),
        (30, "99445", "2026-01-31"),
    ]


def test_battery_and_heartbeat(ward: Ward) -> None:
    """A low battery and a device that was not heard of for a day, by what it said last."""
    device_id = with_device(ward)
    no_reading = {"kind": None, "quantity": None, "band": "amber"}
    ward.limit("20", subject="battery", unit="%", **no_reading)
    ward.limit("24", subject="heartbeat", unit="h", **no_reading)
    heard = ward.clock.now()
    with transaction(ward.engine) as db:
        contact = DeviceContact(
            organization_id=ward.actor.organization_id,
            vendor="generic",
            vendor_device_id="bp-1",
            device_id=device_id,
            heard_at=heard,
            heard_as="battery",
            battery="19 %",
            battery_at=heard,
        )
        db.add(contact)
    (low,) = silence(ward)
    assert (low.rule, low.value, low.device_id) == ("battery.amber", "19 %", device_id)
    ward.clock.advance(hours=24)
    (unheard,) = silence(ward)
    assert (unheard.rule, unheard.value) == ("heartbeat.amber", "24")
    assert silence(ward) == []


def test_pages_of_other_practices_are_not_seen(ward: Ward, other_actor: Actor) -> None:
    """Neither limits nor alerts leave their practice."""
    ward.limit()
    ward.measured("191")
    ward.look()
    with reading(ward.engine) as db:
        scope = Scope.of(other_actor)
        assert list_alerts(db, scope, AlertFilter(), after=None, limit=9) == []
        assert scope.all_of(db, AlertLimit, col(AlertLimit.active)) == []
