"""Write released claims into a file for a clearinghouse, once it passed every check.

Owns which claims go into it, its numbers and its recording, and discarding a file that was never
sent. Does not own the format (``billing.claims.x12``), the gate (``rpm.claim_gate``) nor sending
(``rpm.actions.send_claim_file``). Three must agree before a file is kept: the validator finds
nothing, our own reader gives back the values that were written, and the scrub finds no error.
Otherwise nothing is recorded, its numbers are free again, and the claims stay released.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from billing.claims.lifecycle import Kind, Status, Step
from billing.claims.scrub import scrub
from billing.claims.sending import Reach, reach
from billing.claims.x12.as_written import as_written
from billing.claims.x12.envelope import ClaimFile as WrittenFile
from billing.claims.x12.envelope import ClaimSet
from billing.claims.x12.p837 import write_837p
from billing.claims.x12.p837_read import read_837p
from billing.finding import Finding
from rpm.access import Actor, require
from rpm.actions.claim_check import errors_of, practice_codes
from rpm.actions.claim_envelope import envelope_of, local_minute, receiver_of, submitter_of
from rpm.actions.claim_events import CurrentClaim, current_claims, own_event, person_of
from rpm.actions.command import Command, Id, Reason
from rpm.actions.practice_day import practice_today
from rpm.claim_gate import gate_findings
from rpm.errors import Conflict
from rpm.store.chain import recording
from rpm.store.queries.billing import payer_billings, practice_billing
from rpm.store.queries.claims import (
    claims_in_file,
    claims_standing,
    next_number,
    take_numbers,
)
from rpm.store.queries.clearinghouses import (
    CLAIMS,
    INTERCHANGES,
    clearinghouse_key,
    clearinghouse_profile,
    folded_steps,
    steps_of,
)
from rpm.store.queries.people import hold_organization, organization_of
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimFile
from rpm.transport.profile import PRODUCTION, Profile

MOST_CLAIMS = 2_000
"""Claims of one file: what every clearinghouse takes; the next file takes the rest."""
NOTHING_RELEASED = "I_NOTHING_RELEASED"
READ_OTHERWISE = "E_READ_BACK"
"""Our own reader gives back other values than those that were written."""
NO_IDENTITY = "E_NO_BILLING_IDENTITY"

Findings = tuple[Finding, ...]


@dataclass(frozen=True)
class PreparedFile:
    """A file that passed every check and is not recorded yet."""

    clearinghouse: str
    content: bytes
    number: int
    claims: Sequence[CurrentClaim]
    profile: Profile

    @property
    def holds(self) -> list[tuple[UUID, int]]:
        """Which attempt of which claims."""
        return [(one.row.id, one.attempt) for one in self.claims]


class DiscardFile(Command):
    """A file that was not sent is not to be sent; its claims may be changed or written anew."""

    file_id: Id
    reason: Reason


def write_claim_file(
    db: Session, actor: Actor, now: datetime, clearinghouse: str
) -> ClaimFile | Findings:
    """The file of what is released for a clearinghouse, at most 2,000 claims; or what stops it.

    Errors as ``prepare_claim_file``. The validator takes about 3 ms for a claim; where others wait
    to write meanwhile, prepare while reading and keep afterwards.
    """
    require(actor, "claims:release")
    hold_organization(db, Scope.of(actor))
    prepared = prepare_claim_file(db, actor, now, clearinghouse)
    if not isinstance(prepared, PreparedFile):
        return prepared
    return keep_claim_file(db, actor, now, prepared)


def prepare_claim_file(
    db: Session, actor: Actor, now: datetime, clearinghouse: str
) -> PreparedFile | Findings:
    """The file, checked, or what stops it; nothing is recorded.

    An empty ``clearinghouse`` is the practice's only one. ``NotFound`` and ``Conflict`` as
    ``clearinghouse_key``; ``Conflict`` too while the agreement is marked as a test, because claims
    leave for production only.
    """
    require(actor, "claims:release")
    scope = Scope.of(actor)
    key = clearinghouse_key(db, scope, clearinghouse)
    profile = clearinghouse_profile(db, scope, key)
    if profile.usage != PRODUCTION:
        raise Conflict("the agreement is marked as a test: claims are written for production")
    claims = _released(db, scope, key)
    if not claims:
        return (Finding(NOTHING_RELEASED, "claims", "No released claim waits for this one."),)
    drawn = _draw(db, scope, now, claims, profile)
    if isinstance(drawn, tuple):
        return drawn
    found = _refused(db, scope, now, drawn.content)
    return found or replace(drawn, clearinghouse=key)


def keep_claim_file(db: Session, actor: Actor, now: datetime, prepared: PreparedFile) -> ClaimFile:
    """Record a prepared file; its claims wait in it.

    ``Conflict`` when claims were released, held or written since, or the agreement changed.
    """
    require(actor, "claims:release")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    released = [(one.row.id, one.attempt) for one in _released(db, scope, prepared.clearinghouse)]
    same = (
        released == prepared.holds
        and next_number(db, scope, INTERCHANGES) == prepared.number
        and clearinghouse_profile(db, scope, prepared.clearinghouse) == prepared.profile
    )
    if not same:
        raise Conflict("claims or the agreement changed while the file was made: write it again")
    return _keep(db, actor, now, prepared)


def _released(db: Session, scope: Scope, key: str) -> list[CurrentClaim]:
    """Released claims whose payer is reached by this clearinghouse, payer by payer."""
    ids = claims_standing(db, scope, Status.RELEASED)
    current = current_claims(db, scope, ids).values()
    payers = payer_billings(db, scope, {one.row.payer_id for one in current})
    keys = {
        payer_id: clearinghouse_key(db, scope, row.clearinghouse_key)
        for payer_id, row in payers.items()
        if row.clearinghouse_key in ("", key)
    }
    wanted = [one for one in current if keys.get(one.row.payer_id) == key and one.may(Step.WRITE)]
    wanted.sort(key=lambda one: (one.row.payer_id, one.row.patient_id, one.row.control_number))
    return wanted[:MOST_CLAIMS]


def _draw(
    db: Session, scope: Scope, now: datetime, claims: Sequence[CurrentClaim], profile: Profile
) -> PreparedFile | Findings:
    identity = practice_billing(db, scope)
    if identity is None:
        message = "Who bills and whom to ask is not recorded. Record it."
        return (Finding(NO_IDENTITY, "billing provider", message),)
    number = next_number(db, scope, INTERCHANGES)  # taken when the file is kept
    made_at = local_minute(now, organization_of(db, scope))
    told = ClaimSet(
        1,
        f"{number:09d}",
        submitter_of(identity),
        receiver_of(profile, profile.usage),
        tuple(one.claim for one in claims),
    )
    written = WrittenFile(envelope_of(profile, number, made_at, profile.usage), (told,))
    content = write_837p(written)
    if as_written(written) != read_837p(content):
        message = "Reading the file gives other values than were written. Tell the maintainers."
        return (Finding(READ_OTHERWISE, "file", message),)
    return PreparedFile("", content, number, claims, profile)


def _refused(db: Session, scope: Scope, now: datetime, content: bytes) -> Findings:
    today, lists = practice_today(db, scope, now), practice_codes(db, scope)
    return errors_of(scrub(content, today, lists).findings) or gate_findings(content)


def _keep(db: Session, actor: Actor, now: datetime, drawn: PreparedFile) -> ClaimFile:
    scope, key = Scope.of(actor), drawn.clearinghouse
    today = practice_today(db, scope, now)
    take_numbers(db, scope, INTERCHANGES, 1)
    with recording(db, actor, now, "claims.write", {"clearinghouse": key}) as record:
        file = record.add(
            ClaimFile(
                kind=CLAIMS,
                interchange_number=drawn.number,
                name=drawn.profile.file_name(drawn.number, today, drawn.profile.usage),
                sha256=hashlib.sha256(drawn.content).hexdigest(),
                content=drawn.content,
                clearinghouse_key=key,
                usage=drawn.profile.usage,
                claim_count=len(drawn.claims),
                charge_cents=sum(one.charge_cents for one in drawn.claims),
            )
        )
        record.subject["file_id"] = file.id
        record.subject["claims"] = len(drawn.claims)
        for one in drawn.claims:
            own_event(
                *(record, actor, one.row.id, Kind.WRITTEN, one.attempt, today),
                frequency=one.frequency,
                file_id=file.id,
            )
    return file


def discard_claim_file(
    db: Session, actor: Actor, now: datetime, command: DiscardFile
) -> list[UUID]:
    """The claims of a file that was surely not sent, released again; the file stays on record.

    ``Conflict`` for a file that was sent, is on its way or may have arrived, or was discarded.
    """
    require(actor, "claims:release")
    person_of(actor)
    scope = Scope.of(actor)
    hold_organization(db, scope)
    file = scope.get(db, ClaimFile, command.file_id)
    steps = steps_of(db, scope, [file.id])[file.id]
    if reach(folded_steps(steps), now) is not Reach.WAITING:
        raise Conflict("the file was sent, or may have been: it cannot be discarded")
    waiting = current_claims(db, scope, claims_in_file(db, scope, file.id)).values()
    if not waiting:
        raise Conflict("no claim waits in this file")
    today = practice_today(db, scope, now)
    subject = {"file_id": file.id, "claims": len(waiting)}
    with recording(db, actor, now, "claims.discard_file", subject, command.reason) as record:
        for one in waiting:
            own_event(
                *(record, actor, one.row.id, Kind.RELEASED, one.attempt, today),
                reason=command.reason,
                frequency=one.frequency,
                detail={"discarded_file": file.id.hex},
            )
    return [one.row.id for one in waiting]
