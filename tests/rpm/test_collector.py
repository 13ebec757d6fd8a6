"""The pause of the collector of cycles."""

import gc
from collections.abc import Iterator

import pytest

from rpm.collector import without_collector


@pytest.fixture(autouse=True)
def _collector_on() -> Iterator[None]:
    gc.enable()
    yield
    gc.enable()


def test_the_search_goes_on_when_the_last_pause_ends() -> None:
    """Pauses overlap, and an exception inside ends a pause like its end."""
    with without_collector():
        with pytest.raises(KeyError), without_collector():
            raise KeyError
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_process_without_the_collector_stays_without_it() -> None:
    """A pause does not switch on what somebody switched off."""
    gc.disable()
    with without_collector():
        assert not gc.isenabled()
    assert not gc.isenabled()
