"""How each command's drawn form is filled in, and how its reader finds what it is about."""

import re
from collections.abc import Callable, Mapping
from html import unescape
from typing import NamedTuple
from uuid import uuid4

from ledger.kernel.roles import Role
from tests.office import DAY, FIRST_DAY, LAST_DAY, SETTLED_DAY, Office
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


def faults(page):
    """Return what is said at each field."""
    told = re.findall(r'<p class="fault" id="f-([^"]+)-fault">([^<]*)</p>', page)
    return {name: unescape(text) for name, text in told}
