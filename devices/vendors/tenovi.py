"""Tenovi: gateways that post one object per metric, or the metrics of a moment as an array.

Owns the format. A cuff inflation comes as pressure, pulse and, where seen, an irregular-beat mark:
each is a part of one reading, known by ``hwi_device_id``, ``timestamp`` and ``measurement_index``
(``devices.parts``). Not read: ``hardware_uuid``, which changes when a gateway is swapped;
``created``, which only repeats ``timestamp``; a second value that is none of a pressure, because it
is a standard deviation.

Source: docs.tenovi.com, measurement webhooks and device pages; units from the device pages.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

from devices.authenticity import Scheme
from devices.delivery import Notice, Parsed, UnreadableDeliveryError
from devices.kinds import KINDS
from devices.parts import joined_items
from devices.reading import (
    CannotReadError,
    Component,
    Reading,
    RejectedReading,
    component,
    missing_quantities,
    valid_offset,
)
from devices.sent import NumberOrText, Sent, Text, shaped, taken
from devices.settings import Setting
from devices.strict_json import loads
from devices.timestamps import Timestamp, parse_rfc3339

MAX_ITEMS = 1_000
_IRREGULAR = "irregular_heartbeat"


class _Metric(NamedTuple):
    """The kind of a metric, our names of its values with their unit, whether it may be a part."""

    kind: str
    quantities: tuple[str, ...]
    unit: str
    is_part: bool = True


_METRICS = {
    "blood_pressure": _Metric("bp", ("systolic", "diastolic"), "mm[Hg]"),
    "pulse": _Metric("heart_rate", ("pulse",), "/min"),
    _IRREGULAR: _Metric("ecg_flag", (), ""),
    "spO2": _Metric("spo2", ("spo2",), "%"),
    "peak_expiratory_flow": _Metric("peak_flow", ("peak_flow",), "L/min"),
    "forced_expiratory_volume": _Metric("fev1", ("fev1",), "L"),
    "weight": _Metric("weight", ("weight",), "[lb_av]", is_part=False),
    "temperature": _Metric("temperature", ("temperature",), "[degF]", is_part=False),
    "glucose": _Metric("glucose", ("glucose",), "mg/dL", is_part=False),
    "blood_glucose": _Metric("glucose", ("glucose",), "mg/dL", is_part=False),
    "sleep": _Metric("sleep", ("sleep",), "h", is_part=False),
}
_NOTICES = {
    "battery_percentage": "battery",
    "perfusion_index": "not_a_vital",
    "steps": "not_a_vital",
    "heart_rate_statistics": "not_a_vital",
}
_PILLBOX = "pillbox_"


class _Filter(Sent):
    measurement_index: int | Text | None = None


class _Measurement(Sent):
    metric: Text
    value_1: NumberOrText | None = None
    value_2: NumberOrText | None = None
    hwi_device_id: Text
    patient_id: Text | None = None
    timestamp: Text
    timezone_offset: int | None = None
    estimated_timestamp: bool | None = None
    dummy_data: bool | None = None
    filter_params: _Filter | None = None


class Tenovi:
    """The vendor ``tenovi``: a fixed header of the practice's choice, or the address alone."""

    name = "tenovi"
    schemes = (Scheme("header", name="x-tenovi-key"), Scheme("path"))
    settings: Mapping[str, Setting] = MappingProxyType(
        {
            "timezone_offset": Setting(
                ("ignored", "minutes_east", "minutes_west"),
                "ignored",
                "Unit and sign of timezone_offset are not documented. Ignored: the patient's zone "
                "decides the local day. Compare some readings with the vendor before using it.",
            ),
        }
    )

    def parse(self, body: bytes, settings: Mapping[str, Any]) -> Parsed:
        """The readings of a body; parts of one reading that came together stand as one."""
        sent = loads(body)
        items = sent if isinstance(sent, list) else [sent]
        if not (1 <= len(items) <= MAX_ITEMS and all(isinstance(item, dict) for item in items)):
            raise UnreadableDeliveryError(f"not an object or an array of 1 to {MAX_ITEMS} objects")
        return Parsed(items_of_metrics(items, "body", settings))


