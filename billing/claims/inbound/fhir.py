"""FHIR R4 resources of an EHR: Patient, Coverage and Encounter, one, in a bundle, or as lines.

Owns which element is what, and how references inside one input are followed. Takes parsed JSON
values. Other types are passed over: an EHR's bundle holds more than is asked.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from billing.claims.fhir.parts import NPI
from billing.claims.inbound.proposed import (
    COVERAGE,
    FORM,
    PATIENT,
    TYPE,
    VISIT,
    Read,
    day_of,
    instant_of,
)

_SEXES = {"female": "F", "male": "M", "unknown": "U"}
_MODALITIES = {"VR": "AV", "AMB": "IN_PERSON"}
_READ = ("Patient", "Coverage", "Encounter")
Json = Any


def read_fhir(values: Sequence[Json]) -> Read:
    """What some resources propose, in their order. Never raises for JSON values."""
    read = Read()
    found = list(_resources(values))
    by_address = {address: one for address, one in found if address}
    by_address |= {f"{_word(one, 'resourceType')}/{_word(one, 'id')}": one for _, one in found}
    for place, (_, one) in enumerate(found, start=1):
        kind = _word(one, "resourceType")
        if kind in _READ:
            _READERS[kind](one, by_address, f"{kind} at {place}", read)
    if not any(_word(one, "resourceType") in _READ for _, one in found):
        code = TYPE if found else FORM
        read.refuse(code, "the input", "It holds no Patient, Coverage or Encounter.")
    return read


def _resources(values: Sequence[Json]) -> Iterator[tuple[str, Mapping[str, Json]]]:
    """Each resource with the address it has in its bundle."""
    for value in values:
        if not isinstance(value, Mapping):
            continue
        if _word(value, "resourceType") != "Bundle":
            yield "", value
            continue
        for entry in _list(value, "entry"):
            inner = entry.get("resource") if isinstance(entry, Mapping) else None
            if isinstance(inner, Mapping):
                yield _word(entry, "fullUrl"), inner


def _word(value: Json, name: str) -> str:
    told = value.get(name) if isinstance(value, Mapping) else None
    return told if isinstance(told, str) else ""


def _list(value: Json, name: str) -> list[Json]:
    told = value.get(name) if isinstance(value, Mapping) else None
    return told if isinstance(told, list) else []


def _part(value: Json, name: str) -> Mapping[str, Json]:
    told = value.get(name) if isinstance(value, Mapping) else None
    return told if isinstance(told, Mapping) else {}


def _first(value: Json, name: str) -> Mapping[str, Json]:
    return next((one for one in _list(value, name) if isinstance(one, Mapping)), {})


def _record_number(patient: Json) -> str:
    """The identifier of the type MR, else the first that has a value."""
    told = [one for one in _list(patient, "identifier") if _word(one, "value")]
    of_type = [
        one
        for one in told
        if any(_word(code, "code") == "MR" for code in _list(_part(one, "type"), "coding"))
    ]
    return _word((of_type or told or [{}])[0], "value")


def _referred(
    value: Mapping[str, Json], by_address: Mapping[str, Mapping[str, Json]]
) -> Mapping[str, Json]:
    """The resource that a reference is to, in this input or contained; empty elsewhere."""
    return by_address.get(_word(value, "reference"), {})


def _whose(value: Mapping[str, Json], by_address: Mapping[str, Mapping[str, Json]]) -> str:
    """The record number of the patient that a reference is to."""
    number = _word(_part(value, "identifier"), "value")
    return number or _record_number(_referred(value, by_address))


def _patient(one: Mapping[str, Json], _by: Json, where: str, read: Read) -> None:
    name = next(
        (told for told in _list(one, "name") if _word(told, "use") == "official"),
        _first(one, "name"),
    )
    given = [part for part in _list(name, "given") if isinstance(part, str)]
    place = _first(one, "address")
    lines = [part for part in _list(place, "line") if isinstance(part, str)]
    phones = [told for told in _list(one, "telecom") if _word(told, "system") == "phone"]
    born = _word(one, "birthDate")
    if born and not day_of(born):
        read.leave_out(f"{where}, birthDate", "It is no whole day.")
    if _word(one, "gender") and _word(one, "gender") not in _SEXES:
        read.leave_out(f"{where}, gender", "Only female, male and unknown are known.")
    read.propose(
        PATIENT,
        _record_number(one),
        where,
        family_name=_word(name, "family"),
        given_name=given[0] if given else "",
        birth_date=day_of(born),
        sex=_SEXES.get(_word(one, "gender"), ""),
        street=lines[0] if lines else "",
        street_more=" ".join(lines[1:]),
        city=_word(place, "city"),
        state=_word(place, "state"),
        postal_code=_word(place, "postalCode"),
        phone=_word(phones[0], "value") if phones else "",
    )


def _coverage(
    one: Mapping[str, Json], by: Mapping[str, Mapping[str, Json]], where: str, read: Read
) -> None:
    payor = _first(one, "payor")
    payer = _referred(payor, by)
    groups = [
        told
        for told in _list(one, "class")
        if any(_word(code, "code") == "group" for code in _list(_part(told, "type"), "coding"))
    ]
    period = _part(one, "period")
    read.propose(
        COVERAGE,
        _whose(_part(one, "beneficiary"), by),
        where,
        payer_name=_word(payer, "name") or _word(payor, "display"),
        payer_id=_word(_first(payer, "identifier"), "value")
        or _word(_part(payor, "identifier"), "value"),
        member_id=_word(one, "subscriberId") or _word(_first(one, "identifier"), "value"),
        group_number=_word(groups[0], "value") if groups else "",
        from_day=day_of(_word(period, "start")[:10]),
        to_day=day_of(_word(period, "end")[:10]),
    )


def _encounter(
    one: Mapping[str, Json], by: Mapping[str, Mapping[str, Json]], where: str, read: Read
) -> None:
    period = _part(one, "period")
    for name in ("start", "end"):
        if _word(period, name) and not instant_of(_word(period, name)):
            read.leave_out(f"{where}, period.{name}", "It is no instant with an offset.")
    read.propose(
        VISIT,
        _whose(_part(one, "subject"), by),
        where,
        visit_id=_word(_first(one, "identifier"), "value") or _word(one, "id"),
        started_at=instant_of(_word(period, "start")),
        ended_at=instant_of(_word(period, "end")),
        practitioner_npi=_npi(one, by),
        modality=_MODALITIES.get(_word(_part(one, "class"), "code"), ""),
    )


def _npi(one: Mapping[str, Json], by: Mapping[str, Mapping[str, Json]]) -> str:
    for told in _list(one, "participant"):
        who = _part(told, "individual")
        known = [_part(who, "identifier"), *_list(_referred(who, by), "identifier")]
        for number in known:
            if _word(number, "system") == NPI:
                return _word(number, "value")
    return ""


_READERS = {"Patient": _patient, "Coverage": _coverage, "Encounter": _encounter}
