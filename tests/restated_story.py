"""A story's enrollments, papers and payers in the restatement of the rules.

Owns what stops every line, and what a payer or a rural clinic makes of a line. Does not own days
(``restated_supply``) nor minutes (``restated_minutes``).
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

from billing.ledger.case_facts import CaseFacts

DAY = timedelta(days=1)
CODES_OF_2026 = date(2026, 1, 1)
PHE = (date(2020, 3, 1), date(2023, 5, 11))
RTM = ("98975", "98976", "98977", "98978", "98979", "98980", "98981", "98984", "98985", "98986")
UNITED = ("MA_UNITEDHEALTHCARE", "COM_UNITEDHEALTHCARE", "MCD_UNITEDHEALTHCARE")
RECHECKED = ("MCD_CA", "MCD_NC", "COM_CIGNA", "COM_ANTHEM", "COM_AETNA")


@dataclass(frozen=True)
class Line:
    """A code that leaves."""

    code: str
    units: int
    day: date


@dataclass
class Result:
    """Lines and edits while they are found."""

    lines: list[Line] = field(default_factory=list)
    edits: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Stay:
    """One enrollment: which days belong to it, and what is on file for it."""

    setup_on: date
    consent_on: date | None
    begins_on: date
    last_day: date | None
    new_order: bool = False

    @property
    def counts_from(self) -> date:
        """The later of set-up and consent; set-up alone where no consent is on file (display)."""
        return max(self.setup_on, self.consent_on or self.setup_on)

    def is_over(self, day: date) -> bool:
        """Whether the enrollment ended before this day; the end day belongs to it."""
        return self.last_day is not None and day > self.last_day


def stays_of(case: CaseFacts) -> list[Stay]:
    """One enrollment, or two: the second has its own consent from its first day."""
    first = Stay(case.setup_on, case.consent_on, date.min, case.episode_end)
    if case.reenrolled_on is None:
        return [first]
    again = case.reenrolled_on
    return [first, Stay(again if case.reorder else case.setup_on, again, again, None, case.reorder)]


def stay_on(stays: list[Stay], day: date) -> Stay:
    """The enrollment that a day is put to."""
    return [stay for stay in stays if stay.begins_on <= day][-1]


def stops(case: CaseFacts, stay: Stay, day: date) -> set[str]:
    """Why nothing may leave for a period with this day of service (P0 step 1, payer keys)."""
    found = {
        "E_NO_CONSENT": stay.consent_on is None,
        "E_NO_ORDER": not case.ordered,
        "E_NOT_ESTABLISHED": not case.established and not _is_waived(case, day),
        "E_PAYER_NOT_COVERED": case.payer == "MCD_FL"
        # R-RHC-01 names no edit of its own
        or (_is_clinic(case) and day < date(2024, 1, 1)),
        "E_PAYER_DIFFERENT_CODES": case.payer == "MCD_TX" and case.setting == "OFFICE",
        "E_PAYER_PA_REQUIRED": case.payer == "COM_BCBS_MS" and not case.authorized,
    }
    return {edit for edit, applies in found.items() if applies}


def _is_waived(case: CaseFacts, day: date) -> bool:
    """R-PHE-02; a rule of Medicare and of payers as Medicare, so not of New York."""
    return PHE[0] <= day <= PHE[1] and case.payer != "MCD_NY"


def _is_clinic(case: CaseFacts) -> bool:
    """Whether the rules for rural clinics apply; New York's one rule stands in for all others."""
    return case.setting != "OFFICE" and case.payer != "MCD_NY"


def adopts_2026(case: CaseFacts) -> bool:
    """R-PAY-06."""
    return case.payer != "COM_GENERIC_PRE2026_CODESET"


def make_clinic_lines(case: CaseFacts, result: Result) -> None:
    """RHC and FQHC: G0511 in 2024, the codes themselves later (R-RHC-02 to R-RHC-04)."""
    if not _is_clinic(case):
        return
    lines = []
    for line in result.lines:
        if line.day >= date(2025, 1, 1):
            lines.append(line)
            result.edits.add("I_RHC_NATIONAL_NONFAC_RATE")
            continue
        result.edits.add("I_RHC_BUNDLED")
        # one unit for 16 days, one for 20 minutes: set-up and add-on are inside
        if line.code in ("99454", "99457"):
            lines.append(Line("G0511", 1, line.day))
    result.lines = lines


def tell_payer_remarks(case: CaseFacts, result: Result) -> None:
    """Warnings that go with what leaves (R-PAY-01, R-PAY-07 to R-PAY-10, R-PAY-12)."""
    if case.payer in UNITED and any(line.day >= CODES_OF_2026 for line in result.lines):
        result.edits.add("W_PAYER_POLICY_PENDING")
    if case.payer in RECHECKED and result.lines:
        result.edits.add("W_PAYER_RULE_RECHECK")
