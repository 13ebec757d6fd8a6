"""Denials as work: why, how much, until when, and what would have stopped them."""

from datetime import date
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.claims import complete
from billing.claims.denial import (
    Answer,
    Deadlines,
    Denied,
    DeniedClaim,
    Taken,
    Work,
    deadlines,
    denied,
    hints_for,
    root_causes,
)
from billing.claims.denial_reasons import read_groups, shipped_groups
from billing.claims.lifecycle import Standing, Status
from billing.claims.scrub_texts import TEXTS
from billing.rules.fields import RuleError
from billing.rules.references import shipped_references

DAY = date(2026, 11, 10)


def answer(
    *taken: Taken, paid: int = 0, patient: int = 0, order: int = 1, attempt: int = 1
) -> Answer:
    """A remittance for a claim of $120.00."""
    return Answer(DAY, attempt, order, 12_000, paid, patient, paid < 0, taken, "P1", "1")


def standing(status: Status, paid: int = 0, patient: int = 0) -> Standing:
    """Where the claim stands."""
    return Standing(status, 1, paid, patient)


def of(group: str, reason: str, cents: int, *remarks: str, procedure: str = "99454") -> Taken:
    """An adjustment of a line."""
    return Taken(group, reason, cents, remarks, procedure)


def work(
    *taken: Taken, paid: int = 0, patient: int = 0, expected: int | None = None
) -> Denied | None:
    """The work of a claim with one answer."""
    status = Status.PAID if paid else Status.PATIENT_OWES if patient else Status.DENIED
    one = answer(*taken, paid=paid, patient=patient)
    return denied(standing(status, paid, patient), [one], 12_000, expected)


@pytest.mark.parametrize(
    ("taken", "key"),
    [
        (of("CO", "16", 1, "M77"), "place"),
        (of("CO", "16", 1), "incomplete"),
        (of("CO", "96", 1, "N776"), "not-covered"),
        (of("CO", "97", 1, "N122"), "add-on"),
        (of("CO", "97", 1), "bundled"),
        (of("CO", "29", 1), "late"),
        (of("OA", "18", 1), "duplicate"),
        (of("PR", "31", 1), "coverage"),
        (of("CO", "B7", 1), "provider"),
        (of("CO", "A9999"[:2], 1), "other"),
    ],
)
def test_an_adjustment_has_one_group(taken: Taken, key: str) -> None:
    """A remark decides before a general reason; what nobody placed is another reason."""
    found = work(taken)
    assert found is not None
    assert found.group_key == key


def test_agreed_reductions_and_the_patients_share_are_no_denial() -> None:
    """A claim paid by contract with coinsurance, deductible and sequestration is no work."""
    usual = (of("CO", "45", 4_000), of("PR", "2", 1_600), of("PR", "1", 400), of("CO", "253", 128))
    assert work(*usual, paid=5_872, patient=2_000) is None
    assert work(of("PR", "1", 12_000), patient=12_000) is None


def test_a_refused_line_of_a_paid_claim_is_work() -> None:
    """What was refused beside what was paid counts by its own cents, largest reason first."""
    found = work(
        of("CO", "45", 1_000),
        of("CO", "97", 500, procedure="99458"),
        of("CO", "97", 2_500, procedure="99457"),
        of("CO", "151", 3_500, "N362"),
        paid=4_500,
    )
    assert found is not None
    assert (found.work, found.at_stake_cents) == (Work.PARTLY_DENIED, 6_500)
    assert [(one.adjustment, one.cents) for one in found.reasons] == [
        ("CO-151", 3_500),
        ("CO-97", 3_000),
    ]
    assert found.reasons[1].procedures == ("99458", "99457")


def test_only_a_payers_own_schedule_makes_a_claim_underpaid() -> None:
    """Less than expected is work to the cent; without a schedule, nothing is ever underpaid."""
    paid = {"paid": 5_000, "patient": 1_000}
    assert work(of("CO", "45", 6_000), **paid) is None
    assert work(of("CO", "45", 6_000), **paid, expected=6_001) is None  # rounding
    found = work(of("CO", "45", 6_000), **paid, expected=6_500)
    assert found is not None
    assert (found.work, found.at_stake_cents) == (Work.UNDERPAID, 500)
    held_back = (of("CO", "45", 5_500), of("CO", "253", 500))
    assert work(*held_back, **paid, expected=6_500) is None


def test_rejected_reversed_and_appealed_claims_are_work_whole() -> None:
    """No answer, an answer taken back, and one that is awaited put the whole charge at stake."""
    kinds = {
        Status.REJECTED: Work.REJECTED,
        Status.REVERSED: Work.REVERSED,
        Status.APPEALED: Work.APPEALED,
    }
    for status, kind in kinds.items():
        found = denied(standing(status), [], 12_000)
        assert found is not None
        assert (found.work, found.at_stake_cents) == (kind, 12_000)
    for status in set(Status) - set(kinds) - {Status.DENIED}:
        assert denied(standing(status), [], 12_000) is None


