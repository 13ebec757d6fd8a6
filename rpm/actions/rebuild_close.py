"""Rebuild a close: computed anew from what it saw, and held against what it recorded.

Owns the comparison, posting by posting and row by row. Does not own the calculation
(``rpm.actions.compute_close``) nor the files (``rpm.actions.export_close``), which follow from a
close's rows and postings alone. Changes nothing.
"""

from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime
from itertools import islice, zip_longest

from sqlmodel import Session

import rpm
from billing.finding import Finding
from rpm.access import Actor, require
from rpm.actions.close_month import totals_of
from rpm.actions.compute_close import ComputedClose, Progress, compute_close
from rpm.actions.seen_from import seen_by_close
from rpm.store.journal import Posted
from rpm.store.queries.ledger import postings_of_close, rows_of_close
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close

_COLUMNS = tuple(field.name for field in fields(Posted))
MOST_FINDINGS = 100


def rebuild_close(
    db: Session, actor: Actor, now: datetime, close: Close, progress: Progress | None = None
) -> tuple[ComputedClose, list[Finding]]:
    """The close computed anew, and what differs from the record; nothing does when all fits.

    Where another version of the product made the close, differences are told as one warning.
    """
    require(actor, "audit:read")
    scope = Scope.of(actor)
    computed = compute_close(
        db, scope, now, close.month_start_day, seen=seen_by_close(close), progress=progress
    )
    findings = list(islice(_unlike(db, scope, close, computed), MOST_FINDINGS))
    if findings and close.product_version != rpm.__version__:
        message = f"version {rpm.__version__} computes it otherwise than {close.product_version}"
        findings.insert(0, Finding("W_CLOSE_OTHER_VERSION", f"close {close.id}", message))
    return computed, findings


def _unlike(db: Session, scope: Scope, close: Close, computed: ComputedClose) -> Iterator[Finding]:
    where = f"close {close.id}"
    recorded = [
        (Posted(**{name: getattr(row, name) for name in _COLUMNS}), row.reason)
        for row in postings_of_close(db, scope, close.id)
    ]
    made = {(one.key, one.ordinal, one.sign): (one, reason) for one, reason in computed.postings}
    kept = {(one.key, one.ordinal, one.sign): (one, reason) for one, reason in recorded}
    for key in sorted(made.keys() | kept.keys()):
        if made.get(key) != kept.get(key):
            yield Finding("E_POSTING_DIFFERS", f"{where}, event {key[0]}", _how(key, made, kept))
    pairs = zip_longest(rows_of_close(db, scope, close.id), computed.rows)
    for place, (row, again) in enumerate(pairs):
        if row != again:
            yield Finding("E_CLOSE_ROW_DIFFERS", f"{where}, row {place}", "what it saw gives other")
    if totals_of(computed) != close.totals or computed.ordinal != close.ordinal:
        yield Finding("E_CLOSE_TOTALS", where, "what it saw gives other totals")
    if computed.outcome_digest != close.outcome_digest:
        yield Finding("E_CLOSE_DIFFERS", where, "what it saw gives another outcome")


def _how(
    key: tuple[str, int, int],
    made: dict[tuple[str, int, int], tuple[Posted, str]],
    kept: dict[tuple[str, int, int], tuple[Posted, str | None]],
) -> str:
    if key not in kept:
        return "what it saw gives this line, and it was not posted"
    if key not in made:
        return "it was posted, and what it saw does not give it"
    (one, reason), (other, told) = made[key], kept[key]
    names = [name for name in _COLUMNS if getattr(one, name) != getattr(other, name)]
    names += ["reason"] if reason != told else []
    return f"what it saw gives another {', '.join(names)}"
