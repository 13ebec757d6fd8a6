"""FHIR: what each field, reference, state and clock of an Observation becomes."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vendor_samples import files, items_of, readings_of, sample, values

from devices.delivery import Notice, UnreadableDeliveryError
from devices.identity import content_hash, identity_key
from devices.reading import Reading, RejectedReading
from devices.vendors.fhir import Fhir

FHIR = Fhir()
IDENTIFIER = "0102030405060708-p17-85354-9-822917700"
SYSTEM_ID = "0102030405060708"


def _one(name: str, **chosen: str) -> Reading:
    (reading,) = readings_of(FHIR, sample("fhir", name), **chosen)
    return reading


def _notice(sent: Any) -> Notice:
    (item,) = items_of(FHIR, sent)
    assert isinstance(item, Notice)
    return item


def _rejected(name: str) -> RejectedReading:
    (path,) = (path for path in files("fhir", "rejected") if path.stem == name)
    (item,) = items_of(FHIR, path.read_bytes())
    assert isinstance(item, RejectedReading)
    return item


def _key(reading: Reading) -> str:
    return identity_key(reading, adapter="fhir", account="A")


def test_the_published_pressure_is_read_field_by_field() -> None:
    """Three pressures under IEEE and LOINC codes, a cuff that is referred to, a local offset."""
    reading = _one("compound-numeric-blood-pressure")
    assert (reading.kind, values(reading)) == (
        "bp",
        {"8480-6": "116", "8462-4": "71", "8478-0": "86"},
    )
    assert reading.measured_at == datetime(2018, 11, 11, 16, 38, 15, tzinfo=UTC)
    assert reading.vendor_time == "2018-11-11T11:38:15-05:00"
    assert (reading.offset_minutes, reading.offset_origin) == (-300, "device")
    assert reading.device_id == "phd-711000FEFF5F49B0.B0495F001071"
    assert (reading.patient_ref, reading.entry_method) == ("patientExample-1", "device")
    assert (reading.status, reading.vendor_reading_id) == ("final", None)


def test_a_component_that_is_not_a_number_leaves_the_others() -> None:
    """The mean has a reason for its absence instead of a value; the pressures are whole."""
    reading = _one("compound-numeric-blood-pressure-no-mean")
    assert values(reading) == {"8480-6": "116", "8462-4": "71"}
    assert "incomplete" not in reading.flags


def test_the_published_bundle_gives_two_readings_of_the_oximeter() -> None:
    """Patient, gateway, oximeter and clock tell about saturation and pulse and are none."""
    items = items_of(FHIR, sample("fhir", "bundle-example-1"))
    assert [item.kind for item in items if isinstance(item, Notice)] == ["device_status"] * 3
    saturation, pulse = (item for item in items if isinstance(item, Reading))
    assert (saturation.kind, values(saturation)) == ("spo2", {"59408-5": "98"})
    assert (pulse.kind, values(pulse)) == ("heart_rate", {"8867-4": "47"})
    assert {saturation.device_id, pulse.device_id} == {"001C050400007825"}
    assert {saturation.patient_ref, pulse.patient_ref} == {"sisansarahId"}
    assert saturation.measured_at == datetime(2019, 9, 20, 16, 40, 16, 936000, tzinfo=UTC)
    assert (saturation.time_quality, saturation.offset_minutes) == ("exact", -240)


def test_a_device_that_came_along_can_go_by_its_serial_number() -> None:
    """A practice that registers what is printed on the device says so."""
    readings = readings_of(FHIR, sample("fhir", "bundle-example-1"), device_id="serial_number")
    assert {reading.device_id for reading in readings} == {"0400007825"}
    assert _one("contained-device", device_id="serial_number").device_id == "SN-17"


@pytest.mark.parametrize("name", ["contained-device", "device-by-identifier", "device-by-search"])
def test_a_device_is_known_by_its_system_identifier_however_it_is_written(name: str) -> None:
    """Contained, by identifier or by a search; with dashes, with colons: one text."""
    assert _one(name).device_id == SYSTEM_ID


def test_a_literal_reference_names_the_device_alone_and_in_a_bundle() -> None:
    """The same Observation says the same whether its Device came along or not."""
    alone = sample("fhir", "blood-pressure")
    device = {
        "resourceType": "Device",
        "id": "cuff-17",
        "identifier": [{"value": "01-02-03-04-05-06-07-08"}],
    }
    request = {"method": "PUT", "url": "Device/cuff-17"}
    together = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"resource": device, "request": request},
            {"resource": alone, "request": {"method": "POST", "url": "Observation"}},
        ],
    }
    (one,) = readings_of(FHIR, alone)
    (other,) = readings_of(FHIR, together)
    assert one.device_id == "cuff-17"
    assert (_key(one), content_hash(one)) == (_key(other), content_hash(other))


def test_loinc_comes_before_ieee_and_either_is_enough() -> None:
    """Where both are sent and say different kinds, LOINC is read; IEEE alone is read too."""
    assert values(_one("pressure-in-kilopascal")) == {
        "8480-6": "128.2605507",
        "8462-4": "78.7564785",
    }
    assert values(_one("glucose-without-loinc")) == {"41653-7": "100.887304"}
    content = sample("fhir", "glucose-without-loinc")
    content["code"]["coding"].append({"system": "http://loinc.org", "code": "99504-3"})
    (reading,) = readings_of(FHIR, content)
    assert reading.kind == "glucose_cgm"
    content["code"]["coding"][1]["code"] = "0-0"
    (reading,) = readings_of(FHIR, content)
    assert reading.kind == "glucose"


def test_glucose_needs_no_vital_signs_category() -> None:
    """The guide does not give it one."""
    assert _one("glucose-without-loinc").entry_method == "device"


def test_minus_zero_is_an_offset_that_is_not_known() -> None:
    """``-00:00``: the instant is sure, the patient's zone will decide the day."""
    reading = _one("offset-unknown")
    assert reading.measured_at == datetime(2026, 1, 28, 14, 15, tzinfo=UTC)
    assert (reading.offset_minutes, reading.offset_origin) == (None, "unknown")
    content = sample("fhir", "offset-unknown") | {"effectiveDateTime": "2026-01-28T14:15:00+00:00"}
    (reading,) = readings_of(FHIR, content)
    assert (reading.offset_minutes, reading.offset_origin) == (0, "device")


