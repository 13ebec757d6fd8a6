"""Gateways: how ``generic`` and ``tenovi`` say a measurement; both may gather many in a body.

Owns their words. A measurement is one item for ``generic`` and several parts for ``tenovi``.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from devices.simulator import Sent
from devices.speaking.format import Format, Item, json_body, texts

_TENOVI_METRICS = {
    "bp": ("blood_pressure", "systolic", "diastolic"),
    "weight": ("weight", "weight"),
    "glucose": ("glucose", "glucose"),
    "spo2": ("spO2", "spo2"),
    "temperature": ("temperature", "temperature"),
    "peak_flow": ("peak_expiratory_flow", "peak_flow"),
}
_WITH_PULSE = frozenset({"bp", "spo2"})


def _generic_items(sent: Sent) -> list[Item]:
    measured = sent.measurement
    return [
        {
            "id": measured.id,
            "device_id": measured.device_id,
            "patient_ref": measured.patient_ref,
            "kind": measured.kind,
            "components": [
                {"code": code, "value": text, "unit": unit} for code, text, unit in measured.values
            ],
            "measured_at": measured.local.isoformat(),
            "entry_method": "manual" if measured.manual else "device",
        }
    ]


def _generic_body(items: Sequence[Item], posted_at: datetime) -> bytes:
    return json_body(
        {
            "type": "readings.recorded",
            "timestamp": posted_at.isoformat(),
            "data": {"readings": list(items)},
        }
    )


def _tenovi_items(sent: Sent) -> list[Item]:
    """Pressure and pulse of one inflation are posts of their own, tied by time and index."""
    measured, values = sent.measurement, texts(sent.measurement)
    if measured.manual:
        return []
    metric, first, *second = _TENOVI_METRICS[measured.kind]
    items = [_tenovi(measured.device_id, metric, measured.told_at, values[first])]
    items[0]["value_2"] = values[second[0]] if second else None
    items[0]["patient_id"] = measured.patient_ref
    if measured.kind in _WITH_PULSE:
        items.append(_tenovi(measured.device_id, "pulse", measured.told_at, values["pulse"]))
        for item in items:
            item["filter_params"] = {"measurement_index": measured.measured_at.minute}
    return items


def _tenovi(device_id: str, metric: str, at: datetime, value: str) -> Item:
    told = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return {
        "metric": metric,
        "hwi_device_id": device_id,
        "value_1": value,
        "timestamp": told,
        "created": told,
        "estimated_timestamp": False,
    }


def _tenovi_body(items: Sequence[Item], _posted_at: datetime) -> bytes:
    """One object, or an array of them ("post as array")."""
    return json_body(items[0] if len(items) == 1 else list(items))


def _tenovi_battery(device_id: str, at: datetime) -> Item:
    return _tenovi(device_id, "battery_percentage", at, "78")


GENERIC = Format(
    "generic",
    frozenset({"bp", "weight", "glucose", "spo2", "temperature", "peak_flow", "steps"}),
    _generic_items,
    _generic_body,
    at_most=1_000,
)
TENOVI = Format(
    "tenovi",
    frozenset(_TENOVI_METRICS),
    _tenovi_items,
    _tenovi_body,
    at_most=1_000,
    heartbeat=_tenovi_battery,
)
