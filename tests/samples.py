"""People, funds and goods with names, and one fact of every kind.

The figures are those of the illustrative story: a televised sale for a hearing room (爱心测听室).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from uuid import UUID

import msgspec

from ledger.aggregates.disbursements.disbursement import Disbursement
from ledger.aggregates.donations.donation import Donation
from ledger.aggregates.donations.facts import Instalment
from ledger.aggregates.donors import Donor
from ledger.aggregates.funds import Fund
from ledger.aggregates.policies import ApprovalPolicy
from ledger.aggregates.public_logs import PublicLog
from ledger.aggregates.relations import Relations
from ledger.aggregates.sales.facts import Item
from ledger.aggregates.sales.orders import GoodsReturn, Order, OrderLine, ReturnLine, SaleOrder
from ledger.aggregates.sales.sale import CharitySale
from ledger.aggregates.sales.settlements import Statement
from ledger.aggregates.staff import StaffMember
from ledger.kernel.aggregate import FACTS
from ledger.kernel.names import DonorId, FundCode, SaleId, fund_stream
from ledger.kernel.payments import Returned as Back
from tests.folders import GOLDEN
from tests.spec import FORM, STREAM, EventBody, fact, replay, unstamped

LIN, WANG, ZHAO, CHEN, SUN = "lin", "wang", "zhao", "chen", "sun"
"""Lin asks for aid, Wang and Zhao approve, Chen is the cashier, Sun the treasurer."""

MEI = DonorId(UUID(int=0xA1))
"""A donor."""

CENTRE = "party-hearing-centre"
"""Who is paid."""

HEAR, WARM, GENERAL = FundCode("F-HEAR"), FundCode("F-WARM"), FundCode("F-GEN")
"""Two restricted funds and the unrestricted one."""

RESTRICTION = {HEAR: "restricted", WARM: "restricted", GENERAL: "unrestricted"}

LAST_YEAR, THIS_YEAR = date(2026, 12, 30), date(2027, 1, 4)
"""Days on both sides of a closing of the books."""

# Funds.


def opened(code: str, *, on: date = date(2026, 1, 5)) -> EventBody:
    return fact(
        Fund.Opened,
        on=on,
        fund=code,
        name="爱心测听室专项",
        purpose="为76名儿童捐建测听室",
        restriction=RESTRICTION[code],
        currency="CNY",
    )


OPENED = opened(HEAR)
FROZEN = fact(Fund.Frozen, fund=HEAR, reason="bank reversal under review")
THAWED = fact(Fund.Thawed, fund=HEAR, reason="review done")
CLOSED = fact(Fund.Closed, fund=HEAR, reason="the room is built")
TRANSFERRED = fact(
    Fund.Transferred,
    fund=HEAR,
    restriction="restricted",
    to=WARM,
    to_restriction="restricted",
    amount=1_000_00,
    currency="CNY",
    basis="donor's consent 07",
)


def fund(code: str, *then: EventBody) -> Fund:
    """Return an open fund, and what became of it."""
    return replay(opened(code), *then, stream=fund_stream(FundCode(code)))


# Donations.

REGISTERED = fact(Donor.Registered, anonymous=True)
ANNOUNCED = fact(
    PublicLog.KeyAnnounced,
    log="PeterNeumann",
    key="PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
)
RESTRICTED = fact(Donor.ProcessingRestricted, basis="statutory-retention", until=date(2056, 12, 31))
ADDED = fact(StaffMember.Added)
GRANTED = fact(StaffMember.RolesGranted, roles=("approver", "clerk"))
ROLES_WITHDRAWN = fact(StaffMember.RolesWithdrawn, roles=("approver",))
DISABLED = fact(StaffMember.Disabled)
ERASED = fact(Donor.Erased, basis="consent-withdrawn", reason="asked-by-donor")
PLEDGED = fact(
    Donation.Pledged,
    on=date(2026, 3, 14),
    donor=MEI,
    fund=HEAR,
    amount=100_00,
    currency="CNY",
    restriction="restricted",
    instalments=(),
    public_promise=False,
    note=None,
)
IN_PARTS = PLEDGED.but(
    instalments=(
        Instalment(date(2026, 3, 14), 40_00),
        Instalment(date(2026, 4, 14), 60_00),
    ),
    note="第一期现场付款",
)


def paid(
    amount: int, channel: str = "bank", ref: str = "B-1", *, excess: int = 0, on: date | None = None
) -> EventBody:
    """Return money that arrived on Mei's promise."""
    return fact(
        Donation.PaymentReceived,
        on=on or date(2026, 3, 20),
        fund=HEAR,
        restriction="restricted",
        amount=amount,
        excess=excess,
        currency="CNY",
        channel=channel,
        external_ref=ref,
    )


