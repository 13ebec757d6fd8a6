"""The generic format: sample payloads, item by item answers, and what a sender's time tells."""

import contextlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.delivery import UnreadableDeliveryError
from devices.reading import Reading, RejectedReading
from devices.vendor import VENDORS

PAYLOADS = Path(__file__).parent.parent / "payloads" / "generic"
ACCEPTED = sorted((PAYLOADS / "accepted").glob("*.json"))
REJECTED = sorted((PAYLOADS / "rejected").glob("*.json"))
GENERIC = VENDORS["generic"]


def _accepted(name: str) -> list[Reading]:
    items = GENERIC.parse((PAYLOADS / "accepted" / f"{name}.json").read_bytes(), {}).items
    assert all(isinstance(item, Reading) for item in items)
    return [item for item in items if isinstance(item, Reading)]


def _reading(**fields: Any) -> bytes:
    sample = json.loads((PAYLOADS / "accepted" / "single-blood-pressure.json").read_text())
    return json.dumps({**sample, **fields}).encode()


@pytest.mark.parametrize("path", ACCEPTED, ids=lambda path: path.stem)
def test_accepted_samples_give_readings(path: Path) -> None:
    """Every accepted sample is read whole, each reading with the sender's id."""
    items = GENERIC.parse(path.read_bytes(), {}).items
    assert items
    for item in items:
        assert isinstance(item, Reading), item
        assert item.vendor_reading_id


@pytest.mark.parametrize("path", REJECTED, ids=lambda path: path.stem)
def test_rejected_samples_say_why(path: Path) -> None:
    """Every rejected sample is refused for the reason its file name begins with."""
    reason = path.stem.split("-")[0]
    if reason == "unreadable":
        with pytest.raises(UnreadableDeliveryError):
            GENERIC.parse(path.read_bytes(), {})
        return
    items = GENERIC.parse(path.read_bytes(), {}).items
    assert [item.reason for item in items if isinstance(item, RejectedReading)] == [reason]


def test_every_reason_of_a_rejected_item_has_a_sample() -> None:
    """The samples cover every reason code an item can be refused for."""
    reasons = {path.stem.split("-")[0] for path in REJECTED}
    assert reasons == {"shape", "kind", "code", "value", "unit", "time", "unreadable"}


def test_a_reading_is_read_field_by_field() -> None:
    """A single pressure keeps its instant, offset, values, units and ids as sent."""
    (reading,) = _accepted("single-blood-pressure")
    assert reading.measured_at == datetime(2026, 1, 31, 12, 42, 10, tzinfo=UTC)
    assert (reading.offset_minutes, reading.offset_origin) == (-300, "device")
    assert reading.vendor_time == "2026-01-31T07:42:10-05:00"
    assert [(part.loinc, part.value, part.ucum) for part in reading.components] == [
        ("8480-6", Decimal(122), "mm[Hg]"),
        ("8462-4", Decimal(78), "mm[Hg]"),
        ("8867-4", Decimal(62), "/min"),
    ]
    assert (reading.patient_ref, reading.vendor_reading_id) == ("MRN-1", "r-1")


@pytest.mark.parametrize("name", ["offset-unknown", "utc-without-offset"])
def test_utc_does_not_tell_the_local_offset(name: str) -> None:
    """``-00:00`` and ``Z`` give the instant and leave the offset unknown."""
    (reading,) = _accepted(name)
    assert reading.measured_at is not None
    assert reading.measured_at.replace(microsecond=0) == datetime(
        2026, 1, 31, 12, 42, 10, tzinfo=UTC
    )
    assert (reading.offset_minutes, reading.offset_origin) == (None, "unknown")


def test_beyond_the_meter_is_a_bounded_value() -> None:
    """HI, LO and compared numbers are kept with their comparator and in the kept unit."""
    parts = [reading.components[0] for reading in _accepted("beyond-the-meter")]
    assert [(part.comparator, part.value) for part in parts] == [
        (">", Decimal(600)),
        ("<", Decimal(20)),
        (">", Decimal(400)),
        ("<", Decimal("2.2") * Decimal("18.01559")),
    ]
    assert [part.original_value for part in parts] == ["HI", "LO", ">400", "< 2.2"]


def test_a_missing_part_marks_the_reading() -> None:
    """A pressure without its lower value is kept and marked incomplete."""
    (reading,) = _accepted("pressure-without-diastolic")
    assert reading.flags == ("incomplete",)


def test_one_bad_item_leaves_the_others() -> None:
    """In a batch each item is answered by itself, in the order sent, with the sender's id."""
    good = json.loads(_reading())
    bad = {**good, "id": "r-bad", "kind": "horoscope"}
    body = json.dumps({"readings": [good, bad, {**good, "id": "r-3"}]}).encode()
    first, second, third = GENERIC.parse(body, {}).items
    assert isinstance(first, Reading)
    assert isinstance(third, Reading)
    assert second == RejectedReading("kind", "readings[1]", "not a kind of reading", "r-bad")


def test_a_full_batch_is_read() -> None:
    """A batch may hold a thousand readings."""
    good = json.loads(_reading())
    body = json.dumps({"readings": [{**good, "id": str(n)} for n in range(1_000)]}).encode()
    assert len(GENERIC.parse(body, {}).items) == 1_000


@given(
    st.dictionaries(
        st.sampled_from(
            ["id", "device_id", "kind", "components", "measured_at", "status", "canary-3141"]
        ),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers(-(10**20), 10**20)
            | st.sampled_from(["canary-3141", "bp", ""]),
            lambda below: (
                st.lists(below, max_size=3)
                | st.dictionaries(st.sampled_from(["code", "canary-3141"]), below, max_size=2)
            ),
            max_leaves=6,
        ),
    )
)
def test_refusals_never_echo(fields: dict[str, Any]) -> None:
    """Whatever is sent, an item is answered and the answer's text holds nothing of it."""
    sample = {**json.loads(_reading()), **fields}
    (item,) = GENERIC.parse(json.dumps({"readings": [sample]}).encode(), {}).items
    if isinstance(item, RejectedReading):
        assert "canary" not in f"{item.reason} {item.where} {item.message}"


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_body_is_read_or_unreadable(body: bytes) -> None:
    """Bytes of any kind give items or the error for unreadable bodies, nothing else."""
    with contextlib.suppress(UnreadableDeliveryError):
        assert GENERIC.parse(body, {}).items
