"""Pages of a list: how many rows, and after which row.

Owns the cursor, which is the key of the last row shown, sealed so that it can neither be changed
nor read: keys may hold names, and a cursor stands in addresses. Does not own queries: they take
``limit`` and ``after`` and order by the same key.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query, Request
from pydantic import BaseModel, Field

from rpm.access import Actor
from rpm.errors import NotReady
from rpm.fields import decrypt_field, encrypt_field
from rpm.keys import KeyRing, key_ring
from rpm.web.caller import authenticated
from rpm.web.problems import InvalidCursor
from rpm.web.running import running_of

T = TypeVar("T")
Scalar = str | int | bool | UUID | date | datetime | None

DEFAULT_LIMIT = 50
MOST_ROWS = 200


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T] = Field(description="The rows of this page, in the order of the list.")
    next_cursor: str | None = Field(
        description="Give it as `cursor` to get the next page; null on the last page."
    )


@dataclass(frozen=True)
class Paging:
    """The page that is asked for.

    ``limit`` rows at most, after the row whose key is ``after`` (None: from the beginning). Ask the
    query for ``fetch`` rows: the one too many tells that there is a next page.
    """

    limit: int
    after: tuple[Scalar, ...] | None
    _ring: KeyRing = field(repr=False)
    _place: str = field(repr=False)

    @property
    def fetch(self) -> int:
        """How many rows to ask the query for."""
        return self.limit + 1

    def page(self, rows: Sequence[T], key: Callable[[T], tuple[Scalar, ...]]) -> Page[T]:
        """The answer: at most ``limit`` of the rows, and the cursor if there are more."""
        shown = list(rows[: self.limit])
        more = len(rows) > self.limit
        return Page(items=shown, next_cursor=self.cursor(key(shown[-1])) if more else None)

    def cursor(self, key: tuple[Scalar, ...]) -> str:
        """The cursor that goes on after the row with this key."""
        return seal(self._ring, self._place, key)


def seal(ring: KeyRing, place: str, key: tuple[Scalar, ...]) -> str:
    """The cursor text of a row's key, good only for the same list."""
    plain = json.dumps([_packed(value) for value in key], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(encrypt_field(ring, plain, place)).decode().rstrip("=")


def unseal(ring: KeyRing, place: str, cursor: str) -> tuple[Scalar, ...]:
    """The key inside a cursor; ``InvalidCursor`` unless it was given out for the same list."""
    try:
        sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        plain = decrypt_field(ring, sealed, place)
    except (binascii.Error, ValueError, NotReady) as error:
        raise InvalidCursor("start again without a cursor") from error
    return tuple(_unpacked(value) for value in json.loads(plain))


def _packed(value: Scalar) -> Any:
    if isinstance(value, UUID):
        return {"uuid": value.hex}
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    if isinstance(value, date):
        return {"day": value.isoformat()}
    return value


_UNPACK: dict[str, Callable[[str], Scalar]] = {
    "uuid": UUID,
    "at": datetime.fromisoformat,
    "day": date.fromisoformat,
}


def _unpacked(value: Any) -> Scalar:
    if isinstance(value, dict):
        ((word, text),) = value.items()
        return _UNPACK[word](text)
    scalar: Scalar = value
    return scalar


def _place(request: Request, actor: Actor) -> str:
    """Which list this is: the organization, the address and every filter."""
    filters = sorted(
        item for item in request.query_params.multi_items() if item[0] not in {"cursor", "limit"}
    )
    named = json.dumps([actor.organization_id.hex, request.url.path, filters])
    return "cursor " + hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()


def paging(
    request: Request,
    actor: Annotated[Actor, Depends(authenticated)],
    limit: Annotated[
        int, Query(ge=1, le=MOST_ROWS, description="Rows on a page at most.")
    ] = DEFAULT_LIMIT,
    cursor: Annotated[
        str | None,
        Query(max_length=2_000, description="`next_cursor` of the page before; the same filters."),
    ] = None,
) -> Paging:
    """The page that a request asks for; ``InvalidCursor`` for a cursor of another list."""
    ring = key_ring(running_of(request).keys.secret.hex())
    place = _place(request, actor)
    after = unseal(ring, place, cursor) if cursor is not None else None
    return Paging(limit, after, ring, place)
