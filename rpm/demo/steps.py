"""Steps: the kinds of things that happen in the story, as values.

Owns their shape, and how a step names what an earlier one made. Does not own doing them (``post``,
``months``). A text ``@patient:CG-0001`` anywhere in a step stands for an id that is known only once
the earlier step was answered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

CREATED = 201


@dataclass(frozen=True)
class Call:
    """A request to the API by someone who works there; ``keep`` names the id in its answer."""

    at: datetime
    by: str
    path: str
    body: Mapping[str, Any]
    keep: str | None = None


@dataclass(frozen=True)
class Post:
    """A delivery at a gateway's door; ``keeps`` are sender's ids of readings needed later."""

    at: datetime
    gateway: str
    headers: Mapping[str, str]
    body: bytes
    expects: int = 200
    query: str = ""
    keeps: frozenset[str] = field(default=frozenset())


@dataclass(frozen=True)
class CloseOf:
    """The biller closes a month and exports it; other work waits until it is done."""

    at: datetime
    month_start_day: date


Step = Call | Post | CloseOf
