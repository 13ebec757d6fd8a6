"""The ledger's answer to why with ids, days and words in place of rows, numbers and codes.

Owns the way from ``billing.ledger.why_told`` to ``rpm.actions.why_answer``.
"""

from collections.abc import Sequence
from uuid import UUID

from billing.days import day_date
from billing.ledger.left_out import REASON_WORDS, LeftOut
from billing.ledger.more import Line, More, counts_days
from billing.ledger.why_told import WHY_NOT, LadderWhy, PeriodWhy, Rung, Said
from billing.rules.references import finding_text
from rpm.actions.why_answer import (
    BandTold,
    DayTried,
    EntryTried,
    FindingTold,
    LadderTold,
    LeftOutTold,
    LineTold,
    MoreTold,
    PeriodTold,
    ServiceTold,
)


class WithIds:
    """Tells the ledger's parts with the ids of their episodes."""

    def __init__(self, episode_ids: Sequence[UUID]) -> None:
        self._episode_ids = episode_ids

    def period(self, one: PeriodWhy) -> PeriodTold:
        """A period with its ladders."""
        return PeriodTold(
            kind=one.kind,
            program=one.program,
            episode_id=self._episode_ids[one.episode],
            start_day=None if one.start_day is None else day_date(one.start_day),
            end_day=None if one.end_day is None else day_date(one.end_day),
            state=one.state,
            service_day=None if one.service_day is None else day_date(one.service_day),
            payer_key=one.payer,
            rule_page_id="" if one.rules is None else one.rules.id,
            findings=[_finding(said) for said in one.findings],
            ladders=[self._ladder(told) for told in one.ladders],
        )

    def left_out(self, one: LeftOut) -> LeftOutTold:
        """What does not count, for one reason."""
        return LeftOutTold(
            what="readings" if one.what == "readings" else "entries",
            episode_id=self._episode_ids[one.episode],
            reason=one.reason,
            words=REASON_WORDS[one.reason],
            finding=one.finding,
            count=one.count,
            seconds=one.seconds,
            days=[day_date(day) for day in one.days],
        )

    def service(self, one: tuple[int, str, bool]) -> ServiceTold:
        """Another service."""
        return ServiceTold(service_day=day_date(one[0]), code=one[1], own=one[2])

    def line(self, one: Line) -> LineTold:
        """A line."""
        return LineTold(
            code=one.code,
            units=one.units,
            service_day=day_date(one.service_day),
            episode_id=self._episode_ids[one.episode],
        )

    def more(self, one: More) -> MoreTold:
        """A trial."""
        return MoreTold(
            unit="days" if one.unit == "days" else "seconds",
            amount=one.amount,
            days=[
                DayTried(
                    episode_id=self._episode_ids[new.episode],
                    day=day_date(new.day),
                    kind=new.kind,
                )
                for new in one.days
            ],
            entries=[
                EntryTried(
                    episode_id=self._episode_ids[new.episode],
                    day=day_date(new.day),
                    duration_seconds=new.seconds,
                    role=new.role,
                    work=new.work,
                    mode=new.mode,
                )
                for new in one.entries
            ],
            as_of=one.as_of,
            gained=[self.line(line) for line in one.gained],
            lost=[self.line(line) for line in one.lost],
            reachable=one.reachable,
        )

    def _ladder(self, one: LadderWhy) -> LadderTold:
        because = [finding_text(code).message for code in one.stops]
        if one.because:
            because.append(f"{WHY_NOT[one.because]}.".capitalize())
        return LadderTold(
            name=one.ladder.name,
            role=one.ladder.role.value,
            measure=one.ladder.measure.value,
            unit="days" if counts_days(one.ladder) else "seconds",
            amount=one.amount,
            logged_seconds=one.logged,
            bands=[_band(rung) for rung in one.rungs],
            billed=[self.line(line) for line in one.lines],
            not_billed_because=[] if one.lines else because,
            lacks_live=one.lacks_live,
            findings=[_finding(said) for said in one.findings],
            more=[self.more(trial) for trial in one.more],
        )


def amount_words(amount: int, unit: str) -> str:
    """``1 day``, ``16 days`` or ``18:20 minutes``."""
    if unit == "days":
        return f"{amount} day{'' if amount == 1 else 's'}"
    return f"{length(amount)} minutes"


def length(seconds: int) -> str:
    """Minutes and seconds, ``18:20``."""
    return f"{seconds // 60}:{seconds % 60:02d}"


def more_words(one: MoreTold) -> str:
    """``1 day more``, or ``7:00 minutes more of live contact``."""
    live = " of live contact" if any(entry.mode == "live" for entry in one.entries) else ""
    return f"{amount_words(one.amount, one.unit)} more{live}"


def reach_words(one: MoreTold) -> str:
    """Whether the time left is enough."""
    return "can still be reached" if one.reachable else "the time for it is over"


def lines_words(lines: Sequence[LineTold]) -> str:
    """Codes with their units and days of service."""
    return ", ".join(
        f"{one.code} {one.units} unit{'' if one.units == 1 else 's'} on {one.service_day}"
        for one in lines
    )


def _finding(one: Said) -> FindingTold:
    text = finding_text(one.code)
    return FindingTold(
        code=one.code,
        title=text.title,
        message=text.message,
        fix=text.fix,
        who=text.who,
        concerns=one.concerns,
        amount=one.amount,
    )


def _band(rung: Rung) -> BandTold:
    band = rung.band
    return BandTold(
        at_least=rung.at_least,
        at_most=band.at_most,
        codes=[
            line.code if line.every is None else f"{line.code} per {line.every}"
            for line in band.lines
        ],
        status=band.status,
        sources=list(band.source.ids),
        note=band.source.note,
    )
