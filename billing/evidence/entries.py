"""Entries of an event's period: which work counts, why the rest does not, and the seconds.

Owns the reasons and the wall-clock sum: a second counts once, and one also logged for other work
that takes it stays there. Does not own what the seconds earn.
"""

from itertools import pairwise

from billing.evidence.facts import day_of, first_of
from billing.evidence.pack import Row
from billing.evidence.papers import Papers

_OTHER_PROGRAMS = ("CCM", "PCM", "TCM", "BHI", "APCM", "EM")
TAKERS = {
    "RPM": ("RTM", *_OTHER_PROGRAMS),
    "RTM": _OTHER_PROGRAMS,
    "99091": ("RPM", "RTM", *_OTHER_PROGRAMS),
}
"""Whose a minute is that was logged twice."""
Span = tuple[int, int]


class Entries:
    """A patient's entries in a period, judged as when an event was computed."""

    def __init__(self, papers: Papers, pack: Row, event: Row, ladder: Row, episode: Row) -> None:
        self._papers, self._pack, self._event, self._ladder = papers, pack, event, ladder
        self._episode = episode
        self._window = ladder["period"] == "device-supply-30"
        self._as_of = day_of(event["as_of"])
        self._episodes = papers.episodes(event["patient_id"])
        self._parts = {one["id"]: one for one in event["entries"]}
        first, last = (event["period"][name] for name in ("start_day", "end_day"))
        rows = papers.rows("interaction_entry", "patient_id", event["patient_id"])
        self.rows = sorted(
            (row for row in rows if first <= row["local_day"] <= last),
            key=lambda row: (row["local_day"], row["id"]),
        )

    def listed(self) -> list[Row]:
        """Each entry with the part of it that is this patient's, and whether it counts."""
        return [self._listed(row) for row in self.rows]

    def _listed(self, row: Row) -> Row:
        told = self._parts.get(row["id"], {})
        shared, parts = bool(told.get("shared")), told.get("parts", [])
        whole = [row.get("start_second", -1), row["duration_seconds"]]
        if not shared or not _inside(parts, whole):
            parts = [whole]
        reason = self._reason(row)
        return {
            "id": row["id"],
            "episode_id": self.episode_of(row)["id"] if parts else None,
            "shared": shared,
            "parts": parts,
            "counts": not reason and bool(parts),
            "reason": reason if parts else "yielded",
        }

    def episode_of(self, row: Row) -> Row:
        """The episode an entry belongs to; without one, that open on its day or nearest before."""
        if "episode_id" in row:
            return first_of(self._papers.rows("episode", "id", row["episode_id"]), "an episode")
        opened = [one for one in self._episodes if one["opened_day"] <= row["local_day"]]
        return opened[-1] if opened else self._episodes[0]

    def stands(self, row: Row) -> bool:
        """Whether an entry is no reversal, not reversed, and not after the day of computing."""
        reversals = self._papers.rows("interaction_entry", "reverses_id", row["id"])
        past = day_of(row["local_day"]) <= self._as_of
        return past and "reverses_id" not in row and not reversals

    def _reason(self, row: Row) -> str:
        if not self._ladder["work"]:
            return "not_measured"
        day, episode = day_of(row["local_day"]), self.episode_of(row)
        consented = self._papers.consented(episode, day)
        fits = (row["work"] == "RTM") != (episode["program"] == "RPM")
        for reason, holds in (
            ("reversal", "reverses_id" in row),
            ("after_as_of", day > self._as_of),
            ("taken_back", not self.stands(row)),
            ("other_work", row["work"] not in self._ladder["work"]),
            ("other_episode", self._window and episode["id"] != self._episode["id"]),
            ("clerical", fits and row["role"] == "admin"),
            ("no_consent", not consented),
            ("other_work", not fits),
            ("after_end", day > self._papers.closed(episode)[0]),
            ("em_day", row["role"] == "qhp" and self._on_visit_day(row, episode)),
        ):
            if holds:
                return reason
        return ""

    def _on_visit_day(self, row: Row, episode: Row) -> bool:
        """Whether the same practitioner bills a visit of this patient that day."""
        usual = self._papers.setting("profile", usual=None) or "P0"
        profile = self._pack["profiles"][episode.get("profile") or usual]
        who = self._who(row) or row["actor_name"]
        return bool(profile["em_day_exclusion"]) and any(
            one["own"]
            and one["code"] in self._event["em_codes"]
            and one["service_day"] == row["local_day"]
            and (one.get("practitioner_id") or self._who(one)) == who
            and "reverses_id" not in one
            and not self._papers.rows("other_service", "reverses_id", one["id"])
            for one in self._papers.rows("other_service", "patient_id", row["patient_id"])
        )

    def _who(self, row: Row) -> str | None:
        user = row.get("actor_user_id")
        who: str | None = self._pack["people"].get(user, user)
        return who

    def measured(self, listed: list[Row]) -> dict[str, int]:
        """Seconds that count: of all, of practitioners, and of live talk."""
        total = {"seconds": 0, "practitioner_seconds": 0, "live_seconds": 0}
        log = [(row, one) for row, one in zip(self.rows, listed, strict=True) if self.stands(row)]
        for day in sorted({row["local_day"] for row, _ in log}):
            of_day = [
                (row, one["parts"], one["counts"]) for row, one in log if row["local_day"] == day
            ]
            for work in self._ladder["work"]:
                taken = [
                    span
                    for row, parts, _ in of_day
                    if row["work"] in TAKERS[work]
                    for span in _spans(parts)
                ]
                mine = [one for one in of_day if one[2] and one[0]["work"] == work]
                for name, some in (
                    ("seconds", mine),
                    ("practitioner_seconds", [one for one in mine if one[0]["role"] == "qhp"]),
                    ("live_seconds", [one for one in mine if one[0]["mode"] == "live"]),
                ):
                    total[name] += _clock_seconds([parts for _, parts, _ in some], taken)
        return total

    def digested(self, listed: list[Row]) -> list[list[object]]:
        """The parts of all entries, as evidence digests have them."""
        return [
            [row["id"], *part, row["role"], row["work"], row["mode"], one["shared"]]
            for row, one in zip(self.rows, listed, strict=True)
            for part in one["parts"]
        ]


def _spans(parts: list[list[int]]) -> list[Span]:
    return [(start, start + seconds) for start, seconds in parts if start >= 0]


def _inside(parts: list[list[int]], whole: list[int]) -> bool:
    """Whether parts lie in the whole, in order and apart."""
    ends = [whole[0], *(end for span in _spans(parts) for end in span), whole[0] + whole[1]]
    return len(_spans(parts)) == len(parts) and all(one <= other for one, other in pairwise(ends))


def _clock_seconds(parts: list[list[list[int]]], taken: list[Span]) -> int:
    """Seconds of the day in some part and not taken; of parts without a start, their length."""
    spans = [span for one in parts for span in _spans(one)]
    edges = sorted({edge for span in (*spans, *taken) for edge in span})
    timed = sum(
        end - begin
        for begin, end in pairwise(edges)
        if _covers(spans, begin) and not _covers(taken, begin)
    )
    return timed + sum(seconds for one in parts for start, seconds in one if start < 0)


def _covers(spans: list[Span], second: int) -> bool:
    return any(start <= second < end for start, end in spans)
