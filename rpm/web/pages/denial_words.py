"""Words and tones of the denials screens.

Owns them. Does not own reason groups (``billing.claims.denial_reasons``).
"""

from datetime import date
from typing import Any

from billing.claims.answer_codes import adjustment_told, told
from billing.claims.appeal import OUTCOMES
from billing.claims.denial import Reason, Work

WORK_WORDS = {
    Work.DENIED: "denied",
    Work.PARTLY_DENIED: "partly denied",
    Work.UNDERPAID: "underpaid",
    Work.REJECTED: "rejected",
    Work.REVERSED: "taken back",
    Work.APPEALED: "appealed",
}
WORK_TONES = {
    Work.DENIED: "bad",
    Work.PARTLY_DENIED: "warn",
    Work.UNDERPAID: "warn",
    Work.REJECTED: "bad",
    Work.REVERSED: "bad",
    Work.APPEALED: "info",
}
DUE_CHOICES = (("", "any day"), ("past", "gone by"), ("month", "within 30 days"))
SORT_CHOICES = (
    ("deadline", "what is due first"),
    ("amount", "largest amount"),
    ("answered", "longest answered"),
    ("follow-up", "follow-up day"),
)
OUTCOME_CHOICES = (("", "choose"), *((one, one.replace("-", " ")) for one in OUTCOMES))
_SOON_DAYS = 14


def reason_words(reason: Reason) -> str:
    """An adjustment with its own wording and remarks."""
    remarks = "; ".join(told("rarc", one) for one in reason.remarks)
    group, _, code = reason.adjustment.partition("-")
    words = adjustment_told(group, code)
    return f"{words} ({remarks})" if remarks else words


def event_reasons(detail: dict[str, Any]) -> str:
    """Why a clearinghouse or payer rejected, as an event keeps it: category and status."""
    told_reasons = []
    for category, status, *_ in detail.get("reasons", ()):
        words = (told("category", category), told("status", status))
        told_reasons.append("; ".join(one for one in words if one))
    return ", ".join(dict.fromkeys(told_reasons))


def due_tone(due: date | None, today: date) -> str:
    """How a day is shown: gone by, soon, or later."""
    if due is None:
        return "plain"
    left = (due - today).days
    if left < 0:
        return "bad"
    return "warn" if left <= _SOON_DAYS else "plain"
