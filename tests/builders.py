"""Facts told in few words: patients with episodes, readings, minutes and services.

Owns building ``Facts`` for tests of the calculation, and joining those of several patients. Does
not own the case format (``billing.ledger.case_text``) nor stored rows (``ledger_practice``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from billing.days import FAR_DAY, NO_DAY, day_date, day_number
from billing.ledger.cases import lines_text
from billing.ledger.evaluate import evaluate
from billing.ledger.facts import (
    COVERAGE_COLUMNS,
    DEVICE_DAY_COLUMNS,
    END_REASONS,
    ENTRY_COLUMNS,
    EPISODE_COLUMNS,
    GATE_COLUMNS,
    GATES,
    KINDS,
    MODES,
    OTHER_COLUMNS,
    PROGRAMS,
    REFUSED,
    ROLES,
    SETTINGS,
    WORK,
    Facts,
    frame,
)
from billing.ledger.outcome import Outcome
from billing.rules.book import shipped_book
from billing.rules.profile import Profile

MANY_DAYS_LATER = date(2027, 6, 1)
PAPERS = ("consent", "order", "established", "prior-auth")
P0 = Profile("P0")
Row = dict[str, Any]


@dataclass
class Chart:
    """Patients as they are told; rows are numbered in the order of telling."""

    payer: str = "MEDICARE_B"
    profile: Profile = P0
    covered: bool = True
    episodes: list[Row] = field(default_factory=list)
    device_days: list[Row] = field(default_factory=list)
    entries: list[Row] = field(default_factory=list)
    gates: list[Row] = field(default_factory=list)
    others: list[tuple[int, str, int, bool]] = field(default_factory=list)

    def enroll(self, opened: date, program: str = "RPM", patient: int = 0, **other: Any) -> int:
        """An open episode with its papers, set up on its first day; returns its row."""
        papers: Sequence[str] = other.pop("papers", PAPERS)
        closed: date | None = other.pop("closed", None)
        row = {
            "episode": len(self.episodes),
            "patient": patient,
            "program": PROGRAMS.index(program),
            "setting": SETTINGS.index(other.pop("setting", "OFFICE")),
            "pos": 11,
            "profile": 0,
            "setup_day": day_number(opened),
            "opened_day": day_number(opened),
            "closed_day": FAR_DAY if closed is None else day_number(closed),
            "end_reason": END_REASONS.index(other.pop("end_reason", "")),
            "setup_billed": True,
            "previous": -1,
            "reorder": False,
        }
        self.episodes.append({**row, **other})
        for paper in papers:
            self.hold(len(self.episodes) - 1, paper)
        return len(self.episodes) - 1

    def hold(self, episode: int, gate: str, since: date | None = None) -> None:
        """Something that is true of an episode, from a day or from always."""
        from_day = NO_DAY if since is None else day_number(since)
        self.gates.append(
            {
                "episode": episode,
                "gate": GATES.index(gate),
                "from_day": from_day,
                "to_day": FAR_DAY,
            }
        )

    def measure(
        self, episode: int, first: date, days: int, kind: str = "bp", refused: str = ""
    ) -> None:
        """One reading on each of so many days, received on its day."""
        for day in (day_number(first) + n for n in range(days)):
            self.device_days.append(
                {
                    "episode": episode,
                    "day": day,
                    "kind": KINDS.index(kind),
                    "qualifying_count": int(not refused),
                    "refused_count": int(bool(refused)),
                    "refused_reason": REFUSED.index(refused),
                    "first_received_day": day,
                }
            )

    def work(self, episode: int, day: date, seconds: int, **other: Any) -> int:
        """An entry by a practitioner, live, without a start; returns its number."""
        number = len(self.entries)
        row = {
            "entry": number,
            "reverses": -1,
            "episode": episode,
            "patient": self.episodes[episode]["patient"],
            "actor": other.pop("actor", 0),
            "role": ROLES.index(other.pop("role", "qhp")),
            "work": WORK.index(other.pop("work", "RPM")),
            "mode": MODES.index(other.pop("mode", "live")),
            "day": day_number(day),
            "start_second": other.pop("start_second", -1),
            "seconds": seconds,
            "shared": False,
        }
        self.entries.append({**row, **other})
        return number

    def serve(self, code: str, day: date, *, own: bool = True, patient: int = 0) -> None:
        """A service recorded besides, ours or another practice's."""
        self.others.append((patient, code, day_number(day), own))

    def facts(self) -> Facts:
        """What was told, as frames."""
        codes = tuple(sorted({code for _, code, _, _ in self.others}))
        patients = sorted({row["patient"] for row in self.episodes}) if self.covered else []
        others = [
            {
                "patient": patient,
                "code": codes.index(code),
                "service_day": day,
                "own": own,
                "actor": -1,
            }
            for patient, code, day, own in self.others
        ]
        coverages = [
            {"patient": patient, "payer": 0, "from_day": NO_DAY, "to_day": FAR_DAY}
            for patient in patients
        ]
        return Facts(
            episodes=_frame(EPISODE_COLUMNS, self.episodes),
            device_days=_frame(DEVICE_DAY_COLUMNS, self.device_days),
            entries=_frame(ENTRY_COLUMNS, self.entries),
            gates=_frame(GATE_COLUMNS, self.gates),
            coverages=_frame(COVERAGE_COLUMNS, coverages),
            others=_frame(OTHER_COLUMNS, others),
            payers=(self.payer,),
            profiles=(self.profile,),
            codes=codes,
        )

    def outcome(self, as_of: date = MANY_DAYS_LATER) -> Outcome:
        """What the shipped rules make of it."""
        return evaluate(self.facts(), shipped_book(), as_of, as_of)

    def lines(self, as_of: date = MANY_DAYS_LATER) -> str:
        """Lines in the words of the case format."""
        return lines_text(self.outcome(as_of))

    def told(self, as_of: date = MANY_DAYS_LATER) -> list[str]:
        """All findings with the patient and the first day of the period they stand on."""
        return told(self.outcome(as_of))

    def findings(self, as_of: date = MANY_DAYS_LATER) -> set[str]:
        """Codes of all findings."""
        return set(self.outcome(as_of).findings["code"])


