"""The pages of the exchange: a file sent by a person, one that may have arrived, fetching."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from claims_practice import billed_practice
from conftest import FixedClock
from exchange_bench import KEY, Bench
from sqlalchemy.engine import Engine

from rpm.access import Actor
from rpm.demo.loopback.house import House
from rpm.settings import Settings
from rpm.transport.drop_folder import DropFolder
from rpm.transport.place import OutcomeUnknownError

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
IDS = {"receiver_id": "HOUSE", "receiver_name": "HOUSE", "port": None, "fingerprint": None}


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Drop folders of the test's own."""
    return settings.model_copy(update={"exchange_folder": tmp_path})


@pytest.fixture
def bench(engine: Engine, actor: Actor, clock: FixedClock, tmp_path: Path) -> Bench:
    """A practice whose claims are released, and a drop folder that took a test file."""
    practice = billed_practice(engine, actor)
    practice.release([row.id for row in practice.assemble().claims])
    clock.instant = practice.now
    bench = Bench(engine, actor, None, tmp_path)
    bench.agree(shipped="folder", password=None, **IDS)
    bench.send(bench.test_file())
    answer(bench)
    bench.fetch()
    bench.produce()
    return bench


def answer(bench: Bench) -> None:
    """The clearinghouse answers what lies in the folder."""
    house = House(lambda: datetime(2026, 2, 2, 10, 0))  # noqa: DTZ001 - its local minute
    folder = bench.folders / bench.actor.organization_id.hex / KEY
    for upload in (folder / "out").iterdir():
        for name, content in house.answer(upload.name, upload.read_bytes()).items():
            (folder / "in" / name).write_bytes(content)
        upload.unlink()


def test_a_file_is_sent_and_its_answers_fetched_by_a_person(signed_in: Any, bench: Bench) -> None:
    """From the released claims to posted answers without any command."""
    biller = signed_in("biller")
    assert "waits to be sent" in opened(biller, biller.post("/claims/files"))
    (address,) = re.findall(r'action="(/claims/files/[0-9a-f-]+/send)"', files(biller))
    assert ": sent." in opened(biller, biller.post(address))
    assert "/send" not in files(biller)
    answer(bench)
    page = biller.get("/claims/exchange").text
    assert "Nothing to look after" in page
    assert "accepted" in page
    assert "3 new files." in opened(biller, biller.post(f"/claims/exchange/{KEY}/fetch"))
    assert "paid" in biller.get("/claims?month=all").text


def test_a_file_that_may_have_arrived_is_looked_for_first(
    signed_in: Any, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no button that sends it; after a look a person settles it, and it goes again."""
    biller = signed_in("biller")
    biller.post("/claims/files")
    (address,) = re.findall(r'action="(/claims/files/[0-9a-f-]+/send)"', files(biller))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DropFolder, "send", lost)
        page = opened(biller, biller.post(address))
    assert "is not known: look for it" in page
    assert "It did not arrive" not in page
    assert "/send" not in files(biller)
    of_file = address.removesuffix("/send")
    assert "Nothing is settled" in opened(biller, biller.post(f"{of_file}/settle"))
    page = opened(biller, biller.post(f"{of_file}/look"))
    assert "not found at the clearinghouse" in page
    assert "It did not arrive" in page
    told = {"arrived": "no", "reason": "asked their desk"}
    assert "did not arrive" in opened(biller, biller.post(f"{of_file}/settle", data=told))
    assert ": sent." in opened(biller, biller.post(address))


def test_what_is_overdue_is_listed_with_its_claim(
    signed_in: Any, bench: Bench, clock: FixedClock
) -> None:
    """Without a 999 for two days each claim is work; who may only read has no buttons."""
    bench.send(bench.file())
    clock.advance(days=2)
    auditor = signed_in("auditor")
    assert "1 to look after" in auditor.get("/claims").text
    page = auditor.get("/claims/exchange").text
    assert "Answers that are overdue: 1" in page
    assert f"/claims/{bench.claim_ids[0]}" in page
    assert "file not acknowledged" in page
    assert "<button" not in page.split("<main", 1)[1]


def files(browser: Any) -> str:
    """The list of files."""
    return str(browser.get("/claims/files").text)


def opened(browser: Any, answered: Any) -> str:
    """The page that a form leads to."""
    assert answered.status_code == 303, answered.text
    return str(browser.get(answered.headers["location"]).text)


def lost(_folder: DropFolder, _name: str, _content: bytes) -> None:
    """The connection is lost on the way."""
    raise OutcomeUnknownError("lost during the transfer")
