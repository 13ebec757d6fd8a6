"""System calls that are stopped at: which there are, and what the system tells of one.

Owns the words of ptrace and the calls that change a file, a name or are sent. Linux on x86-64, no
privileges. Does not own what is done at a stop (``traced``, ``watched``).
"""

import ctypes
import os
import platform
import signal
import sys
from pathlib import Path

POSSIBLE = sys.platform == "linux" and platform.machine() == "x86_64"

TRACEME, POKEUSER, NEXT_CALL, SET_OPTIONS = 0, 6, 24, 0x4200
SEIZE, INFO = 0x4206, 0x420E
CALLS_APART, WITH_THREADS, ENDS_WITH_TRACER = 1, 8, 0x100000
AT_CALL = signal.SIGTRAP | 0x80
BEFORE, AFTER = 1, 2
RESULT, NUMBER = 8 * 10, 8 * 15  # places of rax and orig_rax among the registers

WRITES = {1: "write", 18: "pwrite64", 20: "writev", 296: "pwritev", 328: "pwritev2"}
SYNCS = {74: "fsync", 75: "fdatasync"}
ON_FILES = {**WRITES, **SYNCS, 77: "ftruncate", 285: "fallocate"}
ON_NAMES = {
    82: "rename",
    83: "mkdir",
    87: "unlink",
    258: "mkdirat",
    263: "unlinkat",
    264: "renameat",
    316: "renameat2",
}
SENDTO = 44
SENDS = {SENDTO: "sendto", 46: "sendmsg"}
OPENS = {257: "openat"}
CREATES = os.O_CREAT
FREES = frozenset({"unlink", "unlinkat"})


class Call(ctypes.Structure):
    """A call at a stop."""

    _fields_ = (
        ("stop", ctypes.c_uint8),  # BEFORE it or AFTER it
        ("_", ctypes.c_uint8 * 3),
        ("arch", ctypes.c_uint32),
        ("instruction", ctypes.c_uint64),
        ("stack", ctypes.c_uint64),
        ("number", ctypes.c_uint64),  # AFTER: the result
        ("arguments", ctypes.c_uint64 * 6),
        ("__", ctypes.c_uint64),
    )


_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)


def ptrace(request: int, thread: int, address: int = 0, data: int = 0) -> int:
    """Ask the system; OSError where it refuses."""
    done = int(_libc.ptrace(request, thread, address, data))
    if done < 0:
        raise OSError(ctypes.get_errno(), "ptrace")
    return done


def call_of(thread: int) -> Call:
    """The call that a stopped thread is at."""
    call = Call()
    ptrace(INFO, thread, ctypes.sizeof(call), ctypes.addressof(call))
    return call


def skip_call(thread: int) -> None:
    """Let the call that a thread is before not be made."""
    ptrace(POKEUSER, thread, NUMBER, (1 << 64) - 1)


def fail_call(thread: int, error: int) -> None:
    """Let the call that a thread is after have failed."""
    ptrace(POKEUSER, thread, RESULT, (1 << 64) - error)


def memory(thread: int, start: int, count: int) -> bytes:
    """Bytes that a stopped thread holds."""
    with Path(f"/proc/{thread}/mem").open("rb", buffering=0) as held:
        held.seek(start)
        return held.read(count)


def behind(thread: int, place: int) -> Path:
    """The file of an open file's number."""
    return Path(f"/proc/{thread}/fd/{place}").readlink()
