"""A timer as values: what a person's running timer says at an instant.

Owns when work counts, when it is asked about, and when an interval ends by itself. Pure: no
database, no clock; every instant is given, aware and in whole seconds. Does not own the row
(``rpm.store.tables.timers``) nor the entry that stopping writes (``rpm.actions.stop_timer``).

A timer runs since an instant or is paused. While it runs, the page that shows it sends beats; a
beat also tells when the person last did something. Two things end an interval without anybody's
hand, and it does not matter when that is looked at: the result is the same.

- No beat for ``LOST_SECONDS``: the page was closed or cannot reach us. The interval ends at the
  last beat.
- Nobody did anything for the practice's idle time: the timer asks. What is unanswered after
  ``ANSWER_SECONDS`` ends at the last activity, and so does a page that is lost while it asks.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

LOST_SECONDS = 150
"""Browsers wake a hidden page once a minute: two missed beats and a little."""
ANSWER_SECONDS = 3600
"""How long the idle question waits: over lunch."""
PAUSES = ("by-hand", "idle", "lost", "signed-out")
"""Why a timer does not run."""
ANSWERS = ("keep", "drop-and-go-on", "drop-and-stop")
"""What a person may say to the idle question."""


@dataclass(frozen=True)
class Span:
    """An interval of work: its end is not part of it."""

    begin: datetime
    end: datetime

    @property
    def seconds(self) -> int:
        """Its length."""
        return int((self.end - self.begin).total_seconds())


@dataclass(frozen=True)
class Timing:
    """A person's timer; see the module."""

    spans: tuple[Span, ...]  # ended, in the order they were worked
    since: datetime | None  # begin of the running interval; None: it does not run
    active_at: datetime  # when the person last did something, as far as we were told
    beat_at: datetime | None  # when the page was last heard; None: a page without beats
    idle_seconds: int | None  # after which it asks; None: never
    pause: str | None = None  # one of PAUSES while it does not run

    @property
    def tail_seconds(self) -> int:
        """Seconds after an interval that ended by itself until the page was last heard."""
        if self.since is not None or self.pause not in {"idle", "signed-out"} or not self.spans:
            return 0
        ended = self.spans[-1].end
        return 0 if self.beat_at is None else max(0, Span(ended, self.beat_at).seconds)


def started(now: datetime, idle_seconds: int | None) -> Timing:
    """A timer that begins to run."""
    return Timing((), now, now, None, idle_seconds)


def settled(timing: Timing, now: datetime) -> Timing:
    """The timer at an instant: what ended by itself before has ended."""
    if timing.since is None:
        return timing
    heard = timing.beat_at
    if heard is not None and now - heard >= timedelta(seconds=LOST_SECONDS):
        if _idle(timing, heard):
            return _ended(timing, timing.active_at, "idle")
        return _ended(timing, heard, "lost")
    if _idle(timing, now - timedelta(seconds=ANSWER_SECONDS)):
        return _ended(timing, timing.active_at, "idle")
    return timing


def asks(timing: Timing, now: datetime) -> bool:
    """Whether a running timer asks what to do with the time since the last activity."""
    return timing.since is not None and _idle(timing, now)


def state_of(timing: Timing, now: datetime) -> str:
    """``running``, ``asking`` while the idle question stands, or ``paused``."""
    timing = settled(timing, now)
    if timing.since is None:
        return "paused"
    return "asking" if asks(timing, now) else "running"


def heard(
    timing: Timing, now: datetime, active_at: datetime, elapsed_seconds: int | None = None
) -> Timing:
    """The timer after a beat; activity does not answer a question that already stands.

    ``elapsed_seconds``: since its last beat, by the page's own clock. It tells a clock of ours that
    was set anew from a page that was away.
    """
    if elapsed_seconds is not None and _was_set_anew(timing, now, elapsed_seconds):
        return _over_the_step(timing, now, active_at, elapsed_seconds)
    timing = settled(timing, now)
    if timing.since is None:
        return timing
    if timing.beat_at is not None and now < timing.beat_at:
        return _stepped_back(timing, now)
    asked = timing.beat_at is not None and _idle(timing, timing.beat_at)
    active_at = min(active_at, now)
    if not asked and active_at > timing.active_at and not _idle(timing, active_at):
        timing = replace(timing, active_at=active_at)
    return replace(timing, beat_at=now)


