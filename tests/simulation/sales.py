"""Charity sales are planned, opened, fed with orders and returns, settled and remitted."""

from datetime import timedelta

from msgspec.structs import asdict

from ledger.aggregates.sales.facts import Item
from ledger.aggregates.sales.sale import CharitySale
from ledger.aggregates.sales.settlements import Statement
from ledger.aggregates.sales.states import SaleState
from ledger.books.tallies import of_sale
from ledger.commands import sales
from ledger.feeds.orders import OrderFeed, ReturnFeed
from ledger.kernel.ids import new_id
from tests.samples import CHEN, GENERAL, HEAR, SUN
from tests.simulation.choices import DAYS_AGO, FUNDS, NEWEST, NOBODY
from tests.simulation.noun import Noun

noun = Noun(sales, OrderFeed, ReturnFeed)


@noun.chance(fund=FUNDS, consigned=(0, 3, 3), fee_bp=(0, 150))
def plan_sale(life, fund, consigned, fee_bp):
    days = {"starts_on": life.today, "ends_on": life.today + timedelta(days=1)}
    names = {"name": "义卖", "fund": fund, "partner": "嘉丽购"}
    terms = {"return_days": 2, "partner_fee_bp": fee_bp, "channel_fee_bp": 60}
    items = [Item("L1", "电饭煲", consigned, 168_00)]
    life.attempt("plan_sale", items=items, into="sales", **names, **days, **terms)


@noun.chance(fund=(HEAR, GENERAL))
def sell(life, fund):
    plan_sale(life, fund, 3, 150)
    step_sale(life, 0, "open_sale", 0)
    order(life, 0, "A", 2, 0)


@noun.chance(newest=NEWEST, step=("open_sale", "open_sale", "end_sale"), ago=DAYS_AGO)
def step_sale(life, newest, step, ago):
    life.attempt(step, life.pick("sales", newest), on=life.day(ago))


@noun.chance(
    newest=NEWEST,
    no="ABC",
    quantity=(0, 1, 1, 2),
    ago=DAYS_AGO,
)
def order(life, newest, no, quantity, ago):
    line = {"sku": "L1", "quantity": quantity, "unit_price": 168_00}
    fields = {"order_no": no, "placed_at": f"{life.day(ago)}T12:00:00+08:00", "lines": [line]}
    life.feed(OrderFeed, life.pick("sales", newest), fields)


@noun.chance(newest=NEWEST, no="ABC", back="12", ago=DAYS_AGO)
def goods_back(life, newest, no, back, ago):
    goods = {"lines": [{"sku": "L1", "quantity": 1}], "refund": 168_00}
    fields = {"order_no": no, "return_no": back, "returned_on": life.day(ago), **goods}
    life.feed(ReturnFeed, life.pick("sales", newest), fields)


@noun.chance(back="12")
def sell_and_take_back(life, back):
    sell(life, HEAR)
    goods_back(life, 0, "A", back, 0)


@noun.chance(newest=NEWEST, off=(0, 0, 0, 1), ago=DAYS_AGO)
def settle(life, newest, off, ago):
    sale = life.pick("sales", newest)
    theirs = Statement(0, 0, 0, 0, 0)
    if sale != NOBODY:
        sold = life.ledger.store.tallies([of_sale(sale, each) for each in ("gross", "refunds")])
        figures = {name: sold.get(of_sale(sale, name), 0) for name in ("gross", "refunds")}
        ours = asdict(life.ledger.get(CharitySale, sale).statement(**figures))
        theirs = Statement(**ours | {"net_proceeds": ours["net_proceeds"] + off})
    life.attempt("settle_sale", sale, theirs, agreed_on=life.day(ago))


@noun.chance(part=(1, 2))
def finish_sale(life, part):
    step_sale(life, 0, "end_sale", 0)
    life.pass_days(9)
    settle(life, 0, 0, 0)
    remit(life, 0, part, 0)
    confirm_remittance(life, 0, CHEN, 0)


@noun.chance(newest=NEWEST, part=(1, 2), more=(0, 0, 1))
def remit(life, newest, part, more):
    sale = life.pick("sales", newest)
    settled = sale != NOBODY and life.ledger.get(CharitySale, sale).state is SaleState.SETTLED
    owed = life.ledger.get(CharitySale, sale).outstanding if settled else 1
    fields = {"amount": owed // part + more, "external_ref": new_id().hex}
    life.attempt("remit", sale, received_on=life.today, **fields)


@noun.chance(newest=NEWEST, who=(SUN, CHEN), ago=DAYS_AGO)
def confirm_remittance(life, newest, who, ago):
    sale = life.pick("sales", newest)
    remitted = {} if sale == NOBODY else life.ledger.get(CharitySale, sale).remittances
    fields = {"external_ref": next(iter(remitted), "B-9"), "statement_ref": f"ST-{ago}"}
    life.attempt("confirm_remittance", sale, who=who, on=life.day(ago), **fields)
