"""The browser of the tests itself: it reaches the server, and complaints are heard."""

from playwright.sync_api import Page, expect
from windows import Complaints, Served


def test_a_restarted_server_is_found_again(anonymous: Page, served: Served) -> None:
    """A page loads from the server, also after a restart at the same address."""
    anonymous.goto("/")
    served.restart()
    anonymous.goto("/")
    expect(anonymous.get_by_role("heading", level=1)).to_be_visible()


def test_what_a_content_policy_refuses_is_heard(anonymous: Page, complaints: Complaints) -> None:
    """A script in the markup does not run, and a test that did not expect it would fail."""
    anonymous.goto("/")
    title = anonymous.title()
    complaints.expect("Content Security Policy")
    anonymous.evaluate(
        "() => { const one = document.createElement('script');"
        " one.textContent = 'document.title = \"ran\"'; document.head.append(one); }"
    )
    expect(anonymous).to_have_title(title)
    assert complaints.provoked_heard
