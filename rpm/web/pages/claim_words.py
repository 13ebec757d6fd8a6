"""Words and ways of the claims' pages: statuses, events, and where what is held is mended.

Owns these texts. Does not own what they stand for (``billing.claims.lifecycle``).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from billing.claims.lifecycle import Kind, Status
from billing.finding import Finding

STATUS_WORDS = {status.value: status.value.replace("-", " ") for status in Status}
STATUS_TONES = {
    Status.ASSEMBLED: "plain",
    Status.HELD: "warn",
    Status.APPROVED: "warn",
    Status.RELEASED: "info",
    Status.WRITTEN: "info",
    Status.SENT: "info",
    Status.RECEIVED: "info",
    Status.ACCEPTED: "info",
    Status.REJECTED: "bad",
    Status.PAID: "good",
    Status.PATIENT_OWES: "good",
    Status.DENIED: "bad",
    Status.APPEALED: "warn",
    Status.REVERSED: "bad",
    Status.VOIDED: "plain",
    Status.WRITTEN_OFF: "plain",
    Status.WITHDRAWN: "plain",
}
STATUS_WORDS[Status.APPROVED] = "waits for a second person"
STATUS_WORDS[Status.WRITTEN] = "in a file"
EVENT_WORDS = {
    Kind.ASSEMBLED: "assembled",
    Kind.HELD: "held",
    Kind.APPROVED: "agreed to by a first person",
    Kind.RELEASED: "released",
    Kind.WRITTEN: "written into a file",
    Kind.SENT: "sent",
    Kind.FILE_ACCEPTED: "file accepted (999)",
    Kind.FILE_REJECTED: "file rejected (999)",
    Kind.HOUSE_ACCEPTED: "accepted by the clearinghouse",
    Kind.PAYER_ACCEPTED: "accepted by the payer",
    Kind.REJECTED: "rejected",
    Kind.REMITTED: "answered by a remittance",
    Kind.REVERSED: "remittance taken back",
    Kind.APPEALED: "appealed",
    Kind.APPEAL_ANSWERED: "appeal answered",
    Kind.WRITTEN_OFF: "written off",
    Kind.WITHDRAWN: "withdrawn",
}
FREQUENCY_WORDS = {"1": "first claim", "7": "replacement", "8": "void"}
BILLING, CHARGES, PAYERS = "/admin/billing", "/admin/charges", "/admin/payers"
_MENDED = (
    ("billing provider", BILLING, "Billing identity"),
    ("rendering provider", BILLING, "Billing identity"),
    ("schedule of charges", CHARGES, "Charges"),
    ("payer", PAYERS, "Payers"),
    ("coverage, kind of payer", PAYERS, "Payers"),
)


@dataclass(frozen=True)
class Mend:
    """Where a finding is mended."""

    address: str
    words: str


def mend(finding: Finding, patient_id: UUID | None) -> Mend | None:
    """The page on which what a claim lacks is recorded; None where no page helps."""
    for where, address, words in _MENDED:
        if finding.where.startswith(where):
            return Mend(address, words)
    if patient_id is None:
        return None
    if finding.where.startswith(("patient", "subscriber", "coverage")):
        return Mend(f"/patients/{patient_id}/billing", "Address and coverage")
    return Mend(f"/patients/{patient_id}", "Patient")


def mends(
    findings: Iterable[Finding], patient_id: UUID | None
) -> list[tuple[Finding, Mend | None]]:
    """Findings, each with where it is mended."""
    return [(one, mend(one, patient_id)) for one in findings]
