"""The routers of the application, one module for each area.

Owns the list. A new area adds its module here, one line, in alphabetical order.
"""

from fastapi import APIRouter

from rpm.web.routes import (
    health,
)

ROUTERS: tuple[APIRouter, ...] = (health.router,)
