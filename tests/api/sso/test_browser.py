"""A real browser goes to the provider and comes back: from another site, under our own policy."""

import re
from datetime import UTC, datetime

import pyotp
import pytest
from playwright.sync_api import expect

from api.pages.kit.languages import words
from ledger.kernel.roles import Role
from tests.browsers import ARTEFACTS, WIDTHS, browser_here, faults, window
from tests.provider import provider
from tests.server import serving

ADDRESS = "http://localhost"
"""Another site than the provider's, which is at 127.0.0.1: so cookies are kept from one another."""

ELSEWHERE = re.compile("^https://")
"""Where the provider's page has its styles from, which are not to be had here."""


@pytest.fixture(scope="module")
def there():
    with provider(ADDRESS) as running:
        yield running


@pytest.fixture(scope="module")
def server(there, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    with serving(folder / "data", None, *there.options(folder / "secret")) as running:
        yield running


@pytest.fixture(scope="module")
def browser(server):
    port = server.url.rpartition(":")[2]
    with browser_here(f"--host-resolver-rules=MAP localhost:80 127.0.0.1:{port}") as found:
        yield found


def kept(page, name):
    """Look at a page: it keeps nobody out, fits, and is left to be looked at."""
    assert faults(page) == [], name
    ARTEFACTS.mkdir(exist_ok=True)
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        page.screenshot(path=ARTEFACTS / f"sso-{name}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name


def sign_in_there(page, there, subject):
    """Do what the provider asks for."""
    page.wait_for_url(f"{there.issuer}/**")
    page.locator('input[name="sub"]').fill(subject)
    page.locator('input[name="sub"]').press("Enter")


def with_second_factor(identity, person):
    """Have somebody set up a second factor; return the recovery codes."""
    now = datetime.now(UTC)
    code = pyotp.TOTP(identity.second_factors.begin(person)).at(now)
    return identity.second_factors.confirm(person, code, now)


@pytest.mark.slow
def test_an_invited_person_goes_there_comes_back_and_comes_again(server, there, browser):
    say, identity, now = words("zh").gettext, server.identity, datetime.now(UTC)
    person = identity.users.enrol("林一", [Role.BOOKKEEPER], now)
    where = f"/invitation/{identity.passwords.invite(person, now)}"
    button = say("Sign in at %(provider)s") % {"provider": "星火ID"}

    with window(browser, ADDRESS) as page:
        page.route(ELSEWHERE, lambda route: route.fulfill(body="", content_type="text/css"))
        page.goto(where)
        kept(page, "invitation")
        page.get_by_role("button", name=button).click()
        sign_in_there(page, there, "lin")
        page.wait_for_url(f"{ADDRESS}/desk")
        page.goto(f"{ADDRESS}/account")
        expect(page.locator("main")).to_contain_text("林一")
        kept(page, "account")
        page.get_by_role("button", name=say("Sign out"), exact=True).click()
        page.wait_for_url(f"{ADDRESS}/")

        codes = with_second_factor(identity, person)
        page.goto("/desk/journal")
        page.wait_for_url(f"{ADDRESS}/sign-in?next=%2Fdesk%2Fjournal")
        kept(page, "sign-in")
        page.get_by_role("button", name=button).click()
        sign_in_there(page, there, "lin")
        page.wait_for_url(f"{ADDRESS}/sign-in/sso/code")
        kept(page, "code")
        page.locator('input[name="code"]').fill(codes[0])
        page.locator('input[name="code"]').press("Enter")
        page.wait_for_url(f"{ADDRESS}/desk/journal")
