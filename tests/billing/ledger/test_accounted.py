"""What an event rests on, and every other fact of its period with why it does not count."""

from dataclasses import replace
from datetime import date

import pytest
from builders import MANY_DAYS_LATER, Chart, later

from billing.days import day_number
from billing.ledger.accounted import (
    Window,
    also_counts_of,
    entry_reasons,
    reading_reason,
    window_of,
)
from billing.ledger.explain import Computed, EventKey, Explanation, explained
from billing.rules.book import shipped_book
from billing.rules.profile import Anchor, Profile, SupplyServiceDay

OPENED = date(2026, 3, 2)
NINE = 9 * 3600
RESPIRATORY = "RTM-RESPIRATORY"


def computed(chart: Chart, as_of: date = MANY_DAYS_LATER) -> Computed:
    """The calculation of a chart."""
    return Computed.of(chart.facts(), shipped_book(), as_of, as_of)


def event(found: Computed, code: str, start: date, row: int = 0) -> Explanation:
    """The explanation of an event of an episode, or of a patient's month."""
    subject = "patient" if code in ("99457", "99470", "99458", "98979", "98980") else "episode"
    told = explained(found, EventKey(subject, row, code, day_number(start)))
    assert told is not None
    return told


def with_profile(strategy: SupplyServiceDay, *days: int) -> Computed:
    """A patient with readings so many days after opening, in a practice with this strategy."""
    chart = Chart(profile=Profile("own", Anchor.FIRST_READING, strategy))
    episode = chart.enroll(OPENED)
    for day in days:
        chart.measure(episode, later(OPENED, day), 1)
    return computed(chart)


def test_a_window_tells_where_it_stands() -> None:
    """R-DEV-09: number, first counted day and the last one within thirty days of it."""
    found = with_profile(SupplyServiceDay.WINDOW_END, 2, 5, 31, 32, 40)
    first = event(found, "99445", later(OPENED, 2))
    second = event(found, "99445", later(OPENED, 32))
    days = (day_number(later(OPENED, 2)), day_number(later(OPENED, 31)))
    assert window_of(found, first) == Window(0, *days, shifted=False, threshold_days=None)
    assert window_of(found, second) == Window(1, *days, shifted=False, threshold_days=None)


@pytest.mark.parametrize(
    ("strategy", "days"),
    [
        (SupplyServiceDay.THRESHOLD_DAY, 16),
        (SupplyServiceDay.WINDOW_END, None),
        (SupplyServiceDay.LAST_READING, None),
    ],
)
def test_days_that_date_a_line(strategy: SupplyServiceDay, days: int | None) -> None:
    """P0 step 10: only where the practice dates lines on the threshold day are its days told."""
    found = with_profile(strategy, *range(20))
    window = window_of(found, event(found, "99454", OPENED))
    assert window is not None
    assert window.threshold_days == days


def test_a_month_has_no_window() -> None:
    """An event of a calendar month stands in no window."""
    chart = Chart()
    chart.work(chart.enroll(OPENED), later(OPENED, 2), 1200)
    found = computed(chart)
    assert window_of(found, event(found, "99457", date(2026, 3, 1))) is None


def test_a_window_behind_an_earlier_episode_tells_so() -> None:
    """R-DEV-11: a first window that was moved behind an earlier episode's is told as shifted."""
    chart = Chart()
    end = later(OPENED, 9)
    first = chart.enroll(OPENED, closed=end, end_reason="goals_met")
    second = chart.enroll(later(OPENED, 10), previous=first)
    chart.measure(first, OPENED, 10)
    chart.measure(second, later(OPENED, 10), 40)
    found = computed(chart)
    moved = window_of(found, event(found, "99454", later(OPENED, 30), second))
    unmoved = window_of(found, event(found, "99445", OPENED, first))
    assert moved is not None
    assert unmoved is not None
    assert (moved.shifted, moved.number) == (True, 0)
    assert (unmoved.shifted, unmoved.number) == (False, 0)
    kept_out = reading_reason(found, second, day_number(later(OPENED, 12)), "bp", "")
    assert kept_out == "earlier_window"
    assert reading_reason(found, second, day_number(later(OPENED, 30)), "bp", "") == ""


