"""The story as values: complete, in order, always the same, and nobody in two places by mistake."""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from billing.codes import npi_is_valid
from billing.rules.book import shipped_book
from rpm.demo.enrollment import opening
from rpm.demo.named import NAMED
from rpm.demo.people import PATIENTS, people
from rpm.demo.practice import DOCTOR, GATEWAYS, LAST_DAY, NPI, PAYERS, START, evening
from rpm.demo.steps import Call, CloseOf, Post, Step
from rpm.demo.story import story

SECRETS = {one.key: "whsec_dGhlIHNhbWUgc2VjcmV0IGluIGV2ZXJ5IHRlc3Q=" for one in GATEWAYS}
NAME = re.compile(r"@([a-z]+:[\w:.-]+)")
MEANT = {"CG-0022", "CG-0023", "CG-0024"}
"""Patients whose story is that somebody worked at two places, or two people at one."""


@pytest.fixture(scope="module")
def whole() -> list[Step]:
    """The whole story."""
    return story(PATIENTS, SECRETS)


def names_in(value: Any) -> Iterator[str]:
    """Names of earlier steps that a path or body stands on."""
    if isinstance(value, str):
        yield from NAME.findall(value)
    elif isinstance(value, dict):
        for part in value.values():
            yield from names_in(part)


def entries(steps: list[Step]) -> Iterator[tuple[str, str, datetime, datetime]]:
    """Worker, patient, beginning and end of every timed entry."""
    for step in steps:
        if isinstance(step, Call) and step.path == "/v1/entries":
            began = datetime.fromisoformat(step.body["started_at"])
            ended = began + timedelta(seconds=step.body["duration_seconds"])
            yield step.by, step.body["patient_id"], began, ended


def test_sixty_patients_each_once() -> None:
    """There are 60 patients; record numbers and names are theirs alone."""
    cast = people()
    assert len(cast) == PATIENTS == 60
    assert len({person.key for person in cast}) == 60
    assert cast[: len(NAMED)] == NAMED
    assert len({person.shows for person in NAMED}) == len(NAMED)


def test_numbers_have_the_right_shape_and_payers_have_rules() -> None:
    """NPIs have their check digit, and every payer of a patient is one of the rule book."""
    assert npi_is_valid(NPI)
    assert npi_is_valid(DOCTOR.npi or "")
    assert set(PAYERS) <= set(shipped_book().payers)
    assert {person.payer for person in people()} == set(PAYERS)


def test_the_same_story_every_time(whole: list[Step]) -> None:
    """The same patients and secrets give the same steps, signatures included."""
    assert story(PATIENTS, SECRETS) == whole


def test_steps_stand_in_order_between_opening_and_end(whole: list[Step]) -> None:
    """No step comes before one that was earlier, before the opening, or without end."""
    times = [step.at for step in whole]
    assert times == sorted(times)
    assert times[0] > START
    assert sum(when > evening(LAST_DAY) for when in times) < len(times) / 100


@pytest.mark.parametrize("patients", [2, 5, 20, PATIENTS])
def test_every_name_was_given_by_an_earlier_step(patients: int) -> None:
    """Whatever a call names was made before, however many patients there are."""
    known = {"token:admin"}
    for step in [*opening(), *story(patients, SECRETS)]:
        if isinstance(step, Post):
            known |= {f"reading:{one}" for one in step.keeps}
        if isinstance(step, Call):
            assert set(names_in(step.path)) | set(names_in(dict(step.body))) <= known
            assert f"token:{step.by}" in known
            known.add(step.keep or "")


def test_nobody_works_at_two_places_unless_the_story_says_so(whole: list[Step]) -> None:
    """A worker's entries do not overlap, but for the patients who are there to show it."""
    of_worker = defaultdict(list)
    for worker, patient, began, ended in entries(whole):
        if patient.removeprefix("@patient:") not in MEANT:
            of_worker[worker].append((began, ended))
    assert len(of_worker) == 4
    for spans in of_worker.values():
        spans.sort()
        assert all(ended <= began for (_, ended), (began, _) in pairwise(spans))


def test_an_entry_is_posted_when_it_is_over(whole: list[Step]) -> None:
    """The service refuses work that is not over: no entry is posted before its end."""
    posted = [step.at for step in whole if isinstance(step, Call) and step.path == "/v1/entries"]
    assert all(when >= ended for when, (*_, ended) in zip(posted, entries(whole), strict=True))


def test_every_month_is_closed_once(whole: list[Step]) -> None:
    """From November on each month is closed once, after its end."""
    closes = [step for step in whole if isinstance(step, CloseOf)]
    months = [step.month_start_day for step in closes]
    assert [f"{month:%Y-%m}" for month in months[:4]] == [
        "2025-11",
        "2025-12",
        "2026-01",
        "2026-02",
    ]
    assert len(set(months)) == len(months)
    assert all(step.at.date() > step.month_start_day + timedelta(days=27) for step in closes)


def test_deliveries_come_single_and_in_batches_and_go_wrong(whole: list[Step]) -> None:
    """A good share of deliveries holds one reading; one is forged, one unreadable, one repeated."""
    posts = [step for step in whole if isinstance(step, Post) and step.at <= evening(LAST_DAY)]
    single = [step for step in posts if step.gateway not in {"hub", "cellular"}]
    assert 0.2 < len(single) / len(posts) < 0.8
    assert sorted(step.expects for step in posts if step.expects != 200) == [202, 401]
    ids = [step.headers["webhook-id"] for step in posts if step.gateway == "hub"]
    assert len(ids) - len(set(ids)) == 1


def test_some_patients_have_devices_of_vendors(whole: list[Step]) -> None:
    """Every gateway delivers, each with its vendor's proof, and pressures and pulses come apart."""
    posts = [step for step in whole if isinstance(step, Post)]
    assert {step.gateway for step in posts} == {one.key for one in GATEWAYS}
    proofs = {"tenovi": "x-tenovi-key", "telli": "x-api-key", "mio": "X-MIO-KEY"}
    proofs["bodytrace"] = "authorization"
    for step in posts:
        assert proofs.get(step.gateway, "webhook-signature") in step.headers
    parts = [step.body for step in posts if step.gateway == "tenovi"]
    assert sum(b'"blood_pressure"' in body for body in parts) > 50
    assert sum(b'"pulse"' in body for body in parts) > 50
