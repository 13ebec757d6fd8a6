"""BodyTrace: cellular scales, cuffs and oximeters, one small JSON object a post.

Owns the format. ``deviceId`` is the IMEI without leading zeros and without its check digit
(``devices.device_ids`` finds the device). Weight is in grams whatever ``unit`` says.

Source: the vendor's public client (rubydoc.info/gems/bodytrace) and a catalogued description.
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from devices.authenticity import Scheme
from devices.delivery import Notice, Parsed, UnreadableDeliveryError
from devices.kinds import KINDS
from devices.reading import Reading, component, missing_quantities
from devices.sent import Number, NumberOrText, Sent, loaded_object, shaped, taken
from devices.settings import Setting
from devices.timestamps import parse_epoch

_TARE_LIMIT_GRAMS = 100
"""A scale whose empty plate weighs more was not calibrated."""
_KINDS = {
    "weight": ("weight",),
    "bp": ("systolic", "diastolic"),
    "spo2": ("spo2",),
}


class _Values(Sent):
    weight: Number | None = None
    tare: Number | None = None
    systolic: Number | None = None
    diastolic: Number | None = None
    pulse: Number | None = None
    spo2: Number | None = None


class _Message(Sent):
    deviceId: NumberOrText  # noqa: N815 - the vendor's name
    ts: int
    batteryVoltage: Number | None = None  # noqa: N815 - the vendor's name
    rssi: Number | None = None
    values: _Values


class BodyTrace:
    """The vendor ``bodytrace``: Basic credentials that the practice chose, one object a post."""

    name = "bodytrace"
    schemes = (Scheme("basic", username="bodytrace"), Scheme("path"))
    settings: Mapping[str, Setting] = MappingProxyType(
        {
            "cuff_unit": Setting(
                ("unconfirmed", "mm[Hg]", "kPa", "Pa"),
                "unconfirmed",
                "The unit of systolic and diastolic is not documented. Unconfirmed: taken as mmHg "
                "and marked unit_inferred. Compare one reading with the cuff's display and set it.",
            ),
        }
    )

    def parse(self, body: bytes, settings: Mapping[str, Any]) -> Parsed:
        """The readings of a body, or its heartbeat, with battery and signal."""
        message = loaded_object(body)
        return Parsed(taken("body", lambda: _items(message, settings)))


def _items(message: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[Reading | Notice, ...]:
    sent = shaped(_Message, message)
    readings = tuple(
        _reading(sent, kind, settings)
        for kind, names in _KINDS.items()
        if any(getattr(sent.values, name) is not None for name in names)
    )
    if not readings and sent.values.pulse is not None:
        readings = (_reading(sent, "heart_rate", settings),)
    if not readings and message["values"]:
        raise UnreadableDeliveryError("no value that is known")
    return (*readings, *_notices(sent, is_heartbeat=not readings))


def _reading(sent: _Message, kind: str, settings: Mapping[str, Any]) -> Reading:
    table = KINDS[kind]
    pressure_unit = settings["cuff_unit"]
    units = {"weight": "g", "pulse": "/min", "spo2": "%"}
    if pressure_unit != "unconfirmed":
        units |= {"systolic": pressure_unit, "diastolic": pressure_unit}
    components = tuple(
        component(table, quantity.name, value, units.get(quantity.name, "mm[Hg]"))
        for quantity in table.quantities
        if (value := getattr(sent.values, quantity.name, None)) is not None
    )
    flags = ["incomplete"] if missing_quantities(table, components) else []
    if kind == "weight" and _is_out_of_calibration(sent.values):
        flags.append("calibration")
    if kind == "bp" and pressure_unit == "unconfirmed":
        flags.append("unit_inferred")
    return Reading(
        device_id=sent.deviceId,
        kind=kind,
        components=components,
        measured_at=parse_epoch(str(sent.ts), per_second=1000),
        vendor_time=str(sent.ts),
        entry_method="device",
        flags=tuple(flags),
    )


def _is_out_of_calibration(values: _Values) -> bool:
    return values.tare is not None and Decimal(values.tare) > _TARE_LIMIT_GRAMS


def _notices(sent: _Message, *, is_heartbeat: bool) -> tuple[Notice, ...]:
    at = parse_epoch(str(sent.ts), per_second=1000)
    found = {
        "heartbeat": "" if is_heartbeat else None,
        "battery": sent.batteryVoltage and f"{sent.batteryVoltage} mV",
        "signal": sent.rssi,
    }
    return tuple(
        Notice(sent.deviceId, kind, at, value, str(sent.ts))
        for kind, value in found.items()
        if value is not None
    )
