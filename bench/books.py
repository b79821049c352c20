"""Ledgers to measure: a charity with funds and a donor, and one with years behind it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import uvloop

from api.places import Places
from ledger.aggregates.sales.facts import Item
from ledger.commands import Ledger
from ledger.commands.command import Command
from ledger.commands.disbursements import acknowledge, approve, pay, request_aid
from ledger.commands.donations import pledge, receive_payment
from ledger.commands.donors import register_donor
from ledger.commands.funds import open_fund
from ledger.commands.sales import open_sale, plan_sale
from ledger.feeds.feed import CHUNK_LINES
from ledger.feeds.orders import OrderFeed
from ledger.kernel.aggregate import Act
from ledger.kernel.ids import new_id
from ledger.kernel.money import Fen
from ledger.kernel.names import (
    DisbursementId,
    DonationId,
    DonorId,
    FundCode,
    PartyId,
    PersonId,
    SaleId,
)
from ledger.kernel.roles import Role
from ledger.people.identity import Identity

FUNDS = tuple(FundCode(f"F-{number}") for number in range(1, 101))
HOT = FUNDS[0]
"""The fund that everybody gives to at once."""

FIRST_DAY = date(2026, 1, 1)
DAYS = 300
"""Days that a history is spread over."""

CLERK, WANG, ZHAO, CASHIER = (PersonId(name) for name in ("clerk", "wang", "zhao", "cashier"))
RECORDED_AT = datetime(2026, 12, 1, tzinfo=UTC)

ITEMS = tuple(Item(f"L{n}", "电饭煲", 1_000_000, Fen(n * 100_00)) for n in range(1, 6))

IN_FLIGHT = 64
"""Commands under way at once, as many as connections."""

SAID = dict.fromkeys(
    ("path", "donor", "fund", "amount", "currency", "pledged_on"), "0123456789abcdef01234567"
)
"""A fingerprint such as the door makes of a pledge."""


def act(person: PersonId = CLERK, role: str = "clerk") -> Act:
    """Return who does the next thing, under a command of its own."""
    return Act(person, role, uuid4(), RECORDED_AT, SAID)


def act_for(command: Command[Any], person: PersonId = CLERK) -> Act:
    """Return who does the next thing, in the first of the roles that may."""
    return act(person, command.by[0])


class Charity:
    """Funds, one donor and one open sale, in a folder or in a PostgreSQL database.

    Attributes:
        path: Of the ledger, if it is kept in a file.

    """

    def __init__(self, data: Path, database: str | None = None) -> None:
        places = Places.in_folder(data) if database is None else Places.at(database, data)
        self.path = data / "ledger.db"
        self.donor = DonorId(new_id())
        identity = Identity(places.people, places.vault_key)
        with closing(Ledger(places.ledger)) as ledger, closing(identity):
            everything = [
                role for role in Role if role not in {Role.DONOR, Role.PARTNER, Role.ADMIN}
            ]
            self.token = identity.create_token("bench", everything, at=RECORDED_AT)
            ledger.record(register_donor, act_for(register_donor), self.donor, anonymous=True)
            for code in FUNDS:
                ledger.record(
                    open_fund,
                    act_for(open_fund),
                    code=code,
                    name="爱心测听室",
                    purpose="为聋儿康复中心捐建测听室",
                    restriction="restricted",
                    currency="CNY",
                )
            self.sale = _open_sale(ledger)

    def pledge(self, fund: FundCode = HOT, on: date = FIRST_DAY) -> dict[str, Any]:
        """Return the parts of a promise of a hundred yuan."""
        money = {"amount": 100_00, "currency": "CNY"}
        return {"donor": self.donor, "fund": fund, **money, "pledged_on": on}


def _open_sale(ledger: Ledger) -> SaleId:
    planned = ledger.record(
        plan_sale,
        act_for(plan_sale),
        name="电视义卖",
        fund=HOT,
        partner="嘉丽购",
        starts_on=FIRST_DAY,
        ends_on=FIRST_DAY + timedelta(DAYS),
        return_days=7,
        partner_fee_bp=150,
        channel_fee_bp=60,
        items=ITEMS,
    )
    sale = SaleId(UUID(planned.id))
    ledger.record(open_sale, act_for(open_sale), sale, on=FIRST_DAY)
    return sale


def order_lines(amount: int) -> Iterator[bytes]:
    """Return lines of a partner's feed, no two of one order."""
    for number in range(amount):
        item = ITEMS[number % len(ITEMS)]
        day = FIRST_DAY + timedelta(number % DAYS)
        line = {"sku": item.sku, "quantity": 1, "unit_price": item.unit_price}
        yield msgspec.json.encode(
            {
                "order_no": f"JLG-{new_id().hex}",
                "placed_at": f"{day}T20:12:38+08:00",
                "lines": [line],
            }
        )


