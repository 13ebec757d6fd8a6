"""Must-pass cases of the intake that come in files, named for the reference (section 15).

Elsewhere: 11 (the Welltory series: 4, 5, 26, 27, 30 and 16 days; Fitbit: 30 typed weights, 0 days)
by ``tests/test_real_series.py``; the instants of 5 also by ``test_device_exports.py``; a US file
in the European profile of 12 by ``test_device_exports.py``, a profile without an order by
``test_profile.py``.
"""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from file_series import NOW, Series
from importing import Importer
from sqlalchemy.engine import Engine
from sqlmodel import col, select
from whole_file import read_import

from rpm.access import Actor
from rpm.imports.profile import ProfileError, load_profile, read_profile
from rpm.imports.records import ReadingRow
from rpm.imports.zones import Zones
from rpm.store.engine import reading
from rpm.store.tables.monitoring import Reading

FILES = Path(__file__).parents[2] / "files" / "devices"
PROFILES = Path(__file__).parents[3] / "rpm" / "imports" / "profiles"
ZONES = Zones("America/New_York", {"P-1": "America/Chicago"}.get)
AMBIGUOUS = (
    b"Glucose Data,Generated on,01-05-2021 08:50 PM UTC\n"
    b"Device,Serial Number,Device Timestamp,Record Type,Historic Glucose mg/dL,"
    b"Scan Glucose mg/dL,Historic Glucose mmol/L,Scan Glucose mmol/L\n"
    b"FreeStyle LibreLink,S-1,02-03-2021 08:02,0,97,,,\n"
    b"FreeStyle LibreLink,S-1,02-04-2021 08:02,0,99,,,\n"
)
"""Dates that are dates in either order."""


def test_case_5_ihealth_instants_and_a_typed_reading(
    engine: Engine, actor: Actor, tmp_path: Path
) -> None:
    """12:04:23 -08:00 and 14:07:45 -06:00: the instants are right, the typed one does not count."""
    series = Series(Importer(engine, actor, NOW, tmp_path))
    series.opened(date(2015, 9, 1), "ihealth", "CUFF-1", "bp")
    file = FILES / "vendor-api" / "ihealth-bp.json"
    done = series.importer.file(file, "ihealth-bp", patient="P-1", device="CUFF-1")
    assert (done.new, done.rejected) == (2, 0)
    with reading(engine) as db:
        first, second = db.exec(select(Reading).order_by(col(Reading.measured_at))).all()
    assert first.measured_at == datetime(2015, 9, 17, 20, 4, 23, tzinfo=UTC)
    assert second.measured_at == datetime(2015, 9, 17, 20, 7, 45, tzinfo=UTC)
    assert (first.zone, second.zone) == ("-08:00", "-06:00")
    assert (first.countable, first.reason_code) == (True, "")
    assert (second.countable, second.reason_code) == (False, "manual_entry")


def _days(profile: str) -> list[date]:
    found = read_import(AMBIGUOUS, load_profile(profile), ZONES, {"patient": "P-1"})
    assert found.rejects == ()
    rows = [row.reading for row in found.rows if isinstance(row, ReadingRow)]
    return [one.measured_at.date() for one in rows if one.measured_at]


def test_case_12_a_date_order_is_declared_and_never_guessed() -> None:
    """The same file is February or of two months, as its profile declares; without one, nothing."""
    assert _days("libreview") == [date(2021, 2, 3), date(2021, 2, 4)]
    assert _days("libreview-dmy") == [date(2021, 3, 2), date(2021, 4, 2)]
    page = (PROFILES / "libreview.toml").read_text(encoding="utf-8")
    with pytest.raises(ProfileError, match="date_order is missing"):
        read_profile(page.replace('date_order = "MDY"\n', ""), "undeclared.toml")
