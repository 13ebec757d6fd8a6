"""The exchange with a clearinghouse: sent once, fetched once, whatever breaks on the way."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest
from claims_made import pyx12_verdict
from claims_practice import billed_practice
from conftest import make_organization, settings_for
from exchange_bench import KEY, PASSWORD, Bench, Hour, key_ring
from sqlalchemy.engine import Engine
from sqlmodel import col

from billing.claims.sending import LONGEST_SENDING, Step
from billing.claims.x12.kind import kind_of
from rpm import claim_exchange
from rpm.access import Actor
from rpm.actions.manage_clearinghouse import (
    RetireClearinghouse,
    retire_clearinghouse,
    secret_of,
)
from rpm.actions.overdue_answers import ExchangeWork, exchange_work
from rpm.actions.send_claim_file import DecideSending, decide_sending
from rpm.actions.try_clearinghouse import make_test_file
from rpm.actions.write_claim_file import DiscardFile, discard_claim_file
from rpm.claim_exchange import HELD_FOR, fetch_files, look_for_file
from rpm.demo.loopback.house import House
from rpm.demo.loopback.server import ARCHIVE, IN, OUT, Listening, listening
from rpm.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from rpm.store.engine import make_engine, reading, transaction
from rpm.store.queries.claims import events_of
from rpm.store.queries.clearinghouses import (
    clearinghouse_key,
    hold_clearinghouse,
    state_of,
)
from rpm.store.tables.claims import ClaimFile


class Trouble:
    """Something that happens at one moment of the server, once."""

    def __init__(self) -> None:
        self.at = ""
        self.happens: Callable[[Any], None] = lambda connection: connection.abort()

    def __call__(self, what: str, connection: Any) -> None:
        """Let it happen, if now is the moment."""
        if what == self.at:
            self.at = ""
            self.happens(connection)


class Ready(NamedTuple):
    """A practice, and its file that waits."""

    bench: Bench
    file_id: UUID


class KilledError(BaseException):
    """Stands for the end of the process: nothing catches it."""


@pytest.fixture(scope="module")
def trouble() -> Trouble:
    """No trouble until it is set."""
    return Trouble()


@pytest.fixture(scope="module")
def shared(
    tmp_path_factory: pytest.TempPathFactory, trouble: Trouble
) -> Iterator[tuple[Listening, House]]:
    """One server for all tests of this module."""
    house = House(lambda: Hour().now().replace(tzinfo=None))
    root = tmp_path_factory.mktemp("house")
    with listening(
        root, lambda name, content: house.answer(name, content), password=PASSWORD, moment=trouble
    ) as one:
        yield one, house


@pytest.fixture
def server(shared: tuple[Listening, House], trouble: Trouble) -> Listening:
    """The server with empty folders and a payer that remembers nothing."""
    trouble.at = ""
    return emptied(*shared)


def emptied(server: Listening, house: House) -> Listening:
    """The server once it answered everything, and nothing of that is left."""
    server.settle()
    house.__post_init__()
    for part in (OUT, IN, ARCHIVE):
        for file in (server.root / part).iterdir():
            file.unlink()
    return server


@pytest.fixture(scope="module")
def released(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Actor]:
    """A database whose claims of January are released, to be copied."""
    path = tmp_path_factory.mktemp("released") / "released.db"
    shutil.copyfile(sqlite_template, path)
    engine = make_engine(settings_for(f"sqlite:///{path}"))
    actor = released_month(engine)
    engine.dispose()
    return path, actor


def released_month(engine: Engine, residents: int = 8) -> Actor:
    """A practice with released claims of January; its administrator."""
    actor = make_organization(engine, Hour().now())
    practice = billed_practice(engine, actor, range(1, residents + 1))
    claim_ids = [row.id for row in practice.assemble().claims]
    assert sorted(practice.release(claim_ids).done) == sorted(claim_ids)
    return actor


@pytest.fixture
def bench(released: tuple[Path, Actor], server: Listening, tmp_path: Path) -> Iterator[Bench]:
    """A practice of its own for each test, on SQLite."""
    path, actor = released
    shutil.copyfile(path, tmp_path / "test.db")
    engine = make_engine(settings_for(f"sqlite:///{tmp_path / 'test.db'}"))
    yield Bench(engine, actor, server, tmp_path / "folders")
    engine.dispose()


@pytest.fixture(scope="module")
def written(
    released: tuple[Path, Actor],
    shared: tuple[Listening, House],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, UUID]:
    """The same after a test file was accepted and a file of all claims was written."""
    path = tmp_path_factory.mktemp("written") / "written.db"
    shutil.copyfile(released[0], path)
    engine = make_engine(settings_for(f"sqlite:///{path}"))
    bench = Bench(engine, released[1], emptied(*shared), path.parent)
    bench.tried()
    file_id = bench.file()
    engine.dispose()
    return path, file_id


@pytest.fixture
def ready(
    written: tuple[Path, UUID], released: tuple[Path, Actor], server: Listening, tmp_path: Path
) -> Iterator[Ready]:
    """A practice whose file of claims waits to be sent."""
    shutil.copyfile(written[0], tmp_path / "test.db")
    engine = make_engine(settings_for(f"sqlite:///{tmp_path / 'test.db'}"))
    yield Ready(Bench(engine, released[1], server, tmp_path / "folders"), written[1])
    engine.dispose()


def test_claims_go_out_and_their_answers_come_in(
    engine: Engine, server: Listening, tmp_path: Path
) -> None:
    """Tried, sent, answered: every claim is sent once, and each answer is stored once, by key."""
    bench = Bench(engine, released_month(engine, 2), server, tmp_path)
    bench.tried()
    file_id = bench.file()
    assert bench.send(file_id).step == Step.SENT
    assert bench.statuses() == {"sent"}
    with pytest.raises(Conflict, match="was sent"):
        bench.send(file_id)
    server.settle()
    assert bench.fetch().problems == []
    assert {(one.kind, one.source) for one in bench.received()} == {
        ("999", KEY),
        ("277CA", KEY),
        ("835", KEY),
    }
    assert bench.fetch().new == []
    assert len(bench.uploads()) == 2


def test_a_test_file_is_sound_and_marked(bench: Bench, tmp_path: Path) -> None:
    """Its one claim is made up and marked as a test, and other validators take it."""
    bench.agree()
    with transaction(bench.engine) as db:
        file = make_test_file(db, bench.actor, bench.clock.now(), KEY)
    valid, told = pyx12_verdict(file.content, tmp_path)
    assert valid, told
    assert (file.usage, file.claim_count) == ("T", 1)
    assert b"*0*T*:~" in file.content


def test_nothing_is_sent_for_production_before_a_test_was_accepted(bench: Bench) -> None:
    """Not without a test, nor with one that is not answered, nor after the place changed."""
    bench.agree(usage="P")
    file_id = bench.file()
    refused = pytest.raises(Conflict, match="until a test file was accepted")
    with refused:
        bench.send(file_id)
    bench.send(bench.test_file())
    with refused:
        bench.send(file_id)
    bench.house.settle()
    bench.fetch()
    bench.agree(usage="P", sender_id="OTHERID")
    with refused:
        bench.send(file_id)
    bench.agree(usage="P", claim_acknowledgment_days=5)
    assert bench.send(file_id).step == Step.SENT
    assert bench.statuses() == {"sent"}


def test_a_file_that_says_test_carries_no_claims(ready: Ready) -> None:
    """Claims leave in files for production only, under an agreement for production."""
    bench, file_id = ready
    bench.agree(usage="T")
    with pytest.raises(Conflict, match="marked as a test"):
        bench.send(file_id)
    assert bench.statuses() == {"written"}


def test_a_discarded_file_stays(ready: Ready) -> None:
    """Its claims go out in another file, and never in this one."""
    bench, file_id = ready
    with transaction(bench.engine) as db:
        command = DiscardFile(file_id=file_id, reason="one more claim")
        discard_claim_file(db, bench.actor, bench.clock.now(), command)
    anew = bench.file()
    with pytest.raises(Conflict, match="was discarded"):
        bench.send(file_id)
    assert bench.steps(file_id) == []
    assert bench.send(anew).step == Step.SENT


def test_nobody_reached_means_nothing_sent_and_another_try(ready: Ready) -> None:
    """Where no connection comes about, that is recorded, and the file waits to be sent again."""
    bench, file_id = ready
    bench.agree(usage="P", fingerprint="SHA256:" + "B" * 43)
    with pytest.raises(Conflict):  # the place changed: it has to be tried anew
        bench.send(file_id)
    bench.agree(usage="P")
    bench.agree(usage="P", password="another-password-altogether")
    assert bench.send(file_id).step == Step.NOT_SENT
    assert bench.statuses() == {"written"}
    bench.agree(usage="P")
    assert bench.send(file_id).step == Step.SENT
    assert bench.steps(file_id) == ["begun", "not-sent", "begun", "sent"]


@pytest.mark.parametrize(("moment", "lies_there"), [("write", False), ("renamed", True)])
def test_a_lost_connection_is_shown_looked_into_and_decided(
    ready: Ready, trouble: Trouble, moment: str, lies_there: bool
) -> None:
    """Unknown: nothing repeats it. A look finds it by name and size, or a person decides."""
    bench, file_id = ready
    trouble.at = moment
    assert bench.send(file_id).step == Step.UNKNOWN
    assert bench.statuses() == {"written"}
    with pytest.raises(Conflict, match="look for it"):
        bench.send(file_id)
    not_there = DecideSending(file_id=file_id, arrived=False, reason="not there")
    with transaction(bench.engine) as db, pytest.raises(Conflict, match="nobody looked"):
        decide_sending(db, bench.actor, bench.clock.now(), not_there)
    looked = look_for_file(bench.exchange, bench.actor, file_id)
    if lies_there:
        assert looked.step == Step.FOUND
    else:
        assert looked.step == Step.NOT_FOUND
        with pytest.raises(Conflict):
            bench.send(file_id)
        with transaction(bench.engine) as db:
            decide_sending(db, bench.actor, bench.clock.now(), not_there)
        assert bench.send(file_id).step == Step.SENT
    assert bench.statuses() == {"sent"}
    sent = [name for name in bench.uploads() if not name.endswith(".part")]
    assert len(sent) == 1
    with pytest.raises(Conflict, match="was sent"):
        bench.send(file_id)


@pytest.mark.parametrize("moment", ["open", "write", "rename", "renamed", "recording"])
def test_whoever_dies_on_the_way_leaves_an_unknown_outcome(
    ready: Ready, trouble: Trouble, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Killed at any step after the beginning: never sent again by itself, and never twice."""
    bench, file_id = ready
    with pytest.MonkeyPatch.context() as patch:
        if moment == "recording":
            patch.setattr(claim_exchange, "end_sending", _dies)
        else:
            patch.setattr("rpm.transport.sftp.Sftp.send", dying_send(trouble, moment))
        with pytest.raises(KilledError):
            bench.send(file_id)
    assert bench.steps(file_id) == ["begun"]
    with pytest.raises(Conflict, match="being sent"):
        bench.send(file_id)
    bench.clock.advance(seconds=LONGEST_SENDING.total_seconds())
    with pytest.raises(Conflict, match="not known"):
        bench.send(file_id)
    look_for_file(bench.exchange, bench.actor, file_id)
    there = [name for name in bench.uploads() if not name.endswith(".part")]
    assert (bench.statuses() == {"sent"}) is (len(there) == 1)


