"""``rpm-ledger devices``: the list, what is at risk, and swaps by what is printed on a device."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from ledger_practice import Practice, days
from sqlmodel import select

from rpm.store.engine import reading
from rpm.store.tables.monitoring import AssociationEnd, Device, DeviceAssociation
from rpm.store.tables.security import AuditEvent

Run = Callable[..., str]
SYSTOLIC = {
    "loinc": "8480-6",
    "value": "128",
    "ucum": "mm[Hg]",
    "comparator": "",
    "original_value": "128",
    "original_unit": "mm[Hg]",
}
CAME = datetime(2026, 1, 5, 15, tzinfo=UTC)


@pytest.fixture
def with_cuff(practice: Practice) -> Practice:
    """A patient who has a cuff since January 5 and measured twice, and a spare cuff."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 5))
    cuff, spare = (
        Device(
            id=practice.new_id(),
            vendor="telli",
            vendor_device_id=name,
            kind="bp",
            model="BP-2",
            serial=serial,
            fda_listed=True,
            automatic=True,
        )
        for name, serial in (("864593054464085", "S-1"), ("spare", "S-2"))
    )
    practice.record(
        cuff,
        spare,
        DeviceAssociation(
            device_id=cuff.id, episode_id=episode_id, patient_id=patient_id, from_at=CAME
        ),
    )
    days_of_cuff = [date(2026, 1, 5), date(2026, 1, 6)]
    practice.readings(
        patient_id,
        episode_id,
        days_of_cuff,
        vendor="telli",
        vendor_device_id=cuff.vendor_device_id,
        device_id=cuff.id,
        measure="bp",
        components=[SYSTOLIC],
        entry_method="device",
    )
    return practice


def test_a_practice_without_devices(practice: Practice, said: Run) -> None:
    """Empty lists say what to do, or that nothing is amiss."""
    assert "no devices yet: POST /v1/devices" in said("devices", "list")
    assert said("devices", "list", "--idle") == "no such devices\n"
    assert said("devices", "at-risk") == "no window is at risk\n"
    assert "there is no such device" in said("devices", "show", "S-1", code=2)


def test_devices_are_listed(with_cuff: Practice, said: Run) -> None:
    """Each line tells where a device is and what was heard; filters narrow the list."""
    told = said("devices", "list")
    assert "telli 864593054464085  bp  in_use; heard 2026-01-06 13:00 UTC (file)" in told
    assert "27 days without a reading" in told
    assert "telli spare  bp  in_stock; never heard, its vendor has no connection" in told
    assert told.endswith("2 devices\n")
    assert said("devices", "list", "--silent").endswith("1 devices\n")
    assert said("devices", "list", "--status", "awaits_return") == "no such devices\n"
    assert "a status is one of" in said("devices", "list", "--status", "gone", code=2)


def test_a_device_is_shown_with_its_history(with_cuff: Practice, said: Run) -> None:
    """Named by its IMEI without check digit: identifiers and everyone who had it."""
    told = said("devices", "show", "86459305446408")
    assert "IMEI 864593054464085, model BP-2, serial S-1" in told
    assert "from 2026-01-05 15:00 UTC, still there" in told
    assert "nobody had it yet" in said("devices", "show", "s-2")


def test_what_is_at_risk(with_cuff: Practice, said: Run) -> None:
    """The window that ends tomorrow can no longer be saved; the next one says until when."""
    assert said("devices", "at-risk") == "no window is at risk\n"
    patient_id, episode_id = with_cuff.enrolled(opened_day=date(2026, 1, 5), consent=False)
    with_cuff.readings(patient_id, episode_id, days(date(2026, 1, 5), 14))
    told = said("devices", "at-risk")
    assert "2026-02-02 (0 days left)  99454  patient " in told
    assert "14 days so far, window ends 2026-02-03; held by E_NO_CONSENT" in told
    assert told.endswith("  no device\n1 windows at risk\n")


def test_a_swap_and_a_return(with_cuff: Practice, said: Run) -> None:
    """Both take effect at the instant that is told, with the reason in the audit."""
    at = "2026-01-20T16:00:00Z"
    swap = ("devices", "swap", "S-1", "S-2", "--reason", "cuff broke")
    assert "2026-01-12T16:00:00Z" in said(*swap, "--at", "yesterday", code=2)
    told = said(*swap, "--at", at)
    assert told == "spare takes the place of 864593054464085 from 2026-01-20 16:00 UTC\n"
    assert "the device is with nobody" in said(*swap, code=2)
    back = said("devices", "return", "spare", "--reason", "goals met")
    assert back == "spare is in stock from 2026-02-02 15:00 UTC\n"
    with reading(with_cuff.engine) as db:
        ends = [row.to_at for row in db.exec(select(AssociationEnd))]
        events = {row.action: row.reason for row in db.exec(select(AuditEvent))}
    assert ends == [datetime(2026, 1, 20, 16, tzinfo=UTC), datetime(2026, 2, 2, 15, tzinfo=UTC)]
    assert (events["device.swap"], events["device.return"]) == ("cuff broke", "goals met")


def test_a_loss_and_a_repair(with_cuff: Practice, said: Run) -> None:
    """A lost device is listed as such until it is reported working; a swap may say it broke."""
    at = ("--at", "2026-01-20T16:00:00Z", "--reason", "as told")
    assert "a condition is one of" in said("devices", "report", "S-1", "gone", *at, code=2)
    assert said("devices", "report", "S-1", "lost", *at).endswith(
        "is lost from 2026-01-20 16:00 UTC\n"
    )
    assert said("devices", "list", "--status", "lost").endswith("1 devices\n")
    assert "known to be so" in said("devices", "report", "S-1", "lost", *at, code=2)
    said("devices", "report", "S-1", "working", *at)
    assert said("devices", "list", "--status", "lost") == "no such devices\n"
