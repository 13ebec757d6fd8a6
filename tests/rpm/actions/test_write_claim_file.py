"""Released claims become a file only when every check agrees; discarded, they may change again."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from claims_made import claim_file
from claims_practice import BilledPractice, billed_practice
from sqlalchemy.engine import Engine

from billing.claims.claim_json import json_to_claim
from billing.claims.lifecycle import Status
from billing.claims.x12.as_written import as_written
from billing.claims.x12.p837 import write_837p
from billing.claims.x12.p837_read import read_837p
from rpm.access import Actor
from rpm.actions import write_claim_file as writing
from rpm.actions.manage_clearinghouse import AddClearinghouse, add_clearinghouse
from rpm.actions.release_claims import HoldClaims, hold_claims
from rpm.actions.write_claim_file import (
    DiscardFile,
    Findings,
    discard_claim_file,
    write_claim_file,
)
from rpm.claim_gate import gate_findings
from rpm.errors import Conflict, NotFound
from rpm.keys import key_ring
from rpm.store.engine import reading, transaction
from rpm.store.queries.claims import claims_in_file, next_number, standings_of
from rpm.store.queries.clearinghouses import INTERCHANGES
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimFile

sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def agreed(practice: BilledPractice, key: str = "house", usage: str = "P") -> None:
    """An agreement with a clearinghouse that is reached by a folder."""
    told: dict[str, Any] = {
        "key": key,
        "shipped": "folder",
        "sender_id": "LAKESIDE",
        "receiver_id": "CLEARHOUSE",
        "receiver_name": "CLEARHOUSE",
        "usage": usage,
        "reason": "agreement of January",
    }
    with transaction(practice.engine) as db:
        add_clearinghouse(
            db, practice.actor, practice.now, key_ring("00" * 32), AddClearinghouse(**told)
        )


def released(engine: Engine, actor: Actor, residents: int = 2) -> tuple[BilledPractice, list[UUID]]:
    """A practice whose January is released."""
    practice = billed_practice(engine, actor, range(1, residents + 1))
    ids = [row.id for row in practice.assemble().claims]
    practice.release(ids)
    return practice, ids


def written(practice: BilledPractice, key: str = "") -> ClaimFile | Findings:
    """What comes of writing."""
    with transaction(practice.engine) as db:
        return write_claim_file(db, practice.actor, practice.now, key)


def statuses(practice: BilledPractice, ids: list[UUID]) -> set[Status]:
    """Where claims stand."""
    with reading(practice.engine) as db:
        found = standings_of(db, Scope.of(practice.actor), ids)
    return {one.status for one in found.values()}


def test_released_claims_are_written_once(engine: Engine, actor: Actor) -> None:
    """One valid file with all of them; they wait in it, and a second file has nothing to hold."""
    practice, ids = released(engine, actor)
    agreed(practice)
    file = written(practice)
    assert isinstance(file, ClaimFile)
    assert (file.claim_count, file.interchange_number, file.usage) == (2, 1, "P")
    read = read_837p(file.content)
    assert read.interchange.production
    numbers = [one.control_number for part in read.sets for one in part.claims]
    assert sorted(numbers) == ["RL000000001", "RL000000002"]
    assert file.charge_cents == sum(one.charge_cents for part in read.sets for one in part.claims)
    assert statuses(practice, ids) == {Status.WRITTEN}
    again = written(practice)
    assert not isinstance(again, ClaimFile)
    assert [one.code for one in again] == ["I_NOTHING_RELEASED"]
    with reading(engine) as db:
        assert sorted(claims_in_file(db, Scope.of(actor), file.id)) == sorted(ids)


@sqlite
def test_a_file_that_the_gate_refuses_keeps_its_claims_released(
    engine: Engine, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The findings are told, nothing is recorded, and the number is given to the next file."""
    practice, ids = released(engine, actor, 1)
    agreed(practice)
    told: list[Any] = []

    def without_address(file: Any) -> bytes:
        told.append(file)
        content = write_837p(file)
        start = content.index(b"N3*22 ELM")
        return content[:start] + content[content.index(b"N4*", start) :]

    monkeypatch.setattr(writing, "write_837p", without_address)
    monkeypatch.setattr(writing, "read_837p", lambda _: as_written(told[0]))
    found = written(practice)
    assert not isinstance(found, ClaimFile)
    assert found
    assert statuses(practice, ids) == {Status.RELEASED}
    with reading(engine) as db:
        assert next_number(db, Scope.of(actor), INTERCHANGES) == 1
        assert Scope.of(actor).all_of(db, ClaimFile) == []
    monkeypatch.undo()
    file = written(practice)
    assert isinstance(file, ClaimFile)
    assert file.interchange_number == 1


@sqlite
def test_a_file_that_reads_otherwise_is_not_kept(
    engine: Engine, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our own reader must give back what was written."""
    practice, ids = released(engine, actor, 1)
    agreed(practice)
    monkeypatch.setattr(writing, "read_837p", lambda content: replace(read_837p(content), sets=()))
    found = written(practice)
    assert not isinstance(found, ClaimFile)
    assert [one.code for one in found] == ["E_READ_BACK"]
    assert statuses(practice, ids) == {Status.RELEASED}


@sqlite
def test_claims_of_a_discarded_file_may_change_again(engine: Engine, actor: Actor) -> None:
    """While a claim waits in a file it is not held; discarding lets it go, and is done once."""
    practice, ids = released(engine, actor, 1)
    agreed(practice)
    file = written(practice)
    assert isinstance(file, ClaimFile)
    hold = HoldClaims(claim_ids=ids, reason="wrong payer")
    with transaction(engine) as db:
        assert hold_claims(db, actor, practice.now, hold).done == []
    command = DiscardFile(file_id=file.id, reason="wrong payer")
    with transaction(engine) as db:
        assert discard_claim_file(db, actor, practice.now, command) == ids
    assert statuses(practice, ids) == {Status.RELEASED}
    with transaction(engine) as db, pytest.raises(Conflict):
        discard_claim_file(db, actor, practice.now, command)
    second = written(practice)
    assert isinstance(second, ClaimFile)
    assert second.interchange_number == 2
    with reading(engine) as db:
        assert claims_in_file(db, Scope.of(actor), file.id) == []


@sqlite
def test_claims_are_written_for_production_and_to_known_houses_only(
    engine: Engine, actor: Actor
) -> None:
    """Without an agreement, or with one for tests, there is no file of claims."""
    practice, ids = released(engine, actor, 1)
    with pytest.raises(NotFound):
        written(practice)
    agreed(practice, usage="T")
    with pytest.raises(Conflict, match="test"):
        written(practice)
    assert statuses(practice, ids) == {Status.RELEASED}


def test_the_gate_tells_places_and_no_values(engine: Engine, actor: Actor) -> None:
    """What pyx12 quotes of a file does not leave its process."""
    if engine.dialect.name != "sqlite":
        pytest.skip("no database is asked")
    practice = billed_practice(engine, actor)
    claim = json_to_claim(practice.assemble().claims[0].content)
    content = write_837p(claim_file((claim,)))
    assert gate_findings(content) == ()
    found = gate_findings(content.replace(b"DMG*D8*19500517*", b"DMG*D8*1950XX17*"))
    assert found
    assert found[0].where.startswith("segment ")
    assert "1950XX17" not in repr(found)
    assert gate_findings(b"not X12")
