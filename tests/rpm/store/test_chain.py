"""The chain of audit events: what it covers, and what its verification finds, on both databases."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.engine import Engine
from sqlmodel import select

from rpm.access import Actor
from rpm.audit import Anchor
from rpm.settings import Settings
from rpm.store.append_only import append_only_tables, guard_names
from rpm.store.chain import chain_head, recording
from rpm.store.engine import make_engine, reading, transaction, within
from rpm.store.tables.monitoring import Device
from rpm.store.tables.people import Coverage, CoverageEnd, Patient, Payer, PracticeSetting
from rpm.store.tables.security import AuditEvent
from rpm.store.verify import verify_chain

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


def patient(number: int) -> Patient:
    """A patient with a record number."""
    return Patient(
        record_number=f"R{number}",
        family_name="Doe",
        given_name="Ann",
        birth_date=date(1950, 1, 1),
        sex="F",
        timezone="America/New_York",
    )


def fill(engine: Engine, actor: Actor, events: int = 4, rows: int = 3) -> list[list[Patient]]:
    """Some events with some patients each, numbered from 2 on (1 made the organization)."""
    made = []
    for event in range(events):
        with (
            transaction(engine) as session,
            recording(session, actor, NOW, "patient.import") as record,
        ):
            made.append(record.add_all([patient(event * rows + row) for row in range(rows)]))
    return made


def check(engine: Engine, actor: Actor, *anchors: Anchor) -> list[tuple[str, str]]:
    """Codes and places of what verification finds."""
    with reading(engine) as session:
        found = verify_chain(session, actor.organization_id, anchors=anchors)
    return [(finding.code, finding.where) for finding in found]


def head(engine: Engine, actor: Actor) -> Anchor:
    """The chain's head now."""
    with reading(engine) as session:
        return chain_head(session, actor.organization_id)


@contextmanager
def unguarded(engine: Engine) -> Iterator[Connection]:
    """What an intruder with the owner's rights can do: no guards, no reference checks."""
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        if sqlite:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            for table in append_only_tables():
                for name in guard_names(table.name, "sqlite"):
                    connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        yield connection
        connection.commit()
        if sqlite:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")
            connection.exec_driver_sql("BEGIN")


def test_a_sound_record_has_no_findings(engine: Engine, actor: Actor, other_actor: Actor) -> None:
    """Rows of every kind verify in each organization, with anchors kept on the way."""
    fill(engine, actor)
    fill(engine, other_actor, events=2)
    anchor = head(engine, actor)
    with transaction(engine) as session, recording(session, actor, NOW, "coverage.add") as record:
        payer = record.add(Payer(key="MEDICARE_B", name="Medicare"))
        person = record.add(patient(99))
        coverage = record.add(
            Coverage(
                patient_id=person.id, payer_id=payer.id, member_id="M", from_day=date(2026, 1, 1)
            )
        )
        record.add(CoverageEnd(coverage_id=coverage.id, last_day=date(2026, 2, 1), reason="é"))
        record.add(PracticeSetting(key="k", value={"b": [1.5, None], "a": {1: True}}, reason="try"))
        record.subject["patient_id"] = person.id
    assert check(engine, actor, anchor, head(engine, actor)) == []
    assert check(engine, other_actor) == []


def test_numbers_have_no_gaps_and_rows_carry_them(engine: Engine, actor: Actor) -> None:
    """Events of an organization count from 1, and each row names the event that recorded it."""
    made = fill(engine, actor)
    with reading(engine) as session:
        numbers = session.exec(select(AuditEvent.number).order_by(AuditEvent.number)).all()  # type: ignore[arg-type] # a column
    assert numbers == [1, 2, 3, 4, 5]
    assert [{row.audit_number for row in rows} for rows in made] == [{2}, {3}, {4}, {5}]


def test_an_action_without_facts_still_writes_its_event(engine: Engine, actor: Actor) -> None:
    """Opening a chart changes nothing and is on record all the same."""
    person = uuid4()
    with transaction(engine) as session, recording(session, actor, NOW, "chart.open") as record:
        record.subject["patient_id"] = person
    with reading(engine) as session:
        event = session.get(AuditEvent, (actor.organization_id, 2))
        assert event is not None
        assert (event.action, event.subject) == ("chart.open", {"patient_id": person.hex})
        assert event.actor["name"] == "Ada Admin"
    assert check(engine, actor) == []


