"""Events: recorded with what they tell, signed, sent, tried again, given up; on both engines."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from ledger_practice import Practice
from receiver import Got, Receiver, answered, receiving
from sqlalchemy.engine import Engine
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from rpm.access import Actor, system_actor
from rpm.actions.answer_alert import AnswerAlert, answer_alert, escalate_alerts
from rpm.actions.close_month import CloseMonth, close_month
from rpm.actions.evaluate_alerts import evaluate_alerts
from rpm.actions.manage_endpoints import (
    AddEndpoint,
    EndpointSecret,
    Resend,
    RetireEndpoint,
    RotateEndpointSecret,
    TryEndpoint,
    add_endpoint,
    resend,
    retire_endpoint,
    rotate_endpoint_secret,
    try_endpoint,
)
from rpm.actions.manage_limits import SetLimit, set_limit
from rpm.actions.send_events import WAITS, Sender, Sent, send_due
from rpm.actions.verify import verify_record
from rpm.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from rpm.keys import load_keys
from rpm.settings import Settings
from rpm.store.engine import reading, transaction
from rpm.store.queries.outbound import list_deliveries
from rpm.store.scope import Scope
from rpm.store.tables.outbound import OutboundDelivery, OutboundEvent
from tests.conftest import FixedClock

ROOT = Path(__file__).parents[3]


class Desk:
    """A practice that has a receiver told."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        actor: Actor,
        clock: FixedClock,
        receiver: Receiver,
    ) -> None:
        self.engine, self.actor, self.clock, self.receiver = engine, actor, clock, receiver
        self.ring = load_keys(settings).field_encryption
        self.service = system_actor(actor.organization_id, "test")
        self.practice = Practice(engine, actor, clock.now())

    def add(self, *types: str, url: str | None = None) -> EndpointSecret:
        """A receiver of events."""
        command = AddEndpoint(name="desk", url=url or self.receiver.url, types=list(types))
        with transaction(self.engine) as db:
            return add_endpoint(
                db, self.actor, self.clock.now(), self.ring, command, [self.receiver.host]
            )

    def act(self, action: Any, command: Any) -> Any:
        """One action of the administrator."""
        with transaction(self.engine) as db:
            return action(db, self.actor, self.clock.now(), command)

    def send(self) -> Sent:
        """A run of the job."""
        sender = Sender(self.ring, [self.receiver.host])
        return send_due(self.engine, self.service, self.clock.now(), sender)

    def deliveries(self) -> list[OutboundDelivery]:
        """How far everything is."""
        with reading(self.engine) as db:
            return [row for row, _ in list_deliveries(db, Scope.of(self.actor))]

    def crisis(self) -> UUID:
        """A reading of 191 over a limit of 180; the alert."""
        now = self.clock.now()
        limit = SetLimit(kind="bp", quantity="systolic", band="red", value="180", reason="ordered")
        self.act(set_limit, limit)
        patient_id, episode_id = self.practice.enrolled()
        at = now - timedelta(minutes=5)
        self.practice.record(
            self.practice.reading(
                patient_id,
                episode_id,
                at.date(),
                measure="bp",
                components=[{"loinc": "8480-6", "value": "191", "ucum": "mm[Hg]"}],
                measured_at=at,
                received_at=now,
            )
        )
        (alert,) = evaluate_alerts(self.engine, self.service, now)
        return alert.id


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A real server that takes events."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def desk(
    engine: Engine, settings: Settings, actor: Actor, clock: FixedClock, receiver: Receiver
) -> Desk:
    """The practice and its receiver."""
    return Desk(engine, settings, actor, clock, receiver)


def verified(got: Got, secret: str) -> dict[str, Any]:
    """The content, as a receiver with the library of Standard Webhooks takes it."""
    content: dict[str, Any] = Webhook(secret).verify(got.body, got.headers)
    return content


def test_an_alert_is_told_thin_and_signed(desk: Desk) -> None:
    """Type and ids and nothing of the patient, once, with a signature that verifies."""
    made = desk.add()
    alert_id = desk.crisis()
    assert desk.send() == Sent(sent=1)
    assert desk.send() == Sent()
    (got,) = desk.receiver.got
    assert verified(got, made.secret) == {
        "type": "alert.opened",
        "timestamp": "2026-01-15T15:00:00+00:00",
        "data": {
            "alert_id": str(alert_id),
            "organization_id": str(desk.actor.organization_id),
        },
    }
    (held,) = desk.deliveries()
    assert (held.state, held.attempts, held.last_status) == ("sent", 1, 200)
    assert got.headers["webhook-id"] == str(held.event_id)
    with reading(desk.engine) as db:
        assert verify_record(db, desk.service) == []


