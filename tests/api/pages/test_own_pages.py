"""Pages of those who signed in: who sees what, and that what forms record is as the API has it."""

import csv
import json
import re
from hashlib import sha256
from io import BytesIO, StringIO
from uuid import uuid4
from zipfile import ZipFile

import pytest

from api.app import create_app
from api.pages.kit.entrance import Entrance
from api.pages.kit.menu import OWN_PAGES
from ledger.kernel.money import yuan
from ledger.kernel.roles import Role
from tests.api.pages.test_pages import plain
from tests.office import DAY, LAST_DAY
from tests.processes import leifeng
from tests.signed_in import Visitor, hidden
from tests.stores import on_files_first

pytestmark = on_files_first

SOME_ID = "01a20737-75c3-7cc1-b1f2-e52f15c6c3a7"

SIDES = ("debit", "credit", "balance")


@pytest.fixture(scope="module")
def visitors(server, years):
    """Somebody of each role, signed in."""
    assert years.last
    people = {role: Visitor(server, f"the {role}", role) for role in Role}
    yield people
    for each in people.values():
        each.http.close()


@pytest.fixture(scope="module")
def two_donors(server, years):
    """Two donors who have each promised something on these pages, and what."""
    given = {}
    for name in ("梅女士", "李先生"):
        donor = Visitor(server, name, Role.DONOR)
        given[name] = donor, promise(donor, years.hear, name=name)
    yield given
    for donor, _ in given.values():
        donor.http.close()


def promise(donor, fund, *, name, amount="100.00", **said):
    """Walk the three steps of giving; return the id of the pledge."""
    asked = {"fund": fund, "amount": amount, "parts": "1", "first": "2099-01-01"} | said
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    second = donor.read(f"/give/who?{query}")
    if 'action="/give/who"' in second:
        ticked = {"public": said["public"]} if "public" in said else {}
        sent = donor.send("/give/who", **hidden(second), name=name, **ticked)
        assert sent.status_code == 303, sent.text
        third = donor.read(sent.headers["location"])
    else:
        third = donor.read(f"/give/check?{query}")
    done = donor.send("/give", **hidden(third))
    assert done.status_code == 303, done.text
    return done.headers["location"].partition("?")[0].rpartition("/")[2]


def pages_of_the_app(tmp_path):
    return [
        (method, route.path, route.roles)
        for route in create_app(tmp_path).routes
        if isinstance(route, Entrance) and route.roles
        for method in sorted(route.methods - {"HEAD"})
    ]


def moved(server):
    """Return how many events there are, but for those of who may come in."""
    events = server.person("an", Role.AUDITOR).all("/v1/events", limit=1000)
    return len([each for each in events if not each["type"].startswith("person.")])


def filled(path):
    path = re.sub(r"\{position\}", "1", path)
    path = re.sub(r"\{name\}", "ndjson", path)
    return re.sub(r"\{\w+\}", SOME_ID, path)


def test_no_page_opens_to_whoever_is_not_signed_in(server, office, tmp_path):
    found = pages_of_the_app(tmp_path)
    assert len(found) > 25
    before = moved(server)
    for asking in (server.public.http, office.sun.http):  # A token signs nobody in.
        for method, path, _ in found:
            said = {"Accept": "text/html", "Origin": server.url}
            answer = asking.request(method, filled(path), headers=said)
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/sign-in?next="), path
    assert moved(server) == before


def test_a_page_opens_to_its_roles_alone(visitors, server, tmp_path):
    before = moved(server)
    for method, path, roles in pages_of_the_app(tmp_path):
        for role, visitor in visitors.items():
            if role in roles:
                continue
            answer = visitor.http.request(method, filled(path))
            assert answer.status_code == 403, (path, role)
            assert "Each role has its own tasks." in answer.text
    assert moved(server) == before


@pytest.mark.parametrize("role", Role)
def test_what_a_person_is_offered_is_there(visitors, role):
    offered = [each.path for each in OWN_PAGES if role in each.roles]
    for path in offered:
        page = visitors[role].open(path)
        assert page.status_code == 200, path
        assert page.headers["cache-control"] == "no-store"
        shown = set(re.findall(r'<li><a href="([^"]+)"', page.text.partition('class="own"')[2]))
        assert set(offered) <= shown
    assert offered


