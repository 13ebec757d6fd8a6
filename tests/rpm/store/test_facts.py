"""Facts from the store: the right row counts, now and as known before, on both engines."""

from datetime import date, timedelta
from random import Random

import pytest
from ledger_practice import OPENED, Practice, days
from sqlalchemy.engine import Engine

from billing.days import FAR_DAY, NO_DAY, day_number
from billing.ledger.facts import GATES, KINDS, REFUSED
from billing.rules.book import shipped_book
from rpm.access import Actor
from rpm.clock import Clock
from rpm.store.chain import chain_head
from rpm.store.engine import reading, transaction
from rpm.store.fact_rows import FactReader, as_uuid
from rpm.store.facts import LoadedFacts, facts_of
from rpm.store.overlaps import overlapping_parts
from rpm.store.selection import PatientRange, partitions
from rpm.store.tables.monitoring import ConsentEnd, EpisodeEnd, EpisodeSetup
from rpm.store.tables.people import CoverageEnd


@pytest.fixture
def practice(engine: Engine, actor: Actor, clock: Clock) -> Practice:
    """The records of the organization of ``actor``."""
    return Practice(engine, actor, clock.now())


def load(practice: Practice, **options: object) -> LoadedFacts:
    """The facts of the practice as they are now, or as the options say."""
    with reading(practice.engine) as db:
        return facts_of(db, practice.actor.organization_id, shipped_book(), **options)  # type: ignore[arg-type]  # options are the function's own


def head(practice: Practice) -> int:
    """The number of the last audit event."""
    with reading(practice.engine) as db:
        return chain_head(db, practice.actor.organization_id).number


def test_a_patient_with_papers_days_and_minutes_becomes_six_frames(practice: Practice) -> None:
    """Every fact of a patient arrives in its frame with the right day numbers and words."""
    patient_id, episode_id = practice.enrolled()
    practice.readings(patient_id, episode_id, days(date(2025, 11, 3), 2))
    entry = practice.entry(patient_id, episode_id, date(2025, 11, 4), 600)
    practice.service(patient_id, "99490", date(2025, 11, 30), own=False)
    loaded = load(practice)
    facts = loaded.facts
    assert loaded.patient_ids == (patient_id,)
    assert loaded.episode_ids == (episode_id,)
    assert loaded.entry_id(0) == entry.id
    assert facts.episodes["opened_day"].tolist() == [day_number(OPENED)]
    assert facts.episodes["closed_day"].tolist() == [FAR_DAY]
    assert facts.device_days["day"].tolist() == [
        day_number(date(2025, 11, 3)),
        day_number(date(2025, 11, 4)),
    ]
    assert facts.device_days["qualifying_count"].tolist() == [1, 1]
    assert facts.device_days["first_received_day"].tolist() == facts.device_days["day"].tolist()
    assert facts.entries["seconds"].tolist() == [600]
    assert {GATES[gate] for gate in facts.gates["gate"]} == {"consent", "order", "established"}
    assert facts.payers == ("MEDICARE_B",)
    assert facts.codes == ("99490",)
    assert facts.others["own"].tolist() == [False]
    assert facts.profiles[0].name == "P0"


def test_the_latest_end_and_set_up_count(practice: Practice) -> None:
    """Of several ends and set-ups of an episode the one recorded last holds; null reopens."""
    _, episode_id = practice.enrolled(setup_day=None)
    assert load(practice).facts.episodes["setup_day"].tolist() == [NO_DAY]
    practice.record(
        EpisodeSetup(episode_id=episode_id, setup_day=date(2025, 11, 5), trained_by="R N"),
        EpisodeEnd(episode_id=episode_id, last_day=date(2025, 12, 1), end_reason="goals_met"),
    )
    practice.record(
        EpisodeSetup(episode_id=episode_id, setup_day=date(2025, 11, 4), trained_by="R N"),
        EpisodeEnd(episode_id=episode_id, last_day=date(2025, 12, 9), end_reason="death"),
    )
    episodes = load(practice).facts.episodes
    assert episodes["setup_day"].tolist() == [day_number(date(2025, 11, 4))]
    assert episodes["closed_day"].tolist() == [day_number(date(2025, 12, 9))]
    practice.record(EpisodeEnd(episode_id=episode_id, last_day=None, end_reason=""))
    assert load(practice).facts.episodes["closed_day"].tolist() == [FAR_DAY]


