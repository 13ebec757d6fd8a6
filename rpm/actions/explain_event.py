"""Explain an event: from its key, or from a posting, to the facts and the rule behind it.

Owns the resolving of the ledger's rows to recorded facts. Does not own which facts decide
(``billing.ledger.explain``). Changes nothing.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlmodel import Session, col

from billing.days import FAR_DAY, day_date, day_number
from billing.ledger.explain import EventKey, explain
from billing.ledger.explain import Explanation as Evidenced
from billing.ledger.facts import GATES, KINDS, REFUSED
from billing.rules.book import RuleBook
from billing.rules.references import SourceEntry
from rpm.actions.explanation import (
    ConsentEvidence,
    CoverageEvidence,
    EntryEvidence,
    Explanation,
    FactsOfEvent,
    GateEvidence,
    OrderEvidence,
    ReadingEvidence,
    RuleEvidence,
    SourceEvidence,
)
from rpm.actions.seen_from import SeenFrom, seen_by_close
from rpm.errors import NotFound
from rpm.store.day_readings import day_readings
from rpm.store.event_keys import NamedEvent, named_event
from rpm.store.evidence import EventSpan, Evidence
from rpm.store.fact_rows import FactReader
from rpm.store.facts import LoadedFacts, facts_of
from rpm.store.rule_books import book_of
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close, InteractionEntry, Posting
from rpm.store.tables.monitoring import Consent, Episode


def explain_posting(db: Session, scope: Scope, posting_id: UUID) -> Explanation:
    """A posted event as the close that issued it saw it; a reversal explains what it reverses."""
    posting = scope.get(db, Posting, posting_id)
    issue = db.exec(
        scope.rows(Posting).where(
            col(Posting.key) == posting.key,
            col(Posting.ordinal) == posting.ordinal,
            col(Posting.sign) == 1,
        )
    ).one()
    close = scope.get(db, Close, issue.close_id)
    return explain_event(db, scope, named_event(posting.key), seen_by_close(close))


def explain_event(db: Session, scope: Scope, named: NamedEvent, seen: SeenFrom) -> Explanation:
    """The facts behind an event; ``NotFound`` when facts and rules as seen do not give it."""
    patient_id = _patient_of(db, scope, named)
    book = book_of(db, scope.organization_id, seen.until_audit_number)
    loaded = facts_of(
        db,
        scope.organization_id,
        book,
        patients=[patient_id],
        until_audit_number=seen.until_audit_number,
    )
    found = _evidenced(loaded, book, named, seen)
    if found is None:
        raise NotFound("the facts and rules do not give this event")
    episode_id = _episode_of(loaded, named, found)
    reader = FactReader(db, scope.organization_id, [patient_id], seen.until_audit_number)
    facts = FactsOfEvent(
        readings=_readings(reader, loaded, found),
        entries=_entries(db, scope, loaded, found),
        consents=_consents(db, scope, episode_id, found, seen),
        order=_order(scope.get(db, Episode, episode_id)),
        gates=_gates(loaded, found.gate_rows),
        coverage=_coverage(loaded, found.coverage_rows),
        rule=_rule(book, found),
    )
    span = EventSpan(
        subject=named.subject,
        episode=loaded.episode_row(episode_id),
        patient=loaded.patient_row(patient_id),
        start_day=found.period_start_day,
        end_day=found.period_end_day,
    )
    return Explanation(
        key=named.key,
        patient_id=patient_id,
        code=found.code,
        label=found.rules.codes[found.code].label,
        units=found.units,
        service_day=day_date(found.service_day),
        period_start_day=day_date(found.period_start_day),
        period_end_day=day_date(found.period_end_day),
        measure=found.measure,
        amount=found.amount,
        counted_days=[day_date(day) for day in found.counted_days],
        facts=facts,
        findings=list(found.findings),
        as_of=seen.as_of,
        known_day=seen.known_day,
        known_audit_number=seen.until_audit_number,
        digest=facts.digest,
        evidence_digest=Evidence(loaded).digest(span, found.rules.digest),
    )


def _patient_of(db: Session, scope: Scope, named: NamedEvent) -> UUID:
    if named.subject == "patient":
        return named.subject_id
    return scope.get(db, Episode, named.subject_id).patient_id


def _evidenced(
    loaded: LoadedFacts, book: RuleBook, named: NamedEvent, seen: SeenFrom
) -> Evidenced | None:
    known = loaded.episode_ids if named.subject == "episode" else loaded.patient_ids
    if named.subject_id not in known:
        return None
    key = EventKey(
        subject=named.subject,
        subject_row=known.index(named.subject_id),
        code=named.code,
        period_start_day=day_number(named.period_start_day),
    )
    return explain(loaded.facts, book, seen.as_of, seen.known_day, key)


def _episode_of(loaded: LoadedFacts, named: NamedEvent, found: Evidenced) -> UUID:
    """The window's episode; of a month, the one whose gates were asked."""
    if named.subject == "episode":
        return named.subject_id
    frame, rows = loaded.facts.gates, found.gate_rows
    if not rows:
        frame, rows = loaded.facts.entries, found.entry_rows
    return loaded.episode_ids[int(frame["episode"].to_numpy()[rows[-1]])]


