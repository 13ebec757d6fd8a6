"""A profile's place, opened.

Owns which class serves which kind, and where drop folders are. Does not own either.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from rpm.transport.drop_folder import DropFolder
from rpm.transport.place import RefusedError, Transport
from rpm.transport.profile import FOLDER, Profile
from rpm.transport.sftp import SftpPlace, SftpSecret, opened_sftp


def drop_folder(root: Path, organization_id: UUID, key: str) -> Path:
    """The folder of one practice and clearinghouse below the installation's folder."""
    return root / organization_id.hex / key


@contextmanager
def opened_transport(
    profile: Profile, secret: SftpSecret | None, folder: Path
) -> Iterator[Transport]:
    """The place of a profile; ``NotReachedError`` or ``RefusedError`` when it does not open."""
    if profile.kind == FOLDER:
        yield DropFolder(folder)
        return
    if secret is None:
        raise RefusedError("no key or password is on record for this clearinghouse")
    place = SftpPlace(
        profile.host,
        profile.port,
        profile.username,
        profile.fingerprint,
        profile.out_folder,
        profile.in_folder,
        profile.archive_folder,
    )
    with opened_sftp(place, secret) as transport:
        yield transport
