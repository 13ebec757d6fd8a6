"""Resources of what a practice records: who, what was measured, visits, and what is billable.

Owns Patient, Coverage, Organization, Practitioner, Device, Observation, Encounter, ChargeItem.
Does not own Claim (``claims``). Ids are the record's own. Vital signs have the form of R4's
profiles; no profile is claimed that cannot be checked here.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any

from billing.claims.claim import Address, Name
from billing.claims.fhir.parts import (
    EMPLOYER_ID,
    LOINC,
    NPI,
    TAXONOMY,
    UCUM,
    Resource,
    address,
    coding,
    concept,
    diagnosis,
    filled,
    gender,
    human_name,
    identifier,
    instant,
    not_known,
    period,
    phone,
    procedure,
    reference,
    resource,
    text,
)

_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_ORGANIZATION_TYPE = "http://terminology.hl7.org/CodeSystem/organization-type"
_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_BLOOD_PRESSURE, _SYSTOLIC, _DIASTOLIC = "85354-9", "8480-6", "8462-4"
VITAL_SIGNS = frozenset({"85354-9", "8867-4", "9279-1", "29463-7", "2708-6", "8310-5"})
"""Measures that R4 counts among vital signs and that devices here send, by LOINC code."""
_OXYGEN = ("59408-5", "2708-6")
"""Saturation by pulse oximetry, and the code that R4's profile asks for beside it."""
_COMPARATORS = frozenset({"<", "<=", ">=", ">"})
_CLASSES: Mapping[str, str] = MappingProxyType({"AV": "VR", "AUDIO": "VR", "IN_PERSON": "AMB"})
"""Modality of a visit (``billing.coding.encounter``) -> class of an encounter."""


def organization(row_id: str, name: str, npi: str, tax_id: str = "", **at: Any) -> Resource:
    """The practice. ``at``: ``place`` (Address) and ``telephone``, where they are recorded."""
    return resource(
        "Organization",
        row_id,
        identifier=identifier(NPI, npi, "NPI") + identifier(EMPLOYER_ID, tax_id, "TAX"),
        active=True,
        type=[concept(_ORGANIZATION_TYPE, "prov")],
        name=text(name),
        telecom=phone(at.get("telephone", "")),
        address=address(at.get("place")),
    )


def payer(row_id: str, name: str, own_system: str, edi_payer_id: str = "") -> Resource:
    """Who pays, under the id that claim files use; such ids belong to the receiver of files."""
    return resource(
        "Organization",
        row_id,
        identifier=identifier(own_system, edi_payer_id),
        active=True,
        type=[concept(_ORGANIZATION_TYPE, "pay")],
        name=text(name),
    )


def practitioner(row_id: str, npi: str, name: Name | None, shown: str, taxonomy: str) -> Resource:
    """Who orders or bills; ``shown`` is the whole name, where its parts are not recorded."""
    parts = [] if name is None else human_name(name)
    whole = [{"text": text(shown)}] if text(shown) else []
    return resource(
        "Practitioner",
        row_id,
        identifier=identifier(NPI, npi, "NPI"),
        active=True,
        name=parts or whole,
        qualification=[{"code": concept(TAXONOMY, taxonomy)}] if taxonomy else [],
    )


def patient(
    row_id: str,
    *,
    record_number: str,
    own_system: str,
    name: Name,
    birth_day: date | None,
    sex: str,
    practice_id: str,
    place: Address | None = None,
    telephone: str = "",
) -> Resource:
    """A patient under the practice's own record number, whose system is the practice's."""
    return resource(
        "Patient",
        row_id,
        identifier=identifier(own_system, record_number, "MR"),
        active=True,
        name=human_name(name),
        telecom=phone(telephone),
        gender=gender(sex),
        birthDate=birth_day and birth_day.isoformat(),
        address=address(place),
        managingOrganization=reference("Organization", practice_id),
    )


def coverage(
    row_id: str,
    *,
    patient_id: str,
    payer_id: str,
    member_id: str,
    first: date,
    last: date | None,
    today: date,
    group_number: str = "",
    order: int | None = None,
) -> Resource:
    """Who pays for a patient; it is active unless its last day has passed."""
    group = concept("http://terminology.hl7.org/CodeSystem/coverage-class", "group")
    return resource(
        "Coverage",
        row_id,
        status="cancelled" if last is not None and last < today else "active",
        subscriberId=text(member_id),
        beneficiary=reference("Patient", patient_id),
        period=period(first, last) if last is None or first <= last else {},
        payor=[reference("Organization", payer_id)],
        class_=[{"type": group, "value": text(group_number)}] if text(group_number) else [],
        order=order,
    )


