"""Computing a close: what a month's close would post, from one state of the record.

Owns the walk over all patients by partition, the outcome's digest and the choice of rows a close
keeps. Changes nothing: the close itself is ``rpm.actions.close_month``. Memory stays flat.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
from sqlmodel import Session, col

from billing.days import day_number
from billing.ledger.postings import Billed, Change, NewPosting, reconcile
from rpm.actions.seen_from import SeenFrom, seen_now
from rpm.audit import Anchor, JsonText
from rpm.collector import without_collector
from rpm.errors import Conflict
from rpm.store.chain import chain_head
from rpm.store.close_rows import rows_in_text, runs_of
from rpm.store.evidence import EventSpan, Evidence
from rpm.store.journal import Posted, journal_of
from rpm.store.outcomes import Evaluated, by_row, evaluated
from rpm.store.queries.ledger import anchor_of
from rpm.store.scope import Scope
from rpm.store.selection import DEFAULT_PARTITION_PATIENTS, partitions
from rpm.store.tables.ledger import Close

_WHY = {
    Change.NEW: "new",
    Change.WITHDRAWN: "withdrawn: facts and rules known now do not give it",
    Change.CHANGED: "changed: facts and rules known now give other units, day or payer",
}
_AFTER_CLOSE = "; its period was closed before"

Progress = Callable[[int, int], None]
"""Called with patients done and patients in all."""


@dataclass
class ComputedClose:
    """What a close of a month would record, and the state of the record it was computed from."""

    organization_id: UUID
    month_start_day: date
    ordinal: int
    as_of: date
    known_day: date
    seen: Anchor  # head of the chain: facts up to its number were looked at
    latest_close: Close | None
    outcome_digest: str = ""
    rule_digests: dict[str, str] = field(default_factory=dict)
    postings: list[tuple[Posted, str]] = field(default_factory=list)  # with reason
    runs: list[JsonText] = field(default_factory=list)  # of rows (``rpm.store.close_rows``)
    findings: dict[str, int] = field(default_factory=dict)
    events: int = 0

    @property
    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows of the outcome that the close keeps."""
        for run in self.runs:
            yield from rows_in_text(run)

    @property
    def repeats_latest(self) -> bool:
        """Whether the latest close said exactly this already."""
        latest = self.latest_close
        return (
            not self.postings
            and latest is not None
            and latest.month_start_day == self.month_start_day
            and latest.outcome_digest == self.outcome_digest
        )


@without_collector()
def compute_close(
    db: Session,
    scope: Scope,
    now: datetime,
    month_start_day: date,
    *,
    seen: SeenFrom | None = None,
    progress: Progress | None = None,
    partition_patients: int = DEFAULT_PARTITION_PATIENTS,
) -> ComputedClose:
    """The close of a month as of the first day after it, from what ``db`` sees now.

    With ``seen``, from what was known then: facts, rule pages and closes. ``Conflict`` while the
    month is not over in the practice's zone, or when a later month has been closed: late facts of
    earlier months are posted by the next close.
    """
    seen = seen or seen_now(db, scope, now)
    close = _begun(db, scope, month_start_day, seen)
    organization_id, until = scope.organization_id, seen.until_audit_number
    parts = list(partitions(db, organization_id, partition_patients))
    digest = hashlib.sha256()
    for done, part in enumerate(parts):
        found = evaluated(
            db,
            organization_id,
            as_of=close.as_of,
            known=close.known_day,
            patients=part,
            until_audit_number=until,
        )
        _take(close, found, digest.update)
        _post(close, found, journal_of(db, organization_id, part, until))
        if progress is not None:
            progress(done + 1, len(parts))
    close.postings.sort(key=lambda made: (made[0].sign, made[0].key, made[0].ordinal))
    close.outcome_digest = digest.hexdigest()
    return close


def _begun(db: Session, scope: Scope, month_start_day: date, seen: SeenFrom) -> ComputedClose:
    as_of = next_month(month_start_day)
    if seen.known_day < as_of:
        raise Conflict("the month is not over in the practice's time zone")
    until = seen.until_audit_number
    latest = latest_close(db, scope, until)
    ordinal = 1
    if latest is not None:
        if latest.month_start_day > month_start_day:
            raise Conflict(
                "a later month is closed; the next close posts late facts of earlier ones"
            )
        if latest.month_start_day == month_start_day:
            ordinal = latest.ordinal + 1
    head = chain_head(db, scope.organization_id) if until is None else anchor_of(db, scope, until)
    return ComputedClose(
        scope.organization_id, month_start_day, ordinal, as_of, seen.known_day, head, latest
    )


def latest_close(db: Session, scope: Scope, until_audit_number: int | None = None) -> Close | None:
    """The close made last, of any month; by an audit event at most if one is told."""
    rows = scope.rows(Close)
    if until_audit_number is not None:
        rows = rows.where(col(Close.audit_number) <= until_audit_number)
    return db.exec(
        rows.order_by(col(Close.month_start_day).desc(), col(Close.ordinal).desc())
    ).first()


