"""The demo's server: the real application in a thread of this process.

Owns its start and stop. Does not own the application. The address is taken before anything else is
done, so that a port in use is told at once.
"""

import socket  # safe: only listens, so that the port is taken before the story
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from rpm.clock import Clock
from rpm.errors import Conflict, NotReady
from rpm.settings import Settings
from rpm.web.app import create_app
from rpm.web.heads import heads_in_time
from rpm.web.pages.demo_clock import MoveDemo

HOST = "127.0.0.1"
_START_SECONDS = 30


def taken_address(port: int | None) -> socket.socket:
    """A socket on the port, or on any free one; ``Conflict`` when it is in use."""
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((HOST, port or 0))
    except OSError as error:
        taken.close()
        raise Conflict(f"port {port} cannot be used: choose another one with --port") from error
    return taken


def url_of(address: socket.socket) -> str:
    """Where the application on an address is reached."""
    return f"http://{HOST}:{address.getsockname()[1]}"


@contextmanager
def serving(
    settings: Settings,
    address: socket.socket,
    clock: Clock | None = None,
    move_demo: MoveDemo | None = None,
) -> Iterator[str]:
    """The application at work on an address; gives its URL, and stops when the block ends.

    It goes by the database's own clock unless another is given; ``move_demo`` lets a page move it.
    """
    app = create_app(settings.model_copy(update={"host": HOST}), clock)
    app.state.move_demo = move_demo
    config = uvicorn.Config(
        app,
        http=heads_in_time(settings.body_timeout_seconds),
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [address]}, name="demo-server")
    thread.start()
    try:
        _wait_until_started(server, thread)
        yield url_of(address)
    finally:
        server.should_exit = True
        thread.join()
        address.close()


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    until = time.monotonic() + _START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > until:
            raise NotReady("the demo's server did not start")
        time.sleep(0.02)