@pytest.mark.parametrize("role", Role)
def test_the_menu_of_a_person_stands_on_every_page(visitors, role):
    offered = [each.path for each in OWN_PAGES if role in each.roles]
    for path in ("/", "/funds", "/method", "/log", "/account", "/nowhere", "/desk/do"):
        page = visitors[role].open(path)
        menu = page.text.partition('class="own"')[2].partition("</nav>")[0]
        assert re.findall(r'<li><a href="([^"]+)"', menu) == offered, path
        assert page.headers["cache-control"] == "no-store"
        current = re.findall(r'href="([^"]+)" aria-current="page"', menu)
        assert current == [path] * (path in offered)


def test_below_a_page_of_the_menu_the_menu_says_so(visitors):
    page = visitors[Role.CLERK].read("/desk/do/donations/new")

    assert 'href="/desk/do" aria-current="true"' in page
    assert 'href="/desk" aria-current' not in page


def test_whoever_is_not_signed_in_has_no_menu(server):
    for secret in (None, "nonsense"):
        cookies = {} if secret is None else {"Cookie": f"session={secret}"}
        page = server.public.http.get("/", headers={"Accept": "text/html", **cookies})
        assert 'class="own"' not in page.text
        assert page.headers["cache-control"] == "no-cache"


# Aid.


def test_the_inbox_counts_what_the_lists_show(visitors, office, years):
    waiting = [office.request(years.warm, 300) for _ in range(2)]
    office.approve(waiting[1], office.wang)
    page = visitors[Role.TREASURER].read("/desk")
    for href, number in re.findall(r'<a href="([^"]+)"><span class="number">([\d,]+)<', page):
        listed = visitors[Role.TREASURER].read(href)
        rows = re.findall(r'<th role="rowheader"', listed.partition("<tfoot")[0])
        assert len(rows) == int(number), href


def test_a_button_says_why_this_person_may_not(visitors, office, years, server):
    asked = office.request(years.warm, 400)
    before = moved(server)
    page = visitors[Role.AUDITOR].read(f"/desk/aid/{asked}")
    assert page.count("<fieldset disabled>") == 3
    assert "Each role has its own tasks." in page

    visitor = visitors[Role.APPROVER]
    form = hidden(visitor.read(f"/desk/aid/{asked}"))
    assert moved(server) == before  # Whether it could be done was asked, and not recorded.
    assert visitor.send(f"/desk/aid/{asked}/approval", on=DAY, **form).status_code == 303
    again = plain(visitor.read(f"/desk/aid/{asked}"))
    assert "Two approvals are two people's." in again
    assert "Ask a colleague who has had no part in it yet." in again


def test_money_that_is_not_there_is_seen_before_the_last_approval(visitors, office, years):
    asked = office.request(years.warm, 10_000_000)
    office.approve(asked, office.wang)
    page = visitors[Role.APPROVER].read(f"/desk/aid/{asked}")

    assert 'class="differs"' in page
    assert "available" in plain(page)
    assert "<fieldset disabled>" in page


def test_a_form_sent_twice_counts_once(visitors, office, years, server):
    asked = office.approved(years.warm, 200)
    cashier = visitors[Role.CASHIER]
    form = hidden(cashier.read(f"/desk/aid/{asked}")) | {"external_ref": uuid4().hex, "on": DAY}
    first = cashier.send(f"/desk/aid/{asked}/payment", **form)
    before = moved(server)
    second = cashier.send(f"/desk/aid/{asked}/payment", **form)

    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    assert moved(server) == before


def test_a_refused_step_is_told_on_its_page_and_changes_nothing(visitors, office, years, server):
    asked = office.approved(years.warm, 100)
    cashier = visitors[Role.CASHIER]
    form = hidden(cashier.read(f"/desk/aid/{asked}")) | {"external_ref": "R-1", "on": "soon"}
    before = moved(server)
    answer = cashier.send(f"/desk/aid/{asked}/payment", **form)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "What was said cannot be true as written." in answer.text
    assert moved(server) == before


# Giving.


def test_a_promise_is_confirmed_by_its_reference(two_donors, office):
    donor, pledge = two_donors["梅女士"]
    recorded = office.lin.read(f"/v1/donations/{pledge}")
    page = plain(donor.read(f"/mine/{pledge}?done={recorded['position']}"))

    assert recorded["amount"] == 10_000
    assert "Thank you. Your promise is recorded." in page
    assert pledge in page


