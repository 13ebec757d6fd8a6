"""FHIR resources: the fields of R4 resources that are read, and what references lead to.

Owns the shapes, references inside a Bundle, and by which text a device and a patient are named.
Does not own what an Observation becomes (``devices.vendors.fhir``).

Sources: hl7.org/fhir/R4 (Observation, Bundle, Reference); HL7 Personal Health Device guide (PHD)
2.0.0, device and base observation profiles.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from devices.forms import form_fields
from devices.reading import CannotReadError
from devices.sent import Many, Number, Sent, Text, shaped

LOINC = "http://loinc.org"
MDC = "urn:iso:std:iso:11073:10101"
UCUM = "http://unitsofmeasure.org"
_SYSTEM_ID = "SYSID"
_LONGEST = 400
_HEX_PAIRS = re.compile(r"[0-9A-Fa-f]{2}(?:[-:][0-9A-Fa-f]{2}){5,7}", re.ASCII)
_LITERAL = re.compile(r"(?:https?://.*/)?([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/.*)?")


class Fhir(Sent):
    """A FHIR element: fields go by their camel case names."""

    model_config = ConfigDict(alias_generator=to_camel)


class Coding(Fhir):
    """A code of a system."""

    system: str | None = None
    code: str | None = None


class Concept(Fhir):
    """What several systems call the same."""

    coding: Many[Coding] = ()

    def codes(self, system: str) -> list[str]:
        """Its codes of a system, in the order sent."""
        return [one.code for one in self.coding if one.system == system and one.code]


class Identifier(Fhir):
    """A name that somebody gave."""

    type: Concept | None = None
    system: str | None = None
    value: Text | None = None


class Reference(Fhir):
    """A link to another resource, by its place or by a name of it."""

    reference: str | None = None
    identifier: Identifier | None = None


class Quantity(Fhir):
    """A number with its unit."""

    value: Number | None = None
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None


class Extension(Fhir):
    """An addition that not every receiver knows."""

    url: str
    value_reference: Reference | None = None


class Period(Fhir):
    """A time with its start."""

    start: Text | None = None


class Note(Fhir):
    """A remark."""

    text: str = ""


class Meta(Fhir):
    """What a resource says of itself."""

    profile: Many[str] = ()
    security: Many[Coding] = ()


class Part(Fhir):
    """A component of an Observation."""

    code: Concept
    value_quantity: Quantity | None = None
    value_boolean: bool | None = None
    value_codeable_concept: Concept | None = None
    data_absent_reason: Concept | None = None


class Observation(Fhir):
    """A measurement, or what a device says of itself."""

    status: str
    code: Concept
    identifier: Many[Identifier] = ()
    category: Many[Concept] = ()
    subject: Reference | None = None
    device: Reference | None = None
    effective_date_time: Text | None = None
    effective_instant: Text | None = None
    effective_period: Period | None = None
    value_quantity: Quantity | None = None
    value_date_time: Text | None = None
    data_absent_reason: Concept | None = None
    interpretation: Many[Concept] = ()
    note: Many[Note] = ()
    component: Many[Part] = ()
    extension: Many[Extension] = ()
    modifier_extension: Many[Any] = ()
    implicit_rules: str | None = None
    contained: Many[dict[str, Any]] = ()
    meta: Meta = Meta()

    @property
    def effective(self) -> str | None:
        """When it was measured, as sent; of a period its start."""
        start = self.effective_period.start if self.effective_period else None
        return self.effective_date_time or self.effective_instant or start

    def linked(self, url: str) -> str | None:
        """The reference of the first extension of this address."""
        for one in self.extension:
            if one.url == url and one.value_reference:
                return one.value_reference.reference
        return None


class Request(Fhir):
    """What a transaction asks to be done with an entry."""

    method: str
    url: str = ""
    if_none_exist: str = ""


class Entry(Fhir):
    """An entry of a transaction or batch."""

    full_url: str | None = None
    resource: dict[str, Any]
    request: Request


class _Named(Fhir):
    resourceType: str = ""  # noqa: N815 - the standard's name
    id: Text | None = None
    identifier: Many[Identifier] = ()
    serial_number: Text | None = None


@dataclass(frozen=True)
class Context:
    """The resources that came in the same body, by full address and by ``Type/id``."""

    resources: Mapping[str, Mapping[str, Any]]
    device_id: str

    @classmethod
    def of(cls, entries: Sequence[Any], device_id: str) -> "Context":
        """Of the entries of a Bundle, as far as they have an address."""
        found: dict[str, Mapping[str, Any]] = {}
        for entry in entries:
            resource = entry.get("resource") if isinstance(entry, dict) else None
            if not isinstance(resource, dict):
                continue
            found.setdefault(f"{resource.get('resourceType')}/{resource.get('id')}", resource)
            if isinstance(entry.get("fullUrl"), str):
                found[entry["fullUrl"]] = resource
        return cls(found, device_id)

    def device(self, sent: Observation, reference: Reference | None) -> str | None:
        """The text by which a device is known here, or None where nothing names it.

        A literal reference is that text by itself, whatever else came with it, so that the same
        reading names the same device alone and in a Bundle. Otherwise it is the system identifier
        of the device: capitals without dashes, as in the identifiers of the PHD guide.
        """
        return self._name(sent, reference, "Device")

    def patient(self, sent: Observation) -> str | None:
        """The sender's name of the patient, or None."""
        return self._name(sent, sent.subject, "Patient")

    def name_of_device(self, resource: Mapping[str, Any]) -> str:
        """The text by which a Device resource is known here."""
        name = self._name_of(resource)
        if name is None:
            raise CannotReadError("shape", "identifier: missing")
        return name

    def _name(self, sent: Observation, reference: Reference | None, type_: str) -> str | None:
        if reference is None:
            return None
        place = reference.reference or ""
        resource = self.found(sent, place)
        literal = _LITERAL.fullmatch(place)
        if literal and literal[1] == type_ and not self._by_serial_number(resource):
            return literal[2]
        if resource is not None and resource.get("resourceType") == type_:
            return self._name_of(resource)
        if place.startswith(f"{type_}?"):
            return _plain(_searched(place.partition("?")[2]))
        return _plain(reference.identifier.value) if reference.identifier else None

    def found(self, sent: Observation, place: str | None) -> Mapping[str, Any] | None:
        """The resource at a place: in the same body, or contained in the Observation."""
        if place and place.startswith("#"):
            return next((one for one in sent.contained if one.get("id") == place[1:]), None)
        return self.resources.get(place or "")

    def _by_serial_number(self, resource: Mapping[str, Any] | None) -> bool:
        return self.device_id == "serial_number" and bool(resource and "serialNumber" in resource)

    def _name_of(self, resource: Mapping[str, Any]) -> str | None:
        sent = shaped(_Named, resource)
        if self.device_id == "serial_number" and sent.serial_number:
            return sent.serial_number
        named = [one for one in sent.identifier if one.value]
        system_ids = [
            one for one in named if one.type and any(c.code == _SYSTEM_ID for c in one.type.coding)
        ]
        for one in system_ids or named:
            return _plain(one.value)
        return sent.serial_number or sent.id


