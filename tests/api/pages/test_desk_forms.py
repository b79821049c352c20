"""Forms of the desk: aid is asked for, relations are declared, payments are found on statements."""

import re
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from api.pages.kit.labels import STATEMENT_FIGURES
from ledger.kernel.roles import Role
from tests.api.pages.test_live import feed, order
from tests.api.pages.test_own_pages import moved, rows
from tests.api.pages.test_pages import plain
from tests.office import CENTRE, DAY, LAST_DAY, SETTLED_DAY
from tests.signed_in import Visitor, hidden
from tests.stores import on_files_first

pytestmark = on_files_first

WANTED = {
    "payee_kind": "organisation",
    "payee": "北塔社区卫生站",
    "amount": "1,200.50",
    "purpose": "助听器电池",
    "grid": "G3",
    "requested_on": DAY,
}

STATEMENT = "2026-04/17"


@pytest.fixture(scope="module")
def visitors(server, office):
    """Somebody of each role, signed in, and one who keeps money and books alike."""
    assert office
    people = {role: Visitor(server, f"the {role}", role) for role in Role}
    people["both"] = Visitor(server, "both", Role.CASHIER, Role.BOOKKEEPER)
    yield people
    for each in people.values():
        each.http.close()


@pytest.fixture(scope="module")
def fund(office):
    code = office.fund("F-FORM")
    office.gift(code, 1_000_000)
    return code


def position_of(answer):
    """Return where what a form recorded stands, as the page says that it leads to."""
    assert answer.status_code == 303, answer.text
    return int(parse_qs(urlsplit(answer.headers["location"]).query)["done"][0])


# Asking for aid.


def test_a_request_is_shown_again_before_it_is_recorded(visitors, office, fund, server):
    clerk = visitors[Role.CLERK]
    written = clerk.read("/desk/request")
    assert "Available 10,000.00 yuan" in plain(written)
    before = moved(server)
    checked = clerk.send("/desk/request/check", fund=fund, **WANTED)
    page = plain(checked.text)

    assert checked.status_code == 200
    assert moved(server) == before
    assert "Would be left 8,799.50" in page
    assert "Any amount 2 approvals" in page
    done = clerk.send("/desk/request", **hidden(checked.text))
    asked = done.headers["location"].partition("?")[0].rpartition("/")[2]
    recorded = office.sun.read(f"/v1/disbursements/{asked}")
    assert (recorded["fund"], recorded["amount"], recorded["payee_name"]) == (
        fund,
        120_050,
        WANTED["payee"],
    )
    assert (recorded["purpose"], recorded["grid"]) == (WANTED["purpose"], "G3")
    assert (recorded["requested_on"], recorded["state"]) == (DAY, "requested")


def test_a_request_sent_twice_is_one(visitors, fund, server):
    clerk = visitors[Role.CLERK]
    form = hidden(clerk.send("/desk/request/check", fund=fund, **WANTED).text)
    first = clerk.send("/desk/request", **form)
    before, kept = moved(server), server.people_kept(WANTED["payee"])
    second = clerk.send("/desk/request", **form)

    assert first.headers["location"] == second.headers["location"]
    assert (moved(server), server.people_kept(WANTED["payee"])) == (before, kept)


def test_a_person_who_is_to_be_paid_is_in_no_address_and_no_event(visitors, office, fund):
    clerk, name = visitors[Role.CLERK], "孙小妹"
    said = WANTED | {"payee_kind": "person", "payee": name}
    checked = clerk.send("/desk/request/check", fund=fund, **said)
    assert name in checked.text
    done = clerk.send("/desk/request", **hidden(checked.text))

    assert name in clerk.read(done.headers["location"])
    assert name not in visitors[Role.AUDITOR].read(done.headers["location"])
    assert name not in office.an.get("/v1/events", limit=1000).text


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "0"},
        {"amount": "1.234"},
        {"payee": " "},
        {"payee": "长" * 201},
        {"purpose": ""},
        {"payee_kind": "friend"},
        {"requested_on": "soon"},
        {"fund": "F-NONE"},
    ],
)
def test_what_cannot_be_asked_for_leads_back_to_the_form_with_all_else_kept(
    visitors, fund, server, wrong
):
    before = moved(server)
    answer = visitors[Role.CLERK].send("/desk/request/check", **{"fund": fund} | WANTED | wrong)

    assert answer.status_code in {404, 422}
    assert 'role="alert"' in answer.text
    assert 'action="/desk/request/check"' in answer.text
    assert 'value="G3"' in answer.text
    assert moved(server) == before


