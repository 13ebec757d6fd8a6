"""A timer as values: each way an interval ends, and that it does not matter when anybody looks."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpm import timing
from rpm.timing import Timing

START = datetime(2026, 1, 15, 15, tzinfo=UTC)
IDLE_SECONDS = 600


def at(seconds: float) -> datetime:
    """So many seconds after the start."""
    return START + timedelta(seconds=seconds)


def counted(one: Timing) -> list[tuple[int, int]]:
    """The ended intervals in seconds after the start."""
    return [
        (int((span.begin - START).total_seconds()), int((span.end - START).total_seconds()))
        for span in one.spans
    ]


def beating(until: int, active: int | None = None) -> Timing:
    """A timer whose page beat every quarter minute; somebody was active until ``active``."""
    one = timing.started(START, IDLE_SECONDS)
    for second in range(15, until + 1, 15):
        one = timing.heard(one, at(second), at(min(second, until if active is None else active)))
    return one


def test_a_timer_counts_while_it_runs() -> None:
    """What is counted grows to the second, and a pause takes nothing away."""
    one = beating(60)
    assert timing.counted_seconds(one, at(67)) == 67
    one = timing.paused(one, at(70))
    assert (counted(one), one.pause) == ([(0, 70)], "by-hand")
    assert timing.counted_seconds(one, at(500)) == 70


def test_a_pause_lies_between_two_intervals() -> None:
    """Time between a pause and going on does not count."""
    one = timing.resumed(timing.paused(beating(60), at(60)), at(100))
    assert [(span.begin, span.end) for span in timing.spans_of(one, at(130))] == [
        (at(0), at(60)),
        (at(100), at(130)),
    ]


def test_a_closed_page_ends_at_its_last_beat() -> None:
    """Without beats the interval ends where the page was last heard, whenever that is noticed."""
    one = beating(300)
    assert timing.settled(one, at(300 + timing.LOST_SECONDS - 1)).since is not None
    for later in (timing.LOST_SECONDS, 10_000, 90_000):
        ended = timing.settled(one, at(300 + later))
        assert (counted(ended), ended.pause, ended.since) == ([(0, 300)], "lost", None)


def test_a_page_without_beats_is_not_lost() -> None:
    """Where no script sends beats only idleness ends an interval."""
    one = timing.started(START, IDLE_SECONDS)
    assert timing.settled(one, at(590)).since is not None
    late = IDLE_SECONDS + timing.ANSWER_SECONDS
    assert timing.settled(one, at(late)).pause == "idle"


def test_it_asks_after_the_idle_time() -> None:
    """The question stands from the idle time on; activity before it puts it off."""
    one = beating(900, active=200)
    assert timing.asks(one, at(799)) is False
    assert timing.asks(one, at(800)) is True
    assert timing.asks(beating(900), at(900)) is False


def test_activity_does_not_answer_the_question() -> None:
    """Moving the mouse after lunch does not make lunch work."""
    one = beating(900, active=200)
    one = timing.heard(one, at(915), at(914))
    assert timing.asks(one, at(915)) is True
    assert one.active_at == at(200)


def test_a_question_that_was_shown_is_not_taken_back() -> None:
    """A page that tells of older activity after it showed the question changes nothing."""
    one = timing.heard(beating(900, active=200), at(915), at(260))
    assert one.active_at == at(200)


@pytest.mark.parametrize(
    ("answer", "spans", "runs"),
    [
        ("keep", [(0, 1000)], True),
        ("drop-and-go-on", [(0, 200), (900, 1000)], True),
        ("drop-and-stop", [(0, 200)], False),
    ],
)
def test_each_answer_does_what_it_says(
    answer: str, spans: list[tuple[int, int]], runs: bool
) -> None:
    """Keep counts the idle time, the other two leave it out, and one of them stops."""
    one = timing.answered(beating(900, active=200), at(900), answer)
    assert (one.since is not None) is runs
    one = timing.heard(one, at(1000), at(1000))
    ended = timing.spans_of(one, at(1000))
    assert counted(Timing(ended, None, START, None, None)) == spans


def test_an_unanswered_question_ends_at_the_last_activity() -> None:
    """Whoever does not come back is not paid for being away."""
    late = 200 + IDLE_SECONDS + timing.ANSWER_SECONDS
    one = timing.settled(beating(late, active=200), at(late))
    assert (counted(one), one.pause) == ([(0, 200)], "idle")


def test_a_page_lost_while_it_asks_ends_at_the_last_activity() -> None:
    """The lid is closed over lunch: the question was open, so its time does not count."""
    one = timing.settled(beating(900, active=200), at(5_000))
    assert (counted(one), one.pause) == ([(0, 200)], "idle")


def test_what_ended_by_itself_may_be_kept_up_to_the_last_beat() -> None:
    """Who talked on the phone all the time says so afterwards; more than was heard is not given."""
    one = timing.settled(beating(900, active=200), at(5_000))
    assert one.tail_seconds == 700
    assert counted(timing.answered(one, at(5_000), "keep")) == [(0, 900)]
    assert counted(timing.answered(one, at(5_000), "drop-and-stop")) == [(0, 200)]
    on = timing.answered(one, at(5_000), "drop-and-go-on")
    assert (counted(on), on.since) == ([(0, 200)], at(5_000))


def test_a_lost_page_leaves_nothing_to_keep() -> None:
    """After the last beat nobody knows anything, so nothing is offered."""
    assert timing.settled(beating(300), at(900)).tail_seconds == 0


def test_signing_out_without_the_person_ends_at_the_last_activity() -> None:
    """A sign-in that ran out while nobody was there closes the interval where they left."""
    one = timing.signed_out(beating(500, active=200), at(501))
    assert (counted(one), one.pause, one.tail_seconds) == ([(0, 200)], "signed-out", 295)


def test_a_stop_in_question_leaves_the_question_out() -> None:
    """Stopping without answering counts to the last activity."""
    assert timing.spans_of(beating(900, active=200), at(901))[-1].end == at(200)


def test_a_timer_of_no_second_has_no_interval() -> None:
    """Started and stopped in the same second: nothing."""
    assert timing.spans_of(timing.started(START, None), START) == ()


@pytest.mark.parametrize("hours", [24, -24])
def test_a_clock_set_a_day_off_costs_at_most_a_beat(hours: int) -> None:
    """The host's clock jumps while a timer runs: what was heard stands, no day is invented."""
    one = beating(300)
    jumped = at(315) + timedelta(hours=hours)
    one = timing.heard(one, jumped, jumped)
    assert counted(one) == [(0, 300)]
    assert (one.since is not None) is (hours < 0)


