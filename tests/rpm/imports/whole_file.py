"""A whole file read at once, as tests like to look at it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rpm.imports.profile import ImportProfile
from rpm.imports.read import LeftOut, Reject, Taken, open_import
from rpm.imports.records import Row
from rpm.imports.zones import Zones


@dataclass(frozen=True)
class Imported:
    """The rows of a file, its refused rows, and how many the filters left out."""

    rows: tuple[Row, ...]
    rejects: tuple[Reject, ...]
    left_out: int
    header: tuple[str, ...]


def read_import(
    source: Path | bytes,
    profile: ImportProfile,
    zones: Zones,
    options: Mapping[str, str] | None = None,
) -> Imported:
    """Every row of a file by a profile."""
    with open_import(source, profile.with_options(options or {}), zones) as opened:
        outcomes = list(opened.outcomes)
    return Imported(
        rows=tuple(outcome.record for outcome in outcomes if isinstance(outcome, Taken)),
        rejects=tuple(outcome for outcome in outcomes if isinstance(outcome, Reject)),
        left_out=sum(isinstance(outcome, LeftOut) for outcome in outcomes),
        header=opened.header,
    )
