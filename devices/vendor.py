"""Vendor: what each vendor's format must answer, and the vendors by name.

Owns the protocol. A new vendor is one module in ``devices.vendors``, its sample payloads, the
example in ``devices/vendors/examples`` and a line here.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

from devices.authenticity import Scheme
from devices.delivery import Parsed
from devices.pull import Source
from devices.settings import Setting
from devices.vendors.bodytrace import BodyTrace
from devices.vendors.fhir import Fhir
from devices.vendors.generic import Generic
from devices.vendors.mio import Mio
from devices.vendors.telli import Telli
from devices.vendors.tenovi import Tenovi
from devices.vendors.tenovi_pull import TenoviSource
from devices.vendors.validic import Validic
from devices.vendors.validic_stream import ValidicStream
from devices.vendors.withings import Withings
from devices.vendors.withings_pull import WithingsSource


class Vendor(Protocol):
    """A vendor's format."""

    @property
    def name(self) -> str:
        """The word in the webhook's path and the adapter name in identity keys."""

    @property
    def schemes(self) -> tuple[Scheme, ...]:
        """The ways of proof that a connection may have, each kind once; the first is the default.

        A connection may give another header, parameter or user name, and another tolerance.
        """

    @property
    def settings(self) -> Mapping[str, Setting]:
        """What the vendor leaves open and a practice decides per connection, by name."""

    def parse(self, body: bytes, settings: Mapping[str, Any]) -> Parsed:
        """The items of an authentic body; UnreadableDeliveryError when it cannot be read at all.

        ``settings`` has a value for every one of the vendor's settings. Pure.
        """


VENDORS: Mapping[str, Vendor] = MappingProxyType(
    {
        vendor.name: vendor
        for vendor in (
            BodyTrace(),
            Fhir(),
            Generic(),
            Mio(),
            Telli(),
            Tenovi(),
            Validic(),
            Withings(),
        )
    },
)
"""Every vendor by name."""

SOURCES: Mapping[str, Source] = MappingProxyType(
    {"tenovi": TenoviSource(), "validic": ValidicStream(), "withings": WithingsSource()}
)
"""Those that are asked for their readings, by name."""


def settings_with_defaults(vendor: Vendor, chosen: Mapping[str, str]) -> dict[str, str]:
    """A value for every setting of a vendor: the one chosen where it is allowed, else the default.

    A choice that a later version no longer knows is passed over.
    """
    return {
        name: chosen[name] if chosen.get(name) in setting.allowed else setting.default
        for name, setting in vendor.settings.items()
    }
