"""Evidence packs: what they hold, and that the checker finds nothing wrong with a good one."""

import json
from datetime import date
from typing import Any
from uuid import uuid4

import jsonschema_rs
import pytest
from changed_packs import sealed_anew
from evidence_practice import FEBRUARY_CLOSE, MARCH_CLOSE, close, supply_short, told_practice
from ledger_practice import Practice, days
from sqlalchemy import text
from sqlalchemy.engine import Engine
from sqlmodel import Session, col
from tampering import unguarded

from billing.evidence.check import check
from rpm.access import Actor
from rpm.actions.compare_pack import compare_pack
from rpm.actions.evidence_model import EvidencePack, pack_schema
from rpm.actions.evidence_pack import close_pack, event_pack, posting_pack, record_pack
from rpm.actions.seen_from import seen_now
from rpm.clock import Clock
from rpm.errors import NotFound, TooLarge
from rpm.store.engine import reading, transaction
from rpm.store.event_keys import named_event
from rpm.store.scope import Scope
from rpm.store.tables.ledger import Posting
from rpm.store.tables.security import AuditEvent

CODES = {
    *("99453", "99454", "99445", "99457", "99458", "99470", "99091"),
    *("98975", "98977", "98980", "98981"),
}
Pack = dict[str, Any]


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: Clock) -> Practice:
    """Patients for every kind of code."""
    return told_practice(engine, actor, clock.now())


@pytest.fixture
def small(engine: Engine, actor: Actor, clock: Clock) -> Practice:
    """One patient with five days."""
    practice = Practice(engine, actor, clock.now())
    supply_short(practice)
    return practice


def postings(practice: Practice) -> list[Posting]:
    """All postings, as recorded."""
    with reading(practice.engine) as db:
        return list(Scope.of(practice.actor).all_of(db, Posting))


def pack_of(practice: Practice, posting: Posting) -> Pack:
    """The pack of a posting."""
    with reading(practice.engine) as db:
        return posting_pack(db, Scope.of(practice.actor), FEBRUARY_CLOSE, posting.id).content


def pack_of_close(practice: Practice, close_id: Any) -> Pack:
    """The pack of a close."""
    with reading(practice.engine) as db:
        return close_pack(db, Scope.of(practice.actor), FEBRUARY_CLOSE, close_id).content


def compared(practice: Practice, pack: Pack) -> list[str]:
    """What of a pack is not as the ledger has it."""
    with reading(practice.engine) as db:
        return [str(one) for one in compare_pack(db, Scope.of(practice.actor), pack)]


def test_a_close_of_every_kind_of_code_fits(practice: Practice) -> None:
    """Every code of a close is recomputed from its pack alone, on both engines."""
    pack = pack_of_close(practice, close(practice, "2026-01", FEBRUARY_CLOSE).id)
    assert check(pack) == []
    assert {event["code"] for event in pack["events"]} == CODES
    assert len(pack["postings"]) == len(postings(practice)) == pack["close"]["totals"]["issued"]
    assert EvidencePack.model_validate(pack).model_dump(mode="json") == pack
    assert jsonschema_rs.Draft202012Validator(pack_schema()).is_valid(json.loads(json.dumps(pack)))
    assert compared(practice, pack) == []


def test_every_posting_has_a_pack_that_fits(practice: Practice) -> None:
    """The packs of single postings fit, and give the digest that the posting carries."""
    close(practice, "2026-01", FEBRUARY_CLOSE)
    reasons: set[str] = set()
    for posting in postings(practice):
        pack = pack_of(practice, posting)
        assert check(pack) == []
        (event,) = pack["events"]
        assert event["evidence_digest"] == posting.evidence_digest
        assert event["key"] == posting.key
        reasons |= {one["reason"] for one in event["readings"] + event["entries"]}
    assert reasons >= {
        *("", "manual_entry", "excluded", "other", "after_end", "not_measured"),
        *("reversal", "taken_back", "clerical", "other_work", "em_day"),
    }


def test_a_pack_holds_no_more_of_the_patient_than_needed(small: Practice) -> None:
    """Name, birth date and sex are not in it; the record number, order and member id are."""
    close(small, "2026-01", FEBRUARY_CLOSE)
    content = json.dumps(pack_of(small, postings(small)[0]))
    assert "Example, Pat" not in content
    for withheld in ('"family_name":', '"given_name":', '"birth_date":', '"sex":', "1950-05-17"):
        assert withheld not in content
    for needed in ("record_number", "1234567893", "0012345", "I10"):
        assert needed in content


def test_a_reversal_comes_with_what_it_reverses(small: Practice) -> None:
    """A later close's pack holds reversal and new issue, each as its own close saw it."""
    first = close(small, "2026-01", FEBRUARY_CLOSE)
    before = pack_of_close(small, first.id)
    with reading(small.engine) as db:
        posting = db.exec(
            Scope.of(small.actor).rows(Posting).where(col(Posting.code) == "99445")
        ).one()
    assert posting.episode_id is not None
    small.readings(posting.patient_id, posting.episode_id, days(date(2026, 1, 10), 15))
    second = close(small, "2026-02", MARCH_CLOSE)
    pack = pack_of_close(small, second.id)
    assert check(pack) == []
    assert compared(small, pack) == []
    reversal = next(one for one in pack["postings"] if one["reverses"] is not None)
    assert reversal["reverses"] == posting.id.hex
    assert pack["events"][reversal["event"]]["measured"]["amount"] == 5
    assert pack["close"]["totals"]["reversed"] == 1
    assert {event["code"] for event in pack["events"]} == {"99445", "99454"}
    again = pack_of_close(small, first.id)
    assert again["events"] == before["events"]


