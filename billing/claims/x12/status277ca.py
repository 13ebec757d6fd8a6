"""The claim acknowledgment (277CA): what a clearinghouse or payer says of claims, and of batches.

Owns the walk through its levels: source (20), receiver (21), provider (19), patient (PT). Does not
own which claim of ours is meant. A batch may be rejected at a level above, with no word on its
claims. Several answers to one claim are expected: first the clearinghouse's, then the payer's.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

from billing.claims.x12.segments import Segment, sections
from billing.finding import Finding
from billing.money import Cents, text_to_cents

SOURCE, RECEIVER, PROVIDER, PATIENT = "20", "21", "19", "PT"
_LEVELS = (SOURCE, RECEIVER, PROVIDER, PATIENT)
PAYER = "PR"
"""Who answers, where it is the payer itself (NM101 of the source)."""
_ACCEPTED = frozenset(("A0", "A1", "A2", "A5"))
_REJECTED = frozenset(("A3", "A4", "A6", "A7", "A8"))
_STATUS_PLACES = (1, 10, 11)


class Reason(NamedTuple):
    """One status (STC): category, status and entity, as bare codes."""

    category: str
    status: str
    entity: str


class Status(NamedTuple):
    """One STC: its reasons, its day, and the amount it is about."""

    reasons: tuple[Reason, ...]
    on_day: date | None
    action: str  # WQ accepted, U rejected, where it is told
    cents: Cents | None

    @property
    def accepted(self) -> bool | None:
        """Whether it accepts; None for a category this product does not know."""
        categories = {reason.category for reason in self.reasons}
        if categories & _REJECTED:
            return False
        return True if categories & _ACCEPTED else None


class BatchAnswer(NamedTuple):
    """What is said of everything under a receiver or provider; ``reference`` is our BHT03."""

    level: str
    reference: str
    statuses: tuple[Status, ...]


class ClaimAnswer(NamedTuple):
    """What is said of one claim."""

    control_number: str
    statuses: tuple[Status, ...]
    payer_claim_number: str
    clearinghouse_number: str
    from_day: date | None
    line_statuses: tuple[Status, ...]

    @property
    def accepted(self) -> bool | None:
        """False when any status rejects, else True when any accepts, else None."""
        said = [status.accepted for status in (*self.statuses, *self.line_statuses)]
        if False in said:
            return False
        return True if True in said else None


class ClaimsAnswer(NamedTuple):
    """A 277CA: who answers, our reference where it is told, batches and claims."""

    by_payer: bool
    source_name: str
    source_id: str
    references: tuple[str, ...]
    batches: tuple[BatchAnswer, ...]
    claims: tuple[ClaimAnswer, ...]
    findings: tuple[Finding, ...]

    @property
    def all_rejected(self) -> bool:
        """Whether a level above the claims rejects, and no claim is named."""
        rejects = any(one.accepted is False for batch in self.batches for one in batch.statuses)
        return rejects and not self.claims


def read_277ca(segments: Sequence[Segment]) -> ClaimsAnswer:
    """One 277CA, from its ST to its SE; what is wrong stands in the findings."""
    findings: list[Finding] = []
    levels = list(_levels(segments))
    source = next((own for level, own in levels if level == SOURCE), [])
    named = next((one for one in source if one.name == "NM1"), Segment(0, "", ()))
    batches = [_batch(level, own) for level, own in levels if level in (RECEIVER, PROVIDER)]
    claims = [claim for level, own in levels if level == PATIENT for claim in _claims(own)]
    if any(level not in _LEVELS for level, _ in levels):
        findings.append(Finding("W_277CA_LEVEL", "HL03", "A level is of a kind not known here."))
    if not claims and not any(batch.statuses for batch in batches):
        findings.append(Finding("W_277CA_EMPTY", "STC", "It says nothing of any claim or batch."))
    for place, claim in enumerate(claims, 1):
        if claim.accepted is None:
            message = "It neither accepts nor rejects the claim in words known here."
            findings.append(Finding("W_277CA_STATUS", f"claim {place}", message))
    if not any(one.name == "SE" for one in segments):
        findings.append(Finding("W_277CA_CUT_OFF", "SE", "It ends without its trailer."))
    return ClaimsAnswer(
        by_payer=named.get(1) == PAYER,
        source_name=named.get(3),
        source_id=named.get(9),
        references=tuple(batch.reference for batch in batches if batch.reference),
        batches=tuple(batches),
        claims=tuple(claims),
        findings=tuple(findings),
    )


def _levels(segments: Sequence[Segment]) -> Iterable[tuple[str, list[Segment]]]:
    for own in sections(segments, lambda one: one.name == "HL"):
        yield own[0].get(3), own


def _batch(level: str, own: Sequence[Segment]) -> BatchAnswer:
    reference = next((one.get(2) for one in own if one.name == "TRN" and one.get(1) == "2"), "")
    return BatchAnswer(level, reference, tuple(_statuses(own)))


def _claims(own: Sequence[Segment]) -> Iterable[ClaimAnswer]:
    for part in sections(own, lambda one: one.name == "TRN" and one.get(1) == "2"):
        lines = next((place for place, one in enumerate(part) if one.name == "SVC"), len(part))
        head = part[:lines]
        day = next((one.get(3) for one in head if one.name == "DTP" and one.get(1) == "472"), "")
        yield ClaimAnswer(
            control_number=part[0].get(2),
            statuses=tuple(_statuses(head)),
            payer_claim_number=_reference(head, "1K"),
            clearinghouse_number=_reference(head, "D9"),
            from_day=_day(day[:8]),
            line_statuses=tuple(_statuses(part[lines:])),
        )


def _reference(own: Iterable[Segment], kind: str) -> str:
    return next((one.get(2) for one in own if one.name == "REF" and one.get(1) == kind), "")


def _statuses(own: Iterable[Segment]) -> Iterable[Status]:
    for one in own:
        if one.name == "STC":
            reasons = tuple(
                Reason(one.part(place, 1), one.part(place, 2), one.part(place, 3))
                for place in _STATUS_PLACES
                if one.get(place)
            )
            yield Status(reasons, _day(one.get(2)), one.get(3), _cents(one.get(4)))


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None


def _cents(text: str) -> Cents | None:
    try:
        return text_to_cents(text)
    except ValueError:
        return None
