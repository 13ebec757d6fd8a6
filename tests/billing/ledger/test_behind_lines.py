"""Which facts stand behind a line where readings of more than one sort came on its days."""

from datetime import date

from builders import Chart, later
from test_accounted import computed, event

OPENED = date(2026, 3, 2)


def test_typed_in_readings_stand_behind_a_therapy_line() -> None:
    """RTM rests on what patients type in, not on what was refused for another reason that day."""
    chart = Chart()
    episode = chart.enroll(OPENED, program="RTM-RESPIRATORY")
    chart.measure(episode, OPENED, 2, refused="manual_entry")
    chart.measure(episode, later(OPENED, 1), 1, kind="pulseox", refused="out_of_range")
    line = event(computed(chart), "98984", OPENED)
    assert (line.amount, line.device_day_rows) == (2, (0, 1))
