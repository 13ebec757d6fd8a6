"""What the jobs of alerts do, organization by organization.

Owns the words of each result. Does not own what is looked at and told (``rpm.actions``).
"""

from datetime import datetime

from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.actions.answer_alert import escalate_alerts
from rpm.actions.billed_changes import watch_billed as look_for_losses
from rpm.actions.evaluate_alerts import evaluate_alerts
from rpm.actions.watch_silence import watch_silence as look_for_silence
from rpm.jobs.work import for_each
from rpm.settings import Settings


def watch_alerts(engine: Engine, _settings: Settings, now: datetime) -> str:
    """Hold what was recorded since the last look against the limits, and tell who is next."""

    def look(actor: Actor) -> int:
        return len(evaluate_alerts(engine, actor, now))

    def escalate(actor: Actor) -> int:
        return len(escalate_alerts(engine, actor, now))

    opened, failed = for_each(engine, "watch-alerts", look)
    told, failed_too = for_each(engine, "watch-alerts", escalate)
    return f"{opened} opened, {told} escalated, {failed + failed_too} failed"


def watch_billed(engine: Engine, _settings: Settings, now: datetime) -> str:
    """Look for billed lines that late facts take back, so that a person sees it before a close."""

    def look(actor: Actor) -> int:
        return len(look_for_losses(engine, actor, now))

    opened, failed = for_each(engine, "watch-billed", look)
    return f"{opened} opened, {failed} failed"


def watch_silence(engine: Engine, _settings: Settings, now: datetime) -> str:
    """Look for missed readings, thresholds about to be lost, and devices that are low or silent."""

    def look(actor: Actor) -> int:
        return len(look_for_silence(engine, actor, now))

    opened, failed = for_each(engine, "watch-silence", look)
    return f"{opened} opened, {failed} failed"
