"""Figures of claims: each cent is in one place, and each figure counts what its definition says."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from billing.claims.denial import Answer, Taken
from billing.claims.figures.collected import expected_paid, payment_lag, received
from billing.claims.figures.definitions import DEFINITIONS
from billing.claims.figures.figure import Figure, Span
from billing.claims.figures.health import Pressure, adherence, pressure_in_control, time_in_range
from billing.claims.figures.monthly import MonthOfClaims, claim_figures
from billing.claims.figures.rates import (
    BY,
    clean_claims,
    denials,
    denials_by,
    denied_amount,
    first_pass,
    rejections,
    rejections_by,
)
from billing.claims.figures.receivable import days_in_ar, receivable
from billing.claims.figures.story import ClaimFacts, PatientPaid, Story, stories, story
from billing.claims.lifecycle import ClaimEvent, Kind

SENT = date(2026, 1, 10)
ANSWERED = date(2026, 1, 30)
YEAR = Span(date(2026, 1, 1), date(2026, 12, 31))
MONTHS = [date(2026, month, 1) for month in (1, 2, 3, 4)]
TODAY = date(2026, 4, 20)

AGREED = Taken("CO", "45", 3_000, procedure="99457")
SHARE = Taken("PR", "2", 1_400, procedure="99457")
SEQUESTRATION = Taken("CO", "253", 112, procedure="99457")
REFUSED = Taken("CO", "97", 10_000, procedure="99457")
PAID = Answer(ANSWERED, 1, 1, 10_000, 5_488, 1_400, False, (AGREED, SHARE, SEQUESTRATION))
DENIED = Answer(ANSWERED, 1, 1, 10_000, 0, 0, False, (REFUSED,))


def events(*kinds: Kind, attempt: int = 1, day: date = SENT) -> tuple[ClaimEvent, ...]:
    """Events of an attempt on a day."""
    return tuple(
        ClaimEvent(f"{kind}-{attempt}", kind, attempt, number, on=day)
        for number, kind in enumerate(kinds)
    )


ON_ITS_WAY = events(Kind.ASSEMBLED, Kind.RELEASED, Kind.SENT, Kind.PAYER_ACCEPTED)


def remitted(answer: Answer, number: int = 0) -> ClaimEvent:
    """The event of an answer."""
    return ClaimEvent(
        f"835-{answer.attempt}-{answer.order}-{number}",
        Kind.REVERSED if answer.is_reversal else Kind.REMITTED,
        answer.attempt,
        paid_cents=answer.paid_cents,
        patient_cents=answer.patient_cents,
        on=answer.on_day,
    )


def claim(
    name: str, *answers: Answer, before: tuple[ClaimEvent, ...] = ON_ITS_WAY, **values
) -> ClaimFacts:
    """A claim of 100.00 for management."""
    told = (*before, *(remitted(one) for one in answers))
    made = ClaimFacts(name, name, "MEDICARE_B", SENT, 10_000, ("99457",), told, answers)
    return replace(made, **values)


def told(*claims: ClaimFacts, until: date = TODAY) -> list[Story]:
    """The claims up to a day."""
    return stories(claims, until)


def back(answer: Answer, day: date, order: int) -> Answer:
    """The reversal of an answer."""
    return replace(
        answer,
        on_day=day,
        order=order,
        paid_cents=-answer.paid_cents,
        patient_cents=-answer.patient_cents,
        is_reversal=True,
        taken=tuple(replace(one, cents=-one.cents) for one in answer.taken),
    )


def test_a_paid_claim_is_explained_to_the_cent() -> None:
    """Paid, share, agreed reduction and sequestration are the charge; the share is still owed."""
    (one,) = told(claim("a", PAID))
    assert (one.paid_cents, one.patient_cents, one.agreed_cents) == (5_488, 1_400, 3_112)
    assert (one.open_cents, one.patient_open_cents, one.credit_cents) == (0, 1_400, 0)
    (settled,) = told(claim("a", PAID, patient_paid=(PatientPaid(TODAY, 1_400),)))
    assert settled.owed_cents == 0
    assert first_pass([one], YEAR).value == 100
    assert denials([one], YEAR).value == 0


def test_a_denial_that_was_corrected_and_paid_stays_a_denial_and_owes_nothing() -> None:
    """The first answer counts for the rate; what is owed follows the attempt that was paid."""
    second = events(Kind.SENT, attempt=2, day=date(2026, 2, 5))
    answer = replace(PAID, attempt=2, order=2, on_day=date(2026, 2, 20))
    found = claim("a", DENIED, answer, before=(*ON_ITS_WAY, *second))
    (one,) = told(found)
    assert (one.open_cents, one.refused_cents, one.first_paid) == (0, 0, date(2026, 2, 20))
    assert denials([one], YEAR).value == 100
    assert first_pass([one], YEAR).value == 0
    assert payment_lag([one], YEAR).value == 41
    (before,) = told(found, until=date(2026, 2, 10))
    assert (before.open_cents, before.refused_cents) == (10_000, 10_000)


def test_a_payment_taken_back_is_owed_again_and_its_correction_counts_once() -> None:
    """A reversal takes its adjustments with it."""
    taken = back(PAID, date(2026, 2, 10), 2)
    (one,) = told(claim("a", PAID, taken))
    assert (one.open_cents, one.paid_cents, one.settled) == (10_000, 0, False)
    anew = replace(
        PAID,
        order=3,
        on_day=date(2026, 2, 11),
        paid_cents=5_000,
        taken=(replace(AGREED, cents=3_600), SHARE),
    )
    (one,) = told(claim("a", PAID, taken, anew))
    assert (one.paid_cents, one.agreed_cents, one.refused_cents, one.open_cents) == (
        5_000,
        3_600,
        0,
        0,
    )


def test_what_was_given_up_taken_back_or_never_sent_is_not_owed() -> None:
    """Written off, voided, withdrawn and unsent claims are in no bucket."""
    off = claim("off", DENIED, before=(*ON_ITS_WAY, *events(Kind.WRITTEN_OFF)))
    gone = ClaimEvent("void", Kind.SENT, 2, frequency="8", on=SENT)
    void = (*events(Kind.PAYER_ACCEPTED, attempt=2), gone)
    cancelled = claim("void", before=(*ON_ITS_WAY, *void))
    unsent = claim("unsent", before=events(Kind.ASSEMBLED, Kind.RELEASED))
    found = told(off, cancelled, unsent)
    assert [one.written_off_cents for one in found] == [10_000, 0, 0]
    assert [one.cancelled_cents for one in found] == [0, 10_000, 0]
    owed = receivable(found, TODAY)
    assert (owed.cents, owed.unsent_cents) == (0, 10_000)
    assert days_in_ar(found, ANSWERED).value == 0
    assert days_in_ar(found, TODAY).value is None  # nothing left in its 90 days


def test_rates_of_sending_count_held_and_rejected_claims() -> None:
    """Four were answered: one clean, one held before, one rejected, one rejected by the file."""
    held = claim("held", PAID, before=(*events(Kind.HELD), *ON_ITS_WAY))
    rejected = claim(
        "no", before=(*ON_ITS_WAY[:3], *events(Kind.REJECTED)), rejected_for=("A7:562",)
    )
    by_file = claim("file", before=(*ON_ITS_WAY[:3], *events(Kind.FILE_REJECTED)))
    waiting = claim("waiting", before=ON_ITS_WAY[:3])
    found = told(claim("a", PAID), held, rejected, by_file, waiting)
    assert clean_claims(found, YEAR).value == 25
    assert clean_claims(found, YEAR).claims == ("a",)
    assert rejections(found, YEAR).value == 50
    assert first_pass(found, YEAR).value == 50
    (reason,) = rejections_by(found, YEAR, "reason")
    assert (reason.name, reason.figure.numerator, reason.figure.denominator) == ("A7:562", 1, 4)
    (payer,) = rejections_by(found, YEAR, "payer")
    assert payer.figure.value == 50


def test_denials_are_told_by_payer_code_and_reason_with_their_cents() -> None:
    """One of two claims of a payer; the code that was refused, not the one that was paid."""
    partly = Answer(
        ANSWERED, 1, 1, 10_000, 4_000, 0, False, (Taken("CO", "97", 6_000, procedure="99458"),)
    )
    one = claim("a", partly, procedures=("99457", "99458"))
    found = told(one, claim("b", PAID), claim("c", PAID, payer="COM_AETNA"))
    assert denied_amount(found, YEAR).value == 20
    told_by = {by: denials_by(found, YEAR, by) for by in BY}
    assert [(group.name, group.figure.value, group.cents) for group in told_by["payer"]] == [
        ("MEDICARE_B", 50, 6_000)
    ]
    assert [(group.name, group.figure.value, group.cents) for group in told_by["code"]] == [
        ("99458", 100, 6_000)
    ]
    assert [(group.name, group.figure.denominator) for group in told_by["reason"]] == [("CO-97", 3)]


def test_an_expected_amount_is_only_known_from_a_schedule_of_the_payer() -> None:
    """Two claims with a schedule, one paid short; the third is told as not known."""
    full = claim("full", PAID, expected_cents=7_000)
    short = claim("short", PAID, expected_cents=7_100)
    found = expected_paid(told(full, short, claim("open", PAID)), YEAR)
    assert (found.figure.numerator, found.figure.denominator) == (14_000, 14_100)
    assert (found.short, found.unknown) == (("short",), ("open",))


def test_a_figure_without_anything_to_measure_against_has_no_value() -> None:
    """None, not zero; halves are rounded up."""
    assert Figure("denials", 0, 0).value is None
    assert Figure("denials", 1, 2_000).value == Decimal("0.1")
    assert Figure("revenue-per-patient", 1_001, 2).value == 501


def test_health_figures_count_days_averages_and_the_range() -> None:
    """Adherence never counts more days than enrolled; two readings are too few for an average."""
    assert adherence({"a": 20, "b": 40}, {"a": 30, "b": 30, "c": 30}).value == Decimal("55.6")
    days = [date(2026, 1, day) for day in (1, 2, 3)]
    readings = [Pressure("low", day, Decimal(139), Decimal(89)) for day in days]
    readings += [Pressure("even", day, Decimal(140), Decimal(80)) for day in days]
    readings += [Pressure("few", day, Decimal(180), Decimal(80)) for day in days[:2]]
    found = pressure_in_control(readings)
    assert (found.figure.value, found.above) == (50, ("even",))
    assert time_in_range([Decimal(70), Decimal(180), Decimal("180.1"), Decimal(69)]).value == 50


def test_every_figure_has_words_for_both_of_its_numbers() -> None:
    """Nothing on the page stands without its definition."""
    for key, one in DEFINITIONS.items():
        assert one.key == key
        assert one.title
        assert one.text.endswith(".")
        assert one.numerator
        assert one.denominator


CENTS = st.integers(0, 12_000)
DAYS = st.integers(0, 110).map(lambda number: date(2026, 1, 1) + timedelta(days=number))


@st.composite
def taken(draw: st.DrawFn) -> Taken:
    """Some adjustment, of a line or of the whole claim."""
    group, reason = draw(st.sampled_from([("CO", "45"), ("CO", "97"), ("PR", "2"), ("OA", "23")]))
    return Taken(
        group, reason, draw(CENTS), procedure=draw(st.sampled_from(["", "99457", "99454"]))
    )


@st.composite
def claims(draw: st.DrawFn) -> list[ClaimFacts]:
    """Claims with answers that need not add up, reversals and patients' money, on any days."""
    found = []
    for number in range(draw(st.integers(0, 6))):
        sent = draw(DAYS)
        kinds = draw(st.lists(st.sampled_from([*Kind]), max_size=4, unique=True))
        before = [
            ClaimEvent(f"{kind}", kind, draw(st.integers(0, 2)), place, on=draw(DAYS))
            for place, kind in enumerate(kinds)
            if kind not in {Kind.REMITTED, Kind.REVERSED}
        ]
        before.append(ClaimEvent("first", Kind.ASSEMBLED, on=sent))
        answers: list[Answer] = []
        for order in range(draw(st.integers(0, 3))):
            answer = Answer(
                draw(DAYS),
                draw(st.integers(1, 2)),
                order * 2,
                10_000,
                draw(CENTS),
                draw(CENTS),
                False,
                tuple(draw(st.lists(taken(), max_size=3))),
            )
            answers.append(answer)
            if draw(st.booleans()):
                later = answer.on_day or sent
                answers.append(back(answer, later + timedelta(days=3), order * 2 + 1))
        found.append(
            ClaimFacts(
                number,
                number % 2,
                draw(st.sampled_from(["MEDICARE_B", "COM_AETNA"])),
                sent,
                draw(CENTS),
                ("99457", "99454"),
                (*before, *(remitted(one, place) for place, one in enumerate(answers))),
                tuple(answers),
                tuple(PatientPaid(draw(DAYS), draw(CENTS)) for _ in range(draw(st.integers(0, 2)))),
                ("A7:562",),
            )
        )
    return found


