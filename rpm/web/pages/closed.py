"""A close that was made: its totals, lines and findings, its files, and what was known then.

Owns this screen and its downloads. Does not own files (``rpm.actions.export_close``) nor packs
(``rpm.actions.evidence_pack``). A download that is recorded is a form: reading a page again must
not tell the audit that a file was given out once more.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from fastapi.responses import Response
from sqlmodel import Session

from rpm.access import Actor
from rpm.actions.close_summary import finding_sums
from rpm.actions.evidence_pack import close_pack, posting_pack
from rpm.actions.export_close import (
    MANIFEST,
    SUMMARY_HTML,
    SUMMARY_TEXT,
    TABLE,
    ExportClose,
    export_close,
    folder_of,
)
from rpm.errors import NotFound
from rpm.store.queries.audit import events_by_number
from rpm.store.queries.close_sums import sums_of_close
from rpm.store.queries.ledger import exports_of_close, postings_page
from rpm.store.queries.people import names_of_patients
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close, Posting
from rpm.web.cursors import Page
from rpm.web.pages.close import Reader, payer_names
from rpm.web.pages.paging import page_of_list
from rpm.web.pages.shell import Now, PageDb, PageReadDb, page_permit, page_router, render
from rpm.web.routes.evidence import MOST_ON_PAPER, given_on_paper

router = page_router()

Exporter = Annotated[Actor, page_permit("export:run")]

MEDIA_TYPES = {
    TABLE: "text/csv; charset=utf-8",
    SUMMARY_HTML: "text/html; charset=utf-8",
    SUMMARY_TEXT: "text/plain; charset=utf-8",
    MANIFEST: "application/json",
}
FILES = (
    (TABLE, "Service lines (CSV)", "for your billing system"),
    (SUMMARY_TEXT, "Summary (text)", "lines, totals and findings to read"),
    (SUMMARY_HTML, "Summary (HTML)", "the same for a browser or the printer"),
    (MANIFEST, "Manifest (JSON)", "digests, counts and the anchor of the audit chain"),
)
_LINES = 50


@dataclass(frozen=True)
class Exported:
    """When the files of a close were made, and by whom."""

    at: datetime
    by: str


@router.get("/close/closes/{close_id}")
def closed(
    request: Request,
    db: PageReadDb,
    actor: Reader,
    close_id: UUID,
    cursor: Annotated[str | None, Query(max_length=2_000)] = None,
) -> Response:
    """The close."""
    scope = Scope.of(actor)
    close = scope.get(db, Close, close_id)
    lines = _lines(request, db, scope, close_id, cursor)
    names = names_of_patients(db, scope, [row.patient_id for row in lines.items])
    return render(
        request,
        "closed.html.j2",
        close=close,
        made_by=_by(db, scope, [close.audit_number]).get(close.audit_number, ""),
        sums=sums_of_close(db, scope, close_id),
        findings=finding_sums(close.totals["findings"]),
        exports=_exports(db, scope, close_id),
        files=FILES,
        lines=lines,
        names=names,
        payers=payer_names(db, scope),
        most_on_paper=MOST_ON_PAPER,
        there=request.app.state.page_paths,
        cursor=cursor,
    )


def _lines(
    request: Request, db: Session, scope: Scope, close_id: UUID, cursor: str | None
) -> Page[Posting]:
    paging = page_of_list(request, scope.actor, f"lines of {close_id}", {}, cursor, _LINES)
    after = None
    if paging.after is not None:
        number, row_id = paging.after
        after = (int(str(number)), UUID(str(row_id)))
    rows = postings_page(db, scope, close_id=close_id, after=after, limit=paging.fetch)
    return paging.page(rows, lambda row: (row.audit_number, row.id))


def _by(db: Session, scope: Scope, numbers: list[int]) -> dict[int, str]:
    events = events_by_number(db, scope, numbers)
    return {number: str(event.actor["name"]) for number, event in events.items()}


def _exports(db: Session, scope: Scope, close_id: UUID) -> list[Exported]:
    rows = exports_of_close(db, scope, close_id)
    by = _by(db, scope, [row.audit_number for row in rows])
    return [Exported(row.recorded_at, by.get(row.audit_number, "")) for row in rows]


@router.post("/close/closes/{close_id}/files/{name}")
def download(db: PageDb, now: Now, actor: Exporter, close_id: UUID, name: str) -> Response:
    """A file of the close; that it was made is recorded."""
    if name not in MEDIA_TYPES:
        raise NotFound("there is no such file")
    made = export_close(db, actor, now, ExportClose(close_id=close_id))
    close = Scope.of(actor).get(db, Close, close_id)
    disposition = f'attachment; filename="{folder_of(close)}-{name}"'
    return Response(
        made.files[name],
        media_type=MEDIA_TYPES[name],
        headers={"Content-Disposition": disposition},
    )


@router.post("/close/closes/{close_id}/evidence.pdf")
def close_evidence(
    request: Request, db: PageReadDb, now: Now, actor: Exporter, close_id: UUID
) -> Response:
    """The evidence pack of the close on paper; that it was given out is recorded."""
    made = close_pack(db, Scope.of(actor), now, close_id, at_most=MOST_ON_PAPER)
    return given_on_paper(request, actor, now, made)


@router.post("/close/lines/{posting_id}/evidence.pdf")
def line_evidence(
    request: Request, db: PageReadDb, now: Now, actor: Reader, posting_id: UUID
) -> Response:
    """The evidence pack of one line on paper; that it was given out is recorded."""
    return given_on_paper(request, actor, now, posting_pack(db, Scope.of(actor), now, posting_id))
