"""The simulator: a practice over months of trouble ends as the plain restatement says.

In ``make promises`` 300 seeds are run, in about two minutes on two cores that do nothing else;
otherwise a few. A failure tells its seed; how to run one seed again stands in CONTRIBUTING.md.
"""

import gc
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest
from promised import Promised, in_full
from sim_host import Host
from sim_planted import PLANTED
from sim_seed import STEPS, SeedFailedError, simulate

SEEDS, FEW_SEEDS, BLOCK = 300, 6, 25


def is_full(config: pytest.Config) -> bool:
    """Whether the run proves promises in full."""
    return in_full(config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """All seeds in blocks, or a few."""
    if "seeds" not in metafunc.fixturenames:
        return
    blocks = [range(FEW_SEEDS)]
    if is_full(metafunc.config):
        blocks = [range(first, first + BLOCK) for first in range(0, SEEDS, BLOCK)]
    metafunc.parametrize("seeds", blocks, ids=[f"{one[0]} to {one[-1]}" for one in blocks])


@pytest.fixture(scope="module")
def folder(run_folder: Path) -> Path:
    """A folder for databases that come and go."""
    return Path(mkdtemp(prefix="simulation-", dir=run_folder))


@pytest.fixture(scope="module")
def host(folder: Path) -> Iterator[Host]:
    """A machine for the runs, one after the other."""
    gc.collect()
    gc.freeze()  # what pytest holds is not looked through again after each seed
    host = Host(folder)
    yield host
    host.restart()
    gc.unfreeze()


@pytest.mark.promise("R8")
def test_whatever_happens_the_ledger_ends_as_the_rules_say(
    seeds: range, host: Host, folder: Path, promised: Promised
) -> None:
    """Repeats, disorder, delays, crashes and a second closer lose, double and change nothing.

    Devices of three vendors deliver, whole and in parts, with ids and without; other content under
    the same identity is reported and overwrites nothing.
    """
    for seed in seeds:
        simulate(seed, host, folder)
    total = SEEDS if promised.full else FEW_SEEDS
    promised.reached(
        f"{total} seeds × {STEPS} steps of generic, Tenovi and Telli deliveries on SQLite: stored, "
        "reported and billed as restated"
    )


def test_a_seed_tells_the_same_story_again(host: Host, folder: Path) -> None:
    """The same seed twice gives the same steps with the same outcomes; another seed does not."""
    traces = [simulate(seed, host, folder) for seed in (3, 3, 4)]
    assert traces[0] == traces[1] != traces[2]


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_is_found(
    request: pytest.FixtureRequest,
    name: str,
    host: Host,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a bug planted on purpose a run fails and tells its seed."""
    plant, known_seed = PLANTED[name]
    plant(monkeypatch)
    tried = range(SEEDS) if is_full(request.config) else range(known_seed, known_seed + 1)
    for seed in tried:
        try:
            simulate(seed, host, folder)
        except SeedFailedError as found:
            assert f"seed {seed}" in str(found)  # noqa: PT017 - the search ends with the first
            return
    pytest.fail(f"{name}: not found in {len(tried)} seeds")