def test_totals_that_do_not_add_up_are_found(small: Practice) -> None:
    """Totals are summed anew from the postings, and no posting of the close may be missing."""
    pack = pack_of_close(small, close(small, "2026-01", FEBRUARY_CLOSE).id)
    pack["close"]["totals"]["amount_cents"] += 1
    assert [one.path for one in check(sealed_anew(pack))] == ["close.totals.amount_cents"]
    pack["close"]["totals"]["amount_cents"] -= 1
    del pack["postings"][0]
    assert "postings" in [one.path for one in check(sealed_anew(pack))]


def test_an_event_that_is_not_posted_has_a_pack_too(small: Practice) -> None:
    """By its key, as known now; one that the facts do not give is not found."""
    close(small, "2026-01", FEBRUARY_CLOSE)
    key = postings(small)[0].key
    with reading(small.engine) as db:
        scope = Scope.of(small.actor)
        seen = seen_now(db, scope, MARCH_CLOSE)
        pack = event_pack(db, scope, MARCH_CLOSE, named_event(key), seen).content
        other = named_event(key.replace(".99445.", ".99454.").replace(".99453.", ".99454."))
        with pytest.raises(NotFound):
            event_pack(db, scope, MARCH_CLOSE, other, seen)
    assert (pack["kind"], pack["postings"], check(pack)) == ("event", [], [])


def test_a_pack_with_new_digests_is_found_by_the_ledger(small: Practice) -> None:
    """Facts that are not recorded so, and anchors that are not the chain's, are named."""
    close(small, "2026-01", FEBRUARY_CLOSE)
    pack = pack_of(small, postings(small)[0])
    where = next(at for at, one in enumerate(pack["facts"]) if one["table"] == "coverage")
    fact = pack["facts"][where]["stored"]
    fact["member_id"] = "0099999"
    forged = sealed_anew(pack)
    assert check(forged) == []
    (found,) = compared(small, forged)
    assert found.startswith(f"facts[{where}] (coverage {fact['id']}).row_digest")
    fact["id"] = uuid4().hex
    pack["chain"]["at_pack"]["hmac"] = "0" * 64
    found_now = compared(small, sealed_anew(pack))
    assert [one.split(":")[0] for one in found_now] == [
        "chain.at_pack.hmac",
        f"facts[{where}] (coverage {fact['id']})",
    ]


def test_a_changed_row_is_found_through_the_audit_event(engine: Engine, small: Practice) -> None:
    """A row changed behind the ledger's back gives a pack that its audit event does not cover."""
    close(small, "2026-01", FEBRUARY_CLOSE)
    posting, scope = postings(small)[0], Scope.of(small.actor)
    with unguarded(engine) as connection, Session(connection) as db:
        connection.execute(text("UPDATE coverage SET member_id = '0099999'"))
        pack = posting_pack(db, scope, FEBRUARY_CLOSE, posting.id).content
        assert check(pack) == []
        (found,) = map(str, compare_pack(db, scope, pack))
    assert "does not cover the row" in found


def test_a_pack_of_another_practice_is_named(small: Practice) -> None:
    """Another organization's ledger does not vouch for it, nor make packs of its rows."""
    made = close(small, "2026-01", FEBRUARY_CLOSE)
    pack = pack_of(small, postings(small)[0])
    stranger = Practice.opened(small.engine, small.now)
    assert compared(stranger, pack)[0].startswith("organization.id")
    with reading(small.engine) as db:
        scope = Scope.of(stranger.actor)
        for make, row_id in ((posting_pack, postings(small)[0].id), (close_pack, made.id)):
            with pytest.raises(NotFound):
                make(db, scope, FEBRUARY_CLOSE, row_id)


def test_giving_a_pack_out_is_recorded(small: Practice) -> None:
    """The audit tells who took which pack, by its digest; the pack names the head before it."""
    close(small, "2026-01", FEBRUARY_CLOSE)
    posting = postings(small)[0]
    with transaction(small.engine) as db:
        scope = Scope.of(small.actor)
        pack = posting_pack(db, scope, FEBRUARY_CLOSE, posting.id)
        record_pack(db, small.actor, FEBRUARY_CLOSE, pack)
        number = pack.content["chain"]["at_pack"]["number"] + 1
        event = db.get(AuditEvent, (small.actor.organization_id, number))
        assert event is not None
        assert event.action == "evidence.pack"
        assert event.subject == {
            "posting_id": posting.id.hex,
            "pack_digest": pack.content["digest"],
        }


def test_a_close_too_large_for_one_answer_is_refused(small: Practice) -> None:
    """A limit holds where one is told."""
    made = close(small, "2026-01", FEBRUARY_CLOSE)
    with reading(small.engine) as db, pytest.raises(TooLarge):
        close_pack(db, Scope.of(small.actor), FEBRUARY_CLOSE, made.id, at_most=1)
