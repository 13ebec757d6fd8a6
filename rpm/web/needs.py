"""What a route asks of whoever calls it: the permission, found in its dependencies.

Owns the mark and the search for it. Does not own who holds what (``rpm.access``).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute


@dataclass(frozen=True)
class Needs:
    """What a dependency asks of whoever asks: a permission."""

    permission: str


def permission_of(route: APIRoute) -> str | None:
    """The permission that a route asks for; None when it asks for none."""
    return next(_permissions(route.dependant), None)


def _permissions(dependant: Dependant) -> Iterator[str]:
    for inner in dependant.dependencies:
        if isinstance(inner.call, Needs):
            yield inner.call.permission
        yield from _permissions(inner)
