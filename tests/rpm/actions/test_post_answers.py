"""Answers posted to claims: once, whatever is wrong with the file, and with every cent kept."""

from dataclasses import replace
from datetime import date
from itertools import permutations

import pytest
from answered_practice import NOVEMBER, AnsweredPractice
from remittances_made import Payment, claim277, denied, file_277, file_of, paid, taken_back
from sqlalchemy.engine import Engine
from sqlmodel import func, select

from billing.claims.lifecycle import Status
from rpm.access import PERMISSIONS, Actor
from rpm.actions.post_answers import post_answers, post_unread
from rpm.actions.take_received_file import take_received_file
from rpm.errors import InvalidRequest, NotAllowed, NotFound
from rpm.store.chain import chain_head
from rpm.store.engine import reading, transaction
from rpm.store.queries.answers import (
    NEEDS_LOOK,
    POSTED,
    QUARANTINED,
    answers_in,
    outcomes_of,
    remittances_page,
    unmatched,
    unmatched_sum,
)
from rpm.store.scope import Scope
from rpm.store.tables.answers import Remittance, RemittanceClaim
from rpm.store.tables.claims import ClaimEventRecord

sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ISA = (
    "ISA*00*          *00*          *ZZ*HOUSE          *ZZ*PRACTICE       *261101*1000*^*00501"
    "*{number:09d}*0*P*:~"
)


def ack999(code: str = "A", number: int = 42, set_number: str = "0001", isa: int = 500) -> bytes:
    """A 999 for a group of ours."""
    return (
        f"{ISA.format(number=isa)}GS*FA*HOUSE*US*20261101*1000*1*X*005010X231A1~"
        f"ST*999*0001*005010X231A1~AK1*HC*{number}*005010X222A1~AK2*837*{set_number}~IK5*{code}~"
        f"AK9*{code}*1*1*1~SE*6*0001~GE*1*1~IEA*1*{isa:09d}~"
    ).encode()


def count(practice: AnsweredPractice, table: type) -> int:
    """Rows of a table."""
    with reading(practice.engine) as db:
        query = (
            select(func.count())
            .where(
                table.organization_id == practice.actor.organization_id  # type: ignore[attr-defined] - a fact has it
            )
            .select_from(table)
        )
        return db.exec(query).one()


def test_a_remittance_is_posted_once(engine: Engine, actor: Actor) -> None:
    """Paid and denied claims stand so; the same file again, and read again, changes nothing."""
    practice = AnsweredPractice(engine, actor, ("C1", "C2", "C3"))
    content = file_of(Payment([paid("C1"), denied("C2")], adjustments=(("WO", "X", 700),)))
    posted = practice.post(content)
    assert (posted.state, posted.findings) == (POSTED, ())
    assert practice.standing("C1").status is Status.PAID
    assert (practice.standing("C1").paid_cents, practice.standing("C1").patient_cents) == (
        4000,
        1000,
    )
    assert practice.standing("C2").status is Status.DENIED
    assert practice.standing("C3").status is Status.SENT
    with reading(engine) as db:
        head = chain_head(db, actor.organization_id)
        (remittance,) = remittances_page(db, Scope.of(actor))
        told = answers_in(db, Scope.of(actor), remittance)
    assert (remittance.paid_cents, remittance.claims_cents) == (3300, 4000)
    assert (remittance.adjusted_cents, remittance.difference_cents) == (700, 0)
    assert [row.lines[0]["adjustments"] for row in told] == [
        [["CO", "45", 4000], ["PR", "2", 1000]],
        [["CO", "197", 9000]],
    ]
    assert practice.take(content) == posted.file_id
    assert practice.post(content).state == POSTED
    with reading(engine) as db:
        assert chain_head(db, actor.organization_id) == head


@sqlite
def test_a_payment_told_by_another_file_is_the_same_money(engine: Engine, actor: Actor) -> None:
    """Another interchange and line breaks: no event and no payment more."""
    practice = AnsweredPractice(engine, actor, ("C1",))
    payment = Payment([paid("C1")])
    practice.post(file_of(payment))
    again = practice.post(file_of(payment, number=8).replace(b"~", b"~\n"))
    assert again.counts["answers known before"] == 1
    assert practice.standing("C1").paid_cents == 4000
    assert count(practice, Remittance) == 1


@sqlite
def test_a_cut_file_and_then_the_whole_one(engine: Engine, actor: Actor) -> None:
    """What was sound of the cut file is posted, the rest with the whole file, nothing twice."""
    practice = AnsweredPractice(engine, actor, ("C1", "C2", "C3"))
    content = file_of(Payment([paid("C1"), paid("C2"), paid("C3")]))
    cut = practice.post(content[: content.index(b"NM1*QC*1*DOE", content.index(b"CLP*C2"))])
    assert cut.state == NEEDS_LOOK
    assert {"E_835_CUT_OFF", "E_835_CLAIM", "W_835_UNBALANCED"} <= {
        one.code for one in cut.findings
    }
    assert practice.standing("C2").status is Status.SENT
    whole = practice.post(content)
    assert whole.counts["answers known before"] == 1
    assert [practice.standing(f"C{one}").paid_cents for one in (1, 2, 3)] == [4000] * 3
    with reading(engine) as db:
        (remittance,) = remittances_page(db, Scope.of(actor))
        assert remittance.difference_cents == 0
        assert len(answers_in(db, Scope.of(actor), remittance)) == 3
    practice.post(content[: content.index(b"CLP*C3")])
    assert count(practice, Remittance) == 2
    assert count(practice, RemittanceClaim) == 3


