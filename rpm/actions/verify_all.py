"""Verify every organization of a database, each against an anchor kept elsewhere.

Owns going through them. Does not own what is verified (``rpm.actions.verify``).
"""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from sqlmodel import Session, col, select

from billing.finding import Finding
from rpm.access import system_actor
from rpm.actions.verify import verify_record
from rpm.audit import Anchor
from rpm.store.engine import enter
from rpm.store.snapshot import Progress
from rpm.store.tables.people import Organization


def verify_all(
    db: Session, anchors: Mapping[UUID, Anchor], command: str, progress: Progress
) -> list[Finding]:
    """What does not fit in any organization; each finding says in which one."""
    organizations = db.exec(select(Organization.id).order_by(col(Organization.id))).all()
    found: list[Finding] = []
    for place, one in enumerate(organizations, start=1):
        enter(db, one)
        kept = [anchors[one]] if one in anchors else []
        findings = verify_record(db, system_actor(one, f"rpm-ledger {command}"), kept)
        found += [replace(each, where=f"{each.where} of {one}") for each in findings]
        progress(place, len(organizations))
    return found
