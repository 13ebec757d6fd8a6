"""Which ladders a code is looked for on that leaves in place of others."""

from datetime import date

from builders import Chart

from billing.ledger.why import why
from billing.rules.book import shipped_book


def test_only_what_is_bundled_is_looked_at_for_the_bundle() -> None:
    """R-RHC: in 2024 supply and minutes left as G0511; set-up and review did not."""
    opened, seen = date(2024, 3, 1), date(2024, 6, 1)
    chart = Chart()
    episode = chart.enroll(opened, setting="RHC")
    chart.measure(episode, opened, 16)
    chart.work(episode, opened, 1200)
    told = why(chart.facts(), shipped_book(), seen, seen, opened, "G0511")
    assert told.asked is not None
    names = [told.periods[at].ladders[position].ladder.name for at, position in told.asked.on]
    assert names == ["device-supply", "management"]
