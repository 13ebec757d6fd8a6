"""How facts and findings look in answers, whatever their area.

Owns what every shown fact has. Does not own any area's fields: those stand beside its routes.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from billing.finding import Finding


class ShownFact(BaseModel):
    """What every fact has; read from the row."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID = Field(description="Our id.")
    recorded_at: datetime = Field(description="When it was recorded.")


class ShownFinding(BaseModel):
    """Something to know about what was recorded; it is kept all the same."""

    code: str = Field(description="Stable code.", examples=["W_TIME_OVERLAP_DEDUPED"])
    severity: str = Field(description="`error`, `warning` or `information`.")
    where: str = Field(description="What it is about.", examples=["entries.0.started_at"])
    message: str = Field(description="One sentence for a person.")


def shown_findings(findings: Iterable[Finding]) -> list[ShownFinding]:
    """Findings as answers carry them."""
    return [
        ShownFinding(
            code=finding.code,
            severity=finding.severity,
            where=finding.where,
            message=finding.message,
        )
        for finding in findings
    ]
