"""The demo played for real: through the running service, by the command, on SQLite."""

import csv
import json
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx2
import pytest
from signing_in import COOKIE, FORM_HEADERS, cookie_of
from sqlmodel import col, select

from rpm.actions.assemble_claims import AssembleClaims, preview_claims
from rpm.actions.claim_check import claim_findings, errors_of, practice_codes
from rpm.actions.verify import verify_record
from rpm.cli import run
from rpm.clock import SystemClock, clock_for
from rpm.demo.claims_walk import MONTH, rehearsing
from rpm.demo.hints import hints
from rpm.demo.memory import Memory
from rpm.demo.moving import moving
from rpm.demo.play import STORY, Demo, actor_of, demo_settings, kept_demo
from rpm.demo.practice import DOCTOR, EMAIL_DOMAIN, evening
from rpm.demo.server import serving, taken_address, url_of
from rpm.settings import Settings
from rpm.store.engine import make_engine, reading
from rpm.store.migrations import migrate
from rpm.store.queries.alerts import limits_in_force
from rpm.store.queries.people import actor_of_user
from rpm.store.scope import Scope
from rpm.store.tables.alerts import Alert
from rpm.store.tables.ledger import Close, Posting
from rpm.store.tables.monitoring import Delivery, Episode, Reading
from rpm.store.tables.people import Organization

LAST_LINE = re.compile(r"export: (\S+) lines=(\d+) total=(-?\d+\.\d\d)")
IDS = ("batch_id", "encounter_id", "line_id", "evidence_ref", "note")


