"""Denials are worked: found, assigned, corrected, appealed, written off by persons, and counted."""

import hashlib
import re
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from uuid import uuid4

import pytest
from claims_practice import FEBRUARY
from conftest import make_organization, settings_for
from denied_practice import TODAY, Denied, opened, refused
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from remittances_made import Line, Paid
from sqlalchemy.engine import Engine

from billing.claims.claim_json import json_to_claim
from billing.claims.denial import Work
from billing.claims.lifecycle import Kind, Status
from billing.rules.edits import LoadedTable
from billing.rules.fee_files import FACTORS, UNITS
from rpm.access import Actor
from rpm.actions.appeal_claim import (
    AnswerAppeal,
    AppealClaim,
    answer_appeal,
    appeal_claim,
    draft_appeal,
)
from rpm.actions.claim_events import own_event
from rpm.actions.correct_claim import CorrectClaim, CorrectLine, correct_claim
from rpm.actions.denial_queue import causes
from rpm.actions.load_cms_tables import load_cms_tables
from rpm.actions.match_answer import MatchAnswer, match_answer
from rpm.actions.record_billing import SetPayerBilling, set_payer_billing
from rpm.actions.set_practice_setting import (
    CLAIMS_TWO_PERSONS,
    SetPracticeSetting,
    set_practice_setting,
)
from rpm.actions.work_denials import AssignClaims, NoteClaim, assign_claims, note_claim
from rpm.actions.write_off import DecideWriteOff, WriteOffClaim, decide_write_off, write_off_claim
from rpm.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from rpm.store.chain import recording
from rpm.store.engine import make_engine, reading, transaction
from rpm.store.queries.answers import unmatched
from rpm.store.scope import Scope
from rpm.store.tables.claims import ClaimRecord
from rpm.store.verify import verify_chain


@dataclass(frozen=True)
class Prepared:
    """A database with sent claims, to be copied."""

    path: Path
    actor: Actor
    claims: list[ClaimRecord]