def paused(timing: Timing, now: datetime, pause: str = "by-hand") -> Timing:
    """The timer after a person paused it; a question that stands ends it at the last activity."""
    timing = settled(timing, now)
    if timing.since is None:
        return timing
    return _ended(timing, timing.active_at if asks(timing, now) else now, pause)


def signed_out(timing: Timing, now: datetime) -> Timing:
    """The timer after its person's sign-in ended without that person: at the last activity."""
    timing = settled(timing, now)
    return timing if timing.since is None else _ended(timing, timing.active_at, "signed-out")


def resumed(timing: Timing, now: datetime) -> Timing:
    """The timer at work again; the time between does not count."""
    timing = settled(timing, now)
    if timing.since is not None:
        return timing
    return replace(timing, since=now, active_at=now, beat_at=None, pause=None)


def answered(timing: Timing, now: datetime, answer: str) -> Timing:
    """The timer after the idle question was answered, in time or after it ended by itself.

    Kept time counts up to now, or, when the timer has ended, up to when its page was last heard.
    """
    timing = settled(timing, now)
    if timing.since is None:
        return _answered_late(timing, now, answer)
    if answer == "keep":
        return replace(timing, active_at=now)
    dropped = _ended(timing, timing.active_at, "idle")
    if answer == "drop-and-go-on":
        return resumed(dropped, now)
    return replace(dropped, pause="by-hand")


def spans_of(timing: Timing, now: datetime) -> tuple[Span, ...]:
    """What would be recorded if the timer were stopped now."""
    return paused(timing, now).spans


def counted_seconds(timing: Timing, now: datetime) -> int:
    """Seconds up to now, those in question included."""
    timing = settled(timing, now)
    running = [] if timing.since is None else [Span(timing.since, max(now, timing.since))]
    return sum(span.seconds for span in (*timing.spans, *running))


def _idle(timing: Timing, at: datetime) -> bool:
    if timing.idle_seconds is None:
        return False
    return at - timing.active_at >= timedelta(seconds=timing.idle_seconds)


def _ended(timing: Timing, at: datetime, pause: str) -> Timing:
    begin = timing.since
    spans = timing.spans if begin is None or at <= begin else (*timing.spans, Span(begin, at))
    return replace(timing, spans=spans, since=None, pause=pause)


def _answered_late(timing: Timing, now: datetime, answer: str) -> Timing:
    if answer == "keep" and timing.tail_seconds and timing.beat_at is not None:
        last = replace(timing.spans[-1], end=timing.beat_at)
        timing = replace(timing, spans=(*timing.spans[:-1], last))
    if answer == "drop-and-go-on":
        return resumed(timing, now)
    return replace(timing, pause="by-hand")


def _stepped_back(timing: Timing, now: datetime) -> Timing:
    # the host's clock was set back: what was heard so far stands, and counting begins anew
    if timing.beat_at is not None and timing.beat_at - now < timedelta(seconds=LOST_SECONDS):
        return timing
    ended = _ended(timing, timing.beat_at or now, "lost")
    return replace(ended, since=now, active_at=now, beat_at=now, pause=None)


def _was_set_anew(timing: Timing, now: datetime, elapsed_seconds: int) -> bool:
    """Whether our clock and the page's disagree on a short time between two beats."""
    if timing.beat_at is None or elapsed_seconds >= LOST_SECONDS:
        return False
    if timing.since is None and not _found_lost(timing):
        return False
    passed = (now - timing.beat_at).total_seconds()
    return abs(passed - elapsed_seconds) >= LOST_SECONDS


def _found_lost(timing: Timing) -> bool:
    """Whether a look, by the new time, has ended the interval at the last beat already."""
    return timing.pause == "lost" and bool(timing.spans) and timing.spans[-1].end == timing.beat_at


def _over_the_step(
    timing: Timing, now: datetime, active_at: datetime, elapsed_seconds: int
) -> Timing:
    """The timer on both sides of a step of our clock: the interval ends by the old time."""
    if timing.since is None:
        *spans, last = timing.spans
        timing = replace(timing, spans=tuple(spans), since=last.begin)
    end = (timing.beat_at or now) + timedelta(seconds=elapsed_seconds)
    quiet = min(now - min(active_at, now), end - timing.active_at)
    ended = _ended(timing, end, "lost")
    return replace(ended, since=now, active_at=now - quiet, beat_at=now, pause=None)
