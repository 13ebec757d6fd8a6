"""A series in a test: one patient of a practice whose readings come from files.

The practice imports patient, coverage and the episode with its device as the command line does;
the days of its windows are those that the store's facts give.
"""

from datetime import UTC, date, datetime, timedelta

from importing import Importer

from billing.days import day_number
from billing.ledger.evaluate import evaluate
from rpm.actions.set_practice_setting import SetPracticeSetting, set_practice_setting
from rpm.store.engine import reading, transaction
from rpm.store.facts import facts_of
from rpm.store.rule_books import book_of

NOW = datetime(2026, 1, 15, 15, 0, tzinfo=UTC)
PATIENTS = "record_number,family_name,given_name,birth_date,timezone"
COVERAGES = "record_number,payer,member_id,from_day"
EPISODES = (
    "record_number,program,opened_day,setup_day,order_day,ordering_npi,order_device_kind,"
    "diagnosis_codes,consent_day,consent_mode,consent_taken_by,device_vendor,device_id,"
    "device_kind,device_listed,device_automatic"
)


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
