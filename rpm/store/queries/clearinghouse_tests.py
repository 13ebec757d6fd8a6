"""Whether a clearinghouse was tried: a test file went there, and its 999 said that it was taken.

Owns this one question. Does not own the test file (``rpm.actions.test_clearinghouse``).
"""

from collections.abc import Iterator

from sqlmodel import Session, col

from billing.claims.sending import Step
from billing.claims.x12.ack999 import read_999
from billing.claims.x12.kind import FILE_ACKNOWLEDGED, interchanges
from billing.claims.x12.p837_read import read_837p
from rpm.store.queries.clearinghouses import TEST_CLAIMS, received_from
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimFile
from rpm.store.tables.transport import FileSending
from rpm.transport.profile import Profile


def is_tried(db: Session, scope: Scope, key: str, profile: Profile) -> bool:
    """Whether the place of this agreement took a test file since it is as it is now.

    A change of host, ids or folders asks for another test.
    """
    groups = set(_tried_groups(db, scope, key, profile))
    if not groups:
        return False
    for received in received_from(db, scope, key, FILE_ACKNOWLEDGED):
        for opened in interchanges(received.content):
            answer = read_999(opened.segments)
            if answer.accepted and answer.group_number in groups:
                return True
    return False


def _tried_groups(db: Session, scope: Scope, key: str, profile: Profile) -> Iterator[str]:
    begun = scope.all_of(
        db,
        FileSending,
        col(FileSending.clearinghouse_key) == key,
        col(FileSending.step) == Step.BEGUN,
        col(FileSending.place_digest) == profile.place_digest,
    )
    files = scope.all_of(
        db,
        ClaimFile,
        col(ClaimFile.kind) == TEST_CLAIMS,
        col(ClaimFile.id).in_([one.file_id for one in begun]),
    )
    for file in files:
        yield str(read_837p(file.content).interchange.group_number)
