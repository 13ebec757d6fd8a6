"""Facts that are tried besides those recorded: whole rows, by people who did nothing else."""

from dataclasses import replace
from datetime import date

from builders import Chart

from billing.days import day_number
from billing.ledger.added import NewDay, NewEntry, with_days, with_entries
from billing.ledger.facts import KINDS, MODES, REFUSED, ROLES, WORK

DAY = day_number(date(2026, 3, 5))


def test_days_that_are_tried() -> None:
    """A tried day has one reading, received that day; a refused one counts as refused."""
    chart = Chart()
    chart.measure(chart.enroll(date(2026, 3, 2)), date(2026, 3, 2), 2)
    facts = with_days(chart.facts(), [NewDay(0, DAY), NewDay(0, DAY + 1, "scale", "time_suspect")])
    assert facts.device_days.tail(2).to_dict("records") == [
        {
            "episode": 0,
            "day": DAY,
            "kind": KINDS.index("bp"),
            "qualifying_count": 1,
            "refused_count": 0,
            "refused_reason": 0,
            "first_received_day": DAY,
        },
        {
            "episode": 0,
            "day": DAY + 1,
            "kind": KINDS.index("scale"),
            "qualifying_count": 0,
            "refused_count": 1,
            "refused_reason": REFUSED.index("time_suspect"),
            "first_received_day": DAY + 1,
        },
    ]
    assert facts.device_days.index.is_unique
    assert len(facts.device_days) == 4


def test_entries_that_are_tried() -> None:
    """Each tried entry has a number and a person that no entry and no service has."""
    chart = Chart()
    chart.enroll(date(2026, 3, 2), patient=0)
    other = chart.enroll(date(2026, 3, 2), patient=1)
    chart.serve("99213", date(2026, 3, 3))
    taken = chart.work(0, date(2026, 3, 3), 60, actor=4)
    chart.work(0, date(2026, 3, 3), -60, reverses=taken, actor=2)
    recorded = chart.facts()
    served = recorded.others.assign(actor=7).astype(recorded.others.dtypes)
    tried = [NewEntry(other, DAY, 900), NewEntry(0, DAY, 60, 3600, "qhp", "99091", "async")]
    facts = with_entries(replace(recorded, others=served), tried)
    assert facts.entries.tail(2).to_dict("records") == [
        {
            "entry": 2,
            "reverses": -1,
            "episode": other,
            "patient": 1,
            "actor": 8,
            "role": ROLES.index("rn"),
            "work": WORK.index("RPM"),
            "mode": MODES.index("live"),
            "day": DAY,
            "start_second": -1,
            "seconds": 900,
            "shared": False,
        },
        {
            "entry": 3,
            "reverses": -1,
            "episode": 0,
            "patient": 0,
            "actor": 9,
            "role": ROLES.index("qhp"),
            "work": WORK.index("99091"),
            "mode": MODES.index("async"),
            "day": DAY,
            "start_second": 3600,
            "seconds": 60,
            "shared": False,
        },
    ]
    assert facts.entries.index.is_unique


def test_the_first_entry_of_all() -> None:
    """Where nobody has worked yet, numbers of entries and people begin at zero."""
    chart = Chart()
    chart.enroll(date(2026, 3, 2))
    (row,) = with_entries(chart.facts(), [NewEntry(0, DAY, 60)]).entries.to_dict("records")
    assert (row["entry"], row["actor"]) == (0, 0)