def test_refused_readings_that_count_in_a_program() -> None:
    """R-ELIG-03: data typed in counts for RTM and for nothing else."""
    chart = Chart()
    remote = chart.enroll(OPENED)
    therapy = chart.enroll(OPENED, program=RESPIRATORY)
    found = computed(chart)
    assert also_counts_of(found, remote) == ()
    assert also_counts_of(found, therapy) == ("manual_entry",)


@pytest.mark.parametrize(
    ("after_days", "kind", "word", "reason"),
    [
        (0, "bp", "", ""),
        (9, "bp", "", ""),
        (-1, "bp", "", "before_setup"),
        (12, "bp", "", "after_end"),
        (25, "bp", "", "after_as_of"),
        (0, "glucose", "", "other"),
        (3, "scale", "", "other"),
        (0, "bp", "time_suspect", "time_suspect"),
        (0, "bp", "manual_entry", "manual_entry"),
    ],
)
def test_why_readings_of_a_day_do_not_count(
    after_days: int, kind: str, word: str, reason: str
) -> None:
    """Each day of readings counts or has one reason, by its kind and by its own episode."""
    chart = Chart()
    episode = chart.enroll(OPENED, closed=later(OPENED, 11), end_reason="goals_met")
    chart.measure(episode, later(OPENED, -1), 11)
    chart.measure(episode, later(OPENED, 12), 1)
    chart.measure(episode, later(OPENED, 25), 1)
    chart.measure(episode, OPENED, 1, kind="glucose", refused="other")
    other = chart.enroll(OPENED, patient=1)
    chart.measure(other, later(OPENED, 3), 1, kind="scale")
    found = computed(chart, later(OPENED, 20))
    day = day_number(later(OPENED, after_days))
    assert reading_reason(found, episode, day, kind, word) == reason


def test_why_readings_before_consent_do_not_count() -> None:
    """R-ELIG-05: between set-up and consent readings lack consent, in that episode only."""
    chart = Chart()
    late = chart.enroll(OPENED, papers=("order", "established"))
    chart.hold(late, "consent", later(OPENED, 5))
    chart.measure(late, OPENED, 10)
    held = chart.enroll(OPENED, patient=1)
    chart.measure(held, OPENED, 3)
    found = computed(chart)
    day = day_number(later(OPENED, 2))
    assert reading_reason(found, late, day, "bp", "") == "no_consent"
    assert reading_reason(found, held, day, "bp", "") == ""
    assert reading_reason(found, late, day_number(later(OPENED, 5)), "bp", "") == ""


def test_typed_in_readings_of_therapy_count() -> None:
    """A reading kept under a word that counts in the program has no reason to be left out."""
    chart = Chart()
    therapy = chart.enroll(OPENED, program=RESPIRATORY)
    chart.measure(therapy, OPENED, 3, refused="manual_entry")
    found = computed(chart)
    assert reading_reason(found, therapy, day_number(OPENED), "bp", "manual_entry") == ""
    away = reading_reason(found, therapy, day_number(OPENED), "bp", "out_of_range")
    assert away == "out_of_range"


def reasons(chart: Chart, code: str, start: date, as_of: date = MANY_DAYS_LATER) -> dict[int, str]:
    """By entry, why it does not count for an event."""
    found = computed(chart, as_of)
    return entry_reasons(found, event(found, code, start))


