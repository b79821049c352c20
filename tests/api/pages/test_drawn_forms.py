"""Forms drawn from what a step takes: nobody needs a program for what their role may do."""

import json
import re
from collections.abc import Callable, Mapping
from html import unescape
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from api.pages.kit.drawn.fields import Kind, leaves
from api.pages.kit.drawn.operations import operations
from api.pages.kit.drawn.wording import LINE_CODES, NOUNS, TITLES, choices_of, hint_of, label_of
from api.pages.kit.languages import words
from ledger.commands.every import COMMANDS
from ledger.kernel.lines import LineRefused
from ledger.kernel.roles import Role
from tests.api.pages.test_pages import plain
from tests.office import DAY, FIRST_DAY, LAST_DAY, SETTLED_DAY, Office
from tests.rules import below
from tests.signed_in import Visitor, hidden
from tests.world import NOTHING_SOLD, ONE_SETTLED, ONE_SOLD

ON_THE_MACHINE = {"announce_key", "enrol_person"}
"""Commands for the charity's own machine, which no role of the charity gives."""

PERSON = "受助人甲"

Things = Mapping[str, str]


class Case(NamedTuple):
    """How a command's form is filled in.

    Attributes:
        operation: Whose form.
        role: Who fills it in.
        topic: Of the event that it records.
        things: Makes what it is about; what to search for, by the names of fields.
        fields: What else is written.

    """

    operation: str
    role: Role
    topic: str
    things: Callable[[Office], Things] = lambda _: {}
    fields: Mapping[str, str] = {}


def of_fund(field: str, make: Callable[[Office, str], object]) -> Callable[[Office], Things]:
    """Return what makes a thing of a fund of its own, by whose code it is searched for."""

    def things(office: Office) -> Things:
        fund = office.fund()
        office.gift(fund, 1_000_000)
        make(office, fund)
        return {field: fund}

    return things


def pledge_of(office: Office, make: Callable[[Office, str], object]) -> Things:
    fund = office.fund()
    make(office, fund)
    return {"donation_id": fund}


def donation(amount: int = 0, pledged: int = 10_000) -> Callable[[Office], Things]:
    """Return what makes a pledge in a fund of its own, of which ``amount`` has come."""

    def make(office: Office, fund: str) -> None:
        given = office.pledge(fund, pledged)
        if amount:
            office.pay_in(given, amount, f"BK-{fund}")

    return lambda office: pledge_of(office, make)


def aid(make: Callable[[Office, str], object]) -> Callable[[Office], Things]:
    return of_fund("disbursement_id", make)


def sale(make: Callable[[Office, str], object]) -> Callable[[Office], Things]:
    return of_fund("sale_id", make)


def two_funds(office: Office) -> Things:
    rich, poor = office.fund(), office.fund()
    office.gift(rich, 10_000)
    return {"code": rich, "to": poor}


def nothing(office: Office, fund: str) -> None:
    """Need nothing but the fund."""


def empty_fund(office: Office) -> Things:
    return {"code": office.fund()}


def frozen(office: Office, fund: str) -> None:
    office.sun.did(f"/v1/funds/{fund}/freezing", {"reason": "review", "on": DAY})


def settled(office: Office, fund: str) -> str:
    """Leave a sale that is settled with money outstanding."""
    sold = office.open_sale(fund)
    assert office.sun.feed(f"/v1/sales/{sold}/orders", ONE_SOLD).json()["accepted"] == 1
    office.sun.did(f"/v1/sales/{sold}/ending", {"on": LAST_DAY})
    body = ONE_SETTLED | {"agreed_on": SETTLED_DAY}
    office.sun.did(f"/v1/sales/{sold}/settlement", body)
    return sold


def remitted(office: Office, fund: str) -> None:
    body = {"amount": 100, "external_ref": f"BK-{fund}", "received_on": DAY}
    office.chen.did(f"/v1/sales/{settled(office, fund)}/remittances", body)


