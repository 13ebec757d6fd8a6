"""Rows as the actions take them: one frozen record per kind of file.

Owns the shapes; field names follow the store's columns. Every record carries the line it came from.
A ``record_number`` is the practice's own id of a patient. Days are dates, durations whole seconds.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from devices.reading import Reading


@dataclass(frozen=True)
class PatientRow:
    """A patient to register; ``sex`` is F, M or U, ``timezone`` an IANA name or none."""

    line: int
    record_number: str
    family_name: str
    given_name: str
    birth_date: date
    sex: str
    timezone: str | None


@dataclass(frozen=True)
class CoverageRow:
    """Who pays for a patient between two days; ``payer`` is a payer key of the rule book."""

    line: int
    record_number: str
    payer: str
    payer_name: str | None
    member_id: str
    from_day: date
    to_day: date | None


@dataclass(frozen=True)
class EpisodeRow:
    """An episode with what is known at enrollment: order, consent, set-up, device, end."""

    line: int
    record_number: str
    program: str
    setting: str
    pos: int
    profile: str | None
    opened_day: date
    setup_day: date | None
    setup_note: str | None
    setup_billed: bool
    reorder: bool
    order_day: date | None
    ordering_npi: str | None
    order_device_kind: str | None
    order_reason: str | None
    diagnosis_codes: tuple[str, ...]
    consent_day: date | None
    consent_mode: str | None
    consent_taken_by: str | None
    cost_share_told: bool
    established_from_day: date | None
    prior_auth_from_day: date | None
    prior_auth_to_day: date | None
    prior_auth_reference: str | None
    device_vendor: str | None
    device_id: str | None
    device_kind: str | None
    device_listed: bool
    device_automatic: bool
    last_day: date | None
    end_reason: str | None


@dataclass(frozen=True)
class EntryRow:
    """Logged work. ``client_id`` is the same whenever the same row is read again.

    ``actor`` is the e-mail address or name of who worked. ``start_second`` counts from midnight of
    ``local_day`` in ``zone``; it and ``started_at`` are none where the file gives only a length. An
    entry can run past midnight: whoever stores it splits it.
    """

    line: int
    client_id: UUID
    entry_id: str | None
    record_number: str
    actor: str
    role: str
    work: str
    mode: str
    local_day: date
    start_second: int | None
    duration_seconds: int
    zone: str
    started_at: datetime | None
    activity: str
    note: str | None


@dataclass(frozen=True)
class ServiceRow:
    """A service billed beside ours; ``own``: by this practice, else by another."""

    line: int
    record_number: str
    code: str
    service_day: date
    own: bool
    practitioner_npi: str | None
    note: str | None


@dataclass(frozen=True)
class ReadingRow:
    """A reading, with the zone that turned its wall time into an instant (or would have)."""

    line: int
    reading: Reading
    zone: str


Row = PatientRow | CoverageRow | EpisodeRow | EntryRow | ServiceRow | ReadingRow