def dying_send(trouble: Trouble, moment: str) -> Callable[..., None]:
    """A send whose process ends at a moment."""
    from rpm.transport.sftp import Sftp

    whole = Sftp.send

    def send(self: Sftp, name: str, content: bytes) -> None:
        trouble.at = moment
        try:
            whole(self, name, content)
        except Exception as error:
            raise KilledError from error

    return send


def _dies(*_arguments: object) -> None:
    raise KilledError


def test_a_file_is_put_away_only_after_it_was_stored(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who dies before the commit leaves the file there; who dies after it finds it known."""
    bench.agree()
    bench.put("a.999", b"first")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claim_exchange, "take_received_file", _dies)
        with pytest.raises(KilledError):
            bench.fetch()
    assert bench.received() == []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rpm.transport.sftp.Sftp.archive", _dies)
        with pytest.raises(KilledError):
            bench.fetch()
    assert [one.content for one in bench.received()] == [b"first"]
    again = bench.fetch()
    assert (again.new, again.known, again.problems) == ([], 1, [])
    assert len(bench.received()) == 1
    assert [file.name for file in (bench.house.root / ARCHIVE).iterdir()] == ["a.999"]


def test_one_fetches_at_a_time(bench: Bench) -> None:
    """While one is at it another does nothing; who died is waited for, and then replaced."""
    bench.agree()
    bench.put("a.txt", b"x")
    now = bench.clock.now()
    with transaction(bench.engine) as db:
        assert hold_clearinghouse(db, bench.scope, KEY, uuid4(), now, now + HELD_FOR, at_once=False)
    assert bench.fetch().held
    assert bench.received() == []
    bench.clock.advance(seconds=HELD_FOR.total_seconds())
    assert len(bench.fetch().new) == 1


def test_failures_give_the_clearinghouse_a_rest(bench: Bench) -> None:
    """After a refused sign-in the job waits longer and longer; a person may try at once."""
    bench.agree(password="another-password-altogether")
    assert "sign-in" in bench.fetch().problems[0]
    assert fetch_files(bench.exchange, bench.actor, KEY).held
    with reading(bench.engine) as db:
        state = state_of(db, bench.scope, KEY)
        assert state is not None
        assert (state.failures, state.looked_at) == (1, None)
    bench.agree()
    assert fetch_files(bench.exchange, bench.actor, KEY).problems == []


def test_a_number_with_two_contents_is_an_alarm(bench: Bench) -> None:
    """The same interchange of the same sender with other content: stored, and told."""
    bench.agree()
    told = House(lambda: Hour().now().replace(tzinfo=None)).answer("a", b"") or {}
    assert told == {}
    with transaction(bench.engine) as db:
        upload = make_test_file(db, bench.actor, bench.clock.now(), KEY).content
    (first,) = House(lambda: Hour().now().replace(tzinfo=None)).answer("a", upload).values()
    bench.put("a.999", first)
    assert bench.fetch().alarms == []
    bench.put("b.999", first.replace(b"IK5*A", b"IK5*E"))
    assert bench.fetch().alarms == [("REHEARSAL", kind_of(first).number)]
    assert len(bench.received()) == 2


def test_an_empty_file_is_told_and_stays(bench: Bench) -> None:
    """What cannot be taken is a problem of the run, and the rest is fetched all the same."""
    bench.agree()
    bench.put("a.999", b"")
    bench.put("b.999", b"x")
    fetched = bench.fetch()
    assert (len(fetched.new), len(fetched.problems)) == (1, 1)
    assert [file.name for file in (bench.house.root / IN).iterdir()] == ["a.999"]


def test_a_drop_folder_serves_as_well(bench: Bench, tmp_path: Path) -> None:
    """Sent files lie in ``out``, answers come from ``in``, and nothing is needed but a folder."""
    ids = {"receiver_id": "HOUSE", "receiver_name": "HOUSE"}
    bench.agree(shipped="folder", port=None, fingerprint=None, password=None, **ids)
    assert bench.send(bench.test_file()).step == Step.SENT
    folder = tmp_path / "folders" / bench.actor.organization_id.hex / KEY
    (upload,) = (folder / "out").iterdir()
    for name, content in (
        House(lambda: Hour().now().replace(tzinfo=None))
        .answer(upload.name, upload.read_bytes())
        .items()
    ):
        (folder / "in" / name).write_bytes(content)
    assert len(bench.fetch().new) == 1
    bench.produce()
    assert bench.send(bench.file()).step == Step.SENT


def test_what_an_agreement_lacks_is_named(bench: Bench) -> None:
    """Each value that sending needs is asked for before anything is recorded."""
    for change in (
        {"sender_id": None},
        {"fingerprint": None},
        {"fingerprint": "SHA256:short"},
        {"password": None},
        {"password": None, "private_key": "no key"},
        {"name_pattern": "same.837"},
    ):
        with pytest.raises(InvalidRequest):
            bench.agree(**change)
    with reading(bench.engine) as db, pytest.raises(NotFound):
        clearinghouse_key(db, bench.scope, "")


def test_the_secret_is_kept_encrypted_and_stays_when_none_is_given(bench: Bench) -> None:
    """A change of the agreement keeps the password; the database file does not hold its text."""
    bench.agree()
    bench.agree(password=None, remittance_days=45)
    with reading(bench.engine) as db:
        secret = secret_of(db, bench.scope, key_ring(), KEY)
        assert secret is not None
        assert secret.password == PASSWORD
        assert clearinghouse_key(db, bench.scope, "") == KEY
    for path in Path(str(bench.engine.url.database)).parent.glob("test.db*"):
        assert PASSWORD.encode() not in path.read_bytes()


def test_an_ended_agreement_gets_nothing(ready: Ready) -> None:
    """Neither claims nor test files leave for a clearinghouse that was given up."""
    bench, file_id = ready
    test_id = bench.test_file()
    with transaction(bench.engine) as db:
        command = RetireClearinghouse(key=KEY, reason="moved")
        retire_clearinghouse(db, bench.actor, bench.clock.now(), command)
    for one in (file_id, test_id):
        with pytest.raises(Conflict, match="was ended"):
            bench.send(one)


def test_sending_and_fetching_need_their_permissions(ready: Ready) -> None:
    """Who may not release sends nothing; who may not post fetches nothing."""
    bench, file_id = ready
    needed = {"claims:release", "remittances:post"}
    bench.actor = replace(bench.actor, permissions=bench.actor.permissions - needed)
    with pytest.raises(NotAllowed):
        bench.send(file_id)
    with pytest.raises(NotAllowed):
        bench.fetch()


def test_the_claims_events_name_the_file(ready: Ready) -> None:
    """A sent event stands once on each claim, with the day of the practice and the file."""
    bench, file_id = ready
    bench.send(file_id)
    with reading(bench.engine) as db:
        events = events_of(db, bench.scope, bench.claim_ids[0])
        (sent,) = [one for one in events if one.kind == "sent"]
        assert (sent.file_id, sent.key, sent.on_day) == (
            file_id,
            "sent-1",
            bench.clock.now().date(),
        )
        assert bench.scope.all_of(db, ClaimFile, col(ClaimFile.id) == file_id)


def test_what_does_not_come_is_work(ready: Ready, trouble: Trouble) -> None:
    """By the days of the agreement each claim's next answer is overdue; an unsure file is told."""
    bench, file_id = ready
    trouble.at = "renamed"
    bench.send(file_id)
    assert [one.file.id for one in work_of(bench).unsure] == [file_id]
    look_for_file(bench.exchange, bench.actor, file_id)
    assert work_of(bench).count == 0
    bench.clock.advance(days=2)
    overdue = work_of(bench).overdue
    assert sorted(one.claim_id for one in overdue) == sorted(bench.claim_ids)
    assert {(one.overdue.answer, one.overdue.days_over, one.clearinghouse) for one in overdue} == {
        ("acknowledgment", 1, KEY)
    }
    bench.house.settle()
    bench.fetch()
    assert work_of(bench).count == 0


def work_of(bench: Bench) -> ExchangeWork:
    """What is to be looked after now."""
    with reading(bench.engine) as db:
        return exchange_work(db, bench.actor, bench.clock.now())
