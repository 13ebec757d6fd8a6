"""Sending: what every device measures, gathered by its gateway into proved deliveries.

Owns which readings exist and when they leave. Does not own the devices' figures
(``devices.simulator``), vendors' words and proofs (``devices.posting``) nor what the service makes
of them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from standardwebhooks import Webhook

from devices.delivery import Secret
from devices.posting import Posted, Sender, deliveries
from devices.simulator import (
    Measurement,
    PatientPlan,
    Sent,
    Series,
    Value,
    readings,
    usual_series,
)
from devices.speaking import FORMATS
from devices.vendor import VENDORS
from rpm.demo.enrollment import device_ref, device_word
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
    """The deliveries of every gateway, with its vendor's proof."""
    for gateway in GATEWAYS:
        for post in _posts(gateway, sent[gateway.key], secrets[gateway.key]):
            kept = frozenset(one for one in keeps if f'"{one}"'.encode() in post.body)
            yield Post(
                post.sent_at, gateway.key, post.headers, post.body, query=post.query, keeps=kept
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
    parts = tuple(
        (value.code, text, value.unit) for value, text in zip(series.values, values, strict=False)
    )
    measured = Measurement(
        person.key, series.device_id, series.kind, person.zone, parts, measured_at, measured_at
    )
    return Sent(sent_at, measured)


def reading_on(sent: Iterable[Sent], device_id: str, day: date) -> str:
    """The id of a device's first reading of a local day; KeyError when there is none."""
    for item in sent:
        measured = item.measurement
        if measured.device_id == device_id and measured.local.date() == day:
            return measured.id
    raise KeyError(f"{device_id} measured nothing on {day}")


def _of_device(person: Person, device: Handed) -> Iterator[Sent]:
    series = _series(device, device_word(person, device))
    plan = PatientPlan(person.key, person.zone, (series,), device.habits)
    first = (device.from_day or person.opened_day) + timedelta(days=1)
    for item in readings(plan, first, LAST_DAY, seed=SEED):
        day = item.measurement.local.date()
        if device.sends_on(day) and (device.to_day is None or day < device.to_day):
            measured = replace(item.measurement, device_id=device_ref(person, device))
            yield Sent(_leaves(device, day, item.sent_at), measured)


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


def _posts(gateway: Gateway, sent: Iterable[Sent], secret: str) -> Iterator[Posted]:
    scheme = VENDORS[gateway.vendor].schemes[0]
    sender = Sender(FORMATS[gateway.vendor], scheme, Secret(secret))
    return deliveries(
        sent,
        sender,
        window=gateway.gathers,
        at_most=gateway.at_most,
        trouble=gateway.trouble,
        seed=SEED,
    )
