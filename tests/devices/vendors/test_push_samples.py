"""Vendors that push without a signature: every sample is read or refused as its name says."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vendor_samples import ANY_JSON, Fetched, Format, files, items_of, leaves, mutated

from devices.delivery import Notice, UnreadableDeliveryError
from devices.reading import Reading, RejectedReading
from devices.vendors.bodytrace import BodyTrace
from devices.vendors.fhir import Fhir
from devices.vendors.mio import Mio
from devices.vendors.telli import Telli
from devices.vendors.tenovi import Tenovi
from devices.vendors.validic import Validic

VENDORS: dict[str, Format] = {
    vendor.name: vendor
    for vendor in (BodyTrace(), Fhir(), Mio(), Telli(), Tenovi(), Validic(), Fetched())
}
ACCEPTED = [(name, path) for name in VENDORS for path in files(name, "accepted")]
REJECTED = [(name, path) for name in VENDORS for path in files(name, "rejected")]


def _id(value: Any) -> str:
    return value.stem if isinstance(value, Path) else str(value)


@pytest.mark.parametrize(("name", "path"), ACCEPTED, ids=_id)
def test_accepted_samples_are_read(name: str, path: Path) -> None:
    """Every accepted sample gives readings, or notices alone where its name says so."""
    items = items_of(VENDORS[name], path.read_bytes())
    assert items
    assert all(isinstance(item, Reading | Notice) for item in items)
    has_reading = any(isinstance(item, Reading) for item in items)
    assert has_reading != path.stem.startswith("notice")


@pytest.mark.parametrize(("name", "path"), REJECTED, ids=_id)
def test_rejected_samples_say_why(name: str, path: Path) -> None:
    """Every rejected sample is refused for the reason its name begins with, and only for it."""
    reason = path.stem.split("-")[0]
    if reason == "unreadable":
        with pytest.raises(UnreadableDeliveryError):
            items_of(VENDORS[name], path.read_bytes())
        return
    items = items_of(VENDORS[name], path.read_bytes())
    assert [item.reason for item in items if isinstance(item, RejectedReading)] == [reason]
    assert not any(isinstance(item, Reading) for item in items)


@pytest.mark.parametrize("name", VENDORS)
def test_settings_show_what_is_not_known(name: str) -> None:
    """Every setting has a default among its allowed values and a note for who decides."""
    for setting in VENDORS[name].settings.values():
        assert setting.default in setting.allowed
        assert setting.note.endswith(".")


@pytest.mark.parametrize("name", VENDORS)
@settings(deadline=None)
@given(data=st.data())
def test_no_body_escapes(name: str, data: st.DataObject) -> None:
    """Random JSON and mutated samples give items or an unreadable delivery, never another error."""
    content = data.draw(ANY_JSON | mutated(name))
    with contextlib.suppress(UnreadableDeliveryError):
        for item in items_of(VENDORS[name], content):
            assert isinstance(item, Reading | Notice | RejectedReading)


@pytest.mark.parametrize("name", VENDORS)
@given(body=st.binary(max_size=64))
def test_no_bytes_escape(name: str, body: bytes) -> None:
    """Bytes that are no JSON are an unreadable delivery."""
    with contextlib.suppress(UnreadableDeliveryError):
        items_of(VENDORS[name], body)


@pytest.mark.parametrize(("name", "path"), REJECTED, ids=_id)
def test_refusals_echo_nothing_sent(name: str, path: Path) -> None:
    """What a refusal says of an item holds no value of the body."""
    with contextlib.suppress(UnreadableDeliveryError, json.JSONDecodeError):
        sent = [text for text in leaves(json.loads(path.read_text())) if len(text) > 3]
        for item in items_of(VENDORS[name], path.read_bytes()):
            said = item.message if isinstance(item, RejectedReading) else ""
            assert not any(text in said for text in sent)
