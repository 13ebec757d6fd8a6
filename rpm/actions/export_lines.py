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
    reversals: dict[UUID, list[Any]] = {}
    for posting in postings:
        if posting.sign < 0:
            reversals.setdefault(named_event(posting.key).subject_id, []).append(posting)
    patient_ids = sorted({posting.patient_id for posting in postings})
    parties = parties_of(db, scope, patient_ids, close.audit_number)
    for posting in postings:
        yield _line(organization, close, posting, parties, _note(posting, reversals, book))


def person(patient: Any) -> str:
    """A patient as the summary names them."""
    return f"{patient.family_name}, {patient.given_name} ({patient.record_number})"


def _note(posting: Any, reversals: Mapping[UUID, Sequence[Any]], book: RuleBook) -> str:
    """What a person must know to send the line; empty for an original."""
    if posting.sign < 0:
        return (
            f"Reversal of line {_issue_id(posting)} ({posting.reason}): replace or void its claim"
        )
    if not reversals:
        return ""
    of_subject = reversals.get(named_event(posting.key).subject_id, ())
    taken = [one for one in of_subject if _takes_place(posting, one, book)]
    if not taken:
        return ""
    return f"Takes the place of line {_issue_id(taken[-1])}: replace its claim"


def _issue_id(posting: Any) -> str:
    """The id of the issue of a posting's key and ordinal."""
    return str(posting_id(posting.organization_id, posting.key, posting.ordinal, 1))


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


def _line(
    organization: Organization, close: Close, posting: Any, parties: Parties, note: str
) -> ExportLine:
    patient = parties.patients[posting.patient_id]
    cents = None if posting.amount_cents is None else posting.sign * posting.amount_cents
    units = posting.sign * posting.units
    day = posting.service_day.isoformat()
    episode = parties.episodes[posting.episode_id] if posting.episode_id is not None else None
    cells = {
        "batch_id": str(close.id),
        "encounter_id": f"{posting.patient_id}-{posting.service_day:%Y%m%d}",
        "line_id": str(posting.id),
        **_patient_cells(patient),
        **_payer_cells(posting, parties.insured.get(posting.patient_id, [])),
        "billing_npi": organization.npi,
        "billing_tax_id": organization.tax_id or "",
        **(_episode_cells(episode, parties) if episode is not None else {}),
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
        patient=person(patient),
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
