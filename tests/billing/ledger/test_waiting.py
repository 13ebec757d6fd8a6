"""How long a running window is waited for: until its days can no longer be had."""

from datetime import date

import pytest
from builders import Chart, later

OPENED = date(2025, 3, 3)


@pytest.mark.parametrize(
    ("days_on", "said"), [(15, ["0 2025-03-03 E_PERIOD_OPEN device-supply 1"]), (16, [])]
)
def test_a_window_that_can_no_longer_earn_is_not_waited_for(days_on: int, said: list[str]) -> None:
    """Sixteen days are needed in 2025: one day and the fifteen that are left make them."""
    chart = Chart()
    chart.measure(chart.enroll(OPENED), OPENED, 1)
    assert chart.told(later(OPENED, days_on)) == said