def test_an_action_that_fails_writes_nothing(engine: Engine, actor: Actor) -> None:
    """Neither rows nor an event stay of an action that raised."""

    def fail() -> None:
        with transaction(engine) as session, recording(session, actor, NOW, "x") as record:
            record.add(patient(1))
            record.flush()
            raise RuntimeError

    before = head(engine, actor)
    with pytest.raises(RuntimeError):
        fail()
    assert head(engine, actor) == before
    assert check(engine, actor) == []


def test_rows_given_as_values_are_rows_like_others(engine: Engine, actor: Actor) -> None:
    """Values get ids, defaults and a place in the chain; an unknown column is refused."""
    given = [
        {"vendor": "v", "vendor_device_id": f"d{n}", "kind": "bp", "fda_listed": True}
        for n in range(3)
    ]
    with transaction(engine) as session, recording(session, actor, NOW, "device.add") as record:
        rows = record.add_values(Device, [{**row, "automatic": True} for row in given])
        with pytest.raises(ValueError, match="device has no such column"):
            record.add_values(Device, [{"color": "red"}])
    with reading(engine) as session:
        kept = session.exec(select(Device)).all()
    assert {row.id for row in kept} == {row["id"] for row in rows}
    assert {(row.audit_number, row.recorded_at, row.model) for row in kept} == {(2, NOW, None)}
    assert check(engine, actor) == []


def test_one_action_cannot_open_two_recordings(engine: Engine, actor: Actor) -> None:
    """A recording inside a recording of the same session is a programming error and says so."""
    with (
        transaction(engine) as session,
        recording(session, actor, NOW, "outer"),
        pytest.raises(RuntimeError, match="already open"),
        recording(session, actor, NOW, "inner"),
    ):
        pass


def test_concurrent_actions_form_one_chain(engine: Engine, actor: Actor) -> None:
    """Threads that record at once get numbers one after another, and the chain verifies."""

    def work(thread: int) -> None:
        for step in range(5):
            with transaction(engine) as session, recording(session, actor, NOW, "x") as record:
                record.add(patient(thread * 100 + step))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert head(engine, actor).number == 16
    assert check(engine, actor) == []


def test_a_changed_row_is_named(engine: Engine, actor: Actor) -> None:
    """A fact that was altered past the guards is named by table and id."""
    victim = fill(engine, actor)[1][2]
    with unguarded(engine) as connection:
        connection.execute(
            text("UPDATE patient SET family_name = 'Roe' WHERE record_number = :number"),
            {"number": victim.record_number},
        )
    assert check(engine, actor) == [("E_CHAIN_ROW_CHANGED", f"patient {victim.id}")]


def test_a_removed_row_is_named_by_its_event(engine: Engine, actor: Actor) -> None:
    """A fact that was removed leaves its event one row short."""
    victim = fill(engine, actor)[2][0]
    with unguarded(engine) as connection:
        connection.execute(
            text("DELETE FROM patient WHERE record_number = :number"),
            {"number": victim.record_number},
        )
    assert check(engine, actor) == [("E_CHAIN_ROW_REMOVED", "patient of audit_event 4")]


@pytest.mark.parametrize("number", [3, 77])
def test_an_inserted_row_is_named(engine: Engine, actor: Actor, number: int) -> None:
    """A fact slipped in under an existing event, or under none, is named by table and id."""
    fill(engine, actor)
    names = list(Patient.__table__.c.keys())  # type: ignore[attr-defined] # a table class
    stranger = uuid4()
    as_stored = stranger.hex if engine.dialect.name == "sqlite" else str(stranger)
    changed = {"id": f"'{as_stored}'", "audit_number": str(number), "record_number": "'X'"}
    if engine.dialect.name == "postgresql":
        changed["id"] += "::uuid"
    values = ", ".join(changed.get(name, name) for name in names)
    with unguarded(engine) as connection:
        connection.execute(
            text(
                f"INSERT INTO patient ({', '.join(names)}) SELECT {values} FROM patient"
                " WHERE record_number = 'R0'"
            )
        )
    assert check(engine, actor) == [("E_CHAIN_ROW_INSERTED", f"patient {stranger}")]