def test_why_entries_of_a_month_do_not_count() -> None:
    """Every entry of the patient in the month counts for the event or has one reason."""
    chart = Chart()
    episode = chart.enroll(OPENED, closed=date(2026, 3, 25), end_reason="goals_met")
    other = chart.enroll(OPENED, patient=1)
    counted = chart.work(episode, OPENED, 1200)
    last = chart.work(episode, date(2026, 3, 25), 60)
    after = chart.work(episode, date(2026, 3, 26), 60)
    clerical = chart.work(episode, later(OPENED, 1), 60, role="admin")
    elsewhere = chart.work(episode, later(OPENED, 1), 60, work="CCM")
    taken = chart.work(episode, later(OPENED, 1), 60)
    reversal = chart.work(episode, later(OPENED, 1), -60, reverses=taken)
    chart.work(other, later(OPENED, 1), 60)
    chart.work(episode, date(2026, 2, 28), 60)
    chart.work(episode, date(2026, 4, 1), 60)
    assert reasons(chart, "99457", date(2026, 3, 1)) == {
        counted: "",
        last: "",
        after: "after_end",
        clerical: "clerical",
        elsewhere: "other_work",
        taken: "taken_back",
        reversal: "reversal",
    }


def test_the_first_entry_may_be_taken_back() -> None:
    """An entry with number zero is reversed as any other."""
    chart = Chart()
    episode = chart.enroll(OPENED)
    taken = chart.work(episode, OPENED, 60)
    reversal = chart.work(episode, OPENED, -60, reverses=taken)
    counted = chart.work(episode, OPENED, 1200)
    assert taken == 0
    assert reasons(chart, "99457", date(2026, 3, 1)) == {
        taken: "taken_back",
        reversal: "reversal",
        counted: "",
    }


def test_entries_of_a_window_are_of_its_episode() -> None:
    """For a review over a window, minutes of another episode and of other work do not count."""
    chart = Chart()
    end = later(OPENED, 20)
    first = chart.enroll(OPENED, closed=end, end_reason="goals_met")
    second = chart.enroll(later(OPENED, 22), previous=first)
    chart.measure(first, OPENED, 1)
    counted = chart.work(first, later(OPENED, 2), 1800, work="99091")
    elsewhere = chart.work(second, later(OPENED, 25), 600, work="99091")
    other = chart.work(first, later(OPENED, 3), 300)
    found = computed(chart)
    assert entry_reasons(found, event(found, "99091", OPENED)) == {
        counted: "",
        elsewhere: "other_episode",
        other: "other_work",
    }


def test_a_supply_line_measures_no_entry() -> None:
    """Entries within a window of days are listed as not measured, through its last day."""
    chart = Chart()
    episode = chart.enroll(OPENED)
    chart.measure(episode, OPENED, 16)
    inside = chart.work(episode, date(2026, 3, 31), 60)
    chart.work(episode, date(2026, 4, 1), 60)
    assert reasons(chart, "99454", OPENED) == {inside: "not_measured"}


def test_entries_after_the_day_that_is_looked_at() -> None:
    """An entry of a later day than the one looked at is told so, not as taken back."""
    chart = Chart()
    episode = chart.enroll(OPENED, closed=later(OPENED, 10), end_reason="goals_met")
    chart.measure(episode, OPENED, 2)
    counted = chart.work(episode, later(OPENED, 3), 1800, work="99091")
    today = chart.work(episode, later(OPENED, 12), 60, work="99091")
    tomorrow = chart.work(episode, later(OPENED, 13), 60, work="99091")
    found = computed(chart, later(OPENED, 12))
    assert entry_reasons(found, event(found, "99091", OPENED)) == {
        counted: "",
        today: "after_end",
        tomorrow: "after_as_of",
    }


def test_minutes_without_consent() -> None:
    """R-ELIG-05: entries before a late consent lack it, also in a month that bills."""
    chart = Chart()
    episode = chart.enroll(OPENED, papers=("order", "established"))
    chart.hold(episode, "consent", later(OPENED, 5))
    before = chart.work(episode, later(OPENED, 4), 60)
    counted = chart.work(episode, later(OPENED, 5), 1200)
    assert reasons(chart, "99457", date(2026, 3, 1)) == {before: "no_consent", counted: ""}


