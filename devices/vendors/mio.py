"""Mio: Transtek's fully managed cellular devices, one telemetry or status message a post.

Owns the format. A cuff and an oximeter say when they measured; a scale says when it sent, so its
time is that of receipt. 127 and 255 are how the oximeter writes "no value". Values and times are
numbers; ``createdAt`` is when the vendor passed the message on and is no time of measurement.

Source: two public integrations (the vendor's own document is not public), so what they do not show
is a setting.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from devices.authenticity import Scheme
from devices.delivery import Notice, Parsed, UnreadableDeliveryError
from devices.kinds import KINDS
from devices.reading import (
    CannotReadError,
    Component,
    EntryMethod,
    Reading,
    TimeQuality,
    component,
)
from devices.sent import Number, Sent, Text, loaded_object, shaped, taken
from devices.settings import Setting
from devices.timestamps import parse_epoch

_OXIMETER_MODEL = "BM1000"
_NO_SATURATION, _NO_PULSE = "127", "255"
_GLUCOSE_UNITS = {1: "mmol/L", 2: "mg/dL"}
_SAMPLES: Mapping[int, EntryMethod] = MappingProxyType({1: "device", 2: "control"})
_DEVICE_MESSAGES = (("_heartbeat", "heartbeat"), ("_log", "device_status"))
_MEALS = {1: "before_meal", 2: "after_meal"}


class _Data(Sent):
    data_type: Text | None = None
    imei: Text | None = None
    bat: Number | None = None
    sig: Number | None = None
    ts: int | None = None


class _Pressure(_Data):
    sys: Number
    dia: Number
    pul: Number | None = None
    ihb: bool | None = None
    hand: bool | None = None
    tri: bool | None = None


class _Weight(_Data):
    wt: Number
    upload_time: int


class _Glucose(_Data):
    data: Number
    unit: int
    sample_type: int
    meal: int | None = None
    uptime: int | None = None


class _Oximetry(_Data):
    spo2: Number
    pr: Number | None = None


class _Envelope(Sent):
    deviceId: Text  # noqa: N815 - the vendor's name
    modelNumber: Text | None = None  # noqa: N815 - the vendor's name
    isTest: bool | None = None  # noqa: N815 - the vendor's name


class _Said(NamedTuple):
    """What a measurement says: kind, values, time and marks."""

    kind: str
    components: tuple[Component, ...]
    seconds: int | None
    flags: tuple[str, ...] = ()
    time_quality: TimeQuality = "exact"
    entry_method: EntryMethod = "device"


class Mio:
    """The vendor ``mio``: a fixed key in a header, one JSON object a post."""

    name = "mio"
    schemes = (Scheme("header", name="X-MIO-KEY"), Scheme("path"))
    settings: Mapping[str, Setting] = MappingProxyType(
        {
            "device_id": Setting(
                ("imei", "deviceId"),
                "imei",
                "Which field names the device as it is registered here: the IMEI on the box, or "
                "the vendor's own id.",
            ),
        }
    )

    def parse(self, body: bytes, settings: Mapping[str, Any]) -> Parsed:
        """The reading or notice of a body; a ``data_type`` that is not known is a dead letter."""
        message = loaded_object(body)
        if isinstance(message.get("status"), dict):
            return Parsed(
                taken("body", lambda: _status(message, "status", "device_status", settings))
            )
        data = message.get("data")
        sort = _sort(message, data if isinstance(data, dict) else {})
        if sort in _MEASUREMENTS:
            read = _MEASUREMENTS[sort]
            return Parsed(taken("body", lambda: _measurement(message, read, settings)))
        kind = next((kind for ending, kind in _DEVICE_MESSAGES if sort.endswith(ending)), None)
        if kind is None:
            raise UnreadableDeliveryError("not a data_type that is known")
        return Parsed(taken("body", lambda: _status(message, "data", kind, settings)))


def _sort(message: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """The data type; an oximeter is known by its model or its values."""
    sort = str(data.get("data_type", ""))
    is_oximeter = message.get("modelNumber") == _OXIMETER_MODEL and "spo2" in data
    return "oximeter" if is_oximeter and sort not in _MEASUREMENTS else sort


def _measurement(
    message: Mapping[str, Any],
    read: Callable[[Any], _Said],
    settings: Mapping[str, Any],
) -> tuple[Reading | Notice, ...]:
    envelope = shaped(_Envelope, message)
    data = shaped(_Data, message["data"])
    device_id = _device_id(envelope, data, settings)
    said = read(message["data"])
    if said.seconds is None:
        raise CannotReadError("time", "no time of measurement")
    vendor_time = str(said.seconds)
    at = parse_epoch(vendor_time, per_second=1)
    notices = _device_notices(device_id, data, vendor_time)
    if not said.components:
        return (Notice(device_id, "not_a_vital", at, "no value", vendor_time), *notices)
    reading = Reading(
        device_id=device_id,
        kind=said.kind,
        components=said.components,
        measured_at=at,
        vendor_time=vendor_time,
        time_quality=said.time_quality,
        entry_method="test" if envelope.isTest else said.entry_method,
        flags=said.flags,
    )
    return (reading, *notices)


def _pressure(data: Any) -> _Said:
    sent = shaped(_Pressure, data)
    values = [("systolic", sent.sys, "mm[Hg]"), ("diastolic", sent.dia, "mm[Hg]")]
    if sent.pul is not None:
        values.append(("pulse", sent.pul, "/min"))
    marks = {"irregular_heartbeat": sent.ihb, "movement": sent.hand, "mean_of_three": sent.tri}
    flags = tuple(name for name, is_set in marks.items() if is_set)
    return _Said("bp", tuple(component(KINDS["bp"], *value) for value in values), sent.ts, flags)


def _weight(data: Any) -> _Said:
    sent = shaped(_Weight, data)
    values = (component(KINDS["weight"], "weight", sent.wt, "g"),)
    return _Said("weight", values, sent.upload_time, time_quality="received")


def _glucose(data: Any) -> _Said:
    sent = shaped(_Glucose, data)
    unit, entry_method = _GLUCOSE_UNITS.get(sent.unit), _SAMPLES.get(sent.sample_type)
    if unit is None:
        raise CannotReadError("unit", "not a unit that is known")
    if entry_method is None:
        raise CannotReadError("value", "the meter calls the sample invalid")
    values = (component(KINDS["glucose"], "glucose", sent.data, unit),)
    flags = (_MEALS[sent.meal],) if sent.meal in _MEALS else ()
    seconds = sent.uptime if sent.uptime is not None else sent.ts
    return _Said("glucose", values, seconds, flags, entry_method=entry_method)


def _oximetry(data: Any) -> _Said:
    sent = shaped(_Oximetry, data)
    kind = "heart_rate" if sent.spo2 == _NO_SATURATION else "spo2"
    values = []
    if kind == "spo2":
        values.append(component(KINDS[kind], "spo2", sent.spo2, "%"))
    if sent.pr is not None and sent.pr != _NO_PULSE:
        values.append(component(KINDS[kind], "pulse", sent.pr, "/min"))
    return _Said(kind, tuple(values), sent.ts)


_MEASUREMENTS: Mapping[str, Callable[[Any], _Said]] = MappingProxyType(
    {
        "bpm_gen2_measure": _pressure,
        "scale_gen2_measure": _weight,
        "bgm_gen1_measure": _glucose,
        "oximeter": _oximetry,
    }
)


def _status(
    message: Mapping[str, Any], place: str, kind: str, settings: Mapping[str, Any]
) -> tuple[Notice, ...]:
    """When a status was true is not told: ``createdAt`` is the vendor's, and kept as text."""
    envelope = shaped(_Envelope, message)
    data = shaped(_Data, message[place])
    device_id = _device_id(envelope, data, settings)
    vendor_time = str(message.get("createdAt", ""))[:40]
    notice = Notice(device_id, kind, None, data.data_type or "", vendor_time)
    return (notice, *_device_notices(device_id, data, vendor_time))


def _device_id(envelope: _Envelope, data: _Data, settings: Mapping[str, Any]) -> str:
    if settings["device_id"] == "deviceId":
        return envelope.deviceId
    if data.imei is None:
        raise CannotReadError("shape", "imei: missing")
    return data.imei


def _device_notices(device_id: str, data: _Data, vendor_time: str) -> tuple[Notice, ...]:
    found = {"battery": data.bat and f"{data.bat} %", "signal": data.sig}
    return tuple(
        Notice(device_id, kind, None, value, vendor_time) for kind, value in found.items() if value
    )
