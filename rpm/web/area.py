"""Area routers: a router that is passed by at once where an address cannot be one of its own.

Owns how a request finds its area. Does not own addresses. Routers are tried one after another and
each tries its routes' patterns; with hundreds of routes that was most of the way of a quick
request. Every pattern begins with plain text up to its first parameter, so one comparison with
these beginnings tells that none can fit.
"""

from fastapi import APIRouter
from starlette.routing import Match
from starlette.types import Scope


class AreaRouter(APIRouter):
    """A router that looks at its routes only for addresses that begin as one of them does.

    Its prefix is its own: include it in an application without another one.
    """

    _counted = -1
    _beginnings: tuple[str, ...] = ()

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As the base class; an application below another address is matched route by route."""
        if not scope.get("root_path") and not scope["path"].startswith(self._plain_beginnings()):
            return Match.NONE, {}
        return super().matches(scope)

    def _plain_beginnings(self) -> tuple[str, ...]:
        """What the addresses of all routes begin with; anything where one is no plain route."""
        if self._counted != len(self.routes):
            paths = {str(getattr(route, "path", "{")) for route in self.routes}
            self._beginnings = tuple({path.partition("{")[0] for path in paths})
            self._counted = len(self.routes)
        return self._beginnings
