"""Evidence packs: one event, one posting or a whole close, with all that is needed to recompute it.

Owns which events and postings a pack holds, putting it together, and the record that it was given
out. Does not own the shape (``evidence_model``), the events (``evidence_events``) nor the check of
a pack (``billing.evidence``).
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col

import rpm
from billing.evidence.pack import FORMAT, sealed
from billing.ledger.facts import GATES, KINDS, MODES, REFUSED, ROLES, WORK
from rpm.access import Actor, require
from rpm.actions.evidence_events import EventSource
from rpm.actions.evidence_parts import profile_json, rules_json
from rpm.actions.seen_from import SeenFrom, seen_by_close
from rpm.errors import NotFound, TooLarge
from rpm.store.chain import chain_head, recording
from rpm.store.event_keys import NamedEvent, named_event
from rpm.store.evidence_facts import PackFacts
from rpm.store.fact_rows import FactReader, as_uuid
from rpm.store.queries.ledger import anchor_of
from rpm.store.queries.people import organization_of
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close, Posting
from rpm.store.tables.monitoring import Episode

WORDS = {
    "kind": KINDS,
    "refused": REFUSED,
    "role": ROLES,
    "work": WORK,
    "mode": MODES,
    "gate": GATES,
}
"""Words whose positions the digests hold."""
TOTALS = ("issued", "reversed", "units", "amount_cents", "amounts_unknown")
_PATIENTS_AT_ONCE = 50
Json = dict[str, Any]
Progress = Callable[[int, int], None]
"""Called with postings done and postings in all."""


@dataclass(frozen=True)
class EvidencePack:
    """A pack as a document, and what it is of."""

    content: Json
    subject: Mapping[str, Any]  # of the audit event that tells it was given out
    name: str  # for a file

    @property
    def pdf_name(self) -> str:
        """The name of the same pack on paper."""
        return f"{self.name.removesuffix('.json')}.pdf"

    @property
    def data(self) -> bytes:
        """The bytes of its file."""
        return (json.dumps(self.content, indent=1, ensure_ascii=False) + "\n").encode()


@dataclass
class _Parts:
    """What the events of a pack brought along."""

    facts: PackFacts = field(default_factory=PackFacts)
    events: list[Json] = field(default_factory=list)
    places: dict[tuple[UUID | None, str], int | None] = field(default_factory=dict)
    rules: dict[tuple[str, str], Json] = field(default_factory=dict)
    profiles: dict[str, Json] = field(default_factory=dict)

    def add(self, source: EventSource, close_id: UUID | None, named: NamedEvent) -> None:
        """An event as a close saw it; None stands where facts and rules no longer give it."""
        found = source.explained(named)
        place = None
        if found is not None:
            place = len(self.events)
            self.events.append(source.told(named, found))
            page = found.rules
            if (page.id, page.digest) not in self.rules:
                self.rules[page.id, page.digest] = rules_json(source.computed.book, page)
            for profile in source.loaded.facts.profiles:
                self.profiles.setdefault(profile.name, profile_json(profile))
        self.places[close_id, named.key] = place


def event_pack(
    db: Session, scope: Scope, now: datetime, named: NamedEvent, seen: SeenFrom
) -> EvidencePack:
    """An event from somewhere; ``NotFound`` when the facts and rules seen there do not give it."""
    parts = _Parts()
    source = EventSource.of(db, scope, seen, [_patient_of(db, scope, named)], parts.facts)
    parts.add(source, None, named)
    if not parts.events:
        raise NotFound("the facts and rules do not give this event")
    content = _document(db, scope, now, "event", parts, [], None)
    return EvidencePack(content, {"event": named.key}, f"evidence-{named.key}.json")


def posting_pack(db: Session, scope: Scope, now: datetime, posting_id: UUID) -> EvidencePack:
    """A posting, as the close that issued it saw it; a reversal comes with its original."""
    posting = scope.get(db, Posting, posting_id)
    parts = _Parts()
    issues = _gather(db, scope, [posting], parts, None)
    content = _document(db, scope, now, "posting", parts, _listed([posting], issues, parts), None)
    return EvidencePack(content, {"posting_id": posting_id}, f"evidence-{posting_id}.json")


def postings_pack(
    db: Session, scope: Scope, now: datetime, posting_ids: Sequence[UUID], name: str
) -> EvidencePack:
    """Some postings together, each as the close that issued it saw it."""
    postings = scope.all_of(db, Posting, col(Posting.id).in_(posting_ids))
    parts = _Parts()
    issues = _gather(db, scope, postings, parts, None)
    content = _document(db, scope, now, "posting", parts, _listed(postings, issues, parts), None)
    return EvidencePack(content, {"posting_ids": [str(one.id) for one in postings]}, name)


def close_pack(
    db: Session,
    scope: Scope,
    now: datetime,
    close_id: UUID,
    progress: Progress | None = None,
    at_most: int | None = None,
) -> EvidencePack:
    """All postings of a close and what they add up to; ``TooLarge`` beyond ``at_most`` postings."""
    close = scope.get(db, Close, close_id)
    postings = scope.all_of(db, Posting, col(Posting.close_id) == close_id)
    if at_most is not None and len(postings) > at_most:
        raise TooLarge("the close has too many postings for one answer: take it by the command")
    parts = _Parts()
    parts.facts.take("close", [close.model_dump()])
    issues = _gather(db, scope, postings, parts, progress)
    told = _listed(postings, issues, parts)
    content = _document(db, scope, now, "close", parts, told, close)
    name = f"evidence-close-{close.month_start_day:%Y-%m}-{close.ordinal}.json"
    return EvidencePack(content, {"close_id": close_id}, name)


def record_pack(db: Session, actor: Actor, now: datetime, pack: EvidencePack) -> None:
    """Tell in the audit that a pack was given out, and which one."""
    require(actor, "ledger:read")
    subject = {**pack.subject, "pack_digest": pack.content["digest"]}
    with recording(db, actor, now, "evidence.pack", subject):
        pass


def _patient_of(db: Session, scope: Scope, named: NamedEvent) -> UUID:
    if named.subject == "patient":
        return named.subject_id
    return scope.get(db, Episode, named.subject_id).patient_id


def _gather(
    db: Session,
    scope: Scope,
    postings: Sequence[Posting],
    parts: _Parts,
    progress: Progress | None,
) -> dict[UUID, Posting]:
    """The events of some postings and their facts; the issue of each posting, by its id."""
    keys = {one.key for one in postings}
    known: dict[tuple[str, int], Posting] = {}
    for some in _runs(sorted(keys)):
        rows = scope.all_of(db, Posting, col(Posting.key).in_(some), col(Posting.sign) == 1)
        known |= {(row.key, row.ordinal): row for row in rows}
    issues = {one.id: known[one.key, one.ordinal] for one in postings}
    closes = {one.close_id: scope.get(db, Close, one.close_id) for one in issues.values()}
    parts.facts.take("posting", (one.model_dump() for one in (*postings, *issues.values())))
    parts.facts.take("close", (close.model_dump() for close in closes.values()))
    done = 0
    for close_id, close in sorted(closes.items()):
        mine = [one for one in issues.values() if one.close_id == close_id]
        for patients in _runs(sorted({one.patient_id for one in mine})):
            source = EventSource.of(db, scope, seen_by_close(close), patients, parts.facts)
            for key in sorted({one.key for one in mine if one.patient_id in set(patients)}):
                parts.add(source, close_id, named_event(key))
                done += 1
                if progress is not None:
                    progress(done, len(postings))
    return issues


def _runs(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (
        values[start : start + _PATIENTS_AT_ONCE]
        for start in range(0, len(values), _PATIENTS_AT_ONCE)
    )


def _listed(
    postings: Sequence[Posting], issues: Mapping[UUID, Posting], parts: _Parts
) -> list[Json]:
    return [
        {
            "id": one.id.hex,
            "event": parts.places[issues[one.id].close_id, one.key],
            "reverses": issues[one.id].id.hex if one.sign < 0 else None,
        }
        for one in sorted(postings, key=lambda one: (one.sign, one.key, one.ordinal))
    ]


def _document(
    db: Session,
    scope: Scope,
    now: datetime,
    kind: str,
    parts: _Parts,
    postings: list[Json],
    close: Close | None,
) -> Json:
    organization = organization_of(db, scope)
    facts = parts.facts.listed()
    closes = [fact["stored"] for fact in facts if fact["table"] == "close"]
    anchors = {row["id"]: anchor_of(db, scope, row["audit_number"]).as_json() for row in closes}
    return sealed(
        {
            "format": FORMAT,
            "kind": kind,
            "made_at": now.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "product_version": rpm.__version__,
            "organization": {
                "id": organization.id.hex,
                "name": organization.name,
                "npi": organization.npi,
                "timezone": organization.timezone,
            },
            "chain": {
                "at_closes": anchors,
                "at_pack": chain_head(db, scope.organization_id).as_json(),
            },
            "close": None if close is None else _close(close),
            "events": parts.events,
            "postings": postings,
            "rules": [parts.rules[one] for one in sorted(parts.rules)],
            "profiles": parts.profiles,
            "people": _people(db, scope, parts.facts),
            "words": {name: list(words) for name, words in WORDS.items()},
            "facts": facts,
        }
    )


def _people(db: Session, scope: Scope, facts: PackFacts) -> dict[str, str]:
    """The practitioner that a user of the pack is."""
    wanted = facts.values("interaction_entry", "actor_user_id")
    wanted |= facts.values("other_service", "actor_user_id")
    known = FactReader(db, scope.organization_id).practitioners_of_users()
    people = {as_uuid(user).hex: as_uuid(who).hex for user, who in known.items()}
    return {user: who for user, who in sorted(people.items()) if user in wanted}


def _close(close: Close) -> Json:
    return {
        "id": close.id.hex,
        "month_start_day": str(close.month_start_day),
        "ordinal": close.ordinal,
        "as_of": str(close.as_of),
        "known_day": str(close.known_day),
        "known_audit_number": close.known_audit_number,
        "totals": {name: close.totals[name] for name in TOTALS},
    }
