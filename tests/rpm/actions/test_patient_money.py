"""Patients' payments and balances, money matched by a person, and overpayments."""

from datetime import date
from typing import Any

import pytest
from answered_practice import NOVEMBER, AnsweredPractice
from remittances_made import Payment, denied, file_of, paid, taken_back
from sqlalchemy.engine import Engine

from billing.claims.lifecycle import Status
from rpm.access import Actor
from rpm.actions.match_answer import MatchAnswer, match_answer
from rpm.actions.overpayments import SettleOverpayment, open_overpayments, settle_overpayment
from rpm.actions.patient_money import (
    PatientAccount,
    RecordPayment,
    ReversePayment,
    patient_account,
    record_payment,
    reverse_payment,
)
from rpm.errors import Conflict, InvalidRequest
from rpm.store.engine import reading, transaction
from rpm.store.queries.answers import unmatched, unmatched_sum
from rpm.store.scope import Scope

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
TODAY = date(2026, 11, 5)


def account(practice: AnsweredPractice) -> PatientAccount:
    """The patient's."""
    with reading(practice.engine) as db:
        return patient_account(db, Scope.of(practice.actor), practice.patient_id)


def pay(practice: AnsweredPractice, cents: int, **more: Any) -> Any:
    """The patient pays."""
    values: dict[str, Any] = {"on_day": TODAY, "method": "card"} | more
    with transaction(practice.engine) as db:
        command = RecordPayment(patient_id=practice.patient_id, cents=cents, **values)
        return record_payment(db, practice.actor, NOVEMBER, command)


def test_a_balance_is_what_payers_left_less_what_was_paid(engine: Engine, actor: Actor) -> None:
    """A denied claim adds nothing and is not written off; a payment for no claim counts too."""
    practice = AnsweredPractice(engine, actor, ("C1", "C2", "C3"))
    practice.post(file_of(Payment([paid("C1"), denied("C2")])))
    assert account(practice).due_cents == 1000
    assert practice.standing("C2").status is Status.DENIED
    first = pay(practice, 400, claim_id=practice.claims["C1"])
    pay(practice, 100)
    assert account(practice).due_cents == 500
    with transaction(engine) as db:
        command = ReversePayment(payment_id=first.id, reason="bounced")
        reverse_payment(db, actor, NOVEMBER, command)
    assert account(practice).due_cents == 900
    with transaction(engine) as db, pytest.raises(Conflict):
        reverse_payment(db, actor, NOVEMBER, command)


def test_payments_that_cannot_be_are_refused(engine: Engine, actor: Actor) -> None:
    """Nothing, a day to come, or another patient's claim."""
    practice = AnsweredPractice(engine, actor, ("C1",))
    with pytest.raises(InvalidRequest):
        pay(practice, 0)
    with pytest.raises(InvalidRequest):
        pay(practice, 5, on_day=date(2026, 12, 1))
    mine, practice.patient_id = practice.claims["C1"], practice.patient()
    with pytest.raises(InvalidRequest):
        pay(practice, 5, claim_id=mine)


def test_a_person_matches_money_to_its_claim(engine: Engine, actor: Actor) -> None:
    """The claim is paid, the list is empty, and a second match is refused."""
    practice = AnsweredPractice(engine, actor, ("C1",))
    practice.post(file_of(Payment([paid("OLD-1")])))
    with reading(engine) as db:
        (answer,) = unmatched(db, Scope.of(actor))
    wrong = MatchAnswer(remittance_claim_id=answer.id, control_number="C9", reason="x")
    with transaction(engine) as db, pytest.raises(InvalidRequest):
        match_answer(db, actor, NOVEMBER, wrong)
    command = MatchAnswer(remittance_claim_id=answer.id, control_number="C1", reason="old number")
    with transaction(engine) as db:
        match_answer(db, actor, NOVEMBER, command)
    assert practice.standing("C1").status is Status.PAID
    assert account(practice).due_cents == 1000
    with transaction(engine) as db:
        assert unmatched_sum(db, Scope.of(actor)) == (0, 0)
        with pytest.raises(Conflict):
            match_answer(db, actor, NOVEMBER, command)


def test_a_reversal_opens_an_overpayment_until_it_is_settled(engine: Engine, actor: Actor) -> None:
    """With the day it is due; a person settles it with a reason."""
    practice = AnsweredPractice(engine, actor, ("C1", "C2"))
    practice.post(file_of(Payment([paid("C1"), paid("C2")])))
    practice.post(file_of(Payment([taken_back(paid("C1"))], trace="T2", day="20261103")))
    with reading(engine) as db:
        (found,) = open_overpayments(db, Scope.of(actor))
    assert (found.claim.control_number, found.told.cents) == ("C1", 4000)
    assert found.told.due_on == date(2027, 1, 2)
    command = SettleOverpayment(
        claim_id=practice.claims["C1"],
        identified_on=date(2026, 11, 3),
        settled_on=TODAY,
        cents=4000,
        reason="taken off the payment T2",
    )
    with transaction(engine) as db:
        settle_overpayment(db, actor, NOVEMBER, command)
    with reading(engine) as db:
        assert open_overpayments(db, Scope.of(actor)) == []
