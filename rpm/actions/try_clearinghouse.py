"""Try a clearinghouse: a test file with one made-up claim, which must come back acknowledged.

Owns the file: marked T in its envelope, with a patient who does not exist. Does not own sending it.
"""

import hashlib
from datetime import date, datetime, timedelta

from sqlmodel import Session

from billing.claims.claim import (
    Address,
    BillingProvider,
    Claim,
    Coverage,
    Name,
    Payer,
    Person,
    ServiceLine,
)
from billing.claims.x12 import envelope
from billing.claims.x12.p837 import write_837p
from rpm.access import Actor, require
from rpm.actions.claim_envelope import envelope_of, local_minute, receiver_of, submitter_of
from rpm.errors import Conflict
from rpm.store.chain import recording
from rpm.store.queries.billing import practice_billing
from rpm.store.queries.claims import take_numbers
from rpm.store.queries.clearinghouses import INTERCHANGES, TEST_CLAIMS, clearinghouse_profile
from rpm.store.queries.people import hold_organization, organization_of
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimFile, PracticeBilling
from rpm.transport.profile import TEST, Profile

_CHARGE_CENTS = 5_000
_BORN = date(1950, 1, 1)


def make_test_file(db: Session, actor: Actor, now: datetime, key: str) -> ClaimFile:
    """A new test file for a clearinghouse, recorded and not yet sent.

    ``Conflict`` while the practice's billing identity is not on record, or the agreement
    was ended.
    """
    require(actor, "connections:manage")
    scope = Scope.of(actor)
    hold_organization(db, scope)
    profile = clearinghouse_profile(db, scope, key)
    billing, practice = practice_billing(db, scope), organization_of(db, scope)
    if profile.retired:
        raise Conflict("the agreement with the clearinghouse was ended")
    if billing is None:
        raise Conflict("the practice's billing identity is not on record")
    made_at = local_minute(now, practice)
    with recording(db, actor, now, "clearinghouse.test_file", {}) as record:
        number = take_numbers(db, scope, INTERCHANGES, 1)
        claim = _claim(billing, practice.npi, number, made_at.date() - timedelta(days=1))
        content = write_837p(_file(profile, billing, claim, number, made_at))
        file = record.add(
            ClaimFile(
                kind=TEST_CLAIMS,
                interchange_number=number,
                name=profile.file_name(number, made_at.date(), TEST),
                sha256=hashlib.sha256(content).hexdigest(),
                content=content,
                clearinghouse_key=key,
                usage=TEST,
                claim_count=1,
                charge_cents=_CHARGE_CENTS,
            )
        )
        record.subject["file_id"] = file.id
    return file


def _file(
    profile: Profile, billing: PracticeBilling, claim: Claim, number: int, made_at: datetime
) -> envelope.ClaimFile:
    receiver = receiver_of(profile, TEST)
    sets = (envelope.ClaimSet(1, f"TEST{number}", submitter_of(billing), receiver, (claim,)),)
    return envelope.ClaimFile(envelope_of(profile, number, made_at, TEST), sets)


def _claim(billing: PracticeBilling, npi: str, number: int, day: date) -> Claim:
    address = Address(
        billing.street, billing.city, billing.state, billing.postal_code, billing.street_more
    )
    patient = Person(Name("TESTPATIENT", "NOBODY"), _BORN, "F", address)
    return Claim(
        control_number=f"TEST{number:09d}",
        billing=BillingProvider(
            Name(billing.name, organization=True),
            npi,
            address,
            billing.tax_id,
            billing.tax_id_kind,
            billing.taxonomy,
        ),
        coverage=Coverage(Payer("TEST PAYER", "TEST"), patient, "TEST00001", "CI"),
        place="11",
        diagnoses=("I10",),
        lines=(ServiceLine("99457", _CHARGE_CENTS, 1, day, day, (1,), f"TEST{number:09d}-1"),),
    )
