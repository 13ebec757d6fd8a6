"""A program in which three processes close the same month at once, round after round.

    python -m close_program ROUNDS PREPARED

Before each round a reading is excluded or let count again, so that there is something to post. The
answer is JSON: what the closers of each round were told, and what is wrong with the record then.
"""

import json
import os
import sys
from datetime import timedelta
from typing import Any
from uuid import UUID

from cut_place import FEBRUARY, JANUARY, Place, Prepared
from cut_stories import unsound
from sqlalchemy import func, select
from sqlmodel import col

from rpm.actions.close_month import CloseMonth, close_month, post_close
from rpm.actions.compute_close import compute_close
from rpm.actions.exclude_reading import (
    ExcludeReading,
    LiftExclusion,
    exclude_reading,
    lift_exclusion,
)
from rpm.errors import Conflict
from rpm.store.engine import reading, transaction
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close, Posting
from rpm.store.tables.monitoring import Reading

CLOSERS = 3


def closer(place: Place, number: int, orders: int, answers: int) -> None:
    """Close whenever a byte comes; the last closer does all of it in one transaction."""
    while order := os.read(orders, 1):
        now = FEBRUARY + timedelta(hours=1 + order[0])
        try:
            if number == CLOSERS - 1:
                with transaction(place.engine) as db:
                    closed = close_month(db, place.actor, now, CloseMonth(month="2026-01"))
            else:
                with reading(place.engine) as db:
                    computed = compute_close(db, Scope.of(place.actor), now, JANUARY)
                with transaction(place.engine) as db:
                    closed = post_close(db, place.actor, now, computed)
            told = {"close": str(closed.close.id), "repeated": closed.repeated}
        except Conflict:
            told = {"close": "", "repeated": True}
        except BaseException as error:  # noqa: BLE001 - told to the test
            told = {"close": repr(error), "repeated": False}
        os.write(answers, json.dumps(told).encode() + b"\n")
    os._exit(0)


def started(place: Place) -> list[tuple[int, int]]:
    """The closers, each by where it takes orders and where it answers."""
    closers = []
    for number in range(CLOSERS):
        orders, order = os.pipe()
        answer, answers = os.pipe()
        if not os.fork():
            for kept, _ in closers:
                os.close(kept)
            os.close(order)
            closer(place, number, orders, answers)
        closers.append((order, answer))
        os.close(orders)
        os.close(answers)
    return closers


def change(place: Place, number: int) -> None:
    """Take the first reading out of the count, or let it count again."""
    first = select(col(Reading.id)).order_by(col(Reading.local_day)).limit(1)
    with transaction(place.engine) as db:
        reading_id: UUID = db.connection().execute(first).scalar_one()
        if number % 2:
            lift = LiftExclusion(reading_id=reading_id, reason="it counts")
            lift_exclusion(db, place.actor, FEBRUARY, lift)
        else:
            out = ExcludeReading(reading_id=reading_id, reason="it does not count")
            exclude_reading(db, place.actor, FEBRUARY, out)


def main(rounds: str, prepared: str) -> None:
    """Run the rounds and print what was found."""
    place = Place(Prepared(**json.loads(prepared)))
    try:
        place.renew()
        told: list[list[dict[str, Any]]] = []
        closers = started(place)
        for number in range(int(rounds)):
            change(place, number)
            for order, _ in closers:
                os.write(order, bytes([number]))
            told.append([json.loads(os.read(answer, 4096)) for _, answer in closers])
        for order, _ in closers:
            os.close(order)
        with reading(place.engine) as db:
            counts = [
                db.connection().execute(select(func.count()).select_from(table)).scalar_one()
                for table in (Close, Posting)
            ]
        found = {"told": told, "closes": counts[0], "postings": counts[1], "wrong": unsound(place)}
    finally:
        place.remove()
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