def next_month(month_start_day: date) -> date:
    """The first day of the month after the one that begins on a day."""
    return (month_start_day + timedelta(days=31)).replace(day=1)


def outcome_lines(found: Evaluated) -> Iterator[str]:
    """Events and findings as lines, the same whichever partition the patients are in."""
    patients = [one.hex for one in found.loaded.patient_ids]
    events, findings = found.outcome.events, found.outcome.findings
    starts = found.outcome.periods["start_day"].to_numpy()
    by_patient: list[list[str]] = [[] for _ in patients]
    names = ("patient", "units", "service_day", "period_end_day", "payer", "page")
    rows = zip(*(events[name].tolist() for name in names), found.keys, strict=True)
    for patient, units, day, end, payer, page, key in rows:
        by_patient[patient].append(f"event {key} {units} {day} {end} {payer} {page}")
    columns = (findings[name].tolist() for name in ("patient", "code", "concerns", "amount"))
    begins = starts[findings["period"].to_numpy(dtype=np.int64)].tolist()
    for patient, code, concerns, amount_, start in zip(*columns, begins, strict=True):
        by_patient[patient].append(f"finding {code} {concerns} {amount_} {start}")
    for patient, lines in zip(patients, by_patient, strict=True):
        yield f"patient {patient}"
        yield from sorted(lines)


def _take(close: ComputedClose, found: Evaluated, update: Callable[[bytes], None]) -> None:
    update("".join(f"{line}\n" for line in outcome_lines(found)).encode())
    close.events += len(found.outcome.events)
    for page_id in found.outcome.periods["page"].dropna().unique().tolist():
        close.rule_digests[page_id] = found.book.joined(page_id).digest
    first, last = day_number(close.month_start_day), day_number(close.as_of) - 1
    periods, findings, events = found.outcome.periods, found.outcome.findings, found.outcome.events
    inside = _inside(periods, first, last)
    of_month = findings[inside[findings["period"].to_numpy(dtype=np.int64)]]
    for code, count in of_month["code"].value_counts().items():
        if count:
            close.findings[str(code)] = close.findings.get(str(code), 0) + int(count)
    billed = events[inside[events["period"].to_numpy(dtype=np.int64)]]
    for word, kept in (
        ("period", found.period_columns(periods[inside])),
        ("event", found.event_columns(billed)),
        ("finding", found.finding_columns(of_month)),
    ):
        close.runs.extend(runs_of(word, kept))


def _inside(periods: pd.DataFrame, first: int, last: int) -> Any:
    """Periods that touch the month."""
    return (periods["start_day"].to_numpy() <= last) & (periods["end_day"].to_numpy() >= first)


def _post(close: ComputedClose, found: Evaluated, journal: list[Posted]) -> None:
    events = found.outcome.events
    keys = found.keys
    columns = (events[name].tolist() for name in ("units", "service_day", "payer"))
    billed = [Billed(key, *rest) for key, *rest in zip(keys, *columns, strict=True)]
    changes = reconcile(billed, [one.line for one in journal])
    row_of = {key: row for row, key in enumerate(keys)}
    rows = [row_of[str(one.billed.key)] for one in changes if one.sign > 0]
    issues = iter(_issues(found, events.iloc[rows], [one for one in changes if one.sign > 0]))
    issued = {(one.key, one.ordinal): one for one in journal if one.sign > 0}
    for change in changes:
        if change.sign < 0:
            posted = replace(issued[str(change.billed.key), change.ordinal], sign=-1)
        else:
            posted = next(issues)
        close.postings.append((posted, _reason(close, change, posted)))


def _issues(found: Evaluated, events: pd.DataFrame, changes: list[NewPosting]) -> Iterator[Posted]:
    evidence = Evidence(found.loaded)
    digests = {page_id: found.book.joined(page_id).digest for page_id in set(events["page"])}
    places = found.loaded.facts.episodes["pos"].tolist()
    names = ("subject", "episode", "patient", "period_start_day", "period_end_day")
    spans = zip(*(events[name].tolist() for name in names), strict=True)
    lines = by_row(found.event_columns(events))
    for line, values, change in zip(lines, spans, changes, strict=True):
        span = EventSpan(*values)
        cents, status = found.book.fees.priced(
            line["code"], line["units"], change.billed.service_day, place=places[span.episode]
        )
        del line["ladder"]  # a posting says what was billed, not by which ladder
        yield Posted(
            **line,
            ordinal=change.ordinal,
            sign=1,
            amount_cents=cents,
            amount_status=status,
            evidence_digest=evidence.digest(span, digests[line["rule_page_id"]]),
        )


def _reason(close: ComputedClose, new: NewPosting, posted: Posted) -> str:
    latest = close.latest_close
    late = latest is not None and posted.period_end_day < latest.as_of
    return _WHY[new.change] + (_AFTER_CLOSE if late else "")
