"""The job that asks payers about enrolled patients, for practices that chose how often.

Owns when, and for whom. Does not own asking (``rpm.actions.ask_eligibility``) nor sending: the file
waits for a person as every file to a clearinghouse does.
"""

from datetime import datetime

from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.actions.ask_eligibility import ask_eligibility
from rpm.actions.set_practice_setting import ASK_ELIGIBILITY_DAYS, OFF
from rpm.jobs.work import for_each
from rpm.settings import Settings
from rpm.store.engine import reading, transaction, within
from rpm.store.queries.clearinghouses import clearinghouse_profiles
from rpm.store.queries.people import practice_settings
from rpm.store.scope import Scope


def ask_due(engine: Engine, _settings: Settings, now: datetime) -> str:
    """A file of inquiries for each practice that wants it and has one clearinghouse."""

    def ask(actor: Actor) -> int:
        own = within(engine, actor.organization_id)
        with reading(own) as db:
            scope = Scope.of(actor)
            chosen = practice_settings(db, scope).get(ASK_ELIGIBILITY_DAYS)
            houses = list(clearinghouse_profiles(db, scope))
        if chosen is None or chosen.value == OFF or len(houses) != 1:
            return 0
        with transaction(own) as db:
            return ask_eligibility(db, actor, now, houses[0], again_days=int(chosen.value)).count

    done, failed = for_each(engine, "ask-eligibility", ask)
    return f"{done} asked about, {failed} failed"
