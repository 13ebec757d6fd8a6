"""S13: stored text never runs: whatever people typed is shown as text, on every page."""

import re
from datetime import date
from uuid import UUID

import pytest
from conftest import FixedClock
from evidence_practice import FEBRUARY_CLOSE, close
from ledger_practice import Practice, days
from playwright.sync_api import Page
from promised import Promised
from role_table import WORDS, is_page, routes
from sqlalchemy.engine import Engine
from windows import Complaints, PageOf, Served

from rpm.access import Actor
from rpm.store.tables.monitoring import Device
from rpm.store.tables.people import ApiToken, Payer, Practitioner, User
from rpm.store.tables.sign_ins import EmergencyAccess
from rpm.web.app import create_app

RUN = "window.ran=1"
PAYLOADS = (
    f"<script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f"<ScRiPt>{RUN}</sCrIpT>",
    f"<script src=data:text/javascript,{RUN}></script>",
    f"<script type=module>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f"<img src=x onerror='{RUN}'>",
    f'"><img src=x onerror="{RUN}">',
    f"'><img src=x onerror='{RUN}'>",
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s>",
    f"</title><script>{RUN}</script>",
    f"</textarea><script>{RUN}</script>",
    f"</option></select><img src=x onerror={RUN}>",
    f"</style><script>{RUN}</script>",
    f"--><script>{RUN}</script>",
    f"<!--><img src=x onerror={RUN}>",
    f"<body onload={RUN}>",
    f"<details open ontoggle={RUN}>",
    f"<input autofocus onfocus={RUN}>",
    f"<select autofocus onfocus={RUN}>",
    f"<video><source onerror={RUN}></video>",
    f"<audio src=x onerror={RUN}>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"<iframe src=javascript:parent.{RUN}></iframe>",
    f"<object data=javascript:{RUN}></object>",
    f"<embed src=javascript:{RUN}>",
    f"<a href=javascript:{RUN} autofocus>x</a>",
    f"javascript:{RUN}",
    f"<form action=javascript:{RUN}><button autofocus>x</button></form>",
    f"<meta http-equiv=refresh content='0;url=javascript:{RUN}'>",
    f"<base href=javascript:{RUN}//>",
    f"<link rel=stylesheet href=data:text/css,x onload={RUN}>",
    f'" autofocus onfocus={RUN} x="',
    f"' autofocus onfocus={RUN} x='",
    f'" hx-on:load="{RUN}" x="',
    f'<div hx-get="/" hx-trigger="load" hx-on::after-request="{RUN}">',
    "{{ cycler.__init__.__globals__ }}",
    f"${{{RUN}}}{{% raw %}}<script>{RUN}</script>",
)
NO_PAGES = {"/time/bar", "/demo/clock", "/sign-in/answer"}
"""A part of pages, a page of demos only, and where an identity provider sends people back."""
FILES = (".csv", ".xlsx", ".pdf")
"""Ends of addresses that give a file to keep."""
PARTS = re.compile(r"{(\w+)}")


def typed(practice: Practice, text: str, number: int) -> UUID:
    """A patient and what belongs to them, with the text wherever somebody may type."""
    patient_id = practice.patient(
        payer="MEDICARE_B", family_name=text, given_name=text, record_number=f"{number}{text}"
    )
    episode_id = practice.episode(patient_id, opened_day=date(2025, 12, 31))
    rows = practice.readings(patient_id, episode_id, days(date(2025, 12, 31), 3), measure="bp")
    practice.exclude(rows[0])
    entry = practice.entry(patient_id, episode_id, date(2026, 1, 5), 600, activity=text, note=text)
    practice.reverse(entry)
    practice.entry(patient_id, episode_id, date(2026, 1, 6), 600, activity=text, note=text)
    practice.record(
        Payer(key=f"TYPED_{number}", name=text),
        Practitioner(name=text, npi=f"{number:010d}", credential=text, taxonomy=text),
        User(name=text, email=f"{number}{text}", role="biller", created_at=practice.now),
        Device(
            id=practice.new_id(),
            vendor="generic",
            vendor_device_id=f"{number}{text}",
            kind="bp",
            make=text,
            model=text,
            fda_listed=True,
            automatic=True,
        ),
        EmergencyAccess(
            user_id=practice.actor.user_id,
            reason=text,
            from_at=practice.now,
            to_at=practice.now,
        ),
        ApiToken(
            user_id=practice.actor.user_id,
            token_hash=f"{number}",
            name=text,
            permissions=[],
            created_at=practice.now,
            expires_at=practice.now,
        ),
    )
    return patient_id


@pytest.mark.promise("S13")
def test_stored_text_never_runs(
    engine: Engine,
    actor: Actor,
    clock: FixedClock,
    served: Served,
    page_of: PageOf,
    complaints: Complaints,
    promised: Promised,
) -> None:
    """Every page that can be opened, over payloads in every text: none runs, none is refused."""
    practice = Practice(engine, actor, clock.now())
    patients = [typed(practice, text, number) for number, text in enumerate(PAYLOADS, 1)]
    clock.instant = FEBRUARY_CLOSE
    close(practice, WORDS["month"], FEBRUARY_CLOSE)
    page = page_of("practice_admin")
    opened = 0
    paths = [
        path
        for (method, path), route in routes(create_app(served.settings)).items()
        if method == "GET" and is_page(route) and path not in NO_PAGES and not path.endswith(FILES)
    ]
    for path in paths:
        names = PARTS.findall(path)
        if set(names) - {"patient_id", "month"}:
            continue
        count = promised.count(len(patients), 2) if "patient_id" in names else 1
        for patient_id in patients[:count]:
            address = path.replace("{patient_id}", str(patient_id))
            opened += shows_only_text(page, address.replace("{month}", WORDS["month"]))
    assert opened >= 20
    assert complaints.heard == []
    promised.reached(f"{len(PAYLOADS)} payloads, {opened} pages opened: 0 executed, 0 refused")


def shows_only_text(page: Page, address: str) -> bool:
    """Whether the page opened; nothing of what it shows may have run."""
    answer = page.goto(address)
    assert answer is not None
    page.wait_for_load_state()
    assert page.evaluate("window.ran === undefined"), address
    assert answer.status < 500, address
    return answer.status == 200
