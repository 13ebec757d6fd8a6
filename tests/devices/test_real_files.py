"""Real files of the vendors whose formats are read: what each gives, counted.

The files are examples that vendors and standards publish; their copies are samples. Where a file
holds several bodies each is a sample of its own. Of the vendors' files only Telli's
``openapi_schemas.json`` is not here: it describes bodies and holds none.
"""

from collections import Counter
from typing import Any, NamedTuple

import pytest
from vendor_samples import PAYLOADS, Fetched, Format, items_of

from devices.delivery import Notice, UnreadableDeliveryError
from devices.reading import Reading, RejectedReading
from devices.vendor import VENDORS


class Given(NamedTuple):
    """Readings by kind, how many of them a device sent, notices by kind, what was refused."""

    readings: dict[str, int]
    automatic: int
    notices: dict[str, int]
    refused: tuple[str, ...] = ()


FILES = {
    "fhir-phd/bundle-example-1.json": (
        ["fhir/accepted/bundle-example-1"],
        Given({"spo2": 1, "heart_rate": 1}, 2, {"device_status": 3}),
    ),
    "fhir-phd/compound-numeric-blood-pressure.json": (
        ["fhir/accepted/compound-numeric-blood-pressure"],
        Given({"bp": 1}, 1, {}),
    ),
    "fhir-phd/compound-numeric-blood-pressure-no-mean.json": (
        ["fhir/accepted/compound-numeric-blood-pressure-no-mean"],
        Given({"bp": 1}, 1, {}),
    ),
    "fhir-phd/bpm-status.json": (
        ["fhir/accepted/notice-bpm-status"],
        Given({}, 0, {"device_status": 1}),
    ),
    "fhir-phd/coin-20181119174911.json": (
        ["fhir/accepted/notice-coin-20181119174911"],
        Given({}, 0, {"device_status": 1}),
    ),
    "fhir-phd/phd-711000FEFF5F49B0.B0495F001071.json": (
        ["fhir/accepted/notice-phd-711000FEFF5F49B0.B0495F001071"],
        Given({}, 0, {"device_status": 1}),
    ),
    "fhir-phd/phg-example.json": (
        ["fhir/accepted/notice-phg-example"],
        Given({}, 0, {"device_status": 1}),
    ),
    "telli/readings_v1.json": (
        [f"telli/accepted/v1-{name}" for name in ("blood-pressure", "blood-glucose", "weight")],
        Given({"bp": 1, "glucose": 1, "weight": 1}, 3, {}),
    ),
    "telli/readings_v2.json": (
        [f"telli/accepted/v2-{name}" for name in ("blood-pressure", "blood-glucose", "weight")],
        Given({"bp": 1, "glucose": 1, "weight": 1}, 3, {"battery": 3, "signal": 3}),
    ),
    "vendor-api/withings-body-measures.json": (
        ["withings/accepted/body-measures"],
        Given({"bp": 1, "weight": 2, "heart_rate": 2, "temperature": 1}, 3, {}),
    ),
    "vendor-api/withings-activity-measures.json": (
        ["withings/rejected/unreadable-activity-measures"],
        Given({}, 0, {}, ("unreadable",)),
    ),
}
"""The published file, its samples, and what they give."""


def _items(name: str) -> tuple[Any, ...]:
    vendor = name.partition("/")[0]
    format_: Format = Fetched() if vendor == "withings" else VENDORS[vendor]
    return items_of(format_, (PAYLOADS / f"{name}.json").read_bytes())


@pytest.mark.parametrize(("names", "given"), FILES.values(), ids=FILES)
def test_a_real_file_gives_what_it_holds(names: list[str], given: Given) -> None:
    """Readings, notices and refusals of each file are exactly those that it holds."""
    items, refused = [], []
    for name in names:
        try:
            items += _items(name)
        except UnreadableDeliveryError:
            refused.append("unreadable")
    readings = [item for item in items if isinstance(item, Reading)]
    refused += [item.reason for item in items if isinstance(item, RejectedReading)]
    assert (
        Given(
            dict(Counter(item.kind for item in readings)),
            sum(item.entry_method == "device" for item in readings),
            dict(Counter(item.kind for item in items if isinstance(item, Notice))),
            tuple(refused),
        )
        == given
    )
