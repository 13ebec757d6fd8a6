"""The shell in a real browser: signing in by keyboard, narrow and wide, light and dark, by axe."""

from conftest import FixedClock
from playwright.sync_api import Browser, Page, expect
from signing_in import PASSWORD
from windows import Complaints, MakePerson, NewContext, PageOf, no_violations

WIDTHS = (320, 768, 1440)
ADMIN_PAGES = (
    "/account",
    "/account/app",
    "/account/password",
    "/admin/users",
    "/admin/roles",
    "/admin/emergencies",
    "/admin/provider",
    "/admin/sites",
    "/admin/accesses",
    "/emergency",
)


def looked_at(page: Page, address: str, *schemes: str) -> None:
    """Open a page at each width, in each color scheme: no rule broken, nothing runs over."""
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for width in WIDTHS if scheme == "light" else WIDTHS[:1]:
            page.set_viewport_size({"width": width, "height": 800})
            page.goto(address)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (address, width)
        no_violations(page)


def test_a_person_signs_in_with_the_keyboard_alone(
    anonymous: Page, person: MakePerson, clock: FixedClock
) -> None:
    """From the address on, Tab and Enter are enough; the skip link leads to the content."""
    nurse, page = person("clinical_staff"), anonymous
    page.goto("/sign-in?next=/account")
    no_violations(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    for text in (nurse.address, PASSWORD, nurse.code(clock.now())):
        page.keyboard.press("Tab")
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).press("Enter")
    expect(page.get_by_role("status")).to_have_text("You are signed out.")


def test_what_is_wrong_is_said_and_focusable(anonymous: Page, complaints: Complaints) -> None:
    """A refused sign-in says so in a summary; the address stays, the password does not."""
    complaints.expect("401")
    page = anonymous
    page.goto("/sign-in")
    page.get_by_label("Address").fill("nobody@practice.example")
    page.get_by_label("Password").fill("not the right one")
    page.get_by_label("One-time code").fill("000000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("is not right")
    expect(page.get_by_label("Address")).to_have_value("nobody@practice.example")
    expect(page.get_by_label("Password")).to_have_value("")
    no_violations(page)


def test_the_pages_of_access_break_no_rule(page_of: PageOf) -> None:
    """Account, users, roles, accesses and emergencies: by axe, at each width, light and dark."""
    page = page_of("practice_admin")
    for address in ADMIN_PAGES:
        looked_at(page, address, "light")
    looked_at(page, "/admin/users", "dark")


def test_a_user_is_invited_and_comes_in(
    page_of: PageOf, anonymous: Page, clock: FixedClock
) -> None:
    """The administrator adds a user; behind the link the user sets up and sees recovery codes."""
    import pyotp

    admin = page_of("practice_admin")
    admin.goto("/admin/users")
    admin.get_by_label("Name").fill("Nora Nurse")
    admin.get_by_label("Address").fill("nora@practice.example")
    admin.get_by_role("button", name="Add and make a link").click()
    no_violations(admin)
    link = admin.locator("main code").inner_text()
    page = anonymous
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto(link)
    no_violations(page)
    page.get_by_text("Or type the key into the app").click()
    secret = page.locator("details code").inner_text().replace(" ", "")
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("The same once more").fill(PASSWORD)
    page.get_by_label("The code that the app shows").fill(pyotp.TOTP(secret).at(clock.now()))
    page.get_by_role("button", name="Set up and sign in").click()
    expect(page.get_by_role("heading", name="Keep these recovery codes")).to_be_visible()
    expect(page.locator(".codes li")).to_have_count(10)
    no_violations(page)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_without_scripts_everything_works(
    browser: Browser, served: object, new_context: NewContext, person: MakePerson, clock: FixedClock
) -> None:
    """A browser that runs no scripts signs in, opens its account and signs out."""
    page = new_context(java_script_enabled=False).new_page()  # type: ignore[call-arg]
    nurse = person("clinical_staff")
    page.goto("/sign-in?next=/account")
    page.get_by_label("Address").fill(nurse.address)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("One-time code").fill(nurse.code(clock.now()))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_problem_is_a_page_of_ours(page_of: PageOf, complaints: Complaints) -> None:
    """An unknown address and a page that one may not open: a title, a way home, no rule broken."""
    complaints.expect("404|403")
    page = page_of("clerical_staff")
    for address, title in (("/nowhere", "no such page"), ("/admin/users", "may not do this")):
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_contain_text(title)
        no_violations(page)
        expect(page.get_by_role("link", name="To your first page")).to_be_visible()