def somebody(*roles: Role) -> Callable[[Office], Things]:
    """Return what adds a person, who is searched for by name."""

    def make(office: Office) -> Things:
        name = f"同事{uuid4().hex[:8]}"
        office.ada.did("/v1/people", {"name": name, "roles": roles})
        return {"person_id": name}

    return make


def donor(field: str = "donor_id") -> Callable[[Office], Things]:
    """Return what registers a donor, who is searched for by name."""

    def make(office: Office) -> Things:
        name = f"捐赠人{uuid4().hex[:8]}"
        office.donor(name)
        return {field: name}

    return make


def donor_and_fund(office: Office) -> Things:
    return {**donor("donor")(office), "fund": office.fund()}


def person_to_be_paid(office: Office, fund: str) -> None:
    office.request(fund, payee={"kind": "person", "name": PERSON})


WHY = {"reason": "review"}
ON = {"on": DAY}
LINE = {"external_ref": "BK-77", "received_on": DAY}

CASES = {
    "pledge": Case(
        "donations/new",
        Role.CLERK,
        "donation.pledged",
        donor_and_fund,
        {
            "amount": "1,200.50",
            "pledged_on": DAY,
            "instalments.rows": "2",
            "instalments.0.due_on": "2026-05-01",
            "instalments.0.amount": "1,000",
            "instalments.1.due_on": "2026-06-01",
            "instalments.1.amount": "200.5",
            "note": "电视热线",
        },
    ),
    "receive_payment": Case(
        "donations/payments",
        Role.CASHIER,
        "donation.payment-received",
        donation(),
        LINE | {"amount": "100", "channel": "wechat"},
    ),
    "confirm_payment": Case(
        "donations/payments-confirmation",
        Role.BOOKKEEPER,
        "donation.payment-confirmed",
        donation(10_000),
        {"channel": "bank", "external_ref": "BK-{donation_id}", "statement_ref": "ST-1"} | ON,
    ),
    "withdraw_pledge": Case(
        "donations/withdrawal", Role.CLERK, "donation.withdrawn", donation(), WHY
    ),
    "refund": Case(
        "donations/refunds",
        Role.TREASURER,
        "donation.refunded",
        donation(10_000),
        WHY | {"amount": "30", "cause": "duplicate"},
    ),
    "decide_excess": Case(
        "donations/excess",
        Role.CLERK,
        "donation.excess-given",
        donation(10_300),
        ON | {"decision": "give", "amount": "3"},
    ),
    "open_fund": Case(
        "funds/new",
        Role.TREASURER,
        "fund.opened",
        fields={
            "code": "F-DRAWN",
            "name": "助听基金",
            "restriction": "restricted",
            "purpose": "助听",
        },
    ),
    "transfer": Case(
        "funds/transfers",
        Role.TREASURER,
        "fund.transferred",
        two_funds,
        ON | {"amount": "5", "basis": "理事会决议 7"},
    ),
    "freeze_fund": Case(
        "funds/freezing", Role.TREASURER, "fund.frozen", of_fund("code", nothing), WHY | ON
    ),
    "thaw_fund": Case(
        "funds/thawing", Role.TREASURER, "fund.thawed", of_fund("code", frozen), WHY | ON
    ),
    "close_fund": Case("funds/closing", Role.TREASURER, "fund.closed", empty_fund, WHY | ON),
    "register_donor": Case(
        "donors/new",
        Role.CLERK,
        "donor.registered",
        fields={"name": "李女士", "phone": "13800138000", "anonymous": "yes"},
    ),
    "restrict_donor": Case(
        "donors/restriction",
        Role.ADMIN,
        "donor.processing-restricted",
        donor(),
        {"basis": "statutory-retention", "until": "2056-12-31"},
    ),
    "erase_donor": Case(
        "donors/erasure",
        Role.ADMIN,
        "donor.erased",
        donor(),
        {"basis": "consent-withdrawn", "reason": "asked-by-donor"},
    ),
    "plan_sale": Case(
        "sales/new",
        Role.TREASURER,
        "sale.planned",
        of_fund("fund", nothing),
        {
            "name": "让爱发声",
            "partner": "嘉丽购",
            "starts_on": FIRST_DAY,
            "ends_on": LAST_DAY,
            "return_days": "7",
            "partner_fee_bp": "1.5",
            "channel_fee_bp": "0.6%",
            "items.rows": "3",
            "items.0.sku": "L1",
            "items.0.name": "电饭煲",
            "items.0.consigned": "500",
            "items.0.unit_price": "168",
            "items.2.sku": "L2",
            "items.2.name": "图书套装",
            "items.2.consigned": "1,000",
            "items.2.unit_price": "88.00",
        },
    ),
    "open_sale": Case(
        "sales/opening", Role.TREASURER, "sale.opened", sale(Office.plan), {"on": FIRST_DAY}
    ),
    "end_sale": Case(
        "sales/ending", Role.TREASURER, "sale.ended", sale(Office.open_sale), {"on": LAST_DAY}
    ),
    "settle_sale": Case(
        "sales/settlement",
        Role.TREASURER,
        "sale.settled",
        sale(Office.ended_sale),
        dict.fromkeys(NOTHING_SOLD, "0") | {"agreed_on": SETTLED_DAY},
    ),
    "remit": Case(
        "sales/remittances", Role.CASHIER, "sale.remitted", sale(settled), LINE | {"amount": "1"}
    ),
    "confirm_remittance": Case(
        "sales/remittances-confirmation",
        Role.BOOKKEEPER,
        "sale.remittance-confirmed",
        sale(remitted),
        {"external_ref": "BK-{sale_id}", "statement_ref": "ST-2"} | ON,
    ),
    "request_aid": Case(
        "disbursements/new",
        Role.CLERK,
        "disbursement.requested",
        of_fund("fund", nothing),
        {
            "payee.kind": "person",
            "payee.name": "王奶奶",
            "amount": "88",
            "purpose": "助听器电池",
            "grid": "G3",
            "requested_on": DAY,
        },
    ),
    "approve": Case(
        "disbursements/approvals",
        Role.APPROVER,
        "disbursement.approval-given",
        aid(Office.request),
        ON,
    ),
    "reject": Case(
        "disbursements/rejection",
        Role.APPROVER,
        "disbursement.rejected",
        aid(Office.request),
        WHY,
    ),
    "cancel": Case(
        "disbursements/cancellation",
        Role.CLERK,
        "disbursement.cancelled",
        aid(Office.approved),
        WHY,
    ),
    "pay": Case(
        "disbursements/payment",
        Role.CASHIER,
        "disbursement.paid",
        aid(Office.approved),
        {"external_ref": "PAY-77", "paid_on": DAY},
    ),
    "confirm_payout": Case(
        "disbursements/payment-confirmation",
        Role.BOOKKEEPER,
        "disbursement.payment-confirmed",
        aid(Office.paid),
        {"statement_ref": "ST-3"} | ON,
    ),
    "bounce": Case(
        "disbursements/bounce", Role.CASHIER, "disbursement.bounced", aid(Office.paid), WHY | ON
    ),
    "take_back": Case(
        "disbursements/returns",
        Role.CASHIER,
        "disbursement.returned",
        aid(Office.paid),
        LINE | {"amount": "1", "external_ref": "BK-78"},
    ),
    "acknowledge": Case(
        "disbursements/acknowledgement",
        Role.CLERK,
        "disbursement.acknowledged",
        aid(Office.paid),
        {"by": "院长"} | ON,
    ),
    "set_approval_policy": Case(
        "policies/approval",
        Role.TREASURER,
        "approval-policy.set",
        fields={
            "one_approval_up_to": "200",
            "three_approvals_above": "50,000.00",
            "effective_from": "2999-01-01",
            "basis": "理事会决议",
        },
    ),
    "declare_relation": Case(
        "people/relations",
        Role.APPROVER,
        "relation.declared",
        of_fund("party", person_to_be_paid),
        {"relation": "family"} | ON,
    ),
    "add_person": Case(
        "people/new",
        Role.ADMIN,
        "person.added",
        fields={"name": "林一", "roles.clerk": "yes", "roles.bookkeeper": "yes"},
    ),
    "grant_roles": Case(
        "people/roles",
        Role.ADMIN,
        "person.roles-granted",
        somebody(),
        {"roles.approver": "yes"},
    ),
    "withdraw_roles": Case(
        "people/roles-withdrawal",
        Role.ADMIN,
        "person.roles-withdrawn",
        somebody(Role.CLERK, Role.CASHIER),
        {"roles.cashier": "yes"},
    ),
    "disable_person": Case("people/disabling", Role.ADMIN, "person.disabled", somebody(Role.CLERK)),
}


