"""Columns tell the same in the drawing, in its description and in its table."""

from rpm.web.pages.charts import Bar
from rpm.web.pages.column_charts import HEIGHT, column_chart


def test_the_highest_column_reaches_the_top_and_nothing_has_no_height() -> None:
    """Heights are shares of the highest; a month without a value stands with its dash."""
    chart = column_chart(
        "Denials <1>", [Bar("Jan", 50.0, "50 %"), Bar("Feb", 25.0, "25 %"), Bar("Mar", 0, "–")]
    )
    heights = [float(part.split('"')[0]) for part in str(chart.svg).split(' height="')[1:]]
    assert heights[0] == 2 * heights[1]
    assert heights[2] == 0
    assert heights[0] < HEIGHT
    assert "Jan: 50 %; Feb: 25 %; Mar: –" in chart.svg
    assert "Denials &lt;1&gt;" in chart.svg
    assert chart.rows[1] == ("Feb", "25 %", "")


def test_no_month_is_no_failure() -> None:
    """The drawing says so."""
    assert "No values." in column_chart("Nothing", []).svg
