"""Group commit: deliveries that wait together are stored by one transaction, answered after it.

Owns which deliveries go together, one group at a time in a process, and what a failure of a group
means for each of it. Does not own what a delivery becomes (``rpm.actions.take_delivery``). A
delivery that comes alone does not wait for others.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from uuid import UUID

import anyio
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.engine import Engine

from rpm.actions.authenticate_delivery import changed_doors
from rpm.actions.take_delivery import Arrived, DeliveryAnswer, take_deliveries
from rpm.errors import Busy
from rpm.store.engine import transaction, within
from rpm.web.turns import turn_to_write

MOST_DELIVERIES, MOST_GROUP_BYTES = 256, 1024**2
"""When a group is full; its last delivery may go beyond the bytes."""
MOST_WAITING_BYTES = 64 * 1024**2
"""Bodies that may wait in memory; beyond that senders are asked to come again."""


class DoorChangedError(Exception):
    """The connection changed between the proof and the storing: the proof has to be seen again."""


Outcome = DeliveryAnswer | Exception


@dataclass(frozen=True)
class _Waiting:
    arrived: Arrived
    told: asyncio.Future[DeliveryAnswer]

    @property
    def size(self) -> int:
        return len(self.arrived.incoming.body)

    def tell(self, outcome: Outcome) -> None:
        if self.told.done():
            return  # the sender has left; what it sent is stored all the same
        if isinstance(outcome, Exception):
            self.told.set_exception(outcome)
        else:
            self.told.set_result(outcome)


@dataclass
class DeliveryWriter:
    """Stores deliveries in groups of one organization; lives in one event loop.

    ``writers`` limits who writes at the same time; the writer takes its turn like everyone else.
    """

    engine: Engine
    writers: anyio.CapacityLimiter
    _waiting: OrderedDict[UUID, deque[_Waiting]] = field(default_factory=OrderedDict)
    _waiting_bytes: int = 0
    _task: asyncio.Task[None] | None = None

    async def store(self, arrived: Arrived) -> DeliveryAnswer:
        """What became of a delivery, once it is on disk.

        ``Busy`` while too much waits or the database is held by others; ``DoorChangedError``.
        """
        one = _Waiting(arrived, asyncio.get_running_loop().create_future())
        if self._waiting_bytes + one.size > MOST_WAITING_BYTES:
            raise Busy("too many deliveries wait; try again")
        self._waiting.setdefault(arrived.sender.organization_id, deque()).append(one)
        self._waiting_bytes += one.size
        if self._task is None:
            self._task = asyncio.create_task(self._write())
        return await one.told

    async def settle(self) -> None:
        """Wait until nothing waits any more."""
        while self._task is not None:
            await self._task

    async def _write(self) -> None:
        try:
            while self._waiting:
                group: list[_Waiting] = []
                try:
                    async with turn_to_write(self.writers) as wait_seconds:
                        group = self._next_group()
                        outcomes = await run_in_threadpool(self._stored, group, wait_seconds)
                except Busy as error:
                    self._turn_away(group, error)
                else:
                    for one, outcome in zip(group, outcomes, strict=True):
                        one.tell(outcome)
        finally:
            self._task = None

    def _next_group(self) -> list[_Waiting]:
        """Deliveries of the organization that has waited longest, in the order they came."""
        organization_id, queue = self._waiting.popitem(last=False)
        group: list[_Waiting] = []
        size = 0
        while queue and len(group) < MOST_DELIVERIES and size < MOST_GROUP_BYTES:
            group.append(queue.popleft())
            size += group[-1].size
        if queue:
            self._waiting[organization_id] = queue
        self._waiting_bytes -= size
        return group

    def _stored(
        self, group: Sequence[_Waiting], wait_seconds: float | None = None
    ) -> Sequence[Outcome]:
        """In a worker thread: the outcome of each; one that fails does not fail the others."""
        arrived = [one.arrived for one in group]
        try:
            return _committed(self.engine, arrived, wait_seconds)
        except Busy:
            raise
        except Exception as error:  # noqa: BLE001 - told to whoever waits for it
            if len(group) == 1:
                return [error]
            return [outcome for one in group for outcome in self._stored([one])]

    def _turn_away(self, group: Sequence[_Waiting], error: Busy) -> None:
        """Whoever waits now has waited long already, and the next group would wait as long."""
        queues, self._waiting, self._waiting_bytes = self._waiting, OrderedDict(), 0
        for one in chain(group, *queues.values()):
            one.tell(error)


def _committed(
    engine: Engine, arrived: Sequence[Arrived], wait_seconds: float | None
) -> list[Outcome]:
    senders = [one.sender for one in arrived]
    own = within(engine, senders[0].organization_id)
    with transaction(own, wait_seconds) as db:
        changed = changed_doors(db, senders[0].organization_id, senders)
        good = [one for one in arrived if one.sender.connection_id not in changed]
        answers = iter(take_deliveries(db, good) if good else [])
    return [
        DoorChangedError() if sender.connection_id in changed else next(answers)
        for sender in senders
    ]
