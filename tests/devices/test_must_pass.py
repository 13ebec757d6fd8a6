"""Must-pass cases of the intake that the formats alone answer.

One test for each case of the reference on device formats (section 15), named for it. Elsewhere are
1 by ``test_signature.py`` and ``tests/promises/test_deliveries.py``; 3 as values by
``test_parts.py``; 6 by ``vendors/test_withings.py`` (the real body, attrib, goals); 7 by
``vendors/test_mio.py`` (127, 255, control solution, grams); 8 by ``vendors/test_bodytrace.py`` and
``test_device_ids.py``; 9 by ``vendors/test_telli.py``; the clock changes of 10 by
``test_counting.py``. What needs the store is in ``tests/rpm/actions/test_must_pass.py``, what comes
in files in ``tests/rpm/imports``.
"""

import tracemalloc
from datetime import UTC, date, datetime, timedelta
from time import perf_counter
from typing import Any

import pytest
from hostile_bodies import HOSTILE
from vendor_samples import items_of, readings_of, sample

from devices.counting import Association, DeviceFacts, countable
from devices.delivery import UnreadableDeliveryError
from devices.local_day import local_day
from devices.vendor import VENDORS

HOME = "America/Los_Angeles"
NOW = datetime(2026, 1, 15, 18, 0, tzinfo=UTC)
LATE_EVENING = datetime(2026, 1, 15, 7, 30, tzinfo=UTC)
"""23:30 of 14 January in Los Angeles."""


def _at(vendor: str, instant: datetime) -> Any:
    """A sample of a vendor that says it was measured at an instant, and nothing of a zone."""
    seconds = int(instant.timestamp())
    text = instant.strftime("%Y-%m-%dT%H:%M:%S")
    if vendor == "tenovi":
        return sample("tenovi", "blood-pressure") | {"timestamp": f"{text}Z"}
    if vendor == "telli":
        return sample("telli", "v1-blood-pressure") | {"time": f"{seconds}000"}
    if vendor == "bodytrace":
        return sample("bodytrace", "weight") | {"ts": seconds * 1000}
    if vendor == "fhir":
        return sample("fhir", "blood-pressure") | {"effectiveDateTime": f"{text}-00:00"}
    if vendor == "generic":
        return sample("generic", "single-blood-pressure") | {"measured_at": f"{text}Z"}
    content = sample("mio", "blood-pressure")
    content["data"]["ts"] = seconds
    return content


PUSHED = ("bodytrace", "fhir", "generic", "mio", "telli", "tenovi")


@pytest.mark.parametrize("vendor", PUSHED)
def test_case_10_half_past_eleven_at_home(vendor: str) -> None:
    """UTC is on the next day already: each format's reading is of the patient's evening."""
    (reading,) = readings_of(VENDORS[vendor], _at(vendor, LATE_EVENING))
    assert reading.measured_at == LATE_EVENING
    found = local_day(
        LATE_EVENING,
        offset_minutes=reading.offset_minutes,
        offset_origin=reading.offset_origin,
        patient_zone=HOME,
        practice_zone="America/New_York",
    )
    assert found == (date(2026, 1, 14), HOME, "patient")


@pytest.mark.parametrize("vendor", PUSHED)
@pytest.mark.parametrize(
    ("at", "reason", "flags"),
    [
        (NOW + timedelta(hours=2), "", ("clock_skew",)),
        (NOW + timedelta(days=3), "time_suspect", ("clock_skew",)),
        (datetime(1970, 1, 1, 12, tzinfo=UTC), "time_suspect", ()),
        (datetime(2000, 1, 1, 12, tzinfo=UTC), "time_suspect", ()),
    ],
)
def test_case_15_times_that_cannot_be(
    vendor: str, at: datetime, reason: str, flags: tuple[str, ...]
) -> None:
    """Each format keeps such a reading; two hours ahead counts on its day, the others wait."""
    (reading,) = readings_of(VENDORS[vendor], _at(vendor, at))
    assert reading.measured_at == at
    verdict = countable(
        reading,
        association=Association(datetime(1960, 1, 1, tzinfo=UTC)),
        device=DeviceFacts(fda_listed=True, automatic=True),
        received_at=NOW,
        zone=HOME,
    )
    assert (verdict.reason, verdict.flags) == (reason, flags)


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("vendor", [name for name in VENDORS if name != "withings"])
def test_case_17_hostile_bodies(vendor: str, body: bytes) -> None:
    """No format reads them: a clean answer within a second and a few megabytes."""
    tracemalloc.start()
    began = perf_counter()
    try:
        with pytest.raises(UnreadableDeliveryError):
            items_of(VENDORS[vendor], body)
        assert perf_counter() - began < 1
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024**2
    finally:
        tracemalloc.stop()
