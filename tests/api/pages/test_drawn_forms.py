"""Forms drawn from what a step takes: nobody needs a program for what their role may do."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from api.pages.kit.drawn.fields import Kind, leaves
from api.pages.kit.drawn.operations import operations
from api.pages.kit.drawn.wording import choices_of, hint_of, label_of, noun_titles
from api.pages.kit.languages import words
from ledger.commands.every import COMMANDS
from ledger.kernel.roles import Role
from tests.api.pages.drawn import CASES, ON_THE_MACHINE, address, faults, filled_in, search, since
from tests.api.pages.test_pages import plain
from tests.office import DAY
from tests.signed_in import Visitor, hidden


@pytest.fixture(scope="module")
def visitors(server, office):
    """Somebody of each role, signed in, whom nobody knows from elsewhere."""
    assert office
    people = {role: Visitor(server, f"the {role}", role) for role in Role}
    server.wait_until_told()
    yield people
    for each in people.values():
        each.http.close()


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
        *(each.title for each in operations().values()),
        *noun_titles().values(),
        *(label_of(path) for path, _ in every_field()),
        *(hint for path, _ in every_field() if (hint := hint_of(path)) is not None),
        *(
            word
            for _, field in every_field()
            if field.choices
            for word in choices_of(field.choices).values()
        ),
    ]

    assert noun_titles().keys() == {each.noun for each in operations().values()}
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
            assert (operation.title in page) is (role in operation.roles), (role, name)


def test_an_operation_that_is_not_there_is_not_found(visitors):
    assert visitors[Role.CLERK].open(address("funds/gold")).status_code == 404
    assert visitors[Role.CLERK].send(address("funds/gold"), do="check").status_code == 404


# What is wrong.


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


def test_a_rule_is_said_above_the_form_in_the_language_of_the_reader(visitors, office, server):
    poor, rich = office.fund(), office.fund()
    form = {"key": "k", "code": poor, "to": rich, "amount": "5", "basis": "理事会决议", "on": DAY}
    answer = visitors[Role.TREASURER].send(address("funds/transfers"), do="check", **form)
    with Visitor(server, "司库", Role.TREASURER).http as other:
        chinese = other.post(f"{address('funds/transfers')}?lang=zh", data={"do": "check"} | form)

    rule = "Nothing is promised or paid out of a fund beyond what it has available."
    assert answer.status_code == chinese.status_code == 409
    assert 'role="alert"' in answer.text
    assert rule in plain(answer.text)
    assert f"基金 {poor}" in plain(chinese.text)


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
