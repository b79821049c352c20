"""Each person's main journey in a real browser, in both languages, from a fresh ledger."""

import re

import pytest
from playwright.sync_api import expect

from api.pages.kit.languages import words
from ledger.kernel.roles import Role
from tests.browsers import ARTEFACTS, WIDTHS, browser_here, faults, window
from tests.office import Office
from tests.server import serving
from tests.signed_in import cookies, session_of

LANGUAGES = ("zh", pytest.param("en", marks=pytest.mark.slow))

CHECKED_MS = 120_000
"""Milliseconds in which a check of the history ends, at the lowest priority."""

AMOUNT = {"amount": "1,200.00"}


@pytest.fixture(scope="module")
def browser():
    with browser_here() as found:
        yield found


@pytest.fixture(scope="module", params=LANGUAGES)
def here(request, tmp_path_factory):
    """A fresh ledger with one fund and a gift, and the language that is spoken."""
    data = tmp_path_factory.mktemp("desk") / "data"
    data.mkdir()
    with serving(data) as server:
        office = Office(server)
        office.fund("F-HEAR")
        office.gift("F-HEAR", 500_000)
        yield Here(server, office, request.param)


class Here:
    """A server, the people of its office, and the language that they read."""

    def __init__(self, server, office, language):
        self.server, self.office, self.language = server, office, language
        self.say = words(language).gettext

    def window(self, browser, name, *roles, width=1280, **said):
        secret = session_of(self.server, name, *roles)
        stored = cookies(secret, self.language)
        return window(browser, self.server.url, width, storage_state=stored, **said)

    def kept(self, page, name):
        """Look at a page: it keeps nobody out, fits, and is left to be looked at."""
        assert faults(page) == [], name
        ARTEFACTS.mkdir(exist_ok=True)
        size = page.viewport_size
        for width, height in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": height})
            path = ARTEFACTS / f"desk-{name}-{self.language}-{width}.png"
            page.screenshot(path=path, full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        page.set_viewport_size(size)


def test_a_donor_promises_and_finds_it_again(browser, here):
    say = here.say
    with here.window(browser, "梅女士", Role.DONOR) as page:
        page.goto("/give")
        here.kept(page, "give")
        page.get_by_label(say("How much, in yuan?")).fill("1,200.00")
        page.get_by_label(say("In how many monthly parts?")).select_option("3")
        page.get_by_role("button", name=say("Go on")).click()
        expect(page.get_by_label(say("Name"), exact=True)).to_be_visible()
        here.kept(page, "give-who")
        page.get_by_label(say("Name"), exact=True).fill("梅女士")
        page.get_by_label(say("I promise this in public")).check()
        page.get_by_role("button", name=say("Go on")).click()
        expect(page.get_by_role("heading", name=say("Check your promise"))).to_be_visible()
        expect(page.locator(".law")).to_contain_text("慈善法")
        here.kept(page, "give-check")
        page.locator("main form button").dblclick()

        thanks = say("Thank you. Your promise is recorded.")
        expect(page.get_by_role("heading", name=thanks)).to_be_visible()
        here.kept(page, "pledge")
        page.goto("/mine")
        expect(page.locator("tbody tr")).to_have_count(1)
        expect(page.locator("tbody tr")).to_contain_text("1,200.00")
        here.kept(page, "mine")
        page.goto("/mine/data")
        expect(page.locator("main")).to_contain_text("梅女士")
        here.kept(page, "my-data")


def ask_for_aid(page, here):
    """Walk the steps of a request for 1,200.00 yuan, and press the last button twice."""
    say = here.say
    page.goto("/desk/request")
    here.kept(page, "request")
    page.locator("input[name=fund]").first.check()
    page.get_by_label(say("Name of the payee")).fill("爱丽聋儿康复中心")
    page.get_by_label(say("Amount, in yuan")).fill("1,200")
    page.get_by_label(say("Purpose")).fill("测听室设备")
    page.get_by_role("button", name=say("Go on")).click()
    expect(page.get_by_role("heading", name=say("Check the request"))).to_be_visible()
    here.kept(page, "request-check")
    page.get_by_role("button", name=say("Ask for %(amount)s yuan") % AMOUNT).dblclick()
    expect(page.locator(".recorded")).to_be_visible()


@pytest.mark.slow
def test_a_request_goes_from_the_inbox_to_the_payee(browser, here):
    say, office = here.say, here.office
    with here.window(browser, "lin", Role.CLERK) as page:
        ask_for_aid(page, here)
        page.goto("/desk/aid")
        expect(page.locator("tbody tr")).to_have_count(1)
    (asked,) = (each["id"] for each in office.sun.all("/v1/disbursements"))
    for name in ("wang", "zhao"):
        with here.window(browser, name, Role.APPROVER) as page:
            page.goto("/desk")
            here.kept(page, "inbox")
            page.get_by_role("link", name=say("To approve")).click()
            expect(page).to_have_url(re.compile("/desk/aid"))
            here.kept(page, "aid")
            page.locator("tbody th a").first.click()
            page.get_by_role("button", name=say("Approve %(amount)s yuan") % AMOUNT).click()
            expect(page.locator(".recorded")).to_be_visible()
            if name == "wang":
                again = page.get_by_role("button", name=say("Approve %(amount)s yuan") % AMOUNT)
                expect(again).to_be_disabled()
                expect(page.locator(".why").first).to_contain_text(
                    say("Ask a colleague who has had no part in it yet.")
                )
            here.kept(page, f"approval-{name}")
    with here.window(browser, "chen", Role.CASHIER) as page:
        page.goto("/desk")
        page.get_by_role("link", name=say("To pay")).click()
        page.locator("tbody th a").first.click()
        page.get_by_label(say("Reference of the bank")).fill("PAY-1")
        page.get_by_role("button", name=say("Record %(amount)s yuan as paid") % AMOUNT).click()
        expect(page.locator(".recorded")).to_be_visible()
        here.kept(page, "paid")

    with here.window(browser, "bo", Role.BOOKKEEPER) as page:
        page.goto("/desk")
        page.get_by_role("link", name=say("To be found on a statement")).click()
        page.get_by_label(say("Statement in hand")).fill("2026-11/17")
        page.get_by_role("button", name=say("Show")).click()
        expect(page.get_by_role("link", name="PAY-1")).to_be_visible()
        here.kept(page, "bank")
        page.get_by_role("link", name="PAY-1").click()
        confirm = page.get_by_role("button", name=say("I found %(amount)s yuan there") % AMOUNT)
        expect(confirm).to_be_visible()
        here.kept(page, "bank-one")
        confirm.click()
        expect(page.locator(".recorded")).to_be_visible()
        expect(page.get_by_role("link", name="PAY-1")).to_have_count(0)

    recorded = office.sun.read(f"/v1/disbursements/{asked}")
    assert (recorded["state"], recorded["confirmed_on"] is None) == ("paid", False)


@pytest.mark.slow
def test_who_is_related_to_a_payee_says_so_and_may_not_approve(browser, here):
    say, office = here.say, here.office
    payee = {"kind": "organisation", "name": "南风助残社"}
    asked = office.request("F-HEAR", 30_000, payee=payee)
    with here.window(browser, "qian", Role.APPROVER) as page:
        page.goto(f"/desk/aid/{asked}")
        page.get_by_role(
            "link", name=say("Are you related to this payee? Declare it first.")
        ).click()
        page.get_by_label(say("How")).select_option("family")
        page.get_by_role("checkbox").check()
        page.get_by_role("button", name=say("Declare")).click()
        expect(page.locator(".recorded")).to_be_visible()
        here.kept(page, "relations")
        page.goto(f"/desk/aid/{asked}")
        expect(page.locator(".step button").first).to_be_disabled()
        here.kept(page, "approval-related")


@pytest.mark.slow
def test_a_treasurer_settles_a_sale_and_follows_a_number_to_its_lines(browser, here):
    say, office = here.say, here.office
    sale = office.ended_sale("F-HEAR")
    with here.window(browser, "sun", Role.TREASURER) as page:
        page.goto("/desk")
        page.locator("#sales + table a").first.click()
        settle = page.get_by_role("button", name=say("Settle with a difference of 0.00"))
        expect(settle).to_be_disabled()
        here.kept(page, "settlement")
        for field in page.locator("table input").all():
            field.fill("0.00")
        page.get_by_role("button", name=say("Compare")).click()
        expect(settle).to_be_enabled()
        settle.click()
        expect(page.locator(".recorded")).to_be_visible()
        page.goto("/desk/trial-balance")
        here.kept(page, "trial-balance")
        page.locator("tbody a").first.click()
        expect(page).to_have_url(re.compile("account="))
        here.kept(page, "journal")
        page.locator("tbody a").first.click()
        expect(page.get_by_role("heading", name=say("The entry in the books"))).to_be_visible()
        page.goto("/desk/pledges")
        here.kept(page, "overdue")

    assert office.public.read(f"/v1/sales/{sale}")["state"] == "settled"


@pytest.mark.slow
def test_an_auditor_goes_back_in_time_and_to_the_bytes(browser, here):
    say = here.say
    with here.window(browser, "an", Role.AUDITOR) as page:
        page.goto("/audit/checks")
        page.get_by_role("button", name=say("Check the history now")).click()
        expect(page.locator("#verification progress")).to_be_visible()
        here.kept(page, "checks-under-way")
        page.goto("/audit/history")
        here.kept(page, "history")
        page.locator("tbody a").first.click()
        expect(page.get_by_role("heading", name=say("As it is stored"))).to_be_visible()
        here.kept(page, "event")
        page.goto("/audit/time")
        slider = page.get_by_role("slider")
        slider.focus()
        page.keyboard.press("Home")
        expect(page.locator("#chosen")).to_have_text("0")
        page.keyboard.press("ArrowRight")
        page.get_by_role("button", name=say("Show")).click()
        expect(page).to_have_url(re.compile("at=1"))
        here.kept(page, "time")
        page.goto("/audit/checks")
        done = page.locator("#verification p.recorded")
        expect(done).to_be_visible(timeout=CHECKED_MS)
        expect(page.get_by_role("button", name=say("Check the history now"))).to_be_enabled()
        here.kept(page, "checks")
        for link, name in (("hledger", r"leifeng\.journal"), ("ZIP", r"leifeng-audit-\d+\.zip")):
            with page.expect_download() as told:
                page.get_by_role("link", name=link).click()
            assert re.fullmatch(name, told.value.suggested_filename)


@pytest.mark.slow
def test_an_auditor_needs_no_javascript(browser, here):
    secret = session_of(here.server, "an", Role.AUDITOR)
    stored = cookies(secret, here.language)
    with browser.new_context(
        base_url=here.server.url, storage_state=stored, java_script_enabled=False
    ) as context:
        page = context.new_page()
        page.goto("/audit/time")
        page.get_by_role("slider").focus()
        page.keyboard.press("Home")
        page.get_by_role("button", name=here.say("Show")).click()

        expect(page).to_have_url(re.compile("at=0"))
        expect(page.locator("main")).to_contain_text(
            here.say("Before the first event there was nothing.")
        )


def test_a_clerk_records_a_pledge_by_a_drawn_form(browser, here):
    say = here.say
    here.office.donor("周女士")
    with here.window(browser, "经办小林", Role.CLERK) as page:
        page.goto("/home")
        page.get_by_role("link", name=say("What I can do"), exact=True).click()
        here.kept(page, "do")
        page.get_by_role("link", name=say("Record a pledge"), exact=True).click()
        here.kept(page, "do-form")
        page.get_by_role("button", name=say("Go on")).last.click()
        expect(page.get_by_role("alert")).to_contain_text(say("fill this in"))
        here.kept(page, "do-faults")
        page.get_by_label(say("Search"), exact=True).first.fill("周女士")
        page.get_by_role("button", name=re.compile(f"{say('Search')}.*{say('Donor')}")).click()
        page.get_by_role("radio", name=re.compile("周女士")).check()
        page.get_by_role("radio", name=re.compile("F-HEAR")).check()
        page.get_by_label(say("Amount, in yuan"), exact=True).fill("1,200.00")
        for row in range(2):
            page.get_by_role("button", name=re.compile(say("Add a row"))).click()
            page.locator(f'[name="instalments.{row}.due_on"]').fill(f"2099-0{row + 1}-01")
            page.locator(f'[name="instalments.{row}.amount"]').fill("600")
        here.kept(page, "do-rows")
        page.get_by_role("button", name=say("Go on")).last.click()
        expect(page.locator("main")).to_contain_text(say("What would be recorded"))
        here.kept(page, "do-check")
        page.get_by_role("button", name=say("Record a pledge")).click()
        expect(page.get_by_role("status")).to_contain_text(say("Recorded as"))
        here.kept(page, "do-done")