@pytest.mark.parametrize("hours", [24, -24])
@pytest.mark.parametrize("looked", [True, False])
def test_a_page_that_was_there_bridges_a_step_of_the_clock(hours: int, looked: bool) -> None:
    """With the page's own clock no second is lost, also when a job looked in between."""
    step = timedelta(hours=hours)
    one = beating(300)
    if looked:
        one = timing.settled(one, at(310) + step)
    one = timing.heard(one, at(315) + step, at(315) + step, 15)
    spans = timing.spans_of(one, at(330) + step)
    assert [(span.begin, span.end) for span in spans] == [
        (at(0), at(315)),
        (at(315) + step, at(330) + step),
    ]


def test_a_page_that_slept_does_not_bridge_its_sleep() -> None:
    """A machine that wakes up says how long it was away: that time does not count."""
    one = timing.heard(beating(300), at(4_000), at(4_000), 3_700)
    assert (counted(one), one.pause) == ([(0, 300)], "lost")


Step = Callable[[Timing, datetime], Timing]
STEPS: dict[str, Step] = {
    "beat": lambda one, now: timing.heard(one, now, now),
    "quiet beat": lambda one, now: timing.heard(one, now, START),
    "pause": timing.paused,
    "resume": timing.resumed,
    "sign out": timing.signed_out,
    **{
        answer: lambda one, now, answer=answer: timing.answered(one, now, answer)  # type: ignore[misc]
        for answer in timing.ANSWERS
    },
}
STORIES = st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 1_000)), max_size=30)
IDLE = st.sampled_from((None, 60, 600, 3_600))


@given(STORIES, IDLE, st.lists(st.integers(0, 12_000), max_size=3))
def test_looking_changes_nothing(
    story: list[tuple[str, int]], idle_seconds: int | None, looks: list[int]
) -> None:
    """Whether and when a job or a page looks at a timer makes no difference to what it says."""
    watched = unwatched = timing.started(START, idle_seconds)
    now = 0
    for name, seconds in [*story, ("pause", 12_000)]:
        for look in sorted(looks):
            if look < seconds:
                watched = timing.settled(watched, at(now + look))
        now += seconds
        watched, unwatched = STEPS[name](watched, at(now)), STEPS[name](unwatched, at(now))
    assert watched == unwatched


@given(STORIES, IDLE)
def test_intervals_are_in_order_and_never_of_the_future(
    story: list[tuple[str, int]], idle_seconds: int | None
) -> None:
    """No second is counted twice, none before the start and none that has not passed."""
    one, now = timing.started(START, idle_seconds), 0
    for name, seconds in story:
        now += seconds
        one = STEPS[name](one, at(now))
        spans = timing.spans_of(one, at(now))
        edges = [edge for span in spans for edge in (span.begin, span.end)]
        assert edges == sorted(edges)
        assert all(span.seconds > 0 for span in spans)
        assert all(START <= edge <= at(now) for edge in edges)