def gift_lines(charity: Charity, amount: int) -> Iterator[bytes]:
    """Return lines of gifts that came at once: each a promise and its payment."""
    for number in range(amount):
        day = FIRST_DAY + timedelta(number % DAYS)
        payment = {"amount": 100_00, "channel": "wechat", "external_ref": new_id().hex}
        line = charity.pledge(FUNDS[number % len(FUNDS)], day) | {"ref": new_id().hex}
        yield msgspec.json.encode(line | {"payment": payment | {"received_on": day}})


def live(charity: Charity, events: int, *, seed: int = 1) -> None:
    """Give ``charity`` a past of about so many events, with a real charity's mix.

    Three quarters are gifts, promised and then paid; a fifth are orders of a televised sale; the
    rest is aid, each case asked for, approved twice, paid and acknowledged.
    """
    chance = random.Random(seed)
    aid = events // 120
    orders = events // 5
    gifts = (events - 6 * aid - orders) // 2
    with closing(Ledger(charity.path)) as ledger:
        together(_gift(ledger, charity, chance) for _ in range(gifts))
        together(_aid(ledger, chance) for _ in range(aid))
        feed = OrderFeed(ledger, act(role="treasurer"), charity.sale)
        lines = list(order_lines(orders))
        for start in range(0, orders, CHUNK_LINES):
            feed.take_in(lines[start : start + CHUNK_LINES])
        feed.flush()


async def _gift(ledger: Ledger, charity: Charity, chance: random.Random) -> None:
    on = FIRST_DAY + timedelta(chance.randrange(DAYS))
    fund = HOT if chance.random() < 1 / 2 else chance.choice(FUNDS)
    promise = await ledger.record_async(pledge, act_for(pledge), **charity.pledge(fund, on))
    await ledger.record_async(
        receive_payment,
        act_for(receive_payment, CASHIER),
        DonationId(UUID(promise.id)),
        amount=100_00,
        channel="wechat",
        external_ref=new_id().hex,
        received_on=on,
    )


async def _aid(ledger: Ledger, chance: random.Random) -> None:
    on = FIRST_DAY + timedelta(chance.randrange(DAYS))
    receipt = await ledger.record_async(
        request_aid,
        act_for(request_aid),
        fund=HOT,
        payee_kind="organisation",
        payee=PartyId("party-hearing-centre"),
        payee_name=None,
        amount=100_00,
        currency="CNY",
        purpose="助听器",
        requested_on=on,
    )
    disbursement = DisbursementId(UUID(receipt.id))
    await ledger.record_async(approve, act_for(approve, WANG), disbursement, on=on)
    await ledger.record_async(approve, act_for(approve, ZHAO), disbursement, on=on)
    await ledger.record_async(
        pay, act_for(pay, CASHIER), disbursement, external_ref=new_id().hex, paid_on=on
    )
    await ledger.record_async(
        acknowledge, act_for(acknowledge), disbursement, by=PartyId("party-hearing-centre"), on=on
    )


def together(work: Iterable[Coroutine[Any, Any, object]]) -> None:
    """Do all of ``work``, ``IN_FLIGHT`` at a time, on a loop such as the server's."""
    waiting = iter(work)

    async def one_after_another() -> None:
        for each in waiting:
            await each

    async def all_of_them() -> None:
        await asyncio.gather(*(one_after_another() for _ in range(IN_FLIGHT)))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(all_of_them())
