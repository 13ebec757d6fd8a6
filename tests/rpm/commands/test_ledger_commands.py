"""Closing, exporting and explaining from the command line."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from ledger_practice import Practice, days
from sqlalchemy.engine import Engine
from sqlmodel import col, select

from rpm.cli import USAGE
from rpm.store.engine import reading, transaction
from rpm.store.tables.ledger import Close, Posting
from rpm.store.tables.security import DemoClock

Run = Callable[..., str]


def enrolled(practice: Practice) -> str:
    """A patient with 16 days in January; the episode's id in hex."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 16))
    practice.entry(patient_id, episode_id, date(2026, 1, 8), 300)
    return episode_id.hex


def test_a_month_is_closed_and_exported(practice: Practice, said: Run, tmp_path: Path) -> None:
    """Close tells what was posted and found; export ends with the line that scripts read."""
    enrolled(practice)
    closed = said("close", "--month", "2026-01")
    assert "2 issued, 0 reversed, known amounts 73.82" in closed
    assert "E_TIME_BELOW_MIN 1" in closed
    assert "nothing new" in said("close", "--month", "2026-01")
    told = said("export", "2026-01", "--out", str(tmp_path))
    folder = tmp_path / "close-2026-01-1"
    assert told.splitlines()[-1] == f"export: {folder} lines=2 total=73.82"
    assert sorted(path.name for path in folder.iterdir()) == [
        "manifest.json",
        "service-lines.csv",
        "summary.html",
        "summary.txt",
    ]
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with reading(practice.engine) as db:
        close_id = db.exec(select(Close)).one().id
    said("export", str(close_id), "--out", str(tmp_path))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_an_event_is_explained_as_text_and_as_json(practice: Practice, said: Run) -> None:
    """The text tells readings, papers, the rule with its source; JSON is what the API answers."""
    key = f"episode.{enrolled(practice)}.99454.2026-01-01"
    text = said("explain", key)
    assert "99454 Device supply, long" in text
    assert "16 days with qualifying readings" in text
    assert "Rule: page medicare-b-2026, ladder device-supply" in text
    assert "Consent: 2026-01-01, written" in text
    assert text.count("8480-6 128 mm[Hg]") == 16
    assert json.loads(said("explain", key, "--json"))["amount"] == 16
    said("close", "--month", "2026-01")
    with reading(practice.engine) as db:
        rows = db.exec(select(Posting).where(col(Posting.code) == "99454"))
        posting = rows.one()
    assert posting.evidence_digest in said("explain", str(posting.id))


def test_minutes_are_explained_with_who_worked(practice: Practice, said: Run) -> None:
    """A management line tells each entry with its length, person and whether it was live."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    practice.entry(patient_id, episode_id, date(2026, 1, 8), 1290)
    text = said("explain", f"patient.{patient_id.hex}.99457.2026-01-01")
    assert "21:30 minutes counted" in text
    assert "2026-01-08 12:00 21:30 minutes, Ada Admin (rn), call, live" in text


def test_wrong_words_are_refused(practice: Practice, said: Run, tmp_path: Path) -> None:
    """A month that is none or not over, an unknown close or event, an unwritable folder: exit 2."""
    assert "not over" in said("close", "--month", "2026-02", code=USAGE)
    said("close", "--month", "January", code=USAGE)
    for close in ("2026-01", "nonsense", "019c1ede-2180-7905-8f63-752c0b5977c9"):
        said("export", close, "--out", str(tmp_path), code=USAGE)
    for event in ("nonsense", "019c1ede-2180-7905-8f63-752c0b5977c9"):
        said("explain", event, code=USAGE)
    said("close", "--month", "2026-01")
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert "cannot be written" in said("export", "2026-01", "--out", str(blocked), code=USAGE)


def test_a_month_tells_why(practice: Practice, said: Run) -> None:
    """By record number or id: ladders and an answer for a code, as text and as the API answers."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 15))
    text = said("why", f"0{patient_id.hex[-8:]}", "2026-01", "99454")
    assert "It would take 1 day more: the time for it is over." in text
    assert "99445 x1 on 2026-01-30" in text
    answer = json.loads(said("why", str(patient_id), "2026-01", "--json"))
    assert answer["periods"][0]["ladders"][0]["name"] == "setup"
    assert answer["asked"] is None
    for words in (("nobody", "2026-01"), (str(patient_id), "January"), (str(patient_id), "2026-1")):
        assert words[0] not in said("why", *words, code=USAGE)
    said("why", str(patient_id), "2026-01", "nonsense", code=USAGE)


def test_a_close_is_rebuilt_as_it_was_known(
    practice: Practice, said: Run, engine: Engine, tmp_path: Path
) -> None:
    """After a late reading the first close is computed anew as it was, files and all."""
    patient_id, episode_id = practice.enrolled(opened_day=date(2026, 1, 1))
    practice.readings(patient_id, episode_id, days(date(2026, 1, 1), 15))
    assert "would" not in said("close", "--month", "2026-01")
    said("export", "2026-01", "--out", str(tmp_path / "first"))
    practice.now = at(engine, datetime(2026, 2, 6, 15, tzinfo=UTC))
    practice.readings(patient_id, episode_id, [date(2026, 1, 20)])
    told = said("differences", "--from", "2026-02-02", "--to", "2026-02-06", code=1)
    assert "Ada Admin: reading of blood_pressure, 2026-01-20: counts; reading" in told
    assert ", after the close" in told
    assert "3 events differ" not in told
    assert "new      99454 x1 on 2026-01-30, " in told
    of_month = said(
        "differences", "--month", "2026-01", "--from", "2026-02-02", "--to", "2026-02-06", code=1
    )
    assert "new      99454 x1 on 2026-01-30, " in of_month
    said("differences", "--month", "soon", "--from", "2026-02-02", "--to", "2026-02-06", code=USAGE)
    said("close", "--month", "2026-01")
    rebuilt = said(
        "close", "--month", "2026-01", "--as-known", "2026-02-03", "--out", str(tmp_path / "again")
    )
    assert "99445 x1 on 2026-01-30  " in rebuilt
    assert "  99445 1 units" in rebuilt
    assert "the same as recorded: close" in rebuilt
    assert "the same bytes as exported before" in rebuilt
    for file in (tmp_path / "first" / "close-2026-01-1").iterdir():
        assert (tmp_path / "again" / "close-2026-01-1" / file.name).read_bytes() == (
            file.read_bytes()
        )
    first = said("export", "2026-01", "--as-known", "2026-02-03", "--out", str(tmp_path / "first"))
    assert "the same bytes as exported on 2026-02-02" in first
    before = said("close", "--month", "2026-01", "--as-known", "2026-02-01")
    assert "no close of this month was made by 2026-02-01; nothing was stored" in before
    said("close", "--month", "2026-01", "--as-known", "2026-03-01", code=USAGE)
    said("close", "--month", "2026-01", "--out", str(tmp_path), code=USAGE)
    said("explain", "x", "--known-at", "soon", code=USAGE)


def at(engine: Engine, instant: datetime) -> datetime:
    """Move the clock that commands look at."""
    with transaction(engine) as db:
        row = db.get_one(DemoClock, 1)
        row.instant = instant
        db.add(row)
    return instant
