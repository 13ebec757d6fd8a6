"""FHIR Observations: what a measurement becomes.

Owns codes, values, times, states and identity of one Observation. Codes are read in LOINC first,
then in IEEE 11073. Each Observation is a reading by itself, known by its ``identifier``. Does not
own Bundles and what is no measurement (``devices.vendors.fhir``).

Sources: HL7 PHD guide 2.0.0 (base observation, coincident timestamp, notes to consumers);
hl7.org/fhir/R4 (observation status, vital signs).
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from devices.delivery import Notice
from devices.kinds import KINDS, Kind
from devices.reading import (
    CannotReadError,
    Component,
    EntryMethod,
    Reading,
    Status,
    TimeQuality,
    component,
    missing_quantities,
)
from devices.sent import shaped
from devices.timestamps import Timestamp, parse_rfc3339
from devices.vendors.fhir_resources import (
    LOINC,
    MDC,
    UCUM,
    Concept,
    Context,
    Observation,
    Quantity,
    Request,
    kept,
    reading_id,
)

_PHD = "http://hl7.org/fhir/uv/phd/"
_CLOCK = f"{_PHD}StructureDefinition/CoincidentTimeStampReference"
_GATEWAYS = frozenset(
    {
        "http://hl7.org/fhir/StructureDefinition/observation-gatewayDevice",
        "http://hl7.org/fhir/StructureDefinition/device-gateway",
    }
)
_SUPPLEMENTAL_CODE = "68193"
_LOINC_OF_MDC = {
    "150020": "85354-9",
    "150021": "8480-6",
    "150022": "8462-4",
    "150023": "8478-0",
    "149530": "8867-4",
    "149546": "8867-4",
    "150456": "59408-5",
    "160184": "41653-7",
    "160368": "41653-7",
    "150364": "8310-5",
    "188736": "29463-7",
    "151562": "9279-1",
    "152584": "33452-4",
    "152586": "20150-9",
}
_KIND_OF_LOINC: Mapping[str, Kind] = MappingProxyType(
    {"85354-9": KINDS["bp"]}
    | {
        code: kind
        for kind in KINDS.values()
        for quantity in kind.quantities
        if quantity.required
        for code in quantity.loinc
    }
)
_STATUSES: Mapping[str, Status] = MappingProxyType(
    {
        "final": "final",
        "amended": "corrected",
        "corrected": "corrected",
        "appended": "corrected",
        "entered-in-error": "deleted",
    }
)
_FLAGS = {"questionable": "questionable", "calibration-ongoing": "calibration"}
_COMPARATORS = {None: "", "<": "<", "<=": "<", ">": ">", ">=": ">"}
_TEST_DATA = "HTEST"


class _Clock(NamedTuple):
    """How far a time is to be trusted, the device's own time if it can be told, and marks."""

    quality: TimeQuality
    device_time: str | None = None
    flags: tuple[str, ...] = ()


def kind_of(sent: Observation) -> Kind | None:
    """The kind of reading by the first code that is known."""
    return next((_KIND_OF_LOINC[c] for c in _codes(sent.code) if c in _KIND_OF_LOINC), None)


def _codes(concept: Concept) -> list[str]:
    """LOINC codes: those sent, then those that the IEEE 11073 codes stand for."""
    mapped = (_LOINC_OF_MDC.get(code) for code in concept.codes(MDC))
    return concept.codes(LOINC) + [code for code in mapped if code]


def reading_of(
    sent: Observation,
    kind: Kind,
    request: Request | None,
    context: Context,
    settings: Mapping[str, Any],
) -> Reading | Notice:
    """The reading, or the notice that the device could not measure; CannotReadError."""
    status = _status(sent, request)
    at = _measured_at(sent, status)
    clock = _clock(sent, at.instant if at else None, context)
    device, known_by = _names(sent, kind, request, context, clock)
    components = _components(sent, kind)
    text = sent.effective or ""
    flags = clock.flags + _interpreted(sent)
    if status != "deleted":
        if not components and _says_absent(sent):
            return Notice(device, "not_a_vital", at.instant if at else None, "no value", text)
        flags += ("incomplete",) if missing_quantities(kind, components) else ()
    return Reading(
        device_id=device,
        kind=kind.name,
        components=components,
        measured_at=at.instant if at else None,
        vendor_time=text,
        vendor_reading_id=known_by,
        patient_ref=context.patient(sent),
        offset_minutes=at.offset_minutes if at else None,
        offset_origin="device" if at and at.offset_minutes is not None else "unknown",
        time_quality=clock.quality,
        entry_method=_entry_method(sent, settings),
        status=status,
        flags=flags,
    )


