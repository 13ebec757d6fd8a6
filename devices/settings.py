"""Settings: what a vendor's public documents leave open and a practice decides per connection.

Owns the shape. Does not own the values chosen.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """Allowed values, the one that holds until somebody chooses, and a note for who does."""

    allowed: tuple[str, ...]
    default: str
    note: str