def test_a_promise_in_parts_is_made_to_the_fen(server, years, office):
    donor = Visitor(server, "周女士", Role.DONOR)
    said = {"amount": "100.00", "parts": "3", "first": "2099-01-31", "public": "yes"}
    pledge = promise(donor, years.hear, name="周女士", **said)
    recorded = office.lin.read(f"/v1/donations/{pledge}")

    assert recorded["public_promise"] is True
    due = [(each["due_on"], each["amount"]) for each in recorded["instalments"]]
    assert due == [("2099-01-31", 3_334), ("2099-02-28", 3_333), ("2099-03-28", 3_333)]
    refused = plain(donor.read(f"/mine/{pledge}"))
    assert "A promise made in public must be kept" in refused
    donor.http.close()


@pytest.mark.parametrize("amount", ["", "0", "-5", "1.234", "1e9", "12,34", "99999999999999"])
def test_what_is_no_amount_leads_back_to_the_first_step(visitors, server, years, amount):
    before = moved(server)
    answer = visitors[Role.DONOR].open(f"/give/who?fund={years.hear}&amount={amount}&parts=1")

    assert answer.status_code == 422
    assert 'action="/give/who"' in answer.text
    assert 'role="alert"' in answer.text
    assert moved(server) == before


def test_a_donor_sees_and_changes_only_their_own(two_donors, server):
    (mei, meis), (li, lis) = two_donors.values()
    assert meis in mei.read("/mine")
    assert lis not in mei.read("/mine")
    before = moved(server)
    for asked in (mei.open(f"/mine/{lis}"), li.open(f"/mine/{meis}")):
        assert asked.status_code == 404
    stolen = mei.send(f"/mine/{lis}/withdrawal", key=uuid4().hex, reason="mine now")
    assert stolen.status_code == 404
    assert moved(server) == before
    assert "李先生" not in mei.read("/mine/data")
    assert "梅女士" in mei.read("/mine/data")


def test_who_owes_nothing_can_have_their_data_stopped_and_erased(server, years, office):
    donor = Visitor(server, "吴女士", Role.DONOR)
    pledge = promise(donor, years.hear, name="吴女士")
    page = donor.read("/mine/data")
    assert "Who owes money, or is owed it, is not erased" in plain(page)
    form = {"key": uuid4().hex, "reason": "moved away"}
    assert donor.send(f"/mine/{pledge}/withdrawal", **form).status_code == 303
    assert donor.send("/mine/data/restriction", key=uuid4().hex).status_code == 303
    assert "Used for nothing any more" in donor.read("/mine/data")
    done = donor.send("/mine/data/erasure", key=uuid4().hex)
    assert "Your data are erased" in done.text

    assert donor.open("/mine/data").headers["location"].startswith("/sign-in")
    assert office.lin.read(f"/v1/donations/{pledge}")["withdrawn"] == 10_000
    donor.http.close()


# Settlement and the books.


def test_a_sale_is_settled_once_every_difference_is_nothing(visitors, office, years, server):
    sale = office.ended_sale(years.hear)
    treasurer, path = visitors[Role.TREASURER], f"/desk/sales/{sale}"
    nothing = dict.fromkeys(("gross", "refunds", "partner_fee", "channel_fee", "net_proceeds"), "0")
    query = "&".join(f"{name}={said}" for name, said in nothing.items())
    assert "<fieldset disabled>" in treasurer.read(path)
    assert "<fieldset disabled>" not in treasurer.read(f"{path}?{query}")
    before = moved(server)
    wrong = treasurer.send(
        f"{path}/settlement", key=uuid4().hex, agreed_on="2026-03-28", **nothing | {"gross": "0.01"}
    )
    assert wrong.status_code == 409
    assert "theirs 0.01, ours 0.00" in plain(wrong.text)
    assert moved(server) == before
    right = treasurer.send(f"{path}/settlement", key=uuid4().hex, agreed_on="2026-03-28", **nothing)
    assert right.status_code == 303, LAST_DAY
    assert office.public.read(f"/v1/sales/{sale}")["state"] == "settled"


def rows(visitor, path):
    answer = visitor.open(path)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text.startswith("\ufeff")
    return list(csv.reader(StringIO(answer.text.removeprefix("\ufeff"))))[1:]


def money(fen):
    return yuan(fen).replace(",", "")


