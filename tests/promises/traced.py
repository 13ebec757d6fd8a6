"""A process under trace: stopped at each call that changes a file or is sent, and cut there.

Owns forking, counting such calls, and the three faults: killed before the call, killed when half
of what it writes is written, and no space left from that call on. Linux on x86-64, no privileges.
The caller must have one thread only: it forks.
"""

import errno
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import system_calls as calls
from system_calls import Call, behind, call_of, fail_call, memory, ptrace, skip_call

# A hint of a client of PostgreSQL that answers may come; whether it is sent depends on timing.
_FLUSH = b"H\x00\x00\x00\x04"


class Fault(StrEnum):
    """What happens at the chosen call."""

    KILLED = "killed before"
    HALF = "killed within"
    NO_SPACE = "no space from"


@dataclass(frozen=True)
class Traced:
    """How a process ended: what it said before, how many calls were counted, its exit status."""

    said: list[str]
    calls: int
    exit_code: int | None  # None: killed


def traced(
    work: Callable[[Callable[[str], None]], None],
    folder: Path,
    at: int | None = None,
    fault: Fault = Fault.KILLED,
) -> Traced:
    """Run ``work`` in a child; at its ``at``-th counted call, from one on, the fault.

    Counted are calls that change files under ``folder`` or names, and what is sent to a socket.
    ``work`` is given a function to say lines that count as said as soon as it returns.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        _be_traced(work, writer)
    os.close(writer)
    os.waitpid(child, 0)
    ptrace(calls.SET_OPTIONS, child, 0, calls.CALLS_APART | calls.ENDS_WITH_TRACER)
    count, exit_code = _Tracer(child, folder, at, fault).follow()
    with os.fdopen(reader) as pipe:
        return Traced(pipe.read().splitlines(), count, exit_code)


def _be_traced(work: Callable[[Callable[[str], None]], None], writer: int) -> None:
    code = 1
    try:
        ptrace(calls.TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        work(lambda line: _say(writer, line))
        code = 0
    except BaseException as error:  # noqa: BLE001 - told to the parent
        _say(writer, f"error {type(error).__name__}")
    finally:
        os._exit(code)


def _say(writer: int, line: str) -> None:
    os.write(writer, f"{line}\n".encode())


class _Tracer:
    def __init__(self, child: int, folder: Path, at: int | None, fault: Fault) -> None:
        self._child, self._folder = child, folder.resolve()
        self._at, self._fault = at, fault
        self._calls = 0
        self._killed = False
        self._failing = False  # this call was taken away and gets its error when it returns

    def follow(self) -> tuple[int, int | None]:
        """Calls counted and exit status."""
        deliver = 0
        while True:
            if not self._killed:
                ptrace(calls.NEXT_CALL, self._child, 0, deliver)
            _, status = os.waitpid(self._child, 0)
            if os.WIFEXITED(status):
                return self._calls, os.WEXITSTATUS(status)
            if os.WIFSIGNALED(status):
                return self._calls, None
            at_call = os.WSTOPSIG(status) == calls.AT_CALL
            deliver = 0 if at_call else os.WSTOPSIG(status)
            if at_call:
                self._stopped()

    def _stopped(self) -> None:
        call = call_of(self._child)
        if call.stop == calls.BEFORE:
            name = self._counted(call)
            if name:
                self._calls += 1
                self._meet(name, call)
        elif self._failing:
            self._failing = False
            fail_call(self._child, errno.ENOSPC)

    def _meet(self, name: str, call: Call) -> None:
        if self._at is None or self._calls < self._at:
            return
        if self._fault is Fault.NO_SPACE:
            if name not in calls.FREES and name not in calls.SENDS.values():
                self._failing = True
                skip_call(self._child)
            return
        if self._fault is Fault.HALF and name in ("write", "pwrite64"):
            self._write_half(name, call)
        os.kill(self._child, signal.SIGKILL)
        self._killed = True

    def _write_half(self, name: str, call: Call) -> None:
        """What a process killed within a write leaves: the first half of it."""
        place, buffer, count = (call.arguments[argument] for argument in range(3))
        half = memory(self._child, buffer, count)[: count // 2]
        with behind(self._child, place).open("r+b", buffering=0) as file:
            position = call.arguments[3] if name == "pwrite64" else self._position(place)
            os.pwrite(file.fileno(), half, position)

    def _position(self, place: int) -> int:
        told = Path(f"/proc/{self._child}/fdinfo/{place}").read_text(encoding="ascii")
        return int(told.split()[1])

    def _counted(self, call: Call) -> str | None:
        number = int(call.number)
        if number in calls.ON_NAMES:
            return calls.ON_NAMES[number]
        if number in calls.SENDS:
            return None if self._sent(call) == _FLUSH else calls.SENDS[number]
        if number in calls.OPENS:
            return calls.OPENS[number] if call.arguments[2] & calls.CREATES else None
        if number not in calls.ON_FILES:
            return None
        inside = behind(self._child, call.arguments[0]).is_relative_to(self._folder)
        return calls.ON_FILES[number] if inside else None

    def _sent(self, call: Call) -> bytes:
        """The first bytes of what is sent, as many as tell a hint."""
        if call.number != calls.SENDTO:
            return b""
        return memory(self._child, call.arguments[1], min(call.arguments[2], len(_FLUSH) + 1))