def looked_at(found: list[MonthOfClaims]) -> list[object]:
    """What figures say, whatever the order of claims."""
    return [
        (
            month.receivable.cents,
            month.received.cents,
            {
                key: (one.numerator, one.denominator, frozenset(one.claims), frozenset(one.of))
                for key, one in month.figures.items()
            },
        )
        for month in found
    ]


@given(claims(), DAYS)
def test_every_cent_is_in_one_place(some: list[ClaimFacts], day: date) -> None:
    """Of each charge, of each patient's share, of what is owed and of its buckets."""
    found = stories(some, day)
    for one in found:
        placed = one.paid_cents + one.patient_cents + one.agreed_cents
        placed += one.written_off_cents + one.cancelled_cents
        placed += one.open_cents + one.unsent_cents - one.credit_cents
        assert placed == one.claim.charge_cents
        assert one.open_cents >= 0
        assert one.credit_cents >= 0
    owed = receivable(found, day)
    assert sum(bucket.cents for bucket in owed.buckets) == owed.cents
    assert owed.cents == sum(one.owed_cents for one in found)
    assert min(owed.awaited_cents, owed.refused_cents, owed.unexplained_cents) >= 0
    in_buckets = [name for bucket in owed.buckets for name in bucket.claims]
    assert sorted(in_buckets) == sorted(one.claim.id for one in found if one.owed_cents > 0)