def reading_id(sent: Observation, request: Request | None) -> str | None:
    """The sender's id of an Observation: its identifier, else what the request says it goes by.

    Of several identifiers, the one that a conditional creation asks for; an Observation that is
    put at an address of the sender's choice goes by that address.
    """
    named = [one for one in sent.identifier if one.value]
    asked = _searched(request.if_none_exist) if request else None
    for one in sorted(named, key=lambda one: one.value != (asked or "").rpartition("|")[2]):
        return _joined(one.system, one.value or "")
    if asked:
        system, _, value = asked.rpartition("|")
        return _joined(system, value)
    if request and request.method == "PUT" and _LITERAL.fullmatch(request.url):
        return kept(request.url)
    return None


def _joined(system: str | None, value: str) -> str:
    return kept(f"{system}|{value}" if system else value)


def _searched(query: str) -> str | None:
    """The identifier that a search asks for, as ``system|value``."""
    found = (value for name, value in form_fields(query) if name == "identifier")
    return next(map(kept, found), None)


def kept(text: str) -> str:
    """A text that is made of others or was encoded, checked before it is kept; CannotReadError."""
    if not (text.isprintable() and len(text) <= _LONGEST):
        raise CannotReadError("shape", "an identifier that is too long or not printable")
    return text


def _plain(value: str | None) -> str | None:
    """``00-1C-05-...`` as ``001C05...``; any other text as it is, out of ``system|value``."""
    text = (value or "").rpartition("|")[2]
    if _HEX_PAIRS.fullmatch(text):
        return text.replace("-", "").replace(":", "").upper()
    return text or None
