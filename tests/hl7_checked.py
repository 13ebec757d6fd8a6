"""What hl7apy says of an HL7 v2 message, and its fields as the library hl7 reads them.

Owns asking them. Does not own what is expected of a message.
"""

import warnings
from typing import Any

import hl7
from hl7apy.parser import parse_message


def valid(message: str) -> bool:
    """Whether hl7apy finds the structure of its own message type in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bool(parse_message(message, find_groups=True).validate())


def field(message: Any, segment: Any, position: int, component: int = 1, repeat: int = 1) -> str:
    """A component of a segment as its text was meant, read by the library hl7."""
    found = segment(position)
    if not isinstance(found, hl7.Container):
        return str(message.unescape(str(found)))
    held = found[repeat - 1] if isinstance(found[0], hl7.Container) else found
    told = held[component - 1] if component <= len(held) else ""
    return str(message.unescape(str(told)))
