"""The demo as a person starts it: ``rpm-ledger demo`` in a process of its own, served.

Owns starting and ending it, and who signs in with what. Does not own what is done with it.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
_COMMAND = (sys.executable, "-c", "from rpm.cli import main; main()", "demo")
_CODE = re.compile(r"^  (\S+)@\S+ +(\d{6})  ", re.MULTILINE)
_READY = "Serving; "


@dataclass(frozen=True)
class DemoProcess:
    """A served demo."""

    url: str
    folder: Path

    def password(self) -> str:
        """What everybody of the demo signs in with."""
        return self._codes().splitlines()[0].removeprefix("Password of everybody: ")

    def code(self, who: str) -> str:
        """The present one-time code of someone, named by the first part of the address."""
        return dict(_CODE.findall(self._codes()))[who]

    def address(self, who: str) -> str:
        """The address that someone signs in with."""
        found = re.search(rf"^  ({who}@\S+)", self._codes(), re.MULTILINE)
        assert found is not None, f"the demo has no {who}"
        return found[1]

    def _codes(self) -> str:
        asked = [*_COMMAND, "codes", "--folder", str(self.folder)]
        return subprocess.run(
            asked, check=True, capture_output=True, text=True, env=_environment()
        ).stdout


@contextmanager
def demo_process(folder: Path, *options: str) -> Iterator[DemoProcess]:
    """A new demo, once it says that it serves; ended afterwards."""
    process = subprocess.Popen(
        [*_COMMAND, "--folder", str(folder), *options],
        stdout=subprocess.PIPE,
        text=True,
        env=_environment(),
    )
    try:
        yield DemoProcess(_url(process), folder)
    finally:
        process.terminate()
        process.wait(timeout=60)


def _url(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    url = ""
    for line in process.stdout:
        if line.strip().startswith("URL="):
            url = line.strip().removeprefix("URL=")
        if line.startswith(_READY):
            return url
    raise RuntimeError("the demo did not come to serve")


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RPMLEDGER_")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
