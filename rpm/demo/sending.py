"""Sending: what every device measures, gathered by its gateway into signed deliveries.

Owns which readings exist and when they leave. Does not own the devices' figures and the signing
(``devices.simulator``) nor what the service makes of them.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from standardwebhooks import Webhook

from devices.delivery import Secret
from devices.simulator import (
    PatientPlan,
    Sent,
    Series,
    SignedRequest,
    Value,
    deliveries,
    readings,
    usual_series,
)
from rpm.demo.enrollment import device_ref
from rpm.demo.person import Handed, Person
from rpm.demo.practice import GATEWAYS, LAST_DAY, SEED, Gateway, at
from rpm.demo.steps import Post

_STEPS = (Value("41950-7", "1", 6_000, 0, 1_800),)
_UPLOAD_TIME = "10:00"


def measured(people: Iterable[Person]) -> dict[str, list[Sent]]:
    """Everything the patients' devices send, by gateway."""
    sent: dict[str, list[Sent]] = {gateway.key: [] for gateway in GATEWAYS}
    for person in people:
        for device in person.devices:
            sent[device.gateway.key] += _of_device(person, device)
    return sent


def posts(
    sent: Mapping[str, list[Sent]], secrets: Mapping[str, str], keeps: frozenset[str]
) -> Iterator[Post]:
    """The deliveries of every gateway, signed with its secret."""
    for gateway in GATEWAYS:
        for request in _requests(gateway, sent[gateway.key], secrets[gateway.key]):
            kept = keeps & {str(item["id"]) for item in _readings_of(request.body)}
            yield Post(
                request.sent_at, gateway.key, request.headers, request.body, keeps=frozenset(kept)
            )


def signed(when: datetime, gateway: str, body: bytes, secret: str, expects: int) -> Post:
    """Any body, signed like a delivery."""
    message_id = f"msg_demo_{int(when.timestamp())}"
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(when.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, when, body.decode()),
    }
    return Post(when, gateway, headers, body, expects)


def single_reading(
    person: Person, device: Handed, measured_at: datetime, sent_at: datetime, *values: str
) -> Sent:
    """One reading with chosen values, in the order of the device's usual components."""
    series = _series(device, device_ref(person, device))
    parts = [
        {"code": value.code, "value": text, "unit": value.unit}
        for value, text in zip(series.values, values, strict=False)
    ]
    reading = {
        "id": f"{series.device_id}-{int(measured_at.timestamp())}",
        "device_id": series.device_id,
        "patient_ref": person.key,
        "kind": series.kind,
        "components": parts,
        "measured_at": measured_at.astimezone(ZoneInfo(person.zone)).isoformat(),
        "entry_method": "device",
    }
    return Sent(sent_at, reading)


def reading_on(sent: Iterable[Sent], device_id: str, day: date) -> str:
    """The sender's id of a device's first reading of a local day; KeyError when there is none."""
    for item in sent:
        measured_day = str(item.reading["measured_at"])[:10]
        if item.reading["device_id"] == device_id and measured_day == day.isoformat():
            return str(item.reading["id"])
    raise KeyError(f"{device_id} measured nothing on {day}")


def _of_device(person: Person, device: Handed) -> Iterator[Sent]:
    ref = device_ref(person, device)
    plan = PatientPlan(person.key, person.zone, (_series(device, ref),), device.habits)
    first = (device.from_day or person.opened_day) + timedelta(days=1)
    for item in readings(plan, first, LAST_DAY, seed=SEED):
        day = date.fromisoformat(str(item.reading["measured_at"])[:10])
        if device.sends_on(day) and (device.to_day is None or day < device.to_day):
            yield Sent(_leaves(device, day, item.sent_at), item.reading)


def _leaves(device: Handed, day: date, sent_at: datetime) -> datetime:
    """When a reading leaves the device: at once, or when it is back online."""
    if device.offline_since_day is None or device.uploads_day is None:
        return sent_at
    kept = device.offline_since_day <= day < device.uploads_day
    return at(device.uploads_day, _UPLOAD_TIME) if kept else sent_at


def _series(device: Handed, ref: str) -> Series:
    if device.measures == "steps":
        return Series("steps", ref, _STEPS, (21,))
    return usual_series(device.measures, ref)


def _requests(gateway: Gateway, sent: Iterable[Sent], secret: str) -> Iterator[SignedRequest]:
    return deliveries(sent, Secret(secret), window=gateway.gathers, at_most=gateway.at_most)


def _readings_of(body: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(body)["data"]["readings"]
    return found