@pytest.mark.parametrize("wrong", [{"purpose": "给 13812345678"}, {"requested_on": "2999-01-01"}])
def test_what_the_ledger_would_refuse_is_said_before_the_button(visitors, fund, server, wrong):
    before = moved(server)
    answer = visitors[Role.CLERK].send("/desk/request/check", fund=fund, **WANTED | wrong)

    assert answer.status_code == 422
    assert "<button disabled>" in answer.text
    forced = visitors[Role.CLERK].send("/desk/request", **hidden(answer.text))
    assert forced.status_code == 422
    assert moved(server) == before


def test_answers_can_be_changed(visitors, fund):
    clerk = visitors[Role.CLERK]
    form = hidden(clerk.send("/desk/request/check", fund=fund, **WANTED).text)
    again = clerk.send("/desk/request/check", **form, change="yes")

    assert again.status_code == 200
    assert 'value="1200.50"' in again.text
    assert clerk.open("/desk/request/check").headers["location"] == "/desk/request"


# The rule in force, and relations.


def test_the_rule_is_shown_with_who_set_it_and_the_line_that_applies(visitors, office, fund):
    asked = [office.request(fund, fen) for fen in (20_000, 20_001, 500_001)]
    approver = visitors[Role.APPROVER]
    assert "it takes two people, whatever the amount" in plain(
        approver.read(f"/desk/aid/{asked[0]}")
    )
    rule = {"one_approval_up_to": 20_000, "three_approvals_above": 500_000, "currency": "CNY"}
    told = office.sun.did("/v1/policies/approval", rule | {"basis": "理事会决议 2026-11"})
    applies = ["Up to 200.00 yuan 1 approval", "Otherwise, up to 5,000.00 yuan 2 approvals"]
    for aid, line in zip(asked, [*applies, "Above 5,000.00 yuan 3 approvals"], strict=True):
        page = approver.read(f"/desk/aid/{aid}")
        (marked,) = re.findall(r'<li aria-current="true">(.*?)</li>', page, re.DOTALL)
        assert plain(marked) == line
        assert f"理事会决议 2026-11 · event {told['position']}" in plain(page)
    link = f'href="/audit/events/{told["position"]}"'
    assert link in visitors[Role.AUDITOR].read(f"/desk/aid/{asked[0]}")
    assert link not in page


def test_who_declared_a_relation_sees_why_they_may_not_approve(visitors, office, fund):
    asked = office.request(fund, 30_000, payee=CENTRE | {"name": "南风助残社"})
    approver = visitors[Role.APPROVER]
    path = f"/desk/relations?aid={asked}"
    assert path in approver.read(f"/desk/aid/{asked}")
    form = approver.read(path)
    assert 'value="南风助残社"' in form
    said = {"organisation": "南风 助残社", "relation": "family", "on": DAY}
    declared = position_of(approver.send("/desk/relations", **hidden(form), **said))

    page = plain(approver.read(f"/desk/aid/{asked}"))
    assert "Nobody approves for a payee whom they declared themselves related to" in page
    assert "Ask a colleague who has had no part in it yet." in page
    assert f"whoever is related to the payee of disbursement {asked} may not approve it" in page
    chinese = approver.read(f"/desk/aid/{asked}?lang=zh")
    approver.read(f"/desk/aid/{asked}?lang=en")  # The choice is remembered.
    assert f"与 拨付 {asked} 的收款方有关联的人不得批准" in chinese
    again = approver.send("/desk/relations", key=uuid4().hex, **said)
    assert position_of(again) == declared  # What stands is not declared a second time.


