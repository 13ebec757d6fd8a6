"""Identifiers made by us: UUID version 7 (RFC 9562, section 5.7).

Owns the one function. Does not own ids that derive from content (postings) or come from clients.
"""

import os
import threading
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

_COUNTER_BITS = 12
_lock = threading.Lock()
_last = 0  # milliseconds and counter of the last id, as one number


def uuid7(now: datetime, random_bytes: Callable[[int], bytes] = os.urandom) -> UUID:
    """A UUID that sorts after every one this process made before.

    ``now`` is aware (ValueError if not). The twelve bits after the milliseconds count ids of the
    same millisecond from a random start; a clock that stands or goes back counts on from the last.
    """
    global _last
    if now.tzinfo is None:
        raise ValueError("an id needs an aware instant")
    entropy = random_bytes(10)
    milliseconds = int(now.timestamp() * 1000)
    start = int.from_bytes(entropy[:2], "big") >> 5  # half of the counter stays free
    with _lock:
        _last = max((milliseconds << _COUNTER_BITS) | start, _last + 1)
        ordered = _last
    tail = int.from_bytes(entropy[2:], "big") & ((1 << 62) - 1)
    high = ((ordered >> _COUNTER_BITS) << 16) | (7 << 12) | (ordered & ((1 << _COUNTER_BITS) - 1))
    return UUID(int=(high << 64) | (0b10 << 62) | tail)
