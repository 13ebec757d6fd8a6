"""The routers of the application, one module for each area.

Owns the list. A new area adds its module here, one line, in alphabetical order; ``silence`` comes
first because its address would otherwise be taken for the id of a device.
"""

from fastapi import APIRouter

from rpm.web.routes import (
    access,
    admin,
    connections,
    devices,
    episodes,
    health,
    interactions,
    patients,
    readings,
    services,
    silence,
    webhooks,
)

ROUTERS: tuple[APIRouter, ...] = (
    silence.router,
    access.router,
    admin.router,
    connections.router,
    devices.router,
    episodes.router,
    health.router,
    interactions.router,
    patients.router,
    readings.router,
    services.router,
    webhooks.router,
)