@pytest.fixture(scope="module")
def visitors(server, office):
    """Somebody of each role, signed in, whom nobody knows from elsewhere."""
    assert office
    people = {role: Visitor(server, f"the {role}", role) for role in Role}
    server.wait_until_told()
    yield people
    for each in people.values():
        each.http.close()


def address(operation):
    return f"/desk/do/{operation}"


def search(visitor, operation, field, text):
    """Look for a thing as a reader does; return what can be chosen."""
    sent = {"do": f"find {field}", f"{field}.find": text}
    page = visitor.send(address(operation), **sent)
    assert page.status_code == 200, page.text
    radios = re.findall(rf'<input type="radio" name="{field}" value="([^"]+)"', page.text)
    return [unescape(each) for each in radios]


def filled_in(case, visitor, office):
    """Return the fields of a case, with what is searched for found and chosen."""
    form = {}
    texts = dict(case.things(office))
    for field, text in texts.items():
        (form[field],) = search(visitor, case.operation, field, text)
    return form | {name: text.format_map(texts) for name, text in case.fields.items()}


def since(office, position):
    """Return what was recorded after a position."""
    return office.an.read("/v1/events", after=position)["items"]


def test_every_command_of_a_role_has_a_form():
    drawn = {each.command.name for each in operations().values() if each.command is not None}

    assert drawn == COMMANDS.keys() - ON_THE_MACHINE
    assert CASES.keys() == drawn