def _readings(reader: FactReader, loaded: LoadedFacts, found: Evidenced) -> list[ReadingEvidence]:
    if not found.device_day_rows:
        return []
    rows = loaded.facts.device_days.iloc[list(found.device_day_rows)]
    counted = {
        (day, KINDS[kind], REFUSED[reason])
        for day, kind, reason in zip(
            rows["day"].tolist(),
            rows["kind"].tolist(),
            rows["refused_reason"].tolist(),
            strict=True,
        )
    }
    episode_id = loaded.episode_ids[int(rows["episode"].iloc[0])]
    first, last = day_date(min(rows["day"])), day_date(max(rows["day"]))
    return [
        ReadingEvidence.model_validate(one.reading, from_attributes=True)
        for one in day_readings(reader, episode_id, first, last)
        if one.reading.local_day is not None
        and (day_number(one.reading.local_day), one.reading.kind, one.word) in counted
    ]


def _entries(
    db: Session, scope: Scope, loaded: LoadedFacts, found: Evidenced
) -> list[EntryEvidence]:
    frame = loaded.facts.entries
    numbers = frame["entry"].tolist()
    shared = {loaded.entry_id(numbers[row]) for row in found.entry_rows if frame["shared"][row]}
    live = {loaded.entry_id(numbers[row]) for row in found.live_entry_rows}
    wanted = {loaded.entry_id(numbers[row]) for row in found.entry_rows}
    rows = scope.all_of(db, InteractionEntry, col(InteractionEntry.id).in_(sorted(wanted)))
    return [
        EntryEvidence(
            **row.model_dump(include=_ENTRY_FIELDS), shared=row.id in shared, live=row.id in live
        )
        for row in sorted(rows, key=lambda row: (row.local_day, row.start_second or 0, row.id))
    ]


_ENTRY_FIELDS = set(EntryEvidence.model_fields) - {"shared", "live"}


def _consents(
    db: Session, scope: Scope, episode_id: UUID, found: Evidenced, seen: SeenFrom
) -> list[ConsentEvidence]:
    known: list[Any] = [col(Consent.episode_id) == episode_id]
    known.append(col(Consent.consent_day) <= day_date(found.service_day))
    if seen.until_audit_number is not None:
        known.append(col(Consent.audit_number) <= seen.until_audit_number)
    rows = scope.all_of(db, Consent, *known)
    return [ConsentEvidence.model_validate(row, from_attributes=True) for row in rows]


def _order(episode: Episode) -> OrderEvidence:
    return OrderEvidence(
        episode_id=episode.id,
        order_day=episode.order_day,
        ordering_npi=episode.ordering_npi,
        device_kind=episode.order_device_kind,
        diagnosis_codes=episode.diagnosis_codes,
    )


def _gates(loaded: LoadedFacts, rows: Sequence[int]) -> list[GateEvidence]:
    held = loaded.facts.gates.iloc[list(rows)]
    columns = (held[name].tolist() for name in ("gate", "from_day", "to_day"))
    return [
        GateEvidence(gate=GATES[gate], from_day=day_date(first), to_day=_last(last))
        for gate, first, last in sorted(zip(*columns, strict=True))
    ]


def _coverage(loaded: LoadedFacts, rows: Sequence[int]) -> list[CoverageEvidence]:
    held = loaded.facts.coverages.iloc[list(rows)]
    columns = (held[name].tolist() for name in ("payer", "from_day", "to_day"))
    return [
        CoverageEvidence(
            payer_key=loaded.facts.payers[payer], from_day=day_date(first), to_day=_last(last)
        )
        for payer, first, last in sorted(zip(*columns, strict=True))
    ]


def _last(number: int) -> date | None:
    return None if number == FAR_DAY else day_date(number)


def _rule(book: RuleBook, found: Evidenced) -> RuleEvidence:
    band, sources = found.band, book.references.sources
    return RuleEvidence(
        page_id=found.rules.id,
        page_digest=found.rules.digest,
        ladder=found.ladder.name,
        at_least=band.at_least,
        at_most=band.at_most,
        lines=[
            line.code if line.every is None else f"{line.code} per {line.every}"
            for line in band.lines
        ],
        status=band.status,
        note=band.source.note,
        sources=[_source(sources.get(one), one, band.source.checked_on) for one in band.source.ids],
    )


def _source(entry: SourceEntry | None, source_id: str, checked_on: date) -> SourceEvidence:
    """A shipped source; of a practice's page, its id and the day it was read."""
    if entry is None:
        return SourceEvidence(id=source_id, title="", where="", checked_on=checked_on)
    return SourceEvidence(
        id=entry.id, title=entry.title, where=entry.where, checked_on=entry.checked_on
    )
