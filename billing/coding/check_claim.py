"""Edits on the claim around the lines (TH-ADM).

Owns when they fire. Filing limits stand in ``filing``. TH-ADM-08 is made by ``check``: it goes
with whatever rule was leaned on.
"""

from billing.coding.filing import filing_limit
from billing.coding.judging import Told, Visit, fires, has, visit_edit

_SOON_DAYS = 14
_FIRST_TIME = "1"


@visit_edit("TH-ADM-01")
def already_sent(visit: Visit) -> Told:
    """The same lines stand accepted or paid already, and this is no correction."""
    e = visit.encounter
    stands = any(one.answer in ("accepted", "paid") for one in e.prior_claim)
    return fires(when=stands and e.frequency_code == _FIRST_TIME)


def _days_left(visit: Visit) -> int | None:
    """Days to the filing limit, negative after it; None where no limit is known."""
    e = visit.encounter
    limit = filing_limit(e.payer, e.dos)
    last = None if limit is None else limit.last_day(e.dos, participating=e.participating)
    return None if last is None else (last - visit.known_day).days


@visit_edit("TH-ADM-02")
def too_late(visit: Visit) -> Told:
    """The payer's filing limit has passed."""
    left = _days_left(visit)
    return fires(when=left is not None and left < 0)


@visit_edit("TH-ADM-03")
def soon_too_late(visit: Visit) -> Told:
    """The filing limit is at most 14 days away."""
    left = _days_left(visit)
    return {"days": str(left)} if left is not None and 0 <= left <= _SOON_DAYS else None


@visit_edit("TH-ADM-04")
def authorization_missing(visit: Visit) -> Told:
    """An authorization is asked for and none is on file."""
    return fires(when=visit.encounter.auth == "missing")


@visit_edit("TH-ADM-05")
def wrong_payer(visit: Visit) -> Told:
    """Eligibility shows another payer, another plan, or no member."""
    e = visit.encounter
    fitting = ("active", "ma_plan") if e.is_medicare_advantage else ("active",)
    return fires(when=e.eligibility not in fitting)


@visit_edit("TH-ADM-06")
def day_of_service_ahead(visit: Visit) -> Told:
    """A day of service after the day of submission."""
    return fires(when=visit.encounter.dos > visit.known_day)


@visit_edit("TH-ADM-07")
def cost_share_collected(visit: Visit) -> Told:
    """The patient was charged although the cost share was waived for a COVID-19 test."""
    e = visit.encounter
    waived = visit.rules.mark_exists("CS", e.dos) and "covid_test" in (e.condition or ())
    marked = any(has(line, "CS") for line in visit.lines)
    return fires(when=e.patient_paid and waived and (marked or e.is_medicare))
