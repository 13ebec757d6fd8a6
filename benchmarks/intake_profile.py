"""Where the door's time goes: deliveries stored in this process under the profiler.

Owns the two profiles, of single readings that wait together and of one large body. No HTTP.
"""

import cProfile
from collections.abc import Sequence
from datetime import UTC, datetime

from benchmarks.intake_load import Asked, signed_body
from benchmarks.intake_practice import Sender
from benchmarks.load import LoadedPractice
from benchmarks.trials import Cost, costs_of
from devices.delivery import Incoming
from rpm.actions.authenticate_delivery import authenticate
from rpm.actions.take_delivery import Arrived, take_deliveries
from rpm.keys import load_keys
from rpm.store.engine import reading, transaction


def profiled(practice: LoadedPractice, sender: Sender, asked: Asked, groups: int) -> list[Cost]:
    """The functions that cost most when ``groups`` groups of these deliveries are stored."""
    profile = cProfile.Profile()
    for number in range(groups + 1):
        first = asked.first + number * asked.readings
        part = Asked(asked.deliveries, asked.size, asked.connections, first)
        arrived = _arrived(practice, sender, part)
        if number:  # the first group prepares the statements
            profile.enable()
        with transaction(practice.engine) as db:
            take_deliveries(db, arrived)
        profile.disable()
    return costs_of(profile)


def _arrived(practice: LoadedPractice, sender: Sender, asked: Asked) -> Sequence[Arrived]:
    now, target = datetime.now(UTC), sender.to(0)
    ring = load_keys(practice.settings).field_encryption
    arrived = []
    for number in range(asked.deliveries):
        incoming = Incoming(*signed_body(target, asked, number, now))
        with reading(practice.engine) as db:
            proved = authenticate(db, ring, now, "generic", sender.token, incoming)
        arrived.append(Arrived(proved, incoming, now))
    return arrived
