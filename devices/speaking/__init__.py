"""How each vendor says what a device measured: the writing side of ``devices.vendors``.

For simulated practices only. One planned measurement becomes the bodies of one vendor; the plan
(``devices.simulator``) does not know which.
"""

from collections.abc import Mapping
from types import MappingProxyType

from devices.speaking.cellular import BODYTRACE, MIO, TELLI
from devices.speaking.format import Format
from devices.speaking.gateways import GENERIC, TENOVI
from devices.speaking.records import FHIR, VALIDIC
from devices.speaking.withings import WITHINGS

FORMATS: Mapping[str, Format] = MappingProxyType(
    {known.vendor: known for known in (BODYTRACE, FHIR, GENERIC, MIO, TELLI, TENOVI, VALIDIC)}
)
"""Every format whose deliveries hold the measurements themselves, by vendor."""
NOTIFYING: Mapping[str, Format] = MappingProxyType({WITHINGS.vendor: WITHINGS})
"""Formats whose deliveries only say that there is something to fetch."""
