"""Published starting points: what others publish, none of it a recommendation.

Owns reading the page that ships beside this file. Adopting one is an action of a practice
(``rpm.actions.manage_limits``); none holds by itself.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from devices.alerts.limits import Band, Limit, kept_value, limit_problem


@dataclass(frozen=True)
class Source:
    """Where a point was read."""

    key: str
    title: str
    url: str


@dataclass(frozen=True)
class Point:
    """A published limit as written there; ``band`` is None where the source names none."""

    key: str
    limit: Mapping[str, Any]
    band: Band | None
    source: Source
    confidence: str
    note: str

    @property
    def value(self) -> str:
        """The number as published."""
        return str(self.limit["value"])

    @property
    def unit(self) -> str:
        """Its unit as published."""
        return str(self.limit["unit"])

    def as_limit(self, band: str, **changes: Any) -> Limit:
        """The point as a limit in kept units, in a band of the practice's choice."""
        fields = {**self.limit, "value": Decimal(self.value), "band": band, **changes}
        return kept_value(Limit(**fields))


@dataclass(frozen=True)
class PointsPage:
    """The page: its id, what it says of itself, and its points by key."""

    id: str
    status: str
    read_on: date
    points: Mapping[str, Point]


@cache
def published_points() -> PointsPage:
    """The shipped page; ``ValueError`` where it is wrong, which a test would have told."""
    text = files("devices.alerts").joinpath("points.toml").read_text(encoding="utf-8")
    page = tomllib.loads(text)
    sources = {key: Source(key, **told) for key, told in page["sources"].items()}
    points = {told["key"]: _point(dict(told), sources) for told in page["point"]}
    if len(points) != len(page["point"]):
        raise ValueError("a key stands twice")
    return PointsPage(page["id"], page["status"], page["read_on"], points)


def _point(told: dict[str, Any], sources: Mapping[str, Source]) -> Point:
    point = Point(
        key=told.pop("key"),
        band=told.pop("band", None),
        source=sources[told.pop("source")],
        confidence=told.pop("confidence"),
        note=told.pop("note", ""),
        limit={"subject": "reading", **told},
    )
    problem = limit_problem(point.as_limit(point.band or "red"))
    if problem is not None:
        raise ValueError(f"{point.key}: {problem}")
    return point