def items_of_metrics(
    metrics: Sequence[Any], where: str, settings: Mapping[str, Any]
) -> tuple[Reading | RejectedReading | Notice, ...]:
    """The items of metrics as they are pushed or listed, parts of one reading joined."""
    found: list[Reading | RejectedReading | Notice] = []
    for index, item in enumerate(metrics):
        found += taken(f"{where}[{index}]", partial(_items, item, settings))
    return joined_items(found)


def _items(item: Any, settings: Mapping[str, Any]) -> tuple[Reading | Notice]:
    return (_item(item, settings),)


def _item(item: Any, settings: Mapping[str, Any]) -> Reading | Notice:
    sent = shaped(_Measurement, item)
    at = _instant(sent.timestamp)
    if sent.metric in _NOTICES:
        kind, value = _NOTICES[sent.metric], sent.value_1 or ""
        text = value if kind == "battery" else sent.metric
        return Notice(sent.hwi_device_id, kind, at.instant, text, sent.timestamp)
    metric = _METRICS.get(sent.metric)
    if metric is None and sent.metric.startswith(_PILLBOX):
        metric = _Metric("medication", (), "", is_part=False)
    if metric is None:
        raise CannotReadError("kind", "not a metric that is known")
    components, flags = _components(sent, metric)
    offset, offset_flags = _offset(sent, settings)
    return Reading(
        device_id=sent.hwi_device_id,
        kind=metric.kind,
        components=components,
        measured_at=at.instant,
        vendor_time=sent.timestamp,
        vendor_reading_id=_reading_id(sent, metric),
        patient_ref=sent.patient_id,
        offset_minutes=offset,
        offset_origin="vendor" if offset is not None else "unknown",
        time_quality="estimated" if sent.estimated_timestamp else "exact",
        entry_method="test" if sent.dummy_data else "device",
        flags=flags + offset_flags,
        is_part=metric.is_part,
    )


def _components(
    sent: _Measurement, metric: _Metric
) -> tuple[tuple[Component, ...], tuple[str, ...]]:
    if not metric.quantities:
        return (), (sent.metric,) if _says_yes(sent) else ()
    kind = KINDS[metric.kind]
    values = zip(metric.quantities, (sent.value_1, sent.value_2), strict=False)
    components = tuple(
        component(kind, name, value, metric.unit) for name, value in values if value is not None
    )
    return components, ("incomplete",) if missing_quantities(kind, components) else ()


def _says_yes(sent: _Measurement) -> bool:
    """The mark is sent as 1 and only when seen; a pillbox event needs no value."""
    if sent.metric != _IRREGULAR:
        return True
    if sent.value_1 not in {"1", "1.0"}:
        raise CannotReadError("value", "an irregular-beat mark is 1")
    return True


def _instant(text: str) -> Timestamp:
    """The vendor's times are UTC, also where no zone is written."""
    has_zone = text.endswith(("Z", "z")) or text[-6:-5] in {"+", "-"}
    return parse_rfc3339(text if has_zone else f"{text}Z")


def _offset(sent: _Measurement, settings: Mapping[str, Any]) -> tuple[int | None, tuple[str, ...]]:
    chosen = settings["timezone_offset"]
    if sent.timezone_offset is None or chosen == "ignored":
        return None, ()
    minutes = sent.timezone_offset if chosen == "minutes_east" else -sent.timezone_offset
    return (minutes, ()) if valid_offset(minutes) else (None, ("offset_refused",))


def _reading_id(sent: _Measurement, metric: _Metric) -> str | None:
    """The join key of parts; other readings have one only where an index tells two apart."""
    index = sent.filter_params.measurement_index if sent.filter_params else None
    if metric.is_part:
        return f"{sent.hwi_device_id}/{sent.timestamp}/{'' if index is None else index}"
    if index is None:
        return None
    return f"{sent.hwi_device_id}/{sent.metric}/{sent.timestamp}/{index}"
