"""A process under trace: stopped at each call that changes a file or is sent, and cut there.

Owns forking, counting such calls, and the three faults: killed before the call, killed when half
of what it writes is written, and no space left from that call on. Linux on x86-64, no privileges.
The caller must have one thread only: it forks.
"""

import ctypes
import errno
import os
import platform
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

POSSIBLE = sys.platform == "linux" and platform.machine() == "x86_64"

_TRACEME, _POKEUSER, _SYSCALL, _SETOPTIONS, _SYSCALL_INFO = 0, 6, 24, 0x4200, 0x420E
_OPTIONS = 1 | 0x100000  # stops at calls are told apart; the child ends with its tracer
_AT_CALL = signal.SIGTRAP | 0x80
_RESULT, _NUMBER = 8 * 10, 8 * 15  # places of rax and orig_rax among the registers
_CREATES = os.O_CREAT

_WRITES = {1: "write", 18: "pwrite64", 20: "writev", 296: "pwritev", 328: "pwritev2"}
_ON_FILES = {**_WRITES, 74: "fsync", 75: "fdatasync", 77: "ftruncate", 285: "fallocate"}
_ON_NAMES = {
    82: "rename",
    83: "mkdir",
    87: "unlink",
    258: "mkdirat",
    263: "unlinkat",
    264: "renameat",
    316: "renameat2",
}
_SENDTO = 44
_SENDS = {_SENDTO: "sendto", 46: "sendmsg"}
_OPENS = {257: "openat"}
_FREES = frozenset({"unlink", "unlinkat"})
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


class _Call(ctypes.Structure):
    _fields_ = (
        ("stop", ctypes.c_uint8),  # 1: before the call, 2: after it
        ("_", ctypes.c_uint8 * 3),
        ("arch", ctypes.c_uint32),
        ("instruction", ctypes.c_uint64),
        ("stack", ctypes.c_uint64),
        ("number", ctypes.c_uint64),
        ("arguments", ctypes.c_uint64 * 6),
        ("__", ctypes.c_uint64),
    )


_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)


def _ptrace(request: int, pid: int, address: int = 0, data: int = 0) -> int:
    done = int(_libc.ptrace(request, pid, address, data))
    if done < 0:
        raise OSError(ctypes.get_errno(), "ptrace")
    return done


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
    _ptrace(_SETOPTIONS, child, 0, _OPTIONS)
    calls, exit_code = _Tracer(child, folder, at, fault).follow()
    with os.fdopen(reader) as pipe:
        return Traced(pipe.read().splitlines(), calls, exit_code)


def _be_traced(work: Callable[[Callable[[str], None]], None], writer: int) -> None:
    code = 1
    try:
        _ptrace(_TRACEME, 0)
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
                _ptrace(_SYSCALL, self._child, 0, deliver)
            _, status = os.waitpid(self._child, 0)
            if os.WIFEXITED(status):
                return self._calls, os.WEXITSTATUS(status)
            if os.WIFSIGNALED(status):
                return self._calls, None
            at_call = os.WSTOPSIG(status) == _AT_CALL
            deliver = 0 if at_call else os.WSTOPSIG(status)
            if at_call:
                self._stopped()

    def _stopped(self) -> None:
        call = _Call()
        _ptrace(_SYSCALL_INFO, self._child, ctypes.sizeof(call), ctypes.addressof(call))
        if call.stop == 1:
            name = self._counted(call)
            if name:
                self._calls += 1
                self._meet(name, call)
        elif self._failing:
            self._failing = False
            _ptrace(_POKEUSER, self._child, _RESULT, (1 << 64) - errno.ENOSPC)

    def _meet(self, name: str, call: _Call) -> None:
        if self._at is None or self._calls < self._at:
            return
        if self._fault is Fault.NO_SPACE:
            if name not in _FREES and name not in _SENDS.values():
                self._failing = True
                _ptrace(_POKEUSER, self._child, _NUMBER, (1 << 64) - 1)
            return
        if self._fault is Fault.HALF and name in ("write", "pwrite64"):
            self._write_half(name, call)
        os.kill(self._child, signal.SIGKILL)
        self._killed = True

    def _write_half(self, name: str, call: _Call) -> None:
        """What a process killed within a write leaves: the first half of it."""
        place, buffer, count = (call.arguments[argument] for argument in range(3))
        half = self._memory(buffer, count)[: count // 2]
        with self._behind(place).open("r+b", buffering=0) as file:
            position = call.arguments[3] if name == "pwrite64" else self._position(place)
            os.pwrite(file.fileno(), half, position)

    def _position(self, place: int) -> int:
        told = Path(f"/proc/{self._child}/fdinfo/{place}").read_text(encoding="ascii")
        return int(told.split()[1])

    def _counted(self, call: _Call) -> str | None:
        number = int(call.number)
        if number in _ON_NAMES:
            return _ON_NAMES[number]
        if number in _SENDS:
            return None if self._sent(call) == _FLUSH else _SENDS[number]
        if number in _OPENS:
            return _OPENS[number] if call.arguments[2] & _CREATES else None
        if number not in _ON_FILES:
            return None
        inside = self._behind(call.arguments[0]).is_relative_to(self._folder)
        return _ON_FILES[number] if inside else None

    def _sent(self, call: _Call) -> bytes:
        """The first bytes of what is sent, as many as tell a hint."""
        if call.number != _SENDTO:
            return b""
        return self._memory(call.arguments[1], min(call.arguments[2], len(_FLUSH) + 1))

    def _memory(self, start: int, count: int) -> bytes:
        with Path(f"/proc/{self._child}/mem").open("rb", buffering=0) as memory:
            memory.seek(start)
            return memory.read(count)

    def _behind(self, place: int) -> Path:
        """The file of an open file's number."""
        return Path(f"/proc/{self._child}/fd/{place}").readlink()
