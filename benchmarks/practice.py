"""A practice in a database: the synthetic facts as rows of the store.

Owns how a part's row numbers become ids and which columns its rows have. Does not own the loading
(``benchmarks.load``). Left out on purpose: raw deliveries and readings, because neither a close nor
a page reads them; they read the kept device days.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.facts import Part, facts_of_part
from billing.days import FAR_DAY, NO_DAY, day_date
from billing.ledger.facts import (
    END_REASONS,
    GATES,
    KINDS,
    MODES,
    PROGRAMS,
    REFUSED,
    ROLES,
    SETTINGS,
    WORK,
    Facts,
)

ZONE = "America/New_York"
RECORDED_AT = "2026-04-01 12:00:00.000000"
_SYLLABLES = (
    "al",
    "ben",
    "cor",
    "dan",
    "el",
    "far",
    "gor",
    "hel",
    "in",
    "jor",
    "kel",
    "lan",
    "mor",
)
_KINDS = ("payer", "user", "patient", "coverage", "episode", "end", "consent", "gate", "entry", "s")


@dataclass(frozen=True)
class Rows:
    """Rows of one table, as text and numbers that both engines take."""

    table: str
    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


def id_of(kind: str, row: int, part: int = 0) -> str:
    """The id of a row as 32 hexadecimal digits; ids sort as the rows were made."""
    return f"{part:012x}7{_KINDS.index(kind):03x}8{row:015x}"


def rows_of_part(organization_id: str, part: Part) -> Iterator[Rows]:
    """All rows of a part, tables in the order in which they refer to each other."""
    facts = facts_of_part(part)
    made = _Rows(facts, part)
    fact = ("organization_id", "recorded_at", "audit_number", "id")
    stamp = (organization_id, RECORDED_AT, 1)
    for table, columns, rows in (
        ("payer", ("key", "name"), made.payers() if part.number == 0 else iter(())),
        ("patient", _PATIENT, made.patients()),
        ("coverage", _COVERAGE, made.coverages()),
        ("episode", _EPISODE, made.episodes()),
        ("episode_end", ("episode_id", "last_day", "end_reason"), made.ends()),
        ("consent", _CONSENT, made.consents()),
        ("episode_gate", ("episode_id", "gate", "from_day"), made.gates()),
        ("interaction_entry", _ENTRY, made.entries()),
        ("other_service", _SERVICE, made.services()),
    ):
        yield Rows(table, (*fact, *columns), ((*stamp, *row) for row in rows))
    yield Rows("device_day", ("organization_id", *_DEVICE_DAY), made.device_days(organization_id))


def users_of_part(organization_id: str, part: Part) -> Rows:
    """The people of a part's log; they stand before the entries."""
    actors = int(facts_of_part(part).entries["actor"].max()) + 1
    columns = ("organization_id", "id", "name", "email", "role", "active", "created_at")
    return Rows(
        "user_account",
        columns,
        (
            (
                organization_id,
                id_of("user", row, part.number),
                f"Worker {part.number}-{row}",
                f"worker-{part.number}-{row}@example.org",
                "clinical_staff",
                True,
                RECORDED_AT,
            )
            for row in range(actors)
        ),
    )


_PATIENT = (
    "record_number",
    "family_name",
    "given_name",
    "birth_date",
    "sex",
    "timezone",
)
_COVERAGE = ("patient_id", "payer_id", "member_id", "from_day", "to_day")
_EPISODE = (
    "patient_id",
    "program",
    "setting",
    "pos",
    "profile",
    "opened_day",
    "setup_day",
    "setup_billed",
    "previous_id",
    "reorder",
    "order_day",
    "ordering_npi",
    "diagnosis_codes",
)
_CONSENT = ("episode_id", "consent_day", "mode", "taken_by", "cost_share_told")
_ENTRY = (
    "client_id",
    "reverses_id",
    "episode_id",
    "patient_id",
    "actor_user_id",
    "actor_name",
    "role",
    "work",
    "mode",
    "local_day",
    "start_second",
    "duration_seconds",
    "zone",
    "activity",
    "origin",
)
_SERVICE = ("patient_id", "code", "service_day", "own", "actor_user_id")
_DEVICE_DAY = (
    "episode_id",
    "day",
    "kind",
    "refused_reason",
    "qualifying_count",
    "refused_count",
    "first_received_day",
)


