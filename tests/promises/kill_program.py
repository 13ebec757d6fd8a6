"""A program that kills a process which takes deliveries, again and again, at random moments.

    python -m kill_program KILLS SEED PREPARED

The answer is JSON: how many deliveries were acknowledged, and what was wrong after which kill.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

from cut_place import FEBRUARY, Place, Prepared
from cut_stories import delivered
from sending import Parcel, lost_or_doubled

MOST, LONGEST_SECONDS = 6, 0.04


def take(place: Place, first: int, acknowledgements: int) -> None:
    """Take one delivery after the other and tell of each as soon as it is taken."""
    number = first
    while True:
        parcel = Parcel.of(number, FEBRUARY)
        answer = delivered(place, parcel.message_id, parcel.body)
        told = {"number": number, "delivery_id": str(answer.delivery_id), "items": answer.items}
        os.write(acknowledgements, json.dumps(told).encode() + b"\n")
        number += 1


def killed_after(
    place: Place, first: int, count: int, seconds: float
) -> Iterator[Mapping[str, Any]]:
    """What a process acknowledged until it was killed, so long after so many."""
    reader, writer = os.pipe()
    taker = os.fork()
    if not taker:
        os.close(reader)
        try:
            take(place, first, writer)
        finally:
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        for _ in range(count):
            yield json.loads(pipe.readline())
        time.sleep(seconds)
        os.kill(taker, signal.SIGKILL)
        _, status = os.waitpid(taker, 0)
        assert os.WIFSIGNALED(status), "it ended before it was killed"
        yield from map(json.loads, pipe)


def main(kills: str, seed: str, prepared: str) -> None:
    """Kill so often, and print what was found."""
    place, draw = Place(Prepared(**json.loads(prepared))), random.Random(int(seed))
    acknowledged: dict[int, Mapping[str, Any]] = {}
    wrong: list[str] = []
    try:
        place.renew()
        # statements are compiled here, once: what forks from here on has them
        warm = Parcel.of(0, FEBRUARY)
        delivered(place, warm.message_id, warm.body)
        place.leave()
        for kill in range(int(kills)):
            # the last one that was acknowledged is sent again, then the one that was cut
            first = max(acknowledged, default=0)
            count, seconds = draw.randrange(MOST), draw.uniform(0, LONGEST_SECONDS)
            for told in killed_after(place, first, count, seconds):
                before = acknowledged.setdefault(told["number"], told)
                if before != told:
                    wrong.append(f"kill {kill}: {told['number']} was answered otherwise")
            found = lost_or_doubled(place.engine, place.actor, acknowledged)
            wrong += [f"kill {kill}: {what}" for what in found]
            place.leave()
    finally:
        place.remove()
    sys.stdout.write(json.dumps({"acknowledged": len(acknowledged), "wrong": wrong}))


if __name__ == "__main__":
    main(*sys.argv[1:])
