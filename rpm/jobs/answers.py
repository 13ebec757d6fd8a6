"""The job that fetches answers: every clearinghouse of every practice, one fetch of each at a time.

Owns when. Does not own fetching (``rpm.claim_exchange``), which also lets a place rest after
failures.
"""

from datetime import datetime

from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.claim_exchange import exchange_with, fetch_files
from rpm.jobs.work import for_each
from rpm.settings import Settings
from rpm.store.engine import reading, within
from rpm.store.queries.clearinghouses import clearinghouse_profiles
from rpm.store.scope import Scope


def fetch_answers(engine: Engine, settings: Settings, _now: datetime) -> str:
    """Fetch what waits at every clearinghouse, and post it."""
    problems = 0

    def fetch(actor: Actor) -> int:
        nonlocal problems
        with reading(within(engine, actor.organization_id)) as db:
            keys = list(clearinghouse_profiles(db, Scope.of(actor)))
        if not keys:
            return 0
        exchange, fetched = exchange_with(engine, settings), 0
        for key in keys:
            done = fetch_files(exchange, actor, key)
            fetched += len(done.new)
            problems += len(done.problems) + len(done.alarms)
        return fetched

    fetched, failed = for_each(engine, "fetch-answers", fetch)
    return f"{fetched} fetched, {problems} problems, {failed} failed"