@sqlite
def test_a_payment_twice_in_one_file_is_one(engine: Engine, actor: Actor) -> None:
    """The same transaction set repeated adds no money."""
    practice = AnsweredPractice(engine, actor, ("C1",))
    payment = Payment([paid("C1")])
    practice.post(file_of(payment, payment))
    assert practice.standing("C1").paid_cents == 4000
    assert count(practice, Remittance) == 1


@sqlite
def test_money_for_no_claim_is_kept_and_listed(engine: Engine, actor: Actor) -> None:
    """It can be found when the claim is there, by reading the file again."""
    practice = AnsweredPractice(engine, actor, ("C1",))
    content = file_of(Payment([paid("C1"), paid("C9", last="ROE")]))
    posted = practice.post(content)
    assert (posted.state, posted.counts["unmatched"]) == (NEEDS_LOOK, 1)
    with reading(engine) as db:
        assert unmatched_sum(db, Scope.of(actor)) == (1, 4000)
        (row,) = unmatched(db, Scope.of(actor))
        assert (row.control_number, row.told["last"]) == ("C9", "ROE")
    before = count(practice, ClaimEventRecord)
    assert practice.post(content).state == NEEDS_LOOK
    assert count(practice, ClaimEventRecord) == before
    practice.add("C9")
    assert practice.post(content).state == POSTED
    assert practice.standing("C9").paid_cents == 4000
    with reading(engine) as db:
        assert unmatched_sum(db, Scope.of(actor)) == (0, 0)


def test_a_reversal_and_its_correction_leave_what_is_right(engine: Engine, actor: Actor) -> None:
    """Paid 40, taken back, paid 35: the claim stands at 35, and the reversal is seen."""
    practice = AnsweredPractice(engine, actor, ("C1",))
    first = paid("C1")
    practice.post(file_of(Payment([first])))
    practice.post(file_of(Payment([taken_back(first)], trace="T2")))
    assert practice.standing("C1").status is Status.REVERSED
    practice.post(file_of(Payment([paid("C1", 3500)], trace="T3")))
    standing = practice.standing("C1")
    assert (standing.status, standing.paid_cents, standing.patient_cents) == (
        Status.PAID,
        3500,
        1000,
    )


@sqlite
def test_statuses_that_decide_nothing_change_nothing(engine: Engine, actor: Actor) -> None:
    """An estimate, or a claim sent on, is kept, and the claim still waits."""
    practice = AnsweredPractice(engine, actor, ("C1",))
    practice.post(file_of(Payment([replace(paid("C1", 0), status="25")])))
    assert practice.standing("C1").status is Status.SENT
    assert count(practice, RemittanceClaim) == 1


@sqlite
def test_an_answer_is_about_the_attempt_it_names(engine: Engine, actor: Actor) -> None:
    """A late answer to the first sending does not decide the replacement."""
    practice = AnsweredPractice(engine, actor, ("C1",))
    practice.resend("C1", 2, "7", date(2026, 10, 30))
    practice.post(file_of(Payment([denied("C1", frequency="1")])))
    assert practice.standing("C1").status is Status.SENT
    practice.post(file_of(Payment([paid("C1", frequency="7")], trace="T2")))
    assert practice.standing("C1").status is Status.PAID


@sqlite
def test_acknowledgments_move_the_claims_of_their_file(engine: Engine, actor: Actor) -> None:
    """999 by set, then the clearinghouse's and the payer's 277CA; a repeat adds no event."""
    practice = AnsweredPractice(engine, actor, ("C1", "C2"))
    assert practice.post(ack999()).state == POSTED
    assert practice.standing("C1").status is Status.RECEIVED
    practice.post(file_277(claim277("C1"), claim277("C2", "A7:562:85")))
    assert practice.standing("C1").status is Status.ACCEPTED
    assert practice.standing("C2").status is Status.REJECTED
    before = count(practice, ClaimEventRecord)
    practice.post(ack999(isa=501))
    practice.post(file_277(claim277("C1"), claim277("C2", "A7:562:85"), number=601))
    assert count(practice, ClaimEventRecord) == before
    practice.post(file_277(claim277("C1"), by="PR", number=602))
    assert count(practice, ClaimEventRecord) == before + 1


@sqlite
@pytest.mark.parametrize(
    "content",
    [
        ack999("R"),
        file_277("STC*A3:24:41*20261101*U*100~"),
        (ISA.format(number=7) + "TA1*000000042*261101*0930*R*020~IEA*1*000000007~").encode(),
    ],
    ids=["999", "277CA batch", "TA1"],
)
def test_a_file_rejected_as_a_whole_rejects_its_claims(
    engine: Engine, actor: Actor, content: bytes
) -> None:
    """By 999, by a batch's level of a 277CA, or by a TA1."""
    practice = AnsweredPractice(engine, actor, ("C1", "C2"))
    practice.post(content)
    assert {practice.standing(one).status for one in ("C1", "C2")} == {Status.REJECTED}


