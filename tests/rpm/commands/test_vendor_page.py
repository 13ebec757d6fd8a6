"""docs/vendors.md is true: its commands, run by a shell, bring readings in; its lists are whole."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from intake_door import Door
from ledger_practice import Practice
from sqlalchemy.engine import Engine
from sqlmodel import select

from devices.vendor import VENDORS
from rpm.access import Actor
from rpm.settings import Settings
from rpm.store.engine import reading
from rpm.store.tables.monitoring import Delivery, Reading

PAGE = (Path(__file__).parents[3] / "docs" / "vendors.md").read_text(encoding="utf-8")
CURL = [block for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL) if "curl" in block]
DEVICES = {"generic": "CG-0001-bp-1", "fhir": "cuff-17"}
WAYS = [("generic", "header"), ("generic", "standard-webhooks"), ("fhir", "header")]


def _run(block: str, address: str, secret: str, now: int) -> Any:
    """What the commands of a block answer with this address, secret and time."""
    said = re.sub(r"^(ADDRESS|SECRET)=.*$", "", block, flags=re.MULTILINE)
    program = f"ADDRESS={address}\nSECRET={secret}\n{said.replace('$(date +%s)', str(now))}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", program], capture_output=True, timeout=30, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.skipif(
    not all(shutil.which(one) for one in ("bash", "curl", "openssl")), reason="no curl or openssl"
)
@pytest.mark.parametrize(("vendor", "scheme"), WAYS)
def test_the_commands_of_the_page_bring_an_accepted_reading(
    engine: Engine,
    settings: Settings,
    actor: Actor,
    practice: Practice,
    served: str,
    vendor: str,
    scheme: str,
) -> None:
    """Each block is accepted; again it is the same answer; a wrong secret is 401 and no row."""
    way = {"vendor": vendor, "scheme": {"kind": scheme}}
    door = Door(engine, settings, actor, practice.now, name="Mine", **way)
    patient_id, device = practice.patient(), DEVICES[vendor]
    device_id = door.device(device, kind="bp")
    door.assign(device_id, patient_id, practice.episode(patient_id), name=device)
    (block,) = (
        one
        for one in CURL
        if f"/webhooks/{vendor}/" in one and ("webhook-signature" in one) == (scheme != "header")
    )
    address = f"{served}/webhooks/{vendor}/{door.token}"
    now = int(door.now.timestamp())
    wrong = "whsec_" + "A" * 44 if scheme != "header" else "wrong-secret"
    assert _run(block, address, wrong, now)["status"] == 401
    with reading(engine) as db:
        assert db.exec(select(Delivery)).all() == []
    answer = _run(block, address, door.secret, now)
    assert [item["status"] for item in answer["items"]] == ["accepted"]
    assert _run(block, address, door.secret, now) == answer
    with reading(engine) as db:
        (row,) = db.exec(select(Reading)).all()
    assert row.countable


@pytest.mark.parametrize("name", VENDORS)
def test_the_page_names_every_way_of_proof_and_every_setting(name: str) -> None:
    """Each vendor's row lists its schemes, the default first; each setting and value is named."""
    (row,) = (line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |"))
    words = re.findall(r"`([^`]+)`", row.split("|")[2])
    expected = []
    for scheme in VENDORS[name].schemes:
        expected += [scheme.kind, *filter(None, (scheme.name, scheme.username))]
    assert words == expected
    for setting, said in VENDORS[name].settings.items():
        assert f"`{setting}`" in PAGE
        assert all(f"`{value}`" in PAGE for value in said.allowed)
    ways = [line.split("`")[1] for line in PAGE.split("| `--scheme`")[1].splitlines()[2:12]]
    assert {scheme.kind for scheme in VENDORS[name].schemes} <= set(ways)