def test_a_changed_event_is_named(engine: Engine, actor: Actor) -> None:
    """An audit event that was altered no longer carries our signature."""
    fill(engine, actor)
    with unguarded(engine) as connection:
        connection.execute(text("UPDATE audit_event SET action = 'other' WHERE number = 3"))
    assert check(engine, actor) == [("E_CHAIN_EVENT_CHANGED", "audit_event 3")]


def test_a_removed_event_is_named(engine: Engine, actor: Actor) -> None:
    """A gap in the chain is found, first of all that follows from it."""
    fill(engine, actor)
    with unguarded(engine) as connection:
        connection.execute(text("DELETE FROM audit_event WHERE number = 3"))
    assert check(engine, actor)[0] == ("E_CHAIN_EVENT_MISSING", "audit_event 4")


def test_swapped_events_are_found(engine: Engine, actor: Actor) -> None:
    """Events that changed places are found at the first of them."""
    fill(engine, actor)
    with unguarded(engine) as connection:
        for old, new in ((2, -1), (3, 2), (-1, 3)):
            connection.execute(
                text("UPDATE audit_event SET number = :new WHERE number = :old"),
                {"old": old, "new": new},
            )
    assert check(engine, actor)[0][1] == "audit_event 2"


@pytest.mark.parametrize("head_too", [False, True])
def test_a_cut_tail_is_found(engine: Engine, actor: Actor, *, head_too: bool) -> None:
    """A missing end is found by the head, or when that was set back too, by an anchor."""
    fill(engine, actor)
    anchor = head(engine, actor)
    with unguarded(engine) as connection:
        connection.execute(text("DELETE FROM patient WHERE audit_number > 3"))
        connection.execute(text("DELETE FROM audit_event WHERE number > 3"))
        if head_too:
            connection.execute(
                text(
                    "UPDATE organization_head SET last_number = 3, last_hmac ="
                    " (SELECT hmac FROM audit_event WHERE number = 3)"
                )
            )
    assert check(engine, actor) == ([] if head_too else [("E_CHAIN_CUT", "audit_event 3")])
    assert check(engine, actor, anchor)[0] == ("E_CHAIN_CUT", "audit_event 3")


def test_an_old_copy_put_back_and_continued_is_found(engine: Engine, actor: Actor) -> None:
    """A chain that forked after an anchor was kept no longer meets the anchor."""
    fill(engine, actor)
    old = Anchor(head(engine, actor).number, "f" * 64)
    assert check(engine, actor, old) == [("E_CHAIN_ANCHOR", "audit_event 5")]


def test_a_changed_audit_key_is_told_from_tampering(
    engine: Engine, actor: Actor, settings: Settings
) -> None:
    """Without the old key events are unverifiable; with it as an earlier key they verify."""
    fill(engine, actor, events=1)
    new_key = "another audit key, long enough as well"
    assert settings.audit_key is not None
    for previous, expected in (([], "E_CHAIN_KEY_UNKNOWN"), ([settings.audit_key], None)):
        rotated = make_engine(
            Settings(
                **settings.model_dump(exclude={"audit_key", "previous_audit_keys"}),
                audit_key=new_key,
                previous_audit_keys=previous,
            )
        )
        found = check(within(rotated, actor.organization_id), actor)
        rotated.dispose()
        assert (found[0][0] if found else None) == expected


def test_verification_can_stop_at_an_event(engine: Engine, actor: Actor) -> None:
    """What lies after the asked-for event is not looked at."""
    victim = fill(engine, actor)[3][0]
    with unguarded(engine) as connection:
        connection.execute(
            text("DELETE FROM patient WHERE record_number = :number"),
            {"number": victim.record_number},
        )
    with reading(engine) as session:
        assert verify_chain(session, actor.organization_id, until=4) == []
        assert verify_chain(session, actor.organization_id, until=5) != []