def test_a_period_was_measured_at_its_start() -> None:
    """A pulse of half a minute is of the minute in which it began."""
    assert _one("period").vendor_time == "2026-01-28T08:15:00-06:00"


def test_without_a_link_the_gateway_stamped_the_arrival() -> None:
    """No coincident timestamp: the time is that of receipt."""
    assert _one("blood-pressure").time_quality == "received"


def test_a_link_to_a_clock_that_is_elsewhere_is_marked() -> None:
    """The clock may have been sent before: its state is not seen here."""
    reading = _one("compound-numeric-blood-pressure")
    assert (reading.time_quality, reading.flags) == ("exact", ("clock_not_seen",))


def test_a_clock_with_a_fault_is_not_trusted() -> None:
    """A coincident timestamp without a value: nobody knows when it was measured."""
    reading = _one("bundle-clock-fault")
    assert (reading.time_quality, reading.flags) == ("suspect", ("clock_fault",))


def test_two_gateways_that_correct_a_clock_differently_send_one_reading() -> None:
    """Without an identifier the device's own time makes the reading one, as the guide has it."""
    content = sample("fhir", "bundle-clock-corrected")
    (first,) = readings_of(FHIR, content)
    assert first.vendor_reading_id == "cuff-17/bp/2026-01-28T14:09:00+00:00"
    clock, pressure = (entry["resource"] for entry in content["entry"])
    clock["effectiveDateTime"] = "2026-01-28T08:20:02-06:00"
    pressure["effectiveDateTime"] = "2026-01-28T08:15:02-06:00"
    (second,) = readings_of(FHIR, content)
    assert _key(first) == _key(second)
    clock["valueDateTime"] = "2026-01-28T08:13:00-06:00"
    (third,) = readings_of(FHIR, content)
    assert _key(first) != _key(third)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("blood-pressure", "final"),
        ("corrected", "corrected"),
        ("amended", "corrected"),
        ("entered-in-error", "deleted"),
        ("entered-in-error-by-identifier-alone", "deleted"),
    ],
)
def test_a_state_is_a_new_version_of_the_same_reading(name: str, status: str) -> None:
    """What was in error or amended goes by the identifier that it had."""
    reading = _one(name)
    assert (reading.status, reading.vendor_reading_id) == (status, IDENTIFIER)


