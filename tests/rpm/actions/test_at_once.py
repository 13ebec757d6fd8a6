"""Several requests at once: what may stand once stands once, on both engines."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier
from typing import TypeVar
from uuid import uuid4

from practice import Practice
from sqlalchemy.engine import Engine
from sqlmodel import Session

from rpm.access import Actor
from rpm.actions.associate_device import AssociateDevice, associate_device
from rpm.actions.enroll import Enroll, enroll
from rpm.actions.log_entry import LogEntry, log_entry
from rpm.actions.reverse_entry import ReverseEntry, reverse_entry
from rpm.actions.run_timer import StartTimer, start_timer
from rpm.actions.stop_timer import StopTimer, stop_timer
from rpm.clock import Clock
from rpm.errors import Conflict
from rpm.store.engine import reading, transaction
from rpm.store.queries.entries import entries_page
from rpm.store.queries.episodes import associations, episodes_page
from rpm.store.scope import Scope
from rpm.store.verify import verify_chain

T = TypeVar("T")
REQUESTS = 4


def at_once(engine: Engine, ask: Callable[[Session], T]) -> list[T | None]:
    """What each of several requests got that began together; None for a conflict."""
    barrier = Barrier(REQUESTS)

    def one() -> T | None:
        barrier.wait()
        try:
            with transaction(engine) as session:
                return ask(session)
        except Conflict:
            return None

    with ThreadPoolExecutor(REQUESTS) as pool:
        asked = [pool.submit(one) for _ in range(REQUESTS)]
        return [future.result() for future in asked]


def test_a_patient_is_enrolled_once(
    engine: Engine, actor: Actor, other_actor: Actor, clock: Clock
) -> None:
    """Of several enrollments at once one opens the episode and the others are conflicts."""
    now = clock.now()
    with transaction(engine) as session:
        patient = Practice(session, actor, other_actor, now).register_patient()
    command = Enroll(patient_id=patient.id, program="RPM", opened_day=date(2025, 11, 3))
    answers = at_once(engine, lambda session: enroll(session, actor, now, command))
    assert len([answer for answer in answers if answer is not None]) == 1
    with reading(engine) as session:
        assert len(episodes_page(session, Scope.of(actor))) == 1
        assert verify_chain(session, actor.organization_id) == []


def test_a_device_goes_to_one_episode(
    engine: Engine, actor: Actor, other_actor: Actor, clock: Clock
) -> None:
    """Of several associations at once one holds."""
    now = clock.now()
    with transaction(engine) as session:
        practice = Practice(session, actor, other_actor, now)
        device, episode = practice.register_device(), practice.enroll()
    command = AssociateDevice(
        device_id=device.id, episode_id=episode.id, from_at=now - timedelta(days=1)
    )
    at_once(engine, lambda session: associate_device(session, actor, now, command))
    with reading(engine) as session:
        assert len(associations(session, Scope.of(actor), device_id=device.id)) == 1


def test_work_is_logged_and_taken_back_once(
    engine: Engine, actor: Actor, other_actor: Actor, clock: Clock
) -> None:
    """The same entry sent several times at once is one entry; so is its reversal."""
    now = clock.now()
    with transaction(engine) as session:
        patient_id = Practice(session, actor, other_actor, now).enroll().patient_id
    command = LogEntry(
        client_id=uuid4(),
        patient_id=patient_id,
        role="rn",
        work="RPM",
        mode="live",
        started_at=now - timedelta(minutes=30),
        duration_seconds=480,
        activity="talk",
    )
    logged = at_once(engine, lambda session: log_entry(session, actor, now, command))
    ids = {answer.entries[0].id for answer in logged if answer is not None}
    assert len(ids) == 1
    assert None not in logged
    taken_back = ReverseEntry(entry_id=ids.pop(), reason="wrong")
    done = at_once(engine, lambda session: reverse_entry(session, actor, now, taken_back))
    assert len([answer for answer in done if answer is not None]) == 1
    with reading(engine) as session:
        seconds = [one.duration_seconds for one in entries_page(session, Scope.of(actor))]
        assert seconds == [480, -480]


def test_a_person_has_one_timer(
    engine: Engine, actor: Actor, other_actor: Actor, clock: Clock
) -> None:
    """Of timers started at once for several patients one runs; stopped at once it is one entry."""
    now = clock.now()
    with transaction(engine) as session:
        practice = Practice(session, actor, other_actor, now)
        patients = [practice.enroll().patient_id for _ in range(REQUESTS)]
    left = iter(patients)
    answers = at_once(
        engine,
        lambda session: start_timer(session, actor, now, StartTimer(patient_id=next(left))).id,
    )
    [timer_id] = [answer for answer in answers if answer is not None]
    command = StopTimer(
        timer_id=timer_id,
        client_id=uuid4(),
        contact="call",
        live=True,
        activity="talk",
        role="rn",
    )
    later = now + timedelta(seconds=60)
    stops = at_once(engine, lambda session: stop_timer(session, actor, later, command).entries)
    assert [len(entries or ()) for entries in stops] == [1] * REQUESTS
    with reading(engine) as session:
        [entry] = entries_page(session, Scope.of(actor))
        assert entry.duration_seconds == 60
