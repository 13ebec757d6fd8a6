"""The checker as a program: ``python rpm-ledger-evidence.pyz PACK.json...``

Owns reading files, what is printed and exit codes: 0 all fits, 1 something does not, 2 not a pack
or a computer without time zones. Does not own the checks. Needs Python 3.11 or newer, nothing else.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from billing.evidence.check import check
from billing.evidence.facts import zones_are_known
from billing.evidence.pack import NotAPackError, read_pack

GOOD, MISMATCHES, UNUSABLE = range(3)
_USAGE = "usage: PACK.json... (checks evidence packs of rpm-ledger)"


def main(names: Sequence[str], out: TextIO, problems: TextIO) -> int:
    """Check files and tell a line for each thing that does not fit; the worst exit code."""
    if not names or names[0].startswith("-"):
        problems.write(f"{_USAGE}\n")
        return UNUSABLE
    if not zones_are_known():
        problems.write("this computer has no time zones: install the package tzdata\n")
        return UNUSABLE
    return max(_checked(Path(name), out, problems) for name in names)


def _checked(path: Path, out: TextIO, problems: TextIO) -> int:
    try:
        pack = read_pack(path.read_bytes())
    except OSError as error:
        problems.write(f"{path.name}: cannot be read: {error.strerror}\n")
        return UNUSABLE
    except NotAPackError as error:
        problems.write(f"{path.name}: {error}\n")
        return UNUSABLE
    found = check(pack)
    out.writelines(f"{path.name}: {one}\n" for one in found)
    counts = f"{len(pack['events'])} events, {len(pack['facts'])} facts"
    verdict = "does not fit" if found else "fits"
    out.write(f"{path.name}: {verdict} ({counts})\n")
    return MISMATCHES if found else GOOD


def run() -> int:
    """The program on its arguments."""
    return main(sys.argv[1:], sys.stdout, sys.stderr)
