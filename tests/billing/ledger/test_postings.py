"""The journal: what a close adds so that live postings equal the events."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.ledger.postings import Billed, Change, JournalLine, live, reconcile

EVENTS = st.dictionaries(
    st.sampled_from(["99453 a", "99454 a", "99457 p", "99458 p"]),
    st.tuples(st.integers(1, 3), st.integers(20_000, 20_003), st.sampled_from(["B", "C"])),
)
HISTORIES = st.lists(EVENTS, min_size=1, max_size=6)
LAW = settings(max_examples=300, deadline=None, print_blob=True)


def billed(wanted: dict[str, tuple[int, int, str]]) -> list[Billed]:
    """Events by key."""
    return [Billed(key, *rest) for key, rest in wanted.items()]


def close(events: list[Billed], journal: list[JournalLine]) -> list[JournalLine]:
    """The journal with what a close adds to it."""
    new = reconcile(events, journal)
    return [*journal, *(JournalLine(p.billed, p.ordinal, p.sign) for p in new)]


@LAW
@given(HISTORIES)
def test_live_postings_equal_the_events(
    history: list[dict[str, tuple[int, int, str]]],
) -> None:
    """After every close the postings that stand are the events, and a second close adds none."""
    journal: list[JournalLine] = []
    for wanted in history:
        journal = close(billed(wanted), journal)
        assert {line.billed for line in live(journal).values()} == set(billed(wanted))
        assert reconcile(billed(wanted), journal) == []


@LAW
@given(HISTORIES)
def test_the_journal_only_grows(history: list[dict[str, tuple[int, int, str]]]) -> None:
    """Nothing posted is changed; each (key, ordinal, sign) is posted once; issues count up."""
    journal: list[JournalLine] = []
    for wanted in history:
        grown = close(billed(wanted), journal)
        assert grown[: len(journal)] == journal
        journal = grown
    keys = [(line.billed.key, line.ordinal, line.sign) for line in journal]
    assert len(set(keys)) == len(keys)
    for key in {line.billed.key for line in journal}:
        ordinals = [line.ordinal for line in journal if line.billed.key == key and line.sign > 0]
        assert ordinals == list(range(1, len(ordinals) + 1))


@LAW
@given(HISTORIES)
def test_a_reversal_copies_its_issue(history: list[dict[str, tuple[int, int, str]]]) -> None:
    """Every reversal carries units, day and payer of the issue it takes back, after it."""
    journal: list[JournalLine] = []
    for wanted in history:
        journal = close(billed(wanted), journal)
    for at, line in enumerate(journal):
        if line.sign < 0:
            assert JournalLine(line.billed, line.ordinal, 1) in journal[:at]


@LAW
@given(EVENTS, EVENTS)
def test_a_change_is_named(
    before: dict[str, tuple[int, int, str]], after: dict[str, tuple[int, int, str]]
) -> None:
    """New, withdrawn and changed events are posted as such, and an unchanged one not at all."""
    journal = close(billed(before), [])
    posted = {(p.billed.key, p.sign): p.change for p in reconcile(billed(after), journal)}
    for key in before.keys() | after.keys():
        was, will_be = before.get(key), after.get(key)
        assert posted.get((key, 1)) == (
            None if will_be in (None, was) else Change.CHANGED if was else Change.NEW
        )
        assert posted.get((key, -1)) == (
            None if was in (None, will_be) else Change.CHANGED if will_be else Change.WITHDRAWN
        )


def test_a_broken_journal_is_refused() -> None:
    """Two standing issues of a key, a reversal without issue, and doubled events are refused."""
    one = Billed("99454 a", 1, 20_000, "B")
    twice = [JournalLine(one, 1, 1), JournalLine(one, 2, 1)]
    with pytest.raises(ValueError, match="two issues"):
        live(twice)
    with pytest.raises(ValueError, match="without its issue"):
        live([JournalLine(one, 1, -1)])
    with pytest.raises(ValueError, match="share a key"):
        reconcile([one, one], [])
    with pytest.raises(ValueError, match="two issues"):
        reconcile([], twice)
