"""Services that are to be billed: standing postings of closes, and lines of accepted visits.

Owns which lines these are and where each comes from. Does not own the rest of a claim
(``rpm.actions.claim_heads``) nor grouping (``billing.claims.assemble``). A line that is on a claim
is no service any more, and neither is one that takes the place of a line on a claim: that claim is
corrected (``rpm.actions.claim_corrections``), never billed beside it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlmodel import Session

from billing.claims.assemble import Service
from billing.coding.lines import Line, read_lines
from billing.coding.rules_read import shipped_coding_rules
from billing.rules.book import RuleBook
from billing.rules.ruleset import Role
from rpm.actions.claim_heads import Heads
from rpm.actions.export_lines import line_replaced, reversals_by_subject
from rpm.actions.visit_facts import encounter_of
from rpm.actions.visit_services import OF_THE_LEDGER
from rpm.store.queries.claimed import (
    claimed_services,
    claimed_visits,
    reversed_postings,
    visit_authorizations,
)
from rpm.store.queries.claims import claims_of
from rpm.store.queries.ledger import postings_of_close
from rpm.store.queries.visits import accepted_visits
from rpm.store.rule_books import book_of
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimRecord
from rpm.store.tables.coding import ServiceAuthorization, Visit, VisitDecision
from rpm.store.tables.ledger import Close

_ALL = 2**31 - 1


@dataclass(frozen=True)
class Source:
    """Where a service comes from."""

    patient_id: UUID
    payer_id: UUID | None  # None: no coverage is recorded for the day
    close_id: UUID | None = None
    posting_id: UUID | None = None
    visit_id: UUID | None = None
    replaces: UUID | None = None  # the line whose place it takes


@dataclass(frozen=True)
class Billable:
    """Services, and where each comes from, by its id."""

    services: tuple[Service, ...]
    sources: Mapping[str, Source]


@dataclass(frozen=True)
class _Issued:
    """A standing posting of a close, and the line whose place it takes."""

    posting: Any
    close: Close
    book: RuleBook
    replaces: UUID | None


def close_services(db: Session, scope: Scope, close: Close) -> tuple[Service, ...]:
    """The lines of one close that a first claim may bill."""
    return services_of(db, scope, [close], None).services


def services_of(
    db: Session, scope: Scope, closes: Sequence[Close], days: tuple[date, date] | None
) -> Billable:
    """What is to be billed of some closes, and of the accepted visits of some days."""
    found, claims = _unclaimed(db, scope, closes, days)
    return Billable(tuple(one for one in found.services if one.id not in claims), found.sources)


def replacing_services(
    db: Session, scope: Scope, closes: Sequence[Close], days: tuple[date, date] | None
) -> tuple[Billable, dict[str, UUID]]:
    """Lines that belong on a claim in the place of another one, and by service that claim."""
    found, claims = _unclaimed(db, scope, closes, days)
    services = tuple(one for one in found.services if one.id in claims)
    return Billable(services, found.sources), claims


def _unclaimed(
    db: Session, scope: Scope, closes: Sequence[Close], days: tuple[date, date] | None
) -> tuple[Billable, dict[str, UUID]]:
    """Lines that are on no claim, and the claims that some of them correct."""
    issued = _issued(db, scope, closes)
    on_claims = claimed_services(db, scope, [str(one.posting.id) for one in issued])
    accepted = [] if days is None else accepted_visits(db, scope, *days, _ALL)
    new = [one for one in issued if str(one.posting.id) not in on_claims]
    billable = _billable(db, scope, new, accepted)
    known = claimed_services(db, scope, [one.id for one in billable.services])
    services = tuple(one for one in billable.services if one.id not in known)
    replaced = [str(one.replaces) for one in billable.sources.values() if one.replaces]
    of_lines = claimed_services(db, scope, replaced, correctable=True)
    of_visits = claimed_visits(db, scope, [visit for visit, _ in accepted])
    rows = claims_of(db, scope, {*of_lines.values(), *of_visits.values()})
    claims = {}
    for service in services:
        source = billable.sources[service.id]
        claim_id = of_lines.get(str(source.replaces))
        if source.visit_id is not None:
            claim_id = of_visits.get(source.visit_id)
        if claim_id is not None and _belongs(rows[claim_id], service, source):
            claims[service.id] = claim_id
    return Billable(services, billable.sources), claims


def _belongs(claim: ClaimRecord, service: Service, source: Source) -> bool:
    """Whether a line may stand on a claim: another payer or provider gets a claim of its own."""
    rendering = service.head.rendering
    npi = rendering.npi if rendering else ""
    return (claim.payer_id, claim.rendering_npi) == (source.payer_id, npi)


def _issued(db: Session, scope: Scope, closes: Sequence[Close]) -> list[_Issued]:
    """The issues of some closes that nothing took back."""
    found = []
    for close in closes:
        book = book_of(db, scope.organization_id, close.audit_number)
        postings = postings_of_close(db, scope, close.id)
        reversals = reversals_by_subject(postings)
        found += [
            _Issued(one, close, book, line_replaced(scope.organization_id, one, reversals, book))
            for one in postings
            if one.sign > 0
        ]
    gone = reversed_postings(db, scope, {one.posting.patient_id for one in found})
    return [one for one in found if (one.posting.key, one.posting.ordinal) not in gone]


def _billable(
    db: Session,
    scope: Scope,
    issued: Sequence[_Issued],
    visits: Sequence[tuple[Visit, VisitDecision]],
) -> Billable:
    patient_ids = {one.posting.patient_id for one in issued}
    patient_ids |= {visit.patient_id for visit, _ in visits}
    heads = Heads(db, scope, sorted(patient_ids))
    services: list[Service] = []
    sources: dict[str, Source] = {}
    made = [_of_posting(one, heads) for one in issued]
    authorized = visit_authorizations(db, scope, sorted({one.patient_id for one, _ in visits}))
    for visit, decision in visits:
        made += _of_visit(visit, decision, heads, authorized.get(visit.patient_id, ()))
    for service, source in made:
        services.append(service)
        sources[service.id] = source
    return Billable(tuple(services), sources)


def _of_posting(issued: _Issued, heads: Heads) -> tuple[Service, Source]:
    posting = issued.posting
    episode = heads.parties.episodes.get(posting.episode_id)
    insurance = heads.insurance(posting.patient_id, posting.service_day, posting.payer_key)
    rendering = heads.rendering("" if episode is None else episode.ordering_npi or "")
    authorization = heads.authorization(posting.episode_id, posting.service_day)
    ranged = insurance.day_range and _is_supply(posting, issued.book)
    service = Service(
        id=str(posting.id),
        head=heads.head(insurance, rendering, authorization),
        procedure=posting.code,
        units=posting.units,
        from_day=min(posting.period_start_day, posting.service_day)
        if ranged
        else posting.service_day,
        to_day=posting.service_day,
        place="" if episode is None else f"{episode.pos:02d}",
        diagnoses=() if episode is None else tuple(episode.diagnosis_codes),
        setting="OFFICE" if episode is None else episode.setting,
    )
    source = Source(
        posting.patient_id,
        insurance.payer_id,
        close_id=issued.close.id,
        posting_id=posting.id,
        replaces=issued.replaces,
    )
    return service, source


def _is_supply(posting: Any, book: RuleBook) -> bool:
    ladders = book.joined(posting.rule_page_id).ladders
    return any(
        line.code == posting.code
        for ladder in ladders
        if ladder.role is Role.SUPPLY
        for band in ladder.bands
        for line in band.lines
    )


def _of_visit(
    visit: Visit,
    decision: VisitDecision,
    heads: Heads,
    authorized: Iterable[ServiceAuthorization],
) -> list[tuple[Service, Source]]:
    insurance = heads.insurance(visit.patient_id, visit.service_day, None)
    rendering = heads.rendering_by_id(visit.practitioner_id)
    diagnoses = encounter_of({name: str(text) for name, text in visit.facts.items()}).dx or ()
    source = Source(visit.patient_id, insurance.payer_id, visit_id=visit.id)
    return [
        (
            Service(
                id=f"{decision.id}:{place}",
                head=heads.head(
                    insurance, rendering, _authorization(authorized, line, visit.service_day)
                ),
                procedure=line.code,
                units=line.units,
                from_day=visit.service_day,
                to_day=visit.service_day,
                place=line.place or "",
                diagnoses=diagnoses,
                modifiers=line.modifiers,
            ),
            source,
        )
        for place, line in enumerate(read_lines(decision.chosen), start=1)
        if not _of_the_ledger(line.code)
    ]


def _of_the_ledger(code: str) -> bool:
    """Monitoring is posted by the ledger: a visit's own line of it would bill it twice."""
    family = shipped_coding_rules().family_of(code)
    return family is not None and family.name == OF_THE_LEDGER


def _authorization(known: Iterable[ServiceAuthorization], line: Line, day: date) -> str:
    for row in known:
        held = row.valid_from <= day and (row.valid_to is None or day <= row.valid_to)
        if held and row.number and (not row.codes or line.code in row.codes):
            return row.number
    return ""