def test_the_newest_answer_speaks() -> None:
    """After a correction the earlier reasons are gone, in whatever order the answers came."""
    answers = [
        answer(of("CO", "16", 12_000), order=1),
        answer(of("CO", "16", -12_000), paid=-1, order=2),
        answer(of("CO", "29", 12_000), order=3),
    ]
    for order in permutations(answers):
        found = denied(standing(Status.DENIED), order, 12_000)
        assert found is not None
        assert [one.adjustment for one in found.reasons] == ["CO-29"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["CO", "PR", "OA", "PI"]),
            st.sampled_from(["1", "2", "16", "29", "45", "97", "151", "253", "zz"]),
            st.integers(-5_000, 9_000),
        ),
        max_size=6,
    )
)
def test_no_cent_is_counted_twice(taken: list[tuple[str, str, int]]) -> None:
    """What reasons hold is never more than what was taken, and never below nothing."""
    found = work(*(of(*one) for one in taken))
    assert found is not None
    told = [one.cents for one in found.reasons]
    assert all(cents > 0 for cents in told)
    assert told == sorted(told, reverse=True)
    assert sum(told) <= sum(max(cents, 0) for _, _, cents in taken)


def test_deadlines_are_told_only_where_days_are_recorded() -> None:
    """Filing counts from the first day of service, an appeal from the answer; else unknown."""
    first = date(2026, 10, 1)
    assert deadlines(first, DAY, 365, 120) == Deadlines(date(2027, 10, 1), date(2027, 3, 10))
    assert deadlines(first, DAY, 365, 120).next == date(2027, 3, 10)
    assert deadlines(first, DAY, None, None) == Deadlines(None, None)
    assert deadlines(first, None, None, 120).next is None


def test_suggestions_come_from_the_catalogue_for_payer_and_day() -> None:
    """A missing place suggests the place edits, those for the payer and the day only."""
    found = work(of("CO", "16", 12_000, "M77", procedure="99214"))
    assert found is not None
    (hint,) = hints_for(DeniedClaim(found, "MCR", date(2026, 10, 1)))
    assert hint.reason.trust == "A"
    assert hint.findings == ()  # the ledger does not judge visits
    assert [edit.id for edit in hint.edits] == ["TH-POS-01", "TH-POS-02"]
    (early,) = hints_for(DeniedClaim(found, "MCR", date(2021, 10, 1)))
    assert "TH-POS-04" in [edit.id for edit in early.edits]
    assert "TH-POS-01" not in [edit.id for edit in early.edits]


def test_edits_of_visits_are_not_suggested_for_monitoring() -> None:
    """A modifier refused on device supply does not lead to edits on how a visit is coded."""
    found = work(of("CO", "4", 500), of("CO", "151", 400, "N362"))
    assert found is not None
    modifier, units = hints_for(DeniedClaim(found, "MCR", DAY))
    assert modifier.edits == ()
    assert [edit.id for edit in units.edits] == ["TH-NCCI-09"]
    assert "W_MUE_CAP" in units.findings


def test_root_causes_count_claims_and_say_what_looks_for_them() -> None:
    """Three units denials lead to the unit limit; an unplaced reason says that nothing stops it."""
    units, odd = work(of("CO", "151", 500, "N362")), work(of("CO", "X9", 100))
    assert units is not None
    assert odd is not None
    claims = [DeniedClaim(one, "MCR", DAY) for one in (odd, units, units, units)]
    first, second = root_causes(claims)
    assert (first.adjustment, first.claims, first.cents) == ("CO-151", 3, 1_500)
    assert "TH-NCCI-09" in [edit.id for edit in first.edits]
    assert "W_MUE_CAP" in first.findings
    assert not first.nothing_stops_it
    assert (second.adjustment, second.nothing_stops_it) == ("CO-X9", True)


def test_groups_name_only_edits_findings_and_checks_that_exist() -> None:
    """Every finding is one of the ledger's, every check one of the claim checks."""
    checks = {*TEXTS, complete.LACKING, complete.IDENTIFIER, complete.INVALID_NPI}
    known = shipped_references().findings
    for group in shipped_groups().groups:
        assert set(group.findings) <= set(known), group.key
        assert set(group.checks) <= checks, group.key


def test_groups_that_cannot_be_are_refused() -> None:
    """A code in two groups, a code with its text, and a missing last group are told by file."""
    text = (Path(__file__).parents[3] / "billing" / "claims" / "data" / "denials.toml").read_text(
        "utf-8"
    )
    for old, new, reason in (
        ('["29"]', '["29", "97"]', "97 stands in another group"),
        ('["29"]', '["29 too late"]', "bare code"),
        ('key = "other"', 'key = "odd"', "are missing"),
        ('key = "late"', 'key = "units"', "stands twice"),
    ):
        with pytest.raises(RuleError, match=reason):
            read_groups(text.replace(old, new), "denials.toml")
