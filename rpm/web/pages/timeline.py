"""The timeline of a patient's month: every fact of it, also what was taken back or left out.

Owns which facts are told and their words. Does not own what counts (``billing.ledger``). Nothing
that was reversed or excluded is hidden: it is told with its reason.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from uuid import UUID

from sqlmodel import Session, col

from billing.ledger.left_out import REASON_WORDS
from rpm.clock import local_day
from rpm.store.day_readings import DayReading
from rpm.store.queries.alerts import AlertFilter, list_alerts
from rpm.store.queries.entries import entries_page
from rpm.store.queries.episodes import (
    EpisodeState,
    associations,
    consents_of,
    gates_of,
    setups_of,
)
from rpm.store.queries.people import coverages_of
from rpm.store.queries.services import services_page
from rpm.store.scope import Scope
from rpm.store.tables.ledger import InteractionEntry
from rpm.store.tables.monitoring import Device, ReadingExclusion
from rpm.store.tables.people import Payer
from rpm.web.pages.alert_words import alert_words

_MOST = 500
"""Facts of one kind in a month at most; there are never nearly as many."""


@dataclass(frozen=True)
class Happening:
    """A fact of a day; ``gone`` tells why it no longer counts, empty while it stands."""

    day: date
    second: int  # of the day, for the order; -1 where only the day is known
    what: str
    by: str = ""
    gone: str = ""


@dataclass(frozen=True)
class Told:
    """What the timeline is made of, as far as who looks may see it."""

    patient_id: UUID
    zone: str  # the practice's
    days: tuple[date, date]
    states: Sequence[EpisodeState]
    readings: Sequence[DayReading]
    has_entries: bool
    has_readings: bool


def timeline(db: Session, scope: Scope, told: Told) -> list[Happening]:
    """All of it, the latest first."""
    found = [*_papers(db, scope, told), *_services(db, scope, told)]
    if told.has_entries:
        found += _entries(db, scope, told)
    if told.has_readings:
        found += [*_readings(db, scope, told), *_alerts(db, scope, told)]
    inside = [one for one in found if told.days[0] <= one.day <= told.days[1]]
    return sorted(inside, key=lambda one: (one.day, one.second), reverse=True)


def _entries(db: Session, scope: Scope, told: Told) -> Iterator[Happening]:
    first, last = told.days
    rows = entries_page(
        db, scope, patient_id=told.patient_id, from_day=first, to_day=last, limit=_MOST
    )
    taken_back = {row.reverses_id: row for row in rows if row.reverses_id is not None}
    for row in rows:
        if row.reverses_id is not None:
            continue
        reversal = taken_back.get(row.id)
        gone = "" if reversal is None else f"taken back by {reversal.actor_name}: {reversal.reason}"
        second = -1 if row.start_second is None else row.start_second
        yield Happening(row.local_day, second, _entry_words(row), row.actor_name, gone)


def _entry_words(row: InteractionEntry) -> str:
    minutes, seconds = divmod(row.duration_seconds, 60)
    length = f"{minutes} min" + (f" {seconds} s" if seconds else "")
    mode = "live contact" if row.mode == "live" else row.mode.replace("_", " ")
    return f"{length} of {row.work}, {mode}, {row.origin}: {row.activity}"


def _readings(db: Session, scope: Scope, told: Told) -> Iterator[Happening]:
    reasons = _exclusions(db, scope, [one.reading.id for one in told.readings])
    for day, of_day in groupby(told.readings, lambda one: one.reading.local_day):
        if day is None:
            continue
        rows = list(of_day)
        good = [one for one in rows if not one.word]
        if good:
            kinds = dict.fromkeys(one.reading.measure.replace("_", " ") for one in good)
            yield Happening(day, -1, f"{_count(good)} ({', '.join(kinds)})")
        for word in dict.fromkeys(one.word for one in rows if one.word):
            mine = [one for one in rows if one.word == word]
            told_reasons = dict.fromkeys(
                reasons[one.reading.id] for one in mine if one.reading.id in reasons
            )
            why = "; ".join(told_reasons) or REASON_WORDS.get(word, word)
            yield Happening(day, -1, _count(mine), gone=f"does not count: {why}")


def _count(rows: Sequence[DayReading]) -> str:
    return f"{len(rows)} reading{'' if len(rows) == 1 else 's'}"


def _exclusions(db: Session, scope: Scope, reading_ids: Sequence[UUID]) -> dict[UUID, str]:
    rows = scope.all_of(
        db,
        ReadingExclusion,
        col(ReadingExclusion.reading_id).in_(reading_ids),
        col(ReadingExclusion.lifts_id).is_(None),
    )
    return {row.reading_id: row.reason for row in rows}


def _alerts(db: Session, scope: Scope, told: Told) -> Iterator[Happening]:
    chosen = AlertFilter(patient_id=told.patient_id)
    for state in list_alerts(db, scope, chosen, after=None, limit=_MOST):
        alert = state.alert
        yield Happening(
            local_day(alert.told_from, told.zone),
            -1,
            f"{alert.band} {alert.level}: {alert_words(alert)}, {state.state}",
        )


def _services(db: Session, scope: Scope, told: Told) -> Iterator[Happening]:
    rows = services_page(
        db,
        scope,
        patient_id=told.patient_id,
        from_day=told.days[0],
        to_day=told.days[1],
        limit=_MOST,
    )
    taken_back = {row.reverses_id for row in rows if row.reverses_id is not None}
    for row in rows:
        if row.reverses_id is None:
            whose = "own service" if row.own else "service of another practice"
            gone = "taken back" if row.id in taken_back else ""
            yield Happening(row.service_day, -1, f"{whose} {row.code}", gone=gone)


def _papers(db: Session, scope: Scope, told: Told) -> Iterator[Happening]:
    for state in told.states:
        yield from _of_episode(db, scope, told, state)
    payers = {row.id: row.name for row in scope.all_of(db, Payer)}
    for coverage in coverages_of(db, scope, told.patient_id):
        name = payers[coverage.coverage.payer_id]
        yield Happening(coverage.coverage.from_day, -1, f"coverage by {name} begins")
        if coverage.last_day is not None:
            yield Happening(coverage.last_day, -1, f"coverage by {name} ends")


def _of_episode(db: Session, scope: Scope, told: Told, state: EpisodeState) -> Iterator[Happening]:
    episode = state.episode
    yield Happening(episode.opened_day, -1, f"enrolled in {episode.program}")
    if state.last_day is not None:
        why = state.end_reason.replace("_", " ")
        yield Happening(state.last_day, -1, f"last day in {episode.program}: {why}")
    if episode.order_day is not None:
        yield Happening(episode.order_day, -1, f"ordered for {', '.join(episode.diagnosis_codes)}")
    for consent in consents_of(db, scope, episode.id):
        row = consent.consent
        yield Happening(row.consent_day, -1, f"consent, {row.mode}", row.taken_by)
        if consent.last_day is not None:
            yield Happening(consent.last_day + timedelta(days=1), -1, "consent no longer holds")
    for gate in gates_of(db, scope, episode.id):
        yield Happening(gate.from_day, -1, f"{gate.gate} from here on")
    for setup in setups_of(db, scope, episode.id):
        yield Happening(setup.setup_day, -1, "device set up and its use taught", setup.trained_by)
    for one in associations(db, scope, episode_id=episode.id):
        device = scope.get(db, Device, one.association.device_id)
        name = " ".join(part for part in (device.make, device.model) if part) or device.kind
        yield Happening(local_day(one.association.from_at, told.zone), -1, f"{name} handed out")
        if one.to_at is not None:
            day = local_day(one.to_at, told.zone)
            yield Happening(day, -1, f"{name} back: {one.end_reason}")
