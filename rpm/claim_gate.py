"""The gate of claim files: another program's opinion, asked in a process of its own.

Owns asking pyx12 (its function, never its command, whose exit status says nothing) and what is told
of its answer. Does not own our own checks (``billing.claims.scrub``). pyx12 needs about 3 ms for a
claim: in its own process nothing else waits for it. Its messages quote values of the file; only
places and kinds of them are told.

``python -m rpm.claim_gate`` reads a file from standard input and writes the answer as JSON.
"""

import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

from billing.finding import Finding

REFUSED = "E_GATE"
"""pyx12 finds the file invalid."""
_LONGEST_SECONDS = 900
_MOST_FINDINGS = 50
_MESSAGE = re.compile(r"Line:(\d+) ([A-Z0-9]+):([A-Z0-9]+) -")
_ELEMENT = re.compile(r"\(([A-Z][A-Z0-9]{1,2}[0-9]{2})(?:-[0-9]{1,2})?\)")


def gate_findings(content: bytes) -> tuple[Finding, ...]:
    """What pyx12 finds in an 837P; nothing when it may leave."""
    done = subprocess.run(
        [sys.executable, "-m", "rpm.claim_gate"],
        input=content,
        capture_output=True,
        check=False,
        timeout=_LONGEST_SECONDS,
    )
    try:
        told = json.loads(done.stdout)
        valid, messages = bool(told["valid"]), list(told["messages"])
    except (ValueError, KeyError):
        valid, messages = False, []
    if valid:
        return ()
    return tuple(map(_finding, messages[:_MOST_FINDINGS])) or (
        Finding(REFUSED, "file", "The validator could not read the file. Do not send it."),
    )


def _finding(message: str) -> Finding:
    """A message of pyx12 without the values that it quotes."""
    place, element = _MESSAGE.match(message), _ELEMENT.search(message)
    where = f"segment {place[1]}" if place else "file"
    kind = f" ({place[2]} {place[3]})" if place else ""
    named = f", {element[1]}" if element else ""
    return Finding(REFUSED, f"{where}{named}", f"The validator pyx12 refuses it{kind}.")


def verdict(content: bytes) -> tuple[bool, list[str]]:
    """Whether pyx12's function finds a file valid, and its messages."""
    from pyx12.params import params
    from pyx12.x12n_document import x12n_document

    with _listening() as messages:
        try:
            source = StringIO(content.decode("ascii"))  # no patient data on the disk
            valid = x12n_document(params(), source, StringIO(), None, None, None)
        except Exception as error:  # noqa: BLE001 - it raises many kinds; all are a failure
            return False, [*messages, type(error).__name__]
    return bool(valid), messages


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@contextmanager
def _listening() -> Iterator[list[str]]:
    kept, logger = _Kept(), logging.getLogger("pyx12")
    logger.addHandler(kept)
    logger.propagate = False
    try:
        yield kept.messages
    finally:
        logger.removeHandler(kept)


def main() -> None:
    """Read a file, write the answer."""
    valid, messages = verdict(sys.stdin.buffer.read())
    json.dump({"valid": valid, "messages": messages[:_MOST_FINDINGS]}, sys.stdout)


if __name__ == "__main__":
    main()
