"""Events of a charity sale, as they are kept for ever."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from ledger.kernel.aggregate import Fact
from ledger.kernel.money import Currency, Fen
from ledger.kernel.names import FundCode
from ledger.kernel.terms import Restriction


class Item(Struct, frozen=True, forbid_unknown_fields=True):
    """Goods put with the partner (寄售): so many pieces, at this price each."""

    sku: str
    name: str
    consigned: int
    unit_price: Fen


class Planned(Fact, frozen=True):
    """The charity agreed with a partner what is sold, when, at which price and fee."""

    TOPIC = "sale.planned.1"
    name: str
    fund: FundCode
    restriction: Restriction
    currency: Currency
    partner: str
    starts_on: date
    ends_on: date
    return_days: int
    partner_fee_bp: int
    channel_fee_bp: int
    items: tuple[Item, ...]
    plan_filing: str | None


class Opened(Fact, frozen=True):
    """Orders are taken from this day on."""

    TOPIC = "sale.opened.1"
    fund: FundCode


class Ended(Fact, frozen=True):
    """The last day of selling; the return window begins."""

    TOPIC = "sale.ended.1"
    fund: FundCode


class Settled(Fact, frozen=True):
    """Both sides agreed on every figure. The fees become an expense."""

    TOPIC = "sale.settled.1"
    fund: FundCode
    restriction: Restriction
    currency: Currency
    gross: Fen
    refunds: Fen
    partner_fee: Fen
    channel_fee: Fen
    net_proceeds: Fen


class Remitted(Fact, frozen=True):
    """The partner paid what it owes, or a part of it."""

    TOPIC = "sale.remitted.1"
    fund: FundCode
    amount: Fen
    currency: Currency
    external_ref: str


class RemittanceConfirmed(Fact, frozen=True):
    """Somebody else found the remittance on the bank's own statement."""

    TOPIC = "sale.remittance-confirmed.1"
    fund: FundCode
    amount: Fen
    currency: Currency
    external_ref: str
    statement_ref: str
