"""What the simulator knows to be true: everything that was acknowledged, in plain lists.

Owns what an answer must be and the story that the plain restatement is told. Shares nothing with
the product but the shape of that story; days and seconds are reckoned here once more.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from restatement import Restated, restate
from sim_practice import PRACTICE_ZONE, Chart, Kit, Office, Staff
from sim_vendors import WORDS, Packet, Said, Values, joined, parts_text

from billing.ledger.case_facts import CaseFacts, DeviceUse, TimeEntry
from billing.rules.profile import Profile

HOUR_SECONDS = 3600


@dataclass
class KeptReading:
    """A reading under one id: what was said of it, and what holds."""

    chart: Chart
    kit: Kit
    said: list[str]
    status: str
    day: date
    received_day: date
    automatic: bool
    suspect: bool
    parts: Values
    conflicts: set[tuple[int, str]] = field(default_factory=set)  # with the version, and said
    reading_id: UUID | None = None
    excluded: bool = False

    @property
    def is_void(self) -> bool:
        """Whether its sender took it back."""
        return self.status == "deleted"


@dataclass
class KeptEntry:
    """A stored piece of work, on one local day."""

    entry_id: UUID
    chart: Chart
    staff: Staff
    work: str
    mode: str
    day: date
    start_second: int | None
    seconds: int
    reversed: bool = False


@dataclass(frozen=True)
class Ending:
    """The end of an episode."""

    last_day: date
    reason: str


@dataclass
class Model:
    """All that was acknowledged."""

    office: Office
    readings: dict[str, KeptReading] = field(default_factory=dict)
    deliveries: dict[tuple[str | None, bytes], list[tuple[str | None, str]]] = field(
        default_factory=dict
    )
    entries: list[KeptEntry] = field(default_factory=list)
    ends: dict[UUID, Ending] = field(default_factory=dict)  # by episode

    def __post_init__(self) -> None:
        charts = self.office.charts
        self.owners = {kit.device: (chart, kit) for chart in charts for kit in chart.kits}

    def take(self, one: Packet, received_at: datetime) -> list[tuple[str | None, str]]:
        """A delivery was acknowledged; key of the reading and status for each item answered."""
        known = self.deliveries.get((one.message_id, one.body))
        if known is None:
            items = WORDS[one.vendor].read(json.loads(one.body))
            known = [self._take(item, received_at) for item in items]
            self.deliveries[one.message_id, one.body] = known
        return known

    def _take(self, said: Said | None, received_at: datetime) -> tuple[str | None, str]:
        if said is None:
            return None, "ignored"
        return said.key, self._status(said, received_at)

    def _status(self, said: Said, received_at: datetime) -> str:
        chart, kit = self.owners[said.device]
        last = self.readings.get(said.key)
        if last is None:
            last = self.readings[said.key] = _judged(said, received_at, chart, kit)
            return "ignored" if last.is_void else "quarantined" if last.suspect else "accepted"
        if said.text in last.said or (said.status == "deleted" and last.is_void):
            return "duplicate"
        whole = None if said.parts is None else joined(last.parts, said.parts)
        if said.status == "final" and whole is None:
            last.conflicts.add((len(last.said), said.text))
            return "quarantined"
        if whole is not None:
            if whole == last.parts:
                return "duplicate"
            said = replace(said, parts=whole, text=parts_text(whole))
        new = _judged(said, received_at, chart, kit)
        if new.day == last.day:
            new.received_day = last.received_day
        last.said.append(said.text)
        last.parts = new.parts
        last.status, last.day, last.received_day = new.status, new.day, new.received_day
        last.automatic, last.suspect = new.automatic, new.suspect
        return "quarantined" if new.suspect and not new.is_void else "corrected"

    def expected(self, as_of: date) -> dict[UUID, Restated]:
        """What the rules say of each patient."""
        seconds = self._seconds_kept()
        return {
            chart.patient_id: restate(self._story(chart, as_of, seconds))
            for chart in self.office.charts
        }

    def _story(
        self, chart: Chart, as_of: date, kept: list[tuple[KeptEntry, list[tuple[int, int]]]]
    ) -> CaseFacts:
        end = self.ends.get(chart.episode_id)
        opened = self.office.opened_day
        return CaseFacts(
            payer="MEDICARE_B",
            setting="OFFICE",
            profile=Profile("P0"),
            setup_on=opened,
            setup_billed=False,
            consent_on=opened,
            established=True,
            ordered=True,
            authorized=False,
            covid=False,
            episode_end=end.last_day if end else None,
            end_reason=end.reason if end else "",
            reenrolled_on=None,
            reorder=False,
            as_of=as_of,
            uses=tuple(
                # what is known is known, whatever day it came: the close looks at all of it
                DeviceUse(
                    one.day, one.kit.ledger_kind, True, one.automatic, min(one.received_day, as_of)
                )
                for one in self.readings.values()
                if one.chart is chart and not (one.is_void or one.excluded or one.suspect)
            ),
            entries=tuple(
                TimeEntry(
                    entry.day,
                    entry.staff.name,
                    entry.staff.role,
                    entry.work,
                    entry.mode,
                    None if entry.start_second is None else start,
                    seconds,
                )
                for entry, parts in kept
                if entry.chart is chart
                for start, seconds in parts
            ),
        )

    def _seconds_kept(self) -> list[tuple[KeptEntry, list[tuple[int, int]]]]:
        """Standing entries with start and length of what stays with each.

        A second of one person's stays with the entry that was recorded first; one on another
        patient that was recorded later yields it.
        """
        taken: dict[tuple[UUID, date], list[tuple[Chart, int]]] = {}
        kept = []
        for entry in self.entries:
            if entry.reversed:
                continue
            if entry.start_second is None:
                kept.append((entry, [(0, entry.seconds)]))
                continue
            shift = _hours_twice(entry.day)
            start = entry.start_second - (shift if entry.start_second >= shift else 0)
            bits = ((1 << entry.seconds) - 1) << start
            others = taken.setdefault((entry.staff.user_id, entry.day), [])
            left = bits
            for chart, other in others:
                if chart is not entry.chart:
                    left &= ~other
            others.append((entry.chart, left))
            kept.append((entry, _spans(left)))
        return kept


def _spans(bits: int) -> list[tuple[int, int]]:
    """Start and length of each run of ones."""
    spans, at = [], 0
    while bits:
        zeros = (bits & -bits).bit_length() - 1
        bits >>= zeros
        ones = (~bits & (bits + 1)).bit_length() - 1
        spans.append((at + zeros, ones))
        bits >>= ones
        at += zeros + ones
    return spans


def _hours_twice(day: date) -> int:
    """Seconds that a day has more than 24 hours.

    The restatement knows days of 24 hours. Nobody here works between one and six in the morning,
    so on the day with 25 hours the seconds after are told an hour earlier.
    """
    length = _midnight(day + timedelta(days=1)) - _midnight(day)
    return max(0, int(length.total_seconds()) - 24 * HOUR_SECONDS)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(PRACTICE_ZONE)).astimezone(UTC)


def pieces(started_at: datetime, seconds: int) -> list[tuple[date, int, int]]:
    """Local day, second of the day and length of each piece of work in the practice's zone."""
    day = started_at.astimezone(ZoneInfo(PRACTICE_ZONE)).date()
    start = int((started_at - _midnight(day)).total_seconds())
    found = []
    while seconds:
        length = int((_midnight(day + timedelta(days=1)) - _midnight(day)).total_seconds())
        here = min(seconds, length - start)
        found.append((day, start, here))
        day, start, seconds = day + timedelta(days=1), 0, seconds - here
    return found


def _judged(said: Said, received_at: datetime, chart: Chart, kit: Kit) -> KeptReading:
    zone = said.zone or ZoneInfo(chart.zone)
    day = said.at.astimezone(zone).date()
    ahead = said.at - received_at
    is_ahead = ahead > timedelta(minutes=10)
    is_tomorrow = day > received_at.astimezone(zone).date()
    return KeptReading(
        chart=chart,
        kit=kit,
        said=[said.text],
        status=said.status,
        day=day,
        received_day=received_at.astimezone(ZoneInfo(PRACTICE_ZONE)).date(),
        automatic=said.automatic,
        suspect=said.automatic and (ahead > timedelta(hours=24) or (is_ahead and is_tomorrow)),
        parts=said.parts or {},
    )
