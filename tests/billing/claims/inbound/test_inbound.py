"""What other systems tell: read as it was meant, and nothing that is sent raises."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.claims.inbound.adt import read_adt
from billing.claims.inbound.fhir import read_fhir
from billing.claims.inbound.proposed import FIELDS, day_of
from billing.claims.inbound.visit_event import read_visit_event

ADT = (
    "MSH|^~\\&|EHR|F|RPM|F|20260101||ADT^A04^ADT_A01|17|P|2.5.1\rEVN|A04\r"
    "PID|1||X1^^^A^PI~00042^^^F^MR||O\\T\\Brien\\S\\x^Ann^Q||195001021200|F|||"
    '22 Elm St^""^Town^IL^62704||(217)555-0100\r'
    "IN1|1|P|06102|Medicare||||GRP|||20250101|20261399" + "|" * 23 + "1EG4TE5MK73\r"
)
COVERAGE_DAY = ADT.replace("GRP|||", "GRP||||")
BUNDLE: dict[str, Any] = {
    "resourceType": "Bundle",
    "entry": [
        {
            "fullUrl": "urn:uuid:p",
            "resource": {
                "resourceType": "Patient",
                "id": "p",
                "identifier": [
                    {"value": "X1"},
                    {"type": {"coding": [{"code": "MR"}]}, "value": "00042"},
                ],
                "name": [
                    {"family": "Nickname"},
                    {"use": "official", "family": "Doe", "given": ["A"]},
                ],
                "gender": "other",
                "birthDate": "1950-01",
                "address": [{"line": ["22 Elm St", "Apt 4", "Rear"], "city": "Town"}],
            },
        },
        {
            "resource": {
                "resourceType": "Coverage",
                "beneficiary": {"reference": "urn:uuid:p"},
                "payor": [{"display": "Medicare"}],
                "subscriberId": "1EG4",
                "period": {"start": "2025-01-01T00:00:00Z"},
            }
        },
        {
            "resource": {
                "resourceType": "Encounter",
                "id": "e1",
                "class": {"code": "VR"},
                "subject": {"reference": "Patient/p"},
                "period": {"start": "2026-01-13T15:00:00-05:00", "end": "2026-01-13T15:23:00"},
                "participant": [
                    {
                        "individual": {
                            "identifier": {
                                "system": "http://hl7.org/fhir/sid/us-npi",
                                "value": "1245319599",
                            }
                        }
                    }
                ],
            }
        },
        {"resource": {"resourceType": "Observation"}},
    ],
}


def test_an_adt_message_proposes_patient_and_coverage() -> None:
    """The number of type MR, escaped separators as meant, "" as not told, no wrong day."""
    read = read_adt(COVERAGE_DAY.encode())
    patient, coverage = read.proposals
    assert (patient.record_number, read.message_id) == ("00042", "17")
    assert patient.content == {
        "family_name": "O&Brien^x", "given_name": "Ann", "birth_date": "1950-01-02", "sex": "F",
        "street": "22 Elm St", "city": "Town", "state": "IL", "postal_code": "62704",
        "phone": "(217)555-0100",
    }  # fmt: skip
    assert coverage.content == {
        "payer_name": "Medicare", "payer_id": "06102", "member_id": "1EG4TE5MK73",
        "group_number": "GRP", "from_day": "2025-01-01",
    }  # fmt: skip
    assert [one.code for one in read.findings] == ["W_VALUE_LEFT_OUT"]
    assert read.is_read


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MSH",
        b"MSH|^~\\&|",
        b"\xff\xfe\x00",
        ADT.replace("A04", "A01").encode(),
        ADT.replace("PID|", "ZID|").encode(),
        (ADT + ADT).encode(),
        ADT.replace("X1^^^A^PI~00042^^^F^MR", "").encode(),
        ADT.split("PID")[0].encode(),
        b"\xef\xbb\xbf{}",
    ],
)
def test_what_is_no_such_message_is_told(content: bytes) -> None:
    """No proposal of a patient, an error with its place, and no value of the message in it."""
    read = read_adt(content)
    assert not read.is_read
    told = " ".join(f"{one.where} {one.message}" for one in read.findings)
    assert "Brien" not in told
    assert "1EG4" not in told


def test_bytes_are_read_as_the_message_says() -> None:
    """Latin-1 where MSH-18 says so, and refused where nothing says how to read them."""
    latin = ADT.replace("Ann", "Núñez")
    assert not read_adt(latin.encode("latin-1")).is_read
    said = latin.replace("2.5.1", "2.5.1||||||8859/1")
    assert read_adt(said.encode("latin-1")).proposals[0].content["given_name"] == "Núñez"
    assert read_adt(latin.encode()).proposals[0].content["given_name"] == "Núñez"


def test_resources_propose_patient_coverage_and_visit() -> None:
    """References in a bundle are followed, both ways; what is no whole value is left out."""
    read = read_fhir([BUNDLE])
    patient, coverage, visit = read.proposals
    assert {one.record_number for one in read.proposals} == {"00042"}
    assert patient.content == {
        "family_name": "Doe", "given_name": "A", "street": "22 Elm St", "street_more": "Apt 4 Rear",
        "city": "Town",
    }  # fmt: skip
    assert coverage.content["from_day"] == "2025-01-01"
    assert visit.content == {
        "visit_id": "e1", "started_at": "2026-01-13T15:00:00-05:00", "modality": "AV",
        "practitioner_npi": "1245319599",
    }  # fmt: skip
    assert len(read.findings) == 3
    assert not read_fhir([{"resourceType": "Observation"}]).is_read
    assert not read_fhir([1, "x", None]).is_read


def test_examples_of_hl7_and_synthea_are_read() -> None:
    """Patients and coverages of published examples propose what they say."""
    folder = Path("tests/files/interchange")
    names = sorted(path.name for path in folder.glob("*.json"))
    assert names
    for name in names:
        value = json.loads((folder / name).read_text(encoding="utf-8"), parse_float=Decimal)
        assert read_fhir([value]).proposals, name


def test_events_of_a_platform() -> None:
    """The end of a visit proposes it; one that ends before it begins is refused."""
    data = {
        "visit_id": "v1", "patient_record_number": "00042", "modality": "HOLOGRAM",
        "started_at": "2026-01-13T15:00:00Z", "ended_at": "2026-01-13T15:23:00.5Z",
    }  # fmt: skip
    read = read_visit_event({"type": "visit.ended", "data": data})
    assert read.is_read
    assert dict(read.proposals[0].content) == {
        "visit_id": "v1", "started_at": "2026-01-13T15:00:00+00:00",
        "ended_at": "2026-01-13T15:23:00+00:00",
    }  # fmt: skip
    for wrong in (
        {"type": "visit.paused", "data": data},
        {"type": "visit.ended"},
        {"type": "visit.ended", "data": data | {"ended_at": "2026-01-13T14:00:00Z"}},
        {"type": "visit.ended", "data": data | {"ended_at": ""}},
        {"type": "visit.started", "data": data | {"started_at": "2026-01-13T15:00:00"}},
        {"type": "visit.ended", "data": data | {"visit_id": ""}},
        {"type": "visit.ended", "data": data | {"patient_record_number": ""}},
        [],
    ):
        assert not read_visit_event(wrong).is_read


def test_days() -> None:
    """Days come in two forms; what is none is empty."""
    assert day_of("20260131") == day_of("2026-01-31") == day_of("202601311200-0500") == "2026-01-31"
    assert [day_of(one) for one in ("", "2026", "202602", "20260230", "31.01.2026")] == [""] * 5


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["Patient", "MR"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("resourceType", "identifier", "name", "value", "type", "coding", "code"),
                    *("entry", "resource", "period", "start", "subject", "reference", "data"),
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


@settings(max_examples=80, deadline=None)
@given(VALUES)
def test_no_json_raises(value: Any) -> None:
    """Any JSON gives proposals or findings, and proposals hold known names alone."""
    for kind in ("Patient", "Coverage", "Encounter"):
        told = {**value, "resourceType": kind} if isinstance(value, dict) else value
        read = read_fhir([told, value])
        for one in read.proposals:
            assert set(one.content) <= set(FIELDS[one.kind])
    read_visit_event(value)
    read_visit_event({"type": "visit.ended", "data": value})


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    place=st.integers(0, len(ADT) - 1),
    put=st.sampled_from([b"|", b"^", b"~", b"\\", b"&", b"\r", b"\x00", b"\xff", b"MSH", b""]),
    cut=st.integers(0, 12),
)
def test_no_change_of_a_message_raises(
    caplog: pytest.LogCaptureFixture, place: int, put: bytes, cut: int
) -> None:
    """A message cut, or with anything anywhere, is read or refused, and the log says nothing."""
    content = COVERAGE_DAY.encode()
    read_adt(content[:place] + put + content[place + cut :])
    assert caplog.text == ""
