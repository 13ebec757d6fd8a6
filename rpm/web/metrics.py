"""What the process counts: requests by route template, and facts by kind when they are committed.

Owns the registry of one application. Does not own any figure of the ledger. A label is a route
template, a method, a status or a word of ours: never an id, a path or a name.
"""

from fastapi.responses import Response
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

from rpm.store.insertion import forget_inserted, inserted

_COUNTED = {
    "delivery": ("deliveries", "Deliveries stored."),
    "reading": ("readings", "Readings stored, counting or not."),
    "interaction_entry": ("entries", "Interaction entries stored, reversals included."),
    "close": ("closes", "Months closed."),
}
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The counters of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=True)
        self._seconds = Histogram(
            "rpm_ledger_request_seconds",
            "Time to answer, by route template.",
            ("method", "route", "status"),
            registry=self._registry,
            buckets=_SECONDS,
        )
        self._facts = {
            table: Counter(f"rpm_ledger_{name}", text, registry=self._registry)
            for table, (name, text) in _COUNTED.items()
        }

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._seconds.labels(method, route, str(status)).observe(seconds)

    def committed(self, table: str, count: int) -> None:
        """Count facts that are now recorded."""
        self._facts[table].inc(count)

    def watch(self, engine: Engine) -> None:
        """Count what any transaction of this engine inserts, once it is committed."""
        event.listen(engine, "begin", forget_inserted)

        @event.listens_for(engine, "commit")
        def _count(connection: Connection) -> None:
            for table, count in inserted(connection).items():
                if table in self._facts:
                    self.committed(table, count)

    def response(self) -> Response:
        """The counters in Prometheus text format."""
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)
