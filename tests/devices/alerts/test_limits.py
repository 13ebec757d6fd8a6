"""Limits in pure form: slots, units, what is refused, quiet hours, batteries, published points."""

from datetime import datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from devices.alerts.limits import Limit, kept_value, limit_problem
from devices.alerts.points import published_points
from devices.alerts.quiet import battery_is_low, battery_level, told_from

NEW_YORK = ZoneInfo("America/New_York")


def limit(**changes: Any) -> Limit:
    """A red limit above a systolic pressure of 180, unless said otherwise."""
    fields: dict[str, Any] = {
        "subject": "reading",
        "kind": "bp",
        "quantity": "systolic",
        "comparison": "above",
        "band": "red",
        "unit": "mm[Hg]",
        "value": Decimal(180),
    }
    return Limit(**(fields | changes))


@pytest.mark.parametrize(
    ("changes", "slot"),
    [
        ({}, "bp.systolic.high.red"),
        ({"comparison": "at_least"}, "bp.systolic.high.red"),
        ({"comparison": "below", "band": "amber"}, "bp.systolic.low.amber"),
        ({"measure": "rise", "window_hours": 24}, "bp.systolic.rise.24h.red"),
        ({"subject": "missed", "kind": "", "quantity": ""}, "missed.red"),
    ],
)
def test_a_slot_names_the_rule(changes: dict[str, Any], slot: str) -> None:
    """A later limit of the same slot takes the place of an earlier one."""
    assert limit(**changes).slot == slot


@pytest.mark.parametrize(
    "changes",
    [
        {"unit": "[lb_av]"},
        {"quantity": "glucose"},
        {"kind": "nothing"},
        {"subject": "missed", "unit": "h"},
        {"measure": "fall_percent", "unit": "mm[Hg]"},
    ],
)
def test_a_wrong_unit_is_refused(changes: dict[str, Any]) -> None:
    """A unit that the quantity cannot have is told without the value."""
    with pytest.raises(ValueError, match=r"^[^0-9]+$"):
        kept_value(limit(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"value": Decimal(301)},
        {"value": Decimal(18)},
        {"measure": "rise"},
        {"measure": "rise", "window_hours": 24, "comparison": "below"},
        {"measure": "rise", "window_hours": 24, "in_a_row": 2},
        {"measure": "rise", "window_hours": 24, "value": Decimal(0)},
        {"quiet_from": time(22)},
    ],
)
def test_a_limit_that_says_nothing_is_refused(changes: dict[str, Any]) -> None:
    """No believed reading lies beyond it, or a part of it is missing."""
    assert limit_problem(limit()) is None
    assert limit_problem(limit(**changes)) is not None


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-01-05 21:59", "2026-01-05 21:59"),
        ("2026-01-05 22:00", "2026-01-06 07:00"),
        ("2026-01-06 06:59", "2026-01-06 07:00"),
        ("2026-01-06 07:00", "2026-01-06 07:00"),
        ("2026-03-07 23:30", "2026-03-08 07:00"),  # the night that has 23 hours
    ],
)
def test_quiet_hours_end_in_the_morning(now: str, expected: str) -> None:
    """During the night nobody is told until its end by the wall clock."""
    quiet = limit(quiet_from=time(22), quiet_to=time(7))
    instant = datetime.fromisoformat(now).replace(tzinfo=NEW_YORK)
    assert told_from(quiet, instant) == datetime.fromisoformat(expected).replace(tzinfo=NEW_YORK)


def test_quiet_hours_within_a_day() -> None:
    """Quiet hours may also lie within one day; without any, somebody is told at once."""
    noon = datetime(2026, 1, 5, 12, 30, tzinfo=NEW_YORK)
    assert told_from(limit(quiet_from=time(12), quiet_to=time(14)), noon).hour == 14
    assert told_from(limit(), noon) == noon


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("87 %", (Decimal(87), "%")),
        ("87%", (Decimal(87), "%")),
        ("5522 mV", (Decimal(5522), "mV")),
        ("7", (Decimal(7), "1")),
        ("pwr", None),
        ("", None),
        ("nan", None),
    ],
)
def test_a_battery_as_its_sender_writes_it(text: str, level: tuple[Decimal, str] | None) -> None:
    """Number and unit are kept as sent; a word is no level."""
    assert battery_level(text) == level


def test_a_battery_is_low_in_its_own_unit_only() -> None:
    """A limit in percent says nothing about a battery told in millivolts."""
    low = kept_value(
        Limit(subject="battery", band="amber", value=Decimal(20), unit="%", comparison="above")
    )
    assert battery_is_low(low, "20 %")
    assert not battery_is_low(low, "21 %")
    assert not battery_is_low(low, "7")
    assert not battery_is_low(low, "pwr")


def test_no_published_point_is_a_recommendation() -> None:
    """The page says what it is, and each point where it was read and how far it is trusted."""
    page = published_points()
    assert page.status == "not a recommendation"
    for point in page.points.values():
        assert point.source.title
        assert point.confidence in {"A", "B", "C"}
    assert page.points["heart-failure-weight-day"].as_limit("amber").value == Decimal("1.36077711")
