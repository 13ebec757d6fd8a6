"""The eligibility answer (271): what a payer said of a person, as far as it said it.

Owns reading it, segment by segment: payers' files break the guide in many places, and models that
are strict lose the whole file for one odd segment. Nothing is guessed: a benefit that is not told,
or told twice with other amounts, is None. Telehealth is told only by a place of service (III) and
monitoring only by a procedure (EB13); what stands in free text is kept for a person to read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from billing.claims.x12.kind import ELIGIBILITY, interchanges, kind_of_set
from billing.claims.x12.segments import Segment
from billing.finding import Finding
from billing.money import text_to_cents

ACTIVE, INACTIVE, UNKNOWN, REFUSED = "active", "inactive", "unknown", "refused"
_ACTIVE = frozenset({"1", "2", "3", "4", "5"})
_INACTIVE = frozenset({"6", "7", "8"})
_COPAY, _COINSURANCE, _DEDUCTIBLE, _NOT_COVERED = "B", "A", "C", "I"
_WHOLE_PLAN, _VISIT = "30", "98"
_REMAINING = "29"
_TELEHEALTH_PLACES = frozenset({"02", "10"})
MONITORING = frozenset({"99091", "99445", "99453", "99454", "99457", "99458", "99470"})
_PERSON_LEVELS = frozenset({"22", "23"})


@dataclass(frozen=True)
class Benefit:
    """One EB with what belongs to it; codes as they came."""

    information: str  # EB01
    services: tuple[str, ...]  # EB03
    insurance: str  # EB04
    plan: str  # EB05
    period: str  # EB06
    amount: str  # EB07
    percent: str  # EB08
    network: str  # EB12: Y, N, W, U or not told
    procedure: str  # EB13
    places: tuple[str, ...] = ()  # III
    messages: tuple[str, ...] = ()  # MSG

    @property
    def in_network(self) -> bool:
        """Whether it holds in the plan's network, as far as it is told."""
        return self.network != "N"

    @property
    def is_about(self) -> bool:
        """Whether it says that something is covered, or what it costs."""
        return self.information in _ACTIVE or self.information in "ABCG"


@dataclass(frozen=True)
class Coverage271:
    """What was said of one person."""

    trace_number: str  # of the inquiry; empty where it did not come back
    member_id: str
    last_name: str
    standing: str
    plan_name: str | None = None
    copay_cents: int | None = None
    coinsurance_percent: str | None = None
    deductible_left_cents: int | None = None
    covers_telehealth: bool | None = None
    covers_monitoring: bool | None = None
    begins: date | None = None
    ends: date | None = None
    refusals: tuple[str, ...] = ()  # AAA03
    benefits: tuple[Benefit, ...] = ()


@dataclass(frozen=True)
class Answered:
    """A file's answers, and findings about it that hold no value of it."""

    people: tuple[Coverage271, ...]
    findings: tuple[Finding, ...] = ()


@dataclass
class _Level:
    """What stands under one HL."""

    code: str
    traces: list[str] = field(default_factory=list)
    name: Segment | None = None
    refusals: list[str] = field(default_factory=list)
    days: dict[str, tuple[date | None, date | None]] = field(default_factory=dict)
    benefits: list[Benefit] = field(default_factory=list)


def read_271(content: bytes) -> Answered:
    """Every answer of a file. Never raises for what can be sent."""
    people: list[Coverage271] = []
    findings: list[Finding] = []
    opened = interchanges(content)
    if not opened:
        findings.append(Finding("E_NOT_X12", "ISA", "The file is no X12."))
    for part in opened:
        repetition = part.segments[0].get(11) or "^"
        if part.ends_open or part.segments[-1].name != "IEA":
            findings.append(Finding("W_CUT_OFF", "IEA", "The file ends before its trailer."))
        for segments in _sets(part.segments):
            if kind_of_set(segments[0], part.segments) == ELIGIBILITY:
                people += _people(segments, repetition, findings)
    if opened and not people:
        findings.append(Finding("E_NO_ANSWER", "ST", "The file answers about nobody."))
    return Answered(tuple(people), tuple(findings))


def _sets(segments: Sequence[Segment]) -> Iterator[list[Segment]]:
    held: list[Segment] = []
    for one in segments:
        if one.name == "ST" and held:
            yield held
            held = []
        if one.name == "ST" or held:
            held.append(one)
        if one.name == "SE" and held:
            yield held
            held = []
    if held:
        yield held


def _people(
    segments: Sequence[Segment], repetition: str, findings: list[Finding]
) -> Iterator[Coverage271]:
    levels = list(_levels(segments, repetition))
    above: list[str] = []
    for place, level in enumerate(levels):
        if level.code not in _PERSON_LEVELS:
            above += level.refusals
            continue
        below = levels[place + 1 : place + 2]
        if level.code == "22" and below and below[0].code == "23" and not level.benefits:
            continue  # the dependent is who was asked about
        yield _person(level, _subscriber(levels, place), above)
    if above and not any(level.code in _PERSON_LEVELS for level in levels):
        yield Coverage271("", "", "", REFUSED, refusals=tuple(above))
    if not levels:
        findings.append(Finding("W_NO_LEVELS", "HL", "A set holds no levels."))


