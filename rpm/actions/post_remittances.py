"""What an 835 does: payments, what was done with each claim, and events of the claims.

Owns which claim an answer is for, what is new of a payment that was told before, and the events.
Does not own reading it (``billing.claims.x12``) nor recording (``rpm.actions.post_answers``). Money
that names no claim of ours is kept and listed, never dropped; a claim that is not sound is shown in
the findings and not posted.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlmodel import Session

from billing.claims.lifecycle import Kind
from billing.claims.matching import attempt_answered
from billing.claims.remittance import ClaimPaid, Remittance, balance_of
from billing.claims.remittance_json import (
    adjustments_to_json,
    lines_to_json,
    provider_adjustments_to_json,
)
from billing.finding import Finding
from rpm.actions.answer_work import Work
from rpm.audit import JsonText
from rpm.store.queries.answers import (
    ClaimNamed,
    has_remittance,
    known_answers,
    matches_of,
    remittance_told,
)
from rpm.store.scope import Scope
from rpm.store.tables import answers as tables

NOT_ADJUDICATED = frozenset(("23", "25"))
"""Statuses (CLP02) that decide nothing: sent on to another payer, and an estimate."""
_NONE = JsonText("[]")
_LATER_READING = "named when the file was read again"


@dataclass
class NewMoney:
    """Rows of remittances to record."""

    remittances: list[dict[str, Any]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    matches: list[dict[str, Any]] = field(default_factory=list)


def post_remittances(
    db: Session,
    scope: Scope,
    work: Work,
    told: Iterable[Remittance],
    payees: Collection[str],
    new_id: Any,
) -> NewMoney:
    """What is new in some remittances; their events are added to the work.

    ``payees`` are the NPIs that money may be for; an empty collection lets any pass. ``new_id``
    makes ids.
    """
    money = NewMoney()
    for remittance in told:
        for finding in remittance.findings:
            work.find(_placed(finding, remittance))
        work.count("payments")
        if payees and remittance.payee_npi and remittance.payee_npi not in payees:
            message = "The payment is for another practice's NPI; nothing of it is posted."
            work.find(_placed(Finding("E_835_OTHER_PRACTICE", "N104", message), remittance))
            continue
        _post(db, scope, work, remittance, money, new_id)
    return money


def _placed(finding: Finding, remittance: Remittance) -> Finding:
    where = f"payment {remittance.ordinal}"
    return Finding(
        finding.code, f"{where}, {finding.where}" if finding.where else where, finding.message
    )


def _post(
    db: Session, scope: Scope, work: Work, told: Remittance, money: NewMoney, new_id: Any
) -> None:
    sound = [claim for claim in told.claims if claim.sound]
    stored = known_answers(db, scope, [claim.key for claim in sound])
    claims = work.claims(db, scope, [claim.control_number for claim in sound])
    new = [claim for claim in sound if claim.key not in stored]
    work.count("answers", len(sound))
    work.count("answers known before", len(sound) - len(new))
    work.count("answers not sound", len(told.claims) - len(sound))
    _match_later(db, scope, work, told, stored, claims, money)
    remittance_id = _remittance_id(db, scope, work, told, money, new_id, anything=bool(new))
    if remittance_id is not None:
        _add_answers(work, told, new, claims, remittance_id, money, new_id)


def _remittance_id(
    db: Session,
    scope: Scope,
    work: Work,
    told: Remittance,
    money: NewMoney,
    new_id: Any,
    *,
    anything: bool,
) -> UUID | None:
    """The payment's row; None when it was told before and nothing of it is new."""
    pending = next((row for row in money.remittances if row["payment_key"] == told.key), None)
    if pending is not None:
        row_id: UUID = pending["id"]
        return row_id
    earlier = remittance_told(db, scope, told.key)
    if earlier is not None and not anything:
        by_this_file = has_remittance(db, scope, work.file_id, told.ordinal)
        if by_this_file or not told.is_whole or _says_the_same(earlier, told):
            return None
    row = _remittance_row(work.file_id, told, new_id())
    if earlier is not None:
        row["replaces_id"] = earlier.id
        message = "The payment was told before; only what is new of it is posted."
        work.find(_placed(Finding("I_835_TOLD_AGAIN", "TRN02", message), told))
    money.remittances.append(row)
    new_row_id: UUID = row["id"]
    return new_row_id


