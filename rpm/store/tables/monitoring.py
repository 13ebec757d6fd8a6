"""Monitoring: episodes with their papers, devices, deliveries and readings.

Owns their tables. Does not own what a delivery means (``devices``) nor which day counts
(``billing.ledger``). ``DeviceDay`` is a projection of readings and may be rebuilt from them.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from rpm.store.tables.base import Fact, JsonValue, Row, TenantRow, UtcDateTime, fact_table, refers


class Episode(Fact, table=True):
    """Care of a patient under one program, with the order for it."""

    __table_args__ = fact_table(
        refers("patient_id", "patient"),
        refers("previous_id", "episode"),
        refers("setup_by_user_id", "user_account"),
        Index(None, "organization_id", "patient_id"),
    )

    patient_id: UUID
    program: str  # billing.ledger.facts.PROGRAMS
    setting: str  # billing.ledger.facts.SETTINGS
    pos: int  # place of service of the billing practitioner
    profile: str | None = None  # overrides the practice's
    opened_day: date
    setup_day: date | None = None
    setup_by_user_id: UUID | None = None
    setup_note: str | None = None
    setup_billed: bool = False  # the set-up code already left, elsewhere or before
    previous_id: UUID | None = None
    reorder: bool = False  # new order and new set-up
    order_day: date | None = None
    ordering_npi: str | None = None
    order_device_kind: str | None = None
    order_reason: str | None = None
    diagnosis_codes: list[str] = Field(sa_type=JsonValue)


class EpisodeEnd(Fact, table=True):
    """The end of an episode; the latest counts, and without a day it is open again."""

    __table_args__ = fact_table(
        refers("episode_id", "episode"), Index(None, "organization_id", "episode_id")
    )

    episode_id: UUID
    last_day: date | None = None
    end_reason: str  # billing.ledger.facts.END_REASONS


class EpisodeSetup(Fact, table=True):
    """Set-up and teaching done after enrollment; the latest counts."""

    __table_args__ = fact_table(
        refers("episode_id", "episode"),
        refers("device_id", "device"),
        Index(None, "organization_id", "episode_id"),
    )

    episode_id: UUID
    setup_day: date
    trained_by: str
    device_id: UUID | None = None
    note: str | None = None


class Consent(Fact, table=True):
    """Consent of a patient to an episode's service."""

    __table_args__ = fact_table(
        refers("episode_id", "episode"), Index(None, "organization_id", "episode_id")
    )

    episode_id: UUID
    consent_day: date
    mode: str  # verbal, written, electronic
    taken_by: str
    cost_share_told: bool
    note: str | None = None


class ConsentEnd(Fact, table=True):
    """Consent withdrawn, or recorded in error; the latest counts."""

    __table_args__ = fact_table(
        refers("consent_id", "consent"), Index(None, "organization_id", "consent_id")
    )

    consent_id: UUID
    last_day: date
    reason: str


class EpisodeGate(Fact, table=True):
    """What holds of an episode during some days: established, prior-auth, covid, global-period."""

    __table_args__ = fact_table(
        refers("episode_id", "episode"), Index(None, "organization_id", "episode_id")
    )

    episode_id: UUID
    gate: str
    from_day: date
    to_day: date | None = None  # inclusive
    reference: str | None = None


class Device(Fact, table=True):
    """A device of a vendor."""

    __table_args__ = fact_table(UniqueConstraint("organization_id", "vendor", "vendor_device_id"))

    vendor: str
    vendor_device_id: str
    kind: str  # billing.ledger.facts.KINDS
    make: str | None = None
    model: str | None = None
    serial: str | None = None
    fda_listed: bool
    automatic: bool  # sends by itself


class DeviceAssociation(Fact, table=True):
    """A device with a patient in an episode, from an instant on."""

    __table_args__ = fact_table(
        refers("device_id", "device"),
        refers("episode_id", "episode"),
        refers("patient_id", "patient"),
        Index(None, "organization_id", "device_id"),
        Index(None, "organization_id", "episode_id"),
    )

    device_id: UUID
    episode_id: UUID
    patient_id: UUID
    from_at: datetime = Field(sa_type=UtcDateTime)


class AssociationEnd(Fact, table=True):
    """The end of a device association; the latest counts."""

    __table_args__ = fact_table(
        refers("association_id", "device_association"),
        Index(None, "organization_id", "association_id"),
    )

    association_id: UUID
    to_at: datetime = Field(sa_type=UtcDateTime)
    reason: str


class DeviceCondition(Fact, table=True):
    """A device was lost, broke, or works again; the latest counts. Without one it works."""

    __table_args__ = fact_table(
        refers("device_id", "device"), Index(None, "organization_id", "device_id")
    )

    device_id: UUID
    condition: str  # working, lost, broken
    at: datetime = Field(sa_type=UtcDateTime)  # since when
    reason: str


