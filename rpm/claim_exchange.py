"""The exchange with clearinghouses: a file sent, looked for, and what waits fetched.

Owns the order in which things become durable: a sending is recorded before a byte leaves, a file
is stored before it is put away at the clearinghouse. Does not own the ways (``rpm.transport``)
nor what is recorded (``rpm.actions``). Nothing here sends a file again.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import structlog
from sqlalchemy.engine import Engine

from billing.claims.sending import Step
from rpm import logs
from rpm.access import Actor, require
from rpm.actions.manage_clearinghouse import secret_of
from rpm.actions.post_answers import Posted, post_answers
from rpm.actions.send_claim_file import (
    SendFile,
    begin_sending,
    end_sending,
    last_unknown,
)
from rpm.actions.take_received_file import take_received_file
from rpm.clock import Clock, clock_for
from rpm.errors import ServiceError
from rpm.keys import KeyRing, load_keys
from rpm.settings import Settings
from rpm.store.engine import reading, transaction, within
from rpm.store.queries.answers import file_with_digest, unread_files
from rpm.store.queries.clearinghouses import (
    clearinghouse_profile,
    hold_clearinghouse,
    same_number_other_content,
    state_of,
)
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimFile
from rpm.store.tables.transport import FileSending
from rpm.transport.opened import drop_folder, opened_transport
from rpm.transport.place import (
    OutcomeUnknownError,
    RemoteFile,
    Transport,
    TransportError,
)

HELD_FOR = timedelta(minutes=10)
"""Who died while fetching holds the clearinghouse for this long."""
_FIRST_REST, _LAST_REST = timedelta(minutes=15), timedelta(hours=6)
_log = structlog.get_logger()


@dataclass(frozen=True)
class Exchange:
    """What an exchange needs: the database, its clock, the keys, and where drop folders are."""

    engine: Engine
    clock: Clock
    ring: KeyRing = field(repr=False)
    folders: Path


@dataclass
class Fetched:
    """What a fetch came to. ``held``: another one is at it. Without a problem it is whole."""

    new: list[UUID] = field(default_factory=list)
    posted: list[Posted] = field(default_factory=list)
    known: int = 0
    problems: list[str] = field(default_factory=list)
    alarms: list[tuple[str, str]] = field(default_factory=list)
    """Interchanges that came with two contents: sender and number."""
    held: bool = False


def exchange_with(engine: Engine, settings: Settings) -> Exchange:
    """The exchange of an installation; ``NotReady`` when its keys are not set."""
    ring = load_keys(settings).field_encryption
    return Exchange(engine, clock_for(engine), ring, settings.exchange_folder)


def send_file(exchange: Exchange, actor: Actor, file_id: UUID) -> FileSending:
    """Send a file once; the last step that was recorded of it.

    Errors as of ``begin_sending``. Whatever happens on the way is a step, not an exception.
    """
    engine, clock = within(exchange.engine, actor.organization_id), exchange.clock
    with transaction(engine) as db:
        begun = begin_sending(db, actor, clock.now(), SendFile(file_id=file_id))
        content = Scope.of(actor).get(db, ClaimFile, file_id).content
    step, problem = Step.SENT, None
    try:
        with _opened(exchange, actor, begun.clearinghouse_key) as place:
            place.send(begun.name, content)
    except OutcomeUnknownError as error:
        step, problem = Step.UNKNOWN, str(error)
    except TransportError as error:
        step, problem = Step.NOT_SENT, str(error)
    with transaction(engine) as db:
        return end_sending(db, actor, clock.now(), begun, step, problem)


def look_for_file(exchange: Exchange, actor: Actor, file_id: UUID) -> FileSending:
    """Look whether a file lies at its clearinghouse, by name and size, and record what was seen.

    ``Conflict`` when its arrival is known already; ``TransportError`` when nobody can look now. Not
    being there proves nothing: it may have been taken in.
    """
    require(actor, "claims:release")
    engine, clock = within(exchange.engine, actor.organization_id), exchange.clock
    with reading(engine) as db:
        scope = Scope.of(actor)
        file = scope.get(db, ClaimFile, file_id)
        begun = last_unknown(db, scope, file, clock.now())
    with _opened(exchange, actor, begun.clearinghouse_key) as place:
        there = RemoteFile(begun.name, begun.size_bytes) in place.sent()
    with transaction(engine) as db:
        step = Step.FOUND if there else Step.NOT_FOUND
        return end_sending(db, actor, clock.now(), begun, step)


def fetch_files(exchange: Exchange, actor: Actor, key: str, *, at_once: bool = False) -> Fetched:
    """Store every file that waits at a clearinghouse, put it away there, then post what it says.

    One at a time: while another fetch goes on, nothing is done. A file that came before has no
    effect. What was stored before and not read is posted too. ``NotFound`` when there is no such
    clearinghouse.
    """
    require(actor, "remittances:post")
    engine, holder = within(exchange.engine, actor.organization_id), uuid4()
    scope, done = Scope.of(actor), Fetched()
    with reading(engine) as db:
        clearinghouse_profile(db, scope, key)
    if not _hold(exchange, actor, key, holder, at_once=at_once):
        return Fetched(held=True)
    try:
        with _opened(exchange, actor, key) as place:
            for one in place.waiting():
                if not _hold(exchange, actor, key, holder, at_once=False):
                    done.problems.append("another fetch took over")
                    break
                _take(exchange, actor, key, place, one, done)
    except TransportError as error:
        done.problems.append(str(error))
    finally:
        _let_go(exchange, actor, key, holder, done)
    _post(exchange, actor, done)
    with reading(engine) as db:
        twice = same_number_other_content(db, scope)
        done.alarms = [(sender, number) for sender, number, _count in twice]
    if done.alarms:
        _log.error("interchange_with_two_contents", organization_id=actor.organization_id)
    return done


def _take(
    exchange: Exchange, actor: Actor, key: str, place: Transport, one: RemoteFile, done: Fetched
) -> None:
    engine, now = within(exchange.engine, actor.organization_id), exchange.clock.now()
    try:
        content = place.fetch(one.name)
    except TransportError as error:
        done.problems.append(f"a file was not fetched: {error}")
        return
    digest = hashlib.sha256(content).hexdigest()
    try:
        with transaction(engine) as db:
            before = file_with_digest(db, Scope.of(actor), digest)
            taken = take_received_file(db, actor, now, one.name, key, content)
    except ServiceError as error:
        done.problems.append(f"a file was not taken: {error}")
        return
    if before is not None:
        done.known += 1
    else:
        done.new.append(taken.id)
    try:
        place.archive(one.name)  # only now: what is not stored stays where it is
    except TransportError as error:
        done.problems.append(f"a file was not put away: {error}")


def _post(exchange: Exchange, actor: Actor, done: Fetched) -> None:
    """Each file in a transaction of its own: one that cannot be posted keeps no other back."""
    engine, now = within(exchange.engine, actor.organization_id), exchange.clock.now()
    with reading(engine) as db:
        unread = list(unread_files(db, Scope.of(actor)))
    for file_id in unread:
        try:
            with transaction(engine) as db:
                done.posted.append(post_answers(db, actor, now, file_id))
        except Exception as error:  # noqa: BLE001 - it is stored, and read again at the next run
            done.problems.append("a file was stored and could not be posted")
            _log.error("answer_not_posted", file_id=file_id, **logs.about(error))


@contextmanager
def _opened(exchange: Exchange, actor: Actor, key: str) -> Iterator[Transport]:
    scope = Scope.of(actor)
    with reading(within(exchange.engine, actor.organization_id)) as db:
        profile = clearinghouse_profile(db, scope, key)
        secret = secret_of(db, scope, exchange.ring, key)
    folder = drop_folder(exchange.folders, actor.organization_id, key)
    with opened_transport(profile, secret, folder) as place:
        yield place


def _hold(exchange: Exchange, actor: Actor, key: str, holder: UUID, *, at_once: bool) -> bool:
    now = exchange.clock.now()
    with transaction(within(exchange.engine, actor.organization_id)) as db:
        scope = Scope.of(actor)
        return hold_clearinghouse(db, scope, key, holder, now, now + HELD_FOR, at_once=at_once)


def _let_go(exchange: Exchange, actor: Actor, key: str, holder: UUID, done: Fetched) -> None:
    now = exchange.clock.now()
    with transaction(within(exchange.engine, actor.organization_id)) as db:
        state = state_of(db, Scope.of(actor), key)
        if state is None or state.holder != holder:
            return  # it was held for too long, and another one has it
        state.holder, state.held_until = None, None
        state.problem = done.problems[0] if done.problems else None
        state.failures = state.failures + 1 if done.problems else 0
        if done.problems:
            # a password that is refused again and again locks the account at many places
            state.held_until = now + min(_FIRST_REST * 2 ** min(state.failures - 1, 10), _LAST_REST)
        else:
            state.looked_at = now
        db.add(state)
