"""What others say of FHIR resources: fhir.resources (R4B), fhirkit-rs, and required code sets.

Owns asking them. Does not own what is expected of an output.
"""

import importlib
import json
from typing import Any

import fhirkit

STATUSES = {
    "Observation": {"final", "corrected", "entered-in-error"},
    "Encounter": {"finished", "entered-in-error"},
    "ChargeItem": {"billable", "entered-in-error"},
    "Coverage": {"active", "cancelled"},
    "Claim": {"active", "cancelled"},
}
"""Words of required code sets that both libraries take as any word."""


def problems(line: str) -> list[str]:
    """What is wrong with a resource, by everyone asked; empty when nothing is."""
    content: dict[str, Any] = json.loads(line)
    kind = content["resourceType"]
    told = [f"fhirkit: {issue}" for issue in fhirkit.validate(line)]
    module = importlib.import_module(f"fhir.resources.R4B.{kind.lower()}")
    try:
        getattr(module, kind).model_validate_json(line)
    except ValueError as error:
        told.append(f"fhir.resources: {error}")
    if kind in STATUSES and content.get("status") not in STATUSES[kind]:
        told.append("a status outside its code set")
    if content.get("gender", "unknown") not in ("male", "female", "unknown"):
        told.append("a gender outside its code set")
    return told