def told(outcome: Outcome) -> list[str]:
    """Findings as ``patient first-day code concerns amount``, sorted; nothing and zero left out."""
    starts = dict(zip(outcome.periods["period"], outcome.periods["start_day"], strict=True))
    names = ("patient", "period", "code", "concerns", "amount")
    rows = zip(*(outcome.findings[name].tolist() for name in names), strict=True)
    return sorted(
        " ".join(
            str(word) for word in (patient, day_date(starts[period]), *others) if word != ""
        ).removesuffix(" 0")
        for patient, period, *others in rows
    )


def _frame(columns: Mapping[str, type], rows: list[Row]) -> pd.DataFrame:
    return frame(columns, {name: [row[name] for row in rows] for name in columns})


def day_of(text: str) -> date:
    """A date from its ISO text."""
    return date.fromisoformat(text)


def later(day: date, days: int) -> date:
    """A day so many days later."""
    return day + timedelta(days=days)


def together(parts: Sequence[Facts]) -> Facts:
    """Facts of the patients of several Facts, numbered on; people who worked stay apart."""
    payers = tuple(sorted({payer for part in parts for payer in part.payers}))
    codes = tuple(sorted({code for part in parts for code in part.codes}))
    base = dict.fromkeys(("episode", "patient", "entry", "actor", "profile"), 0)
    frames: dict[str, list[pd.DataFrame]] = {}
    for part in parts:
        for name in _FRAMES:
            frames.setdefault(name, []).append(
                _numbered_on(getattr(part, name), base, part, payers, codes)
            )
        base["episode"] += len(part.episodes)
        base["profile"] += len(part.profiles)
        base["patient"] += int(part.episodes["patient"].max()) + 1
        base["entry"] += int(part.entries["entry"].max()) + 1 if len(part.entries) else 0
        base["actor"] += int(part.entries["actor"].max()) + 1 if len(part.entries) else 0
    return Facts(
        **{name: pd.concat(rows, ignore_index=True) for name, rows in frames.items()},
        payers=payers,
        profiles=tuple(profile for part in parts for profile in part.profiles),
        codes=codes,
    )


_FRAMES = ("episodes", "device_days", "entries", "gates", "coverages", "others")
_NUMBERS = {"previous": "episode", "reverses": "entry"}
"""Columns that name a row of another kind; -1 in them names nothing."""


def _numbered_on(
    rows: pd.DataFrame,
    base: dict[str, int],
    part: Facts,
    payers: tuple[str, ...],
    codes: tuple[str, ...],
) -> pd.DataFrame:
    columns = {}
    for name in rows.columns:
        values = rows[name].to_numpy()
        kind = _NUMBERS.get(name, name)
        if kind in base:
            columns[name] = np.where(values < 0, values, values + base[kind]).astype(values.dtype)
        elif name == "payer":
            places = np.array([payers.index(payer) for payer in part.payers], dtype=values.dtype)
            columns[name] = places[values]
        elif name == "code":
            places = np.array([codes.index(code) for code in part.codes], dtype=values.dtype)
            columns[name] = places[values]
        else:
            columns[name] = values
    return pd.DataFrame(columns)
