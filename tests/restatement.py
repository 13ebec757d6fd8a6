"""The rules once more, for one patient, in plain Python: what the calculation is compared with.

A reading of the written rules (the default procedure P0, its profiles, payers, rural clinics and
the public health emergency) that shares nothing with ``billing.rules`` or ``billing.ledger`` but
the shape of a told story. Numbers, days and codes stand in it as literals on purpose. Where the
written rules leave a choice, a comment tells which one is taken. Does not own RTM, 99091 from
minutes logged for it, money, or claims. Only tests use it.
"""

from dataclasses import dataclass

from restated_minutes import add_management_lines, months_of, service_day
from restated_story import Result, make_clinic_lines, stays_of, tell_payer_remarks
from restated_supply import add_supply_lines, windows_of

from billing.ledger.case_facts import CaseFacts


@dataclass(frozen=True)
class Restated:
    """What the rules say of a story, in the words of the case format."""

    windows: str
    time: str
    lines: str
    edits: str


def restate(case: CaseFacts) -> Restated:
    """Windows, seconds, lines and edits of one patient's story."""
    result = Result()
    stays = stays_of(case)
    windows = windows_of(case, stays)
    months = months_of(case, stays)
    month_days = [(month.stay, service_day(case, day)) for day, month in months.items()]
    add_supply_lines(case, stays, windows, month_days, result)
    add_management_lines(case, stays, months, result)
    make_clinic_lines(case, result)
    tell_payer_remarks(case, result)
    return Restated(
        windows=";".join(
            f"{window.start}..{window.end}:{len(window.days)}:{window.state}"
            for of_stay in windows
            for window in of_stay
        ),
        time=";".join(f"{day:%Y-%m}:{month.seconds()}" for day, month in sorted(months.items())),
        lines=";".join(
            f"{line.code}*{line.units}@{line.day}"
            for line in sorted(result.lines, key=lambda line: (line.day, line.code))
        )
        or "NONE",
        edits=";".join(sorted(result.edits)) or "NONE",
    )
