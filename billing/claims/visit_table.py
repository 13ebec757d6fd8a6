"""The table of accepted visits beside a close: one CSV, one row per line of a visit.

Owns its columns. Does not own the form of a cell (``table``) nor which visits stand in it.
"""

from collections.abc import Iterable, Mapping

from billing.claims.table import csv_table

NEW, AS_BEFORE, TAKEN_BACK = "new", "as before", "taken back"
"""What became of a line since the close of the same month before this one."""
VISIT_COLUMNS = (
    *("batch_id", "visit_id", "decision_id", "patient_id", "patient_last", "patient_first"),
    *("patient_dob", "payer", "rendering_npi", "billing_npi", "dos", "procedure"),
    *("mod1", "mod2", "mod3", "mod4", "pos", "units", "overruled", "change"),
)


def visits_csv(lines: Iterable[Mapping[str, str]]) -> bytes:
    """The table of some lines; ValueError for a column that it does not have."""
    return csv_table(VISIT_COLUMNS, ("units",), lines)
