"""What a practice has agreed with a clearinghouse: where files go, how they are named and marked.

Owns the value and its JSON form, and the profiles that are shipped as data. Does not own secrets,
nor which profile of a practice counts (``rpm.store.queries.clearinghouses``).
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from functools import lru_cache
from importlib import resources
from typing import Any

FOLDER, SFTP = "folder", "sftp"
KINDS = (FOLDER, SFTP)
TEST, PRODUCTION = "T", "P"
_NOT_THE_PLACE = frozenset(
    {
        *("name", "usage", "retired", "name_pattern"),
        *("acknowledgment_days", "claim_acknowledgment_days", "remittance_days"),
    }
)


@dataclass(frozen=True)
class Profile:
    """An agreement; its ids are those of interchange (ISA05 to ISA08) and group (GS02, GS03)."""

    name: str
    kind: str
    sender_id: str
    receiver_id: str
    receiver_name: str
    sender_qualifier: str = "ZZ"
    receiver_qualifier: str = "ZZ"
    sender_group: str = ""  # empty: as the sender's id
    receiver_group: str = ""
    usage: str = TEST
    """ISA15: production is refused until a test file was accepted."""
    test_receiver_id: str = ""  # ISA08 of test files, where it differs
    host: str = ""
    port: int = 22
    username: str = ""
    fingerprint: str = ""  # SHA256:... of the host key
    out_folder: str = ""
    in_folder: str = ""
    archive_folder: str = ""
    name_pattern: str = "{number}.837"
    """Of files that are sent: ``{number}`` (interchange), ``{day}`` (YYYYMMDD), ``{usage}``."""
    acknowledgment_days: int = 1
    claim_acknowledgment_days: int = 3
    remittance_days: int = 30
    retired: bool = False

    def file_name(self, number: int, day: date, usage: str) -> str:
        """The name of the file of one interchange."""
        return self.name_pattern.format(number=f"{number:09d}", day=f"{day:%Y%m%d}", usage=usage)

    def receiver_in(self, usage: str) -> str:
        """ISA08 of a test or production file."""
        return (
            self.test_receiver_id if usage == TEST and self.test_receiver_id else self.receiver_id
        )

    @property
    def place_digest(self) -> str:
        """The same as long as nothing changed that a test file has tried out."""
        tried = {name: one for name, one in self.as_json().items() if name not in _NOT_THE_PLACE}
        return hashlib.sha256(json.dumps(tried, sort_keys=True).encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """For a fact's column."""
        return asdict(self)

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> "Profile":
        """From a fact's column; what a later version added has its default."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in kept.items() if name in known})


@dataclass(frozen=True)
class ShippedProfile:
    """A profile to begin with, and where it was read; what is not known is empty."""

    profile: Profile
    source: str
    note: str


@lru_cache(maxsize=1)
def shipped_profiles() -> Mapping[str, ShippedProfile]:
    """The profiles of ``profiles.toml`` by key."""
    text = resources.files("rpm.transport").joinpath("profiles.toml").read_text(encoding="utf-8")
    return {
        key: ShippedProfile(
            Profile.of_json({"sender_id": "", "receiver_id": "", "receiver_name": ""} | one),
            one["source"],
            one["note"],
        )
        for key, one in tomllib.loads(text).items()
    }


def profile_from(shipped: str, **changes: Any) -> Profile:
    """A shipped profile with what a practice fills in; KeyError for an unknown one."""
    given = {name: value for name, value in changes.items() if value is not None}
    return replace(shipped_profiles()[shipped].profile, **given)
