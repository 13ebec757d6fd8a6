"""Long work whose progress is shown while it runs, on a page that is sent in pieces.

Owns the thread that works and the pieces of the page. Does not own the work. Nothing is kept
between requests: whoever closes the tab only stops watching, the work goes on to its end.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog
from fastapi import Request
from fastapi.responses import StreamingResponse

from rpm import logs
from rpm.errors import ServiceError
from rpm.web.pages.shell import PAGE_HEADERS, page_values
from rpm.web.pages.templating import environment

T = TypeVar("T")

Progress = Callable[[int, int], None]
_MOST_STEPS = 40
_TOGETHER = 16_000  # letters sent at once when the work is over
_log = structlog.get_logger()


@dataclass(frozen=True)
class Step:
    """How far the work is."""

    done: int
    total: int


class LongWork(Generic[T]):
    """Work that begins when its steps are first asked for; afterwards its result is there.

    A template walks ``steps`` and then looks at ``result`` or ``problem``.
    """

    def __init__(self, work: Callable[[Progress], T]) -> None:
        self._work = work
        self._said: queue.SimpleQueue[Step | None] = queue.SimpleQueue()
        self._share = -1
        self.result: T | None = None
        self.problem: str | None = None
        self.running = False

    def steps(self) -> Iterator[Step]:
        """The steps as they are made; ends with the work."""
        self.running = True
        threading.Thread(target=self._run, name="long-work").start()
        yield Step(0, 0)  # the page is shown before the first part is done
        while (step := self._said.get()) is not None:
            yield step
        self.running = False

    def _run(self) -> None:
        try:
            self.result = self._work(self._tell)
        except ServiceError as error:
            self.problem = error.message
        except Exception as error:  # noqa: BLE001 - the page must end, and say that it failed
            _log.error("long_work_failed", **logs.about(error))
            self.problem = "the service failed; what went wrong is in its log"
        finally:
            self._said.put(None)

    def _tell(self, done: int, total: int) -> None:
        share = done * _MOST_STEPS // max(total, 1)
        if share != self._share:
            self._share = share
            self._said.put(Step(done, total))


def render_working(
    request: Request, template: str, work: LongWork[Any], /, **values: Any
) -> StreamingResponse:
    """The page with its shell at once, then each step, then what follows from the result."""
    pieces = (
        environment().get_template(template).generate(work=work, **page_values(request), **values)
    )
    return StreamingResponse(_sent(pieces, work), media_type="text/html", headers=PAGE_HEADERS)


def _sent(pieces: Iterator[str], work: LongWork[Any]) -> Iterator[str]:
    """Piece by piece while somebody waits, in larger ones behind it."""
    held: list[str] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if work.running or size > _TOGETHER:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)