def _subscriber(levels: Sequence[_Level], place: int) -> Segment | None:
    """The subscriber's name above a dependent, else the person's own."""
    for level in reversed(levels[: place + 1]):
        if level.code == "22":
            return level.name
    return levels[place].name


def _levels(segments: Sequence[Segment], repetition: str) -> Iterator[_Level]:
    level: _Level | None = None
    for one in segments:
        if one.name == "HL":
            if level is not None:
                yield level
            level = _Level(one.get(3))
        elif level is not None:
            _take(level, one, repetition)
    if level is not None:
        yield level


def _take(level: _Level, one: Segment, repetition: str) -> None:
    """What a segment adds to its level."""
    if one.name == "TRN" and one.get(1) == "2":
        level.traces.append(one.get(2).strip())
    elif one.name == "NM1" and level.name is None:
        level.name = one
    elif one.name == "AAA":
        level.refusals.append(one.get(3))
    elif one.name == "DTP" and not level.benefits:
        level.days[one.get(1)] = _days(one)
    elif one.name == "EB":
        level.benefits.append(_benefit(one, repetition))
    elif one.name in ("III", "MSG") and level.benefits:
        level.benefits[-1] = _with(level.benefits[-1], one)


def _benefit(one: Segment, repetition: str) -> Benefit:
    return Benefit(
        information=one.get(1),
        services=tuple(code for code in one.get(3).split(repetition) if code),
        insurance=one.get(4),
        plan=one.get(5).strip(),
        period=one.get(6),
        amount=one.get(7),
        percent=one.get(8),
        network=one.get(12),
        procedure=one.part(13, 2),
    )


def _with(benefit: Benefit, one: Segment) -> Benefit:
    if one.name == "MSG":
        return replace(benefit, messages=(*benefit.messages, one.get(1)))
    if one.get(1) == "ZZ":
        return replace(benefit, places=(*benefit.places, one.get(2)))
    return benefit


def _days(one: Segment) -> tuple[date | None, date | None]:
    first, _, last = one.get(3).partition("-")
    return _day(first), _day(last) if last else None


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a day, no instant
    except ValueError:
        return None


def _person(level: _Level, subscriber: Segment | None, above: Sequence[str]) -> Coverage271:
    benefits = tuple(level.benefits)
    refusals = (*above, *level.refusals)
    begins, ends = _plan_days(level)
    return Coverage271(
        trace_number=level.traces[0] if level.traces else "",
        member_id=subscriber.get(9).strip() if subscriber is not None else "",
        last_name=level.name.get(3).strip() if level.name is not None else "",
        standing=_standing(benefits, refusals),
        plan_name=_plan(benefits),
        copay_cents=_cents(_about(benefits, _COPAY)),
        coinsurance_percent=_one({one.percent for one in _about(benefits, _COINSURANCE)} - {""}),
        deductible_left_cents=_cents(
            [one for one in _about(benefits, _DEDUCTIBLE) if one.period == _REMAINING]
        ),
        covers_telehealth=_covered(
            [one for one in benefits if _TELEHEALTH_PLACES & set(one.places)]
        ),
        covers_monitoring=_covered([one for one in benefits if one.procedure in MONITORING]),
        begins=begins,
        ends=ends,
        refusals=refusals,
        benefits=benefits,
    )


def _plan_days(level: _Level) -> tuple[date | None, date | None]:
    """First and last day of the plan (DTP 291, 346, 347), else of eligibility (307, 356, 357)."""
    for whole, first, last in (("291", "346", "347"), ("307", "356", "357")):
        begins, ends = level.days.get(whole, (None, None))
        begins = begins or level.days.get(first, (None, None))[0]
        ends = ends or level.days.get(last, (None, None))[0]
        if begins or ends:
            return begins, ends
    return None, None


def _standing(benefits: Sequence[Benefit], refusals: Sequence[str]) -> str:
    plan = [one for one in benefits if not one.services or _WHOLE_PLAN in one.services]
    active = any(one.information in _ACTIVE for one in plan)
    inactive = any(one.information in _INACTIVE for one in plan)
    if active != inactive:
        return ACTIVE if active else INACTIVE
    return REFUSED if refusals and not active else UNKNOWN


def _plan(benefits: Sequence[Benefit]) -> str | None:
    told = [one.plan for one in benefits if one.information in _ACTIVE and one.plan]
    return told[0] if told else None


def _about(benefits: Sequence[Benefit], information: str) -> list[Benefit]:
    """Benefits of a kind in the network: those about visits, else those about the plan."""
    fitting = [one for one in benefits if one.information == information and one.in_network]
    plain = [one for one in fitting if not one.procedure and not one.places]
    visits = [one for one in plain if _VISIT in one.services]
    return visits or [one for one in plain if not one.services or _WHOLE_PLAN in one.services]


def _cents(benefits: Sequence[Benefit]) -> int | None:
    """The one amount that all of them tell; None for none, or for several."""
    told = set()
    for one in benefits:
        try:
            told.add(text_to_cents(one.amount))
        except ValueError:
            continue
    return told.pop() if len(told) == 1 else None


def _one(told: set[str]) -> str | None:
    return told.pop() if len(told) == 1 else None


def _covered(benefits: Sequence[Benefit]) -> bool | None:
    """Whether something is covered; None where it is not told, or told both ways."""
    yes = any(one.is_about for one in benefits)
    no = any(one.information == _NOT_COVERED for one in benefits)
    return None if yes == no else yes
