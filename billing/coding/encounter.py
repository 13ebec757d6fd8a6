"""Encounter: what the coder must know of one visit, with the defaults the case files give.

Owns the facts, their words and their defaults (reference of telehealth rules, section 14.1; a dot
in a name there is an underscore here). Does not own reading them out of text
(``encounter_text``), nor anything that a rule decides. None means that the fact was not told:
what is assumed then stands in the field's comment or in the property of a like name.
"""

from dataclasses import dataclass
from datetime import date, timedelta

PAYERS = (
    "MCR",
    "MCR_RHC",
    "MCR_FQHC",
    "HUMANA_MA",
    "BCBSNC_MA",
    "AETNA_MA",
    "UHC_COM",
    "AETNA_COM",
    "CIGNA_COM",
    "ANTHEM_COM",
    "BCBSM",
    "BCBSNC_COM",
    "HORIZON",
    "MCD_CA",
    "MCD_FL",
    "MCD_IL",
    "MCD_NC",
    "MCD_TX",
    "MCD_NY",
)
CLINICS = ("MCR_RHC", "MCR_FQHC")
PROVIDER_TYPES = (
    *("MD", "NP", "PA", "CP", "CSW", "LPC", "MFT", "MHC"),
    *("PT", "OT", "SLP", "AUD", "RD", "RHC", "FQHC"),
)
EM_TYPES = ("MD", "NP", "PA", "RHC", "FQHC")
"""Who may bill evaluation and management; the others have codes of their own (section 4.5)."""
BEHAVIORAL_TYPES = ("CP", "CSW", "MFT", "MHC")
THERAPIST_TYPES = ("PT", "OT", "SLP")
PROVIDER_SITES = ("OFFICE", "HOSPITAL", "HOME")
PATIENT_LOCATIONS = ("HOME", "FACILITY", "NONFACILITY", "ABROAD", "NONE")
MODALITIES = ("AV", "AUDIO", "ASYNC", "IN_PERSON", "NONE")
PATIENT_STATUSES = ("NEW", "EST")
LEVEL_BASES = ("MDM", "TIME")
MDM_LEVELS = ("SF", "LOW", "MOD", "HIGH")
"""From the lowest to the highest."""
SERVICES = ("visit", "check_in", "image_review", "e_visit", "therapy", "econsult")
FACILITIES = (
    *("own_office", "physician_office", "urgent_care", "hospital_clinic", "hospital_inpatient"),
    *("cah", "rhc", "fqhc", "nursing_facility", "school", "other"),
)
CONDITIONS = ("mental_health", "sud", "acute_stroke", "esrd", "covid_test", "other")
CONSENT_POINTS = ("in_person", "voluntary", "transport", "limits", "interpreter", "audio_only")
E_VISIT_DAYS = 7
"""Length of the window of a portal thread, its first day counted."""
NEW_AFTER_YEARS = 3
"""A patient not seen by the group and specialty for three years is new (TH-CODE-17)."""
FIRST_DAY = date(2020, 1, 1)
"""The rules were read for service days from here on."""


@dataclass(frozen=True, slots=True)
class RelatedVisit:
    """A visit before, on or after the day of service, and whether for the same problem."""

    day: date
    related: bool


@dataclass(frozen=True, slots=True)
class Licence:
    """A state licence; ``expired_on`` is None while it is active."""

    state: str
    expired_on: date | None = None


@dataclass(frozen=True, slots=True)
class CompactRow:
    """Membership through a compact; ``home_state`` is empty where it was not told."""

    compact: str
    home_state: str = ""


