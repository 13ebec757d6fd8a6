"""Real series of real devices: the days that their files are known to hold, from file to ledger.

A practice of two imported files, episodes and readings, is evaluated through the store.
"""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from importing import Importer
from sqlalchemy.engine import Engine

from billing.days import day_number
from billing.ledger.evaluate import evaluate
from rpm.access import Actor
from rpm.actions.set_practice_setting import SetPracticeSetting, set_practice_setting
from rpm.store.engine import reading, transaction
from rpm.store.facts import facts_of
from rpm.store.rule_books import book_of

FILES = Path(__file__).parent / "files"
NOW = datetime(2026, 1, 15, 15, 0, tzinfo=UTC)
PATIENTS = "record_number,family_name,given_name,birth_date,timezone"
COVERAGES = "record_number,payer,member_id,from_day"
EPISODES = (
    "record_number,program,opened_day,setup_day,order_day,ordering_npi,order_device_kind,"
    "diagnosis_codes,consent_day,consent_mode,consent_taken_by,device_vendor,device_id,"
    "device_kind,device_listed,device_automatic"
)
LIBRE_SERIAL = "00000000-0000-0000-0000-000000000000"


class Series:
    """One patient in Chicago whose set-up and consent are of the first day of a file."""

    def __init__(self, importer: Importer) -> None:
        self.importer = importer

    def opened(self, first_day: date, vendor: str, device_id: str, kind: str) -> None:
        """Import patient, coverage, and the episode with its device."""
        importer, day = self.importer, first_day.isoformat()
        assert importer.rows("patients", PATIENTS, "P-1,Ames,Ana,1941-02-03,America/Chicago")
        assert importer.rows("coverages", COVERAGES, "P-1,MEDICARE_B,1EG4TE5MK73,2015-01-01")
        row = (
            f"P-1,RPM,{day},{day},{day},1234567893,{kind},I10,{day},verbal,Nora Nurse,"
            f"{vendor},{device_id},{kind},yes,yes"
        )
        assert importer.rows("episodes", EPISODES, row) == (1, 0, 0)

    def count_cgm_days(self) -> None:
        """Let the practice count days of continuous glucose monitors."""
        command = SetPracticeSetting(key="count_cgm_days", value=True, reason="payer agreed")
        with transaction(self.importer.engine) as db:
            set_practice_setting(db, self.importer.actor, NOW, command)

    def days(self, first_day: date) -> list[int]:
        """Days with a counted reading in each device-supply window, from the first day on."""
        organization_id = self.importer.actor.organization_id
        with reading(self.importer.engine) as db:
            book = book_of(db, organization_id)
            loaded = facts_of(db, organization_id, book)
        periods = evaluate(loaded.facts, book, NOW.date(), NOW.date()).periods
        windows = periods[(periods["kind"] == "device-supply-30") & (periods["days"] > 0)]
        starts = [first_day + timedelta(days=30 * number) for number in range(len(windows))]
        assert windows["start_day"].tolist() == [day_number(day) for day in starts]
        counted: list[int] = windows["days"].tolist()
        return counted


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
