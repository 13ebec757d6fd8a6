"""Asking again for what is already recorded: the same is the same, anything else a conflict.

Owns the comparison. Does not own the keys: record number, NPI, payer key, vendor's device id.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from rpm.errors import Conflict

T = TypeVar("T")


def same_or_conflict(recorded: T, wanted: Mapping[str, Any], message: str) -> T:
    """The recorded row when it holds all that is wanted; ``Conflict`` with the message if not."""
    if any(getattr(recorded, name) != value for name, value in wanted.items()):
        raise Conflict(message)
    return recorded
