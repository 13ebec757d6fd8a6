"""The routers of the application, one module for each area.

Owns the list. A new area adds its module here, one line, in alphabetical order; ``silence`` comes
first because its address would otherwise be taken for the id of a device.
"""

from fastapi import APIRouter

from rpm.web.routes import (
    access,
    admin,
    alerts,
    closes,
    coding,
    coding_records,
    connections,
    device_moves,
    devices,
    differences,
    endpoints,
    episodes,
    evidence,
    fhir,
    health,
    interactions,
    inventory,
    landing,
    ledger,
    limits,
    patients,
    pull_accounts,
    readiness,
    readings,
    rules,
    services,
    silence,
    timers,
    webhooks,
)

ROUTERS: tuple[APIRouter, ...] = (
    webhooks.router,  # asked most: routes are tried in this order
    silence.router,
    access.router,
    admin.router,
    alerts.router,
    closes.router,
    coding.router,
    coding_records.router,
    connections.router,
    device_moves.router,
    devices.router,
    differences.router,
    endpoints.router,
    episodes.router,
    evidence.router,
    fhir.router,
    health.router,
    interactions.router,
    inventory.router,
    landing.router,
    ledger.router,
    limits.router,
    patients.router,
    pull_accounts.router,
    readiness.router,
    readings.router,
    rules.router,
    services.router,
    timers.router,
)
