"""Resources together: as one bundle, or as lines of a bulk file.

Owns the JSON: numbers keep their decimals, text leaves as UTF-8, a file ends with a line break.
"""

import json
import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from billing.claims.fhir.parts import Resource, instant

TYPES = (
    "Organization",
    "Practitioner",
    "Patient",
    "Coverage",
    "Device",
    "Observation",
    "Encounter",
    "ChargeItem",
    "Claim",
)
"""What is given, each type after what it refers to."""
NDJSON = "application/fhir+ndjson"
JSON = "application/fhir+json"


_MARK = "\x00"
_MARKED = re.compile(r'"\\u0000([^"\\]*)"')


def _marked(value: Any) -> str:
    if not isinstance(value, Decimal):
        raise TypeError(type(value).__name__)
    return f"{_MARK}{value:f}"


def as_json(resource: Resource) -> str:
    """One resource on one line; decimals with the places that were recorded."""
    written = json.dumps(
        resource, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_marked
    )
    return _MARKED.sub(r"\1", written)


def ndjson(resources: Iterable[Resource]) -> bytes:
    """A bulk file: a resource on each line."""
    return "".join(f"{as_json(one)}\n" for one in resources).encode()


def bundle_of(resources: Iterable[Resource], made_at: datetime) -> Resource:
    """A collection of resources; each reference in it is to a resource of it."""
    entries = [{"fullUrl": _address(one), "resource": one} for one in resources]
    held: Resource = {"resourceType": "Bundle", "type": "collection"}
    return {**held, "timestamp": instant(made_at), "entry": entries}


def _address(one: Resource) -> str:
    return f"https://rpm-ledger.invalid/fhir/{one['resourceType']}/{one['id']}"
