"""Making files and names last a power cut.

Owns the system calls. Does not own what is written where.
"""

import os
from pathlib import Path


def make_durable(path: Path) -> None:
    """Make a file's content, or a folder's list of names, durable; folders where that is known."""
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
