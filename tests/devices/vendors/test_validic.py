"""Validic: what each field, trap and event of records and streams becomes."""

import contextlib
import json
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vendor_samples import items_of, notices_of, readings_of, sample, values

from devices.delivery import Notice, UnreadableDeliveryError
from devices.event_stream import Cutting, Event, events_of
from devices.reading import Reading, RejectedReading
from devices.vendors.validic import Validic

VALIDIC = Validic()
RECORD = sample("validic", "single-record")


def _one(content: Any, **chosen: str) -> Reading:
    (reading,) = readings_of(VALIDIC, content, **chosen)
    return reading


def _by_kind(content: Any) -> dict[str, Reading]:
    return {reading.kind: reading for reading in readings_of(VALIDIC, content)}


def test_a_record_is_one_reading_with_its_pulse() -> None:
    """Systolic, diastolic and pulse measured alike are one pressure, known by record and kind."""
    reading = _one(RECORD)
    assert (reading.kind, reading.vendor_reading_id) == ("bp", f"{RECORD['id']}/bp")
    assert values(reading) == {"8480-6": "128", "8462-4": "79", "8867-4": "66"}
    assert reading.measured_at == datetime(2026, 1, 15, 13, 15, tzinfo=UTC)
    assert (reading.device_id, reading.patient_ref) == ("864351055723276", "patient-117")
    assert (reading.entry_method, reading.time_quality, reading.flags) == ("device", "exact", ())


def test_origin_belongs_to_each_metric() -> None:
    """A typed weight and pulse beside a measured pressure are readings of their own."""
    found = _by_kind(sample("validic", "typed-weight-beside-measured-pressure"))
    assert {kind: one.entry_method for kind, one in found.items()} == {
        "bp": "device",
        "heart_rate": "manual",
        "weight": "manual",
    }
    assert "8867-4" not in values(found["bp"])
    assert len({one.vendor_reading_id for one in found.values()}) == 3


def test_a_pressure_is_as_trusted_as_its_least_number() -> None:
    """One typed number makes the whole pressure typed."""
    assert _one(sample("validic", "half-typed-pressure")).entry_method == "manual"


def test_an_origin_that_is_not_told_is_not_a_device() -> None:
    """``unknown`` and a missing origin are not taken for automatic."""
    reading = _one(sample("validic", "origin-unknown"))
    assert (reading.kind, reading.entry_method) == ("spo2", "unknown")
    assert values(reading) == {"59408-5": "97", "8867-4": "71"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("single-record", (-300, "vendor", "exact", ())),
        ("offset-of-a-profile", (-300, "profile", "estimated", ())),
        ("offset-of-a-user", (-300, "profile", "estimated", ())),
        ("offset-that-does-not-exist", (None, "unknown", "exact", ("offset_refused",))),
    ],
)
def test_the_offset_is_seconds_and_only_a_source_is_believed(
    name: str, expected: tuple[Any, ...]
) -> None:
    """A profile's offset is a guess: it decides no day and makes the time an estimate."""
    reading = _one(sample("validic", name))
    told = (reading.offset_minutes, reading.offset_origin, reading.time_quality, reading.flags)
    assert told == expected


def test_sensor_readings_believe_time_and_not_display_time() -> None:
    """Each line of a day's log is a reading at ``time``, whatever ``display_time`` says."""
    first, second = readings_of(VALIDIC, sample("validic", "cgm-day"))
    assert (first.kind, values(first)) == ("glucose_cgm", {"99504-3": "112"})
    assert first.measured_at == datetime(2026, 1, 15, 13, 15, tzinfo=UTC)
    assert first.vendor_reading_id == "cgm-20260115/2026-01-15T13:15:00Z"
    assert (first.offset_minutes, first.flags) == (-300, ("unit_inferred",))
    assert second.device_id == "8J-117"
    content = sample("validic", "cgm-day")
    for entry in content["reading_log"]:
        del entry["display_time"]
    assert readings_of(VALIDIC, content) == [first, second]


@pytest.mark.parametrize(
    ("chosen", "value", "flags"), [("mg/dL", "6.5", ()), ("mmol/L", "117.101335", ())]
)
def test_the_unit_of_sensor_readings_is_a_setting(
    chosen: str, value: str, flags: tuple[str, ...]
) -> None:
    """Once the practice knows the unit, readings are in it and not marked."""
    content = sample("validic", "cgm-day")
    content["reading_log"] = [{"time": "2026-01-15T13:15:00Z", "value": 6.5}]
    reading = _one(content, cgm_unit=chosen)
    assert (values(reading), reading.flags) == ({"99504-3": value}, flags)


def test_deleted_at_takes_back() -> None:
    """A record with ``deleted_at`` is a deletion of the reading under the same id."""
    deleted = _one(sample("validic", "deleted"))
    assert (deleted.status, deleted.vendor_reading_id) == ("deleted", f"{RECORD['id']}/bp")


