"""/v1/sales"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.kernel.desk import AtLeast, Desk
from api.kernel.doors import Door, in_lines, may, refuses
from api.kernel.feeds import FeedForeseen, FeedTaken, in_ndjson, take_in
from api.kernel.forms import titled
from api.kernel.paging import Cursor, Limit, list_query
from api.kernel.steps import Step, add_creation, add_steps
from api.kernel.texts import marked
from api.kernel.wire import (
    Amount,
    Body,
    Code,
    Day,
    On,
    Reference,
    Text,
    example,
    json_response,
)
from ledger.aggregates.funds import FundClosed
from ledger.aggregates.sales.facts import Item
from ledger.aggregates.sales.rules import (
    RemittanceDiffers,
    RemittanceExceedsOutstanding,
    ReturnWindowOpen,
)
from ledger.aggregates.sales.sale import ITEMS_MAX, RETURN_DAYS_MAX
from ledger.aggregates.sales.settlements import SettlementMismatch, Statement
from ledger.aggregates.sales.states import STEPS as POSSIBLE
from ledger.aggregates.sales.states import SaleState
from ledger.commands.sales import (
    confirm_remittance,
    end_sale,
    open_sale,
    plan_sale,
    remit,
    settle_sale,
)
from ledger.feeds.orders import OrderFeed, ReturnFeed
from ledger.kernel.confirmations import ConfirmationDiffers
from ledger.kernel.errors import NotFound, SamePerson, WrongState
from ledger.kernel.money import AMOUNT_MAX, BASIS_POINTS, Fen
from ledger.kernel.names import SaleId
from ledger.kernel.terms import UNITS_MAX
from projections.views.sales import Sales, sale, sales

router = APIRouter(prefix="/v1/sales", tags=["sales"], route_class=Door)

BasisPoints = Annotated[int, Field(strict=True, ge=0, le=BASIS_POINTS)]
Figure = Annotated[int, Field(strict=True, ge=0, le=AMOUNT_MAX, description="In fen.")]


class NewItem(Body):
    """Goods put with the partner."""

    model_config = example(sku="L1", name="电饭煲", consigned=500, unit_price=16_800)

    sku: Annotated[str, Field(min_length=1, max_length=64)]
    name: Text
    consigned: Annotated[int, Field(strict=True, gt=0, le=UNITS_MAX)]
    unit_price: Amount


class NewSale(Body):
    """What is agreed with the partner."""

    model_config = example(
        name="让爱发声",
        fund="F-HEAR",
        partner="嘉丽购",
        starts_on="2026-03-08",
        ends_on="2026-03-14",
        return_days=7,
        partner_fee_bp=150,
        channel_fee_bp=60,
        items=[{"sku": "L1", "name": "电饭煲", "consigned": 500, "unit_price": 16_800}],
        plan_filing="DEMO-0001",
    )

    name: Text
    fund: Code
    partner: Text
    starts_on: Day
    ends_on: Day
    return_days: Annotated[int, Field(strict=True, ge=0, le=RETURN_DAYS_MAX)] = 7
    partner_fee_bp: BasisPoints
    channel_fee_bp: BasisPoints
    items: Annotated[tuple[NewItem, ...], Field(min_length=1, max_length=ITEMS_MAX)]
    plan_filing: Text | None = None

    def arguments(self) -> dict[str, Any]:
        """Return the plan, with its items as they are consigned."""
        items = [
            Item(each.sku, each.name, each.consigned, Fen(each.unit_price)) for each in self.items
        ]
        return super().arguments() | {"items": items}


class NewSettlement(Body):
    """The partner's statement, in fen."""

    model_config = example(
        gross=20_138_000,
        refunds=370_800,
        partner_fee=296_508,
        channel_fee=118_603,
        net_proceeds=19_352_089,
        agreed_on="2026-03-28",
    )

    gross: Figure
    refunds: Figure
    partner_fee: Figure
    channel_fee: Figure
    net_proceeds: Figure
    agreed_on: Day

    def arguments(self) -> dict[str, Any]:
        """Return the partner's figures, and the day on which they were agreed."""
        figures = self.model_dump(exclude={"agreed_on"})
        return {"theirs": Statement(**figures), "agreed_on": self.agreed_on}


class NewRemittance(Body):
    """Money that the partner paid over."""

    model_config = example(amount=19_352_089, external_ref="BK-330", received_on="2026-03-30")

    amount: Amount
    external_ref: Reference
    received_on: Day


class NewRemittanceConfirmation(Body):
    """Which remittance was found, and on which of the bank's statements."""

    model_config = example(external_ref="BK-330", statement_ref="BK-2026-03", on="2026-04-02")

    external_ref: Reference
    statement_ref: Reference
    on: Day


class ItemShown(BaseModel):
    """One line of the catalogue and how it sells."""

    sku: str
    name: str
    consigned: int
    unit_price: int
    sold: int
    returned: int