def test_a_practitioners_minutes_on_the_day_of_a_visit() -> None:
    """R-TIME-10: minutes of the practitioner who bills a visit that day are left out as such."""
    chart = Chart(profile=replace(Profile("P0"), em_day_exclusion=True))
    episode = chart.enroll(OPENED)
    chart.serve("99213", later(OPENED, 3))
    visit = chart.work(episode, later(OPENED, 3), 60)
    nurse = chart.work(episode, later(OPENED, 3), 600, role="rn", actor=1)
    other_day = chart.work(episode, later(OPENED, 4), 700)
    facts = chart.facts()
    own = replace(facts, others=facts.others.assign(actor=0).astype(facts.others.dtypes))
    found = Computed.of(own, shipped_book(), MANY_DAYS_LATER, MANY_DAYS_LATER)
    assert entry_reasons(found, event(found, "99457", date(2026, 3, 1))) == {
        visit: "em_day",
        nurse: "",
        other_day: "",
    }


def test_an_event_rests_on_facts_of_its_own() -> None:
    """Days, entries, papers and coverage behind a line are those of its episode and period."""
    chart = Chart()
    episode = chart.enroll(OPENED)
    chart.hold(episode, "covid", later(OPENED, 60))
    chart.measure(episode, OPENED, 31)
    chart.measure(episode, OPENED, 1, kind="glucose")
    chart.measure(episode, later(OPENED, 1), 1, kind="glucose", refused="other")
    other = chart.enroll(OPENED, patient=1)
    chart.measure(other, OPENED, 2)
    live = chart.work(episode, OPENED, 600)
    quiet = chart.work(episode, date(2026, 3, 31), 700, mode="async")
    chart.work(episode, date(2026, 4, 1), 700)
    chart.work(other, OPENED, 700)
    found = computed(chart)
    supply = event(found, "99454", OPENED)
    assert supply.counted_days == tuple(day_number(OPENED) + n for n in range(30))
    assert supply.device_day_rows == (*range(30), 31)
    assert (supply.measure, supply.amount) == ("device_days", 30)
    assert (supply.entry_rows, supply.live_entry_rows) == ((), ())
    assert supply.gate_rows == (0, 1, 2, 3)
    assert supply.coverage_rows == (0,)
    assert (supply.band.at_least, supply.episode, supply.payer) == (16, episode, "MEDICARE_B")
    month = event(found, "99457", date(2026, 3, 1))
    assert (month.entry_rows, month.live_entry_rows) == ((live, quiet), (live,))
    assert (month.measure, month.amount, month.device_day_rows) == ("seconds", 1300, ())
    assert month.band.at_least == 1200


def test_days_of_the_emergency_rest_on_the_lowest_band() -> None:
    """R-PHE-01: a line that a relaxation let leave rests on the band it relaxed."""
    chart = Chart()
    episode = chart.enroll(date(2020, 4, 6))
    chart.hold(episode, "covid")
    chart.measure(episode, date(2020, 4, 6), 3)
    found = computed(chart)
    assert event(found, "99454", date(2020, 4, 6)).band.at_least == 16


def test_a_month_of_therapy_rests_on_therapy() -> None:
    """Minutes of an RPM and of an RTM episode in one month stand behind their own lines."""
    chart = Chart()
    remote = chart.enroll(OPENED, closed=date(2026, 3, 31), end_reason="goals_met")
    therapy = chart.enroll(date(2026, 4, 1), program=RESPIRATORY)
    of_remote = chart.work(remote, OPENED, 1200)
    chart.work(remote, OPENED, 60, work="RTM")
    of_therapy = chart.work(therapy, date(2026, 4, 2), 1200, work="RTM")
    chart.work(therapy, date(2026, 4, 2), 60)
    assert chart.lines() == "99457*1@2026-03-31;98980*1@2026-04-30"
    found = computed(chart)
    assert event(found, "99457", date(2026, 3, 1)).entry_rows == (of_remote,)
    assert event(found, "98980", date(2026, 4, 1)).entry_rows == (of_therapy,)
