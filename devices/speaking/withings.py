"""Withings: a notification without a measurement in it, and the answer when it is fetched.

Owns both. A scale that measured says "go and fetch"; what it measured is in the groups that
``fetched`` gives, as the vendor's service would answer ``getmeas``.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from devices.forms import form_text
from devices.simulator import Sent
from devices.speaking.format import Format, Item, json_body, seconds
from devices.units import convert

_SUBJECTS = {"weight": "1", "temperature": "2", "bp": "4", "spo2": "54"}
_TYPES = {"29463-7": 1, "8480-6": 10, "8462-4": 9, "8867-4": 11, "59408-5": 54, "8310-5": 71}
_KEPT_IN = {"29463-7": "kg", "8310-5": "Cel"}
_EXPONENT = -3
_DEVICE, _TYPED = 0, 2
_REAL = 1


def _items(sent: Sent) -> list[Item]:
    measured = sent.measurement
    at = seconds(measured.told_at)
    return [
        {
            "userid": _user(measured.patient_ref),
            "appli": _SUBJECTS[measured.kind],
            "startdate": str(at),
            "enddate": str(at + 1),
        }
    ]


def _body(items: Sequence[Item], _posted_at: datetime) -> bytes:
    (item,) = items
    return form_text(item).encode()


def fetched(sent: Iterable[Sent], now: datetime) -> bytes:
    """The answer to ``getmeas``: a group for each measurement, the latest first, in one page."""
    known = {one.measurement.id: one for one in sent if one.sent_at <= now}
    groups = [_group(number, one) for number, one in enumerate(known.values(), start=1)]
    body = {"updatetime": seconds(now), "timezone": "Europe/Paris", "measuregrps": groups[::-1]}
    return json_body({"status": 0, "body": body})


def _group(number: int, sent: Sent) -> Item:
    measured, arrived = sent.measurement, seconds(sent.sent_at)
    return {
        "grpid": number,
        "attrib": _TYPED if measured.manual else _DEVICE,
        "date": seconds(measured.told_at),
        "created": arrived,
        "modified": arrived,
        "category": _REAL,
        "deviceid": measured.device_id,
        "measures": [_measure(*value) for value in measured.values],
    }


def _measure(code: str, text: str, unit: str) -> Item:
    value = convert(Decimal(text), unit, _KEPT_IN.get(code, unit))
    whole = int(value.scaleb(-_EXPONENT).to_integral_value())
    return {"type": _TYPES[code], "value": whole, "unit": _EXPONENT}


def _user(patient_ref: str) -> str:
    """The vendor's number of an account, made of the digits of a patient's reference."""
    return "".join(one for one in patient_ref if one.isdigit()) or "1"


WITHINGS = Format(
    "withings",
    frozenset(_SUBJECTS),
    _items,
    _body,
    content_type="application/x-www-form-urlencoded",
)
