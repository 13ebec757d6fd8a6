"""Promise R11: a closed month never changes silently; both engines."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import count
from random import Random

import pytest
from ledger_practice import Practice
from promised import Promised
from sqlalchemy.engine import Engine
from sqlmodel import col

from rpm.actions.close_month import ClosedMonth, CloseMonth, close_month
from rpm.actions.export_close import ExportClose, ExportedClose, export_close
from rpm.store.engine import reading, transaction
from rpm.store.outcomes import evaluated
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Posting
from rpm.store.tables.monitoring import EpisodeEnd

OPENED = date(2026, 1, 1)
AS_OF = date(2026, 2, 1)
CLOSED_AT = datetime(2026, 2, 2, 15, tzinfo=UTC)
Line = tuple[str, int, date]


@dataclass
class Month:
    """A patient's closed January."""

    practice: Practice
    change: Callable[[], object]

    def close(self) -> ClosedMonth:
        """Close January, again if need be."""
        with transaction(self.practice.engine) as db:
            return close_month(
                db, self.practice.actor, self.practice.now, CloseMonth(month="2026-01")
            )

    def export(self, closed: ClosedMonth) -> ExportedClose:
        """The files of a close."""
        with transaction(self.practice.engine) as db:
            command = ExportClose(close_id=closed.close.id)
            return export_close(db, self.practice.actor, self.practice.now, command)

    def lines(self) -> Counter[Line]:
        """What the facts earn now."""
        with reading(self.practice.engine) as db:
            organization_id = self.practice.actor.organization_id
            found = evaluated(db, organization_id, as_of=AS_OF, known=AS_OF)
            return Counter((one.code, one.units, one.service_day) for one in found.events())

    def posted(self, closed: ClosedMonth) -> list[Posting]:
        """The postings of a close."""
        with reading(self.practice.engine) as db:
            scope = Scope.of(self.practice.actor)
            return list(scope.all_of(db, Posting, col(Posting.close_id) == closed.close.id))


def month(engine: Engine, seed: int) -> Month:
    """A random January, and one late change of it that is not yet made."""
    draw = Random(seed)
    practice = Practice.opened(engine, CLOSED_AT)
    patient_id, episode_id = practice.enrolled(opened_day=OPENED)
    offsets = sorted(draw.sample(range(30), draw.choice((1, 2, 14, 15, 16, 17))))
    kept = practice.readings(patient_id, episode_id, [OPENED + timedelta(days=n) for n in offsets])
    entries = [
        practice.entry(
            patient_id,
            episode_id,
            OPENED + timedelta(days=draw.randrange(30)),
            draw.choice((300, 590, 600, 1_150, 1_200, 2_400)),
            start_second=36_000 + 4_000 * place,
        )
        for place in range(draw.randrange(1, 4))
    ]
    free = sorted(set(range(30)) - set(offsets))
    late_day = OPENED + timedelta(days=draw.choice(free))
    changes: list[Callable[[], object]] = [
        lambda: practice.readings(patient_id, episode_id, [late_day]),
        lambda: practice.exclude(draw.choice(kept)),
        lambda: practice.entry(
            patient_id, episode_id, late_day, draw.choice((60, 600, 1_200)), start_second=70_000
        ),
        lambda: practice.reverse(draw.choice(entries)),
        lambda: practice.record(*practice.coverage_ends(patient_id, late_day)),
        lambda: practice.record(
            EpisodeEnd(episode_id=episode_id, last_day=late_day, end_reason="death")
        ),
    ]
    return Month(practice, draw.choice(changes))


@pytest.mark.promise("R11")
def test_a_closed_month_never_changes_silently(engine: Engine, promised: Promised) -> None:
    """What a late fact changes stands in the next close line by line; the first file stays."""
    cases, adjusted, seeds = promised.count(200, 5), 0, count()
    while adjusted < cases:
        seed = next(seeds)
        case = month(engine, seed)
        first = case.close()
        files, before = case.export(first).files, case.lines()
        case.practice.now += timedelta(days=3)
        case.change()
        after, second = case.lines(), case.close()
        assert case.export(first).files == files, f"seed {seed}"
        if after == before:
            assert second.repeated or not case.posted(second), f"seed {seed}"
            continue
        adjusted += 1
        posted = case.posted(second)
        moved: Counter[Line] = Counter(before)
        for one in posted:
            moved[one.code, one.units, one.service_day] += one.sign
            assert one.reason, f"seed {seed}"
            # a window that an early end cut short was still running at the first close
            was_over = one.period_end_day < AS_OF
            assert ("closed before" in one.reason) == was_over, f"seed {seed}: {one.reason}"
        assert +moved == after, f"seed {seed}"
        assert min(moved.values()) >= 0, f"seed {seed}"
    name = "SQLite" if engine.dialect.name == "sqlite" else "PostgreSQL"
    promised.reached(
        f"{name}: {adjusted} cases with other lines: each an adjustment item;"
        f" {next(seeds) - adjusted} without: nothing posted; closed bytes unchanged"
    )