@dataclass(frozen=True, slots=True)
class PriorClaim:
    """The same lines sent before: when, the kind of answer, and its codes."""

    day: date
    answer: str  # accepted, paid, returned, denied
    carc: str = ""
    rarc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encounter:
    """One visit or other service on one day: documented facts, no codes but a chosen one."""

    payer: str
    state: str  # where the patient was, USPS; empty: not told, or abroad
    dos: date
    submit_date: date | None = None
    provider_type: str
    provider_site: str
    patient_location: str
    modality: str
    patient_status: str | None = None
    level_basis: str | None = None
    mdm: str | None = None
    total_minutes: int | None = None
    discussion_minutes: int | None = None

    service: str | None = None  # None: a visit, or what the submitted code says
    code_chosen: str | None = None
    rendered_by: str = "practitioner"
    payer_code_listed: bool = True
    longitudinal_care: bool = True

    minutes_therapy: int | None = None  # minutes: None means the submitted code is supported
    minutes_e_visit: tuple[int, ...] | None = None
    minutes_e_visit_staff: tuple[int, ...] = ()
    minutes_econsult: int | None = None
    minutes_ccm_staff: int | None = None
    minutes_ccm_practitioner: int | None = None
    minutes_rpm: int | None = None
    minutes_rpm_practitioner_on_dos: int = 0
    minutes_shared: tuple[tuple[str, int], ...] = ()  # (rpm, ccm, e_visit or therapy; minutes)
    minutes_documented: bool = True
    live_contact: bool = True

    patient_initiated: bool = True
    portal_first_review: date | None = None  # see e_visit_first_day
    image_reply_business_hours: int | None = None  # None: within 24
    econsult_report: str = "spoken_and_written"

    prior_em: tuple[RelatedVisit, ...] = ()
    following_em: tuple[RelatedVisit, ...] = ()
    last_group_visit: date | None = None  # None: as patient_status says
    last_group_visit_none: bool = False  # told that there was none
    first_telehealth: bool = False
    in_person_visit: date | None = None  # None: the rule that asks for one is met
    in_person_visit_none: bool = False  # told that there was none
    in_person_exception: str | None = None  # recorded, colleague
    separate_work: bool = False

    facility: str | None = None  # see facility_kind
    rural: bool = False
    nonfacility_place: str | None = None
    country: str = "US"
    patient_location_documented: bool = True
    clinician_location_documented: bool = True
    practice_pos: str = "11"
    mac: str | None = None
    originating_site: str = "other"
    claim_type: str | None = None  # see claim_form
    federal_demo: bool = False
    switch_medicare_95_required: bool = False

    consent: str = "documented"
    consent_points: tuple[str, ...] | None = None  # None: all that the payer asks for
    consent_time: str = "before"
    video_capable: str = "Y"
    audio_reason: str = "documented"
    modality_documented: tuple[str, ...] | None = None  # None: the modality
    modality_switch_explained: bool = True
    age: int | None = None  # None: adult
    guardian_consent: str = "documented"
    participants: str = "documented"
    assessment: str = "documented"
    supervision: str = "in_person"
    condition: tuple[str, ...] | None = None  # None: mental_health for behavioral codes, else other
    dx: tuple[str, ...] | None = None  # None: a fitting diagnosis
    controlled_rx: str | None = None

    licence: tuple[Licence, ...] | None = None  # see authority_told
    compact: tuple[CompactRow, ...] = ()
    compact_members: tuple[tuple[str, tuple[str, ...]], ...] = ()  # compact, its states
    enrolled: tuple[str, ...] | None = None  # None: in the patient's state
    eligibility: str = "active"
    auth: str = "not_required"
    participating: bool = True
    prior_claim: tuple[PriorClaim, ...] = ()
    frequency_code: str = "1"
    patient_paid: bool = False

    def __post_init__(self) -> None:
        """Refuse a service day for which no rule was read: ValueError."""
        if self.dos < FIRST_DAY:
            raise ValueError("the rules of coding were read for service days from 2020-01-01 on")

    @property
    def known_day(self) -> date:
        """The day whose knowledge judges: the day of submission, or five days after the visit."""
        return self.submit_date or self.dos + timedelta(days=5)

    @property
    def facility_kind(self) -> str:
        """The kind of facility the patient was in; the practice's own for a visit in person."""
        return self.facility or ("own_office" if self.modality == "IN_PERSON" else "other")

    @property
    def claim_form(self) -> str:
        """837I for a rural health clinic or health center, else 837P, unless told otherwise."""
        return self.claim_type or ("837I" if self.payer in CLINICS else "837P")

    @property
    def e_visit_first_day(self) -> date:
        """First day of the portal thread's window; without a told review the last such day."""
        return self.portal_first_review or self.dos - timedelta(days=E_VISIT_DAYS - 1)

    @property
    def spoken_minutes(self) -> int | None:
        """Minutes of medical discussion; the total where only that was told."""
        return self.total_minutes if self.discussion_minutes is None else self.discussion_minutes

    @property
    def group_saw_lately(self) -> bool:
        """Whether the group and specialty saw the patient in the three years before.

        Without a told visit an established patient was seen, a new one was not.
        """
        if self.last_group_visit_none:
            return False
        last = self.last_group_visit
        if last is None:
            return self.patient_status == "EST"
        later = last.year + NEW_AFTER_YEARS, last.month, last.day
        return (self.dos.year, self.dos.month, self.dos.day) < later

    @property
    def e_visit_minutes(self) -> int | None:
        """The practitioners' minutes on the thread added up; None when they were not told."""
        return None if self.minutes_e_visit is None else sum(self.minutes_e_visit)

    @property
    def authority_told(self) -> bool:
        """Whether licences or compacts are listed: then they are all the authority there is."""
        return self.licence is not None or bool(self.compact)

    @property
    def is_minor(self) -> bool:
        """Whether the patient is under 18 on the day of service."""
        return self.age is not None and self.age < 18

    @property
    def live(self) -> bool:
        """Whether the encounter was held live at a distance, by video or by phone."""
        return self.modality in ("AV", "AUDIO")

    @property
    def bills_em(self) -> bool:
        """Whether the professional may bill evaluation and management."""
        return self.provider_type in EM_TYPES

    @property
    def is_medicare(self) -> bool:
        """Whether Medicare fee-for-service pays, clinics included."""
        return self.payer == "MCR" or self.payer in CLINICS

    @property
    def is_medicare_advantage(self) -> bool:
        """Whether a Medicare Advantage plan pays."""
        return self.payer.endswith("_MA")

    @property
    def is_medicaid(self) -> bool:
        """Whether the Medicaid program of a state pays."""
        return self.payer.startswith("MCD_")

    def shared_minutes(self, service: str) -> int:
        """Minutes counted in the visit and again in ``rpm``, ``ccm``, ``e_visit``, ``therapy``."""
        return sum(minutes for name, minutes in self.minutes_shared if name == service)
