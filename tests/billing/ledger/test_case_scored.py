"""Which findings a case file may expect."""

from test_cases import changed

from billing.ledger.case_text import SCORED_EDITS, read_case
from billing.rules.book import shipped_book
from rpm.clock import local_day


def test_findings_that_no_case_can_cause_may_be_expected() -> None:
    """Facilities and surgery are outside the columns of a case, their findings are not."""
    expected = "W_GLOBAL_PERIOD_REVIEW;W_POS_FACILITY_NA"
    read_case(changed("RD03", expect_edits=expected), shipped_book(), local_day)
    assert set(expected.split(";")) <= SCORED_EDITS
