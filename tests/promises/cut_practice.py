"""The practice whose work is cut, prepared by a test on its database."""

from datetime import date
from pathlib import Path
from uuid import uuid4

from cut_place import FEBRUARY, JANUARY, Prepared
from intake_door import Door
from ledger_practice import days
from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.actions.close_month import CloseMonth, close_month
from rpm.settings import Settings
from rpm.store.engine import transaction


def prepared(
    engine: Engine, settings: Settings, actor: Actor, folder: Path, *, closed: bool = False
) -> Prepared:
    """A patient with a month of readings and work; closed already if asked for."""
    door = Door(engine, settings, actor, FEBRUARY)
    patient_id, episode_id = door.practice.enrolled(opened_day=JANUARY)
    door.assign(door.device(), patient_id, episode_id)
    door.practice.readings(patient_id, episode_id, days(JANUARY, 20))
    door.practice.entry(patient_id, episode_id, date(2026, 1, 8), 1_200)
    close_id = ""
    if closed:
        with transaction(engine) as db:
            close = close_month(db, actor, FEBRUARY, CloseMonth(month="2026-01")).close
        close_id = str(close.id)
    engine.dispose()
    keys = {
        name: getattr(settings, name).get_secret_value()
        for name in ("secret_key", "audit_key", "field_key")
    }
    return Prepared(
        database_url=settings.database_url,
        organization_id=str(actor.organization_id),
        user_id=str(actor.user_id),
        patient_id=str(patient_id),
        folder=str(folder / f"tries-{uuid4().hex}"),  # tests run beside each other
        token=door.token,
        secret=door.secret,
        close_id=close_id,
        **keys,
    )