@pytest.mark.parametrize("fund", ["", "F-HEAR"])
def test_the_trial_balance_is_that_of_the_api_and_leads_to_its_entries(visitors, office, fund):
    asked = {"fund": fund} if fund else {}
    said = office.sun.read("/v1/trial-balance", as_of="2026-05-31", **asked)
    path = f"/desk/trial-balance?on=2026-05-31&fund={fund}"
    wanted = [
        [
            each["account"],
            each["name_en"],
            *(money(each[n]) for n in ("debit", "credit", "balance")),
        ]
        for each in said["accounts"]
    ]
    assert rows(visitors[Role.TREASURER], f"{path}&as=csv") == wanted
    page = visitors[Role.TREASURER].read(path)
    assert yuan(said["debit"]) in page

    links = re.findall(r'<a href="(/desk/journal\?[^"]+)">([\w.]+)</a>', page)
    assert len(links) == len(wanted)
    for href, account in links:
        lines = rows(visitors[Role.TREASURER], f"{href.replace('&amp;', '&')}&as=csv")
        of_account = [each for each in lines if each[3] == account and fund in ("", each[5])]
        (row,) = (each for each in said["accounts"] if each["account"] == account)
        debit = sum(int(each[6].replace(".", "")) for each in of_account)
        assert debit == row["debit"], account


def test_every_list_goes_out_whole(visitors, office):
    auditor = visitors[Role.AUDITOR]
    events = office.an.all("/v1/events", limit=1000)
    assert [int(each[0]) for each in rows(auditor, "/audit/history?as=csv")] == [
        each["position"] for each in events
    ]
    entries = office.sun.all("/v1/journal", limit=1000)
    journal = rows(auditor, "/desk/journal?as=csv")
    assert len(journal) == sum(len(each["lines"]) for each in entries)
    register = office.sun.all("/v1/disbursements")
    assert len(rows(auditor, "/desk/aid?as=csv")) == len(register)
    exported = auditor.open("/audit/exports/ndjson").text.splitlines()
    assert [json.loads(each) for each in exported] == events


def test_the_bundle_is_verified_by_whoever_takes_it_away(visitors, server, tmp_path):
    server.have_signed()
    sent = visitors[Role.AUDITOR].open("/audit/exports/bundle")
    with ZipFile(BytesIO(sent.content)) as archive:
        archive.extractall(tmp_path)
    (bundle,) = tmp_path.iterdir()
    key = leifeng("audit", "key", "--data", server.data).stdout.strip()

    verified = leifeng("audit", "verify", bundle, "--vkey", key)

    assert verified.returncode == 0, verified
    assert bundle.name == f"leifeng-audit-{server.position()}"
    assert f"{bundle.name}.zip" in sent.headers["content-disposition"]
    assert f"log {key}" in (bundle / "policy").read_text(encoding="ascii")


def test_every_public_list_goes_out_whole(visitors, office, years):
    reader = visitors[Role.PARTNER]
    funds = rows(reader, "/funds?as=csv")
    for fund in office.public.read("/v1/funds")["items"]:
        had = office.balance(fund["code"])
        (row,) = (each for each in funds if each[0] == fund["code"])
        assert row[-2:] == [money(had["balance"]), money(had["available"])]
    sales = office.public.all("/v1/sales")
    assert len(rows(reader, "/sales?as=csv")) == len(sales)
    goods = rows(reader, f"/sales/{years.sale}?as=csv")
    (sale,) = (each for each in sales if each["id"] == years.sale)
    wanted = [[each["sku"], str(each["sold"])] for each in sale["items"]]
    assert [[each[0], each[4]] for each in goods] == wanted


@pytest.mark.parametrize("period", ["", "&from=2026-04-01&to=2026-06-30"])
def test_a_statement_goes_out_from_opening_to_closing(visitors, office, years, period):
    reader = visitors[Role.PARTNER]
    opening, *lines, closing = rows(reader, f"/funds/{years.hear}?as=csv{period}")
    page = plain(reader.read(f"/funds/{years.hear}?{period}"))

    assert len(lines) > 1
    moves = sum(fen(each[3]) - fen(each[4]) for each in lines)
    assert fen(opening[-1]) + moves == fen(closing[-1]) == fen(lines[-1][-1])
    assert f"Closing {' '.join(yuan(fen(each)) for each in closing[3:])}" in page
    if not period:
        assert fen(closing[-1]) == office.balance(years.hear)["balance"]


