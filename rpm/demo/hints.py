"""Hints: where the running demo is, and requests to try, ready for a shell.

Owns the text. Does not own what the requests do. They hold the tokens of the demo's invented users.
"""

import shlex
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import col

from rpm.demo.memory import Memory
from rpm.demo.play import Demo, actor_of
from rpm.demo.practice import ADMIN, BILLER, NORA, WORKERS, ZONE
from rpm.store.engine import reading
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Posting

TWENTY, GOOD = "CG-0001", "CG-0002"
_TWO_MINUTES = "00000000-0000-4000-8000-000000000020"


def hints(demo: Demo, url: str, program: str) -> Iterator[str]:
    """What to look at and to try; ``program`` is how this command is called."""
    local = demo.clock.now().astimezone(ZoneInfo(ZONE))
    yield f"The demo's clock stands at {local:%Y-%m-%d %H:%M} in {ZONE}; it is moved by hand only."
    yield ""
    yield f"  {url}/          the pages: sign in as below"
    yield f"  {url}/docs      every operation of the API"
    yield f"  {url}/readyz    can it work"
    yield ""
    yield "For a shell, the tokens of invented users:"
    yield ""
    yield f"  URL={url}"
    for worker in (ADMIN, *WORKERS):
        token = demo.memory[f"token:{worker.key}"]
        yield f"  {worker.key.upper()}={token}  # {worker.name}"
    if f"episode:{GOOD}" in demo.memory:
        yield from _requests(demo, local)
    yield ""
    yield "Move the clock, in another terminal; a month that is over is closed on the way:"
    yield ""
    yield f"  {program} demo advance {_next_month(local.date()) + timedelta(days=1)}"


def _requests(demo: Demo, local: datetime) -> Iterator[str]:
    """Requests about two patients, for a shell that knows the tokens."""
    memory, event = demo.memory, _explained_event(demo)
    yield f"  THEA={memory[f'patient:{TWENTY}']}"
    if event is not None:
        yield f"  EVENT={event}"
    yield ""
    yield "Who is close to a threshold, one patient's progress, an event explained:"
    yield ""
    yield f"  {_get(NORA.key, '/v1/readiness?state=short&limit=5')}"
    yield f"  {_get(NORA.key, '/v1/patients/$THEA/progress')}"
    if event is not None:
        yield f"  {_get(BILLER.key, '/v1/events/$EVENT/explanation')}"
    yield ""
    yield "Thea Twenty has 18 of 20 minutes in February. What if there were two more?"
    yield ""
    yield f"  {_post(BILLER.key, '/v1/what-if', _what_if(memory, local.date()))}"
    yield ""
    yield "Log them, and ask for her progress again:"
    yield ""
    began = (demo.clock.now() - timedelta(minutes=5)).isoformat().replace("+00:00", "Z")
    yield f"  {_post(NORA.key, '/v1/entries', _entry(began))}"


def _explained_event(demo: Demo) -> str | None:
    """The key of the last management line that was posted for a patient, if there is one."""
    scope = Scope.of(actor_of(demo))
    with reading(demo.engine) as db:
        posted = db.exec(
            scope.rows(Posting)
            .where(
                col(Posting.patient_id) == UUID(demo.memory[f"patient:{GOOD}"]),
                col(Posting.code) == "99457",
            )
            .order_by(col(Posting.audit_number).desc())
        ).first()
    return None if posted is None else posted.key


def _what_if(memory: Memory, day: date) -> str:
    """Two more minutes today, seen from the day after the month."""
    episode_id, as_of = memory[f"episode:{TWENTY}"], _next_month(day)
    entry = f'{{"episode_id":"{episode_id}","day":"{day}","duration_seconds":120}}'
    return f'{{"patient_id":"$THEA","as_of":"{as_of}","add_entries":[{entry}]}}'


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


def _entry(began: str) -> str:
    return (
        f'{{"client_id":"{_TWO_MINUTES}","patient_id":"$THEA","role":"rn","work":"RPM",'
        f'"mode":"live","started_at":"{began}","duration_seconds":120,'
        '"activity":"call about readings"}'
    )


def _get(by: str, path: str) -> str:
    return f'curl -s -H "Authorization: Bearer ${by.upper()}" "$URL{path}"'


def _post(by: str, path: str, body: str) -> str:
    quoted = shlex.quote(body).replace("$THEA", "'$THEA'")
    return (
        f'curl -s -H "Authorization: Bearer ${by.upper()}"'
        f' -H "Content-Type: application/json" -d {quoted} "$URL{path}"'
    )
