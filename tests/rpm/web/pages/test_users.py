"""The users of a practice: added, invited, changed and sent away on pages."""

import re
from collections.abc import Callable

import pyotp
from conftest import FixedClock
from signing_in import COOKIE, PASSWORD, Person, cookie_of
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from rpm.access import PERMISSIONS, ROLE_PERMISSIONS, Actor
from rpm.actions.credentials import INVITED_FOR

SignedIn = Callable[..., TestClient]
MakePerson = Callable[..., Person]
NEW = {"name": "Nora Nurse", "email": "Nora@practice.example", "role": "clinical_staff"}
CHOSEN = {"password": PASSWORD, "again": PASSWORD}


def link_of(page: str) -> str:
    """The link that a page shows, without its host."""
    found = re.search(r"<code>https?://[^/]+(/invitations/[^<]+)</code>", page)
    assert found is not None
    return found[1]


def secret_of(page: str) -> str:
    """The key for the app, as a person would type it."""
    found = re.search(r"<p><code>([A-Z2-7 ]+)</code></p>", page)
    assert found is not None
    return found[1].replace(" ", "")


def test_a_new_user_comes_in_by_a_link_that_works_once(
    signed_in: SignedIn, browser: TestClient, clock: FixedClock
) -> None:
    """Added, invited, set up and signed in; the link is used up and recovery codes are shown."""
    added = signed_in("practice_admin").post("/admin/users", data=NEW)
    link = link_of(added.text)
    form = browser.get(link)
    assert "Nora Nurse" in form.text
    assert "<svg" in form.text
    app = pyotp.TOTP(secret_of(form.text))
    done = browser.post(link, data=CHOSEN | {"code": app.at(clock.now())})
    codes = re.findall(r"<li><code>([a-z2-9-]+)</code></li>", done.text)
    assert len(set(codes)) == 10
    assert browser.get("/account").status_code == 200
    assert browser.get(link).status_code == 404
    clock.advance(minutes=1)
    typed = {"address": "nora@practice.example", "password": PASSWORD}
    assert browser.post("/sign-in", data=typed | {"code": codes[0]}).status_code == 303
    assert browser.post("/sign-in", data=typed | {"code": codes[0]}).status_code == 401


def test_what_an_invited_person_types_is_checked_beside_its_field(
    signed_in: SignedIn, browser: TestClient, clock: FixedClock
) -> None:
    """Short, guessable and unequal passwords and wrong codes are told; the link stays good."""
    link = link_of(signed_in().post("/admin/users", data=NEW).text)
    app = pyotp.TOTP(secret_of(browser.get(link).text))
    code = app.at(clock.now())
    wrongs = {
        "password": {"password": "short", "again": "short", "code": code},
        "again": {"password": PASSWORD, "again": PASSWORD + "x", "code": code},
        "code": CHOSEN | {"code": "000000"},
    }
    for field, typed in wrongs.items():
        answer = browser.post(link, data=typed)
        assert answer.status_code == 422
        assert f'href="#f-{field}"' in answer.text
    own_name = {"password": "nora-nurse-1988", "again": "nora-nurse-1988", "code": code}
    assert "tried first" in browser.post(link, data=own_name).text
    assert browser.post(link, data=CHOSEN | {"code": code}).status_code == 200


def test_a_link_ends_after_three_days_and_with_the_next_one(
    signed_in: SignedIn, browser: TestClient, clock: FixedClock
) -> None:
    """An old link opens nothing, and neither does one that was replaced."""
    admin = signed_in()
    first = link_of(admin.post("/admin/users", data=NEW).text)
    users = admin.get("/admin/users").text
    found = re.search(r'href="(/admin/users/[0-9a-f-]{36})">Nora Nurse<', users)
    assert found is not None
    place = found[1]
    second = link_of(admin.post(f"{place}/invitation").text)
    assert browser.get(first).status_code == 404
    assert browser.get(second).status_code == 200
    clock.instant += INVITED_FOR
    assert browser.get(second).status_code == 404


def test_an_address_is_used_once(signed_in: SignedIn, actor: Actor) -> None:
    """A second user with the address is refused beside the field."""
    admin = signed_in()
    assert admin.post("/admin/users", data=NEW).status_code == 200
    again = admin.post("/admin/users", data=NEW | {"email": "nora@PRACTICE.example"})
    assert again.status_code == 422
    assert 'id="e-email"' in again.text


def test_who_is_sent_away_is_out_at_once(
    signed_in: SignedIn, browser: TestClient, person: MakePerson, clock: FixedClock, engine: Engine
) -> None:
    """A user without access is out with the next request and cannot sign in."""
    biller = person("biller")
    browser.cookies.set(COOKIE, cookie_of(engine, biller.actor, clock.now()))
    assert browser.get("/account").status_code == 200
    place = f"/admin/users/{biller.actor.user_id}"
    leaving = {"active": "no", "reason": "left the practice"}
    assert signed_in().post(f"{place}/access", data=leaving).status_code == 303
    assert browser.get("/account").status_code == 303
    typed = {"address": biller.address, "password": PASSWORD, "code": biller.code(clock.now())}
    assert browser.post("/sign-in", data=typed).status_code == 401


def test_a_reset_ends_everything_a_user_signs_in_with(
    signed_in: SignedIn, browser: TestClient, person: MakePerson, clock: FixedClock, engine: Engine
) -> None:
    """After it, neither the open browser nor the password works; a reason is needed."""
    biller = person("biller")
    browser.cookies.set(COOKIE, cookie_of(engine, biller.actor, clock.now()))
    admin, place = signed_in(), f"/admin/users/{biller.actor.user_id}"
    admin.post(f"{place}/reset")
    assert browser.get("/account").status_code == 200
    admin.post(f"{place}/reset", data={"reason": "phone lost"})
    assert browser.get("/account").status_code == 303
    typed = {"address": biller.address, "password": PASSWORD, "code": biller.code(clock.now())}
    assert browser.post("/sign-in", data=typed).status_code == 401


def test_the_role_page_is_the_table_that_decides(signed_in: SignedIn) -> None:
    """Each permission stands there once, with a yes for each role that has it."""
    page = signed_in().get("/admin/roles").text
    for permission in PERMISSIONS:
        row = page.split(f"<code>{permission}</code>")[1].split("</tr>")[0]
        told = [cell == "yes" for cell in re.findall(r"<td>(.*?)</td>", row)]
        assert told == [permission in held for held in ROLE_PERMISSIONS.values()]


def test_only_who_manages_users_sees_them(signed_in: SignedIn) -> None:
    """A nurse gets no list of users, and no line in the rail leads there."""
    nurse = signed_in("clinical_staff")
    assert nurse.get("/admin/users").status_code == 403
    assert nurse.post("/admin/users", data=NEW).status_code == 403
    assert "/admin" not in nurse.get("/account").text