def test_the_identifier_of_a_conditional_creation_is_honored() -> None:
    """An Observation without one goes by what ``ifNoneExist`` asks for."""
    assert _one("bundle-if-none-exist").vendor_reading_id == IDENTIFIER
    content = sample("fhir", "bundle-if-none-exist")
    content["entry"][0]["request"]["ifNoneExist"] = "identifier=urn%3Aoid%3A2.999%7C17&code=1"
    (reading,) = readings_of(FHIR, content)
    assert reading.vendor_reading_id == "urn:oid:2.999|17"


def test_of_several_identifiers_the_one_asked_for_counts() -> None:
    """Another system's identifier does not make a second reading."""
    content = sample("fhir", "bundle-if-none-exist")
    (entry,) = content["entry"]
    entry["resource"]["identifier"] = [{"system": "urn:x", "value": "1"}, {"value": IDENTIFIER}]
    (reading,) = readings_of(FHIR, content)
    assert reading.vendor_reading_id == IDENTIFIER
    entry["request"]["ifNoneExist"] = ""
    (reading,) = readings_of(FHIR, content)
    assert reading.vendor_reading_id == "urn:x|1"


def test_what_is_put_at_an_address_takes_the_place_of_what_was_there() -> None:
    """An update goes by its address and is a correction."""
    reading = _one("bundle-put")
    assert (reading.vendor_reading_id, reading.status) == ("Observation/obs-17", "corrected")


@pytest.mark.parametrize(
    ("name", "method"),
    [("test-data", "test"), ("typed-in", "manual"), ("without-gateway", "unknown")],
)
def test_only_what_a_gateway_took_from_a_device_is_the_device_s(name: str, method: str) -> None:
    """Test data, a note of typing in, and no trace of a gateway do not make a day."""
    assert _one(name).entry_method == method


def test_a_practice_can_vouch_for_observations_without_a_gateway() -> None:
    """A sender of its own that names devices only for what they sent."""
    assert _one("without-gateway", without_gateway="device").entry_method == "device"


def test_a_comparator_bounds_the_value() -> None:
    """Above 600 mg/dL is a reading, and no number for averages."""
    (part,) = _one("beyond-the-meter").components
    assert (part.comparator, f"{part.value:f}") == (">", "600")


def test_an_interpretation_marks_the_reading() -> None:
    """What the device itself doubts is kept and marked."""
    assert _one("questionable").flags == ("questionable",)


def test_a_unit_is_its_code_and_not_its_text() -> None:
    """The published pulse writes ``{beat}/min}`` for people and ``/min`` for machines."""
    content = sample("fhir", "period")
    content["valueQuantity"]["unit"] = "{beat}/min}"
    assert values(readings_of(FHIR, content)[0]) == {"8867-4": "61"}
    del content["valueQuantity"]["code"]
    content["valueQuantity"]["unit"] = "bpm"
    assert values(readings_of(FHIR, content)[0]) == {"8867-4": "61"}


@pytest.mark.parametrize(
    ("name", "kind", "value", "device"),
    [
        ("no-value", "not_a_vital", "no value", "cuff-17"),
        ("battery", "battery", "95", "cuff-17"),
        ("setting", "settings", "", "cuff-17"),
        ("meal-context", "not_a_vital", "", "cuff-17"),
        ("bpm-status", "device_status", "", "phd-74E8FFFEFF051C00.001C05FFE874"),
        ("coin-20181119174911", "device_status", "clock", "phd-711000FEFF5F49B0.B0495F001071"),
        ("phd-711000FEFF5F49B0.B0495F001071", "device_status", "Device", "711000FEFF5F49B0"),
        ("phg-example", "device_status", "Device", "ECDE3D4E58532D31"),
    ],
)
def test_what_a_device_says_of_itself_is_a_notice(
    name: str, kind: str, value: str, device: str
) -> None:
    """Clocks, status bits, batteries, settings, contexts and devices are no vitals."""
    notice = _notice(sample("fhir", f"notice-{name}"))
    assert (notice.kind, notice.value, notice.device_id) == (kind, value, device)


