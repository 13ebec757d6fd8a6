"""Pages of a list on a screen: the cursor in a link or in a form, sealed as the API's.

Owns how a screen's filters make the place of a cursor. Does not own cursors (``rpm.web.cursors``).
"""

import hashlib
import json
from collections.abc import Mapping

from fastapi import Request

from rpm.access import Actor
from rpm.keys import key_ring
from rpm.web.cursors import Paging, unseal
from rpm.web.running import running_of

ROWS = 50


def page_of_list(
    request: Request,
    actor: Actor,
    name: str,
    filters: Mapping[str, str | None],
    cursor: str | None,
    rows: int = ROWS,
) -> Paging:
    """The page that a screen asks for; ``InvalidCursor`` for a cursor of another list.

    ``name`` tells the list from others. ``filters`` may hold what was searched for: only a digest
    of it seals the cursor.
    """
    ring = key_ring(running_of(request).keys.secret.hex())
    named = json.dumps([actor.organization_id.hex, name, sorted(_told(filters))])
    place = "cursor " + hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()
    after = unseal(ring, place, cursor) if cursor else None
    return Paging(rows, after, ring, place)


def _told(filters: Mapping[str, str | None]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in filters.items() if value]