def test_other_content_under_an_id_is_a_change_in_any_order() -> None:
    """The source is last-one-wins and delivers at least once."""
    assert _one(RECORD).changes == "unordered"
    renamed = {**RECORD, "source": {**RECORD["source"], "type": "renamed"}, "checksum": "other"}
    assert _one(renamed) == _one(RECORD)


def test_without_a_device_the_user_stands_for_it() -> None:
    """A source that tells no device can be registered by its user, not by its changing name."""
    assert _one(sample("validic", "device-not-told")).device_id == "user:patient-117"


def test_units_are_as_sent() -> None:
    """Values may be text; units are converted from the one that each metric has."""
    found = _by_kind(sample("validic", "values-as-text"))
    assert values(found["temperature"])["8310-5"].startswith("36.888")
    assert values(found["resp_rate"]) == {"9279-1": "16"}
    glucose = _one(sample("validic", "glucose-millimoles"))
    assert values(glucose) == {"41653-7": "109.895099"}


def test_the_same_number_under_two_names_is_one() -> None:
    """A pulse that is told as resting heart rate as well is not a contradiction."""
    content = json.loads(json.dumps(RECORD))
    content["metrics"].append(
        {"type": "resting_heart_rate", "origin": "device", "unit": "bpm", "value": 66}
    )
    assert values(_one(content))["8867-4"] == "66"


def test_a_batch_keeps_what_can_be_read() -> None:
    """A record that cannot be read is refused alone, with its id."""
    bad = {**RECORD, "id": "bad-1", "start_time": "yesterday"}
    first, second = items_of(VALIDIC, [bad, RECORD])
    assert isinstance(first, RejectedReading)
    assert (first.reason, first.where, first.vendor_reading_id) == ("time", "records[0]", "bad-1")
    assert isinstance(second, Reading)


def test_a_batch_is_limited() -> None:
    """More than 1,000 records are not read at once."""
    with pytest.raises(UnreadableDeliveryError):
        items_of(VALIDIC, [RECORD] * 1_001)


def _stream(*events: tuple[str, Any]) -> bytes:
    return b"".join(
        f"event: {name}\ndata: {json.dumps(data)}\n\n".encode() for name, data in events
    )


def test_a_piece_of_a_stream() -> None:
    """Data are records, pokes keep the line open, rules and connections are notices."""
    body = _stream(
        ("poke", {}),
        ("data", RECORD),
        ("rule", {"rule_id": "r", "user_id": "u-1", "triggered_at": "2026-01-15T13:15:00Z"}),
        ("connection", {"user_id": "u-1", "source": "fitbit", "event": "disconnected"}),
    )
    assert readings_of(VALIDIC, body) == readings_of(VALIDIC, RECORD)
    assert notices_of(VALIDIC, body) == {"rule": "", "account": ""}
    assert items_of(VALIDIC, _stream(("poke", {}))) == ()


def test_an_event_that_is_not_known_is_not_read() -> None:
    """Another event waits for a person with the whole piece."""
    with pytest.raises(UnreadableDeliveryError):
        items_of(VALIDIC, _stream(("data", RECORD), ("surprise", {})))


def test_the_form_of_a_stream() -> None:
    """Comments, three line ends, several data lines, no blank; an open event is left out."""
    body = (
        b": hello\r\nevent:data\r\ndata: 1\rdata:2\r\r\nid: 7\n\ndata: x\n\nevent: cut\ndata: y\n"
    )
    assert list(events_of(body)) == [Event("data", "1\n2"), Event("message", "x")]


@given(st.binary(max_size=80))
def test_no_stream_escapes(body: bytes) -> None:
    """Any bytes after the beginning of a stream give items or an unreadable delivery."""
    with contextlib.suppress(UnreadableDeliveryError):
        for item in items_of(VALIDIC, b"event: data\ndata: " + body + b"\n\n"):
            assert isinstance(item, Reading | RejectedReading | Notice)


@given(
    st.lists(st.sampled_from(["data: 1", "event: poke", ": kept open", "id: 7"]), max_size=8),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.lists(st.integers(0, 200), max_size=12),
)
def test_a_stream_in_pieces_is_cut_into_the_events_of_the_whole(
    lines: list[str], line_end: str, places: list[int]
) -> None:
    """Wherever the pieces end, the events are those of the text as a whole."""
    text = "".join(f"{line}{line_end}{line_end}" for line in lines) + "data: not whole"
    body, cutting = text.encode(), Cutting(1_000)
    bounds = sorted({0, len(body), *(place for place in places if place < len(body))})
    pieces = [body[low:high] for low, high in pairwise(bounds)]
    found = [event for piece in pieces for event in cutting.more(piece)]
    assert [list(events_of(one)) for one in found] == [
        list(events_of(f"{line}\n\n".encode())) for line in lines
    ]


def test_an_event_without_an_end_is_not_waited_for_for_ever() -> None:
    """What is longer than an event may be is refused; shorter events before it were whole."""
    cutting = Cutting(10)
    assert list(cutting.more(b"data: 123456789\n\ndata: 1")) == [b"data: 123456789\n\n"]
    with pytest.raises(UnreadableDeliveryError):
        list(cutting.more(b"23456789"))
