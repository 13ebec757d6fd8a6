"""Cellular devices: how ``telli``, ``mio`` and ``bodytrace`` say a measurement, one a post.

Owns their words. Devices go by the IMEI on the box; ``bodytrace`` drops its check digit and leading
zeros. A typed-in value has no place in any of them.
"""

from datetime import datetime

from devices.simulator import Measurement, Sent
from devices.speaking.format import Format, Item, alone, grams, numbers, seconds

_TELLI_TYPES = {
    "bp": "BloodPressure",
    "glucose": "BloodGlucose",
    "weight": "Weight",
    "spo2": "SpO2",
    "temperature": "Temperature",
    "peak_flow": "PeakFlow",
}
_TELLI_NAMES = {"peak_flow": "pef"}
_TELLI_UNITS = {"weight": "lb", "temperature": "F"}
_MIO_MODELS = {"bp": "TMB-2092-G", "weight": "GBS-2104-G", "glucose": "TD-4200", "spo2": "BM1000"}
_MIO_TYPES = {
    "bp": "bpm_gen2_measure",
    "weight": "scale_gen2_measure",
    "glucose": "bgm_gen1_measure",
    "spo2": "oximeter",
}
_MIO_NAMES = {"systolic": "sys", "diastolic": "dia", "pulse": "pul"}
_MG_DL, _BLOOD = 2, 1


def _telli_items(sent: Sent) -> list[Item]:
    measured = sent.measurement
    if measured.manual:
        return []
    data: Item = {_TELLI_NAMES.get(name, name): value for name, value in numbers(measured).items()}
    if measured.kind in _TELLI_UNITS:
        data["unit"] = _TELLI_UNITS[measured.kind]
    if measured.kind == "bp":
        data["arrhythmia"] = 0
    offset = measured.local.utcoffset()
    minutes = 0 if offset is None else int(offset.total_seconds() // 60)
    return [
        {
            "deviceId": measured.device_id,
            "readingType": _TELLI_TYPES[measured.kind],
            "time": _millis(measured.told_at),
            "tzOffsetMinutes": str(minutes),
            "mem": "1" if measured.from_memory else "0",
            "data": data,
        }
    ]


def _telli_heartbeat(device_id: str, at: datetime) -> Item:
    return {"deviceId": device_id, "type": "Heartbeat", "time": _millis(at)}


def _mio_items(sent: Sent) -> list[Item]:
    measured = sent.measurement
    if measured.manual:
        return []
    data = {"data_type": _MIO_TYPES[measured.kind], **_mio_values(measured, sent.sent_at)}
    return [_mio(measured.device_id, _MIO_MODELS[measured.kind], sent.sent_at, data)]


def _mio_values(measured: Measurement, sent_at: datetime) -> Item:
    """A scale tells when it sent, the others when they measured."""
    values, at = numbers(measured), seconds(measured.told_at)
    if measured.kind == "weight":
        return {"wt": grams(measured), "upload_time": seconds(sent_at)}
    if measured.kind == "glucose":
        glucose = {"data": values["glucose"], "unit": _MG_DL, "sample_type": _BLOOD, "meal": 0}
        return {**glucose, "uptime": at}
    if measured.kind == "spo2":
        return {"spo2": values["spo2"], "pr": values["pulse"], "ts": at}
    return {_MIO_NAMES[name]: value for name, value in values.items()} | {"ts": at}


def _mio_heartbeat(device_id: str, at: datetime) -> Item:
    return _mio(device_id, _MIO_MODELS["bp"], at, {"data_type": "bpm_gen2_heartbeat"})


def _mio(device_id: str, model: str, at: datetime, data: Item) -> Item:
    return {
        "deviceId": device_id[-6:],
        "isTest": False,
        "modelNumber": model,
        "createdAt": seconds(at) + 1,
        "data": {**data, "imei": device_id, "bat": 84, "sig": 21},
    }


def _bodytrace_items(sent: Sent) -> list[Item]:
    measured = sent.measurement
    if measured.manual:
        return []
    values: Item = dict(numbers(measured))
    if measured.kind == "weight":
        values = {"unit": 1, "weight": grams(measured), "tare": 0}
    return [_bodytrace(measured.device_id, measured.told_at, values)]


def _bodytrace_heartbeat(device_id: str, at: datetime) -> Item:
    return _bodytrace(device_id, at, {})


def _bodytrace(imei: str, at: datetime, values: Item) -> Item:
    return {
        "deviceId": imei[:-1].lstrip("0"),
        "ts": seconds(at) * 1_000,
        "batteryVoltage": 5_522,
        "rssi": 91,
        "values": values,
    }


def _millis(at: datetime) -> str:
    return f"{seconds(at)}000"


TELLI = Format("telli", frozenset(_TELLI_TYPES), _telli_items, alone, heartbeat=_telli_heartbeat)
MIO = Format("mio", frozenset(_MIO_TYPES), _mio_items, alone, heartbeat=_mio_heartbeat)
BODYTRACE = Format(
    "bodytrace",
    frozenset({"bp", "weight", "spo2"}),
    _bodytrace_items,
    alone,
    heartbeat=_bodytrace_heartbeat,
)
