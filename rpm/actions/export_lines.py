"""Lines of an export: the postings of one close as table cells and as lines of the summary.

Owns which recorded fact fills which column. Does not own the columns' form
(``billing.claims.table``). Everything is read as known at the close, so that a later export of the
same close gives the same bytes.

A reversal has negative units and charge and no frequency: which claim it replaces (7) or voids (8)
is known only to whoever sent that claim. The same holds for a line that takes the place of a
reversed one. All other lines are originals, frequency 1. ``charge`` is the national schedule's
amount by date of service, empty where none is known.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel import Session

from billing.claims.summary import SummaryLine
from billing.claims.table import diagnosis_cells
from billing.money import Cents, cents_to_text
from billing.rules.book import RuleBook
from rpm.store.event_keys import named_event
from rpm.store.journal import posting_id
from rpm.store.queries.ledger import Insured, Parties, parties_of
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Close
from rpm.store.tables.people import Organization

ORIGINAL = "1"
"""Claim frequency of a line that was never sent before."""


@dataclass(frozen=True)
class ExportLine:
    """A posting as the files show it."""

    cells: Mapping[str, str]
    summary: SummaryLine


def export_lines(
    db: Session,
    scope: Scope,
    book: RuleBook,
    organization: Organization,
    close: Close,
    postings: Sequence[Any],
) -> Iterator[ExportLine]:
    """Each posting of a close, in the order given."""
    reversals = reversals_by_subject(postings)
    patient_ids = sorted({posting.patient_id for posting in postings})
    parties = parties_of(db, scope, patient_ids, close.audit_number)
    shared = _SharedCells.of(organization, close, parties)
    for posting in postings:
        note = _note(scope.organization_id, posting, reversals, book)
        yield _line(posting, parties, shared, note)


def reversals_by_subject(postings: Sequence[Any]) -> dict[UUID, list[Any]]:
    """The reversals among postings by their subject."""
    found: dict[UUID, list[Any]] = {}
    for posting in postings:
        if posting.sign < 0:
            found.setdefault(named_event(posting.key).subject_id, []).append(posting)
    return found


def person(patient: Any) -> str:
    """A patient as the summary names them."""
    return f"{patient.family_name}, {patient.given_name} ({patient.record_number})"


def _note(
    organization_id: UUID, posting: Any, reversals: Mapping[UUID, Sequence[Any]], book: RuleBook
) -> str:
    """What a person must know to send the line; empty for an original."""
    if posting.sign < 0:
        line = issue_id(organization_id, posting)
        return f"Reversal of line {line} ({posting.reason}): replace or void its claim"
    replaced = line_replaced(organization_id, posting, reversals, book)
    return "" if replaced is None else f"Takes the place of line {replaced}: replace its claim"


def line_replaced(
    organization_id: UUID, posting: Any, reversals: Mapping[UUID, Sequence[Any]], book: RuleBook
) -> UUID | None:
    """The line whose place an issued line takes, of those that its close reversed."""
    if not reversals:
        return None
    of_subject = reversals.get(named_event(posting.key).subject_id, ())
    taken = [one for one in of_subject if _takes_place(posting, one, book)]
    return issue_id(organization_id, taken[-1]) if taken else None


def issue_id(organization_id: UUID, posting: Any) -> UUID:
    """The id of the issue of a posting's key and ordinal."""
    return posting_id(organization_id, posting.key, posting.ordinal, 1)


def _takes_place(posting: Any, reversal: Any, book: RuleBook) -> bool:
    """Whether both are lines of one ladder for one subject and periods that share a day.

    The periods need not be equal: a first reading taken away moves the whole window.
    """
    one, other = named_event(posting.key), named_event(reversal.key)
    apart = (
        posting.period_start_day > reversal.period_end_day
        or reversal.period_start_day > posting.period_end_day
    )
    if one.subject_id != other.subject_id or apart:
        return False
    if one.code == other.code:
        return True
    page = book.joined(posting.rule_page_id)
    families = (
        {line.code for band in ladder.bands for line in band.lines} for ladder in page.ladders
    )
    return any({one.code, other.code} <= family for family in families)


@dataclass(frozen=True)
class _SharedCells:
    """Cells that many lines have in common, each made once."""

    of_all: Mapping[str, str]
    of_patient: Mapping[UUID, Mapping[str, str]]
    of_episode: Mapping[UUID | None, Mapping[str, str]]
    persons: Mapping[UUID, str]

    @classmethod
    def of(cls, organization: Organization, close: Close, parties: Parties) -> "_SharedCells":
        episodes: dict[UUID | None, Mapping[str, str]] = {
            key: _episode_cells(row, parties) for key, row in parties.episodes.items()
        }
        return cls(
            {
                "batch_id": str(close.id),
                "billing_npi": organization.npi,
                "billing_tax_id": organization.tax_id or "",
            },
            {key: _patient_cells(row) for key, row in parties.patients.items()},
            episodes | {None: {}},
            {key: person(row) for key, row in parties.patients.items()},
        )


def _line(posting: Any, parties: Parties, shared: _SharedCells, note: str) -> ExportLine:
    patient_id = posting.patient_id
    cents = None if posting.amount_cents is None else posting.sign * posting.amount_cents
    units = posting.sign * posting.units
    day = posting.service_day.isoformat()
    cells = {
        **shared.of_all,
        **shared.of_patient[patient_id],
        **shared.of_episode[posting.episode_id],
        **_payer_cells(posting, parties.insured.get(patient_id, [])),
        "encounter_id": f"{patient_id}-{day.replace('-', '')}",
        "line_id": str(posting.id),
        "dos_from": day,
        "dos_to": day,
        "procedure": posting.code,
        "units": str(units),
        "charge": _charge(cents),
        "frequency": "" if note else ORIGINAL,
        "note": note,
        "evidence_ref": posting.key,
    }
    summary = SummaryLine(
        patient=shared.persons[patient_id],
        code=posting.code,
        units=units,
        service_day=posting.service_day,
        amount_cents=cents,
        amount_status=posting.amount_status,
        note=note,
    )
    return ExportLine(cells, summary)


def _charge(cents: Cents | None) -> str:
    return "" if cents is None else cents_to_text(cents)


def _patient_cells(patient: Any) -> dict[str, str]:
    return {
        "patient_id": patient.record_number,
        "patient_last": patient.family_name,
        "patient_first": patient.given_name,
        "patient_dob": patient.birth_date.isoformat(),
        "patient_sex": patient.sex,
    }


def _payer_cells(posting: Any, insured: Sequence[Insured]) -> dict[str, str]:
    found = [one for one in insured if one.holds(posting.payer_key, posting.service_day)]
    if not found:
        # the coverage was ended or changed after the line was issued
        return {"payer_id": posting.payer_key}
    coverage, payer = found[-1].coverage, found[-1].payer
    return {
        "subscriber_id": coverage.member_id,
        "payer_name": payer.name,
        "payer_id": payer.edi_payer_id or payer.key,
    }


def _episode_cells(episode: Any, parties: Parties) -> dict[str, str]:
    ordering = episode.ordering_npi or ""
    ours = parties.practitioners.get(ordering)
    return {
        "referring_npi": ordering,
        "rendering_npi": ours.npi if ours is not None else "",
        "rendering_taxonomy": (ours.taxonomy or "") if ours is not None else "",
        "pos": f"{episode.pos:02d}",
        **diagnosis_cells(episode.diagnosis_codes),
    }
