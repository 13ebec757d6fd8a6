"""Authority to practice: licenses and compacts for the patient's state on a day."""

from datetime import date

import pytest

from billing.coding.authority import (
    Compact,
    CompactMember,
    PractitionerAuthority,
    authority_gaps,
    read_compacts,
    shipped_compacts,
)
from billing.coding.sources import telehealth_sources
from billing.rules.fields import RuleError
from billing.rules.references import shipped_text

DAY = date(2026, 6, 1)
TEXAS = PractitionerAuthority("STATE_LICENSE", "TX", valid_to=date(2026, 6, 1))
COUNSELOR = PractitionerAuthority("COMPACT_PRIVILEGE", compact="CC", home_state="TX")
BOTH = [CompactMember("CC", "TX"), CompactMember("CC", "OH", date(2026, 6, 1), date(2026, 12, 1))]


def gaps(
    profession: str, state: str, *held: PractitionerAuthority, members=(), day: date = DAY
) -> list[tuple[str, str]]:
    """Edit and state of each lack."""
    return [
        (lack.edit_id, lack.state) for lack in authority_gaps(profession, state, day, held, members)
    ]


def test_a_license_counts_in_its_state_until_its_last_day() -> None:
    """A state license authorizes in its own state only, its last day included."""
    assert gaps("MD", "TX", TEXAS) == []
    assert gaps("MD", "OH", TEXAS) == [("TH-LIC-01", "OH")]
    assert gaps("MD", "TX", TEXAS, day=date(2026, 6, 2)) == [("TH-LIC-01", "TX")]
    suspended = PractitionerAuthority("STATE_LICENSE", "TX", active=False)
    assert gaps("MD", "TX", suspended) == [("TH-LIC-01", "TX")]
    later = PractitionerAuthority("TELEHEALTH_REGISTRATION", "TX", valid_from=date(2026, 6, 2))
    assert gaps("MD", "TX", later) == [("TH-LIC-01", "TX")]
    assert gaps("MD", "OH", PractitionerAuthority("FEDERAL")) == []


def test_a_compact_needs_both_states_on_the_day() -> None:
    """A privilege counts while home state and patient's state are both operative members."""
    assert gaps("LPC", "OH", COUNSELOR, members=BOTH) == []
    before = gaps("LPC", "OH", COUNSELOR, members=BOTH, day=date(2026, 5, 31))
    assert before == [("TH-LIC-01", "OH"), ("TH-LIC-04", "OH")]
    after = gaps("LPC", "OH", COUNSELOR, members=BOTH, day=date(2026, 12, 1))
    assert after == [("TH-LIC-01", "OH"), ("TH-LIC-04", "OH")]
    alone = gaps("LPC", "OH", COUNSELOR, members=[CompactMember("CC", "OH")])
    assert alone == [("TH-LIC-01", "OH"), ("TH-LIC-04", "TX")]


def test_a_compact_of_another_profession_proves_nothing() -> None:
    """The counseling compact does not authorize a psychologist."""
    assert gaps("CP", "OH", COUNSELOR, members=BOTH) == [("TH-LIC-01", "OH")]


def test_members_that_were_not_loaded_prove_nothing() -> None:
    """Without the commission's list nobody says that a state is, or is not, a member."""
    assert gaps("LPC", "OH", COUNSELOR) == [("TH-LIC-01", "OH")]


def test_the_home_state_is_that_of_a_license_where_it_is_not_told() -> None:
    """A compact row without a home state leans on the licenses that are held."""
    bare = PractitionerAuthority("COMPACT_PRIVILEGE", compact="CC")
    assert gaps("LPC", "OH", TEXAS, bare, members=BOTH) == []
    elsewhere = PractitionerAuthority("STATE_LICENSE", "CA")
    found = gaps("LPC", "OH", elsewhere, bare, members=BOTH)
    assert found == [("TH-LIC-01", "OH"), ("TH-LIC-04", "CA")]


def test_a_membership_without_any_home_state_rests_on_its_word() -> None:
    """Where neither the row nor a license tells a home state, the patient's state is judged."""
    bare = PractitionerAuthority("COMPACT_PRIVILEGE", compact="CC")
    assert gaps("LPC", "OH", bare, members=BOTH) == []
    assert ("TH-LIC-04", "NV") in gaps("LPC", "NV", bare, members=BOTH)


def test_the_medical_compact_is_no_license() -> None:
    """IMLC is a way to licenses of each state: it grants none and says so."""
    member = PractitionerAuthority("COMPACT_PRIVILEGE", compact="IMLC", home_state="TX")
    members = [CompactMember("IMLC", "TX"), CompactMember("IMLC", "OH")]
    found = gaps("MD", "OH", TEXAS, member, members=members)
    assert found == [("TH-LIC-01", "OH"), ("TH-LIC-02", "OH")]
    ohio = PractitionerAuthority("STATE_LICENSE", "OH")
    assert gaps("MD", "OH", ohio, member, members=members) == []


def test_a_compact_that_has_not_started_grants_nothing() -> None:
    """The nurses' advanced-practice compact is read as not operative."""
    nurse = PractitionerAuthority("MULTISTATE_LICENSE", compact="APRN", home_state="TX")
    members = [CompactMember("APRN", "TX"), CompactMember("APRN", "OH")]
    assert gaps("NP", "OH", nurse, members=members) == [("TH-LIC-01", "OH"), ("TH-LIC-04", "OH")]


def test_every_compact_is_shipped_with_its_source() -> None:
    """The eleven compacts of the reference are there, and no list of members is."""
    found = shipped_compacts()
    assert len(found) == 11
    assert all(isinstance(one, Compact) and one.source.ids for one in found.values())


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        ('grants = "multistate"', 'grants = "everything"', "not a known word"),
        ('compact = "NLC"', 'compact = "IMLC"', "stands twice"),
        ('source = ["S75"]', 'source = ["S000"]', "not in the list"),
        ("operative = true", "", "is missing"),
    ],
)
def test_a_table_of_compacts_is_refused(was: str, becomes: str, says: str) -> None:
    """What the table may not say is refused with the reason."""
    text = shipped_text("telehealth/compacts.toml")
    assert was in text
    with pytest.raises(RuleError, match=says):
        read_compacts(text.replace(was, becomes, 1), "compacts.toml", telehealth_sources())
