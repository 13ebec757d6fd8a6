"""A program that starts the product's server as often as it is told, each time as a process.

    python -m service_program

Each line of its input is JSON: the port, the settings as variables, and whether the process may be
traced; it answers with a line that holds the new process's id. What the product imports is
imported once, so that a server that was killed is back in a moment. Ends, and ends what it
started, when its input ends.
"""

import ctypes
import json
import os
import signal
import sys

import rpm.commands.serve
import rpm.jobs.schedule
import rpm.web.app
from rpm.cli import run

_SET_PTRACER, _ANY, _DIE_WITH_PARENT = 0x59616D61, -1, 1


def serve(asked: str) -> None:
    """Be the server, as ``rpm-ledger serve`` is."""
    told = json.loads(asked)
    os.environ.update(told["environment"])
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.dup2(nowhere, sys.stderr.fileno())
    if sys.platform == "linux":
        prctl = ctypes.CDLL(None).prctl
        prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        if told["traced"]:
            prctl(_SET_PTRACER, ctypes.c_ulong(_ANY), 0, 0, 0)
    os._exit(run(["serve", "--port", str(told["port"])]))


def main() -> None:
    """Start what is asked for until nothing more is asked."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who asks looks after the processes
    for asked in sys.stdin:
        process = os.fork()
        if not process:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            serve(asked)
        sys.stdout.write(f"{process}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    assert rpm.commands.serve
    assert rpm.jobs.schedule
    assert rpm.web.app
    main()