class SaleShown(BaseModel):
    """A sale and its running total; figures in fen. Fees are those of this moment."""

    id: str
    position: int
    version: int
    name: str
    fund: str
    currency: str
    partner: str
    starts_on: str
    ends_on: str
    return_days: int
    partner_fee_bp: int
    channel_fee_bp: int
    plan_filing: str | None
    state: SaleState
    orders: int
    units: int
    units_returned: int
    gross: int
    refunds: int
    net_sales: int
    partner_fee: int
    channel_fee: int
    net_proceeds: int
    remitted: int
    confirmed: int = Field(description="Of what was remitted, found on a statement.")
    outstanding: int
    items: list[ItemShown]


class SalesShown(BaseModel):
    """A page of sales."""

    items: list[SaleShown]
    next: str | None


PLAN = Step(
    "",
    plan_sale,
    NewSale,
    (NotFound, FundClosed),
    name="plan",
    title=marked("Plan a charity sale"),
)

add_creation(router, PLAN)


@router.get("", response_model=SalesShown)
@may()
def list_sales(
    desk: Desk, cursor: Cursor = None, limit: Limit = 100, at_least: AtLeast = None
) -> Response:
    """Return sales with their running totals, oldest first."""
    query = list_query("sales", cursor, limit)
    with desk.read(Sales, at_least) as reading:
        rows = sales(reading.connection, after=query.after, limit=query.limit + 1)
    return json_response(query.page(rows, lambda row: int(row["position"])))


@router.get("/{sale_id}", response_model=SaleShown, responses=refuses(NotFound))
@may()
def show_sale(sale_id: UUID, desk: Desk, at_least: AtLeast = None) -> Response:
    """Return a sale with its running total."""
    with desk.read(Sales, at_least) as reading:
        row = sale(reading.connection, str(sale_id))
    if row is None:
        raise NotFound("sale")
    return json_response(row)


STEPS = (
    Step(
        "opening",
        open_sale,
        On,
        (WrongState, FundClosed),
        title=marked("Open a sale"),
        possible=(POSSIBLE, "opening"),
    ),
    Step(
        "ending",
        end_sale,
        On,
        (WrongState,),
        title=marked("End a sale"),
        possible=(POSSIBLE, "ending"),
    ),
    Step(
        "settlement",
        settle_sale,
        NewSettlement,
        (WrongState, ReturnWindowOpen, SettlementMismatch),
        name="settle",
        title=marked("Settle a sale"),
        possible=(POSSIBLE, "settlement"),
    ),
    Step(
        "remittances",
        remit,
        NewRemittance,
        (WrongState, FundClosed, RemittanceExceedsOutstanding, RemittanceDiffers),
        title=marked("Record a remittance"),
        possible=(POSSIBLE, "remittance"),
    ),
    Step(
        "remittances/confirmation",
        confirm_remittance,
        NewRemittanceConfirmation,
        (SamePerson, ConfirmationDiffers),
        name="confirm",
        title=marked("Confirm a remittance by its statement"),
        possible=(POSSIBLE, "remittance"),
    ),
)

add_steps(router, "sale_id", STEPS)


ORDER_LINE = (
    '{"order_no":"JLG-1","placed_at":"2026-03-08T20:12:38+08:00",'
    '"lines":[{"sku":"L1","quantity":1,"unit_price":16800}]}'
)
RETURN_LINE = (
    '{"order_no":"JLG-1","return_no":"R-1","returned_on":"2026-03-20",'
    '"lines":[{"sku":"L1","quantity":1}],"refund":16800}'
)


async def _feed(desk: Desk, kind: type[OrderFeed | ReturnFeed], sale_id: UUID) -> Response:
    return await take_in(desk, lambda act: kind(desk.ledger, act, SaleId(sale_id)))


@router.post(
    "/{sale_id}/orders",
    response_model=FeedTaken | FeedForeseen,
    responses=refuses(NotFound, WrongState),
    openapi_extra=in_ndjson(ORDER_LINE),
)
@titled(marked("Take in a partner's orders"), (POSSIBLE, "orders"))
@in_lines
@may(*OrderFeed.by)
async def feed_orders(sale_id: UUID, desk: Desk) -> Response:
    """Take in a partner's orders, one JSON object a line, as in the example."""
    return await _feed(desk, OrderFeed, sale_id)


@router.post(
    "/{sale_id}/returns",
    response_model=FeedTaken | FeedForeseen,
    responses=refuses(NotFound, WrongState),
    openapi_extra=in_ndjson(RETURN_LINE),
)
@titled(marked("Take in returned goods"), (POSSIBLE, "returns"))
@in_lines
@may(*ReturnFeed.by)
async def feed_returns(sale_id: UUID, desk: Desk) -> Response:
    """Take in a partner's returned goods, one JSON object a line."""
    return await _feed(desk, ReturnFeed, sale_id)
