"""FHIR resources as others read them, with hostile names and with nothing that is not known."""

import json
from datetime import UTC, date, datetime
from random import Random

import pytest
from claims_made import CLAIM, EVERYTHING, HOME, HOSTILE, OFFICE, VOIDED, hostile_claim
from fhir_checked import problems

from billing.claims.claim import Claim, Name
from billing.claims.fhir import records
from billing.claims.fhir.bundle import as_json, bundle_of, ndjson
from billing.claims.fhir.claims import ClaimIds, claim_resource
from billing.claims.fhir.parts import Resource

AT = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
DAY = date(2026, 10, 1)
IDS = ClaimIds("c1", "p1", "v1", "o1", "y1", "urn:uuid:x")


def a_reading(*components: dict[str, str], **about: object) -> Resource | None:
    """An observation of these components."""
    told = {
        "patient_id": "p1",
        "device_id": "d1",
        "status": "final",
        "measured_at": AT,
        "day": DAY,
        "issued": AT,
    }
    return records.observation("r1", components, **{**told, **about})  # type: ignore[arg-type] - as told


def one(loinc: str, value: str, ucum: str) -> dict[str, str]:
    """A component."""
    return {"loinc": loinc, "value": value, "ucum": ucum}


PRESSURE = (
    one("8480-6", "128", "mm[Hg]"),
    one("8462-4", "81", "mm[Hg]"),
    one("8867-4", "66", "/min"),
)


def everything(name: Name, shown: str) -> list[Resource]:
    """One resource of each type, of somebody of this name."""
    pressure, weight = a_reading(*PRESSURE), a_reading(one("29463-7", "81.50", "kg"))
    spo2 = a_reading(one("59408-5", "97", "%"), one("8867-4", "70", "/min"), measured_at=None)
    assert pressure is not None
    assert weight is not None
    assert spo2 is not None
    about = {"patient_id": "p1", "practice_id": "o1"}
    charge = records.charge_item(
        "i1", procedure_code="99454", units=1, first=DAY, last=date(2026, 10, 30),
        reversed_since=False, entered_at=AT, diagnoses=["I10", "E11.9"], **about,
    )  # fmt: skip
    return [
        records.organization("o1", shown, "1234567893", "371234567", place=OFFICE, telephone="217"),
        records.payer("y1", shown, "urn:uuid:x", "06102"),
        records.practitioner("q1", "1245319599", name, "", "207R00000X"),
        records.practitioner("q2", "1245319599", None, shown, ""),
        records.patient(
            "p1", record_number="00417", own_system="urn:uuid:x", name=name, birth_day=DAY,
            sex="F", practice_id="o1", place=HOME, telephone="2175550100",
        ),
        records.coverage(
            "v1", patient_id="p1", payer_id="y1", member_id="1EG4TE5MK73", first=DAY, last=None,
            today=DAY, group_number=shown, order=1,
        ),
        records.device("d1", shown, "urn:uuid:x", serial="0012", make=shown, model=None),
        pressure,
        weight,
        spo2,
        records.encounter(
            "e1", practitioner_id="q1", day=DAY, modality="AV", diagnoses=["F32.1"],
            withdrawn=False, **about,
        ),
        records.encounter(
            "e2", practitioner_id=None, day=DAY, modality="NONE", diagnoses=[], withdrawn=True,
            **about,
        ),
        charge,
        *(claim_resource(claim, IDS, AT) for claim in (CLAIM, EVERYTHING, VOIDED)),
    ]  # fmt: skip


@pytest.mark.parametrize("text", [*HOSTILE, "a\x00b", "\ud800", '"},{"x":"', "<b>&"])
def test_every_type_is_read_by_others_whatever_the_names(text: str) -> None:
    """fhir.resources and fhirkit find nothing wrong with any type, for names people have."""
    made = everything(Name(text, text, suffix="JR"), text or "x")
    for resource in made:
        assert problems(as_json(resource)) == []
    assert len(ndjson(made).decode().splitlines()) == len(made)


def test_a_bundle_is_valid_and_holds_all() -> None:
    """A bundle of all types is valid; each entry has an address of its own."""
    told = everything(Name("DOE", "JANE"), "Lakeside")
    made = list({(one["resourceType"], one["id"]): one for one in told}.values())
    text = as_json(bundle_of(made, AT))
    assert problems(text) == []
    entries = json.loads(text)["entry"]
    assert len({entry["fullUrl"] for entry in entries}) == len(made)


def test_decimals_keep_their_places() -> None:
    """What was recorded as 81.50 leaves as 81.50, and money with two places."""
    weight = a_reading(one("29463-7", "81.50", "kg"))
    assert weight is not None
    assert '"valueQuantity":{"value":81.50,' in as_json(weight)
    assert '"total":{"value":204.00,"currency":"USD"}' in as_json(claim_resource(CLAIM, IDS, AT))


def test_vital_signs_have_the_form_of_their_profiles() -> None:
    """A blood pressure is a panel with two parts in mm[Hg]; saturation has its code."""
    pressure = a_reading(*PRESSURE)
    assert pressure is not None
    assert pressure["code"]["coding"] == [{"system": "http://loinc.org", "code": "85354-9"}]
    assert "valueQuantity" not in pressure
    units = {
        part["code"]["coding"][0]["code"]: part["valueQuantity"]["code"]
        for part in pressure["component"]
    }
    assert units == {"8480-6": "mm[Hg]", "8462-4": "mm[Hg]", "8867-4": "/min"}
    spo2 = a_reading(one("59408-5", "97", "%"))
    assert spo2 is not None
    assert [code["code"] for code in spo2["code"]["coding"]] == ["2708-6", "59408-5"]
    assert spo2["category"][0]["coding"][0]["code"] == "vital-signs"


def test_what_is_not_known_is_left_out() -> None:
    """No value stands for one that is not known; a reading without number or day is none."""
    bare = records.patient(
        "p1", record_number="1", own_system="urn:x", name=Name("DOE"), birth_day=None, sex="",
        practice_id="o1",
    )  # fmt: skip
    assert not {"gender", "birthDate", "address", "telecom"} & bare.keys()
    assert a_reading(one("8867-4", "high", "/min")) is None
    assert a_reading(one("8867-4", "66", "/min"), measured_at=None, day=None) is None
    assert a_reading(one("8867-4", "NaN", "/min")) is None


def test_claims_of_any_shape_are_valid() -> None:
    """Claims with hostile names, dependents and corrections are valid; a void is cancelled."""
    chance = Random(7)
    claims: list[Claim] = [hostile_claim(number, chance) for number in range(1, 30)]
    for claim in claims:
        made = claim_resource(claim, IDS, AT)
        assert problems(as_json(made)) == []
        assert sum(round(item["net"]["value"] * 100) for item in made["item"]) == claim.charge_cents
    assert claim_resource(VOIDED, IDS, AT)["status"] == "cancelled"
    related = claim_resource(EVERYTHING, IDS, AT)["related"][0]
    assert related["reference"] == {"value": EVERYTHING.payer_claim_number}
