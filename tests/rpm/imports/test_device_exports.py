"""Real exports through the shipped profiles, against known answers."""

from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from whole_file import Imported, read_import

from devices.local_day import local_day
from rpm.imports.profile import load_profile
from rpm.imports.records import ReadingRow
from rpm.imports.refusals import FileRefusedError
from rpm.imports.zones import Zones

FILES = Path(__file__).parents[2] / "files"
ZONES = Zones("America/New_York", {"P-1": "America/Chicago"}.get)


def imported(file: str, profile: str, **options: str) -> Imported:
    """A file of tests/files/devices through a profile, for the patient P-1."""
    source = FILES / "devices" / file
    return read_import(source, load_profile(profile), ZONES, {"patient": "P-1"} | options)


def readings(result: Imported) -> list[ReadingRow]:
    """The rows, all of them readings."""
    rows = [row for row in result.rows if isinstance(row, ReadingRow)]
    assert len(rows) == len(result.rows)
    return rows


def local_days(result: Imported) -> set[date]:
    """Distinct local days of the readings."""
    days = set()
    for row in readings(result):
        assert row.reading.measured_at is not None
        days.add(
            local_day(
                row.reading.measured_at,
                offset_minutes=row.reading.offset_minutes,
                offset_origin=row.reading.offset_origin,
                patient_zone="America/Chicago",
                practice_zone="America/New_York",
            ).day
        )
    return days


def welltory() -> Imported:
    """The end-to-end fixture: one user of the Welltory study through a practice's own profile."""
    profile = str(FILES / "profiles" / "welltory.toml")
    return imported("welltory/blood_pressure.csv", profile, user="a1c2e6b2eb", device="CUFF-1")


def test_welltory_user_gives_the_known_readings_and_days() -> None:
    """333 readings on 108 local days, in periods of 4, 5, 26, 27, 30 and 16 days; none refused."""
    result = welltory()
    days = local_days(result)
    first = min(days)
    assert (len(result.rows), len(days), result.rejects) == (333, 108, ())
    assert first == date(2020, 1, 3)
    periods = Counter((day - first).days // 30 for day in days)
    assert [periods[number] for number in range(6)] == [4, 5, 26, 27, 30, 16]


def test_a_wall_time_is_resolved_in_the_patients_zone() -> None:
    """A time without zone is an instant by the patient's zone, and the reading says so."""
    row = readings(welltory())[0]
    assert row.reading.vendor_time == "2020-01-03  08:47:07"
    assert row.reading.measured_at == datetime(2020, 1, 3, 14, 47, 7, tzinfo=UTC)
    assert (row.zone, row.reading.offset_origin) == ("America/Chicago", "patient")
    assert row.reading.offset_minutes is None


def test_libreview_reads_history_and_scans() -> None:
    """5,210 rows of types 0 and 1 on 48 days, 28 + 11 + 9; the 50 of type 6 are left out."""
    result = imported("cgm-exports/libreview_us_48days.csv", "libreview")
    days = local_days(result)
    periods = Counter((day - min(days)).days // 30 for day in days)
    assert (len(result.rows), len(days), result.left_out, result.rejects) == (5210, 48, 50, ())
    assert [periods[number] for number in range(3)] == [28, 11, 9]
    assert {row.reading.kind for row in readings(result)} == {"glucose_cgm"}


def test_libreview_of_another_date_order_is_refused_whole() -> None:
    """A month-first file through the day-first profile gives nothing but the line that tells."""
    with pytest.raises(FileRefusedError, match=r"line \d+: a date contradicts .* DMY"):
        imported("cgm-exports/libreview_us_48days.csv", "libreview-dmy")


def test_clarity_survives_its_twice_encoded_header() -> None:
    """All 3,922 sensor rows are read, and the five below the sensor's range as bounded values."""
    result = imported("cgm-exports/clarity_export_synthetic.csv", "dexcom-clarity")
    low = [row for row in readings(result) if row.reading.components[0].comparator == "<"]
    assert (len(result.rows), result.rejects, result.left_out) == (3922, (), 57)
    assert result.header[0] == "Index"
    assert len(low) == 5
    assert {row.reading.components[0].original_value for row in low} == {"Low"}


def test_nightscout_instants_come_from_milliseconds() -> None:
    """Each of the 1,000 entries keeps the vendor's id and its instant."""
    rows = readings(imported("cgm-exports/nightscout_entries.json", "nightscout"))
    assert len({row.reading.vendor_reading_id for row in rows}) == 1000
    first = rows[0].reading
    assert first.measured_at == datetime(2026, 4, 5, 20, 30, 29, tzinfo=UTC)
    assert (first.offset_minutes, first.device_id) == (None, "nightscout")


def test_fitbit_rows_of_one_user_are_all_manual() -> None:
    """The user's 30 weights are manual entries on 30 days; the other users are left out."""
    result = imported(
        "fitbit/weightLogInfo_merged.csv", "fitbit-weight", user="6962181067", device="SCALE-1"
    )
    assert (len(result.rows), len(local_days(result)), result.left_out) == (30, 30, 6)
    assert {row.reading.entry_method for row in readings(result)} == {"manual"}


def test_fitbit_scale_readings_are_not_manual() -> None:
    """A weight that a scale sent keeps its origin, and a binary fraction its text as sent."""
    result = imported(
        "fitbit/weightLogInfo_merged.csv", "fitbit-weight", user="5577150313", device="SCALE-1"
    )
    (row,) = readings(result)
    assert row.reading.entry_method == "device"
    (weight,) = row.reading.components
    assert (weight.original_value, str(weight.value)) == ("90.6999969482422", "90.699996948242")


def test_ihealth_local_time_is_relabeled_not_shifted() -> None:
    """Local seconds and their offset give the known instants; the second reading is manual."""
    first, second = readings(imported("vendor-api/ihealth-bp.json", "ihealth-bp", device="CUFF-1"))
    assert first.reading.measured_at == datetime(2015, 9, 17, 20, 4, 23, tzinfo=UTC)
    assert second.reading.measured_at == datetime(2015, 9, 17, 20, 7, 45, tzinfo=UTC)
    assert (first.reading.offset_minutes, second.reading.offset_minutes) == (-480, -360)
    assert (first.reading.entry_method, second.reading.entry_method) == ("device", "manual")


def test_ihealth_glucose_unit_comes_from_the_answer() -> None:
    """The unit that stands beside the list of rows is the unit of each row."""
    rows = readings(imported("vendor-api/ihealth-glucose.json", "ihealth-glucose", device="M-1"))
    assert [row.reading.components[0].ucum for row in rows] == ["mg/dL", "mg/dL"]
    assert [str(row.reading.components[0].value) for row in rows] == ["60", "70"]


def test_an_empty_answer_is_an_empty_import() -> None:
    """A list without rows gives no rows and no refusal."""
    result = imported("vendor-api/ihealth-bp-empty.json", "ihealth-bp", device="CUFF-1")
    assert (result.rows, result.rejects, result.left_out) == ((), (), 0)
