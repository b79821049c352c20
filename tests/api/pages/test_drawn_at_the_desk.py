"""Files of lines at the desk, lists of people and funds, and what pages of things offer to do."""

import json
import re
from html import unescape
from uuid import uuid4

import pytest

from api.pages.kit.drawn.wording import LINE_CODES
from ledger.kernel.lines import LineRefused
from ledger.kernel.roles import Role
from tests.api.pages.drawn import (
    address,
    faults,
    search,
)
from tests.api.pages.test_pages import plain
from tests.office import DAY
from tests.rules import below
from tests.signed_in import Visitor
from tests.world import ONE_SOLD


@pytest.fixture(scope="module")
def visitors(server, office):
    """Somebody of each role, signed in, whom nobody knows from elsewhere."""
    assert office
    people = {role: Visitor(server, f"the {role}", role) for role in Role}
    server.wait_until_told()
    yield people
    for each in people.values():
        each.http.close()


# Files of lines.


def upload(visitor, operation, lines, **fields):
    return visitor.http.post(
        address(operation),
        data={"key": uuid4().hex, "do": "confirm"} | fields,
        files={"lines": ("lines.ndjson", lines, "application/x-ndjson")},
    )


def pledges(*donors, fund):
    said = {"fund": fund, "amount": 100, "currency": "CNY", "pledged_on": DAY}
    lines = [said | {"ref": f"{fund}-{n}", "donor": one} for n, one in enumerate(donors)]
    return "\n".join(json.dumps(each) for each in lines).encode()


def test_a_list_of_pledges_is_taken_in_from_a_file(visitors, office):
    clerk, fund = visitors[Role.CLERK], office.fund()
    lines = pledges(office.donor(), str(uuid4()), fund=fund)
    taken = upload(clerk, "donations/batch", lines)
    again = upload(clerk, "donations/batch", lines)

    assert taken.status_code == 200, taken.text
    assert "Lines recorded 1 Lines known before 0 Lines rejected 1" in plain(taken.text)
    assert "No donor is registered under this id." in plain(taken.text)
    assert "Lines recorded 0 Lines known before 1 Lines rejected 1" in plain(again.text)
    assert [each["fund"] for each in office.lin.all("/v1/donations", fund=fund)] == [fund]


@pytest.mark.parametrize("operation", ["sales/orders", "sales/returns"])
def test_orders_and_returns_are_taken_in_from_files(operation, visitors, office):
    fund, treasurer = office.fund(), visitors[Role.TREASURER]
    office.open_sale(fund)
    (sold,) = search(treasurer, operation, "sale_id", fund)
    taken = upload(treasurer, operation, ONE_SOLD, sale_id=sold)

    assert taken.status_code == 200, taken.text
    recorded = int(operation == "sales/orders")
    assert f"Lines recorded {recorded} Lines known before 0" in plain(taken.text)


def test_why_a_line_is_rejected_stands_in_the_readers_language(server, office):
    clerk, nobody = Visitor(server, "文书", Role.CLERK), str(uuid4())
    server.wait_until_told()
    clerk.http.cookies.set("lang", "zh")
    (line,) = map(json.loads, pledges(nobody, fund=office.fund()).splitlines())
    lines = [line, line | {"amount": 0.5}, line | {"colour": "red"}]
    page = upload(clerk, "donations/batch", "\n".join(map(json.dumps, lines)).encode()).text
    clerk.http.close()

    assert f"<small>没有这样的捐赠人：{nobody}</small>" in page
    assert "<small>金额：须为整数分</small>" in page
    assert '<small lang="en">Object contains unknown field `colour`</small>' in page
    assert page.count('<small lang="en">') == 1


