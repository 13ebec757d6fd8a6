"""Laws of coding that hold for any visit."""

from dataclasses import replace
from datetime import date

from coded_visits import RULES, any_lines, any_visit, coded
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.coding.check import check
from billing.coding.code_visit import code_visit
from billing.coding.coded import BLOCK, CLEAN, FIX, STATUSES, CodedVisit
from billing.coding.encounter import CLINICS, PAYERS, Encounter
from billing.coding.lines import Line, read_line
from billing.finding import Severity

TRIES = 40
_LEAST_MINUTES = 5
LEVEL_PAYERS = [payer for payer in PAYERS if payer not in CLINICS]
LEVELED = {
    "service": "visit",
    "code_chosen": None,
    "modality": "AV",
    "provider_type": "MD",
    "rendered_by": "practitioner",
    "minutes_therapy": None,
}


def _leveled(done: CodedVisit) -> list[tuple[str | None, str | None]]:
    """Patient and level of the proposed visit, where its family has levels."""
    known = [RULES.codes[line.code] for line in done.submitted if line.code in RULES.codes]
    return [(one.patient, one.mdm) for one in known if one.mdm is not None]


@settings(max_examples=TRIES, deadline=None)
@given(any_visit(**LEVELED), st.sampled_from(LEVEL_PAYERS), st.sampled_from(LEVEL_PAYERS))
def test_another_payer_never_changes_the_level(visit: Encounter, payer: str, other: str) -> None:
    """A video visit has the same level under any two payers that take leveled visits.

    From five minutes on: below them the codes of telemedicine report nothing (section 3.2).
    """
    if visit.total_minutes is not None:
        visit = replace(visit, total_minutes=max(visit.total_minutes, _LEAST_MINUTES))
    assert _leveled(coded(replace(visit, payer=payer))) == _leveled(
        coded(replace(visit, payer=other))
    )


@settings(max_examples=TRIES, deadline=None)
@given(
    any_visit(service="visit", code_chosen=None, mdm=None, modality="AV", provider_type="NP"),
    st.integers(0, 130),
    st.integers(0, 60),
)
def test_a_longer_visit_never_lowers_a_level_by_time(
    visit: Encounter, minutes: int, longer: int
) -> None:
    """More minutes give the same level or a higher one, and never fewer prolonged units."""
    levels = ["SF", "LOW", "MOD", "HIGH"]
    short = coded(replace(visit, total_minutes=minutes))
    long = coded(replace(visit, total_minutes=minutes + longer))
    ranks = [
        max((levels.index(mdm) for _, mdm in _leveled(one) if mdm), default=-1)
        for one in (short, long)
    ]
    units = [sum(line.units for line in one.submitted) for one in (short, long)]
    assert ranks[0] <= ranks[1]
    assert units[0] <= units[1]


@settings(max_examples=TRIES, deadline=None)
@given(any_visit())
def test_nothing_proposed_lies_outside_its_days(visit: Encounter) -> None:
    """Codes, places and modifiers of proposed and of leaving lines exist on the day of service."""
    done = coded(visit)
    for line in (*done.submitted, *done.lines):
        assert RULES.codes[line.code].on(visit.dos), line.text
        marks = (*line.modifiers, *((line.place,) if line.place else ()))
        assert all(RULES.mark_exists(mark, visit.dos) for mark in marks), line.text


@settings(max_examples=TRIES, deadline=None)
@given(any_visit())
def test_a_proposed_line_passes_its_edits_or_carries_the_finding(visit: Encounter) -> None:
    """What leaves, judged once more as it is, fires no ERROR that was not told."""
    done = coded(visit)
    visit = replace(visit, level_basis=done.basis or visit.level_basis)
    again = check(visit, CodedVisit(done.lines, done.submitted), RULES, visit.known_day)
    errors = {one.code for one in again if one.severity is Severity.ERROR}
    assert errors <= {one.code for one in done.findings}


@settings(max_examples=TRIES, deadline=None)
@given(any_visit(), any_lines())
def test_submitted_lines_come_to_rest(visit: Encounter, lines: tuple[Line, ...]) -> None:
    """Any lines of any visit settle: what came out fires no ERROR that was not told."""
    done = code_visit(visit, RULES, visit.known_day, submitted=lines)
    assert done.status in STATUSES
    if done.status in (CLEAN, FIX):
        assert done.lines
        assert (done.lines == done.submitted) == (done.status == CLEAN)
    if not done.lines:
        assert done.status == BLOCK
    assert all(read_line(line.text) == line for line in done.lines)
    again = check(visit, CodedVisit(done.lines, done.submitted), RULES, visit.known_day)
    errors = {one.code for one in again if one.severity is Severity.ERROR}
    assert errors <= {one.code for one in done.findings}


@settings(max_examples=TRIES, deadline=None)
@given(any_visit(), st.dates(date(2020, 1, 1), date(2029, 12, 31)))
def test_one_visit_has_one_answer_on_one_known_day(visit: Encounter, known: date) -> None:
    """The same facts under the same known day give the same lines, findings and status."""
    assert coded(visit, known=known) == coded(visit, known=known)
