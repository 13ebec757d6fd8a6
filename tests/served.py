"""The product's server as a process of its own, on a free port, killed or stopped at will.

Owns starting, reaching and ending it, and the two things tests ask of such a process: how much
memory it holds and how large a file it may write. What is sent to it is the test's.
"""

import http.client
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from rpm.settings import Settings

START_SECONDS = 120.0
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Answer:
    """What came back, and how long it took, in seconds."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Program:
    """The program that starts servers (``service_program``)."""

    def __init__(self) -> None:
        here = Path(__file__).parent
        paths = os.pathsep.join(str(path) for path in (here.parent, here, here / "promises"))
        # numeric libraries would start threads, and what has threads must not fork
        environment = os.environ | {"PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"}
        self._program = subprocess.Popen(
            [sys.executable, "-B", "-m", "service_program"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        self._asking = threading.Lock()

    def start(self, port: int, environment: Mapping[str, str], *, traced: bool) -> int:
        """The process id of a new server."""
        asked = {"port": port, "environment": dict(environment), "traced": traced}
        with self._asking:
            assert self._program.stdin is not None
            assert self._program.stdout is not None
            self._program.stdin.write(json.dumps(asked) + "\n")
            self._program.stdin.flush()
            return int(self._program.stdout.readline())

    def end(self) -> None:
        """End it; what it started ends with it."""
        self._program.communicate()


def variables(settings: Settings) -> dict[str, str]:
    """Settings as the variables that a process reads them from."""
    given = {}
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        if value is not None:
            text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            given[f"RPMLEDGER_{name.upper()}"] = text
    return given


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])


class Service:
    """One server at one address, started again there after it was killed."""

    def __init__(self, program: Program, settings: Settings, *, traced: bool = False) -> None:
        self._program, self._environment = program, variables(settings)
        self._traced = traced
        self.port = free_port()
        self.process = 0

    def start(self) -> None:
        """Start it and wait until it is ready."""
        assert not self.process
        self.process = self._program.start(self.port, self._environment, traced=self._traced)
        until = time.monotonic() + START_SECONDS
        while not self.is_ready():
            assert self.is_alive(), "the server ended at its start"
            assert time.monotonic() < until, "the server did not start"
            time.sleep(0.02)

    def kill(self) -> None:
        """End it at once, wherever it is, and wait until it is gone."""
        if self.process:
            if self.is_alive():
                os.kill(self.process, signal.SIGKILL)
            while self.is_alive():
                time.sleep(0.005)
            self.process = 0

    def is_alive(self) -> bool:
        """Whether the process is there."""
        try:
            state = Path(f"/proc/{self.process}/stat").read_text(encoding="ascii")
        except OSError:
            return False
        return state.rpartition(")")[2].split()[0] != "Z"

    def is_ready(self) -> bool:
        """Whether it says that it can work."""
        try:
            return self.ask("GET", "/readyz", seconds=5).status == 200
        except OSError:
            return False

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 30,
    ) -> Answer:
        """One request on a connection of its own; OSError when there is no whole answer."""
        began = time.monotonic()
        connection = http.client.HTTPConnection(HOST, self.port, timeout=seconds)
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # answered before all was sent
                connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            told, content = dict(answer.headers), answer.read()
            lowered = {name.lower(): value for name, value in told.items()}
            return Answer(answer.status, lowered, content, time.monotonic() - began)
        except http.client.HTTPException as error:
            raise ConnectionError(type(error).__name__) from error
        finally:
            connection.close()

    def memory_bytes(self) -> int:
        """What it holds in memory."""
        told = Path(f"/proc/{self.process}/status").read_text(encoding="ascii")
        line = next(line for line in told.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    @contextmanager
    def no_file_larger_than(self, count_bytes: int) -> Iterator[None]:
        """While this lasts, a write that would make a file larger than this is refused."""
        before = resource.prlimit(self.process, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process, resource.RLIMIT_FSIZE, (count_bytes, before[1]))
        try:
            yield
        finally:
            resource.prlimit(self.process, resource.RLIMIT_FSIZE, before)