def test_without_a_file_nothing_is_taken_in(visitors, server):
    before = server.position()
    answer = upload(visitors[Role.CLERK], "donations/batch", b"")

    assert answer.status_code == 422
    assert faults(answer.text) == {"lines": "choose a file"}
    assert server.position() == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--x--",
        b"nonsense",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 2 + b"--x--",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--x--',
        b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--",
        b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n1\r\n' * 2
        + b"--x--",
    ],
)
def test_a_form_with_a_file_that_is_none_is_refused(body, visitors, server):
    before = server.position()
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = visitors[Role.CLERK].http.post(
        address("donations/batch"), content=body, headers=headers
    )

    assert answer.status_code == 422
    assert server.position() == before


def test_every_code_of_a_line_has_words():
    assert LINE_CODES.keys() == {each.code for each in below(LineRefused) if each.code}


# People.


def test_an_admin_finds_everybody_with_what_can_be_done_about_them(visitors, office):
    admin = visitors[Role.ADMIN]
    page = admin.read("/desk/people")
    links = [unescape(each) for each in re.findall(r'href="(/desk/do/people/[^"]+\?[^"]+)"', page)]

    assert "the clerk" in plain(page)
    assert len(links) > len(visitors)
    assert admin.open(links[0]).status_code == 200
    assert 'name="person_id"' in admin.read(links[0])
    assert office.ada.read("/v1/people")["items"]


# On the pages of things.


def offered(page):
    """Return what a page offers to do by drawn forms, and what it says cannot be done."""
    part = page.partition('id="drawn-steps"')[2].partition("</ul>")[0]
    can = re.findall(r'<a href="/desk/do/([^"?]+)\?', part)
    return can, [unescape(each) for each in re.findall(r'class="cannot">([^<]+)<', part)]


def test_the_page_of_a_thing_offers_what_its_state_allows(visitors, office):
    fund = office.fund()
    office.gift(fund, 100_000)
    paid, overpaid, planned = office.paid(fund), office.pledge(fund, 100), office.plan(fund)
    office.pay_in(overpaid, 150)
    selling = office.open_sale(fund)
    pages = [
        (Role.CASHIER, f"/desk/aid/{paid}", ["disbursements/returns"]),
        (Role.CLERK, f"/desk/aid/{paid}", []),
        (Role.CLERK, f"/desk/pledges/{overpaid}", ["donations/excess"]),
        (Role.CASHIER, f"/desk/pledges/{overpaid}", ["donations/payments"]),
        (Role.TREASURER, f"/desk/pledges/{overpaid}", ["donations/refunds"]),
        (Role.TREASURER, f"/desk/sales/{planned}", ["sales/opening"]),
        (
            Role.TREASURER,
            f"/desk/sales/{selling}",
            ["sales/ending", "sales/orders", "sales/returns"],
        ),
        (Role.AUDITOR, f"/desk/sales/{selling}", []),
    ]
    for role, path, steps in pages:
        assert offered(visitors[role].read(path)) == (steps, []), (role, path)
    page = visitors[Role.CASHIER].read(f"/desk/aid/{paid}")
    (href,) = re.findall(r'href="(/desk/do/disbursements/returns\?[^"]+)"', page)
    form = visitors[Role.CASHIER].read(unescape(href))
    assert f'name="disbursement_id" value="{paid}" checked' in form


def test_the_page_of_a_thing_says_why_not(visitors, office):
    promised = office.pledge(office.fund(), public_promise=True)
    page = visitors[Role.CLERK].read(f"/desk/pledges/{promised}")

    assert offered(page) == ([], ["Withdraw a pledge"])
    assert "A promise made in public must be kept" in plain(page)


def test_funds_at_the_desk_say_what_can_be_done_and_why_not(visitors, office):
    fund = office.fund()
    office.gift(fund, 100)
    rows = visitors[Role.TREASURER].read("/desk/funds").split('<tr role="row">')
    (row,) = [each for each in rows if f'href="/funds/{fund}"' in each]

    assert re.findall(r'href="/desk/do/funds/(\w+)\?', row) == ["transfers", "freezing"]
    assert "Close a fund: why not" in plain(row)
    assert "A fund is closed only when nothing is in it" in plain(row)
