"""Validic: records of many makers' devices, pushed in batches or read from a stream.

Owns the format. A record holds metrics; those of one kind of reading that were measured alike are
one reading, known by the record's ``id`` and the kind. ``origin`` belongs to each metric, so typed
values never ride along with measured ones. ``checksum`` is not read: other values under the same
``id`` are a change. The names of sources change, so ``source.type`` is not read either.

Source: developer.validic.com as catalogued in github.com/api-evangelist/validic; names of metrics
and units are as sent by known sources, and a metric that is not known is passed over.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain
from types import MappingProxyType
from typing import Any, NamedTuple

from devices.authenticity import Scheme
from devices.delivery import Notice, Parsed, UnreadableDeliveryError
from devices.event_stream import Event, events_of, looks_like_stream
from devices.kinds import KINDS, Kind
from devices.reading import (
    CannotReadError,
    Component,
    EntryMethod,
    OffsetOrigin,
    Reading,
    RejectedReading,
    Status,
    TimeQuality,
    component,
    missing_quantities,
    valid_offset,
)
from devices.sent import NumberOrText, Sent, Text, shaped
from devices.settings import Setting
from devices.strict_json import loads
from devices.timestamps import parse_rfc3339

MAX_RECORDS = 1_000
_METRICS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "systolic": ("bp", "systolic"),
        "diastolic": ("bp", "diastolic"),
        "pulse": ("heart_rate", "pulse"),
        "heart_rate": ("heart_rate", "pulse"),
        "resting_heart_rate": ("heart_rate", "pulse"),
        "respiratory_rate": ("resp_rate", "rate"),
        "weight": ("weight", "weight"),
        "body_weight": ("weight", "weight"),
        "blood_glucose": ("glucose", "glucose"),
        "glucose": ("glucose", "glucose"),
        "spo2": ("spo2", "spo2"),
        "oxygen_saturation": ("spo2", "spo2"),
        "temperature": ("temperature", "temperature"),
        "body_temperature": ("temperature", "temperature"),
        "peak_flow": ("peak_flow", "peak_flow"),
        "peak_expiratory_flow": ("peak_flow", "peak_flow"),
        "fev1": ("fev1", "fev1"),
    }
)
_ORIGINS: Mapping[str, EntryMethod] = MappingProxyType({"device": "device", "manual": "manual"})
_NO_VITALS = frozenset({"summary", "sleep", "workout", "intraday", "nutrition"})
_PULSE_JOINS = ("bp", "spo2")
_POKE = "poke"
_OTHER_EVENTS = {"rule": "rule", "connection": "account"}


class _Device(Sent):
    id: NumberOrText | None = None


class _From(Sent):
    device: _Device | None = None


class _User(Sent):
    uid: NumberOrText | None = None
    user_id: NumberOrText | None = None


class _Metric(Sent):
    type: Text
    origin: Text | None = None
    unit: Text | None = None
    value: NumberOrText | None = None


class _Entry(Sent):
    time: Text
    value: NumberOrText
    unit: Text | None = None
    device_id: NumberOrText | None = None


class _Record(Sent):
    id: NumberOrText
    type: Text
    start_time: Text | None = None
    deleted_at: Text | None = None
    utc_offset: int | None = None
    offset_origin: Text | None = None
    source: _From | None = None
    user: _User | None = None
    metrics: list[_Metric] | None = None
    reading_log: list[_Entry] | None = None


class _Event(Sent):
    user_id: NumberOrText | None = None


class _Local(NamedTuple):
    """What a record says of local time, and how far its times are to be trusted."""

    offset_minutes: int | None
    origin: OffsetOrigin
    quality: TimeQuality
    flags: tuple[str, ...]


class Validic:
    """The vendor ``validic``: the address alone, or a token in the query."""

    name = "validic"
    schemes = (Scheme("path"), Scheme("query", name="token"))
    settings: Mapping[str, Setting] = MappingProxyType(
        {
            "cgm_unit": Setting(
                ("unconfirmed", "mg/dL", "mmol/L"),
                "unconfirmed",
                "Sensor readings carry no unit of their own. Unconfirmed: taken as mg/dL and "
                "marked unit_inferred. Ask the vendor and set it.",
            ),
        }
    )

    def parse(self, body: bytes, settings: Mapping[str, Any]) -> Parsed:
        """The items of a record, of a batch of at most 1,000, or of a piece of a stream."""
        if looks_like_stream(body):
            read = (_items_of_event(one, n, settings) for n, one in enumerate(events_of(body)))
        else:
            read = (_taken(one, where, settings) for where, one in _records(loads(body)))
        return Parsed(tuple(chain.from_iterable(read)))


def _records(sent: Any) -> list[tuple[str, Any]]:
    """Records with their places: one, an array, or an array under ``data``."""
    batch = sent.get("data", [sent]) if isinstance(sent, dict) else sent
    if not isinstance(batch, list) or not 1 <= len(batch) <= MAX_RECORDS:
        raise UnreadableDeliveryError(f"not a record or an array of 1 to {MAX_RECORDS}")
    if not all(isinstance(one, dict) for one in batch):
        raise UnreadableDeliveryError("a record is an object")
    return [(f"records[{place}]", one) for place, one in enumerate(batch)]


def _items_of_event(
    event: Event, place: int, settings: Mapping[str, Any]
) -> tuple[Reading | RejectedReading | Notice, ...]:
    """A poke only keeps the line open; a name that is not known waits as a dead letter."""
    if event.name == _POKE:
        return ()
    if event.name not in {"data", "message", *_OTHER_EVENTS}:
        raise UnreadableDeliveryError("not an event that is known")
    sent = loads(event.data.encode())
    if event.name not in _OTHER_EVENTS:
        return _taken(sent, f"events[{place}]", settings)
    try:
        user = shaped(_Event, sent).user_id
    except CannotReadError as error:
        return (RejectedReading(error.reason, f"events[{place}]", error.message),)
    return (Notice(f"user:{user or ''}", _OTHER_EVENTS[event.name], None),)


def _taken(
    sent: Any, where: str, settings: Mapping[str, Any]
) -> tuple[Reading | RejectedReading | Notice, ...]:
    """What a record gives, or why it cannot be read, with its id if that can be."""
    try:
        return tuple(_items(shaped(_Record, sent), settings))
    except CannotReadError as error:
        known = sent.get("id") if isinstance(sent, dict) else None
        name = known if isinstance(known, str) and 0 < len(known) <= _LONGEST_ID else None
        return (RejectedReading(error.reason, where, error.message, name),)


_LONGEST_ID = 200


def _items(record: _Record, settings: Mapping[str, Any]) -> Iterator[Reading | Notice]:
    if record.type == "cgm":
        yield from _sensor_readings(record, settings)
    elif record.type in _NO_VITALS:
        yield _passed_over(record, record.type)
    elif record.type == "measurement":
        yield from _measured(record)
    else:
        raise CannotReadError("kind", "not a type of record that is known")


def _measured(record: _Record) -> Iterator[Reading | Notice]:
    if record.start_time is None:
        raise CannotReadError("time", "no start_time")
    groups = _groups(record.metrics or [])
    if not groups and record.deleted_at is not None:
        raise CannotReadError("code", "a deleted record does not say what it was")
    for kind, (entry, components) in groups.items():
        name = f"{record.id}/{kind}"
        flags = ("incomplete",) if missing_quantities(KINDS[kind], components) else ()
        yield _reading(record, kind, tuple(components), record.start_time, name, entry, flags)
    if not groups:
        yield _passed_over(record, "no metric that is known")


def _groups(metrics: list[_Metric]) -> dict[str, tuple[EntryMethod, list[Component]]]:
    """Way of entry and components by kind; a pulse joins a pressure or saturation entered alike.

    Of a pressure the least trusted number tells how it was entered.
    """
    known = [one for one in metrics if one.type in _METRICS and one.value is not None]
    entered: dict[str, list[EntryMethod]] = {}
    for one in known:
        entered.setdefault(_METRICS[one.type][0], []).append(_entry(one))
    entry_of = {kind: max(all_, key=_TRUST.index) for kind, all_ in entered.items()}
    found: dict[str, tuple[EntryMethod, list[Component]]] = {}
    for one in known:
        kind, name = _METRICS[one.type]
        entry = entry_of[kind]
        wider = [other for other in _PULSE_JOINS if entry_of.get(other) == entry]
        if kind == "heart_rate" and wider:
            kind = wider[0]
        part = _component(KINDS[kind], name, one)
        components = found.setdefault(kind, (entry, []))[1]
        if part not in components:
            components.append(part)
    return found


_TRUST: tuple[EntryMethod, ...] = ("device", "unknown", "manual")


def _component(kind: Kind, name: str, metric: _Metric) -> Component:
    if metric.unit is None or metric.value is None:
        raise CannotReadError("unit", "no unit is given")
    return component(kind, name, metric.value, metric.unit)


def _entry(metric: _Metric) -> EntryMethod:
    return _ORIGINS.get(metric.origin or "", "unknown")


def _sensor_readings(record: _Record, settings: Mapping[str, Any]) -> Iterator[Reading | Notice]:
    """One reading for each line of the day's log. ``time`` is believed, ``display_time`` is not."""
    kind, chosen = KINDS["glucose_cgm"], settings["cgm_unit"]
    for entry in record.reading_log or []:
        unit = entry.unit or ("mg/dL" if chosen == "unconfirmed" else chosen)
        flags = ("unit_inferred",) if entry.unit is None and chosen == "unconfirmed" else ()
        values = (component(kind, "glucose", entry.value, unit),)
        name = f"{record.id}/{entry.time}"
        device_id = entry.device_id
        yield _reading(record, kind.name, values, entry.time, name, "device", flags, device_id)
    if not record.reading_log:
        yield _passed_over(record, "an empty log")


