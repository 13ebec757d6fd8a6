"""The collector of reference cycles, held back where very many objects are made that have none.

Owns the pause. Does not own memory: what nothing refers to any more is freed at once, as ever. The
collector looks at all living objects again each time their number has grown by a quarter; for the
rows of a practice's month that was a fifth of a close.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_lock = Lock()
_pauses = 0  # of all threads: the process has one collector
_was_on = True


@contextmanager
def without_collector() -> Iterator[None]:
    """No search for cycles inside. Pauses may overlap: the search goes on when the last one ends.

    A process that runs without the collector stays without it.
    """
    global _pauses, _was_on
    with _lock:
        if not _pauses:
            _was_on = gc.isenabled()
        _pauses += 1
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _pauses -= 1
            if not _pauses and _was_on:
                gc.enable()