def _add_answers(
    work: Work,
    told: Remittance,
    new: Iterable[ClaimPaid],
    claims: dict[str, ClaimNamed],
    remittance_id: UUID,
    money: NewMoney,
    new_id: Any,
) -> None:
    taken = {row["key"] for row in money.answers}
    for claim in new:
        if claim.key in taken:
            continue
        ours = claims.get(claim.control_number) if claim.control_number else None
        row = answer_row(remittance_id, claim, new_id())
        if ours is None:
            _find_unmatched(work, told, claim)
        else:
            attempt = attempt_answered(ours.sendings, claim.frequency, told.payment_day)
            row["claim_id"], row["attempt"] = ours.id, attempt
            add_money_event(work, ours, row, attempt, told.payment_day)
        money.answers.append(row)


def _find_unmatched(work: Work, told: Remittance, claim: ClaimPaid) -> None:
    work.count("unmatched")
    message = "The answer names no claim of ours; its money is kept and listed."
    where = f"claim {claim.ordinal}"
    work.find(_placed(Finding("W_835_UNMATCHED", where, message), told))


def add_money_event(
    work: Work, claim: ClaimNamed, row: dict[str, Any], attempt: int, on_day: Any
) -> None:
    """The event of an answer about money; none for one that decides nothing."""
    if row["status_code"] in NOT_ADJUDICATED:
        return
    kind = Kind.REVERSED if row["is_reversal"] else Kind.REMITTED
    work.event(
        claim,
        f"835-{row['key']}",
        kind,
        attempt,
        on_day,
        {
            "remittance_claim_id": row["id"].hex,
            "status": row["status_code"],
            "payer_claim_number": row["payer_claim_number"],
        },
        paid_cents=row["paid_cents"],
        patient_cents=row["patient_cents"],
    )


def _match_later(
    db: Session,
    scope: Scope,
    work: Work,
    told: Remittance,
    stored: dict[str, Any],
    claims: dict[str, ClaimNamed],
    money: NewMoney,
) -> None:
    """Answers that named no claim when they came, and name one now."""
    lost = {key: row for key, row in stored.items() if row.claim_id is None}
    if not lost:
        return
    matched = matches_of(db, scope, [row.id for row in lost.values()])
    for claim in told.claims:
        row, ours = lost.get(claim.key), claims.get(claim.control_number)
        if row is None or row.id in matched:
            continue
        if ours is None:
            _find_unmatched(work, told, claim)
            continue
        attempt = attempt_answered(ours.sendings, claim.frequency, told.payment_day)
        money.matches.append(
            {
                "remittance_claim_id": row.id,
                "claim_id": ours.id,
                "attempt": attempt,
                "reason": _LATER_READING,
            }
        )
        values = answer_row(row.id, claim, row.id)
        add_money_event(work, ours, values, attempt, told.payment_day)


def _says_the_same(earlier: tables.Remittance, told: Remittance) -> bool:
    adjustments = provider_adjustments_to_json(told.provider_adjustments)
    return earlier.provider_adjustments == adjustments


def _remittance_row(file_id: UUID, told: Remittance, row_id: UUID) -> dict[str, Any]:
    balance = balance_of(told)
    return {
        "id": row_id,
        "file_id": file_id,
        "ordinal": told.ordinal,
        "payment_key": told.key,
        "payer_name": told.payer_name,
        "payer_id_text": told.payer_id,
        "payee_npi": told.payee_npi,
        "trace_number": told.trace_number,
        "payment_day": told.payment_day,
        "method": told.method,
        "paid_cents": balance.paid_cents,
        "claims_cents": balance.claims_cents,
        "provider_adjustments": provider_adjustments_to_json(told.provider_adjustments),
        "adjusted_cents": balance.adjusted_cents,
        "difference_cents": balance.difference_cents,
        "claim_count": len(told.claims),
        "findings": [[one.code, one.where, one.message] for one in told.findings],
    }


def answer_row(remittance_id: UUID, claim: ClaimPaid, row_id: UUID) -> dict[str, Any]:
    """What a payer did with a claim, as its row."""
    told = {
        "frequency": claim.frequency,
        "last": claim.patient_last,
        "first": claim.patient_first,
        "patient_id": claim.patient_id,
        "filing_code": claim.filing_code,
        "from_day": claim.from_day.isoformat() if claim.from_day else "",
    }
    return {
        "id": row_id,
        "remittance_id": remittance_id,
        "ordinal": claim.ordinal,
        "key": claim.key,
        "control_number": claim.control_number,
        "status_code": claim.status,
        "is_reversal": claim.is_reversal,
        "charge_cents": claim.charge_cents,
        "paid_cents": claim.paid_cents,
        "patient_cents": claim.patient_cents,
        "payer_claim_number": claim.payer_claim_number,
        "told": {name: value for name, value in told.items() if value},
        "adjustments": adjustments_to_json(claim.adjustments) or _NONE,
        "lines": lines_to_json(claim.lines),
        "remarks": list(claim.remarks) or _NONE,
    }
