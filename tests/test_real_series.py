"""Real series of real devices: the days that their files are known to hold, from file to ledger.

A practice of two imported files, episodes and readings, is evaluated through the store.
"""

from datetime import date
from pathlib import Path

import pytest
from file_series import NOW, Series
from importing import Importer
from sqlalchemy.engine import Engine

from rpm.access import Actor

FILES = Path(__file__).parent / "files"
LIBRE_SERIAL = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def series(engine: Engine, actor: Actor, tmp_path: Path) -> Series:
    """A new practice with a folder for its files."""
    return Series(Importer(engine, actor, NOW, tmp_path))


def test_the_welltory_series_gives_its_known_days(series: Series) -> None:
    """333 pressures of one user are 4, 5, 26, 27, 30 and 16 days; none is left waiting."""
    first_day = date(2020, 1, 3)
    series.opened(first_day, "welltory", "CUFF-1", "bp")
    file = FILES / "devices" / "welltory" / "blood_pressure.csv"
    profile = str(FILES / "profiles" / "welltory.toml")
    options = {"user": "a1c2e6b2eb", "patient": "P-1", "device": "CUFF-1"}
    done = series.importer.file(file, profile, **options)
    assert (done.new, done.rejected, dict(done.remarks)) == (333, 0, {})
    assert series.days(first_day) == [4, 5, 26, 27, 30, 16]
    again = series.importer.file(file, profile, **options)
    assert (again.new, again.known) == (0, 333)
    assert series.days(first_day) == [4, 5, 26, 27, 30, 16]


def test_the_libreview_series_counts_where_the_practice_says_so(series: Series) -> None:
    """5,210 sensor values are 28, 11 and 9 days with the setting that counts them, else none."""
    first_day = date(2020, 6, 2)
    series.opened(first_day, "libreview", LIBRE_SERIAL, "cgm")
    file = FILES / "devices" / "cgm-exports" / "libreview_us_48days.csv"
    done = series.importer.file(file, "libreview", patient="P-1")
    assert done.new + done.known == 5210
    assert done.rejected == 0
    assert series.days(first_day) == []
    series.count_cgm_days()
    assert series.days(first_day) == [28, 11, 9]


def test_typed_weights_do_not_count(series: Series) -> None:
    """30 manual weights of a Fitbit user are kept, and are 0 days."""
    first_day = date(2016, 4, 12)
    series.opened(first_day, "fitbit", "SCALE-1", "scale")
    file = FILES / "devices" / "fitbit" / "weightLogInfo_merged.csv"
    options = {"user": "6962181067", "patient": "P-1", "device": "SCALE-1"}
    done = series.importer.file(file, "fitbit-weight", **options)
    assert (done.new, dict(done.remarks)) == (30, {"manual_entry": 30})
    assert series.days(first_day) == []
