"""Where the telehealth rules were read: their own list of sources, apart from the ledger's.

Owns reading ``telehealth/sources.toml``. Does not own what the sources say.
"""

from collections.abc import Mapping
from functools import lru_cache

from billing.rules.fields import open_document
from billing.rules.references import SourceEntry, read_sources, shipped_text

SOURCES_FILE = "telehealth/sources.toml"


@lru_cache(maxsize=1)
def telehealth_sources() -> Mapping[str, SourceEntry]:
    """Every source that telehealth data may name, by its id."""
    top = open_document(shipped_text(SOURCES_FILE), SOURCES_FILE)
    found = read_sources(top, "sources")
    top.finish()
    return found