def _reading(
    record: _Record,
    kind: str,
    components: tuple[Component, ...],
    time: str,
    name: str,
    entry: EntryMethod,
    flags: tuple[str, ...],
    device_id: str | None = None,
) -> Reading:
    local = _local(record)
    status: Status = "final" if record.deleted_at is None else "deleted"
    return Reading(
        device_id=device_id or _device_id(record),
        kind=kind,
        components=components,
        measured_at=parse_rfc3339(time).instant,
        vendor_time=time,
        vendor_reading_id=name,
        patient_ref=_user(record),
        offset_minutes=local.offset_minutes,
        offset_origin=local.origin,
        time_quality=local.quality,
        entry_method=entry,
        status=status,
        flags=(*flags, *local.flags),
        changes="unordered",
    )


def _local(record: _Record) -> _Local:
    """The offset, in seconds; one of a profile or a user's choice is a guess, decides no day."""
    if record.utc_offset is None:
        return _Local(None, "unknown", "exact", ())
    minutes, rest = divmod(record.utc_offset, 60)
    if rest or not valid_offset(minutes):
        return _Local(None, "unknown", "exact", ("offset_refused",))
    if record.offset_origin == "source":
        return _Local(minutes, "vendor", "exact", ())
    return _Local(minutes, "profile", "estimated", ())


def _device_id(record: _Record) -> str:
    """The device; where none is told, the user, whom a practice may register as one."""
    device = record.source.device if record.source else None
    return device.id if device and device.id else f"user:{_user(record) or ''}"


def _user(record: _Record) -> str | None:
    return (record.user.uid or record.user.user_id) if record.user else None


def _passed_over(record: _Record, value: str) -> Notice:
    time = record.start_time or ""
    try:
        at: datetime | None = parse_rfc3339(time).instant
    except CannotReadError:
        at = None
    return Notice(_device_id(record), "not_a_vital", at, value, time)
