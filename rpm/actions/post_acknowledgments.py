"""What a TA1, 999 or 277CA does to claims: events with keys that a repeat has too.

Owns which claims of which file of ours an acknowledgment is about, and its events. Does not own
reading it (``billing.claims.x12``) nor recording (``rpm.actions.post_answers``). An acknowledgment
of a file or claim that is not known here is a finding.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from sqlmodel import Session

from billing.claims.lifecycle import Kind
from billing.claims.matching import attempt_answered
from billing.claims.x12.ack999 import GroupAnswer, InterchangeAnswer
from billing.claims.x12.answer_file import Answers
from billing.claims.x12.p837_read import transaction_sets
from billing.claims.x12.segments import NotX12Error, read_segments
from billing.claims.x12.status277ca import ClaimAnswer, ClaimsAnswer, Status
from billing.finding import Finding
from rpm.actions.answer_work import Work
from rpm.store.queries.answers import files_before, sent_file
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimFile

_CLAIM_GROUP = "HC"


def post_acknowledgments(
    db: Session, scope: Scope, work: Work, answers: Answers, on_day: date
) -> None:
    """Add the events of every acknowledgment of a file to the work."""
    for ta1 in answers.interchange_answers:
        _interchange(db, scope, work, ta1, on_day)
    for group in answers.group_answers:
        _group(db, scope, work, group, on_day)
    for told in answers.claims_answers:
        _claims(db, scope, work, told, on_day)


def _interchange(
    db: Session, scope: Scope, work: Work, ta1: InterchangeAnswer, on_day: date
) -> None:
    file = sent_file(db, scope, ta1.number)
    if file is None:
        work.find(
            Finding("W_FILE_NOT_OURS", "TA1", "It answers an interchange not sent from here.")
        )
        return
    work.count("interchanges")
    kind = Kind.FILE_ACCEPTED if ta1.accepted else Kind.FILE_REJECTED
    numbers = [number for some in _numbers_by_set(file).values() for number in some]
    detail = {"note": ta1.note, "code": ta1.code}
    key = f"TA1-{file.interchange_number}-{ta1.code}-{ta1.note}"
    _of_file(db, scope, work, file, numbers, kind, key, on_day, detail)


def _group(db: Session, scope: Scope, work: Work, group: GroupAnswer, on_day: date) -> None:
    for finding in group.findings:
        work.find(finding)
    if group.group_kind and group.group_kind != _CLAIM_GROUP:
        work.find(Finding("W_FILE_NOT_OURS", "AK1", "It answers a group that holds no claims."))
        return
    file = sent_file(db, scope, group.group_number)
    if file is None:
        work.find(Finding("W_FILE_NOT_OURS", "AK1", "It answers a group not sent from here."))
        return
    work.count("groups")
    by_set = _numbers_by_set(file)
    told = {_plain(one.number): one for one in group.sets}
    for number, control_numbers in by_set.items():
        one = told.get(number)
        accepted = one.accepted if one is not None and one.code else group.accepted
        if accepted is None:
            work.find(Finding("W_SET_UNTOLD", "AK2", "It says nothing of one of the sets."))
            continue
        kind = Kind.FILE_ACCEPTED if accepted else Kind.FILE_REJECTED
        code = one.code if one is not None and one.code else group.code
        detail: dict[str, Any] = {"code": code}
        if one is not None and one.faults:
            detail["faults"] = [[*fault[:3], list(fault.codes)] for fault in one.faults]
        key = f"999-{file.interchange_number}-{number}-{code}"
        _of_file(db, scope, work, file, control_numbers, kind, key, on_day, detail)


def _of_file(
    db: Session,
    scope: Scope,
    work: Work,
    file: ClaimFile,
    control_numbers: Iterable[str],
    kind: Kind,
    key: str,
    on_day: date,
    detail: dict[str, Any],
) -> None:
    claims = work.claims(db, scope, list(control_numbers))
    attempts = work.attempts_in(db, scope, file.id)
    for claim in claims.values():
        attempt = attempts.get(claim.id) or attempt_answered(claim.sendings)
        work.event(claim, key, kind, attempt, on_day, detail)


def _claims(db: Session, scope: Scope, work: Work, told: ClaimsAnswer, on_day: date) -> None:
    for finding in told.findings:
        work.find(finding)
    file = _file_of(db, scope, told)
    if told.all_rejected:
        _batch(db, scope, work, told, file, on_day)
        return
    known = work.claims(db, scope, [one.control_number for one in told.claims])
    attempts = {} if file is None else work.attempts_in(db, scope, file.id)
    for place, one in enumerate(told.claims, 1):
        claim = known.get(one.control_number)
        if claim is None:
            message = "It names a claim that is not known here."
            work.find(Finding("W_CLAIM_NOT_OURS", f"claim {place}", message))
            continue
        kind = _kind(told, one)
        if kind is None:
            continue
        day = next((status.on_day for status in one.statuses if status.on_day), on_day)
        attempt = attempts.get(claim.id) or attempt_answered(claim.sendings, "", day)
        work.event(claim, _key(told, one), kind, attempt, day, _detail(one.statuses, one))


def _kind(told: ClaimsAnswer, one: ClaimAnswer) -> Kind | None:
    if one.accepted is None:
        return None
    if not one.accepted:
        return Kind.REJECTED
    return Kind.PAYER_ACCEPTED if told.by_payer else Kind.HOUSE_ACCEPTED


def _batch(
    db: Session,
    scope: Scope,
    work: Work,
    told: ClaimsAnswer,
    file: ClaimFile | None,
    on_day: date,
) -> None:
    """Everything under a level is rejected, with no word on the claims."""
    if file is None:
        message = "It rejects a whole batch that is not known here."
        work.find(Finding("W_FILE_NOT_OURS", "TRN02", message))
        return
    reference = next(iter(told.references), "")
    by_reference = _numbers_by_reference(file)
    every = [number for some in by_reference.values() for number in some]
    statuses = tuple(one for batch in told.batches for one in batch.statuses)
    key = f"277CA-batch-{file.interchange_number}-{_digest(reference, repr(statuses))}"
    numbers = by_reference.get(reference, every)
    _of_file(db, scope, work, file, numbers, Kind.REJECTED, key, on_day, _detail(statuses))


def _file_of(db: Session, scope: Scope, told: ClaimsAnswer) -> ClaimFile | None:
    """The file of ours whose reference (BHT03) the acknowledgment repeats."""
    if not told.references:
        return None
    wanted = set(told.references)
    for file in files_before(db, scope):
        if wanted & _numbers_by_reference(file).keys():
            return file
    return None


def _detail(statuses: Iterable[Status], one: ClaimAnswer | None = None) -> dict[str, Any]:
    told = list(statuses)
    if one is not None:
        told += one.line_statuses
    reasons = [[*reason] for status in told for reason in status.reasons]
    detail: dict[str, Any] = {"reasons": reasons}
    if one is not None and one.payer_claim_number:
        detail["payer_claim_number"] = one.payer_claim_number
    if one is not None and one.clearinghouse_number:
        detail["clearinghouse_number"] = one.clearinghouse_number
    return detail


def _key(told: ClaimsAnswer, one: ClaimAnswer) -> str:
    source = f"{told.by_payer} {told.source_id}"
    parts = (source, repr(told.references), one.payer_claim_number, repr(one.statuses))
    return "277CA-" + _digest(*parts, repr(one.line_statuses))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _numbers_by_set(file: ClaimFile) -> dict[str, list[str]]:
    return {_plain(number): claims for number, _, claims in _sets(file)}


def _numbers_by_reference(file: ClaimFile) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for _, reference, claims in _sets(file):
        found.setdefault(reference, []).extend(claims)
    return found


def _sets(file: ClaimFile) -> Iterator[tuple[str, str, list[str]]]:
    """Number, reference and patient control numbers of each set of a file of ours."""
    try:
        segments = read_segments(file.content).segments
    except NotX12Error:
        return  # another kind of file than X12, which nobody acknowledges so
    for part in transaction_sets(segments):
        reference = next((one.get(3) for one in part if one.name == "BHT"), "")
        yield part[0].get(2), reference, [one.get(1) for one in part if one.name == "CLM"]


def _plain(number: str) -> str:
    return number.lstrip("0") or number
