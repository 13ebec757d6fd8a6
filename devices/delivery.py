"""Delivery: the values that pass between the door and a vendor's format.

Owns what came in, secrets, the outcome of authentication, the items of a body and the error for a
body that cannot be read as a whole. Does not own how any vendor fills them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from devices.reading import Reading, RejectedReading


@dataclass(frozen=True)
class Incoming:
    """A request as it came; header names in any case, ``source`` is the sender's address.

    Headers and query may carry a secret, so neither is shown in a repr.
    """

    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    query: str = field(default="", repr=False)
    source: str | None = None


@dataclass(frozen=True)
class Secret:
    """A credential of a connection as text (``whsec_...``, ``whpk_...``); never shown in a repr."""

    text: str = field(repr=False)


@dataclass(frozen=True)
class Verified:
    """An authentic delivery: the sender's message id and when the sender signed it, if it did."""

    message_id: str | None
    timestamp: datetime | None


@dataclass(frozen=True)
class NotAuthentic:
    """A delivery that is not authentic; the reason is for our own log and holds no value sent."""

    reason: str


class UnreadableDeliveryError(ValueError):
    """A body that cannot be read as a whole and waits as a dead letter; echoes no content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


NOT_OF_A_DEVICE = frozenset({"news", "account", "rule"})
"""Kinds of notice that tell of an account: no device was heard by them."""


@dataclass(frozen=True)
class Notice:
    """What a device says that is no reading; ``vendor_time`` is its time exactly as sent.

    Kinds: ``heartbeat``, ``battery``, ``signal``, ``device_status``, ``settings``, ``not_a_vital``,
    ``goal``, ``news`` (there is something to fetch), ``account``, ``rule``.
    """

    device_id: str
    kind: str
    at: datetime | None
    value: str = ""
    vendor_time: str = ""


@dataclass(frozen=True)
class Parsed:
    """The items of a body in the order sent."""

    items: tuple[Reading | RejectedReading | Notice, ...]
