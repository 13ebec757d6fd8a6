"""Visits for tests: one in its ordinary case, and strategies of any."""

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from billing.coding.code_visit import code_visit
from billing.coding.coded import CodedVisit
from billing.coding.encounter import (
    CONDITIONS,
    FACILITIES,
    LEVEL_BASES,
    MDM_LEVELS,
    MODALITIES,
    PATIENT_LOCATIONS,
    PATIENT_STATUSES,
    PAYERS,
    PROVIDER_SITES,
    PROVIDER_TYPES,
    SERVICES,
    Encounter,
    RelatedVisit,
)
from billing.coding.lines import Line, lines_text, read_lines
from billing.coding.rules_read import shipped_coding_rules

RULES = shipped_coding_rules()
DAYS = st.dates(date(2020, 1, 1), date(2028, 12, 31))
MINUTES = st.none() | st.integers(0, 130)


def a_visit(**facts: Any) -> Encounter:
    """A video visit of an established Medicare patient at home, decision making moderate."""
    ordinary: dict[str, Any] = {
        "payer": "MCR",
        "state": "OH",
        "dos": date(2026, 3, 10),
        "provider_type": "MD",
        "provider_site": "OFFICE",
        "patient_location": "HOME",
        "modality": "AV",
        "patient_status": "EST",
        "level_basis": "MDM",
        "mdm": "MOD",
    }
    return Encounter(**{**ordinary, **facts})


def coded(visit: Encounter, submitted: str | None = None, known: date | None = None) -> CodedVisit:
    """The visit coded from its facts, or from submitted lines."""
    lines = None if submitted is None else read_lines(submitted)
    return code_visit(visit, RULES, known or visit.known_day, submitted=lines)


def text(visit: Encounter, submitted: str | None = None, known: date | None = None) -> str:
    """The lines of a coded visit as case files write them."""
    return lines_text(coded(visit, submitted, known).lines)


def edits(done: CodedVisit) -> set[str]:
    """Ids of the edits that fired."""
    return {one.code for one in done.findings}


@st.composite
def any_visit(draw: st.DrawFn, /, **fixed: Any) -> Encounter:
    """Any encounter that the vocabulary can tell."""
    dos = fixed.get("dos") or draw(DAYS)
    related = st.builds(
        RelatedVisit,
        st.integers(-20, 20).map(lambda days: dos + timedelta(days=days)),
        st.booleans(),
    )
    facts: dict[str, Any] = {
        "payer": draw(st.sampled_from(PAYERS)),
        "state": draw(st.sampled_from(("OH", "CA", "AK", "TX", ""))),
        "dos": dos,
        "submit_date": draw(st.none() | st.integers(0, 400).map(lambda n: dos + timedelta(days=n))),
        "provider_type": draw(st.sampled_from(PROVIDER_TYPES)),
        "provider_site": draw(st.sampled_from(PROVIDER_SITES)),
        "patient_location": draw(st.sampled_from(PATIENT_LOCATIONS)),
        "modality": draw(st.sampled_from(MODALITIES)),
        "patient_status": draw(st.none() | st.sampled_from(PATIENT_STATUSES)),
        "level_basis": draw(st.none() | st.sampled_from(LEVEL_BASES)),
        "mdm": draw(st.none() | st.sampled_from(MDM_LEVELS)),
        "total_minutes": draw(MINUTES),
        "discussion_minutes": draw(MINUTES),
        "service": draw(st.none() | st.sampled_from(SERVICES)),
        "code_chosen": draw(st.none() | st.sampled_from(sorted(RULES.codes))),
        "rendered_by": draw(st.sampled_from(("practitioner", "staff"))),
        "minutes_therapy": draw(MINUTES),
        "minutes_e_visit": draw(st.none() | st.lists(st.integers(0, 30), max_size=3).map(tuple)),
        "minutes_e_visit_staff": draw(st.lists(st.integers(0, 30), max_size=2).map(tuple)),
        "minutes_econsult": draw(MINUTES),
        "minutes_ccm_staff": draw(MINUTES),
        "minutes_ccm_practitioner": draw(MINUTES),
        "minutes_rpm": draw(MINUTES),
        "minutes_shared": draw(
            st.lists(
                st.tuples(
                    st.sampled_from(("rpm", "ccm", "e_visit", "therapy")), st.integers(0, 30)
                ),
                max_size=2,
            ).map(tuple)
        ),
        "prior_em": draw(st.lists(related, max_size=2).map(tuple)),
        "following_em": draw(st.lists(related, max_size=1).map(tuple)),
        "facility": draw(st.none() | st.sampled_from(FACILITIES)),
        "rural": draw(st.booleans()),
        "federal_demo": draw(st.booleans()),
        "consent": draw(st.sampled_from(("documented", "missing"))),
        "age": draw(st.none() | st.integers(0, 99)),
        "condition": draw(
            st.none() | st.lists(st.sampled_from(CONDITIONS), min_size=1, max_size=2).map(tuple)
        ),
    }
    return Encounter(**{**facts, **fixed})


@st.composite
def any_lines(draw: st.DrawFn, /) -> tuple[Line, ...]:
    """A few submitted lines of known codes, with any marks."""
    line = st.builds(
        Line,
        st.sampled_from((*sorted(RULES.codes), "20610", "99348", "G0439")),
        st.lists(
            st.sampled_from(("95", "93", "GT", "GQ", "G0", "FQ", "CS", "25", "KX")),
            max_size=2,
            unique=True,
        ).map(tuple),
        st.none() | st.sampled_from(("02", "10", "11", "12")),
        st.integers(1, 4),
    )
    return tuple(draw(st.lists(line, min_size=1, max_size=3)))
