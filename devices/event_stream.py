"""Event streams: the events of a text in the form ``text/event-stream``.

Owns the form (HTML standard, server-sent events) and cutting a stream that never ends into its
events. Does not own what an event's data means.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from devices.delivery import UnreadableDeliveryError


class Event(NamedTuple):
    """An event's name (``message`` unless told) and its data lines, joined by line feeds."""

    name: str
    data: str


def looks_like_stream(body: bytes) -> bool:
    """Whether a body begins as an event stream does, which no JSON text can."""
    return body.lstrip(b"\r\n").startswith((b"event:", b"data:", b"id:", b"retry:", b":"))


def events_of(body: bytes) -> Iterator[Event]:
    """The events in order; one that a blank line does not end is left out, as the form has it.

    UnreadableDeliveryError for anything but UTF-8.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise UnreadableDeliveryError("not UTF-8") from None
    name, data = "", list[str]()
    # the form knows three line ends, and str.splitlines many more
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]:
        if not line:
            if name or data:
                yield Event(name or "message", "\n".join(data))
            name, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)


class Cutting:
    """A stream that comes in pieces of any size, cut into the bytes of its whole events."""

    def __init__(self, longest_bytes: int) -> None:
        self._longest_bytes = longest_bytes
        self._waiting = b""

    def more(self, piece: bytes) -> Iterator[bytes]:
        """The events that are whole now, each with the blank line that ends it.

        UnreadableDeliveryError when one is longer than may be.
        """
        self._waiting += piece
        began = 0
        for end in _BLANK_LINE.finditer(self._waiting):
            yield self._waiting[began : end.end()]
            began = end.end()
        self._waiting = self._waiting[began:]
        if len(self._waiting) > self._longest_bytes:
            raise UnreadableDeliveryError("an event is too long")


# two line ends one after another; a carriage return at the very end may yet be half of one
_BLANK_LINE = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?=[^\n]))")
