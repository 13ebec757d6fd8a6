"""Parts that several resources share: identifiers, names, addresses, codes, references, money.

Owns the addresses of code systems and the form of each part. Empty values leave no trace.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from billing.claims.claim import Address, Name
from billing.codes import is_procedure_code
from billing.money import Cents

Resource = dict[str, Any]
Reference = dict[str, str]

NPI = "http://hl7.org/fhir/sid/us-npi"
TAXONOMY = "http://nucc.org/provider-taxonomy"
EMPLOYER_ID = "urn:oid:2.16.840.1.113883.4.4"
CPT = "http://www.ama-assn.org/go/cpt"
HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
PLACE = "https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set"
IDENTIFIER_TYPE = "http://terminology.hl7.org/CodeSystem/v2-0203"
_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_HCPCS_CODE = re.compile(r"[A-Z]\d{4}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_SEXES: Mapping[str, str] = MappingProxyType({"F": "female", "M": "male", "U": "unknown"})


def text(value: str) -> str:
    """A string as FHIR takes it: no control characters, no blanks around, Unicode that can leave.

    A letter that cannot be written as UTF-8 becomes a question mark.
    """
    clean = _CONTROL.sub(" ", value).strip()
    return clean.encode("utf-8", "replace").decode()


def filled(**values: Any) -> dict[str, Any]:
    """The values that say something, under their names; ``class_`` and the like lose the dash."""
    return {
        name.rstrip("_"): value
        for name, value in values.items()
        if value is not None and value not in ("", [], {})
    }


def resource(kind: str, row_id: str, **values: Any) -> Resource:
    """A resource with its id; values that say nothing are left out."""
    return {"resourceType": kind, "id": row_id, **filled(**values)}


def reference(kind: str, row_id: str) -> Reference:
    """A reference to a resource of the same output."""
    return {"reference": f"{kind}/{row_id}"}


def named(display: str) -> Reference:
    """A reference to somebody who is known by name only; empty without one."""
    shown = text(display)
    return {"display": shown} if shown else {}


def coding(system: str, code: str) -> dict[str, str]:
    """A code of a system, without its text."""
    return {"system": system, "code": code}


def concept(system: str, *codes: str) -> dict[str, Any]:
    """A concept by its codes; empty without any."""
    told = [coding(system, shown) for code in codes if (shown := " ".join(text(code).split()))]
    return {"coding": told} if told else {}


def procedure(code: str) -> dict[str, Any]:
    """A CPT or HCPCS code, each in its own system."""
    shape = HCPCS if _HCPCS_CODE.fullmatch(code) else CPT
    return concept(shape, code) if is_procedure_code(code) else filled(text=text(code))


def diagnosis(code: str) -> dict[str, Any]:
    """An ICD-10-CM code, with its point after the third character."""
    plain = code.replace(".", "")
    return concept(ICD10CM, plain if len(plain) <= 3 else f"{plain[:3]}.{plain[3:]}")


def identifier(system: str, value: str, kind: str = "") -> list[dict[str, Any]]:
    """One identifier in a list; none without a value."""
    shown = text(value)
    if not shown:
        return []
    return [filled(type=concept(IDENTIFIER_TYPE, kind), system=system, value=shown)]


def human_name(name: Name) -> list[dict[str, Any]]:
    """A person's name; none when nothing of it is known."""
    given = [part for part in (text(name.first), text(name.middle)) if part]
    suffix = [text(name.suffix)] if text(name.suffix) else []
    told = filled(family=text(name.last), given=given, suffix=suffix)
    return [told] if told else []


def address(place: Address | None) -> list[dict[str, Any]]:
    """A postal address; none when nothing of it is known."""
    if place is None:
        return []
    lines = [part for part in (text(place.street), text(place.street_more)) if part]
    told = filled(
        line=lines,
        city=text(place.city),
        state=text(place.state),
        postalCode=_postal(text(place.postal_code)),
    )
    return [told] if told else []


def _postal(code: str) -> str:
    nine = code.isdigit() and len(code) == 9
    return f"{code[:5]}-{code[5:]}" if nine else code


def phone(number: str) -> list[dict[str, str]]:
    """A telephone number; none without one."""
    return [{"system": "phone", "value": text(number)}] if text(number) else []


def gender(sex: str) -> str:
    """FHIR's word for a code of X12's DMG03; empty for any other."""
    return _SEXES.get(sex, "")


def money(cents: Cents) -> dict[str, Any]:
    """An amount in dollars; a decimal that keeps both places."""
    return {"value": Decimal(cents).scaleb(-2), "currency": "USD"}


def instant(at: datetime) -> str:
    """An instant with its offset; ValueError without one."""
    if at.tzinfo is None:
        raise ValueError("an instant needs its offset")
    return at.isoformat(timespec="seconds")


def period(first: date | None, last: date | None) -> dict[str, str]:
    """Days from and to, both included; empty when neither is known."""
    return filled(start=first and first.isoformat(), end=last and last.isoformat())


def not_known() -> dict[str, Any]:
    """Stands for a required value that is not known, as FHIR says it."""
    return {"extension": [{"url": _ABSENT, "valueCode": "unknown"}]}


def concepts(system: str, codes: Iterable[str]) -> list[dict[str, Any]]:
    """One concept for each code."""
    return [concept(system, code) for code in codes if code]
