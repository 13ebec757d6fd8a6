"""Records: how ``validic`` and ``fhir`` say a measurement, with an id of its own, many in a body.

Owns their words. Both say when a value was typed in.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from devices.simulator import Measurement, Sent
from devices.speaking.format import Format, Item, json_body, texts

_KINDS = frozenset({"bp", "weight", "glucose", "spo2", "temperature", "peak_flow"})
_LOINC, _UCUM = "http://loinc.org", "http://unitsofmeasure.org"
_PHD = "http://hl7.org/fhir/uv/phd/CodeSystem/PhdObservationCategories"
_PRESSURE_PANEL = "85354-9"
_MOST = 1_000


def _validic_items(sent: Sent) -> list[Item]:
    measured = sent.measurement
    at = f"{measured.told_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    offset = measured.local.utcoffset()
    origin = "manual" if measured.manual else "device"
    units = [unit for _, _, unit in measured.values]
    return [
        {
            "id": measured.id,
            "type": "measurement",
            "start_time": at,
            "end_time": at,
            "created_at": f"{sent.sent_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "deleted_at": None,
            "version": "1.0",
            "utc_offset": 0 if offset is None else int(offset.total_seconds()),
            "offset_origin": "source",
            "source": {"type": "smart_meter", "device": {"id": measured.device_id}},
            "user": {"uid": measured.patient_ref},
            "metrics": [
                {"type": name, "origin": origin, "unit": unit, "value": float(text)}
                for (name, text), unit in zip(texts(measured).items(), units, strict=True)
            ],
        }
    ]


def _validic_body(items: Sequence[Item], _posted_at: datetime) -> bytes:
    return json_body(list(items))


def _fhir_items(sent: Sent) -> list[Item]:
    """An Observation of a personal health gateway; a pressure is a panel, a pulse a component."""
    measured = sent.measurement
    observation: Item = {
        "resourceType": "Observation",
        "identifier": [{"value": measured.id}],
        "status": "final",
        "category": [{"coding": [{"system": _PHD, "code": "phd"}]}],
        "subject": {"reference": f"Patient/{measured.patient_ref}"},
        "effectiveDateTime": measured.local.isoformat(),
        "device": {"reference": f"Device/{measured.device_id}"},
        **_fhir_values(measured),
    }
    if measured.manual:
        observation["note"] = [{"text": "entered manually"}]
    return [observation]


def _fhir_values(measured: Measurement) -> Item:
    values = [
        {
            "code": {"coding": [{"system": _LOINC, "code": code}]},
            "valueQuantity": {"value": float(text), "unit": unit, "system": _UCUM, "code": unit},
        }
        for code, text, unit in measured.values
    ]
    if measured.kind == "bp":
        panel = {"coding": [{"system": _LOINC, "code": _PRESSURE_PANEL}]}
        return {"code": panel, "component": values}
    first, *others = values
    return {**first, "component": others} if others else first


def _fhir_body(items: Sequence[Item], _posted_at: datetime) -> bytes:
    """An Observation, or a transaction of them."""
    if len(items) == 1:
        return json_body(items[0])
    entries: list[dict[str, Any]] = [
        {"resource": item, "request": {"method": "POST", "url": "Observation"}} for item in items
    ]
    return json_body({"resourceType": "Bundle", "type": "transaction", "entry": entries})


VALIDIC = Format("validic", _KINDS, _validic_items, _validic_body, at_most=_MOST)
FHIR = Format(
    "fhir",
    _KINDS,
    _fhir_items,
    _fhir_body,
    at_most=_MOST,
    content_type="application/fhir+json",
)
