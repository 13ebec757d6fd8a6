"""The jobs that fetch: what notifications and the night ask for, account by account.

Owns when accounts are asked for and for how long a run of the job goes on. Does not own fetching
(``rpm.pull``). What is left when the time is up is first in the next run.
"""

import time
from datetime import datetime

from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.actions.pull_accounts import ask_all, ask_streams, ask_where_notified
from rpm.clock import clock_for
from rpm.jobs.work import for_each
from rpm.keys import load_keys
from rpm.pull import Pulling, outgoing_client
from rpm.settings import Settings
from rpm.store.engine import reading, transaction, within
from rpm.store.queries.pulls import applications, due_accounts
from rpm.store.scope import Scope

_LONGEST_SECONDS = 120.0


def ask_every_account(engine: Engine, _settings: Settings, now: datetime) -> str:
    """Ask for a fetch of every account, so that a lost notification costs a day at most."""

    def ask(actor: Actor) -> int:
        with transaction(within(engine, actor.organization_id)) as db:
            return ask_all(db, Scope.of(actor), now)

    asked, failed = for_each(engine, "nightly-pull", ask)
    return f"{asked} asked for, {failed} failed"


def pull_due(engine: Engine, settings: Settings, now: datetime) -> str:
    """Fetch what was asked for, by a notification, by the night or by hand; hear the streams."""
    ring, until = load_keys(settings).field_encryption, time.monotonic() + _LONGEST_SECONDS
    with_problems = 0

    def fetch(actor: Actor) -> int:
        nonlocal with_problems
        scope, own = Scope.of(actor), within(engine, actor.organization_id)
        with reading(own) as db:
            if not applications(db, scope):
                return 0
        with transaction(own) as db:
            ask_where_notified(db, scope, now)
            ask_streams(db, scope, now)
        with reading(own) as db:
            due = [account.id for account in due_accounts(db, scope, now)]
        if not due:
            return 0
        fetched = 0
        with outgoing_client() as client:
            pulling = Pulling(own, ring, clock_for(engine), client)
            for account_id in due:
                if time.monotonic() > until:
                    break
                with_problems += bool(pulling.run(scope, account_id).problem)
                fetched += 1
        return fetched

    fetched, failed = for_each(engine, "pull-due", fetch)
    return f"{fetched} fetched, {with_problems} with problems, {failed} failed"
