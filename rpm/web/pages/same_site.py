"""Other sites cannot act for a person: requests that change something must come from our pages.

Owns the check and the route class of every page. Does not own sign-ins. A browser tells where a
request comes from in ``Sec-Fetch-Site``; one that does not must name our own address in ``Origin``.
"""

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from rpm.errors import NotAllowed

SAFE_METHODS = frozenset({"GET", "HEAD"})


class PageRoute(APIRoute):
    """A route of a page: whatever is unsafe is refused unless it comes from a page of ours."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As the base class, after the check: before any body is read or person looked up."""
        answer_of = super().get_route_handler()

        async def answer(request: Request) -> Response:
            if request.method not in SAFE_METHODS:
                refuse_other_sites(request)
            return await answer_of(request)

        return answer


def refuse_other_sites(request: Request) -> None:
    """``NotAllowed`` unless the request comes from a page of this address."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site == "same-origin":
            return
    elif _is_own(request.headers.get("origin", ""), request.headers.get("host", "")):
        return
    raise NotAllowed("this form was not sent from a page of rpm-ledger: open the page again")


def _is_own(origin: str, host: str) -> bool:
    try:
        return bool(host) and urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False
