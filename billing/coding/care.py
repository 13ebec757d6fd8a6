"""Care of a month beside visits: chronic care by minutes, and monitoring by the ledger's ladder.

Owns the choice of care-management codes (reference, section 2). Does not own monitoring: its
thresholds stand in the ledger's pages, and the ledger bills it; here they only tell what minutes
that a visit took away leave over.
"""

from datetime import date
from functools import lru_cache

from billing.coding.question import Proposal, Question, nothing
from billing.coding.rules import Code, Family
from billing.days import day_number
from billing.rules.book import shipped_book
from billing.rules.ruleset import Role

Earned = tuple[tuple[str, int], ...]
"""Codes and their units."""


def month_of_care(question: Question) -> Proposal:
    """Chronic care of the month by the practitioner's minutes, or by the staff's."""
    encounter = question.encounter
    for name, minutes in (
        ("care-practitioner", encounter.minutes_ccm_practitioner),
        ("care-staff", encounter.minutes_ccm_staff),
    ):
        left = (minutes or 0) - encounter.shared_minutes("ccm")
        earned = care_earned(question.family(name), max(left, 0))
        if earned:
            lines = tuple(question.line(code, units) for code, units in earned)
            reason = f"{left} minutes of care in the month; one family of care a month"
            return Proposal(lines, (reason,))
    return nothing("no patient contact, and no minutes that earn a month of care")


def care_earned(family: Family, minutes: int) -> Earned:
    """The first code of a family of care and the units of its add-on that minutes earn."""
    base, addon = family.codes
    if base.at_least is None or minutes < base.at_least:
        return ()
    further = addon_units(addon, minutes - base.at_least)
    return ((base.code, 1), *(((addon.code, further),) if further else ()))


def addon_units(addon: Code, minutes: int) -> int:
    """Units of an add-on that further minutes earn, within its limit."""
    units = minutes // addon.step_minutes if addon.step_minutes else 0
    return units if addon.most_units is None else min(units, addon.most_units)


@lru_cache(maxsize=4_096)
def monitoring_earned(minutes: int, dos: date, known_day: date) -> Earned:
    """Management codes of a month of monitoring, by the ladder of Medicare's page of the day."""
    page = shipped_book().page("MEDICARE_B", day_number(dos), day_number(known_day))
    seconds = minutes * 60
    for ladder in page.ladders:
        if ladder.role is not Role.MANAGEMENT or "RPM" not in ladder.programs:
            continue
        for band in ladder.bands:
            if band.at_least <= seconds <= (band.at_most or seconds):
                units = (
                    (
                        line.code,
                        1 if line.every is None else (seconds - band.at_least) // line.every,
                    )
                    for line in band.lines
                )
                return tuple((code, count) for code, count in units if count)
    return ()