@pytest.mark.parametrize("command", sorted(CASES))
def test_a_command_is_given_by_its_form_alone(command, visitors, office, server):
    case = CASES[command]
    visitor = visitors[case.role]
    form = hidden(visitor.read(address(case.operation))) | filled_in(case, visitor, office)
    before = server.position()
    checked = visitor.send(address(case.operation), do="check", **form)
    assert checked.status_code == 200, plain(checked.text)
    assert server.position() == before
    done = visitor.send(address(case.operation), do="confirm", **hidden(checked.text))

    assert done.status_code == 303, plain(done.text)
    (position,) = parse_qs(urlsplit(done.headers["location"]).query)["done"]
    recorded = {each["type"]: each for each in since(office, before)}
    assert recorded[f"{case.topic}.1"]["role"] == case.role
    assert int(position) == server.position()
    after = plain(visitor.read(done.headers["location"]))
    assert f"Recorded as event {position}" in after
    again = visitor.send(address(case.operation), do="confirm", **hidden(checked.text))
    assert again.headers["location"] == done.headers["location"]
    assert int(position) == server.position()


# What forms say.


def every_field():
    for name, operation in operations().items():
        for path, field in leaves(operation.every_field()):
            if field.kind is not Kind.FIXED:
                yield f"{name}:{path}", field


def test_whatever_a_form_asks_for_has_words_in_each_language():
    say = words("zh").gettext
    asked = [
        *TITLES.values(),
        *NOUNS.values(),
        *(label_of(path) for path, _ in every_field()),
        *(hint for path, _ in every_field() if (hint := hint_of(path)) is not None),
        *(
            word
            for _, field in every_field()
            if field.choices
            for word in choices_of(field.choices).values()
        ),
    ]

    assert TITLES.keys() == operations().keys()
    assert NOUNS.keys() == {each.noun for each in operations().values()}
    assert [each for each in asked if say(each) == each] == []


def test_a_field_that_is_not_called_anything_is_noticed():
    with pytest.raises(LookupError):
        label_of("funds/new:colour")
    with pytest.raises(LookupError):
        choices_of(["bank", "barter"])


