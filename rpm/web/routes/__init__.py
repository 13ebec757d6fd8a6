"""The routers of the application, one module for each area.

Owns the list. A new area adds its module here, one line, in alphabetical order; ``silence`` comes
first because its address would otherwise be taken for the id of a device.
"""

from fastapi import APIRouter

from rpm.web.routes import (
    connections,
    health,
    readings,
    silence,
    webhooks,
)

ROUTERS: tuple[APIRouter, ...] = (
    silence.router,
    connections.router,
    health.router,
    readings.router,
    webhooks.router,
)
