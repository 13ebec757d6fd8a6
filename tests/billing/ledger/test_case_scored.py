"""Which findings a case file may expect."""

from billing.ledger.case_text import SCORED_EDITS


def test_findings_that_no_case_can_cause_may_be_expected() -> None:
    """Facilities and surgery are outside the columns of a case, their findings are not."""
    assert {"W_POS_FACILITY_NA", "W_GLOBAL_PERIOD_REVIEW"} <= SCORED_EDITS