class Connection(TenantRow, table=True):
    """A vendor's door to one organization; mutable in its secrets and its end."""

    __table_args__ = (UniqueConstraint("token_hash"),)

    vendor: str
    name: str
    token_hash: str  # SHA-256 of the address token, hex
    secret_encrypted: bytes  # rpm.fields over JSON: [{"secret", "until" (ISO UTC) or null}]
    settings: dict[str, Any] = Field(sa_type=JsonValue)
    created_at: datetime = Field(sa_type=UtcDateTime)
    retired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Delivery(Fact, table=True):
    """An authentic body as it came; what could not be read waits as a dead letter."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "connection_id", "fingerprint"),
        refers("connection_id", "connection"),
        Index(None, "organization_id", "connection_id", "received_at"),
    )

    connection_id: UUID
    vendor: str
    message_id: str | None = None
    fingerprint: str  # SHA-256 of what makes it the same delivery, hex
    received_at: datetime = Field(sa_type=UtcDateTime)
    headers: dict[str, Any] = Field(sa_type=JsonValue)  # listed ones only
    body: bytes
    state: str  # read, dead_letter; a later DeliveryReplay overrides it
    problem: str | None = None
    results: list[dict[str, Any]] = Field(sa_type=JsonValue)  # the answer given, item by item


class DeliveryReplay(Fact, table=True):
    """A dead letter read again; the latest counts."""

    __table_args__ = fact_table(
        refers("delivery_id", "delivery"), Index(None, "organization_id", "delivery_id")
    )

    delivery_id: UUID
    state: str  # read, dead_letter
    problem: str | None = None
    results: list[dict[str, Any]] = Field(sa_type=JsonValue)


class RejectedItem(Fact, table=True):
    """An item of a delivery or a file that could not be read as a reading; the raw body has it."""

    __table_args__ = fact_table(
        refers("delivery_id", "delivery"),
        refers("import_id", "import_run"),
    )

    delivery_id: UUID | None = None
    import_id: UUID | None = None
    place: str  # such as readings[3]
    reason: str  # devices.reading.RejectedReading
    message: str
    vendor_reading_id: str | None = None


class Reading(Fact, table=True):
    """One measurement as understood when it came, whether it counts or not.

    A correction, a deletion by the sender, a device assigned later and a release are new versions
    under the same identity. A reading holds unless another one supersedes it.
    """

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "identity_key", "version"),
        refers("delivery_id", "delivery"),
        refers("import_id", "import_run"),
        refers("connection_id", "connection"),
        refers("device_id", "device"),
        refers("association_id", "device_association"),
        refers("episode_id", "episode"),
        refers("patient_id", "patient"),
        refers("supersedes_id", "reading"),
        Index(None, "organization_id", "episode_id", "local_day"),
        Index(None, "organization_id", "vendor", "vendor_device_id"),
        Index(None, "organization_id", "supersedes_id"),
        Index(None, "organization_id", "replaces_key"),
    )

    delivery_id: UUID | None = None
    import_id: UUID | None = None
    connection_id: UUID | None = None
    vendor_reading_id: str | None = None
    identity_key: str  # what makes it the same reading
    version: int = 1  # counts up under one identity
    replaces_key: str | None = None  # identity of another reading that this one replaces
    vendor: str
    vendor_device_id: str
    patient_ref: str | None = None  # as sent; means nothing to us
    device_id: UUID | None = None
    association_id: UUID | None = None
    episode_id: UUID | None = None
    patient_id: UUID | None = None
    kind: str  # billing.ledger.facts.KINDS
    measure: str  # devices.kinds.KINDS, finer than kind
    # each: loinc, value (text), ucum, comparator, original_value, original_unit
    components: list[dict[str, Any]] = Field(sa_type=JsonValue)
    measured_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    vendor_time: str
    local_day: date | None = None  # the patient's day, fixed when recorded
    zone: str | None = None
    zone_origin: str | None = None
    time_quality: str
    received_at: datetime = Field(sa_type=UtcDateTime)  # when its day first reached us
    received_day: date  # the practice's day
    entry_method: str
    status: str  # final, corrected, void
    supersedes_id: UUID | None = None
    countable: bool
    refused_reason: str = ""  # billing.ledger.facts.REFUSED
    reason_code: str = ""  # devices.counting.REASONS, finer than refused_reason
    flags: list[str] = Field(sa_type=JsonValue)
    content_hash: str


class ReadingExclusion(Fact, table=True):
    """A reading taken out of the count, or such an exclusion lifted."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "lifts_id"),
        refers("reading_id", "reading"),
        refers("lifts_id", "reading_exclusion"),
        Index(None, "organization_id", "reading_id"),
    )

    reading_id: UUID
    reason: str
    lifts_id: UUID | None = None


class ReadingConflict(Fact, table=True):
    """The same reading sent again with other content; the first stands until a person decides."""

    __table_args__ = fact_table(
        UniqueConstraint("organization_id", "reading_id", "content_hash"),
        refers("reading_id", "reading"),
        refers("delivery_id", "delivery"),
        refers("import_id", "import_run"),
    )

    reading_id: UUID
    delivery_id: UUID | None = None
    import_id: UUID | None = None
    content_hash: str
    content: dict[str, Any] = Field(sa_type=JsonValue)


class DeviceDay(Row, table=True):
    """How many readings of a kind an episode has on a local day; a projection, rebuilt at will."""

    __table_args__ = (refers("episode_id", "episode"),)

    organization_id: UUID = Field(primary_key=True, foreign_key="organization.id")
    episode_id: UUID = Field(primary_key=True)
    day: int = Field(primary_key=True)  # day number (billing.days)
    kind: str = Field(primary_key=True)
    refused_reason: str = Field(default="", primary_key=True)  # empty: qualifying readings
    qualifying_count: int = 0
    refused_count: int = 0
    first_received_day: int  # day number