PAYMENT = paid(100_00)
OVERPAYMENT = paid(130_00, excess=30_00)
WITHDRAWN = fact(Donation.Withdrawn, fund=HEAR, open=100_00, currency="CNY", reason="moved away")


PAYMENT_CONFIRMED = fact(
    Donation.PaymentConfirmed,
    who=SUN,
    fund=HEAR,
    amount=130_00,
    currency="CNY",
    channel="bank",
    external_ref="B-1",
    statement_ref="ST-03",
)


def refunded(
    amount: int, *back: Back, cause: str = "donor_or_law", on: date | None = None
) -> EventBody:
    return fact(
        Donation.Refunded,
        on=on or date(2026, 4, 1),
        fund=HEAR,
        restriction="restricted",
        amount=amount,
        currency="CNY",
        cause=cause,
        reason="the donor asked",
        back=back,
    )


REFUNDED = refunded(30_00, Back("bank", 30_00, prior_year=False))
EXCESS_GIVEN = fact(
    Donation.ExcessGiven, fund=HEAR, restriction="restricted", amount=30_00, currency="CNY"
)
EXCESS_RETURNED = fact(
    Donation.ExcessReturned,
    fund=HEAR,
    amount=30_00,
    currency="CNY",
    back=(Back("bank", 30_00, prior_year=False),),
)

# A sale, its orders and what came back.

COOKER = Item("L1", "电饭煲", 500, 168_00)
BOOKS = Item("L2", "图书套装", 400, 88_00)
ITEMS = (COOKER, BOOKS)

FIRST_DAY, LAST_DAY = date(2026, 3, 8), date(2026, 3, 14)
LAST_RETURN_DAY = date(2026, 3, 21)

PLANNED = fact(
    CharitySale.Planned,
    on=date(2026, 2, 24),
    name="让爱发声",
    fund=HEAR,
    restriction="restricted",
    currency="CNY",
    partner="嘉丽购",
    starts_on=FIRST_DAY,
    ends_on=LAST_DAY,
    return_days=7,
    partner_fee_bp=150,
    channel_fee_bp=60,
    items=ITEMS,
    plan_filing="DEMO-0001",
)
SALE_OPENED = fact(CharitySale.Opened, on=FIRST_DAY, fund=HEAR)
SALE_ENDED = fact(CharitySale.Ended, on=LAST_DAY, fund=HEAR)
STATEMENT = Statement(
    gross=201_380_00,
    refunds=3_708_00,
    partner_fee=2_965_08,
    channel_fee=1_186_03,
    net_proceeds=193_520_89,
)
SETTLED = fact(
    CharitySale.Settled,
    on=date(2026, 3, 28),
    fund=HEAR,
    restriction="restricted",
    currency="CNY",
    gross=201_380_00,
    refunds=3_708_00,
    partner_fee=2_965_08,
    channel_fee=1_186_03,
    net_proceeds=193_520_89,
)
REMITTED = fact(
    CharitySale.Remitted,
    on=date(2026, 3, 30),
    fund=HEAR,
    amount=193_520_89,
    currency="CNY",
    external_ref="DEMO-BK-330",
)

REMITTANCE_CONFIRMED = fact(
    CharitySale.RemittanceConfirmed,
    who=SUN,
    fund=HEAR,
    amount=193_520_89,
    currency="CNY",
    external_ref="DEMO-BK-330",
    statement_ref="ST-03",
)

SALE = SaleId(STREAM)
PLANNED_SALE: CharitySale = replay(PLANNED)
OPEN_SALE: CharitySale = replay(PLANNED, SALE_OPENED)
ENDED_SALE: CharitySale = replay(PLANNED, SALE_OPENED, SALE_ENDED)
SETTLED_SALE: CharitySale = replay(PLANNED, SALE_OPENED, SALE_ENDED, SETTLED)

ORDER = Order(
    "JLG-1",
    datetime(2026, 3, 8, 12, 12, 38, tzinfo=UTC),
    (OrderLine("L1", 2, 168_00), OrderLine("L2", 1, 88_00)),
)
ONE_COOKER_BACK = GoodsReturn("JLG-1", "R-1", LAST_RETURN_DAY, (ReturnLine("L1", 1),), 168_00)

