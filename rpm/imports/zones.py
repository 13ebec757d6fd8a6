"""Zones: who tells in which zone a wall time of a file is meant.

Owns the choice between patient, practice and a zone named by the profile. Does not own where zones
are kept: the caller passes them in.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rpm.imports.profile import ImportProfile


def _unknown(_record_number: str) -> None:
    return None


@dataclass(frozen=True)
class Zones:
    """The practice's zone, and a patient's by record number (None: not known)."""

    practice: str
    patient: Callable[[str], str | None] = _unknown

    def of(
        self, profile: ImportProfile, record_number: str
    ) -> tuple[str, Literal["patient", "practice", "profile"]]:
        """The zone for times without offset, and whose it is."""
        rule = profile.zone or ("patient" if profile.kind == "readings" else "practice")
        if rule == "patient" and (zone := self.patient(record_number)):
            return zone, "patient"
        return (self.practice, "practice") if rule in ("patient", "practice") else (rule, "profile")

    def stated(self, profile: ImportProfile, record_number: str) -> bool:
        """Whether the profile answers for the zone, and the zone it means is known."""
        _, origin = self.of(profile, record_number)
        return profile.zone is not None and (profile.zone != "patient" or origin == "patient")