def device(row_id: str, vendor_device_id: str, own_system: str, **about: str | None) -> Resource:
    """A device; ``about``: serial, make, model, patient_id, as far as they are known."""
    held = about.get("patient_id")
    return resource(
        "Device",
        row_id,
        identifier=identifier(own_system, vendor_device_id),
        manufacturer=text(about.get("make") or ""),
        serialNumber=text(about.get("serial") or ""),
        modelNumber=text(about.get("model") or ""),
        patient=reference("Patient", held) if held else {},
    )


def observation(
    row_id: str,
    components: Sequence[Mapping[str, Any]],
    *,
    patient_id: str,
    device_id: str | None,
    status: str,
    measured_at: datetime | None,
    day: date | None,
    issued: datetime,
) -> Resource | None:
    """A reading; None when nothing of it can be told in numbers, or no day is known.

    ``components`` each have ``loinc``, ``value`` (text), ``ucum`` and perhaps ``comparator``.
    """
    effective = instant(measured_at) if measured_at else (day.isoformat() if day else "")
    told = {
        str(one["loinc"]): quantity
        for one in components
        if (quantity := _quantity(one)) is not None
    }
    if not told or not effective:
        return None
    pressure = {_SYSTOLIC, _DIASTOLIC} <= told.keys()
    first = _BLOOD_PRESSURE if pressure else next(iter(told))
    codes = tuple(dict.fromkeys((*_OXYGEN[::-1], first))) if first in _OXYGEN else (first,)
    parts = [{"code": concept(LOINC, code), "valueQuantity": one} for code, one in told.items()]
    return resource(
        "Observation",
        row_id,
        status=status,
        category=_categories(codes),
        code=concept(LOINC, *codes),
        subject=reference("Patient", patient_id),
        effectiveDateTime=effective,
        issued=instant(issued),
        valueQuantity=told[first] if not pressure else None,
        device=reference("Device", device_id) if device_id else {},
        component=parts if pressure else parts[1:],
    )


def _categories(codes: Sequence[str]) -> list[dict[str, Any]]:
    return [concept(_CATEGORY, "vital-signs")] if VITAL_SIGNS & set(codes) else []


def _quantity(one: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        value = Decimal(str(one["value"]))
    except InvalidOperation:
        return None
    if not value.is_finite():
        return None
    compared = str(one.get("comparator") or "")
    return filled(
        value=value,
        comparator=compared if compared in _COMPARATORS else None,
        unit=one["ucum"],
        system=UCUM,
        code=one["ucum"],
    )


def encounter(
    row_id: str,
    *,
    patient_id: str,
    practitioner_id: str | None,
    practice_id: str,
    day: date,
    modality: str,
    diagnoses: Sequence[str],
    withdrawn: bool,
) -> Resource:
    """A documented visit; of a modality without a class of its own the class is not known."""
    known = _CLASSES.get(modality)
    seen_by = reference("Practitioner", practitioner_id) if practitioner_id else {}
    return resource(
        "Encounter",
        row_id,
        status="entered-in-error" if withdrawn else "finished",
        class_=coding(_ACT, known) if known else not_known(),
        subject=reference("Patient", patient_id),
        participant=[{"individual": seen_by}] if seen_by else [],
        period=period(day, day),
        reasonCode=[diagnosis(code) for code in diagnoses],
        serviceProvider=reference("Organization", practice_id),
    )


def charge_item(
    row_id: str,
    *,
    patient_id: str,
    practice_id: str,
    procedure_code: str,
    units: int,
    first: date,
    last: date,
    reversed_since: bool,
    entered_at: datetime,
    diagnoses: Sequence[str] = (),
) -> Resource:
    """A billable event before it is claimed; one that was reversed since is entered in error."""
    whole = period(first, last)
    return resource(
        "ChargeItem",
        row_id,
        status="entered-in-error" if reversed_since else "billable",
        code=procedure(procedure_code),
        subject=reference("Patient", patient_id),
        occurrenceDateTime=first.isoformat() if first == last else None,
        occurrencePeriod=whole if first != last else None,
        performingOrganization=reference("Organization", practice_id),
        quantity={"value": units},
        enteredDate=instant(entered_at),
        reason=[diagnosis(one) for one in diagnoses],
    )
