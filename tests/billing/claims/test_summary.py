"""The summary of a close: amounts, unknown amounts, what was held and why."""

from datetime import date
from html.parser import HTMLParser

from billing.claims.summary import Summary, SummaryFinding, SummaryLine, summary_html, summary_text


def summary(**values: object) -> Summary:
    """A close with one priced line, one without a price, and two findings."""
    line = SummaryLine("Doe, Ann (007)", "99454", 1, date(2026, 1, 30), 5211, "SETTLED", "")
    unknown = SummaryLine("Doe, Ann (007)", "98978", 1, date(2026, 1, 30), None, "UNKNOWN", "")
    found = SummaryFinding("Roe, <Bo> (008)", "E_NO_CONSENT", "", "2026-01-01 to 2026-01-31", 0)
    look = SummaryFinding("Doe, Ann (007)", "W_MUE_CAP", "99458", "2026-01-01 to 2026-01-31", 1)
    given: dict[str, object] = {
        "practice": "Example & Sons",
        "month": "2026-01",
        "ordinal": 1,
        "closed_on": date(2026, 2, 2),
        "lines": [line, unknown],
        "findings": [found, look],
    }
    return Summary(**(given | values))  # type: ignore[arg-type]  # fields as given


def test_an_unknown_amount_says_so_and_is_not_added() -> None:
    """A line without a known amount is shown as unknown, not as zero, and is counted."""
    text = summary_text(summary())
    assert "Total of known amounts: 52.11; 1 line with amount unknown." in text
    assert "amount unknown" in text.split("98978")[1]
    assert "0.00" not in text


def test_what_was_held_comes_with_its_meaning_and_what_to_do() -> None:
    """Each finding is told once with its words, then where it was found."""
    text = summary_text(summary())
    held = text.index("Held: nothing was billed for this")
    assert held < text.index("E_NO_CONSENT") < text.index("Look at this")
    assert "Consent was not recorded" in text
    assert "What to do: Record the consent" in text
    assert "W_MUE_CAP" in text


def test_sums_by_code_come_first_and_tell_what_is_unknown() -> None:
    """Each code has its lines, units and the sum of its known amounts."""
    unknown = SummaryLine("Roe, Bo (008)", "99454", 2, date(2026, 1, 30), None, "UNKNOWN", "")
    text = summary_text(summary(lines=[*summary().lines, unknown]))
    row = next(line for line in text.splitlines() if line.startswith("99454"))
    assert row.split()[-6:] == ["2", "3", "52.11", "and", "1", "unknown"]
    assert text.index("99454") < text.index("Service day")


def test_measures_carry_their_unit() -> None:
    """Days, minutes and units are told apart."""
    found = [
        SummaryFinding("Doe, Ann", "E_DAYS_BELOW_MIN", "device-supply", "x", 1),
        SummaryFinding("Doe, Ann", "E_TIME_BELOW_MIN", "management", "x", 599),
        SummaryFinding("Doe, Ann", "W_MUE_CAP", "99458", "x", 2),
    ]
    text = summary_text(summary(findings=found))
    assert all(word in text for word in ("1 day", "9:59 min", "2 units"))


def test_a_later_close_of_the_month_is_named_and_reversals_are_counted() -> None:
    """The title tells which close it is; reversals are lines of negative units."""
    line = SummaryLine("Doe, Ann (007)", "99454", -1, date(2026, 1, 30), -5211, "SETTLED", "note")
    text = summary_text(summary(ordinal=2, lines=[line]))
    assert "2026-01, close 2" in text
    assert "0 lines, 1 reversal of earlier lines" in text
    assert "-52.11" in text


def test_the_page_is_well_formed_and_runs_nothing() -> None:
    """Names are escaped, tables have captions and headings, and nothing is loaded or run."""
    page = summary_html(summary())
    assert "Roe, &lt;Bo&gt; (008)" in page
    assert "<Bo>" not in page
    tags = Tags()
    tags.feed(page)
    assert {"script", "img", "link"}.isdisjoint(tags.seen)
    assert "url(" not in page
    assert tags.seen.count("caption") == 4
    assert tags.open == []


class Tags(HTMLParser):
    """Which tags a page has, and which were left open."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Note the tag."""
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """The tag that was opened last."""
        assert self.open.pop() == tag
