"""Readings of an event's window: which make their day count, and why the others do not.

Owns the reasons and the union of days. Does not own where windows stand (``periods``).
"""

from collections.abc import Iterable
from datetime import date

from billing.evidence.facts import day_number, day_of
from billing.evidence.pack import Row
from billing.evidence.papers import Papers


class Readings:
    """The readings of an episode that hold, judged as when an event was computed."""

    def __init__(self, papers: Papers, episode: Row, event: Row) -> None:
        self._papers, self._episode = papers, episode
        self._also_counts = event["also_counts"]
        self._as_of = day_of(event["as_of"])
        self._counts_cgm = bool(papers.setting("count_cgm_days", usual=False))
        first = event["period"]["first_counted_day"]
        self._not_before = day_of(first) if event["period"]["shifted"] else date.min
        rows = papers.rows("reading", "episode_id", episode["id"])
        self._rows = [
            row
            for row in sorted(rows, key=lambda one: (one.get("local_day", ""), one["id"]))
            if "local_day" in row and not papers.rows("reading", "supersedes_id", row["id"])
        ]

    def listed(self, first: date, last: date) -> list[Row]:
        """Each reading between two days, with whether it counts and if not, why."""
        return [
            {"id": row["id"], "day": row["local_day"], "counts": not reason, "reason": reason}
            for row in self._between(first, last)
            for reason in [self._reason(row)]
        ]

    def counted_days(self) -> list[date]:
        """All days of the episode that the pack shows and that count."""
        return sorted({day_of(row["local_day"]) for row in self._rows if not self._reason(row)})

    def digested(self, first: date, last: date) -> list[list[object]]:
        """Readings counted by day, kind and refusal word, as evidence digests have them."""
        groups: dict[tuple[str, str, str], list[str]] = {}
        for row in self._between(first, last):
            key = (row["local_day"], row["kind"], self._word(row))
            groups.setdefault(key, []).append(row["received_day"])
        return [
            [
                day_number(day_of(day)),
                kind,
                shown := self._shown(kind, word),
                0 if shown else len(received),
                len(received) if shown else 0,
                day_number(day_of(min(received))),
            ]
            for (day, kind, word), received in groups.items()
        ]

    def _between(self, first: date, last: date) -> list[Row]:
        return [row for row in self._rows if first <= day_of(row["local_day"]) <= last]

    def _word(self, row: Row) -> str:
        """Why a reading is refused; an exclusion holds for every version of it."""
        versions = self._papers.rows("reading", "identity_key", row["identity_key"])
        for version in versions:
            for one in self._papers.rows("reading_exclusion", "reading_id", version["id"]):
                lifts = self._papers.rows("reading_exclusion", "lifts_id", one["id"])
                if "lifts_id" not in one and not lifts:
                    return "excluded"
        return "" if row["countable"] else str(row["refused_reason"])

    def _shown(self, kind: str, word: str) -> str:
        """The word after the practice's choice on days of continuous glucose monitors."""
        return "other" if kind == "cgm" and not word and not self._counts_cgm else word

    def _reason(self, row: Row) -> str:
        word, day = self._shown(row["kind"], self._word(row)), day_of(row["local_day"])
        if word and word not in self._also_counts:
            return word
        setup = self._papers.setup(self._episode) or self._episode["opened_day"]
        for reason, holds in (
            ("after_as_of", day > self._as_of),
            ("before_setup", day < day_of(setup)),
            ("no_consent", not self._papers.consented(self._episode, day)),
            ("after_end", day > self._papers.closed(self._episode)[0]),
            ("earlier_window", day < self._not_before),
        ):
            if holds:
                return reason
        return ""


def days_of(readings: Iterable[Row]) -> Row:
    """The days that count, and those left out with every reason."""
    listed = list(readings)
    counted = {one["day"] for one in listed if one["counts"]}
    left_out: dict[str, set[str]] = {}
    for one in listed:
        if one["day"] not in counted:
            left_out.setdefault(one["day"], set()).add(one["reason"])
    return {
        "counted": sorted(counted),
        "left_out": [
            {"day": day, "reasons": sorted(reasons)} for day, reasons in sorted(left_out.items())
        ],
    }
