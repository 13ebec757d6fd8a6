"""A practice in a test: patients with papers, readings and minutes, recorded as facts.

Writes rows through ``recording`` as the actions do, in the fewest words a ledger test needs.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.engine import Engine
from sqlmodel import Session, col

from rpm.access import PERMISSIONS, Actor
from rpm.ids import uuid7
from rpm.store import device_days
from rpm.store.chain import recording
from rpm.store.engine import reading, transaction
from rpm.store.scope import Scope
from rpm.store.tables.base import Row
from rpm.store.tables.ledger import InteractionEntry, OtherService
from rpm.store.tables.monitoring import (
    Consent,
    ConsentEnd,
    Episode,
    EpisodeGate,
    Reading,
    ReadingExclusion,
)
from rpm.store.tables.people import (
    Coverage,
    CoverageEnd,
    Organization,
    Patient,
    Payer,
    PracticeSetting,
    User,
)

OPENED = date(2025, 11, 1)
NOON_SECOND = 12 * 3600


class Practice:
    """One organization's records, each call one audited action at ``now``."""

    def __init__(self, engine: Engine, actor: Actor, now: datetime) -> None:
        self.engine = engine
        self.actor = actor
        self.now = now
        self._payers: dict[str, UUID] = {}

    @classmethod
    def opened(cls, engine: Engine, now: datetime) -> "Practice":
        """Another organization, with one administrator."""
        organization_id, user_id = uuid4(), uuid4()
        actor = Actor(organization_id, user_id, None, "practice_admin", PERMISSIONS, "Bo Admin")
        practice = cls(engine, actor, now)
        practice.record(
            Organization(
                id=organization_id,
                name="Another Practice",
                timezone="America/New_York",
                npi="1245319599",
                created_at=now,
            ),
            User(
                id=user_id,
                name="Bo Admin",
                email="bo@example.org",
                role="practice_admin",
                created_at=now,
            ),
        )
        return practice

    def record(self, *rows: Row) -> None:
        """Record facts as one action and keep the projection of device days."""
        with transaction(self.engine) as db:
            with recording(db, self.actor, self.now, "test.record") as record:
                record.add_all(rows)
            self._refresh(db, rows)

    def _refresh(self, db: Session, rows: Iterable[Row]) -> None:
        days = {
            (row.episode_id, row.local_day)
            for row in rows
            if isinstance(row, Reading) and row.episode_id and row.local_day
        }
        device_days.refresh(db, self.actor.organization_id, days)

    def new_id(self) -> UUID:
        """An id as the service makes them."""
        return uuid7(self.now)

    def payer(self, key: str) -> UUID:
        """The payer of a rule book key, recorded at first use."""
        if key not in self._payers:
            self._payers[key] = self.new_id()
            self.record(Payer(id=self._payers[key], key=key, name=key))
        return self._payers[key]

    def patient(self, payer: str = "MEDICARE_B", **values: Any) -> UUID:
        """A patient with a coverage that never ends."""
        patient_id, payer_id = self.new_id(), self.payer(payer)
        row: dict[str, Any] = {
            "record_number": f"0{patient_id.hex[-8:]}",
            "family_name": "Example",
            "given_name": "Pat",
            "birth_date": date(1950, 5, 17),
            "sex": "female",
            "timezone": "America/New_York",
        }
        self.record(
            Patient(id=patient_id, **(row | values)),
            Coverage(
                patient_id=patient_id,
                payer_id=payer_id,
                member_id="0012345",
                from_day=date(2020, 1, 1),
            ),
        )
        return patient_id

    def episode(self, patient_id: UUID, *, consent: bool = True, **values: Any) -> UUID:
        """An episode with order, set-up and (unless said otherwise) consent on the opening day."""
        episode_id = self.new_id()
        row: dict[str, Any] = {
            "program": "RPM",
            "setting": "OFFICE",
            "pos": 11,
            "opened_day": OPENED,
            "setup_day": values.get("opened_day", OPENED),
            "order_day": values.get("opened_day", OPENED),
            "ordering_npi": "1234567893",
            "diagnosis_codes": ["I10"],
        }
        rows: list[Row] = [Episode(id=episode_id, patient_id=patient_id, **(row | values))]
        if consent:
            rows.append(
                Consent(
                    episode_id=episode_id,
                    consent_day=values.get("opened_day", OPENED),
                    mode="written",
                    taken_by="Ada Admin",
                    cost_share_told=True,
                )
            )
        rows.append(
            EpisodeGate(episode_id=episode_id, gate="established", from_day=date(2024, 1, 1))
        )
        self.record(*rows)
        return episode_id

    def consent(self, episode_id: UUID, day: date) -> None:
        """Another consent of an episode, by word of mouth."""
        self.record(
            Consent(
                episode_id=episode_id,
                consent_day=day,
                mode="verbal",
                taken_by="Ada Admin",
                cost_share_told=True,
            )
        )

    def consent_ends(self, episode_id: UUID, last_day: date) -> list[Row]:
        """Ends of all consents of an episode, not recorded."""
        with reading(self.engine) as db:
            rows = Scope.of(self.actor).all_of(db, Consent, col(Consent.episode_id) == episode_id)
        return [ConsentEnd(consent_id=row.id, last_day=last_day, reason="moved") for row in rows]

    def enrolled(self, **values: Any) -> tuple[UUID, UUID]:
        """A patient with an episode: their ids."""
        patient_id = self.patient()
        return patient_id, self.episode(patient_id, **values)

    def reading(self, patient_id: UUID, episode_id: UUID, day: date, **values: Any) -> Reading:
        """A blood-pressure reading that counts, received the day it was taken; not recorded."""
        at = datetime.combine(day, time(13), UTC)
        row: dict[str, Any] = {
            "id": self.new_id(),
            "identity_key": uuid4().hex,
            "vendor": "generic",
            "vendor_device_id": "bp-1",
            "episode_id": episode_id,
            "patient_id": patient_id,
            "kind": "bp",
            "measure": "blood_pressure",
            "components": [
                {
                    "loinc": "8480-6",
                    "value": "128",
                    "ucum": "mm[Hg]",
                    "comparator": "",
                    "original_value": "128",
                    "original_unit": "mm[Hg]",
                }
            ],
            "measured_at": at,
            "vendor_time": at.isoformat(),
            "local_day": day,
            "zone": "America/New_York",
            "zone_origin": "patient",
            "time_quality": "good",
            "received_at": at,
            "received_day": day,
            "entry_method": "automatic",
            "status": "final",
            "countable": True,
            "flags": [],
            "content_hash": uuid4().hex,
        }
        return Reading(**(row | values))

    def readings(
        self, patient_id: UUID, episode_id: UUID, days: Iterable[date], **values: Any
    ) -> list[Reading]:
        """One reading on each day, recorded."""
        rows = [self.reading(patient_id, episode_id, day, **values) for day in days]
        self.record(*rows)
        return rows

    def exclude(self, reading: Reading) -> None:
        """Take a reading out of the count."""
        with transaction(self.engine) as db:
            with recording(db, self.actor, self.now, "test.exclude") as record:
                record.add(ReadingExclusion(reading_id=reading.id, reason="worn by a relative"))
            assert reading.episode_id is not None
            assert reading.local_day is not None
            device_days.refresh(
                db, self.actor.organization_id, [(reading.episode_id, reading.local_day)]
            )

    def entry(
        self, patient_id: UUID, episode_id: UUID | None, day: date, seconds: int, **values: Any
    ) -> InteractionEntry:
        """Live clinical work for the episode, recorded."""
        row: dict[str, Any] = {
            "id": self.new_id(),
            "client_id": uuid4(),
            "patient_id": patient_id,
            "episode_id": episode_id,
            "actor_user_id": self.actor.user_id,
            "actor_name": "Ada Admin",
            "role": "rn",
            "work": "RPM",
            "mode": "live",
            "local_day": day,
            "start_second": NOON_SECOND,
            "duration_seconds": seconds,
            "zone": "America/New_York",
            "activity": "call",
            "origin": "typed",
        }
        entry = InteractionEntry(**(row | values))
        self.record(entry)
        return entry

    def reverse(self, entry: InteractionEntry) -> InteractionEntry:
        """The reversal of an entry, recorded."""
        kept = {
            name: getattr(entry, name)
            for name in (
                "patient_id",
                "episode_id",
                "actor_user_id",
                "actor_name",
                "role",
                "work",
                "mode",
                "local_day",
                "start_second",
                "zone",
                "activity",
            )
        }
        row = InteractionEntry(
            id=self.new_id(),
            client_id=uuid4(),
            duration_seconds=-entry.duration_seconds,
            origin="reversal",
            reverses_id=entry.id,
            reason="wrong patient",
            **kept,
        )
        self.record(row)
        return row

    def service(self, patient_id: UUID, code: str, day: date, **values: Any) -> OtherService:
        """Another service of the patient, recorded."""
        row = OtherService(
            id=self.new_id(), patient_id=patient_id, code=code, service_day=day, **values
        )
        self.record(row)
        return row

    def coverage_ends(self, patient_id: UUID, last_day: date) -> list[Row]:
        """Ends of all coverages of a patient, not recorded."""
        with reading(self.engine) as db:
            rows = Scope.of(self.actor).all_of(db, Coverage, col(Coverage.patient_id) == patient_id)
        return [CoverageEnd(coverage_id=row.id, last_day=last_day, reason="moved") for row in rows]

    def setting(self, key: str, value: Any) -> None:
        """A choice of the practice."""
        self.record(PracticeSetting(key=key, value=value, reason="decided"))


def days(first: date, count: int) -> list[date]:
    """Consecutive days."""
    return [first + timedelta(days=step) for step in range(count)]