def test_what_is_told_of(desk: Desk) -> None:
    """An alert's whole life and a closed month, in their order."""
    made = desk.add()
    alert_id = desk.crisis()
    desk.clock.advance(hours=1)
    escalate_alerts(desk.engine, desk.service, desk.clock.now())
    for step in ("acknowledged", "acted", "closed"):
        desk.act(answer_alert, AnswerAlert(alert_id=alert_id, step=step, note="done"))
    desk.act(close_month, CloseMonth(month="2025-12"))
    desk.send()
    assert [verified(got, made.secret)["type"] for got in desk.receiver.got] == [
        "alert.opened",
        "alert.escalated",
        "alert.acknowledged",
        "alert.acted",
        "alert.closed",
        "month.closed",
    ]


def test_a_receiver_gets_what_it_asked_for(desk: Desk) -> None:
    """Only its types; where nobody wants an event, none is recorded."""
    desk.add("month.closed")
    desk.crisis()
    with reading(desk.engine) as db:
        assert Scope.of(desk.actor).all_of(db, OutboundEvent) == []
    desk.act(close_month, CloseMonth(month="2025-12"))
    assert desk.send().sent == 1


def test_an_action_that_fails_tells_nobody(desk: Desk) -> None:
    """Event and fact are one transaction."""
    desk.add()
    with pytest.raises(RuntimeError):
        _fail_after_closing(desk)
    assert desk.deliveries() == []


def _fail_after_closing(desk: Desk) -> None:
    with transaction(desk.engine) as db:
        close_month(db, desk.actor, desk.clock.now(), CloseMonth(month="2025-12"))
        raise RuntimeError


def test_waits_grow_and_end_within_three_days(desk: Desk) -> None:
    """Ten tries, the same id and bytes each time; then it is given up and may be sent again."""
    made = desk.add()
    desk.crisis()
    desk.receiver.answer = lambda request: answered(request, 500)
    began = desk.clock.now()
    for wait in WAITS:
        assert desk.send() == Sent(failed=1)
        desk.clock.advance(seconds=wait.total_seconds() - 1)
        assert desk.send() == Sent()
        desk.clock.advance(seconds=1)
    assert desk.send() == Sent(failed=1, dead=1)
    assert timedelta(days=2) < desk.clock.now() - began <= timedelta(days=3)
    assert desk.send() == Sent()
    (held,) = desk.deliveries()
    assert (held.state, held.attempts, held.last_status) == ("dead", 10, 500)
    assert len({(got.headers["webhook-id"], got.body) for got in desk.receiver.got}) == 1
    desk.receiver.answer = lambda request: answered(request, 204)
    again = Resend(event_id=held.event_id, endpoint_id=held.endpoint_id)
    desk.act(resend, again)
    assert desk.send() == Sent(sent=1)
    assert verified(desk.receiver.got[-1], made.secret)["type"] == "alert.opened"
    assert desk.receiver.got[-1].headers["webhook-id"] == str(held.event_id)


def test_a_receiver_that_is_gone_is_left_alone(desk: Desk) -> None:
    """410 gives up at once; a redirect is a failure like another."""
    desk.add()
    desk.crisis()
    desk.receiver.answer = lambda request: answered(request, 302, Location=desk.receiver.url)
    assert desk.send() == Sent(failed=1)
    desk.clock.advance(minutes=1)
    desk.receiver.answer = lambda request: answered(request, 410)
    assert desk.send() == Sent(failed=1, dead=1)


def test_a_failing_receiver_does_not_hold_up_another(desk: Desk) -> None:
    """It is left alone for the rest of a run, and the other gets everything."""
    with receiving() as failing:
        failing.answer = lambda request: answered(request, 503)
        desk.add()
        with transaction(desk.engine) as db:
            command = AddEndpoint(name="broken", url=failing.url)
            hosts = [failing.host]
            add_endpoint(db, desk.actor, desk.clock.now(), desk.ring, command, hosts)
        alert_id = desk.crisis()
        for note in ("one", "two"):
            desk.act(answer_alert, AnswerAlert(alert_id=alert_id, step="acted", note=note))
        sender = Sender(desk.ring, [desk.receiver.host, failing.host])
        done = send_due(desk.engine, desk.service, desk.clock.now(), sender)
    assert (done.sent, done.failed) == (3, 1)
    assert (len(desk.receiver.got), len(failing.got)) == (3, 1)