def test_a_search_result_is_no_submission() -> None:
    """A searchset says what is somewhere else; it waits as a dead letter that says so."""
    with pytest.raises(UnreadableDeliveryError, match="no transaction or batch"):
        items_of(FHIR, sample("fhir", "bundle-batch") | {"type": "searchset"})


def test_a_bad_entry_leaves_the_others_whole() -> None:
    """Also of a transaction: each entry is answered, and tells where it lies."""
    content = sample("fhir", "bundle-batch") | {"type": "transaction"}
    content["entry"].insert(
        1, {"resource": {"resourceType": "Claim"}, "request": {"method": "POST"}}
    )
    first, refused, last = items_of(FHIR, content)
    assert isinstance(first, Reading)
    assert isinstance(last, Reading)
    assert (refused.reason, refused.where) == ("kind", "entry[1]")


def test_what_changes_the_meaning_is_refused() -> None:
    """A modifier extension may say that this is not so; the standard forbids to pass it over."""
    assert _rejected("shape-modifier").reason == "shape"
    content = sample("fhir", "blood-pressure") | {"implicitRules": "http://example.org/rules"}
    (item,) = items_of(FHIR, content)
    assert item.reason == "shape"


@pytest.mark.parametrize("status", ["registered", "preliminary", "cancelled", "unknown", ""])
def test_what_is_not_final_waits(status: str) -> None:
    """An early estimate is no measurement of record: the final one follows under its own state."""
    (item,) = items_of(FHIR, sample("fhir", "blood-pressure") | {"status": status})
    assert (item.reason, item.message) == ("value", "status: not final")


def test_a_thousand_entries_are_taken_and_no_more() -> None:
    """As of the other formats with batches."""
    content = sample("fhir", "bundle-batch")
    content["entry"] = content["entry"][:1] * 1000
    assert len(readings_of(FHIR, content)) == 1000
    content["entry"].append(content["entry"][0])
    with pytest.raises(UnreadableDeliveryError):
        items_of(FHIR, content)


def test_numbers_are_read_as_they_were_written() -> None:
    """``48.0`` stays ``48.0`` beside the value: a device's precision is not rounded away."""
    content = json.dumps(sample("fhir", "period")).replace('"value": 61', '"value": 48.0')
    (reading,) = readings_of(FHIR, content.encode())
    assert reading.components[0].original_value == "48.0"


@pytest.mark.parametrize(
    ("code", "unit", "kind", "loinc"),
    [
        ("149530", "/min", "heart_rate", "8867-4"),
        ("149546", "/min", "heart_rate", "8867-4"),
        ("150456", "%", "spo2", "59408-5"),
        ("160184", "mg/dL", "glucose", "41653-7"),
        ("160368", "mg/dL", "glucose", "41653-7"),
        ("150364", "Cel", "temperature", "8310-5"),
        ("188736", "kg", "weight", "29463-7"),
        ("151562", "/min", "resp_rate", "9279-1"),
        ("152584", "L/min", "peak_flow", "33452-4"),
        ("152586", "L", "fev1", "20150-9"),
    ],
)
def test_every_ieee_code_has_its_kind(code: str, unit: str, kind: str, loinc: str) -> None:
    """What a device of the guide measures is read without LOINC."""
    content = sample("fhir", "glucose-without-loinc")
    content["code"]["coding"][0]["code"] = code
    content["valueQuantity"] = {"value": 38, "code": unit}
    (reading,) = readings_of(FHIR, content)
    assert (reading.kind, values(reading)) == (kind, {loinc: "38"})


