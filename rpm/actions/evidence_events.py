"""Events of a pack: what the ledger says of an event, in the shape that the pack has for it.

Owns the way from the calculation to the pack's fields; the rows behind them are gathered meanwhile.
Does not own the calculation (``billing.ledger``) nor the check of it (``billing.evidence``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel import Session

from billing.days import day_date, day_number
from billing.evidence.readings import days_of
from billing.ledger.accounted import (
    Window,
    also_counts_of,
    entry_reasons,
    reading_reason,
    window_of,
)
from billing.ledger.explain import Computed, EventKey, Explanation, explained
from billing.ledger.minutes import COUNTED_WORK
from rpm.actions.evidence_model import PackEvent
from rpm.actions.evidence_parts import (
    coverages_of,
    em_codes_of,
    gates_of,
    priced_event,
    rule_of,
)
from rpm.actions.seen_from import SeenFrom
from rpm.store.event_keys import NamedEvent
from rpm.store.evidence import EventSpan, Evidence
from rpm.store.evidence_facts import EventFacts, PackFacts
from rpm.store.fact_rows import FactReader
from rpm.store.facts import LoadedFacts, facts_of
from rpm.store.rule_books import book_of
from rpm.store.scope import Scope

Json = dict[str, Any]


@dataclass(frozen=True)
class EventSource:
    """Some patients as they were seen from somewhere: many of their events are told from it."""

    seen: SeenFrom
    loaded: LoadedFacts
    computed: Computed
    evidence: Evidence
    facts: EventFacts

    @classmethod
    def of(
        cls,
        db: Session,
        scope: Scope,
        seen: SeenFrom,
        patient_ids: Sequence[UUID],
        into: PackFacts,
    ) -> "EventSource":
        """The patients' facts, loaded and calculated once."""
        until = seen.until_audit_number
        book = book_of(db, scope.organization_id, until)
        loaded = facts_of(
            db, scope.organization_id, book, patients=patient_ids, until_audit_number=until
        )
        computed = Computed.of(loaded.facts, book, seen.as_of, seen.known_day)
        reader = FactReader(db, scope.organization_id, patient_ids, until)
        facts = EventFacts(reader, into)
        facts.papers(patient_ids)
        return cls(seen, loaded, computed, Evidence(loaded), facts)

    def explained(self, named: NamedEvent) -> Explanation | None:
        """The evidence of an event; None when the facts and rules as seen do not give it."""
        known = self.loaded.episode_ids
        if named.subject == "patient":
            known = self.loaded.patient_ids
        if named.subject_id not in known:
            return None
        start = day_number(named.period_start_day)
        row = known.index(named.subject_id)
        return explained(self.computed, EventKey(named.subject, row, named.code, start))

    def told(self, named: NamedEvent, found: Explanation) -> Json:
        """The event as the pack has it; the rows behind it are gathered."""
        loaded, facts = self.loaded, self.computed.facts
        patient = int(facts.episodes["patient"].iloc[found.episode])
        window = window_of(self.computed, found)
        readings = [] if window is None else self._readings(found, window)
        span = EventSpan(
            named.subject, found.episode, patient, found.period_start_day, found.period_end_day
        )
        price, cents, status = priced_event(self.computed, found)
        event = PackEvent(
            key=named.key,
            code=found.code,
            label=found.rules.codes[found.code].label,
            units=found.units,
            service_day=day_date(found.service_day),
            amount_cents=cents,
            amount_status=status,
            patient_id=loaded.patient_ids[patient].hex,
            episode_id=loaded.episode_ids[found.episode].hex,
            payer_key=found.payer,
            as_of=self.seen.as_of,
            known_day=self.seen.known_day,
            known_audit_number=self.seen.until_audit_number,
            profile=facts.profiles[facts.episodes["profile"].iloc[found.episode]].name,
            period=self._period(found, window),
            measured=self._measured(found),
            days=days_of(readings),
            readings=readings,
            entries=self._entries(found, patient),
            gates=gates_of(facts, found.episode),
            needs_missing=[],
            coverages=coverages_of(facts, patient),
            rule=rule_of(found),
            also_counts=sorted(also_counts_of(self.computed, found.episode)),
            em_codes=list(em_codes_of(self.computed.book)) if found.ladder.work else [],
            price=price,
            findings=list(found.findings),
            evidence_digest=self.evidence.digest(span, found.rules.digest),
        )
        return event.model_dump(mode="json")

    def _readings(self, found: Explanation, window: Window) -> list[Json]:
        """The window's readings; those that anchor it are gathered too."""
        episode_id = self.loaded.episode_ids[found.episode]
        for anchor in (window.first_counted_day, window.first_service_day):
            self.facts.window(episode_id, anchor, anchor)
        return [
            {"id": one.reading.id.hex, "day": str(day), "counts": not reason, "reason": reason}
            for one in self.facts.window(episode_id, found.period_start_day, found.period_end_day)
            if (day := one.reading.local_day) is not None
            for reason in [
                reading_reason(
                    self.computed, found.episode, day_number(day), one.reading.kind, one.word
                )
            ]
        ]

    def _entries(self, found: Explanation, patient: int) -> list[Json]:
        loaded, log = self.loaded, self.computed.facts.entries
        reasons = entry_reasons(self.computed, found)
        rows: dict[UUID, list[int]] = {}
        for row in reasons:
            rows.setdefault(loaded.entry_id(int(log["entry"].iloc[row])), []).append(row)
        span = (found.period_start_day, found.period_end_day)
        patient_id = loaded.patient_ids[patient]
        if found.ladder.work:
            self.facts.visits(patient_id, em_codes_of(self.computed.book), *span)
        listed = []
        for kept in self.facts.log(patient_id, *span):
            parts = log.iloc[rows.get(kept["id"], [])]
            first = parts.iloc[0] if len(parts) else None
            reason = "yielded" if first is None else reasons[rows[kept["id"]][0]]
            listed.append(
                {
                    "id": kept["id"].hex,
                    "episode_id": None
                    if first is None
                    else loaded.episode_ids[int(first["episode"])].hex,
                    "shared": first is None or bool(first["shared"]),
                    "parts": parts[["start_second", "seconds"]].to_numpy().tolist(),
                    "counts": not reason,
                    "reason": reason,
                }
            )
        return listed

    def _measured(self, found: Explanation) -> Json:
        works = self.computed.measured.periods.live_seconds[found.period]
        live = sum(int(works[COUNTED_WORK.index(word)]) for word in found.ladder.work)
        return {"measure": found.measure, "amount": found.amount, "live_seconds": live}

    def _period(self, found: Explanation, window: Window | None) -> Json:
        return {
            "kind": found.ladder.period.value,
            "start_day": day_date(found.period_start_day),
            "end_day": day_date(found.period_end_day),
            "state": str(self.computed.outcome.periods["state"].iloc[found.period]),
            "number": window.number if window else None,
            "first_counted_day": day_date(window.first_counted_day) if window else None,
            "first_service_day": day_date(window.first_service_day) if window else None,
            "shifted": window.shifted if window else False,
            "threshold_days": window.threshold_days if window else None,
        }
