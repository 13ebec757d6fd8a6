"""How each vendor says what a device measured: the writing side of ``devices.vendors``.

For simulated practices only. One planned measurement becomes the bodies of one vendor; the plan
(``devices.simulator``) does not know which.
"""

from collections.abc import Mapping
from types import MappingProxyType

from devices.speaking.cellular import BODYTRACE, MIO, TELLI
from devices.speaking.format import Format
from devices.speaking.gateways import GENERIC, TENOVI

FORMATS: Mapping[str, Format] = MappingProxyType(
    {known.vendor: known for known in (BODYTRACE, GENERIC, MIO, TELLI, TENOVI)}
)
"""Every format that the simulator speaks, by vendor."""
