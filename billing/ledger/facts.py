"""Facts: what is known of patients, as six frames of whole numbers.

Owns the columns, their units and the vocabularies behind coded columns. Does not own where the
facts come from (``rpm.store.facts`` builds them from tables, ``billing.ledger.cases`` from a case
file) nor what follows from them (``evaluate``).

Every column is an integer or a boolean. A *coded* column holds the position of a word in the
vocabulary named beside it. A day is a day number (``billing.days``), a time of day is whole
seconds after local midnight, a duration is whole seconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from billing.rules.profile import Profile

PROGRAMS = ("RPM", "RTM-RESPIRATORY", "RTM-MUSCULOSKELETAL", "RTM-CBT")
"""What an episode is enrolled in."""
SETTINGS = ("OFFICE", "RHC", "FQHC")
END_REASONS = ("", "goals_met", "program_discharge", "patient_request", "death")
KINDS = (
    "bp",
    "scale",
    "pulseox",
    "glucose",
    "thermometer",
    "spirometer",
    "wellness",
    "cgm",
    "adherence",
)
"""Device kinds. ``cgm`` counts only where a practice says so: the store decides, not the ledger."""
REFUSED = (
    "",
    "manual_entry",
    "device_not_qualified",
    "not_physiologic",
    "time_suspect",
    "out_of_range",
    "excluded",
    "other",
)
"""Why readings of a day did not qualify; the empty word stands on rows of qualifying readings."""
ROLES = ("qhp", "rn", "lpn", "ma", "admin")
"""Who worked: practitioner who may bill E/M, clinical staff, clerical staff."""
WORK = ("RPM", "RTM", "99091", "CCM", "PCM", "TCM", "BHI", "APCM", "EM")
"""What a minute was logged for; a minute is used once (R-TIME-07)."""
MODES = ("live", "async", "text", "voicemail")
"""``live`` is real-time two-way talk with patient or caregiver (R-TIME-05)."""
GATES = ("consent", "order", "established", "prior-auth", "covid", "global-period")
"""What must be (or is) true of an episode during an interval of days."""

EPISODE_COLUMNS = {
    "episode": np.int32,  # row number, 0..n-1
    "patient": np.int32,
    "program": np.int8,  # coded, PROGRAMS
    "setting": np.int8,  # coded, SETTINGS
    "pos": np.int16,  # place of service of the billing practitioner, e.g. 11
    "profile": np.int16,  # position in Facts.profiles
    "setup_day": np.int32,  # set-up and teaching done; NO_DAY if not yet
    "opened_day": np.int32,
    "closed_day": np.int32,  # last day that belongs to the episode; FAR_DAY while open
    "end_reason": np.int8,  # coded, END_REASONS
    "setup_billed": np.bool_,  # the set-up code already left for this episode, elsewhere or before
    "previous": np.int32,  # episode row that this one follows, or -1
    "reorder": np.bool_,  # new order and new set-up: a new episode for the set-up code
}
DEVICE_DAY_COLUMNS = {
    "episode": np.int32,
    "day": np.int32,  # patient's local day of measurement
    "kind": np.int8,  # coded, KINDS
    "qualifying_count": np.int32,
    "refused_count": np.int32,
    "refused_reason": np.int8,  # coded, REFUSED
    "first_received_day": np.int32,  # day the first reading of this row reached us
}
ENTRY_COLUMNS = {
    "entry": np.int32,  # row number of the entry; several rows may carry parts of one entry
    "reverses": np.int32,  # entry that this one takes back, or -1
    "episode": np.int32,
    "patient": np.int32,
    "actor": np.int32,  # the person who worked
    "role": np.int8,  # coded, ROLES
    "work": np.int8,  # coded, WORK
    "mode": np.int8,  # coded, MODES
    "day": np.int32,  # practice's local day; an entry never crosses midnight
    "start_second": np.int32,  # seconds after local midnight, or -1 when only a length is known
    "seconds": np.int32,  # negative in a reversal
    "shared": np.bool_,  # overlapped the same person's work on another patient (overlap.py)
}
GATE_COLUMNS = {
    "episode": np.int32,
    "gate": np.int8,  # coded, GATES
    "from_day": np.int32,
    "to_day": np.int32,  # inclusive; FAR_DAY while open
}
COVERAGE_COLUMNS = {
    "patient": np.int32,
    "payer": np.int16,  # position in Facts.payers
    "from_day": np.int32,
    "to_day": np.int32,  # inclusive; FAR_DAY while open
}
OTHER_COLUMNS = {
    "patient": np.int32,
    "code": np.int16,  # position in Facts.codes
    "service_day": np.int32,
    "own": np.bool_,  # ours; False: another practice's
    "actor": np.int32,  # practitioner of the service, or -1 when not known
}


def frame(
    columns: Mapping[str, type], rows: Mapping[str, Sequence[Any]] | None = None
) -> pd.DataFrame:
    """A frame with exactly these columns and types; empty when no rows are given."""
    rows = rows if rows is not None else {name: [] for name in columns}
    if set(rows) != set(columns):
        raise ValueError(f"columns differ: {sorted(set(rows) ^ set(columns))}")
    return pd.DataFrame(
        {name: np.asarray(rows[name], dtype=kind) for name, kind in columns.items()}
    )


@dataclass(frozen=True)
class Facts:
    """Facts of whole patients: all episodes, days, entries and services of each one together.

    ``device_days`` and ``entries`` may stand in any order; sorted by (episode, day) and by
    (patient, day) they are evaluated fastest.
    """

    episodes: pd.DataFrame
    device_days: pd.DataFrame
    entries: pd.DataFrame
    gates: pd.DataFrame
    coverages: pd.DataFrame
    others: pd.DataFrame
    payers: tuple[str, ...]  # vocabulary of coverages.payer
    profiles: tuple[Profile, ...]  # vocabulary of episodes.profile
    codes: tuple[str, ...]  # vocabulary of others.code