@dataclass(frozen=True)
class Played:
    """What a run of the command said, and where it left its files."""

    folder: Path
    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Five patients until the January close, as the command plays them."""
    with pytest.MonkeyPatch.context() as patch:
        yield played_in(tmp_path_factory.mktemp("demo"), patch, "5", "2026-02-02")


def played_in(folder: Path, patch: pytest.MonkeyPatch, patients: str, until: str) -> Played:
    """Run the command; what it says is kept by replacing the streams that it writes to."""
    import io
    import sys

    patch.delenv("RPMLEDGER_DATABASE_URL", raising=False)
    out, err = io.StringIO(), io.StringIO()
    patch.setattr(sys, "stdout", out)
    patch.setattr(sys, "stderr", err)
    options = ["--folder", str(folder), "--patients", patients, "--until", until]
    code = run(["demo", "--no-serve", *options])
    patch.undo()
    return Played(folder, code, out.getvalue(), err.getvalue())


@pytest.fixture
def opened(played: Played) -> Iterator[Demo]:
    """The played demo, opened again."""
    with kept_demo(demo_settings(played.folder)) as demo:
        yield demo


def lines_of(folder: Path, month: str) -> list[dict[str, str]]:
    """The service lines of an export."""
    path = folder / "exports" / month / "service-lines.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_practice_adopts_limits_and_they_raise_alerts(opened: Demo) -> None:
    """Limits hold since the day of their adoption, and somebody has something to look at."""
    with reading(opened.engine) as db:
        scope = Scope.of(actor_of(opened))
        limits = limits_in_force(db, scope)[None]
        alerts = scope.all_of(db, Alert, col(Alert.limit_id).is_not(None))
    assert len(limits) == 6
    assert {one.set_by for one in limits.values()} == {DOCTOR.name}
    assert 0 < len(alerts) < 30
    assert {one.rule for one in alerts} <= set(limits)


def test_ends_with_the_export_it_wrote(played: Played) -> None:
    """The last line names the last export, and its numbers are those of the files."""
    assert played.code == 0
    assert "not as the story has it" not in played.err
    found = LAST_LINE.fullmatch(played.out.splitlines()[-1])
    assert found is not None
    assert Path(found[1]) == played.folder / "exports" / "2026-01"
    lines = lines_of(played.folder, "2026-01")
    manifest = json.loads((Path(found[1]) / "manifest.json").read_text(encoding="utf-8"))
    assert int(found[2]) == len(lines) == manifest["lines"]
    assert found[3] == manifest["amount"]
    cents = sum(int(line["charge"].replace(".", "")) for line in lines if line["charge"])
    assert f"{cents / 100:.2f}" == found[3]


def test_three_months_are_closed(played: Played, opened: Demo) -> None:
    """November, December and January are closed once each, and exported."""
    with reading(opened.engine) as db:
        months = db.exec(select(Close.month_start_day).order_by(col(Close.id))).all()
    assert [f"{month:%Y-%m}" for month in months] == ["2025-11", "2025-12", "2026-01"]
    assert all(lines_of(played.folder, f"{month:%Y-%m}") for month in months)
    assert "2026-01  99470" in played.out


def test_late_facts_are_posted_as_a_difference(played: Played) -> None:
    """The January close reverses December's 99457 of Ruth and adds December's supply of Mina."""
    late = [line for line in lines_of(played.folder, "2026-01") if line["dos_from"] < "2026-01-01"]
    found = sorted((line["patient_last"], line["procedure"], line["units"]) for line in late)
    assert found == [
        ("Memory", "99453", "1"),
        ("Memory", "99454", "1"),
        ("Reversed", "99457", "-1"),
    ]


def test_a_month_is_billed_through_the_rehearsal(played: Played, tmp_path: Path) -> None:
    """The walk of `make demo-claims`, on few patients: all comes out as it should."""
    folder = tmp_path / "demo"
    shutil.copytree(played.folder, folder)
    told: list[str] = []
    with (
        kept_demo(demo_settings(folder)) as demo,
        rehearsing(demo, MONTH, told.append) as walk,
    ):
        walk.go()
    assert walk.missed == []
    for beginning in ("Assembled", "Test file over SFTP", "837P written", "Corrected", "Appealed"):
        assert any(line.startswith(beginning) for line in told), beginning
    assert {line.split()[0] for line in told if "fetched and posted" in line} == {
        "999",
        "277CA",
        "835",
    }


def test_claims_of_the_closed_month_can_be_written(opened: Demo) -> None:
    """Assembling December gives claims without an error in any, and tells what is held."""
    with reading(opened.engine) as db:
        preview = preview_claims(db, actor_of(opened), AssembleClaims(month="2025-12"))
        lists = practice_codes(db, Scope.of(actor_of(opened)))
    claims = [one.claim for one in preview.assembled.claims]
    assert claims
    for claim in claims:
        assert errors_of(claim_findings(claim, date(2026, 2, 2), lists)) == ()
    assert preview.assembled.held == ()


def test_the_record_fits(opened: Demo) -> None:
    """Chain, device days and every close of the played demo verify."""
    with reading(opened.engine) as db:
        assert verify_record(db, actor_of(opened), []) == []


def test_deliveries_that_went_wrong_left_what_they_should(opened: Demo) -> None:
    """One dead letter is kept, the forged delivery left nothing, the repeated one is there once."""
    with reading(opened.engine) as db:
        stored = db.exec(Scope.of(actor_of(opened)).rows(Delivery)).all()
    assert [one.state for one in stored].count("dead_letter") == 1
    assert all(one.body != b'{"readings": []}' for one in stored)
    assert len({one.fingerprint for one in stored}) == len(stored)


def test_deliveries_arrive_on_time(opened: Demo) -> None:
    """Readings arrive minutes or hours after they were measured, by the demo's clock."""
    with reading(opened.engine) as db:
        rows = db.exec(Scope.of(actor_of(opened)).rows(Reading)).all()
    ages = sorted(
        (row.received_at - row.measured_at).total_seconds() for row in rows if row.measured_at
    )
    assert len(ages) > 400
    assert ages[0] >= 0
    assert ages[len(ages) // 2] < 12 * 3600


def test_two_more_minutes_before_the_clock_moves_on(
    played: Played,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The printed requests take Thea from 18 to 20 minutes, and February closes with 99457."""
    monkeypatch.delenv("RPMLEDGER_DATABASE_URL", raising=False)
    folder = tmp_path / "copy"
    shutil.copytree(played.folder, folder)
    assert run(["demo", "advance", "2026-02-27", "--folder", str(folder)]) == 0
    with (
        kept_demo(demo_settings(folder)) as demo,
        serving(demo.settings, taken_address(None)) as url,
    ):
        told = list(hints(demo, url, "rpm-ledger"))
        requests = [line for line in told if line.startswith("  curl")]
        readiness, progress, explanation, what_if, entry, after = (
            asked(line, shell_words(told)) for line in (*requests, requests[1])
        )
        pages = {
            httpx2.get(f"{url}{path}").status_code for path in ("/sign-in", "/docs", "/readyz")
        }
    assert pages == {200}
    assert readiness["items"]
    assert explanation["code"] == "99457"
    assert len(explanation["facts"]["entries"]) == 3
    assert management(progress) == (1_080, "99470", "99457")
    assert february(what_if["bill"]) == {"99470"}
    assert february(what_if["what_if"]) == {"99457"}
    assert entry["entries"][0]["duration_seconds"] == 120
    assert management(after) == (1_200, "99457", "99458")

    monkeypatch.setenv("RPMLEDGER_DATABASE_URL", f"sqlite:///{folder / 'rpm-ledger.db'}")
    capsys.readouterr()
    assert run(["demo", "advance", "2026-03-02"]) == 0
    found = LAST_LINE.fullmatch(capsys.readouterr().out.splitlines()[-1])
    assert found is not None
    assert Path(found[1]).name == "2026-02"
    thea = [
        line["procedure"]
        for line in lines_of(folder, "2026-02")
        if line["patient_last"] == "Twenty" and line["dos_from"] == "2026-02-28"
    ]
    assert thea == ["99457"]


def test_everybody_who_works_there_can_sign_in(
    opened: Demo, played: Played, capsys: pytest.CaptureFixture[str]
) -> None:
    """The printed password and code open the pages, by the machine's clock and not the demo's."""
    assert run(["demo", "codes", "--folder", str(played.folder)]) == 0
    told = capsys.readouterr().out
    password = told.splitlines()[0].removeprefix("Password of everybody: ")
    codes = dict(re.findall(r"^  (\S+@\S+) +(\d{6})  ", told, re.MULTILINE))
    assert len(codes) == 8
    address = next(one for one in codes if one.startswith("nora@"))
    typed = {"address": address, "password": password, "code": codes[address]}
    with (
        serving(opened.settings, taken_address(None)) as url,
        httpx2.Client(base_url=url, headers={"Sec-Fetch-Site": "same-origin"}) as browser,
    ):
        assert browser.post("/sign-in", data=typed).status_code == 303
        assert "Nora Nurse" in browser.get("/account").text


def test_the_clock_is_moved_from_a_page(
    played: Played, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The story goes on to the day that is typed; a day that is over is refused."""
    folder = tmp_path / "copy"
    shutil.copytree(played.folder, folder)
    address = taken_address(None)
    with (
        kept_demo(demo_settings(folder)) as demo,
        serving(demo.settings, address, move_demo=moving(demo, url_of(address))) as url,
        httpx2.Client(base_url=url, headers=FORM_HEADERS, timeout=60) as browser,
    ):
        with reading(demo.engine) as db:
            nurse = actor_of_user(db, Scope.of(actor_of(demo)), f"nora@{EMAIL_DOMAIN}")
        browser.cookies.set(COOKIE, cookie_of(demo.engine, nurse, SystemClock().now()))
        page = browser.get("/demo/clock").text
        assert "Feb 2, 2026" in page
        assert browser.post("/demo/clock", data={"day": "2026-02-01"}).status_code == 422
        moved = browser.post("/demo/clock", data={"day": "2026-02-05"})
        assert "The clock stands on the evening of" in moved.text
        assert demo.clock.now() == evening(date(2026, 2, 5))
        assert "Feb 5, 2026" in browser.get("/demo/clock").text


def management(progress: Any) -> tuple[int, str, str]:
    """Seconds so far, what they earn, and what comes next."""
    one = next(one for one in progress["items"] if one["ladder"] == "management")
    return one["measured"], one["earned_code"], one["next_code"]


def february(events: list[dict[str, Any]]) -> set[str]:
    """Codes dated on the last day of February."""
    return {one["code"] for one in events if one["service_day"] == "2026-02-28"}


def shell_words(told: list[str]) -> dict[str, str]:
    """The variables that the printed lines set."""
    lines = (re.fullmatch(r"  ([A-Z]+)=(\S+)(?:  # .*)?", line) for line in told)
    return {found[1]: found[2] for found in lines if found}


def asked(line: str, words: dict[str, str]) -> Any:
    """The JSON answer to a printed curl command; it must be a good one."""
    for name, value in words.items():
        line = line.replace(f"'${name}'", value).replace(f"${name}", value)
    parts = shlex.split(line)
    headers = dict(parts[at + 1].split(": ", 1) for at, part in enumerate(parts) if part == "-H")
    data = [parts[at + 1] for at, part in enumerate(parts) if part == "-d"]
    method = "POST" if data else "GET"
    content = data[0].encode() if data else None
    answer = httpx2.request(method, parts[-1], headers=headers, content=content)
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


def test_the_clock_only_moves_forward_inside_the_story(
    played: Played, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A day that is over, or beyond the story, is refused, and the clock stays."""
    monkeypatch.delenv("RPMLEDGER_DATABASE_URL", raising=False)
    where = ["--folder", str(played.folder)]
    assert run(["demo", "advance", "2026-02-01", *where]) == 2
    assert "only moves forward" in capsys.readouterr().err
    assert run(["demo", "advance", "2027-01-01", *where]) == 2
    assert "the story ends" in capsys.readouterr().err
    with kept_demo(demo_settings(played.folder)) as demo:
        assert demo.clock.now() == evening(date(2026, 2, 2))


def test_two_runs_give_the_same_lines(
    played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Codes, days, units and amounts are the same in every run; only ids differ."""
    again = played_in(tmp_path, monkeypatch, "5", "2025-12-02")
    assert again.code == 0
    tables = [
        sorted(
            json.dumps({key: row[key] for key in row if key not in IDS})
            for row in lines_of(one.folder, "2025-11")
        )
        for one in (played, again)
    ]
    assert len(tables[0]) == 3
    assert tables[0] == tables[1]


def test_a_story_is_taken_up_where_a_crash_left_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --keep, steps that were done but not remembered are done again and change nothing."""
    monkeypatch.delenv("RPMLEDGER_DATABASE_URL", raising=False)
    base = ["demo", "--no-serve", "--folder", str(tmp_path), "--patients", "2"]
    assert run([*base, "--until", "2025-11-03"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "export: none yet lines=0 total=0.00"
    text = (tmp_path / STORY).read_bytes()
    (tmp_path / STORY).write_bytes(text[: text.index(b"episode:CG-0001") + 4])
    before = Memory(tmp_path / STORY).done
    assert run([*base, "--keep", "--until", "2025-11-05"]) == 0
    assert "not as the story has it" not in capsys.readouterr().err
    with kept_demo(demo_settings(tmp_path)) as demo, reading(demo.engine) as db:
        assert len(db.exec(select(Episode)).all()) == 2
        assert demo.memory.done > before + 5
        assert demo.clock.now() == evening(date(2025, 11, 5))


def test_another_database_is_refused_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No clock but a demo's is moved: other databases and empty or missing files are refused."""
    other = Settings(database_url=f"sqlite:///{tmp_path / 'other.db'}")
    engine = make_engine(other)
    migrate(engine)
    monkeypatch.setenv("RPMLEDGER_DATABASE_URL", other.database_url)
    assert run(["demo", "advance", "2026-03-02"]) == 2
    assert "not a demo database" in capsys.readouterr().err
    with reading(engine) as db:
        assert db.exec(select(Organization)).all() == []
        assert db.exec(select(Posting)).all() == []
    assert isinstance(clock_for(engine), SystemClock)
    engine.dispose()
    (tmp_path / "empty.db").touch()
    monkeypatch.setenv("RPMLEDGER_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")
    assert run(["demo", "advance", "2026-03-02"]) == 2
    assert "not a demo database" in capsys.readouterr().err
    monkeypatch.delenv("RPMLEDGER_DATABASE_URL")
    assert run(["demo", "advance", "2026-03-02", "--folder", str(tmp_path / "none")]) == 2
    assert "rpm-ledger demo makes one" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_a_port_in_use_is_told_before_anything_is_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The demo that is there stays when the port cannot be had."""
    (tmp_path / STORY).write_text("{}\n", encoding="utf-8")
    taken = taken_address(None)
    taken.listen()
    try:
        port = str(taken.getsockname()[1])
        assert run(["demo", "--port", port, "--folder", str(tmp_path)]) == 2
    finally:
        taken.close()
    assert "--port" in capsys.readouterr().err
    assert (tmp_path / STORY).read_text(encoding="utf-8") == "{}\n"


def test_the_readme_shows_what_the_product_prints(
    played: Played, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The explanation in the README is the one of Gwen's 99457, line by line, ids apart."""
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    shown = readme.split("$ rpm-ledger explain ")[1].split("```")[0].splitlines()[1:]
    (line,) = (
        one
        for one in lines_of(played.folder, "2026-01")
        if (one["patient_last"], one["procedure"]) == ("Good", "99457")
    )
    monkeypatch.setenv("RPMLEDGER_DATABASE_URL", demo_settings(played.folder).database_url)
    assert run(["explain", line["evidence_ref"]]) == 0
    printed = [re.sub(r", id \S+$", "", one) for one in capsys.readouterr().out.splitlines()]
    for one in shown:
        start = one.removesuffix(" ...")
        assert any(found == one or (start != one and found.startswith(start)) for found in printed)


def test_the_page_about_why_shows_what_the_product_prints(
    played: Played, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The answer about Max in the documentation is what the command tells of the demo's January."""
    page = (Path(__file__).parents[3] / "docs" / "why.md").read_text(encoding="utf-8")
    shown = page.split("$ rpm-ledger why ")[1].split("```")[0]
    question, first, *rest = shown.splitlines()
    monkeypatch.setenv("RPMLEDGER_DATABASE_URL", demo_settings(played.folder).database_url)
    assert run(["why", *question.split()]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[1:] == rest
    assert first.startswith("2026-01, as of 2026-02-")