def test_consents_and_coverages_end_on_the_day_recorded_last(
    practice: Practice, engine: Engine
) -> None:
    """The last recorded end of a consent and of a coverage is its last day."""
    practice.enrolled()
    with reading(engine) as db:
        consent_id = db.connection().exec_driver_sql("SELECT id FROM consent").scalar_one()
        coverage_id = db.connection().exec_driver_sql("SELECT id FROM coverage").scalar_one()
    for last in (date(2025, 12, 1), date(2025, 12, 5)):
        practice.record(
            ConsentEnd(consent_id=as_uuid(consent_id), last_day=last, reason="withdrawn"),
            CoverageEnd(coverage_id=as_uuid(coverage_id), last_day=last, reason="moved"),
        )
    facts = load(practice).facts
    consent = facts.gates[facts.gates["gate"] == GATES.index("consent")]
    assert consent["to_day"].tolist() == [day_number(date(2025, 12, 5))]
    assert facts.coverages["to_day"].tolist() == [day_number(date(2025, 12, 5))]


def test_an_excluded_reading_lowers_the_day_and_stays_visible(practice: Practice) -> None:
    """An excluded reading stands as refused with its word."""
    patient_id, episode_id = practice.enrolled()
    (only,) = practice.readings(patient_id, episode_id, [date(2025, 11, 3)])
    practice.exclude(only)
    rows = load(practice).facts.device_days
    assert rows["qualifying_count"].tolist() == [0]
    assert [REFUSED[word] for word in rows["refused_reason"]] == ["excluded"]


@pytest.mark.parametrize(("setting", "counted"), [(None, 0), (True, 1), (False, 0)])
def test_cgm_days_count_only_where_the_practice_says_so(
    practice: Practice, setting: bool | None, counted: int
) -> None:
    """Readings of a glucose sensor are refused unless the practice chose to count them."""
    patient_id, episode_id = practice.enrolled()
    practice.readings(patient_id, episode_id, [date(2025, 11, 3)], kind="cgm")
    if setting is not None:
        practice.setting("count_cgm_days", setting)
    rows = load(practice).facts.device_days
    assert [KINDS[kind] for kind in rows["kind"]] == ["cgm"]
    assert rows["qualifying_count"].tolist() == [counted]
    assert rows["refused_count"].tolist() == [1 - counted]


def test_profile_of_the_episode_goes_before_that_of_the_practice(practice: Practice) -> None:
    """The practice's latest profile holds for episodes that name none."""
    practice.setting("profile", "THRESHOLD")
    practice.setting("profile", "NGS")
    practice.enrolled()
    practice.enrolled(profile="P0")
    facts = load(practice).facts
    names = [facts.profiles[row].name for row in facts.episodes["profile"]]
    assert names == ["NGS", "P0"]


def test_a_reversal_points_at_its_entry_and_a_reversed_service_is_gone(practice: Practice) -> None:
    """Entries keep both rows for the ledger to cancel; services that are reversed are left out."""
    patient_id, episode_id = practice.enrolled()
    entry = practice.entry(patient_id, episode_id, date(2025, 11, 4), 600)
    practice.reverse(entry)
    service = practice.service(patient_id, "99490", date(2025, 11, 30), own=True)
    practice.service(
        patient_id, "99490", date(2025, 11, 30), own=True, reverses_id=service.id, reason="typo"
    )
    facts = load(practice).facts
    assert facts.entries["reverses"].tolist() == [-1, 0]
    assert facts.entries["seconds"].tolist() == [600, -600]
    assert facts.others.empty


def test_work_without_an_episode_goes_to_the_one_open_that_day(practice: Practice) -> None:
    """Care management logged on the patient alone takes minutes from the episode of its day."""
    patient_id, first = practice.enrolled()
    second = practice.episode(patient_id, opened_day=date(2026, 1, 10), previous_id=first)
    practice.entry(patient_id, None, date(2025, 12, 1), 300, work="CCM")
    practice.entry(patient_id, None, date(2026, 1, 12), 300, work="CCM")
    loaded = load(practice)
    rows = loaded.facts.entries["episode"].tolist()
    assert [loaded.episode_ids[row] for row in rows] == [first, second]
    assert loaded.facts.episodes["previous"].tolist() == [-1, 0]


def test_known_before_is_what_was_loaded_then(practice: Practice) -> None:
    """Facts up to an audit number are the facts that were loaded when it was the last one."""
    patient_id, episode_id = practice.enrolled()
    rows = practice.readings(patient_id, episode_id, days(date(2025, 11, 3), 3))
    then, number = load(practice), head(practice)
    practice.exclude(rows[0])
    practice.readings(patient_id, episode_id, [date(2025, 11, 9)])
    practice.entry(patient_id, episode_id, date(2025, 11, 4), 600)
    practice.setting("profile", "NGS")
    practice.enrolled()
    assert_same(load(practice, until_audit_number=number), then)
    assert_same(load(practice, until_audit_number=head(practice)), load(practice))


