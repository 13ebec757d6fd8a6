"""A claim looked at before a person lets it go: what its file would be rejected for.

Owns which codes are known to the check, and the envelope that one claim is looked at in. Does not
own the checks (``billing.claims.scrub``).
"""

from collections.abc import Iterable
from datetime import date, datetime

from sqlmodel import Session

from billing.claims.check_claim import Lists
from billing.claims.claim import Claim
from billing.claims.complete import lacking
from billing.claims.diagnoses import billable_diagnoses
from billing.claims.scrub import scrub
from billing.claims.x12.envelope import (
    ClaimFile,
    ClaimSet,
    Interchange,
    Party,
    Receiver,
    Submitter,
)
from billing.claims.x12.p837 import write_837p
from billing.coding.rules_read import shipped_coding_rules
from billing.finding import Finding, Severity
from billing.rules.references import shipped_references
from rpm.store.queries.billing import charges
from rpm.store.scope import Scope

_NOBODY = Party("ZZ", "RPMLEDGER", "RPMLEDGER")
_NOON = "1200"


def known_codes(own: Iterable[str]) -> Lists:
    """The codes that the shipped rules, the list of diagnoses and a list of one's own know."""
    procedures = frozenset(own).union(shipped_references().codes, shipped_coding_rules().codes)
    return Lists(procedures, billable_diagnoses())


def practice_codes(db: Session, scope: Scope) -> Lists:
    """``known_codes`` with those of the practice's schedule of charges."""
    return known_codes(row.procedure for row in charges(db, scope))


def claim_findings(claim: Claim, today: date, lists: Lists) -> tuple[Finding, ...]:
    """What stops a claim (errors) or asks for a look, as of a day; ``where`` tells the place."""
    found = lacking(claim)
    if found:
        return found
    content = write_837p(_alone(claim, today))
    return scrub(content, today, lists).findings


def errors_of(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those that stop a claim."""
    return tuple(one for one in findings if one.severity is Severity.ERROR)


def _alone(claim: Claim, today: date) -> ClaimFile:
    made = datetime.strptime(f"{today:%Y%m%d}{_NOON}", "%Y%m%d%H%M")  # noqa: DTZ007 - local
    submitter = Submitter("CHECK", "CHECK", "CHECK", "0000000000")
    sets = (ClaimSet(1, "CHECK", submitter, Receiver("CHECK", "CHECK"), (claim,)),)
    return ClaimFile(Interchange(_NOBODY, _NOBODY, 1, 1, made, production=False), sets)
