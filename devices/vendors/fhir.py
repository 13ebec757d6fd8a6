"""FHIR: Observations of R4, one a post or in a transaction or batch Bundle.

Owns the format: gateways after the HL7 Personal Health Device guide (PHD, Continua) and whatever
else posts Observations. Entries are taken one by one, also of a transaction: one that cannot be
read leaves the others whole. Devices, clocks and settings tell about readings and are none. Does
not own what a measurement becomes (``devices.vendors.fhir_observations``) nor shapes and references
(``devices.vendors.fhir_resources``).

Sources: HL7 PHD guide 2.0.0 (base observation, coincident timestamp, notes to consumers);
hl7.org/fhir/R4 (Bundle).
"""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from devices.authenticity import Scheme
from devices.delivery import Notice, Parsed, UnreadableDeliveryError
from devices.reading import CannotReadError, Reading, RejectedReading
from devices.sent import loaded_object, shaped, taken
from devices.settings import Setting
from devices.vendors.fhir_observations import kind_of, reading_of
from devices.vendors.fhir_resources import MDC, Context, Entry, Observation, Request

MAX_ENTRIES = 1_000
_SUBMISSIONS = frozenset({"transaction", "batch"})
_TELLING = frozenset(
    {"Patient", "DeviceMetric", "Organization", "Practitioner", "Provenance", "RelatedPerson"}
)
"""Resources that tell about readings and hold none."""
_CLOCK_CODES = frozenset({"67975", "67983", "68225"})
_BATTERY_CODE = "67996"


class Fhir:
    """The vendor ``fhir``: a bearer token, or the address behind mutual TLS."""

    name = "fhir"
    schemes = (
        Scheme("header", name="authorization"),
        Scheme("basic", username="fhir"),
        Scheme("path"),
    )
    settings: Mapping[str, Setting] = MappingProxyType(
        {
            "device_id": Setting(
                ("system_id", "serial_number"),
                "system_id",
                "By which text a Device that came with its readings is known here: the IEEE system "
                "identifier, or its serial number. A device that is only referred to is known by "
                "that reference.",
            ),
            "without_gateway": Setting(
                ("unknown", "device"),
                "unknown",
                "Observations that name a device but no personal health gateway may have been "
                "typed in. Unknown: they do not count. Device: they count as sent by the device.",
            ),
        }
    )

    def parse(self, body: bytes, settings: Mapping[str, Any]) -> Parsed:
        """The readings of an Observation or Bundle, and notices of what tells about devices."""
        sent = loaded_object(body)
        sort = str(sent.get("resourceType"))
        if sort == "Bundle":
            return Parsed(_bundle(sent, settings))
        if sort not in {"Observation", "Device"}:
            raise UnreadableDeliveryError("not an Observation, a Device or a Bundle")
        context = Context.of((), settings["device_id"])
        return Parsed(taken("body", partial(_resource, sent, None, context, settings)))


def _bundle(
    sent: Mapping[str, Any], settings: Mapping[str, Any]
) -> tuple[Reading | RejectedReading | Notice, ...]:
    if str(sent.get("type")) not in _SUBMISSIONS:
        raise UnreadableDeliveryError("a Bundle that is no transaction or batch submits nothing")
    entries = sent.get("entry")
    if not (isinstance(entries, list) and 1 <= len(entries) <= MAX_ENTRIES):
        raise UnreadableDeliveryError(f"a Bundle has 1 to {MAX_ENTRIES} entries")
    context = Context.of(entries, settings["device_id"])
    found: list[Reading | RejectedReading | Notice] = []
    for index, entry in enumerate(entries):
        found += taken(f"entry[{index}]", partial(_entry, entry, context, settings))
    return tuple(found)


def _entry(
    entry: Any, context: Context, settings: Mapping[str, Any]
) -> tuple[Reading | Notice, ...]:
    sent = shaped(Entry, entry)
    if sent.request.method not in {"POST", "PUT"}:
        raise CannotReadError("shape", "request.method: neither POST nor PUT")
    return _resource(sent.resource, sent.request, context, settings)


def _resource(
    resource: Mapping[str, Any],
    request: Request | None,
    context: Context,
    settings: Mapping[str, Any],
) -> tuple[Reading | Notice, ...]:
    sort = str(resource.get("resourceType"))
    if sort == "Device":
        return (Notice(context.name_of_device(resource), "device_status", None, "Device"),)
    if sort in _TELLING:
        return ()
    if sort != "Observation":
        raise CannotReadError("kind", "not a resource that is read")
    sent = shaped(Observation, resource)
    kind = kind_of(sent)
    if kind is None or _is_of_a_device(sent):
        return (_notice(sent, context),)
    if sent.modifier_extension or sent.implicit_rules:
        raise CannotReadError("shape", "a modifier of the meaning that is not known")
    return (reading_of(sent, kind, request, context, settings),)


def _is_of_a_device(sent: Observation) -> bool:
    """Settings of a device have the device itself as their subject."""
    return bool(sent.subject and (sent.subject.reference or "").startswith("Device"))


def _notice(sent: Observation, context: Context) -> Notice:
    """What a device says of itself; a quantity under a code that is not known is refused."""
    codes = set(sent.code.codes(MDC))
    is_clock = bool(codes & _CLOCK_CODES)
    device = context.device(sent, sent.subject if is_clock else sent.device)
    device = device or context.device(sent, sent.device) or ""
    text = sent.effective or ""
    if is_clock:
        value = "clock fault" if sent.data_absent_reason else "clock"
        return Notice(device, "device_status", None, value, text)
    if _BATTERY_CODE in codes:
        level = sent.value_quantity and sent.value_quantity.value
        return Notice(device, "battery", None, level or "", text)
    if _is_of_a_device(sent):
        return Notice(device, "settings", None, "", text)
    if sent.value_quantity or any(part.value_quantity for part in sent.component):
        raise CannotReadError("kind", "not a code that is known")
    is_status = any(part.value_boolean is not None for part in sent.component)
    return Notice(device, "device_status" if is_status else "not_a_vital", None, "", text)