def _status(sent: Observation, request: Request | None) -> Status:
    """Putting an Observation at its address says that it takes the place of what was there."""
    status = _STATUSES.get(sent.status)
    if status is None:
        raise CannotReadError("value", "status: not final")
    return "corrected" if status == "final" and request and request.method == "PUT" else status


def _measured_at(sent: Observation, status: Status) -> Timestamp | None:
    if sent.effective is not None:
        return parse_rfc3339(sent.effective)
    if status == "deleted":
        return None
    raise CannotReadError("time", "no effective time")


def _clock(sent: Observation, instant: datetime | None, context: Context) -> _Clock:
    """What the linked coincident timestamp tells; without one the gateway stamped the arrival.

    The device's own time is the effective time, less what the gateway has corrected it by: two
    gateways correct differently.
    """
    place = sent.linked(_CLOCK)
    if place is None:
        return _Clock("received")
    resource = context.found(sent, place)
    if resource is None:
        return _Clock("exact", flags=("clock_not_seen",))
    seen = shaped(Observation, resource)
    if seen.data_absent_reason:
        return _Clock("suspect", flags=("clock_fault",))
    if instant is None or seen.effective is None or seen.value_date_time is None:
        return _Clock("exact")
    behind = parse_rfc3339(seen.effective).instant - parse_rfc3339(seen.value_date_time).instant
    return _Clock("exact", (instant - behind).isoformat())


def _names(
    sent: Observation, kind: Kind, request: Request | None, context: Context, clock: _Clock
) -> tuple[str, str | None]:
    """The device and the sender's id, or one made of what the PHD guide makes its identifiers of.

    Only what is taken back by its id may leave the device out.
    """
    known_by = reading_id(sent, request)
    device = context.device(sent, sent.device)
    if device is None and (known_by is None or _STATUSES[sent.status] != "deleted"):
        raise CannotReadError("shape", "device: missing")
    if known_by is None and clock.device_time:
        more = [
            code
            for part in sent.component
            if _SUPPLEMENTAL_CODE in part.code.codes(MDC) and part.value_codeable_concept
            for code in part.value_codeable_concept.codes(MDC)
        ]
        known_by = kept("/".join([device or "", kind.name, clock.device_time, *more]))
    return device or "", known_by


def _components(sent: Observation, kind: Kind) -> tuple[Component, ...]:
    """The quantities of the kind that have a value; other components describe them."""
    given = [(sent.code, sent.value_quantity)]
    given += [(part.code, part.value_quantity) for part in sent.component]
    found = []
    for concept, quantity in given:
        code = next((code for code in _codes(concept) if kind.quantity(code)), None)
        if code is not None and quantity is not None and quantity.value is not None:
            found.append(component(kind, code, _value(quantity), _unit(quantity)))
    return tuple(found)


def _value(quantity: Quantity) -> str:
    if quantity.comparator not in _COMPARATORS:
        raise CannotReadError("value", "comparator: not one that is known")
    return f"{_COMPARATORS[quantity.comparator]}{quantity.value}"


def _unit(quantity: Quantity) -> str:
    """The UCUM code; the unit for people only where there is no code."""
    if quantity.code is None:
        return quantity.unit or ""
    if quantity.system not in {UCUM, None}:
        raise CannotReadError("unit", "the unit is not in UCUM")
    return quantity.code


def _says_absent(sent: Observation) -> bool:
    parts = (part.data_absent_reason for part in sent.component)
    return bool(sent.data_absent_reason) or any(parts)


def _interpreted(sent: Observation) -> tuple[str, ...]:
    codes = [coding.code for concept in sent.interpretation for coding in concept.coding]
    return tuple(sorted({_FLAGS[code] for code in codes if code in _FLAGS}))


def _entry_method(sent: Observation, settings: Mapping[str, Any]) -> EntryMethod:
    """Test data are marked; typed in is what a note says (PHD guide, measurement status)."""
    if any(label.code == _TEST_DATA for label in sent.meta.security):
        return "test"
    if any("manual" in note.text.lower() for note in sent.note):
        return "manual"
    systems = (one.system or "" for category in sent.category for one in category.coding)
    from_gateway = (
        any(profile.startswith(_PHD) for profile in sent.meta.profile)
        or any(system.startswith(_PHD) for system in systems)
        or any(one.url in _GATEWAYS for one in sent.extension)
    )
    return "device" if from_gateway or settings["without_gateway"] == "device" else "unknown"