@given(claims(), st.randoms(use_true_random=False))
def test_the_order_of_claims_events_and_answers_does_not_matter(
    some: list[ClaimFacts], random
) -> None:
    """Answers come in any order, and so do claims."""
    first = claim_figures(some, MONTHS, {}, TODAY)
    mixed = [
        replace(
            one,
            events=tuple(random.sample(one.events, len(one.events))),
            answers=tuple(random.sample(one.answers, len(one.answers))),
        )
        for one in random.sample(some, len(some))
    ]
    assert looked_at(claim_figures(mixed, MONTHS, {}, TODAY)) == looked_at(first)


@given(claims())
def test_months_say_what_each_month_end_says_by_itself(some: list[ClaimFacts]) -> None:
    """Claims that nothing befell since are what they were; the money of months adds up."""
    found = claim_figures(some, MONTHS, {MONTHS[0]: 2}, TODAY)
    for month in found:
        then = [one for one in (story(each, month.span.last) for each in some) if one is not None]
        assert month.receivable == receivable(then, month.span.last)
        assert month.figures["days-in-ar"] == days_in_ar(then, month.span.last)
    whole = Span(MONTHS[0], TODAY)
    (all_of_it,) = received(some, [whole])
    assert sum(month.received.cents for month in found) == all_of_it.cents
    assert found[0].figures["revenue-per-patient"].denominator == 2


@given(claims())
@settings(max_examples=60)
def test_a_rate_is_a_share_and_its_groups_are_parts_of_it(some: list[ClaimFacts]) -> None:
    """Claims of the numerator are among those of the denominator; payers share claims out."""
    found = stories(some, TODAY)
    for rate, by_group in ((rejections, rejections_by), (denials, denials_by)):
        whole = rate(found, YEAR)
        assert set(whole.claims) <= set(whole.of)
        for by in BY:
            for group in by_group(found, YEAR, by):
                assert set(group.figure.claims) <= set(whole.claims)
                assert 0 < group.figure.numerator <= group.figure.denominator
        payers = by_group(found, YEAR, "payer")
        assert sum(group.figure.numerator for group in payers) == whole.numerator
    amount = denied_amount(found, YEAR).numerator
    assert sum(group.cents for group in denials_by(found, YEAR, "reason")) == amount
    assert sum(group.cents for group in denials_by(found, YEAR, "payer")) == amount
    for rate in (clean_claims, first_pass):
        assert set(rate(found, YEAR).claims) <= set(rate(found, YEAR).of)
