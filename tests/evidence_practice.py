"""A practice whose closed months earn every kind of code, for tests of evidence packs.

Each patient stands for one kind of evidence; what the packs must show is told in the tests.
"""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from ledger_practice import Practice, days
from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.actions.close_month import CloseMonth, close_month
from rpm.store.engine import transaction
from rpm.store.tables.ledger import Close
from rpm.store.tables.monitoring import (
    Device,
    DeviceAssociation,
    EpisodeEnd,
    EpisodeSetup,
    ReadingExclusion,
)
from rpm.store.tables.people import Practitioner, User

JANUARY = date(2026, 1, 1)
FEBRUARY_CLOSE = datetime(2026, 2, 2, 15, tzinfo=UTC)
MARCH_CLOSE = datetime(2026, 3, 3, 15, tzinfo=UTC)


def told_practice(engine: Engine, actor: Actor, now: datetime) -> Practice:
    """The practice with patients for 99453, 99454, 99445, 99457, 99458, 99470, 99091 and RTM."""
    practice = Practice(engine, actor, now)
    practitioner = record_practitioner(practice)
    supply_long(practice)
    supply_short(practice)
    management(practice, practitioner)
    shared_minutes(practice)
    review(practice, practitioner)
    therapeutic(practice, practitioner)
    ended(practice)
    by_service_day(practice)
    at_threshold(practice)
    facility(practice)
    return practice


def record_practitioner(practice: Practice) -> UUID:
    """A user who is a practitioner of the practice: the id of the user."""
    practitioner_id, user_id = practice.new_id(), practice.new_id()
    practice.record(
        Practitioner(id=practitioner_id, name="Doc Example", npi="1245319599", credential="MD"),
        User(
            id=user_id,
            name="Doc Example",
            email="doc@example.org",
            role="practitioner",
            practitioner_id=practitioner_id,
            created_at=practice.now,
        ),
    )
    return user_id


def supply_long(practice: Practice) -> UUID:
    """Days that count, and days left out for every reason; readings around midnight."""
    patient_id, episode_id = practice.enrolled(opened_day=JANUARY, setup_day=None)
    device_id, association_id = practice.new_id(), practice.new_id()
    practice.record(
        EpisodeSetup(episode_id=episode_id, setup_day=date(2026, 1, 2), trained_by="Ada Admin"),
        Device(
            id=device_id,
            vendor="generic",
            vendor_device_id="bp-1",
            kind="bp",
            fda_listed=True,
            automatic=True,
        ),
        DeviceAssociation(
            id=association_id,
            device_id=device_id,
            episode_id=episode_id,
            patient_id=patient_id,
            from_at=datetime(2026, 1, 1, 12, tzinfo=UTC),
        ),
    )
    owned = {"device_id": device_id, "association_id": association_id}
    practice.readings(patient_id, episode_id, days(JANUARY, 15), **owned)
    late = datetime(2026, 1, 17, 4, 59, 59, tzinfo=UTC)  # a second before midnight in New York
    stated = datetime(2026, 1, 18, 1, 30, tzinfo=UTC)
    practice.record(
        practice.reading(patient_id, episode_id, date(2026, 1, 16), measured_at=late),
        practice.reading(
            patient_id,
            episode_id,
            date(2026, 1, 17),
            measured_at=stated,
            zone="-05:00",
            zone_origin="device",
        ),
    )
    refused = {"countable": False, "refused_reason": "manual_entry", "entry_method": "manual"}
    practice.readings(patient_id, episode_id, [date(2026, 1, 5), date(2026, 1, 20)], **refused)
    practice.readings(patient_id, episode_id, [date(2026, 1, 21)], kind="cgm")
    excluded = practice.readings(patient_id, episode_id, [date(2026, 1, 22)])[0]
    practice.exclude(excluded)
    corrected(practice, patient_id, episode_id)
    return patient_id


def corrected(practice: Practice, patient_id: UUID, episode_id: UUID) -> None:
    """A reading whose correction counts, and one whose exclusion was lifted."""
    first = practice.readings(patient_id, episode_id, [date(2026, 1, 23)])[0]
    version = {"version": 2, "supersedes_id": first.id, "status": "corrected"}
    identity = {"identity_key": first.identity_key}
    practice.readings(patient_id, episode_id, [date(2026, 1, 23)], **version, **identity)
    lifted = practice.readings(patient_id, episode_id, [date(2026, 1, 24)])[0]
    exclusion = ReadingExclusion(id=practice.new_id(), reading_id=lifted.id, reason="wrong arm")
    practice.record(exclusion)
    practice.record(
        ReadingExclusion(reading_id=lifted.id, lifts_id=exclusion.id, reason="right after all"),
        # what was recorded is counted anew with the reading's day
        practice.reading(patient_id, episode_id, date(2026, 1, 24)),
    )


def supply_short(practice: Practice) -> UUID:
    """Two to fifteen days, of two kinds of device."""
    patient_id, episode_id = practice.enrolled(opened_day=JANUARY)
    practice.readings(patient_id, episode_id, days(JANUARY, 5))
    practice.readings(patient_id, episode_id, days(date(2026, 1, 3), 2), kind="scale")
    return patient_id


