"""A vendor that delivers to a running server and keeps what it was told.

Owns numbered deliveries of one reading each, sent again with the same bytes until acknowledged as
vendors do, and the comparison of what was acknowledged with what the database holds.
"""

import itertools
import random
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from intake_door import Door, body_of, signed, weight
from served import Answer, Service
from sqlalchemy.engine import Engine
from sqlmodel import select

from rpm.access import Actor
from rpm.actions.verify import verify_record
from rpm.store.engine import reading
from rpm.store.tables.monitoring import Delivery, Reading

WAIT_SECONDS = 0.05


@dataclass(frozen=True)
class Parcel:
    """One delivery of one reading, the same bytes at each try."""

    number: int
    body: bytes

    @classmethod
    def of(cls, number: int, until: datetime) -> "Parcel":
        """The parcel of a number; its reading is of a time of its own before ``until``."""
        measured_at = until - timedelta(hours=1, seconds=97 * number)
        return cls(number, body_of(weight(reading_id(number), measured_at.isoformat())))

    @property
    def message_id(self) -> str:
        """The sender's id of the delivery."""
        return message_id(self.number)


def message_id(number: int) -> str:
    """The sender's id of a numbered delivery."""
    return f"msg-{number:06d}"


def reading_id(number: int) -> str:
    """The sender's id of the reading in a numbered delivery."""
    return f"r-{number:06d}"


def sent(service: Service, door: Door, parcel: Parcel, seconds: float = 30) -> Answer:
    """What the door answers to a parcel, signed at this moment; OSError without an answer."""
    headers = signed(door.secret, parcel.message_id, datetime.now(UTC), parcel.body)
    address = f"/webhooks/{door.connection.vendor}/{door.token}"
    return service.ask("POST", address, parcel.body, headers, seconds)


class Vendor:
    """Delivers from several threads while ``delivering``; what failed is sent again."""

    def __init__(self, service: Service, door: Door, seed: int) -> None:
        self.acknowledged: dict[int, Mapping[str, Any]] = {}
        self.refused: list[Answer] = []
        self.cut_off = 0  # sent, and no answer came
        self.told_otherwise: list[int] = []
        self._service, self._door = service, door
        self._draw = random.Random(seed)
        self._unsent: list[Parcel] = []
        self._began, self._numbers = datetime.now(UTC), itertools.count()
        self._lock, self._stop = threading.Lock(), threading.Event()

    @contextmanager
    def delivering(self, writers: int) -> Iterator[None]:
        """Deliver meanwhile; when the block ends, writers end with their present parcel."""
        self._stop.clear()
        threads = [threading.Thread(target=self._deliver) for _ in range(writers)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def deliver_rest(self) -> None:
        """Send what is not acknowledged yet, once each."""
        for _ in range(len(self._unsent)):
            parcel = self._next(new=False)
            assert parcel is not None
            self._try(parcel)

    def _deliver(self) -> None:
        while not self._stop.is_set():
            parcel = self._next(new=True)
            if parcel is not None and not self._try(parcel):
                self._stop.wait(WAIT_SECONDS)

    def _next(self, *, new: bool) -> Parcel | None:
        with self._lock:
            if self._unsent:
                return self._unsent.pop(0)
            if not new:
                return None
            if self.acknowledged and self._draw.random() < 0.1:  # a repeat of one that is known
                return Parcel.of(self._draw.choice(list(self.acknowledged)), self._began)
            return Parcel.of(next(self._numbers), self._began)

    def _try(self, parcel: Parcel) -> bool:
        try:
            answer = sent(self._service, self._door, parcel)
        except OSError as error:
            with self._lock:
                self.cut_off += not isinstance(error, ConnectionRefusedError)
                self._unsent.append(parcel)
            return False
        with self._lock:
            if answer.status != 200:
                self.refused.append(answer)
                self._unsent.append(parcel)
                return False
            told = answer.json()
            if self.acknowledged.setdefault(parcel.number, told) != told:
                self.told_otherwise.append(parcel.number)
            return True


def lost_or_doubled(
    engine: Engine, actor: Actor, acknowledged: Mapping[int, Mapping[str, Any]]
) -> list[str]:
    """What is wrong: acknowledged and not there, there twice, or a record that does not verify."""
    with reading(engine) as db:
        deliveries = {str(row.id): row.message_id for row in db.exec(select(Delivery)).all()}
        readings = {str(row.id): row.vendor_reading_id for row in db.exec(select(Reading)).all()}
        wrong = [f"{found.code} {found.message}" for found in verify_record(db, actor)]
    for number, told in acknowledged.items():
        if deliveries.get(told["delivery_id"]) != message_id(number):
            wrong.append(f"lost: delivery {number}")
        (item,) = told["items"]
        if readings.get(item["reading_id"]) != reading_id(number):
            wrong.append(f"lost: reading {number}")
    return [*wrong, *_doubled(deliveries.values()), *_doubled(readings.values())]


def _doubled(ids: Iterable[str | None]) -> list[str]:
    return [f"double: {one}" for one, count in Counter(ids).items() if one and count > 1]