def test_a_relation_to_a_person_is_to_the_payee_of_a_request(visitors, office, fund):
    asked = office.request(fund, 30_000, payee={"kind": "person", "name": "何大爷"})
    approver = visitors[Role.APPROVER]
    form = approver.read(f"/desk/relations?aid={asked}")
    assert "何大爷" in form
    position_of(approver.send("/desk/relations", **hidden(form), relation="other", on=DAY))

    assert "whom they declared themselves related" in plain(approver.read(f"/desk/aid/{asked}"))
    assert "何大爷" not in visitors[Role.AUDITOR].read(f"/desk/relations?aid={asked}")


def test_relations_are_shown_to_those_who_declared_them_and_to_those_who_see_all(visitors, office):
    said = {"organisation": "东街车行", "relation": "ownership", "on": DAY}
    position_of(visitors[Role.CASHIER].send("/desk/relations", key=uuid4().hex, **said))

    for role, sees in {Role.CASHIER: True, Role.CLERK: False, Role.AUDITOR: True}.items():
        assert ("东街车行" in visitors[role].read("/desk/relations")) is sees
    register = office.sun.all("/v1/people/relations")
    found = rows(visitors[Role.TREASURER], "/desk/relations?as=csv")
    assert [int(each[0]) for each in found] == [each["position"] for each in register]


@pytest.mark.parametrize("wrong", [{"organisation": "——"}, {"relation": "foe"}, {"party": "x"}])
def test_what_is_no_relation_is_refused_on_its_page(visitors, server, wrong):
    said = {"organisation": "东街车行", "relation": "work", "on": DAY} | wrong
    before = moved(server)
    answer = visitors[Role.CLERK].send("/desk/relations", key=uuid4().hex, **said)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert moved(server) == before


# Against the bank.


def gift(office, fund):
    ref = uuid4().hex
    office.pay_in(office.pledge(fund, 700), 700, ref)
    return "gift", ref


def remittance(office, fund):
    sale, ref = office.open_sale(fund), uuid4().hex
    feed(office, sale, "orders", order())
    office.sun.did(f"/v1/sales/{sale}/ending", {"on": LAST_DAY})
    shown = office.public.read(f"/v1/sales/{sale}")
    settled = {name: shown[name] for name in STATEMENT_FIGURES} | {"agreed_on": SETTLED_DAY}
    office.sun.did(f"/v1/sales/{sale}/settlement", settled)
    body = {"amount": 700, "external_ref": ref, "received_on": DAY}
    office.chen.did(f"/v1/sales/{sale}/remittances", body)
    return "remittance", ref


def payout(office, fund):
    asked, ref = office.approved(fund, 30_000), uuid4().hex
    body = {"external_ref": ref, "paid_on": DAY}
    office.chen.did(f"/v1/disbursements/{asked}/payment", body)
    return "payout", ref


def listed(visitor, ref):
    """Return the pages of the payments that are to be found under a reference."""
    page = visitor.read(f"/desk/bank?ref={ref}&statement_ref={STATEMENT}")
    return [each.partition("?")[0] for each in re.findall(r'href="(/desk/bank/\d+\?[^"]+)"', page)]


@pytest.mark.parametrize("made", [gift, remittance, payout])
def test_a_payment_is_found_on_a_statement_once(visitors, office, fund, server, made):
    keeper = visitors[Role.BOOKKEEPER]
    kind, ref = made(office, fund)
    (path,) = listed(keeper, ref)
    assert ref in [each[5] for each in rows(keeper, f"/desk/bank?kind={kind}&as=csv")]
    page = keeper.read(f"{path}?statement_ref={STATEMENT}")
    assert f'value="{STATEMENT}"' in page
    form = hidden(page) | {"statement_ref": STATEMENT, "on": "2026-04-20"}
    first = keeper.send(f"{path}/confirmation", **form)
    before = moved(server)
    second = keeper.send(f"{path}/confirmation", **form)

    assert first.headers["location"] == second.headers["location"]
    assert "statement_ref=2026-04%2F17" in first.headers["location"]
    assert moved(server) == before
    assert listed(keeper, ref) == []
    assert "It waits for nobody" in plain(keeper.read(path))
    (event,) = office.an.read("/v1/events", after=position_of(first) - 1, limit=1)["items"]
    assert event["data"]["statement_ref"] == STATEMENT
    other = form | {"key": uuid4().hex, "statement_ref": "2026-05/1"}
    refused = keeper.send(f"{path}/confirmation", **other)
    assert refused.status_code == 409
    assert "A payment stands on one line of one statement." in refused.text