@pytest.mark.parametrize("code", ["67975", "67983", "68225"])
def test_every_kind_of_clock_is_a_clock(code: str) -> None:
    """Absolute, relative, and base offset time: none is a measurement, a fault is told."""
    content = sample("fhir", "notice-coin-20181119174911")
    content["code"]["coding"][0]["code"] = code
    assert _notice(content).value == "clock"
    assert _notice(content | {"dataAbsentReason": {}}).value == "clock fault"


def test_half_a_pressure_is_marked() -> None:
    """A pressure without its lower value is kept and marked incomplete."""
    content = sample("fhir", "blood-pressure")
    content["component"] = content["component"][:1]
    (reading,) = readings_of(FHIR, content)
    assert (values(reading), reading.flags) == ({"8480-6": "128"}, ("incomplete",))


@pytest.mark.parametrize(
    ("sent", "comparator"), [("<", "<"), ("<=", "<"), (">", ">"), (">=", ">"), (None, "")]
)
def test_each_comparator_bounds_to_its_side(sent: str | None, comparator: str) -> None:
    """At most and at least are bounds as well."""
    content = sample("fhir", "beyond-the-meter")
    content["valueQuantity"]["comparator"] = sent
    (reading,) = readings_of(FHIR, content)
    assert reading.components[0].comparator == comparator


@pytest.mark.parametrize("text", ["%00", "a%0Ab", "%E2%80%AE", "x" * 401])
@pytest.mark.parametrize("place", ["device", "patient", "ifNoneExist"])
def test_what_a_search_hides_is_not_kept(place: str, text: str) -> None:
    """Control characters come in encoded, where the JSON has none; no database would keep them."""
    content = sample("fhir", "bundle-if-none-exist")
    (entry,) = content["entry"]
    if place == "ifNoneExist":
        entry["request"]["ifNoneExist"] = f"identifier={text}"
    else:
        name, type_ = ("device", "Device") if place == "device" else ("subject", "Patient")
        entry["resource"][name] = {"reference": f"{type_}?identifier={text}"}
    (item,) = items_of(FHIR, content)
    assert isinstance(item, RejectedReading)
    assert item.reason == "shape"


def test_an_identifier_without_end_is_not_kept() -> None:
    """Its system or the codes that would make one may be as long as the body."""
    content = sample("fhir", "blood-pressure")
    content["identifier"][0]["system"] = "urn:" + "x" * 400
    (item,) = items_of(FHIR, content)
    assert (item.reason, "identifier" in item.message) == ("shape", True)


@given(st.permutations(range(6)))
def test_the_order_of_entries_does_not_matter(order: list[int]) -> None:
    """Devices and clocks may stand before or behind the readings that refer to them."""
    content = sample("fhir", "bundle-example-1")
    expected = {content_hash(one) for one in readings_of(FHIR, content)}
    content["entry"] = [content["entry"][place] for place in order]
    found = readings_of(FHIR, content)
    assert {content_hash(one) for one in found} == expected
    assert {one.time_quality for one in found} == {"exact"}


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - zones are added
    st.integers(-14 * 4, 14 * 4),
    st.integers(-600, 600),
)
def test_the_device_s_own_time_is_told_whatever_the_gateway_made_of_it(
    at: datetime, quarters: int, ahead: int
) -> None:
    """Two gateways with clocks and offsets of their own give one identity."""
    zone, skew = timezone(timedelta(minutes=15 * quarters)), timedelta(seconds=ahead)
    own = at.replace(microsecond=0, tzinfo=UTC)
    content = sample("fhir", "bundle-clock-corrected")
    clock, pressure = (entry["resource"] for entry in content["entry"])
    clock["valueDateTime"] = (own + timedelta(minutes=5)).isoformat()
    clock["effectiveDateTime"] = (own + skew + timedelta(minutes=5)).astimezone(zone).isoformat()
    pressure["effectiveDateTime"] = (own + skew).astimezone(zone).isoformat()
    (reading,) = readings_of(FHIR, content)
    assert reading.vendor_reading_id == f"cuff-17/bp/{own.isoformat()}"
    assert reading.measured_at == own + skew
