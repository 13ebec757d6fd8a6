"""The application: routes, guards and handlers put together.

Owns the assembly. Importing it has no effect; connections open when the application starts and
close when it stops.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware import Middleware

import rpm
from rpm.clock import Clock
from rpm.settings import Settings
from rpm.web import openapi
from rpm.web.frame import Frame
from rpm.web.guard import BodyGuard
from rpm.web.metrics import Metrics
from rpm.web.pages.listed import PAGES, page_paths, static_files
from rpm.web.pages.problem_page import PAGE_HANDLERS, last_resort
from rpm.web.routes import ROUTERS
from rpm.web.running import start, stop


def create_app(settings: Settings, clock: Clock | None = None) -> FastAPI:
    """The application for these settings, by the database's own clock unless another is given.

    ``NotReady`` at its start names what is missing.
    """
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        running = start(settings, clock)
        metrics.watch(running.engine)
        app.state.running = running
        try:
            yield
        finally:
            await running.deliveries.settle()
            await running.trail.settle()
            stop(running)

    app = openapi.DescribedApi(
        title="rpm-ledger",
        version=rpm.__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        exception_handlers=dict(PAGE_HANDLERS),
        middleware=[
            Middleware(Frame, metrics=metrics, last_resort=last_resort),
            Middleware(
                BodyGuard,
                limit_bytes=settings.body_limit_bytes,
                timeout_seconds=settings.body_timeout_seconds,
            ),
        ],
    )
    app.state.metrics = metrics
    app.state.page_paths = page_paths()
    app.state.move_demo = None  # who serves a demo puts it here
    for router in (*ROUTERS, *PAGES):  # pages last: the API and the vendors are asked more often
        app.include_router(router)
    app.mount("/static", static_files(), name="static")
    return app