def test_nothing_of_a_form_is_known_by_a_reserved_name():
    names = {path.rpartition(":")[2] for path, _ in every_field()}

    assert names.isdisjoint({"key", "do", "done", "about"})


# Who may.


@pytest.mark.parametrize("name", sorted(operations()))
def test_a_form_opens_to_the_roles_of_its_step_alone(name, visitors):
    roles = operations()[name].roles
    for role, visitor in visitors.items():
        answer = visitor.open(address(name))
        assert answer.status_code == (200 if role in roles else 403), role
        assert ("<form" in answer.text) is (role in roles)
        if role not in roles:
            assert "this takes the role of" in answer.text
            assert visitor.send(address(name), do="confirm", key="k").status_code == 403


def test_whoever_is_not_signed_in_is_sent_to_where_they_can(server):
    answer = server.public.http.get(address("funds/new"), headers={"Accept": "text/html"})

    assert answer.headers["location"].startswith("/sign-in?next=")


def test_a_list_has_what_a_person_may_do_and_no_more(visitors):
    for role, visitor in visitors.items():
        page = plain(visitor.read("/desk/do"))
        for name, operation in operations().items():
            assert (TITLES[name] in page) is (role in operation.roles), (role, name)


def test_an_operation_that_is_not_there_is_not_found(visitors):
    assert visitors[Role.CLERK].open(address("funds/gold")).status_code == 404
    assert visitors[Role.CLERK].send(address("funds/gold"), do="check").status_code == 404


# What is wrong.


def faults(page):
    """Return what is said at each field."""
    told = re.findall(r'<p class="fault" id="f-([^"]+)-fault">([^<]*)</p>', page)
    return {name: unescape(text) for name, text in told}


GIFT = {"amount": "100", "channel": "bank", "external_ref": "BK-1", "received_on": DAY}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"amount": ""}, {"amount": "fill this in"}),
        ({"amount": "0"}, {"amount": "must be above zero"}),
        ({"amount": "1.234"}, {"amount": "must be an amount in yuan such as 100 or 1,234.50"}),
        (
            {"amount": "99999999999"},
            {"amount": "is more than any community charity moves at once"},
        ),
        ({"channel": ""}, {"channel": "choose one"}),
        ({"channel": "barter"}, {"channel": "choose one"}),
        ({"external_ref": "流水"}, {"external_ref": "must be 1 to 64 visible ASCII characters"}),
        ({"received_on": "soon"}, {"received_on": "must be a day such as 2026-03-20"}),
        ({"received_on": "2999-01-01"}, {"received_on": "2999-01-01 is in the future"}),
        ({"donation_id": "nonsense"}, {"donation_id": "choose one"}),
        ({"donation_id": ""}, {"donation_id": "choose one"}),
        (
            {"amount": "", "channel": ""},
            {"amount": "fill this in", "channel": "choose one"},
        ),
    ],
)
def test_what_is_wrong_stands_at_its_field_with_all_else_kept(
    wrong, told, visitors, office, server
):
    cashier, fund = visitors[Role.CASHIER], office.fund()
    given = office.pledge(fund)
    before = server.position()
    form = {"key": "k", "donation_id": given} | GIFT | wrong
    answer = cashier.send(address("donations/payments"), do="confirm", **form)

    assert answer.status_code == 422, answer.text
    assert faults(answer.text) == told
    for name in told:
        assert f'<a href="#f-{name}">' in answer.text
        assert f'id="f-{name}"' in answer.text
    if "external_ref" not in wrong:
        assert 'value="BK-1"' in answer.text
    assert 'value="k"' in answer.text
    assert server.position() == before


def test_what_is_wrong_in_a_row_stands_there(visitors, office):
    form = dict(CASES["plan_sale"].fields) | {"fund": office.fund(), "items.2.consigned": "many"}
    answer = visitors[Role.TREASURER].send(address("sales/new"), do="check", key="k", **form)

    assert faults(answer.text) == {"items.1.consigned": "must be a whole number"}  # One was blank.
    assert 'name="items.1.name" maxlength="500" autocomplete="off" value="图书套装"' in answer.text