def test_a_line_of_a_statement_goes_out_as_its_events(visitors, years):
    reader = visitors[Role.PARTNER]
    lines = rows(reader, f"/funds/{years.hear}?as=csv")[1:-1]
    page = reader.read(f"/funds/{years.hear}")
    links = re.findall(rf'"(/funds/{years.hear}/lines\?[^"]+)"', page)
    for line, link in zip(lines, links, strict=False):
        found = rows(reader, f"{link.replace('&amp;', '&')}&as=csv")
        assert len(found) == int(line[2])
        assert sum(fen(each[3]) for each in found) == fen(line[3]) - fen(line[4])


def test_a_donor_takes_their_own_lists_away(two_donors):
    (mei, meis), (_, lis) = two_donors.values()
    (pledge,) = rows(mei, "/mine?as=csv")
    assert (pledge[0], pledge[4]) == (meis, "100.00")
    assert [each[4] for each in rows(mei, "/mine/data?as=csv")] == ["100.00"]
    assert lis not in mei.open("/mine?as=csv").text


def test_both_sides_of_a_settlement_go_out(visitors, office, years):
    sale = office.ended_sale(years.hear)
    found = rows(visitors[Role.TREASURER], f"/desk/sales/{sale}?gross=0.01&as=csv")
    assert found[0][1:] == ["0.01", "0.00", "0.01"]
    assert found[1][1:] == ["", "0.00", ""]
    waiting = rows(visitors[Role.TREASURER], "/desk?as=csv")
    assert len(waiting) == visitors[Role.TREASURER].read("/desk").count('"/desk/sales/')


def fen(said):
    return int(said.replace(".", ""))


def test_no_cell_is_a_formula(visitors, office, years):
    office.request(years.warm, 100, purpose="=1+1")
    purposes = [each[3] for each in rows(visitors[Role.AUDITOR], "/desk/aid?as=csv")]
    assert "'=1+1" in purposes
    assert "=1+1" not in purposes


# Evidence.


def test_the_bytes_of_an_event_are_those_that_are_proven(visitors, office):
    for event in office.an.read("/v1/events", limit=5)["items"]:
        page = visitors[Role.AUDITOR].read(f"/audit/events/{event['position']}")
        (stored,) = re.findall(r'<pre class="bytes" tabindex="0">(\{.*?\})</pre>', page)
        state = stored.replace("&#34;", '"').replace("&#39;", "'").replace("&amp;", "&")
        digest = sha256(state.encode()).hexdigest()
        inclusion = office.public.read("/v1/proofs/inclusion", position=event["position"])

        assert f"<code>{digest}</code>" in page
        assert json.loads(inclusion["leaf"])["sha256"] == digest
        assert inclusion["leaf_hash"] in page


def test_history_is_found_by_fund_day_person_and_matter(visitors, office, years):
    auditor = visitors[Role.AUDITOR]
    for asked in (
        {"fund": years.warm},
        {"from": "2026-05-01", "to": "2026-06-30"},
        {"stream": years.paid},
        {"actor": office.an.read("/v1/events", limit=1)["items"][0]["actor"]},
    ):
        query = "&".join(f"{name}={said}" for name, said in asked.items())
        wanted = [each["position"] for each in office.an.all("/v1/audit-trail", **asked)]
        found = [int(each[0]) for each in rows(auditor, f"/audit/history?{query}&as=csv")]
        assert found == wanted
        page = auditor.read(f"/audit/history?{query}")
        shown = [int(each) for each in re.findall(r'row"><a href="/audit/events/(\d+)"', page)]
        assert shown == wanted[::-1][:50]
        assert len(wanted) > 0


def test_back_in_time_is_what_the_api_knew_then(visitors, office, years):
    for at, on in (
        (years.last // 2, ""),
        (years.last, "2026-04-30"),
        (years.last // 2, "2026-04-30"),
    ):
        asked = {"known_at": at} | ({"as_of": on} if on else {})
        page = plain(visitors[Role.AUDITOR].read(f"/audit/time?at={at}&on={on}"))
        for fund in (years.hear, years.warm):
            then, now = office.balance(fund, **asked), office.balance(fund)
            shown = [then["balance"], now["balance"], then["balance"] - now["balance"]]
            said = " ".join(yuan(each).replace("-", "−") for each in shown)
            assert re.search(rf"{fund}\b[^\d]* Balance {said}", page)
