"""Telli: cellular kits of Telli Health, one message a post, versions 1 and 2 of its model.

Owns the format. A reading names its ``readingType``, every other message its ``type``. Devices are
named by a text, mostly an IMEI. There is no message id, so what a reading says makes it one.

Source: the vendor's OpenAPI description (tellihealth-rpm-api-spec).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from devices.authenticity import Scheme
from devices.delivery import Notice, Parsed, UnreadableDeliveryError
from devices.kinds import KINDS
from devices.reading import CannotReadError, Component, Reading, component, missing_quantities
from devices.sent import Number, Sent, Text, loaded_object, shaped, taken
from devices.settings import Setting
from devices.timestamps import parse_epoch, parse_offset_minutes

_NOTICES = {
    "Heartbeat": "heartbeat",
    "ReminderCleared": "device_status",
    "SettingsResponse": "settings",
}
_NOT_A_VITAL = frozenset({"SleepingMatActivity", "SleepingMatDuration"})
_MEALS = {"before": "before_meal", "after": "after_meal"}


class _Numbers(Sent):
    systolic: Number | None = None
    diastolic: Number | None = None
    pulse: Number | None = None
    arrhythmia: Literal[0, 1] | None = None
    glucose: Number | None = None
    readingPeriod: Literal["before", "after"] | None = None  # noqa: N815 - the vendor's name
    weight: Number | None = None
    unit: Text | None = None
    spo2: Number | None = None
    battery: Number | None = None
    rsrp: Number | None = None
    temperature: Number | None = None
    fev1: Number | None = None
    pef: Number | None = None


class _DeviceData(Sent):
    r: Text | None = None
    batt: Text | None = None


class _Message(Sent):
    deviceId: Text  # noqa: N815 - the vendor's name
    time: Text
    tzOffsetMinutes: Text | None = None  # noqa: N815 - the vendor's name
    mem: Literal["0", "1"] | None = None
    devdata: _DeviceData | None = None


class _SentReading(_Message):
    data: _Numbers


class _Quantities(NamedTuple):
    """Of one reading type: the kind, and field, our name and unit (None: as sent) of each."""

    kind: str
    fields: tuple[tuple[str, str, str | None], ...]


_TYPES = {
    "BloodPressure": _Quantities(
        "bp",
        (
            ("systolic", "systolic", "mm[Hg]"),
            ("diastolic", "diastolic", "mm[Hg]"),
            ("pulse", "pulse", "/min"),
        ),
    ),
    "BloodGlucose": _Quantities("glucose", (("glucose", "glucose", None),)),
    "Weight": _Quantities("weight", (("weight", "weight", None),)),
    "SpO2": _Quantities("spo2", (("spo2", "spo2", "%"), ("pulse", "pulse", "/min"))),
    "Temperature": _Quantities("temperature", (("temperature", "temperature", None),)),
    "PeakFlow": _Quantities("peak_flow", (("pef", "peak_flow", "L/min"), ("fev1", "fev1", "L"))),
}


class Telli:
    """The vendor ``telli``: a fixed key in a header, one JSON object a post."""

    name = "telli"
    schemes = (Scheme("header", name="x-api-key"), Scheme("path"))
    settings: Mapping[str, Setting] = MappingProxyType(
        {
            "glucose_unit": Setting(
                ("unconfirmed", "mg/dL", "mmol/L"),
                "unconfirmed",
                "Version 1 sends glucose without a unit. Unconfirmed: taken as mg/dL and marked "
                "unit_inferred. Ask the vendor and set it.",
            ),
            "tz_offset": Setting(
                ("used", "ignored"),
                "used",
                "tzOffsetMinutes decides the local day where it is an offset that exists; the "
                "vendor's own examples are none. Ignored: the patient's zone decides.",
            ),
        }
    )

    def parse(self, body: bytes, settings: Mapping[str, Any]) -> Parsed:
        """The reading, or the notice, of a body, with the device's battery and signal."""
        message = loaded_object(body)
        sort = str(message.get("readingType", message.get("type")))
        if sort in _TYPES:
            return Parsed(taken("body", lambda: _reading(message, _TYPES[sort], settings)))
        if sort in _NOT_A_VITAL or sort in _NOTICES:
            kind = _NOTICES.get(sort, "not_a_vital")
            return Parsed(taken("body", lambda: _notices(shaped(_Message, message), kind, sort)))
        raise UnreadableDeliveryError("not a type of message that is known")


def _reading(
    message: Mapping[str, Any], sort: _Quantities, settings: Mapping[str, Any]
) -> tuple[Reading | Notice, ...]:
    sent = shaped(_SentReading, message)
    flags = _flags(sent)
    offset = None
    if sent.tzOffsetMinutes is not None and settings["tz_offset"] == "used":
        offset = parse_offset_minutes(sent.tzOffsetMinutes)
        flags += () if offset is not None else ("offset_refused",)
    components, more_flags = _components(sent.data, sort, settings)
    reading = Reading(
        device_id=sent.deviceId,
        kind=sort.kind,
        components=components,
        measured_at=parse_epoch(sent.time, per_second=1000),
        vendor_time=sent.time,
        offset_minutes=offset,
        offset_origin="device" if offset is not None else "unknown",
        entry_method="device",
        flags=flags + more_flags,
    )
    return (reading, *_device_notices(sent, sent.data))


def _components(
    data: _Numbers, sort: _Quantities, settings: Mapping[str, Any]
) -> tuple[tuple[Component, ...], tuple[str, ...]]:
    """The quantities given, and marks: what is missing, and a unit that was not sent."""
    kind = KINDS[sort.kind]
    flags: tuple[str, ...] = ()
    components = []
    for field, name, unit in sort.fields:
        value = getattr(data, field)
        if value is None:
            continue
        unit = unit or data.unit
        if unit is None:
            unit, flags = _unit_not_sent(sort.kind, settings)
        components.append(component(kind, name, value, unit))
    if missing_quantities(kind, components):
        flags += ("incomplete",)
    return tuple(components), flags


def _unit_not_sent(kind: str, settings: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    if kind != "glucose":
        raise CannotReadError("unit", "no unit is given")
    chosen = settings["glucose_unit"]
    return ("mg/dL", ("unit_inferred",)) if chosen == "unconfirmed" else (chosen, ())


def _flags(sent: _SentReading) -> tuple[str, ...]:
    flags = []
    if sent.mem == "1":
        flags.append("from_memory")
    if sent.data.arrhythmia == 1:
        flags.append("irregular_heartbeat")
    if sent.data.readingPeriod is not None:
        flags.append(_MEALS[sent.data.readingPeriod])
    return tuple(flags)


def _notices(sent: _Message, kind: str, sort: str) -> tuple[Notice, ...]:
    """The unit of the time of other messages is not documented, so it stays a text."""
    return (Notice(sent.deviceId, kind, None, sort, sent.time), *_device_notices(sent, None))


def _device_notices(sent: _Message, data: _Numbers | None) -> tuple[Notice, ...]:
    """Battery and signal as sent: 0 to 10 or ``pwr``, 1 to 4; an oximeter's percent and rsrp."""
    found = {
        "battery": (sent.devdata and sent.devdata.batt) or (data and data.battery),
        "signal": (sent.devdata and sent.devdata.r) or (data and data.rsrp),
    }
    return tuple(
        Notice(sent.deviceId, kind, None, value, sent.time)
        for kind, value in found.items()
        if value
    )