@pytest.fixture(scope="module")
def prepared(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Made once for all tests that change a copy."""
    path = tmp_path_factory.mktemp("sent") / "sent.db"
    shutil.copyfile(sqlite_template, path)
    engine = make_engine(settings_for(f"sqlite:///{path}"))
    actor = make_organization(engine, FEBRUARY)
    _, claims = opened(engine, actor)
    engine.dispose()
    return Prepared(path, actor, claims)


@pytest.fixture
def practice(prepared: Prepared, tmp_path: Path) -> Iterator[Denied]:
    """A practice with three claims of January, sent, on a SQLite file of its own."""
    path = tmp_path / "copy.db"
    shutil.copyfile(prepared.path, path)
    engine = make_engine(settings_for(f"sqlite:///{path}"))
    yield Denied(engine, prepared.actor)
    engine.dispose()


@pytest.fixture
def claim(prepared: Prepared) -> ClaimRecord:
    """One of its claims."""
    return prepared.claims[0]


def test_a_denied_claim_is_work(engine: Engine, actor: Actor) -> None:
    """It stands in the queue with reason, amount and deadlines, on both databases."""
    practice, (claim, *_) = opened(engine, actor)
    assert practice.queue().items == []
    practice.answered(refused(claim, "16", "M77"))
    (item,) = practice.queue().items
    assert (item.denied.work, item.denied.group_key) == (Work.DENIED, "place")
    assert item.denied.at_stake_cents == claim.charge_cents
    assert item.denied.payer_claim_number == "ICN77"
    assert item.due is None  # the payer's days are not recorded
    billing = {"payer_id": claim.payer_id, "edi_payer_id": "06102", "filing_code": "MB"}
    days = {"timely_filing_days": 365, "appeal_days": 120}
    practice.act(set_payer_billing, SetPayerBilling(**billing, **days))
    (item,) = practice.queue(due="", sort="amount").items
    assert item.deadlines.filing == date(2027, 1, claim.from_day.day)
    assert item.deadlines.appeal == item.due == date(2026, 6, 2)
    assert practice.queue(due="month").items == []
    for asked in ({"work": "underpaid"}, {"group": "late"}, {"person": str(uuid4())}):
        assert practice.queue(**asked).items == []
    assert len(practice.queue(work="denied", group="place", person="nobody").items) == 1
    with reading(practice.engine) as db:
        assert verify_chain(db, practice.actor.organization_id) == []


def test_assigned_and_noted_work_is_found_by_person_and_day(
    practice: Denied, claim: ClaimRecord
) -> None:
    """The last assignment counts, the note's day comes first, and days gone by are refused."""
    practice.answered(refused(claim))
    me = practice.actor.user_id
    practice.act(assign_claims, AssignClaims(claim_ids=[claim.id], user_id=me))
    note = {"claim_id": claim.id, "note": "called; they want the order"}
    practice.act(note_claim, NoteClaim(**note, follow_up_on=date(2026, 2, 9)))
    (item,) = practice.queue(person=str(me), due="month", sort="follow-up").items
    assert (item.due, item.last_note) == (date(2026, 2, 9), "called; they want the order")
    practice.act(assign_claims, AssignClaims(claim_ids=[claim.id]))
    assert practice.queue(person=str(me)).items == []
    with pytest.raises(InvalidRequest):
        practice.act(note_claim, NoteClaim(**note, follow_up_on=date(2026, 2, 1)))
    with pytest.raises(NotFound):
        practice.act(assign_claims, AssignClaims(claim_ids=[claim.id, uuid4()], user_id=me))


def test_a_correction_replaces_the_claim_under_the_payers_number(
    practice: Denied, claim: ClaimRecord
) -> None:
    """Frequency 7, REF*F8, the same control number; corrected, sent and paid it is no work."""
    practice.answered(refused(claim, "4", "N822"))
    lines = [CorrectLine(line=1, modifiers=["95"])]
    with pytest.raises(Conflict, match="nothing"):
        practice.act(correct_claim, CorrectClaim(claim_id=claim.id, reason="same again"))
    wrong = CorrectClaim(claim_id=claim.id, reason="x", diagnoses=["I10"], place="97")
    with pytest.raises(InvalidRequest):
        practice.act(correct_claim, wrong)
    command = CorrectClaim(claim_id=claim.id, reason="by video", place="10", lines=lines)
    version = practice.act(correct_claim, command)
    made = json_to_claim(version.content)
    assert (version.attempt, version.frequency) == (2, "7")
    assert (made.payer_claim_number, made.control_number) == ("ICN77", claim.control_number)
    assert (made.place, made.lines[0].modifiers) == ("10", ("95",))
    assert practice.status(claim.id) is Status.ASSEMBLED
    assert practice.queue().items == []
    practice.release([claim.id])
    practice.send(claim.id)
    with pytest.raises(Conflict, match="sent"):
        practice.act(correct_claim, command)
    whole = Line(claim.charge_cents, claim.charge_cents, (), "99454")
    practice.answered(Paid(claim.control_number, (whole,), frequency="7"), trace="T2")
    assert practice.status(claim.id) is Status.PAID
    assert practice.queue().items == []


def test_a_rejected_claim_is_corrected_as_a_first_one(practice: Denied, claim: ClaimRecord) -> None:
    """Nobody judged it, so it leaves anew with frequency 1, and cannot be voided."""
    with (
        transaction(practice.engine) as db,
        recording(db, practice.actor, practice.now, "claims.rejected") as record,
    ):
        own_event(record, practice.actor, claim.id, Kind.REJECTED, 1, TODAY)
    (item,) = practice.queue().items
    assert (item.denied.work, item.denied.group_key) == (Work.REJECTED, "rejection")
    with pytest.raises(Conflict):
        practice.act(correct_claim, CorrectClaim(claim_id=claim.id, reason="x", void=True))
    command = CorrectClaim(claim_id=claim.id, reason="member id", member_id="1EG4TE5MK73")
    version = practice.act(correct_claim, command)
    assert (version.attempt, version.frequency) == (2, "1")


def pdf_text(document: bytes) -> str:
    """What a reader sees."""
    told: list[bytes] = []
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", document, re.DOTALL):
        told += re.findall(rb"\(((?:\\.|[^\\()])*)\) Tj", zlib.decompress(stream))
    return re.sub(rb"\\(.)", rb"\1", b" ".join(told)).decode("windows-1252")


def test_an_appeal_holds_letter_answer_and_evidence_in_one_document(
    practice: Denied, claim: ClaimRecord
) -> None:
    """The letter as changed, what the payer said, every day of readings; kept byte for byte."""
    practice.answered(refused(claim, "151", "N362"))
    with reading(practice.engine) as db:
        draft = draft_appeal(db, Scope.of(practice.actor), FEBRUARY, claim.id)
    assert "reason CO-151 with remark N362" in draft.letter
    assert "16 days with qualifying readings" in draft.letter
    assert "Payment number: T1" in draft.letter
    assert [part.missing for part in draft.parts] == ["", "", ""]
    command = {"claim_id": claim.id, "sent_on": TODAY}
    with pytest.raises(InvalidRequest):  # what no record proves is marked in the draft
        practice.act(appeal_claim, AppealClaim(**command, letter=draft.letter))
    with pytest.raises(InvalidRequest):
        practice.act(appeal_claim, AppealClaim(**command, letter="Please\x00pay."))
    letter = draft.letter.replace("[CHECK] ", "") + "\nChanged by Ada."
    appeal = practice.act(appeal_claim, AppealClaim(**command, letter=letter))
    assert appeal.packet_sha256 == hashlib.sha256(appeal.packet).hexdigest()
    text = pdf_text(appeal.packet)
    for part in (
        "Changed by Ada.",
        "Remittance excerpt",
        "CO-151",
        "ICN77",
        "Evidence pack",
        "Device supply, long",
        "Enclosed: Remittance excerpt, Evidence",
    ):
        assert part in text
    assert practice.status(claim.id) is Status.APPEALED
    (item,) = practice.queue().items
    assert item.denied.work is Work.APPEALED
    with pytest.raises(Conflict, match="waits"):
        practice.act(appeal_claim, AppealClaim(**command, letter=letter))


def test_an_upheld_denial_may_go_to_the_next_level(practice: Denied, claim: ClaimRecord) -> None:
    """The outcome is recorded once; then the claim is denied again, and level 2 may follow."""
    practice.answered(refused(claim, "50"))
    made = {"claim_id": claim.id, "sent_on": TODAY, "letter": "Please pay."}
    due = date(2026, 3, 4)
    first = practice.act(appeal_claim, AppealClaim(**made, answer_due_on=due))
    (item,) = practice.queue().items
    assert item.due == due
    answer = AnswerAppeal(appeal_id=first.id, outcome="upheld", on_day=due)
    practice.act(answer_appeal, answer)
    with pytest.raises(Conflict):
        practice.act(answer_appeal, answer)
    assert practice.status(claim.id) is Status.DENIED
    second = practice.act(appeal_claim, AppealClaim(**made))
    assert (second.level, practice.status(claim.id)) == (2, Status.APPEALED)
    won = AnswerAppeal(appeal_id=second.id, outcome="overturned", on_day=due)
    practice.act(answer_appeal, won)
    (item,) = practice.queue().items  # until the money comes
    assert (item.denied.work, item.appeal_outcome) == (Work.DENIED, "overturned")
    paid = Line(claim.charge_cents, claim.charge_cents, (), "99454")
    practice.answered(Paid(claim.control_number, (paid,), payer_number="ICN77"), trace="T2")
    assert practice.queue().items == []


def test_above_the_set_amount_a_second_person_writes_off(
    practice: Denied, claim: ClaimRecord
) -> None:
    """The one who asks cannot agree; a declined request leaves the claim where it was."""
    practice.answered(refused(claim, "29"))
    setting = {"key": CLAIMS_TWO_PERSONS, "value": "10", "reason": "four eyes"}
    practice.act(set_practice_setting, SetPracticeSetting(**setting))
    command = WriteOffClaim(claim_id=claim.id, reason="filed too late, our fault")
    request = practice.act(write_off_claim, command).request
    assert request.cents == claim.charge_cents
    assert practice.queue().items[0].write_off_waits
    with pytest.raises(Conflict, match="asked already"):
        practice.act(write_off_claim, command)
    agree = DecideWriteOff(request_id=request.id, approved=True)
    with pytest.raises(NotAllowed):
        practice.act(decide_write_off, agree)
    second = practice.second_person()
    no = DecideWriteOff(request_id=request.id, approved=False, note="appeal first")
    practice.act(decide_write_off, no, second)
    assert practice.status(claim.id) is Status.DENIED
    again = practice.act(write_off_claim, command).request
    practice.act(decide_write_off, DecideWriteOff(request_id=again.id, approved=True), second)
    assert practice.status(claim.id) is Status.WRITTEN_OFF
    assert practice.queue().items == []


def test_the_refused_part_of_a_paid_claim_is_written_off_alone(
    practice: Denied, claim: ClaimRecord
) -> None:
    """The claim stays paid and leaves the queue; a new answer that refuses brings it back."""
    asked = claim.charge_cents
    part = Line(asked, asked - 2_000, (("CO", "97", 2_000),), "99454")
    practice.answered(Paid(claim.control_number, (part,), payer_number="ICN77"))
    (item,) = practice.queue().items
    assert (item.denied.work, item.denied.at_stake_cents) == (Work.PARTLY_DENIED, 2_000)
    done = practice.act(write_off_claim, WriteOffClaim(claim_id=claim.id, reason="bundled"))
    assert done.event.detail == {"cents": 2_000}
    assert practice.status(claim.id) is Status.PAID
    assert practice.item(claim.id) is None
    with pytest.raises(Conflict, match="nothing of this claim"):
        practice.act(write_off_claim, WriteOffClaim(claim_id=claim.id, reason="again"))
    back = Line(-asked, -asked + 2_000, (("CO", "97", -2_000),), "99454")
    less = Line(asked, asked - 3_000, (("CO", "97", 3_000),), "99454")
    reversal = Paid(claim.control_number, (back,), status="22", payer_number="ICN77")
    practice.answered(reversal, Paid(claim.control_number, (less,), payer_number="I2"), trace="T2")
    (item,) = practice.queue().items
    assert item.denied.at_stake_cents == 3_000


def test_root_causes_lead_to_what_looks_for_them(practice: Denied, prepared: Prepared) -> None:
    """Two claims denied alike are one cause with its edits and findings."""
    one, two, three = prepared.claims
    practice.answered(refused(one, "151"), refused(two, "151"), refused(three, "X1"))
    first, second = causes(practice.queue().items)
    assert (first.adjustment, first.claims) == ("CO-151", 2)
    assert first.cents == one.charge_cents + two.charge_cents
    assert "W_MUE_CAP" in first.findings
    assert second.nothing_stops_it


def test_who_may_not_write_may_not_work_denials(practice: Denied, claim: ClaimRecord) -> None:
    """Reading is not enough for any of the actions."""
    practice.answered(refused(claim))
    reader = replace(practice.actor, permissions=frozenset({"claims:read"}))
    for action, command in (
        (assign_claims, AssignClaims(claim_ids=[claim.id])),
        (note_claim, NoteClaim(claim_id=claim.id, note="x")),
        (correct_claim, CorrectClaim(claim_id=claim.id, reason="x", place="10")),
        (appeal_claim, AppealClaim(claim_id=claim.id, letter="x", sent_on=TODAY)),
        (write_off_claim, WriteOffClaim(claim_id=claim.id, reason="x")),
    ):
        with pytest.raises(NotAllowed):
            practice.act(action, command, reader)


def schedules() -> list[LoadedTable]:
    """A fee schedule of 2026 and the factors of one locality."""
    year = (date(2026, 1, 1), date(2026, 12, 31))
    units = [[code, "A", "0.00", "1.00", "1.00", "0.05"] for code in ("99453", "99454")]
    factors = [["06102-12", "CHICAGO", "1.000", "1.020", "1.500"]]
    content = {"factor": "33.40", "codes": units}
    return [
        LoadedTable(UNITS, "2026", *year, "PPRRVU.csv", "a" * 64, content),
        LoadedTable(FACTORS, "2026", *year, "GPCI.csv", "b" * 64, {"localities": factors}),
    ]


def test_less_than_the_loaded_schedule_is_underpaid(practice: Denied, prepared: Prepared) -> None:
    """Two lines are worth $73.14; a claim that got $70.00 lacks $3.14, and one with all nothing."""
    one, two, _ = prepared.claims

    def answered(row: ClaimRecord, paid: int, share: int) -> Paid:
        rest = row.charge_cents - paid - share - 100
        taken = (("CO", "45", rest), ("PR", "2", share), ("CO", "253", 100))
        return Paid(row.control_number, (Line(row.charge_cents, paid, taken, "99454"),))

    practice.answered(answered(one, 5_600, 1_300), answered(two, 5_750, 1_464))
    assert practice.queue().items == []  # no schedule, no underpayment
    practice.act(load_cms_tables, schedules())
    setting = {"key": "locality", "value": "06102-12", "reason": "we are in Chicago"}
    practice.act(set_practice_setting, SetPracticeSetting(**setting))
    for _ in range(2):  # kept answers are the same
        (item,) = practice.queue().items
        assert item.claim.control_number == one.control_number
        assert (item.denied.work, item.denied.at_stake_cents) == (Work.UNDERPAID, 314)
    assert practice.item(one.id) == item
    assert practice.item(two.id) is None


@settings(
    deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_the_queue_is_what_looking_at_every_claim_gives(
    prepared: Prepared, tmp_path: Path, data: st.DataObject
) -> None:
    """Whatever payers answered, no claim is missed by looking only at those that may be work."""
    path = tmp_path / f"{uuid4().hex}.db"
    shutil.copyfile(prepared.path, path)
    engine = make_engine(settings_for(f"sqlite:///{path}"))
    practice = Denied(engine, prepared.actor)
    for turn in range(1, data.draw(st.integers(1, 3)) + 1):
        told = []
        for row in data.draw(st.lists(st.sampled_from(prepared.claims), max_size=3)):
            asked = row.charge_cents
            paid = data.draw(st.sampled_from([0, asked // 2, asked]))
            why = data.draw(st.sampled_from(["45", "253", "97", "16", "1"]))
            group = data.draw(st.sampled_from(["CO", "PR"]))
            taken = ((group, why, asked - paid),) if paid < asked else ()
            status = data.draw(st.sampled_from(["1", "4", "22"]))
            sign = -1 if status == "22" else 1
            line = Line(
                *(sign * asked, sign * paid, tuple((g, w, sign * c) for g, w, c in taken)),
                "99454",
            )
            told.append(Paid(row.control_number, (line,), status=status))
        practice.answered(*told, trace=f"T{turn}")
    found = {item.claim.id: item for item in practice.queue().items}
    looked = {row.id: practice.item(row.id) for row in prepared.claims}
    assert found == {key: item for key, item in looked.items() if item is not None}
    engine.dispose()


def test_a_refusal_that_a_person_matched_is_work_then(practice: Denied, claim: ClaimRecord) -> None:
    """Part of a claim refused under a number that is not ours: nobody's, until it is matched."""
    asked = claim.charge_cents
    part = Line(asked, asked - 2_000, (("CO", "97", 2_000),), "99454")
    practice.answered(Paid("PAPER7", (part,), payer_number="ICN77"))
    assert practice.queue().items == []
    with reading(practice.engine) as db:
        (answer,) = unmatched(db, Scope.of(practice.actor))
    told = {"remittance_claim_id": answer.id, "control_number": claim.control_number}
    practice.act(match_answer, MatchAnswer(**told, reason="billed on paper"))
    (item,) = practice.queue().items
    assert (item.denied.work, item.denied.at_stake_cents) == (Work.PARTLY_DENIED, 2_000)
    assert practice.item(claim.id) == item