def management(practice: Practice, practitioner: UUID) -> UUID:
    """Overlapping work, taken-back work, clerical work, a visit's day, another program."""
    patient_id, episode_id = practice.enrolled(opened_day=JANUARY)

    def work(day: int, seconds: int, **values: Any) -> Any:
        return practice.entry(patient_id, episode_id, date(2026, 1, day), seconds, **values)

    begun = datetime(2026, 1, 8, 15, 0, tzinfo=UTC)
    work(8, 1500, started_at=begun, start_second=10 * 3600, zone="America/New_York")
    work(8, 900, mode="async", start_second=10 * 3600 + 600, actor_user_id=None, actor_name="Bo")
    practice.reverse(work(9, 700))
    work(10, 800, role="admin")
    work(12, 1000, work="CCM")
    work(12, 900, start_second=12 * 3600 + 600)
    doctor = {"role": "qhp", "actor_user_id": practitioner, "actor_name": "Doc Example"}
    work(14, 600, **doctor)
    work(15, 600, **doctor)
    work(20, 500, start_second=None)
    practice.service(patient_id, "99213", date(2026, 1, 14), own=True, actor_user_id=practitioner)
    return patient_id


def shared_minutes(practice: Practice) -> UUID:
    """Ten to twenty minutes, some of them shared with the patient of another entry."""
    earlier, other_episode = practice.enrolled(opened_day=JANUARY)
    patient_id, episode_id = practice.enrolled(opened_day=JANUARY)
    practice.entry(earlier, other_episode, date(2026, 1, 8), 300, start_second=50_000)
    practice.entry(patient_id, episode_id, date(2026, 1, 8), 1000, start_second=49_900)
    practice.entry(earlier, other_episode, date(2026, 1, 9), 900, start_second=50_000)
    practice.entry(patient_id, None, date(2026, 1, 9), 300, start_second=50_100)
    return patient_id


def review(practice: Practice, practitioner: UUID) -> UUID:
    """A practitioner's review over a window; set-up left before, so nothing excludes it."""
    patient_id, episode_id = practice.enrolled(opened_day=JANUARY, setup_billed=True)
    practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 3))
    doctor = {"role": "qhp", "actor_user_id": practitioner, "actor_name": "Doc Example"}
    for day in (5, 9):
        practice.entry(
            patient_id, episode_id, date(2026, 1, day), 1200, work="99091", mode="async", **doctor
        )
    return patient_id


def therapeutic(practice: Practice, practitioner: UUID) -> UUID:
    """Self-reported days count here, and a practitioner's minutes."""
    patient_id = practice.patient()
    program = {"program": "RTM-MUSCULOSKELETAL", "opened_day": JANUARY}
    episode_id = practice.episode(patient_id, **program)
    refused = {"countable": False, "refused_reason": "manual_entry", "kind": "adherence"}
    practice.readings(patient_id, episode_id, days(JANUARY, 18), **refused)
    doctor = {"role": "qhp", "actor_user_id": practitioner, "actor_name": "Doc Example"}
    practice.entry(patient_id, episode_id, date(2026, 1, 7), 2500, work="RTM", **doctor)
    practice.entry(patient_id, episode_id, date(2026, 1, 8), 700, work="RTM", role="rn")
    return patient_id


def ended(practice: Practice) -> UUID:
    """An episode that ended by death inside its window and month."""
    patient_id, episode_id = practice.enrolled(opened_day=JANUARY)
    practice.readings(patient_id, episode_id, days(JANUARY, 17))
    practice.entry(patient_id, episode_id, date(2026, 1, 6), 1300)
    practice.record(
        EpisodeEnd(episode_id=episode_id, last_day=date(2026, 1, 19), end_reason="death")
    )
    practice.readings(patient_id, episode_id, [date(2026, 1, 20)])
    return patient_id


def by_service_day(practice: Practice) -> UUID:
    """Windows that follow the previous day of service."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2025, 12, 1), profile="NGS")
    practice.readings(patient_id, episode_id, days(date(2025, 12, 1), 50))
    return patient_id


def at_threshold(practice: Practice) -> UUID:
    """A supply line that is dated on its sixteenth day."""
    patient_id, episode_id = practice.enrolled(opened_day=JANUARY, profile="THRESHOLD")
    practice.readings(patient_id, episode_id, days(date(2026, 1, 10), 20))
    return patient_id


def facility(practice: Practice) -> UUID:
    """A practice's patient in a facility, of a payer whose page extends another."""
    patient_id = practice.patient("COM_AETNA")
    episode_id = practice.episode(patient_id, opened_day=JANUARY, pos=22)
    practice.readings(patient_id, episode_id, days(JANUARY, 16))
    return patient_id


def close(practice: Practice, month: str, now: datetime) -> Close:
    """The close of a month."""
    with transaction(practice.engine) as db:
        return close_month(db, practice.actor, now, CloseMonth(month=month)).close
