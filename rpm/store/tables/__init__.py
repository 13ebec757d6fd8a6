"""All tables, so that one import fills the metadata.

Owns the list of modules. Does not own rows: each module describes its own.
"""

from rpm.store.tables import inventory, ledger, monitoring, people, security
from rpm.store.tables.base import METADATA

__all__ = ["METADATA", "inventory", "ledger", "monitoring", "people", "security"]
