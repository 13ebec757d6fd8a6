"""Asking the running application: one signed-in client on a loaded practice.

Owns the client, what it asks and the bare statement that a page is measured beside. The
application runs in this process; no network is between.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import structlog
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from benchmarks.load import LoadedPractice, served_settings
from rpm.web.app import create_app

PAGE_ROWS = 50
READINESS = f"/v1/readiness?state=short&ladder=management&sort=still_needed&limit={PAGE_ROWS}"
_BARE_PAGE = """
SELECT r.*, p.family_name, p.given_name, p.record_number
FROM readiness_row r
JOIN patient p ON p.organization_id = r.organization_id AND p.id = r.patient_id
WHERE r.organization_id = '{organization}' AND r.state = 'short' AND r.ladder = 'management'
ORDER BY r.still_needed, r.patient_id, r.position
LIMIT {rows}
"""


@dataclass(frozen=True)
class StandingClock:
    """A clock that stands still."""

    instant: datetime

    def now(self) -> datetime:
        """The instant."""
        return self.instant


@dataclass(frozen=True)
class Asker:
    """A client with a token of the practice."""

    client: TestClient
    practice: LoadedPractice

    def get(self, address: str) -> Any:
        """The body of an answer."""
        return self._body(self.client.get(address, headers=self._headers))

    def post(self, address: str, body: dict[str, Any]) -> Any:
        """The body of an answer."""
        return self._body(self.client.post(address, headers=self._headers, json=body))

    def readiness(self) -> Any:
        """The first page of those whose minutes earn no code yet, nearest first."""
        return self.get(READINESS)

    def by_name(self, beginning: str) -> Any:
        """A page of patients by the beginning of their family name."""
        address = f"/v1/patients/search?limit={PAGE_ROWS}"
        return self.post(address, {"family_name": beginning})

    def log_entry(self, patient_id: str) -> Any:
        """Log ten minutes of work for a patient, so that one patient's facts have changed."""
        return self.post(
            "/v1/entries",
            {
                "client_id": str(uuid4()),
                "patient_id": patient_id,
                "role": "rn",
                "work": "RPM",
                "mode": "live",
                "local_day": self.practice.now.date().isoformat(),
                "duration_seconds": 600,
                "activity": "call",
            },
        )

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.practice.token}"}

    def _body(self, answer: Any) -> Any:
        if not answer.is_success:
            raise AssertionError(f"{answer.request.url.path}: {answer.status_code} {answer.text}")
        return answer.json()


@contextmanager
def asking(practice: LoadedPractice) -> Iterator[Asker]:
    """The application on the practice's database, and a client of it."""
    app = create_app(served_settings(practice), StandingClock(practice.now))
    with quiet(), TestClient(app) as client:
        yield Asker(client, practice)


@contextmanager
def quiet() -> Iterator[None]:
    """Without a line in the log for every request: hundreds would bury the figures."""
    kept = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        yield
    finally:
        structlog.configure(**kept)


def bare_page(engine: Engine, organization_id: UUID) -> Callable[[], list[Any]]:
    """The page's statement on the driver itself: no application, no objects."""
    organization = organization_id.hex if engine.dialect.name == "sqlite" else str(organization_id)
    statement = _BARE_PAGE.format(organization=organization, rows=PAGE_ROWS + 1)

    def page() -> list[Any]:
        connection = engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(statement)
            return list(cursor.fetchall())
        finally:
            connection.close()

    return page