def test_a_list_that_needs_a_row_says_so(visitors, office):
    form = {n: v for n, v in CASES["plan_sale"].fields.items() if not n.startswith("items")}
    answer = visitors[Role.TREASURER].send(
        address("sales/new"), do="check", key="k", fund=office.fund(), **form
    )

    assert faults(answer.text) == {"items": "must be at least 1 of them"}


def test_a_rule_is_said_above_the_form_in_the_language_of_the_reader(visitors, office):
    poor, rich = office.fund(), office.fund()
    form = {"key": "k", "code": poor, "to": rich, "amount": "5", "basis": "理事会决议", "on": DAY}
    treasurer = visitors[Role.TREASURER]
    answer = treasurer.send(address("funds/transfers"), do="check", **form)
    chinese = treasurer.http.post(
        f"{address('funds/transfers')}?lang=zh", data={"do": "check"} | form
    )

    assert answer.status_code == chinese.status_code == 409
    assert 'role="alert"' in answer.text
    assert "Nothing is promised or paid out of a fund beyond what it has available." in plain(
        answer.text
    )
    assert f"基金 {poor}" in plain(chinese.text)
    treasurer.http.cookies.set("lang", "en")


# Rows and searches, without a script.


def test_rows_are_added_and_taken_out_by_buttons(visitors):
    treasurer, there = visitors[Role.TREASURER], address("sales/new")
    assert hidden(treasurer.read(there))["items.rows"] == "1"
    first = {"items.rows": "1", "items.0.sku": "L1"}
    two = treasurer.send(there, do="add items", key="k", **first)
    assert hidden(two.text)["items.rows"] == "2"
    assert 'name="items.0.sku" maxlength="64" autocomplete="off" value="L1"' in two.text
    assert 'name="items.1.sku"' in two.text
    one = treasurer.send(
        there,
        **{"do": "drop items.0", "items.1.sku": "L2", "key": "k"} | first | {"items.rows": "2"},
    )
    assert hidden(one.text)["items.rows"] == "1"
    assert 'name="items.0.sku" maxlength="64" autocomplete="off" value="L2"' in one.text
    assert 'name="items.1.sku"' not in one.text


@pytest.mark.parametrize(
    "pressed", ["add", "add code", "drop items.9", "drop items.x", "drop", "?"]
)
def test_a_button_that_is_not_there_does_nothing(pressed, visitors, server):
    before = server.position()
    answer = visitors[Role.TREASURER].send(address("sales/new"), do=pressed, key="k")

    assert answer.status_code in {200, 422}
    assert server.position() == before


@pytest.mark.parametrize(
    "text",
    ["{fund}", "测听 {fund}", "{day} {fund}", "77.31 {fund}", "¥77.31 {fund}", "爱丽 {fund}"],
)
def test_aid_is_found_by_what_people_know_of_it(text, visitors, office):
    fund = office.fund()
    office.gift(fund, 100_000)
    asked = office.request(fund, 7_731)
    office.request(office.fund(), 7_732)
    text = text.format(fund=fund, day=DAY)

    assert search(visitors[Role.APPROVER], "disbursements/approvals", "disbursement_id", text) == [
        asked
    ]


def test_a_pledge_is_found_by_its_donor_or_its_reference(visitors, office):
    fund, name = office.fund(), f"赵{uuid4().hex[:6]}"
    given = office.pledge(fund, donor=office.donor(name))
    office.pay_in(given, 100, f"WX-{fund}-9")

    assert search(visitors[Role.CLERK], "donations/withdrawal", "donation_id", name) == [given]
    assert search(visitors[Role.TREASURER], "donations/refunds", "donation_id", f"wx-{fund}-9") == [
        given
    ]


def test_only_things_are_found_for_which_the_step_is_possible(visitors, office):
    fund = office.fund()
    office.gift(fund, 100_000)
    approved, requested = office.approved(fund), office.request(fund)
    cashier, approver = visitors[Role.CASHIER], visitors[Role.APPROVER]

    assert search(cashier, "disbursements/payment", "disbursement_id", fund) == [approved]
    assert search(approver, "disbursements/rejection", "disbursement_id", fund) == [requested]


