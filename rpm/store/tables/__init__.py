"""All tables, so that one import fills the metadata.

Owns the list of modules. Does not own rows: each module describes its own.
"""

from rpm.store.tables import (
    accesses,
    alerts,
    answers,
    claims,
    coding,
    denials,
    inventory,
    ledger,
    monitoring,
    outbound,
    people,
    proposals,
    pulls,
    retention,
    security,
    sign_ins,
    sites,
    timers,
    transport,
    worklist,
)
from rpm.store.tables.base import METADATA

__all__ = [
    "METADATA",
    "accesses",
    "alerts",
    "answers",
    "claims",
    "coding",
    "denials",
    "inventory",
    "ledger",
    "monitoring",
    "outbound",
    "people",
    "proposals",
    "pulls",
    "retention",
    "security",
    "sign_ins",
    "sites",
    "timers",
    "transport",
    "worklist",
]
