"""Vendor: what each vendor's format must answer, and the vendors by name.

Owns the protocol. A new vendor is one module in ``devices.vendors``, its sample payloads and a line
here.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from devices.delivery import NotAuthentic, Parsed, Secret, Verified
from devices.vendors.generic import Generic


class Vendor(Protocol):
    """A vendor's format. Both questions are pure: ``now`` is an argument."""

    @property
    def name(self) -> str:
        """The word in the webhook's path and the adapter name in identity keys."""

    def verify(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[Secret], now: datetime
    ) -> Verified | NotAuthentic:
        """Whether the delivery is authentic, before a byte of it is parsed. Never raises."""

    def parse(self, body: bytes) -> Parsed:
        """The items of an authentic body; UnreadableDeliveryError when it cannot be read at all."""


VENDORS: Mapping[str, Vendor] = MappingProxyType(
    {vendor.name: vendor for vendor in (Generic(),)},
)
"""Every vendor by name."""
