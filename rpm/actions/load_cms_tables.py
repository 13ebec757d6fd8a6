"""Load tables of CMS for a practice: edits by quarter, fee schedules by year.

Owns which files are new and that all of them are recorded, or none. Does not own reading files
(``rpm.imports.cms_files``) nor what is kept of them (``billing.rules``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlmodel import Session

from billing.rules.edits import LoadedTable
from rpm.access import Actor, require
from rpm.store.chain import recording
from rpm.store.queries.people import hold_organization
from rpm.store.scope import Scope
from rpm.store.tables.ledger import CmsTable


@dataclass(frozen=True)
class Loaded:
    """The tables recorded now, and those that were there already."""

    new: Sequence[LoadedTable]
    known: Sequence[LoadedTable]


def load_cms_tables(
    db: Session, actor: Actor, now: datetime, tables: Iterable[LoadedTable]
) -> Loaded:
    """Record the tables that are not there yet; nothing is recorded when all of them are."""
    require(actor, "rules:write")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    held = {(row.kind, row.edition, row.sha256) for row in scope.all_of(db, CmsTable)}
    new: list[LoadedTable] = []
    known: list[LoadedTable] = []
    for table in tables:
        key = (table.kind, table.edition, table.sha256)
        (known if key in held else new).append(table)
        held.add(key)
    if new:
        with recording(db, actor, now, "rules.load") as record:
            rows = record.add_all([CmsTable(**asdict(table)) for table in new])
            record.subject["cms_table_ids"] = [row.id.hex for row in rows]
    return Loaded(new, known)
