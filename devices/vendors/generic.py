"""Generic: our own documented format, for any gateway that can be told what to send.

A body is one reading, ``{"readings": [...]}`` with at most 1,000, or either as ``data`` of a
Standard Webhooks envelope or of a CloudEvent in structured mode. Owns the format. Does not own
kinds, codes and units (``kinds``, ``units``).
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from devices.authenticity import Scheme
from devices.delivery import Parsed, UnreadableDeliveryError
from devices.kinds import KINDS, Kind
from devices.reading import (
    CannotReadError,
    Component,
    EntryMethod,
    Reading,
    RejectedReading,
    Status,
    component,
    missing_quantities,
)
from devices.sent import Many
from devices.settings import Setting
from devices.strict_json import loads
from devices.timestamps import Timestamp, parse_rfc3339

MAX_READINGS = 1_000
_ENVELOPE = frozenset({"type", "timestamp", "data"})
_CLOUD_EVENT_REQUIRED = ("id", "source", "type", "data")
_ATTRIBUTE_NAME = re.compile(r"[a-z0-9]{1,64}", re.ASCII)

Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]


def _number_text(value: object) -> object:
    """A JSON number as its text; anything else is left for the model to judge."""
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return str(value) if is_number else value


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _SentComponent(_Strict):
    code: Text
    value: Annotated[Text, BeforeValidator(_number_text)]
    unit: Annotated[str, StringConstraints(max_length=40)]


class _SentReading(_Strict):
    id: Text
    device_id: Text
    kind: Text
    entry_method: EntryMethod
    components: Many[_SentComponent] = ()
    measured_at: Text | None = None
    patient_ref: Text | None = None
    time_quality: Literal["exact", "estimated", "received"] = "exact"
    status: Status = "final"
    replaces: Text | None = None


class Generic:
    """The vendor ``generic``: signed by Standard Webhooks, or proved as a gateway can."""

    name = "generic"
    schemes = (
        Scheme("standard-webhooks"),
        Scheme("svix"),
        Scheme("terra"),
        Scheme("oura"),
        Scheme("polar"),
        Scheme("hub-sha256"),
        Scheme("header", name="x-api-key"),
        Scheme("basic", username="rpm"),
        Scheme("query", name="token"),
    )
    settings: Mapping[str, Setting] = MappingProxyType({})

    def parse(self, body: bytes, settings: Mapping[str, Any]) -> Parsed:  # noqa: ARG002 - has none
        """The readings of a body, each read by itself: one bad item leaves the others whole."""
        items = _sent_items(_unwrapped(loads(body)))
        return Parsed(tuple(_item(index, item) for index, item in enumerate(items)))


def _unwrapped(body: Any) -> dict[str, Any]:
    """A reading or a batch, out of its envelope if it came in one."""
    if isinstance(body, dict) and "specversion" in body:
        body = _cloud_event_data(body)
    elif isinstance(body, dict) and "data" in body:
        if not set(body) <= _ENVELOPE:
            raise UnreadableDeliveryError("a field of the envelope is not known")
        body = body["data"]
    if not isinstance(body, dict):
        raise UnreadableDeliveryError("not an object")
    return body


def _cloud_event_data(event: dict[str, Any]) -> Any:
    """CloudEvents 1.0 structured mode; extension attributes are lower-case letters and digits."""
    if event["specversion"] != "1.0":
        raise UnreadableDeliveryError("not version 1.0 of CloudEvents")
    if not all(event.get(name) for name in _CLOUD_EVENT_REQUIRED):
        raise UnreadableDeliveryError("an attribute of the CloudEvent is missing")
    if not all(_ATTRIBUTE_NAME.fullmatch(name) for name in event):
        raise UnreadableDeliveryError("an attribute of the CloudEvent is misnamed")
    return event["data"]


def _sent_items(body: dict[str, Any]) -> list[Any]:
    if "readings" not in body:
        return [body]
    readings = body["readings"]
    if set(body) != {"readings"} or not isinstance(readings, list):
        raise UnreadableDeliveryError("a batch is an object with a list of readings and no more")
    if not 1 <= len(readings) <= MAX_READINGS:
        raise UnreadableDeliveryError(f"a batch holds 1 to {MAX_READINGS} readings")
    return readings


def _item(index: int, item: Any) -> Reading | RejectedReading:
    where = f"readings[{index}]"
    try:
        sent = _SentReading.model_validate(item)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = _known_path(first["loc"])
        return RejectedReading("shape", f"{where}{field}", first["type"], _sent_id(item))
    try:
        return _reading(sent)
    except CannotReadError as error:
        return RejectedReading(error.reason, where, error.message, sent.id)


def _reading(sent: _SentReading) -> Reading:
    kind = KINDS.get(sent.kind)
    if kind is None:
        raise CannotReadError("kind", "not a kind of reading")
    at = _measured_at(sent)
    components = tuple(
        component(kind, part.code, part.value, part.unit) for part in sent.components
    )
    return Reading(
        device_id=sent.device_id,
        kind=sent.kind,
        components=components,
        measured_at=at.instant if at else None,
        vendor_time=sent.measured_at or "",
        vendor_reading_id=sent.id,
        patient_ref=sent.patient_ref,
        offset_minutes=at.offset_minutes if at else None,
        offset_origin="device" if at and at.offset_minutes is not None else "unknown",
        time_quality=sent.time_quality,
        entry_method=sent.entry_method,
        status=sent.status,
        replaces=sent.replaces,
        flags=_flags(sent, kind, components),
    )


def _measured_at(sent: _SentReading) -> Timestamp | None:
    """A deletion needs no time; every other reading does."""
    if sent.measured_at is not None:
        return parse_rfc3339(sent.measured_at)
    if sent.status == "deleted":
        return None
    raise CannotReadError("time", "measured_at is missing")


def _flags(sent: _SentReading, kind: Kind, components: tuple[Component, ...]) -> tuple[str, ...]:
    """``incomplete`` where some quantities of the kind are missing; all of them is refused."""
    if sent.status == "deleted":
        return ()
    return ("incomplete",) if missing_quantities(kind, components) else ()


def _known_path(location: tuple[int | str, ...]) -> str:
    """The path of a field, leaving out names that are the sender's own and not the format's."""
    known = _SentReading.model_fields.keys() | _SentComponent.model_fields.keys()
    parts = [
        f"[{part}]" if isinstance(part, int) else f".{part}"
        for part in location
        if isinstance(part, int) or part in known
    ]
    return "".join(parts)


def _sent_id(item: Any) -> str | None:
    """The sender's id of an item that could not be read, so that it can be told which one."""
    found = item.get("id") if isinstance(item, dict) else None
    return found if isinstance(found, str) and 1 <= len(found) <= 200 else None