PLACED = fact(
    SaleOrder.Placed,
    on=FIRST_DAY,
    sale=SALE,
    fund=HEAR,
    restriction="restricted",
    currency="CNY",
    order_no=ORDER.order_no,
    placed_at=ORDER.placed_at,
    lines=ORDER.lines,
    amount=424_00,
)
GOODS_RETURNED = fact(
    SaleOrder.GoodsReturned,
    on=LAST_RETURN_DAY,
    sale=SALE,
    fund=HEAR,
    restriction="restricted",
    currency="CNY",
    return_no="R-1",
    lines=ONE_COOKER_BACK.lines,
    refund=168_00,
)

# Aid.

AID = {"fund": HEAR, "amount": 500_00, "currency": "CNY"}

REQUESTED = fact(
    Disbursement.Requested,
    who=LIN,
    **AID,
    restriction="restricted",
    payee_kind="organisation",
    payee=CENTRE,
    payee_name="爱丽聋儿康复中心",
    purpose="测听室设备首款",
    grid="G3",
)
WANG_APPROVED = fact(Disbursement.ApprovalGiven, who=WANG, **AID, payee=CENTRE)
ZHAO_APPROVED = fact(Disbursement.ApprovalGiven, who=ZHAO, **AID, payee=CENTRE)
RESERVED = fact(Disbursement.Reserved, who=ZHAO, **AID, approvals=2)
REJECTED = fact(Disbursement.Rejected, who=WANG, fund=HEAR, reason="outside the purpose")
CANCELLED = fact(
    Disbursement.Cancelled, fund=HEAR, released=500_00, currency="CNY", reason="bought elsewhere"
)
PAID = fact(Disbursement.Paid, who=CHEN, **AID, restriction="restricted", external_ref="P-1")
PAYOUT_CONFIRMED = fact(
    Disbursement.PaymentConfirmed, who=SUN, **AID, external_ref="P-1", statement_ref="ST-04"
)
BOUNCED = fact(
    Disbursement.Bounced, who=CHEN, **AID, restriction="restricted", reason="账号户名不符"
)
ACKNOWLEDGED = fact(Disbursement.Acknowledged, **AID, by=CENTRE)


def given_back(
    amount: int,
    ref: str = "R-1",
    *,
    on: date | None = None,
    prior_year: bool = False,
    acknowledged: bool = False,
) -> EventBody:
    return fact(
        Disbursement.Returned,
        who=CHEN,
        on=on or date(2026, 4, 1),
        fund=HEAR,
        restriction="restricted",
        amount=amount,
        currency="CNY",
        external_ref=ref,
        prior_year=prior_year,
        acknowledged=acknowledged,
    )


APPROVED = (REQUESTED, WANG_APPROVED, ZHAO_APPROVED, RESERVED)
"""What leads to money being set aside."""

# Rules and relations.

POLICY_SET = fact(
    ApprovalPolicy.Set,
    who=SUN,
    effective_from=date(2026, 4, 1),
    one_approval_up_to=200_00,
    three_approvals_above=50_000_00,
    currency="CNY",
    basis="resolution 2026-03",
)
DECLARED = fact(
    Relations.Declared,
    who=WANG,
    party=None,
    organisation="爱丽聋儿康复中心",
    relation="family",
)


NAMED = (
    OPENED,
    FROZEN,
    THAWED,
    TRANSFERRED,
    CLOSED,
    REGISTERED,
    RESTRICTED,
    ERASED,
    IN_PARTS,
    OVERPAYMENT,
    PAYMENT_CONFIRMED,
    WITHDRAWN,
    REFUNDED,
    EXCESS_GIVEN,
    EXCESS_RETURNED,
    PLANNED,
    SALE_OPENED,
    SALE_ENDED,
    SETTLED,
    REMITTED,
    REMITTANCE_CONFIRMED,
    PLACED,
    GOODS_RETURNED,
    REQUESTED,
    WANG_APPROVED,
    RESERVED,
    REJECTED,
    CANCELLED,
    PAID,
    PAYOUT_CONFIRMED,
    BOUNCED,
    ACKNOWLEDGED,
    given_back(125_00, acknowledged=True),
    POLICY_SET,
    DECLARED,
    ANNOUNCED,
    ADDED,
    GRANTED,
    ROLES_WITHDRAWN,
    DISABLED,
)
"""Facts of many kinds, which tests call by their names."""


def _golden() -> Iterator[EventBody]:
    """Yield the first golden line of every other kind."""
    named = {each.kind.TOPIC for each in NAMED}
    for line in (GOLDEN / "events.ndjson").read_bytes().splitlines():
        row = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        topic = msgspec.json.decode(row["topic"], type=str)
        if topic in FACTS and topic not in named:
            named.add(topic)
            yield unstamped(FORM.read(topic, bytes(row["state"])))


SAMPLES = (*NAMED, *_golden())
"""One fact of every kind."""
