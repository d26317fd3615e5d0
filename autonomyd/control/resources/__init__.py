"""The routes, one file a resource; a new one is one file and one line here."""

from autonomyd.control.resource import Route
from autonomyd.control.resources import (
    checks,
    config,
    discovery,
    events,
    fixes,
    goals,
    health,
    issues,
    logs,
    metrics,
    openapi,
    pause,
    services,
)

ROUTES: tuple[Route, ...] = (
    *health.ROUTES,
    *metrics.ROUTES,
    *services.ROUTES,
    *issues.ROUTES,
    *fixes.ROUTES,
    *goals.ROUTES,
    *pause.ROUTES,
    *checks.ROUTES,
    *discovery.ROUTES,
    *config.ROUTES,
    *logs.ROUTES,
    *events.ROUTES,
    *openapi.ROUTES,
)
