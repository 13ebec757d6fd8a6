"""Withings: a notification says that an account has news; the measurements are then fetched.

Owns what a notification says, and what each group of measurements means. Does not own how groups
are asked for (``withings_pull``). A notification has no signature and proves nothing but knowledge
of the address, so nothing of it becomes a reading. A group is one act of measuring and may hold
several kinds of reading: each is known by group and kind. What a group says when it is fetched
holds from then on (``modified`` is not read). The ``timezone`` beside the groups is the profile's
on the day of fetching, not the measurement's, and is not read either: the patient's zone decides
the day.

Source: developer.withings.com, notification and data guides; attribution as read by
github.com/openmhealth/shimmer.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from devices.authenticity import Scheme
from devices.counting import OWNER_AMBIGUOUS
from devices.delivery import Notice, Parsed, UnreadableDeliveryError
from devices.forms import form_fields
from devices.kinds import KINDS
from devices.reading import (
    CannotReadError,
    Component,
    EntryMethod,
    Reading,
    RejectedReading,
    component,
    missing_quantities,
)
from devices.sent import Sent, Text, shaped
from devices.settings import Setting
from devices.timestamps import parse_epoch

MOST_GROUPS = 10_000
_USER = re.compile(r"\d{1,20}", re.ASCII)
_SECONDS = re.compile(r"\d{1,10}", re.ASCII)
_PRINTABLE = re.compile(r"[\x21-\x7e]{1,200}")
_SUBJECTS = {
    "1": "weight",
    "2": "temperature",
    "4": "pressure",
    "16": "activity",
    "44": "sleep",
    "46": "account",
    "53": "device",
    "54": "saturation",
    "58": "glucose",
}
"""``appli`` numbers; others are news as well."""
_EVENTS = frozenset({"delete", "unlink", "update"})

_MEASUREMENT, _GOAL = 1, 2
_BODY_TEMPERATURE, _TEMPERATURE, _PULSE = 71, 12, 11
TYPES: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        1: ("weight", "kg"),
        9: ("diastolic", "mm[Hg]"),
        10: ("systolic", "mm[Hg]"),
        _PULSE: ("pulse", "/min"),
        _TEMPERATURE: ("temperature", "Cel"),
        54: ("spo2", "%"),
        _BODY_TEMPERATURE: ("temperature", "Cel"),
    }
)
"""Types of measure that are read, with our name and unit; all others are passed over."""
_KINDS = {
    "bp": frozenset({9, 10}),
    "spo2": frozenset({54}),
    "weight": frozenset({1}),
    "temperature": frozenset({_BODY_TEMPERATURE, _TEMPERATURE}),
}
"""Kinds of reading by the types that make one; a pulse joins the first that has room for it."""
_ENTRY: Mapping[int, EntryMethod] = MappingProxyType(
    {0: "device", 8: "device", 5: "device", 1: "unknown", 2: "manual", 4: "manual"}
)
"""``attrib``: 0 and 8 a device whose owner is known, 5 the best of several by a device, 1 a device
that more than one person may have used, 2 and 4 typed in. Others are not known to be automatic."""
_OWNER_OPEN, _BEST_OF_SEVERAL = 1, 5
_NO_VITALS = frozenset({7, 15})
"""``attrib`` of a confirmed activity and of a guided test."""
_MOST_EXPONENT = 9


class _Measure(Sent):
    type: int
    value: int
    unit: int


class _Group(Sent):
    grpid: int
    attrib: int
    category: int
    date: int
    deviceid: Text | None = None
    measures: list[Any]


class Withings:
    """The vendor ``withings``: notifications with the address as their only secret."""

    name = "withings"
    schemes = (Scheme("path"),)
    settings: Mapping[str, Setting] = MappingProxyType(
        {
            "cloud": Setting(
                ("public", "us_medical"),
                "public",
                "The cloud that the practice's application was made in. Each has its own host and "
                "accounts; health data of a practice in the United States belongs to us_medical.",
            ),
            "reread_days": Setting(
                ("7", "31", "92"),
                "7",
                "Days that each fetch compares with what is held here: what is gone at the vendor "
                "is taken back. Changes are found whatever their age.",
            ),
            "type_12": Setting(
                ("unconfirmed", "body"),
                "unconfirmed",
                "Type 12 is a temperature, but not said to be a person's; some scales measure the "
                "room. Unconfirmed: kept, does not count. Body: counts. Type 71 always does.",
            ),
        }
    )

    def parse(self, body: bytes, settings: Mapping[str, Any]) -> Parsed:  # noqa: ARG002 - the protocol
        """What a notification says, as notices; nothing else that is sent here is read.

        An empty body is how some versions try the address out.
        """
        if not body.strip():
            return Parsed(())
        try:
            fields = form_fields(body.decode("ascii"))
        except UnicodeDecodeError:
            raise UnreadableDeliveryError("not a form") from None
        names = [name for name, _ in fields]
        sent = dict(fields)
        user = sent.get("userid", "")
        if len(set(names)) != len(names) or _USER.fullmatch(user) is None:
            raise UnreadableDeliveryError("not a form with one userid")
        return Parsed((_notice(user, sent),))


def account_of(notice: Notice) -> str:
    """The account that a notification is about."""
    return notice.device_id.removeprefix(_ACCOUNT)


_ACCOUNT = "user:"


def _notice(user: str, sent: Mapping[str, str]) -> Notice:
    event = sent.get("action", "")
    subject = _SUBJECTS.get(sent.get("appli", ""), "other")
    if event in _EVENTS or subject == "account":
        value = f"{subject} {event if event in _EVENTS else ''}".strip()
        return Notice(f"{_ACCOUNT}{user}", "account", _start(sent), value)
    return Notice(f"{_ACCOUNT}{user}", "news", _start(sent), subject)


def _start(sent: Mapping[str, str]) -> datetime | None:
    """The first instant that the news are of; a hint, and wrong ones are passed over."""
    text = sent.get("startdate", "")
    if _SECONDS.fullmatch(text) is None:
        return None
    try:
        return parse_epoch(text, per_second=1)
    except CannotReadError:
        return None


def items_of_groups(
    groups: Iterable[Any], user: str, settings: Mapping[str, Any]
) -> tuple[Reading | RejectedReading | Notice, ...]:
    """The items of groups of measurements as fetched for a user."""
    return tuple(
        item
        for place, group in enumerate(groups)
        for item in _items_of_group(group, f"measuregrps[{place}]", user, settings)
    )


def reading_id(group_id: int, kind: str) -> str:
    """The id of the reading of a kind in a group."""
    return f"{group_id}/{kind}"


def _items_of_group(
    sent: Any, where: str, user: str, settings: Mapping[str, Any]
) -> Iterator[Reading | RejectedReading | Notice]:
    try:
        group = shaped(_Group, sent)
        measures = _measures(group)
        device_id = _device_id(group, user)
        at = parse_epoch(str(group.date), per_second=1)
        if group.category == _GOAL:
            yield Notice(device_id, "goal", at, "", str(group.date))
        elif group.category != _MEASUREMENT:
            raise CannotReadError("kind", "not a category that is known")
        elif group.attrib in _NO_VITALS:
            yield Notice(device_id, "not_a_vital", at, f"attrib {group.attrib}", str(group.date))
        elif not measures:
            yield Notice(device_id, "not_a_vital", at, "", str(group.date))
        else:
            yield from _readings(group, measures, device_id, at, user, settings)
    except CannotReadError as error:
        known = sent.get("grpid") if isinstance(sent, dict) else None
        group_id = str(known) if isinstance(known, int) and not isinstance(known, bool) else None
        yield RejectedReading(error.reason, where, error.message, group_id)


def _device_id(group: _Group, user: str) -> str:
    """The device, or, where none is told, the account: a practice may register that as well."""
    if group.deviceid is None:
        return f"{_ACCOUNT}{user}"
    if _PRINTABLE.fullmatch(group.deviceid) is None:
        raise CannotReadError("shape", "deviceid: not printable")
    return group.deviceid


def _measures(group: _Group) -> dict[int, str]:
    """True values, value times ten to the unit, by type; types that are not known left out."""
    found: dict[int, str] = {}
    for one in group.measures:
        measure = shaped(_Measure, one)
        if measure.type not in TYPES:
            continue
        if measure.type in found:
            raise CannotReadError("code", "a type of measure is given twice")
        if abs(measure.unit) > _MOST_EXPONENT:
            raise CannotReadError("value", "an exponent out of bounds")
        found[measure.type] = f"{Decimal(measure.value).scaleb(measure.unit):f}"
    if _BODY_TEMPERATURE in found:
        found.pop(_TEMPERATURE, None)
    return found


def _readings(
    group: _Group,
    measures: Mapping[int, str],
    device_id: str,
    at: datetime,
    user: str,
    settings: Mapping[str, Any],
) -> Iterator[Reading]:
    entry, flags = _ENTRY.get(group.attrib, "unknown"), _flags(group)
    for kind, components in _by_kind(measures):
        more = ("incomplete",) if missing_quantities(KINDS[kind], components) else ()
        is_open = kind == "temperature" and _BODY_TEMPERATURE not in measures
        doubtful = is_open and settings["type_12"] == "unconfirmed" and entry == "device"
        yield Reading(
            device_id=device_id,
            kind=kind,
            components=components,
            measured_at=at,
            vendor_time=str(group.date),
            vendor_reading_id=reading_id(group.grpid, kind),
            patient_ref=user,
            entry_method="unknown" if doubtful else entry,
            flags=(*flags, *more, *(("kind_inferred",) if doubtful else ())),
            changes="ordered",
        )


def _by_kind(measures: Mapping[int, str]) -> Iterator[tuple[str, tuple[Component, ...]]]:
    """Kinds of reading with their components; a pulse alone is a reading too."""
    pulse = measures.get(_PULSE)
    for kind, types in _KINDS.items():
        given = [code for code in sorted(types) if code in measures]
        if not given:
            continue
        values = [component(KINDS[kind], TYPES[c][0], measures[c], TYPES[c][1]) for c in given]
        if pulse is not None and KINDS[kind].quantity("pulse"):
            values.append(component(KINDS[kind], "pulse", pulse, "/min"))
            pulse = None
        yield kind, tuple(values)
    if pulse is not None:
        yield "heart_rate", (component(KINDS["heart_rate"], "pulse", pulse, "/min"),)


def _flags(group: _Group) -> tuple[str, ...]:
    if group.attrib == _OWNER_OPEN:
        return (OWNER_AMBIGUOUS,)
    return ("best_of_several",) if group.attrib == _BEST_OF_SEVERAL else ()
