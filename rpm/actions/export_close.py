"""Export a close: the service-line table, a summary in two forms, and the manifest.

Owns what the files of an export are and the manifest that vouches for them. Does not own the form
of the table and the summary (``billing.claims``) nor the writing to disk
(``rpm.actions.whole_files``). The same close always gives the same bytes.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from billing.claims.summary import (
    Summary,
    SummaryFinding,
    SummaryLine,
    summary_html,
    summary_text,
)
from billing.claims.table import service_lines_csv
from billing.claims.visit_table import visits_csv
from billing.money import cents_to_text
from billing.rules.book import RuleBook
from rpm.access import Actor, require
from rpm.actions.command import Command, Id
from rpm.actions.export_lines import export_lines, person
from rpm.actions.export_visits import visit_lines
from rpm.clock import local_day
from rpm.collector import without_collector
from rpm.store.chain import recording
from rpm.store.queries.ledger import (
    anchor_of,
    exports_of_close,
    names_of,
    postings_of_close,
    rows_of_close,
)
from rpm.store.queries.people import organization_of
from rpm.store.rule_books import book_of
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close, Export
from rpm.store.tables.people import Organization

TABLE, SUMMARY_HTML, SUMMARY_TEXT = "service-lines.csv", "summary.html", "summary.txt"
VISITS = "visits.csv"
"""Only where a visit of the month was accepted."""
MANIFEST = "manifest.json"
FORMAT = "rpm-ledger service lines 1"


class ExportClose(Command):
    """The files of a close."""

    close_id: Id


@dataclass(frozen=True)
class ExportedClose:
    """The recorded export and its files by name; the manifest comes last."""

    export: Export
    folder: str  # name for the folder the files belong in
    files: Mapping[str, bytes]
    first_exported_at: datetime | None  # None: this close was never exported before
    unlike_before: tuple[str, ...]  # files that have other bytes than in an earlier export

    @property
    def lines(self) -> int:
        """Lines of the table, reversals too."""
        return int(self.export.manifest["lines"])

    @property
    def amount_cents(self) -> int:
        """The sum of the known amounts, reversals against issues."""
        return int(self.export.manifest["amount_cents"])


def export_close(db: Session, actor: Actor, now: datetime, command: ExportClose) -> ExportedClose:
    """The files of a close, recorded as exported; ``NotFound`` for an unknown close."""
    require(actor, "export:run")
    scope = Scope.of(actor)
    close = scope.get(db, Close, command.close_id)
    files, manifest = close_files(db, scope, close)
    subject = {"close_id": close.id}
    digests = digests_of(files)
    before = exports_of_close(db, scope, close.id)
    with recording(db, actor, now, "export.close", subject) as record:
        export = record.add(Export(close_id=close.id, manifest=manifest, file_digests=digests))
    return ExportedClose(
        export,
        folder_of(close),
        files,
        first_exported_at=before[0].recorded_at if before else None,
        unlike_before=unlike_before(before, digests),
    )


def folder_of(close: Close) -> str:
    """The name of the folder that a close's files belong in."""
    return f"close-{close.month_start_day:%Y-%m}-{close.ordinal}"


def digests_of(files: Mapping[str, bytes]) -> dict[str, str]:
    """SHA-256 of each file by name, as an export records them."""
    return {name: _digest(content) for name, content in files.items()}


def unlike_before(before: Sequence[Export], digests: Mapping[str, str]) -> tuple[str, ...]:
    """Files whose digest differs from that of any earlier export of the same close."""
    return tuple(
        name
        for name, digest in sorted(digests.items())
        if any(export.file_digests.get(name) != digest for export in before)
    )


@without_collector()
def close_files(db: Session, scope: Scope, close: Close) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The files of a close by name, manifest last, and the manifest as a value."""
    organization = organization_of(db, scope)
    book = book_of(db, scope.organization_id, close.audit_number)
    postings = postings_of_close(db, scope, close.id)
    lines: list[SummaryLine] = []

    def cells() -> Iterator[Mapping[str, str]]:
        # the cells of a line go into the table at once: all of them together would be the table
        # several times over
        for line in export_lines(db, scope, book, organization, close, postings):
            lines.append(line.summary)
            yield line.cells

    table = service_lines_csv(cells())
    summary = _summary(db, scope, organization, close, lines)
    files = {
        TABLE: table,
        SUMMARY_HTML: summary_html(summary).encode(),
        SUMMARY_TEXT: summary_text(summary).encode(),
    }
    if visits := visit_lines(db, scope, close):
        files[VISITS] = visits_csv(visits)
    manifest = _manifest(db, scope, book, close, summary, files)
    files[MANIFEST] = (json.dumps(manifest, indent=2, sort_keys=True) + "\n").encode()
    return files, manifest


def _summary(
    db: Session,
    scope: Scope,
    organization: Organization,
    close: Close,
    lines: Sequence[SummaryLine],
) -> Summary:
    rows = rows_of_close(db, scope, close.id, "finding")
    patient_ids = sorted({row["patient_id"] for row in rows})
    found = names_of(db, scope, [UUID(patient_id) for patient_id in patient_ids])
    names = {str(patient.id): person(patient) for patient in found}
    return Summary(
        practice=organization.name,
        month=f"{close.month_start_day:%Y-%m}",
        ordinal=close.ordinal,
        closed_on=local_day(close.recorded_at, organization.timezone),
        lines=lines,
        findings=sorted(
            (
                SummaryFinding(
                    patient=names[row["patient_id"]],
                    code=row["code"],
                    concerns=row["concerns"],
                    period=_period(row),
                    amount=row["amount"],
                )
                for row in rows
            ),
            key=lambda found: (found.code, found.patient, found.period, found.concerns),
        ),
    )


def _period(row: Mapping[str, Any]) -> str:
    if row["period_kind"] == "none":
        return "no period yet"
    return f"{row['period_start_day']} to {row['period_end_day']}"


def _manifest(
    db: Session,
    scope: Scope,
    book: RuleBook,
    close: Close,
    summary: Summary,
    files: Mapping[str, bytes],
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "organization_id": str(scope.organization_id),
        "close_id": str(close.id),
        "month": summary.month,
        "ordinal": close.ordinal,
        "as_of": close.as_of.isoformat(),
        "closed_at": close.recorded_at.isoformat(),
        "product_version": close.product_version,
        "rule_digests": close.rule_digests,
        "outcome_digest": close.outcome_digest,
        "chain_anchor": anchor_of(db, scope, close.audit_number).as_json(),
        "charge_basis": book.fees.basis,
        "lines": len(summary.lines),
        "reversals": sum(line.units < 0 for line in summary.lines),
        "amount_cents": summary.total_cents,
        "amount": cents_to_text(summary.total_cents),
        "amounts_unknown": summary.unknown_count,
        "files": {
            name: {"sha256": _digest(content), "bytes": len(content)}
            for name, content in files.items()
        },
    }


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