@sqlite
def test_answers_to_what_was_not_sent_are_told(engine: Engine, actor: Actor) -> None:
    """Numbers of nobody change nothing, and a person is asked to look."""
    practice = AnsweredPractice(engine, actor, ("C1",))
    for content in (
        ack999(number=99),
        file_277(claim277("C9")),
        file_277("STC*A3:24~", reference="X"),
    ):
        posted = practice.post(content)
        assert posted.state == NEEDS_LOOK
        assert {one.code for one in posted.findings} <= {"W_FILE_NOT_OURS", "W_CLAIM_NOT_OURS"}
    assert practice.standing("C1").status is Status.SENT


@sqlite
def test_what_cannot_be_read_is_kept_whole_in_quarantine(engine: Engine, actor: Actor) -> None:
    """It is stored first, its finding is shown, and it may be read again."""
    practice = AnsweredPractice(engine, actor, ("C1",))
    posted = practice.post(b"%PDF-1.7 not an answer")
    assert posted.state == QUARANTINED
    assert [one.code for one in posted.findings] == ["E_NOT_X12"]
    with transaction(engine) as db:
        assert post_answers(db, actor, practice.now, posted.file_id).state == QUARANTINED
        scope = Scope.of(actor)
        assert outcomes_of(db, scope, [posted.file_id])[posted.file_id].state == QUARANTINED


@sqlite
def test_a_file_whose_reading_was_interrupted_is_read_later(engine: Engine, actor: Actor) -> None:
    """Stored is not yet posted; what was left is found and posted."""
    practice = AnsweredPractice(engine, actor, ("C1",))
    file_id = practice.take(file_of(Payment([paid("C1")])))
    with transaction(engine) as db:
        (posted,) = post_unread(db, replace(actor), practice.now)
        assert posted.file_id == file_id
    with transaction(engine) as db:
        assert post_unread(db, actor, practice.now) == []


@sqlite
def test_another_practices_payment_is_not_posted(engine: Engine, actor: Actor) -> None:
    """A payee's NPI that is not ours: kept, told, and posted only when a person says so."""
    practice = AnsweredPractice(engine, actor, ("C1",))
    content = file_of(Payment([paid("C1")])).replace(b"XX*1234567893", b"XX*1003000126")
    posted = practice.post(content, any_payee=False)
    assert (posted.state, posted.findings[0].code) == (NEEDS_LOOK, "E_835_OTHER_PRACTICE")
    assert practice.standing("C1").status is Status.SENT
    assert practice.post(content).state == POSTED
    assert practice.standing("C1").status is Status.PAID


@sqlite
def test_any_order_of_the_same_answers_gives_the_same_status(engine: Engine, actor: Actor) -> None:
    """Acknowledgments, payment, reversal and correction in every order, through the store."""
    first = paid("{number}")
    orders = list(permutations(range(4)))
    numbers = [f"C{place:02d}" for place in range(len(orders))]
    practice = AnsweredPractice(engine, actor, numbers)
    for number, order in zip(numbers, orders, strict=True):
        told = replace(first, control_number=number)
        answers = (
            file_277(claim277(number), number=700),
            file_of(Payment([told], trace="T1" + number)),
            file_of(Payment([taken_back(told)], trace="T2" + number)),
            file_of(Payment([paid(number, 3500)], trace="T3" + number)),
        )
        for place in order:
            practice.post(answers[place])
    assert len({practice.standing(number) for number in numbers}) == 1


@sqlite
def test_who_may_not_post_stores_nothing(engine: Engine, actor: Actor, other_actor: Actor) -> None:
    """Without the permission nothing is stored, nor an empty file; strangers find no file."""
    practice = AnsweredPractice(engine, actor, ("C1",))
    reader = replace(actor, permissions=PERMISSIONS - {"remittances:post"})
    with transaction(engine) as db:
        with pytest.raises(NotAllowed):
            take_received_file(db, reader, practice.now, "x", "upload", b"x")
        with pytest.raises(InvalidRequest):
            take_received_file(db, actor, practice.now, "x", "upload", b"")
    file_id = practice.take(file_of(Payment([paid("C1")])))
    with transaction(engine) as db, pytest.raises(NotFound):
        post_answers(db, other_actor, practice.now, file_id)


@sqlite
@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\x\\..\\a.835", "\x00\n~", "é" * 300, ""])
def test_a_name_is_only_shown(engine: Engine, actor: Actor, name: str) -> None:
    """No path, no control character and no length of a sender's name is kept."""
    with transaction(engine) as db:
        file = take_received_file(db, actor, NOVEMBER, name, "upload", b"x" + name.encode())
    assert file.name
    assert "/" not in file.name
    assert "\\" not in file.name
    assert ".." not in file.name.split("_")[0]
    assert len(file.name) <= 120
    assert file.name.isprintable()