def test_who_may_not_know_a_donor_finds_nobody_by_name(visitors, office):
    fund, name = office.fund(), f"钱{uuid4().hex[:6]}"
    office.pledge(fund, donor=office.donor(name))
    cashier = visitors[Role.CASHIER]
    page = cashier.send(
        address("donations/payments"), **{"do": "find donation_id", "donation_id.find": fund}
    )

    assert name not in page.text
    assert search(cashier, "donations/payments", "donation_id", name) == []


def test_a_donor_who_is_restricted_is_not_named(visitors, office):
    name = f"孙{uuid4().hex[:6]}"
    one = office.donor(name)
    office.ada.did(f"/v1/donors/{one}/restriction", {"basis": "donor-request"})

    assert search(visitors[Role.CLERK], "donations/new", "donor", name) == []
    assert search(visitors[Role.ADMIN], "donors/erasure", "donor_id", name) == [one]


def test_what_was_searched_for_stands_in_no_address(visitors):
    page = visitors[Role.CLERK].send(
        address("donations/new"), **{"do": "find donor", "donor.find": "李女士"}
    )

    assert page.status_code == 200
    assert 'value="李女士"' in page.text
    assert "李女士" not in "".join(re.findall(r'href="([^"]*)"', page.text))


# The check page, and what comes after.


def test_what_it_would_come_to_is_shown_before_it_is_recorded(visitors, office):
    case = CASES["transfer"]
    things = case.things(office)
    form = {"key": "k"} | things | case.fields
    page = plain(visitors[Role.TREASURER].send(address(case.operation), do="check", **form).text)

    assert f"{things['code']} 95.00 95.00" in page
    assert f"{things['to']} 5.00 5.00" in page
    assert "What would be recorded" in page
    assert "Debit, yuan" in page


def test_a_form_can_be_changed_once_more(visitors, office):
    form = {"key": "k", "code": office.fund(), "reason": "年度检查", "on": DAY}
    treasurer, there = visitors[Role.TREASURER], address("funds/freezing")
    checked = treasurer.send(there, do="check", **form)
    again = treasurer.send(there, do="change", **hidden(checked.text))

    assert again.status_code == 200
    assert 'value="年度检查"' in again.text
    assert hidden(again.text)["key"] == "k"


def test_what_was_done_leads_on_to_what_can_be_done_next(visitors):
    clerk = visitors[Role.CLERK]
    form = hidden(clerk.read(address("donors/new"))) | CASES["register_donor"].fields
    done = clerk.send(address("donors/new"), do="confirm", **form)
    page = clerk.read(done.headers["location"])
    (onwards,) = re.findall(r'href="(/desk/do/donations/new\?donor=[^"]+)"', page)

    assert re.search(r'name="donor" value="[^"]+" checked', clerk.read(unescape(onwards)))


def test_a_token_is_shown_once(visitors, office):
    name = f"程序{uuid4().hex[:6]}"
    office.ada.did("/v1/people", {"name": name, "roles": ["clerk"]})
    admin, there = visitors[Role.ADMIN], address("people/tokens")
    (person,) = search(admin, "people/tokens", "person_id", name)
    form = {"key": uuid4().hex, "person_id": person, "name": "feed", "roles.clerk": "yes"}
    made = admin.send(there, do="confirm", days="30", **form)

    assert made.headers["cache-control"] == "no-store"
    (token,) = re.findall(r"lf_[\w-]+", made.text)
    assert office.server.bearer(token).get("/v1/funds").status_code == 200
    tokens = admin.send(
        address("people/tokens-revocation"), do="find token_id", person_id=person
    ).text
    (known,) = re.findall(r'name="token_id" value="([^"]+)"', tokens)
    gone = admin.send(
        address("people/tokens-revocation"),
        do="confirm",
        key=uuid4().hex,
        person_id=person,
        token_id=known,
    )
    assert gone.status_code == 200, gone.text
    assert office.server.bearer(token).get("/v1/donations").status_code == 401


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