class _Rows:
    """Rows of one part, table by table."""

    def __init__(self, facts: Facts, part: Part) -> None:
        self._facts = facts
        self._part = part.number
        self._rng = np.random.default_rng([part.seed, part.number, 99])

    def _id(self, kind: str, row: int) -> str:
        return id_of(kind, row, self._part)

    def payers(self) -> Iterator[tuple[Any, ...]]:
        for row, key in enumerate(self._facts.payers):
            yield id_of("payer", row), key, key.replace("_", " ").title()

    def patients(self) -> Iterator[tuple[Any, ...]]:
        count = int(self._facts.episodes["patient"].max()) + 1
        syllables = self._rng.integers(0, len(_SYLLABLES), (count, 4)).tolist()
        for row, (one, two, three, four) in enumerate(syllables):
            family = (_SYLLABLES[one] + _SYLLABLES[two] + _SYLLABLES[three]).title()
            record = f"MRN-{self._part:03d}{row:06d}"
            given = (_SYLLABLES[four] + "a").title()
            yield self._id("patient", row), record, family, given, "1950-05-17", "U", ZONE

    def coverages(self) -> Iterator[tuple[Any, ...]]:
        for row, (patient, payer, first, last) in enumerate(
            _columns(self._facts.coverages, "patient", "payer", "from_day", "to_day")
        ):
            yield (
                self._id("coverage", row),
                self._id("patient", patient),
                id_of("payer", payer),
                f"{self._part:03d}{row:07d}",
                _day(first),
                _day(last),
            )

    def episodes(self) -> Iterator[tuple[Any, ...]]:
        ordered = dict(self._of_gate("order"))
        names = ("patient", "program", "setting", "pos", "profile", "opened_day", "setup_day")
        rest = ("setup_billed", "previous", "reorder")
        for row, values in enumerate(_columns(self._facts.episodes, *names, *rest)):
            patient, program, setting, pos, profile, opened, set_up, billed, previous, anew = values
            yield (
                self._id("episode", row),
                self._id("patient", patient),
                PROGRAMS[program],
                SETTINGS[setting],
                pos,
                self._facts.profiles[profile].name,
                _day(opened),
                _day(set_up),
                billed,
                self._id("episode", previous) if previous >= 0 else None,
                anew,
                _day(ordered.get(row, NO_DAY)),
                "1234567893" if row in ordered else None,
                '["I10"]',
            )

    def ends(self) -> Iterator[tuple[Any, ...]]:
        for row, (last, reason) in enumerate(
            _columns(self._facts.episodes, "closed_day", "end_reason")
        ):
            if last != FAR_DAY:
                yield (
                    self._id("end", row),
                    self._id("episode", row),
                    _day(last),
                    END_REASONS[reason],
                )

    def consents(self) -> Iterator[tuple[Any, ...]]:
        for row, (episode, day) in enumerate(self._of_gate("consent")):
            told = ("verbal", "Worker", True)
            yield self._id("consent", row), self._id("episode", episode), _day(day), *told

    def gates(self) -> Iterator[tuple[Any, ...]]:
        names = ("established", "prior-auth")
        held = [(name, *one) for name in names for one in self._of_gate(name)]
        for row, (name, episode, day) in enumerate(held):
            yield self._id("gate", row), self._id("episode", episode), name, _day(day)

    def _of_gate(self, name: str) -> list[tuple[int, int]]:
        gates = self._facts.gates
        held = gates[gates["gate"] == GATES.index(name)]
        return list(zip(held["episode"].tolist(), held["from_day"].tolist(), strict=True))

    def entries(self) -> Iterator[tuple[Any, ...]]:
        """In the order of their numbers, so that a reversal follows its entry."""
        names = ("entry", "reverses", "episode", "patient", "actor", "role", "work", "mode")
        rest = ("day", "start_second", "seconds")
        entries = self._facts.entries.sort_values("entry")
        for values in _columns(entries, *names, *rest):
            entry, reverses, episode, patient, actor, role, work, mode, day, start, seconds = values
            entry_id = self._id("entry", entry)
            yield (
                entry_id,
                entry_id,
                self._id("entry", reverses) if reverses >= 0 else None,
                self._id("episode", episode),
                self._id("patient", patient),
                self._id("user", actor),
                "Worker",
                ROLES[role],
                WORK[work],
                MODES[mode],
                _day(day),
                start if start >= 0 else None,
                seconds,
                ZONE,
                "call",
                "reversal" if reverses >= 0 else "typed",
            )

    def services(self) -> Iterator[tuple[Any, ...]]:
        names = ("patient", "code", "service_day", "own", "actor")
        for row, (patient, code, day, own, actor) in enumerate(
            _columns(self._facts.others, *names)
        ):
            yield (
                self._id("s", row),
                self._id("patient", patient),
                self._facts.codes[code],
                _day(day),
                own,
                self._id("user", actor) if actor >= 0 else None,
            )

    def device_days(self, organization_id: str) -> Iterator[tuple[Any, ...]]:
        """Month after month, as they would have come in; one row for each key."""
        days = self._facts.device_days
        keys = ["episode", "day", "kind", "refused_reason"]
        days = days.drop_duplicates(keys)
        month = days["day"].to_numpy() // 30
        days = days.iloc[np.lexsort((days["day"].to_numpy(), days["episode"].to_numpy(), month))]
        names = ("qualifying_count", "refused_count", "first_received_day")
        for episode, day, kind, reason, *counts in _columns(days, *keys, *names):
            yield (
                organization_id,
                self._id("episode", episode),
                day,
                KINDS[kind],
                REFUSED[reason],
                *counts,
            )


def _columns(frame: Any, *names: str) -> Iterator[Sequence[Any]]:
    return zip(*(frame[name].tolist() for name in names), strict=True)


def _day(number: int) -> str | None:
    return None if number in {NO_DAY, FAR_DAY} else day_date(number).isoformat()
