"""Files that are whole or absent: written beside their place, made durable, then renamed.

Owns the order of those steps, and that no link leads them out of their folder. Does not own what is
in the files.
"""

import errno
import os
from collections.abc import Mapping
from pathlib import Path

from rpm.durable import make_durable


def folder_within(out: Path, name: str) -> Path:
    """The folder of a name in another one; OSError where a link stands in its place."""
    folder = out / name
    if folder.is_symlink():
        raise OSError(errno.ELOOP, "the folder is a link to another place")
    return folder


def write_whole(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder in the order given; each appears whole or not at all.

    Give the file that vouches for the others last: where it stands, the others stand. A file left
    over from an interrupted run has another name and is replaced. Raises OSError as the system
    does; what was complete before stays as it was.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        draft = folder / f".{name}.draft"
        draft.unlink(missing_ok=True)
        with draft.open("xb") as file:  # a new file: a link put there is not followed
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / name)
        make_durable(folder)
