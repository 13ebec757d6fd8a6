"""A running server under watch: all its threads are stopped at each of their system calls.

Owns following the threads, reading what they write, and two uses: which acknowledgements were sent
before what they acknowledge was synced, and calls on files that fail from one on until told
otherwise. The server ends with the watch.
"""

import errno
import os
import re
import struct
import threading
from contextlib import suppress
from pathlib import Path

import system_calls as calls
from system_calls import Call, behind, call_of, fail_call, memory, ptrace, skip_call

_INTERRUPT = 0x4207
_ALL_THREADS_OF_MINE = 0x40000000 | 0x20000000
_OPTIONS = calls.CALLS_APART | calls.WITH_THREADS | calls.ENDS_WITH_TRACER
_GATHERED = {"writev", "sendmsg"}
_FRAME_HEAD_BYTES = 24
_MESSAGE, _TOLD = re.compile(rb"msg-\d{6}"), re.compile(rb'"delivery_id":"([0-9a-f-]{36})"')


class Watch:
    """Follows a process from ``start`` until it is gone."""

    def __init__(self, process: int, folder: Path) -> None:
        self._process, self._folder = process, folder.resolve()
        self._entered: dict[int, tuple[str, Call]] = {}  # by thread: the call that it is in
        self._failing: dict[int, int] = {}  # by thread: the error that its call gets
        self._watching = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Begin; returns when every thread is watched."""
        self._thread.start()
        assert self._watching.wait(20), "the server cannot be watched"

    def end(self) -> None:
        """Wait until the process is gone: somebody has ended it."""
        self._thread.join(20)
        assert not self._thread.is_alive()

    def before(self, thread: int, name: str, call: Call) -> int | None:
        """A call is about to be made; the error that it shall get instead, if any."""

    def after(self, thread: int, name: str, call: Call, result: int) -> None:
        """A call was made."""

    def file_of(self, thread: int, name: str, call: Call) -> Path | None:
        """The file under the folder that a call writes to or syncs."""
        if name not in calls.ON_FILES.values():
            return None
        with suppress(OSError):
            path = behind(thread, call.arguments[0])
            return path if path.is_relative_to(self._folder) else None
        return None

    def _watch(self) -> None:
        known: set[int] = set()
        tasks = Path(f"/proc/{self._process}/task")
        while new := {int(one.name) for one in tasks.iterdir()} - known:
            for thread in new:
                with suppress(ProcessLookupError):
                    ptrace(calls.SEIZE, thread, 0, _OPTIONS)
                    ptrace(_INTERRUPT, thread)
            known |= new
        self._watching.set()
        with suppress(ChildProcessError):
            while True:
                thread, status = os.waitpid(-1, _ALL_THREADS_OF_MINE)
                if os.WIFSTOPPED(status):
                    with suppress(ProcessLookupError):  # it was killed meanwhile
                        ptrace(calls.NEXT_CALL, thread, 0, self._stopped(thread, status))

    def _stopped(self, thread: int, status: int) -> int:
        """The signal to go on with."""
        if os.WSTOPSIG(status) == calls.AT_CALL:
            self._at_call(thread, call_of(thread))
            return 0
        return 0 if status >> 16 else os.WSTOPSIG(status)

    def _at_call(self, thread: int, call: Call) -> None:
        if call.stop == calls.BEFORE:
            name = _name(call)
            if name is None:
                self._entered.pop(thread, None)
                return
            self._entered[thread] = name, call
            error = self.before(thread, name, call)
            if error is not None:
                self._failing[thread] = error
                skip_call(thread)
        elif thread in self._failing:
            fail_call(thread, self._failing.pop(thread))
            self._entered.pop(thread)
        elif thread in self._entered:
            name, entered = self._entered.pop(thread)
            result = struct.unpack("q", struct.pack("Q", call.number))[0]
            self.after(thread, name, entered, result)


def _name(call: Call) -> str | None:
    number = int(call.number)
    if number in calls.OPENS:
        return calls.OPENS[number] if call.arguments[2] & calls.CREATES else None
    for some in (calls.ON_FILES, calls.ON_NAMES, calls.SENDS):
        if number in some:
            return some[number]
    return None


def written(thread: int, name: str, call: Call) -> bytes:
    """What a call writes or sends."""
    if name not in _GATHERED:
        return memory(thread, call.arguments[1], call.arguments[2])
    start, count = call.arguments[1], call.arguments[2]
    if name == "sendmsg":
        start, count = struct.unpack("QQ", memory(thread, start + 16, 16))
    parts = struct.iter_unpack("QQ", memory(thread, start, 16 * count))
    return b"".join(memory(thread, place, size) for place, size in parts)


class SyncWatch(Watch):
    """When each delivery was synced with its commit, and when it was acknowledged.

    A write-ahead log is a row of frames, each a head of 24 bytes and a page; the head of the last
    frame of a transaction holds the size of the database, all others 0.
    """

    def __init__(self, process: int, folder: Path) -> None:
        super().__init__(process, folder)
        self.syncs = 0
        self._step = 0
        self._committed = False
        self._waiting: set[str] = set()
        self._synced: dict[str, int] = {}  # message id: at which step
        self._told: dict[str, int] = {}  # delivery's id: at which step

    def unsynced(self, acknowledged: dict[str, str]) -> list[str]:
        """Message ids of those (delivery's id by message id) that were told too early."""
        never = self._step + 1
        return [
            message_id
            for message_id, delivery_id in acknowledged.items()
            if self._synced.get(message_id, never) >= self._told[delivery_id]
        ]

    def before(self, thread: int, name: str, call: Call) -> None:
        """What is sent was acknowledged before it leaves."""
        self._step += 1
        if name in {*calls.SENDS.values(), "write", "writev"} and not self._log(thread, name, call):
            for found in _TOLD.findall(written(thread, name, call)):
                self._told.setdefault(found.decode(), self._step)

    def after(self, thread: int, name: str, call: Call, result: int) -> None:
        """What is written waits for the next sync after its commit."""
        self._step += 1
        if not self._log(thread, name, call) or result < 0:
            return
        if name in calls.WRITES.values():
            content = written(thread, name, call)
            if len(content) == _FRAME_HEAD_BYTES:
                self._committed = any(content[4:8])
            self._waiting.update(one.decode() for one in _MESSAGE.findall(content))
        elif name in calls.SYNCS.values() and self._committed:
            self.syncs += 1
            for one in self._waiting:
                self._synced.setdefault(one, self._step)
            self._waiting.clear()

    def _log(self, thread: int, name: str, call: Call) -> bool:
        path = self.file_of(thread, name, call)
        return path is not None and path.name.endswith("-wal")


class FaultyDisk(Watch):
    """Calls that change files fail while told so, from one of them on."""

    def __init__(self, process: int, folder: Path) -> None:
        super().__init__(process, folder)
        self.calls = 0
        self._error: int | None = None
        self._from = 0

    def fail(self, error: int, first: int) -> None:
        """From the ``first`` call after this on, all fail with this error."""
        self.calls, self._from, self._error = 0, first, error

    def mend(self) -> None:
        """From here on calls are made again."""
        self._error = None

    def before(self, thread: int, name: str, call: Call) -> int | None:
        """The error, while there is one; what frees space is done also on a full disk."""
        on_names = name in calls.ON_NAMES.values() or name in calls.OPENS.values()
        if not on_names and self.file_of(thread, name, call) is None:
            return None
        if name in calls.FREES and self._error == errno.ENOSPC:
            return None
        self.calls += 1
        return self._error if self.calls >= self._from else None