def test_who_recorded_a_payment_does_not_find_it(visitors, office, fund, server):
    both, ref = visitors["both"], uuid4().hex
    asked = office.approved(fund, 30_000)
    form = hidden(both.read(f"/desk/aid/{asked}")) | {"external_ref": ref, "on": DAY}
    position_of(both.send(f"/desk/aid/{asked}/payment", **form))
    (path,) = listed(both, ref)
    page = both.read(path)
    before = moved(server)

    assert "<fieldset disabled>" in page
    assert "Nobody confirms against the bank what they recorded themselves." in plain(page)
    said = {"key": uuid4().hex, "statement_ref": STATEMENT, "on": DAY}
    assert both.send(f"{path}/confirmation", **said).status_code == 403
    assert moved(server) == before
    assert "<fieldset disabled>" not in visitors[Role.TREASURER].read(path)
    assert "<fieldset disabled>" in visitors[Role.AUDITOR].read(path)


def test_what_bounced_is_not_looked_for_but_what_was_paid_after_it(visitors, office, fund):
    keeper, asked = visitors[Role.BOOKKEEPER], office.approved(fund, 30_000)
    refs = [uuid4().hex for _ in range(2)]
    paths = []
    for ref in refs:
        body = {"external_ref": ref, "paid_on": DAY}
        office.chen.did(f"/v1/disbursements/{asked}/payment", body)
        paths += listed(keeper, ref)
        if ref == refs[0]:
            bounced = {"reason": "户名不符", "on": DAY}
            office.chen.did(f"/v1/disbursements/{asked}/bounce", bounced)
            assert "It waits for nobody" in plain(keeper.read(paths[0]))

    assert [len(listed(keeper, ref)) for ref in refs] == [0, 1]
    said = {"statement_ref": STATEMENT, "on": DAY}
    assert keeper.open(paths[0]).status_code == 404
    for path, status in zip(paths, (404, 303), strict=True):
        answer = keeper.send(f"{path}/confirmation", key=uuid4().hex, **said)
        assert answer.status_code == status
    assert f'href="{paths[1]}"' not in keeper.read(f"/desk/aid/{asked}")


def test_the_inbox_counts_what_is_to_be_found_for_those_who_keep_the_books(visitors, office, fund):
    gift(office, fund)
    waiting = len(rows(visitors[Role.BOOKKEEPER], "/desk/bank?as=csv"))

    assert f'"/desk/bank"><span class="number">{waiting}<' in visitors[Role.TREASURER].read("/desk")
    assert "/desk/bank" not in visitors[Role.CLERK].read("/desk")


def test_a_refused_form_is_read_in_another_language_where_it_stands(visitors, office, fund, server):
    _, ref = gift(office, fund)
    keeper = visitors[Role.BOOKKEEPER]
    (path,) = listed(keeper, ref)
    asked = f"{path}?statement_ref=2026-04%2F17"
    toggles = {
        f"{server.url}{asked}": f"{asked}&amp;lang=zh",
        "https://elsewhere.example/desk?x=1": "?lang=zh",
        f"{server.url}//elsewhere.example/": "?lang=zh",
    }
    for referer, toggle in toggles.items():
        form = {"key": uuid4().hex, "statement_ref": "", "on": DAY}
        headers = {"Referer": referer}
        answer = keeper.http.post(f"{path}/confirmation", data=form, headers=headers)
        assert answer.status_code == 422
        assert f'href="{toggle}" lang="zh-CN"' in answer.text

    keeper.read("/desk?lang=zh")
    refused = keeper.send(f"{path}/confirmation", key=uuid4().hex, statement_ref="", on=DAY)
    keeper.read("/desk?lang=en")
    assert "对账单编号：须为 1 至 64 个可见的 ASCII 字符" in refused.text


@pytest.mark.parametrize("path", ["/desk/bank/1", "/desk/bank/9999999"])
def test_an_event_that_recorded_no_payment_is_none(visitors, path):
    assert visitors[Role.BOOKKEEPER].open(path).status_code == 404