def test_another_organization_is_never_loaded(practice: Practice, engine: Engine) -> None:
    """Facts of one organization hold no patient of another."""
    other = Practice.opened(engine, practice.now)
    other.enrolled()
    mine, _ = practice.enrolled()
    assert load(practice).patient_ids == (mine,)


def test_partitions_cover_every_enrolled_patient_once(practice: Practice, engine: Engine) -> None:
    """Runs of patients are of the asked size and together hold each patient with an episode."""
    enrolled = [practice.enrolled()[0] for _ in range(5)]
    practice.patient()
    with reading(engine) as db:
        parts = list(partitions(db, practice.actor.organization_id, 2))
    assert len(parts) == 3
    found = [one for part in parts for one in load(practice, patients=part).patient_ids]
    assert found == sorted(enrolled)
    one = PatientRange(enrolled[3], enrolled[3])
    assert load(practice, patients=one).patient_ids == (enrolled[3],)
    assert set(load(practice, patients=enrolled[:2]).patient_ids) == set(enrolled[:2])
    with transaction(engine) as db, pytest.raises(ValueError, match="at least one"):
        next(partitions(db, practice.actor.organization_id, 0))


def assert_same(left: LoadedFacts, right: LoadedFacts) -> None:
    """Both hold the same rows, whatever their order."""
    assert left.patient_ids == right.patient_ids
    assert left.episode_ids == right.episode_ids
    for name in ("episodes", "device_days", "entries", "gates", "coverages", "others"):
        one, other = getattr(left.facts, name), getattr(right.facts, name)
        columns = list(one.columns)
        assert sorted(one[columns].to_numpy().tolist()) == sorted(
            other[columns].to_numpy().tolist()
        ), name
    assert left.facts.profiles == right.facts.profiles


def test_a_minute_shared_by_two_patients_stays_with_the_entry_recorded_first(
    practice: Practice,
) -> None:
    """One person's overlapping work on two patients counts once, whichever patients are loaded."""
    one, first = practice.enrolled()
    two, second = practice.enrolled()
    practice.entry(one, first, date(2025, 11, 4), 600)
    practice.entry(two, second, date(2025, 11, 4), 900)
    everyone = load(practice).facts.entries
    assert everyone["seconds"].sum() == 900
    assert everyone["shared"].all()
    alone = load(practice, patients=[two]).facts.entries
    assert alone["seconds"].tolist() == [300]
    assert load(practice, patients=[one]).facts.entries["seconds"].tolist() == [600]


def test_work_that_another_entry_takes_whole_is_left_out(practice: Practice) -> None:
    """An entry inside one recorded earlier on another patient has no seconds left."""
    one, first = practice.enrolled()
    two, second = practice.enrolled()
    practice.entry(one, first, date(2025, 11, 4), 600)
    practice.entry(two, second, date(2025, 11, 4), 300, start_second=12 * 3600 + 60)
    assert load(practice, patients=[two]).facts.entries.empty
    with reading(practice.engine) as db:
        reader = FactReader(db, practice.actor.organization_id)
        shared = overlapping_parts(reader)
    assert load(practice, patients=[two], shared=shared).facts.entries.empty


@pytest.mark.parametrize("seed", range(6))
def test_the_projection_and_the_chain_of_facts_never_disagree(
    practice: Practice, seed: int
) -> None:
    """After any mix of facts, loading now equals loading as known at the last audit number."""
    dice = Random(seed)
    enrolled = [practice.enrolled() for _ in range(2)]
    kept = []
    for _ in range(12):
        patient_id, episode_id = dice.choice(enrolled)
        day = OPENED + timedelta(days=dice.randrange(40))
        step = dice.randrange(5)
        if step == 0 and kept:
            practice.exclude(dice.choice(kept))
        elif step == 1:
            practice.entry(patient_id, episode_id, day, dice.randrange(60, 900))
        elif step == 2:
            refused = {"countable": False, "refused_reason": "manual_entry"}
            practice.readings(patient_id, episode_id, [day], **refused)
        else:
            kept += practice.readings(patient_id, episode_id, [day] * dice.randrange(1, 3))
    assert_same(load(practice, until_audit_number=head(practice)), load(practice))
