"""What reading a file of answers adds up to, before it is recorded: events, findings, counts.

Owns the collection, and that an event whose key is known adds nothing. Does not own which events
an answer gives.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from billing.claims.lifecycle import Kind
from billing.finding import Finding
from rpm.store.queries.answers import ClaimNamed, claims_named
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimEventRecord

MOST_FINDINGS = 500


@dataclass
class Work:
    """Rows to record for one received file."""

    file_id: UUID
    events: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    _claims: dict[str, ClaimNamed | None] = field(default_factory=dict)
    _attempts: dict[UUID, dict[UUID, int]] = field(default_factory=dict)

    def claims(
        self, db: Session, scope: Scope, control_numbers: Collection[str]
    ) -> dict[str, ClaimNamed]:
        """Claims by patient control number, each one value for the whole file."""
        new = {number for number in control_numbers if number not in self._claims}
        found = claims_named(db, scope, new)
        self._claims |= {number: found.get(number) for number in new}
        known = ((number, self._claims[number]) for number in control_numbers)
        return {number: claim for number, claim in known if claim is not None}

    def find(self, finding: Finding) -> None:
        """Keep a finding; of a flood of them only how many there were."""
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(finding)
        else:
            self.counts["more findings"] += 1

    def count(self, what: str, number: int = 1) -> None:
        """Count what was read."""
        self.counts[what] += number

    def event(
        self,
        claim: ClaimNamed,
        key: str,
        kind: Kind,
        attempt: int,
        on_day: date | None,
        detail: dict[str, Any],
        *,
        paid_cents: int = 0,
        patient_cents: int = 0,
    ) -> None:
        """Add an event to a claim, once for all files that tell it."""
        if key in claim.keys:
            self.counts["known before"] += 1
            return
        claim.keys.add(key)
        self.counts["events"] += 1
        self.events.append(
            {
                "claim_id": claim.id,
                "key": key,
                "kind": kind.value,
                "attempt": attempt,
                "paid_cents": paid_cents,
                "patient_cents": patient_cents,
                "on_day": on_day,
                "detail": {"received_file_id": self.file_id.hex, **detail},
            }
        )

    def attempts_in(self, db: Session, scope: Scope, file_id: UUID) -> dict[UUID, int]:
        """The attempt of each claim that left in a file of ours."""
        if file_id not in self._attempts:
            query = select(col(ClaimEventRecord.claim_id), col(ClaimEventRecord.attempt)).where(
                col(ClaimEventRecord.organization_id) == scope.organization_id,
                col(ClaimEventRecord.file_id) == file_id,
                col(ClaimEventRecord.kind) == Kind.SENT.value,
            )
            self._attempts[file_id] = {row[0]: row[1] for row in db.execute(query)}
        return self._attempts[file_id]