def test_secrets_rotate_with_an_overlap(desk: Desk) -> None:
    """During it both secrets verify; afterwards only the new one does."""
    old = desk.add()
    with transaction(desk.engine) as db:
        command = RotateEndpointSecret(endpoint_id=old.endpoint.id, overlap_hours=2)
        new = rotate_endpoint_secret(db, desk.actor, desk.clock.now(), desk.ring, command)
    trial = TryEndpoint(endpoint_id=old.endpoint.id)
    desk.act(try_endpoint, trial)
    desk.send()
    assert verified(desk.receiver.got[0], old.secret) == verified(desk.receiver.got[0], new.secret)
    desk.clock.advance(hours=2)
    desk.act(try_endpoint, trial)
    desk.send()
    assert verified(desk.receiver.got[1], new.secret)["type"] == "endpoint.test"
    with pytest.raises(WebhookVerificationError):
        verified(desk.receiver.got[1], old.secret)


def test_a_retired_receiver_gets_nothing(desk: Desk) -> None:
    """What waited for it is given up; nothing new is recorded for it, nothing resent."""
    made = desk.add()
    desk.crisis()
    desk.act(retire_endpoint, RetireEndpoint(endpoint_id=made.endpoint.id, reason="moved"))
    desk.act(close_month, CloseMonth(month="2025-12"))
    assert desk.send() == Sent(failed=1, dead=1)
    assert desk.receiver.got == []
    (held,) = desk.deliveries()
    again = Resend(event_id=held.event_id, endpoint_id=held.endpoint_id)
    with transaction(desk.engine) as db, pytest.raises(Conflict):
        resend(db, desk.actor, desk.clock.now(), again)


def test_a_later_receiver_may_be_sent_what_came_before(desk: Desk) -> None:
    """By the event's id; without being asked it gets only what happens after it was added."""
    desk.add()
    desk.crisis()
    later = desk.add()
    assert desk.send().sent == 1
    (held,) = desk.deliveries()
    desk.act(resend, Resend(event_id=held.event_id, endpoint_id=later.endpoint.id))
    assert desk.send().sent == 1
    assert verified(desk.receiver.got[1], later.secret)["type"] == "alert.opened"


def test_an_address_that_is_no_longer_listed_is_not_called(desk: Desk) -> None:
    """The setting is looked at when it is sent, not only when it was added."""
    desk.add()
    desk.crisis()
    sender = Sender(desk.ring, [])
    assert send_due(desk.engine, desk.service, desk.clock.now(), sender).failed == 1
    assert desk.receiver.got == []


@pytest.mark.parametrize("url", ["http://example.org/", "https://127.0.0.1/", "file:///x"])
def test_an_address_inside_is_refused(desk: Desk, url: str) -> None:
    """A receiver cannot be added there."""
    with pytest.raises(InvalidRequest):
        desk.add(url=url)


def test_only_the_practice_itself_manages_its_receivers(desk: Desk, other_actor: Actor) -> None:
    """Another practice's id is nobody's, and the permission is needed."""
    made = desk.add()
    command = RetireEndpoint(endpoint_id=made.endpoint.id, reason="mine")
    few = Actor(**{**desk.actor.__dict__, "permissions": frozenset({"readings:read"})})
    for actor, error in ((other_actor, NotFound), (few, NotAllowed)):
        with transaction(desk.engine) as db, pytest.raises(error):
            retire_endpoint(db, actor, desk.clock.now(), command)


def test_killed_between_sending_and_recording(desk: Desk, settings: Settings) -> None:
    """It is sent again when the hold ends: at least once, under the same id."""
    made = desk.add()
    desk.crisis()
    program = [sys.executable, str(ROOT / "tests" / "event_program.py"), settings.database_url]
    words = [str(desk.actor.organization_id), desk.receiver.host, desk.clock.now().isoformat()]
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    done = subprocess.run(
        [*program, *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert desk.send() == Sent()  # another may still be at it
    desk.clock.advance(minutes=2)
    assert desk.send() == Sent(sent=1)
    first, second = desk.receiver.got
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert json.loads(first.body) == verified(second, made.secret)
