"""The vendors whose devices deliver: how a body of each is packed, proved and read back.

Owns what the simulator itself takes a body to say. Shares nothing with the product's readers; what
a body holds is written by the product's own speakers or, for ``generic``, by ``sim_devices``.
"""

import base64
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

Item = dict[str, Any]
Values = Mapping[str, str]


@dataclass(frozen=True)
class Packet:
    """A delivery as its gateway holds it until it is acknowledged."""

    vendor: str
    message_id: str | None  # only some vendors give one
    body: bytes


@dataclass(frozen=True)
class Said:
    """What one item of a body says; ``parts`` are values that others may add to."""

    key: str  # what makes it one reading
    device: str
    text: str  # all that makes it the same once more
    at: datetime
    zone: tzinfo | None  # told with it
    status: str = "final"
    automatic: bool = True
    parts: Values | None = None


@dataclass(frozen=True)
class Words:
    """A vendor: how many items a body holds, and the three ways above."""

    at_most: int
    named: bool  # whether a delivery has an id
    pack: Callable[[list[Item]], Any]
    prove: Callable[[Packet, str, datetime], dict[str, str]]
    read: Callable[[Any], Iterator[Said | None]]


def packet(vendor: str, message_id: str, items: list[Item]) -> Packet:
    """Items packed together."""
    words = WORDS[vendor]
    return Packet(
        vendor, message_id if words.named else None, json.dumps(words.pack(items)).encode()
    )


def signed(one: Packet, secret: str, at: datetime) -> dict[str, str]:
    """Headers of a Standard Webhooks request that is posted at an instant."""
    key, seconds = base64.b64decode(secret.removeprefix("whsec_")), str(int(at.timestamp()))
    digest = hmac.digest(key, f"{one.message_id}.{seconds}.".encode() + one.body, "sha256")
    return {
        "content-type": "application/json",
        "webhook-id": str(one.message_id),
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def joined(one: Values, other: Values) -> Values | None:
    """Both together; None where they give a value twice and not alike."""
    if any(one.get(name, value) != value for name, value in other.items()):
        return None
    return {**one, **other}


def parts_text(values: Values) -> str:
    """Values as a text that is the same whatever order they came in."""
    return json.dumps(sorted(values.items()))


def _generic(body: Any) -> Iterator[Said]:
    for item in body["readings"]:
        at = datetime.fromisoformat(item["measured_at"])
        yield Said(
            item["id"],
            item["device_id"],
            json.dumps(item, sort_keys=True),
            at,
            None if item["measured_at"].endswith("Z") else at.tzinfo,
            item["status"],
            item["entry_method"] == "device",
        )


def _tenovi(body: Any) -> Iterator[Said]:
    """Parts of one inflation in a body are one item, where they do not contradict each other."""
    found: list[Said] = []
    first: dict[str, int] = {}
    for part in body if isinstance(body, list) else [body]:
        said = _tenovi_part(part)
        place = first.setdefault(said.key, len(found))
        whole = joined(found[place].parts or {}, said.parts or {}) if place < len(found) else None
        if whole is None:
            found.append(said)
        else:
            found[place] = replace(found[place], parts=whole, text=parts_text(whole))
    yield from found


def _tenovi_part(part: Item) -> Said:
    index = part["filter_params"]["measurement_index"]
    names = ("systolic", "diastolic") if part["metric"] == "blood_pressure" else ("pulse",)
    values = dict(zip(names, (part["value_1"], part.get("value_2")), strict=False))
    return Said(
        f"{part['hwi_device_id']}/{part['timestamp']}/{index}",
        part["hwi_device_id"],
        parts_text(values),
        datetime.fromisoformat(part["timestamp"]),
        None,
        parts=values,
    )


def _telli(body: Any) -> Iterator[Said | None]:
    """One reading without an id, or a heartbeat; whether it comes from memory says nothing new."""
    if "readingType" not in body:
        yield None
        return
    yield Said(
        f"{body['deviceId']}/{body['time']}",
        body["deviceId"],
        json.dumps([body["tzOffsetMinutes"], body["data"]], sort_keys=True),
        datetime.fromtimestamp(int(body["time"]) / 1000, UTC),
        timezone(timedelta(minutes=int(body["tzOffsetMinutes"]))),
    )


def _only(items: list[Item]) -> Item:
    (item,) = items
    return item


WORDS = {
    "generic": Words(24, True, lambda items: {"readings": items}, signed, _generic),
    "tenovi": Words(30, False, list, lambda _, secret, __: {"x-tenovi-key": secret}, _tenovi),
    "telli": Words(1, False, _only, lambda _, secret, __: {"x-api-key": secret}, _telli),
}
"""The vendors by name."""
