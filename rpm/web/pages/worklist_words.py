"""The worklist in words: what a ladder has, what would be billed today, what is still needed.

Owns the wording of a row. Does not own any number or rule: all of it stands in the readiness rows
(``rpm.store.queries.worklist``) and in the texts of findings.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from billing.rules.references import FindingText, finding_text
from rpm.store.queries.worklist import WorklistPatient
from rpm.store.standing import is_left_to_do
from rpm.store.tables.ledger import ReadinessRow

STANDING_WORDS = {
    "to_do": ("to do", "info"),
    "held": ("held", "bad"),
    "ready": ("ready", "good"),
    "out_of_reach": ("out of reach", "plain"),
}
"""Word and tone of each standing."""
CHOICE_WORDS = {
    "all": "Everybody",
    "call": "Call to make",
    "no_contact": "No live contact yet",
    "readings": "Readings missing",
    "held": "Held",
    "ready": "Ready",
    "out_of_reach": "Out of reach",
}
SORT_WORDS = {"next": "Nearest to done first", "name": "By name", "due": "Next reading due first"}
_SECONDS_OF_MINUTE = 60
_REVIEW = "review"


@dataclass(frozen=True)
class Meter:
    """How far one ladder is: a bar with its words."""

    label: str
    measured: int
    target: int
    unit: str  # days or min
    tone: str  # good, info, warn, bad

    @property
    def words(self) -> str:
        """``18 of 20 min``; over the top, the amount alone."""
        if self.measured >= self.target:
            return f"{self.measured} {self.unit}"
        return f"{self.measured} of {self.target} {self.unit}"


@dataclass(frozen=True)
class WorklistLine:
    """A patient as the list shows them."""

    patient_id: UUID
    name: str
    record_number: str
    standing: str
    tone: str
    supply: Sequence[Meter]
    time: Sequence[Meter]
    live: str  # yes, not yet, or empty where no month needs one
    today: Sequence[str]
    needed: Sequence[str]
    lost: Sequence[str]
    findings: Sequence[FindingText]
    due_day: date | None


def worklist_line(found: WorklistPatient) -> WorklistLine:
    """The row of a patient."""
    word, tone = STANDING_WORDS[found.row.standing]
    shown = [row for row in found.ladders if not _is_untouched_review(row)]
    codes = dict.fromkeys(code for row in shown for code in row.findings)
    return WorklistLine(
        patient_id=found.row.patient_id,
        name=f"{found.family_name}, {found.given_name}",
        record_number=found.record_number,
        standing=word,
        tone=tone,
        supply=[meter_of(row) for row in shown if row.role == "supply"],
        time=[meter_of(row) for row in shown if row.role != "supply"],
        live=_live(shown, lacks=found.row.lacks_live),
        today=[today_words(row) for row in shown if row.earned_code],
        needed=[words for row in shown for words in needed_words(row)] or _without_rules(found),
        lost=[lost_words(row) for row in shown if is_lost(row)],
        findings=[finding_text(code) for code in codes],
        due_day=found.row.due_day,
    )


def meter_of(row: ReadinessRow) -> Meter:
    """The bar of a ladder, against what the next code needs."""
    if row.role == "supply":
        measured, target, unit = row.measured, row.next_at_least, "days"
    else:
        measured = row.measured // _SECONDS_OF_MINUTE
        target, unit = -(-row.next_at_least // _SECONDS_OF_MINUTE), "min"
    return Meter(row.ladder, measured, target or measured, unit, _tone(row))


def today_words(row: ReadinessRow) -> str:
    """What the measure earns today, and whether it could leave."""
    codes = row.earned_code
    if row.further_units:
        codes = f"{codes}, {row.further_code} × {row.further_units}"
    if row.findings:
        return f"{codes} (held)"
    return f"{codes} (needs a live contact)" if row.needs_live else codes


def needed_words(row: ReadinessRow) -> Iterator[str]:
    """What is still needed and can be had."""
    if row.next_code and row.reachable and not row.at_top:
        yield f"{amount_words(row)} more for {row.next_code}"
    if row.needs_live:
        yield "a live contact this month"


def lost_words(row: ReadinessRow) -> str:
    """What cannot be reached any more."""
    return f"{row.next_code}: {amount_words(row)} missing, and too little time left"


def is_lost(row: ReadinessRow) -> bool:
    """Whether the next step cannot be reached any more."""
    return bool(row.next_code) and not row.reachable and not row.at_top


def amount_words(row: ReadinessRow) -> str:
    """What is still needed, with its unit; minutes are rounded up."""
    if row.role == "supply":
        return f"{row.still_needed} day{'' if row.still_needed == 1 else 's'}"
    return f"{-(-row.still_needed // _SECONDS_OF_MINUTE)} min"


def _tone(row: ReadinessRow) -> str:
    if row.state == "held":
        return "bad"
    if is_left_to_do(row):
        return "info"
    return "good" if row.earned_code else "warn"


def _without_rules(found: WorklistPatient) -> list[str]:
    """Why a patient in care has no ladder at all."""
    if found.ladders:
        return []
    if found.row.payer_key:
        return ["no rule page of the payer is in force today, so nothing is computed"]
    return ["a coverage: none is on file today, so no rule can be chosen"]


def _live(rows: Sequence[ReadinessRow], *, lacks: bool) -> str:
    if lacks:
        return "not yet"
    return "yes" if any(row.role == "management" and row.measured for row in rows) else ""


def _is_untouched_review(row: ReadinessRow) -> bool:
    """A practitioner's review that nobody began: nothing to tell."""
    return row.role == _REVIEW and not row.measured
