"""Requests to the product: how each is made, and what its acknowledgment means to the model.

Owns the calls of the product's actions. Does not own when they are made (``sim_steps``) nor
crashes (``sim_host``).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sim_model import Ending, KeptEntry, KeptReading, Model, pieces
from sim_practice import Chart, Office, Staff
from sim_vendors import WORDS, Packet
from sqlalchemy.engine import Engine
from sqlmodel import Session

from devices.delivery import Incoming
from rpm.access import Actor
from rpm.actions.authenticate_delivery import authenticate
from rpm.actions.close_month import ClosedMonth, CloseMonth, close_month, post_close
from rpm.actions.compute_close import compute_close
from rpm.actions.end_episode import EndEpisode, ReopenEpisode, end_episode, reopen_episode
from rpm.actions.exclude_reading import (
    ExcludeReading,
    LiftExclusion,
    exclude_reading,
    lift_exclusion,
)
from rpm.actions.log_entry import LogEntry, Logged, log_entry
from rpm.actions.reverse_entry import ReverseEntry, reverse_entry
from rpm.actions.take_delivery import DeliveryAnswer, take_delivery
from rpm.keys import KeyRing
from rpm.store.engine import reading, transaction
from rpm.store.scope import Scope


@dataclass(frozen=True)
class Request:
    """Something asked of the product at the host's present instant.

    ``note`` is called once what was asked is known to be stored, with the answer, or with None
    when asking again only tells that it was done before.
    """

    ask: Callable[[Engine, datetime], Any]
    note: Callable[[Any, datetime], str]


def done(
    office: Office, act: Callable[[Session, Actor, datetime, Any], Any], command: Any
) -> Callable[[Engine, datetime], Any]:
    """An action in a transaction of its own."""

    def ask(engine: Engine, now: datetime) -> Any:
        with transaction(engine) as db:
            return act(db, office.actor, now, command)

    return ask


def delivery(
    office: Office, model: Model, ring: KeyRing, one: Packet, clock_off: timedelta
) -> Request:
    """Post a packet; ``clock_off`` is how wrong the sender takes the host's clock to be."""
    door, prove = office.doors[one.vendor], WORDS[one.vendor].prove

    def ask(engine: Engine, now: datetime) -> DeliveryAnswer:
        sent = Incoming(prove(one, door.secret, now - clock_off), one.body)
        with reading(engine) as db:
            sender = authenticate(db, ring, now, one.vendor, door.token, sent)
        with transaction(engine) as db:
            return take_delivery(db, sender, now, sent)

    def note(answer: DeliveryAnswer, now: datetime) -> str:
        statuses = [item["status"] for item in answer.items]
        expected = model.take(one, now)
        wanted = [status for _, status in expected]
        assert statuses == wanted, f"answered {answer.items}, not {wanted}"
        for item, (key, _) in zip(answer.items, expected, strict=True):
            if key is not None:
                model.readings[key].reading_id = UUID(item["reading_id"])
        return ",".join(statuses)

    return Request(ask, note)


@dataclass(frozen=True)
class Work:
    """Work of a person for a patient; without a start only the day and the length are told."""

    client_id: UUID
    chart: Chart
    staff: Staff
    work: str
    mode: str
    started_at: datetime | None
    day: date
    seconds: int

    def command(self) -> LogEntry:
        """As the client asks for it."""
        when: dict[str, Any] = {"started_at": self.started_at}
        if self.started_at is None:
            when = {"local_day": self.day}
        return LogEntry(
            client_id=self.client_id,
            patient_id=self.chart.patient_id,
            actor_user_id=self.staff.user_id,
            role=self.staff.role,
            work=self.work,
            mode=self.mode,
            duration_seconds=self.seconds,
            activity="simulated",
            **when,
        )

    def pieces(self) -> list[tuple[date, int | None, int]]:
        """Day, second of the day and length of what must be stored."""
        if self.started_at is None:
            return [(self.day, None, self.seconds)]
        return [*pieces(self.started_at, self.seconds)]


def logging(office: Office, model: Model, one: Work) -> Request:
    """Log work, or the same work once more."""

    def note(answer: Logged, _: datetime) -> str:
        found = [(row.local_day, row.start_second, row.duration_seconds) for row in answer.entries]
        assert found == one.pieces(), f"stored {found}"
        known = {entry.entry_id for entry in model.entries}
        for row in answer.entries:
            if row.id in known:
                continue
            what = (one.work, one.mode, row.local_day, row.start_second, row.duration_seconds)
            model.entries.append(KeptEntry(row.id, one.chart, one.staff, *what))
        return f"{len(found)} pieces"

    return Request(done(office, log_entry, one.command()), note)


def reversing(office: Office, entry: KeptEntry) -> Request:
    """Take an entry back."""

    def note(_: Any, __: datetime) -> str:
        assert not entry.reversed, "taken back twice"
        entry.reversed = True
        return "reversed"

    command = ReverseEntry(entry_id=entry.entry_id, reason="simulated")
    return Request(done(office, reverse_entry, command), note)


def excluding(office: Office, one: KeptReading, *, lift: bool) -> Request:
    """Take a reading out of the count, or let it count again."""
    assert one.reading_id is not None
    act: Any = lift_exclusion if lift else exclude_reading
    kind: Any = LiftExclusion if lift else ExcludeReading

    def note(_: Any, __: datetime) -> str:
        assert one.excluded is lift, "an exclusion was changed twice"
        one.excluded = not lift
        return "lifted" if lift else "excluded"

    command = kind(reading_id=one.reading_id, reason="simulated")
    return Request(done(office, act, command), note)


def ending(office: Office, model: Model, chart: Chart, end: Ending | None) -> Request:
    """End an episode, or open it again."""
    act: Any = reopen_episode
    command: Any = ReopenEpisode(episode_id=chart.episode_id, reason="simulated")
    if end is not None:
        act = end_episode
        command = EndEpisode(
            episode_id=chart.episode_id, last_day=end.last_day, end_reason=end.reason
        )

    def note(_: Any, __: datetime) -> str:
        model.ends.pop(chart.episode_id, None)
        if end is not None:
            model.ends[chart.episode_id] = end
        return "ended" if end else "opened again"

    return Request(done(office, act, command), note)


def closing(
    office: Office, month: date, note: Callable[[Any, datetime], str], *, whole: bool
) -> Request:
    """Close a month: in one transaction, or computed on a reading session as the command does."""
    command = CloseMonth(month=f"{month:%Y-%m}")
    if whole:
        return Request(done(office, close_month, command), note)

    def ask(engine: Engine, now: datetime) -> ClosedMonth:
        with reading(engine) as db:
            computed = compute_close(db, Scope.of(office.actor), now, month)
        with transaction(engine) as db:
            return post_close(db, office.actor, now, computed)

    return Request(ask, note)
