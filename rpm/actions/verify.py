"""Verify a practice's record: chain, projection, every close computed anew, every export rebuilt.

Owns what is compared and the findings about closes, journal and exports. Does not own the chain's
walk (``rpm.store.verify``) nor the counting of readings (``rpm.store.device_days``). Changes
nothing. A close or file that another version of the product would make differently is told, not
called tampering.
"""

import hashlib
from collections.abc import Iterator, Sequence

from sqlmodel import Session, col

import rpm
from billing.days import day_date
from billing.finding import Finding, Severity
from billing.ledger.postings import live
from rpm.access import Actor, require
from rpm.actions.compute_close import outcome_lines
from rpm.actions.export_close import close_files, digests_of, unlike_before
from rpm.audit import Anchor
from rpm.store.device_days import differences
from rpm.store.fact_rows import FactReader
from rpm.store.journal import journal_of
from rpm.store.outcomes import Evaluated, evaluated
from rpm.store.overlaps import overlapping_parts
from rpm.store.queries.ledger import postings_of_close
from rpm.store.scope import Scope
from rpm.store.selection import PatientRange, partitions
from rpm.store.tables.ledger import Close, Export
from rpm.store.verify import verify_chain

MOST_FINDINGS = 100


def verify_record(db: Session, actor: Actor, anchors: Sequence[Anchor] = ()) -> list[Finding]:
    """What does not fit, first things first; empty when everything does.

    ``anchors`` are chain heads kept outside, such as those of export manifests.
    """
    require(actor, "audit:read")
    scope = Scope.of(actor)
    organization_id = scope.organization_id
    closes = db.exec(scope.rows(Close).order_by(col(Close.audit_number))).all()
    exports = db.exec(scope.rows(Export).order_by(col(Export.audit_number))).all()
    kept = [close.chain_anchor for close in closes]
    kept += [export.manifest["chain_anchor"] for export in exports]
    all_anchors = [*anchors, *(Anchor(one["number"], one["hmac"]) for one in kept)]
    findings = verify_chain(db, organization_id, anchors=all_anchors, limit=MOST_FINDINGS)
    findings += differences(db, organization_id, MOST_FINDINGS)
    for close in closes:
        findings += _close_findings(db, scope, close)
    if not any(one.severity is Severity.ERROR for one in findings):
        # files are made of rows that fit; where rows do not, those are named already
        for close in closes:
            of_close = [one for one in exports if one.close_id == close.id]
            findings += _export_findings(db, scope, close, of_close)
    return findings[:MOST_FINDINGS]


def _export_findings(
    db: Session, scope: Scope, close: Close, exports: Sequence[Export]
) -> Iterator[Finding]:
    """The first file of each export that its close does not give any more, byte for byte."""
    if not exports:
        return
    files, _ = close_files(db, scope, close)
    digests = digests_of(files)
    for export in exports:
        for name in unlike_before([export], digests)[:1]:
            where = f"export {export.id} of close {close.id}"
            if close.product_version == rpm.__version__:
                yield Finding("E_EXPORT_DIFFERS", where, f"{name} is rebuilt with other bytes")
            else:
                message = f"version {rpm.__version__} writes {name} otherwise"
                yield Finding("W_EXPORT_OTHER_VERSION", where, message)


def _close_findings(db: Session, scope: Scope, close: Close) -> list[Finding]:
    organization_id, until = scope.organization_id, close.known_audit_number
    where = f"close {close.id}"
    shared = overlapping_parts(FactReader(db, organization_id, until_audit_number=until))
    digest = hashlib.sha256()
    unlike: list[str] = []
    for part in partitions(db, organization_id):
        found = evaluated(
            db,
            organization_id,
            as_of=close.as_of,
            known=close.known_day,
            patients=part,
            until_audit_number=until,
            shared=shared,
        )
        digest.update("".join(f"{line}\n" for line in outcome_lines(found)).encode())
        unlike += _unlike_journal(db, scope, close, part, found)
    findings = [
        Finding("E_JOURNAL_DIFFERS", f"event {key}", f"the postings up to {where} say otherwise")
        for key in unlike
    ]
    if digest.hexdigest() != close.outcome_digest:
        return [_recomputed_otherwise(where, close)]
    return findings + _totals_findings(db, scope, close)


def _recomputed_otherwise(where: str, close: Close) -> Finding:
    if close.product_version == rpm.__version__:
        return Finding("E_CLOSE_DIFFERS", where, "the facts it saw do not give its outcome")
    message = f"version {rpm.__version__} computes it otherwise than {close.product_version} did"
    return Finding("W_CLOSE_OTHER_VERSION", where, message)


def _unlike_journal(
    db: Session, scope: Scope, close: Close, part: PatientRange, found: Evaluated
) -> list[str]:
    """Keys of events and live postings that have no equal on the other side."""
    journal = journal_of(db, scope.organization_id, part, close.audit_number)
    billed = {
        (str(line.billed.key), line.billed.units, day_date(line.billed.service_day))
        for line in live([one.line for one in journal]).values()
    }
    events = {(one.key, one.units, one.service_day) for one in found.events()}
    return sorted({key for key, _, _ in billed ^ events})


def _totals_findings(db: Session, scope: Scope, close: Close) -> list[Finding]:
    postings = postings_of_close(db, scope, close.id)
    known = [one.sign * one.amount_cents for one in postings if one.amount_cents is not None]
    counted = {
        "issued": sum(one.sign > 0 for one in postings),
        "reversed": sum(one.sign < 0 for one in postings),
        "amount_cents": sum(known),
        "amounts_unknown": len(postings) - len(known),
    }
    return [
        Finding("E_CLOSE_TOTALS", f"close {close.id}", f"its postings do not add up to its {name}")
        for name, value in counted.items()
        if close.totals[name] != value
    ]
