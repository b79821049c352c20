"""The books in formats that other people's tools read.

Every format is a generator over the history and yields lines that end in a newline; what it holds
in memory grows with the accounts in use, not with the events. A new format is one function and
one entry in ``EXPORTS``.

beancount and hledger get the same account names and signs, debit positive, so that their balances
can be compared with ours, and with each other, to the fen. Every transaction names the event that
made it, and nothing in it names a person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from ledger.books.accounts import ACCOUNTS, MONEY, REGIME_START, Account
from ledger.books.postings import postings
from ledger.kernel.aggregate import Fact
from ledger.kernel.money import CNY, yuan
from ledger.kernel.names import FundCode, Position
from projections.kernel.history import as_record

History = Iterable[tuple[Position, Fact]]
"""Events with their positions, in order."""


def beancount(history: History) -> Iterator[str]:
    """Yield a ledger for beancount and Fava, which ``bean-check`` passes without a word.

    Accounts are opened on the first day of the regime: an event recorded later may be of an
    earlier business day, but none with an entry is of an earlier regime.
    """
    yield 'option "title" "Leifeng ledger"\n'
    yield f'option "operating_currency" "{CNY}"\n'
    yield f"{REGIME_START} commodity {CNY}\n"
    for each in transactions(history):
        for account, fund in each.first_used:
            yield f"\n{REGIME_START} open {account_name(account, fund)} {CNY}\n"
            yield f'  code: "{account.code}"\n'
            yield f'  fund: "{fund}"\n'
            yield f'  zh: "{account.zh}"\n'
        yield f'\n{each.on} * "{each.title}"\n'
        yield f"  position: {each.position}\n"
        for name, value in each.trail.items():
            yield f'  {name}: "{value}"\n'
        yield from each.lines


HLEDGER_TYPES = {"Assets": "A", "Liabilities": "L", "Equity": "E", "Income": "R", "Expenses": "X"}


def hledger(history: History) -> Iterator[str]:
    """Yield a journal for hledger, which ``hledger check --strict`` passes.

    All of it is ASCII: where no locale is set, as in many containers, hledger refuses a file that
    is not. Transactions come in the order of recording, so ``check ordereddates`` may well fail.
    """
    yield "; Leifeng ledger. A transaction's code is the position of the event that made it.\n"
    yield "decimal-mark .\n"
    yield f"commodity 1000.00 {CNY}\n"
    for account in ACCOUNTS.values():
        kind = "C" if account.code in MONEY else HLEDGER_TYPES[account.kind]
        yield f"account {_NAMES[account.code]}  ; type:{kind}\n"
    for each in transactions(history):
        for account, fund in each.first_used:
            yield f"\naccount {account_name(account, fund)}  ; code:{account.code}, fund:{fund}\n"
        yield f"\n{each.on} * ({each.position}) {each.title}\n"
        yield f"    ; position:{each.position}\n"
        for name, value in each.trail.items():
            yield f"    ; {name}:{value}\n"
        yield from each.lines


def ndjson(history: History) -> Iterator[str]:
    """Yield every event, with an entry or without, as a line of JSON in UTF-8."""
    for position, fact in history:
        yield msgspec.json.encode(as_record(position, fact)).decode() + "\n"


EXPORTS: dict[str, Callable[[History], Iterator[str]]] = {
    "beancount": beancount,
    "hledger": hledger,
    "ndjson": ndjson,
}
"""Every format by the name under which it is asked for."""


# What the tools for double-entry books have in common.


class Transaction(NamedTuple):
    """An entry in the words of plain-text accounting.

    Attributes:
        position: Of the event that made it.
        on: The event's business day.
        title: Which kind of event it was.
        trail: What else leads back to the event, by name.
        lines: Account and amount in yuan, indented, each ending in a newline.
        first_used: The accounts that no earlier transaction has touched.

    """

    position: Position
    on: date
    title: str
    trail: dict[str, str]
    lines: list[str]
    first_used: list[tuple[Account, FundCode]]


def transactions(history: History) -> Iterator[Transaction]:
    """Yield the entries of those events that make one."""
    used: set[tuple[str, FundCode]] = set()
    for position, fact in history:
        entry = postings(fact)
        if not entry:
            continue
        touched = dict.fromkeys((line.account, line.fund) for line in entry)
        first_used = [each for each in touched if each not in used]
        used.update(first_used)
        yield Transaction(
            position=position,
            on=fact.on,
            title=title(fact.TOPIC),
            trail={
                "topic": fact.TOPIC,
                "stream": str(fact.originator_id),
                "actor": quote(fact.actor, safe=" :/@+"),
                "command": str(fact.command),
            },
            lines=[
                f"  {account_name(ACCOUNTS[line.account], line.fund):<60}"
                f"  {plain_yuan(line.amount):>16} {CNY}\n"
                for line in entry
            ],
            first_used=[(ACCOUNTS[code], fund) for code, fund in first_used],
        )


def title(topic: str) -> str:
    """Say which kind of event ``topic`` names.

    >>> title("sale-order.goods-returned.1")
    'Sale order: goods returned'

    """
    thing, happened, _ = topic.replace("-", " ").split(".")
    return f"{thing.capitalize()}: {happened}"


def plain_yuan(fen: int) -> str:
    """Write ``fen`` as any tool reads it, exact to the fen and without grouping.

    >>> plain_yuan(-1_797_089)
    '-17970.89'

    """
    return yuan(fen).replace(",", "")


def account_name(account: Account, fund: FundCode) -> str:
    """Return what both tools call ``account`` in ``fund``.

    The code comes first, so that their reports follow the chart of accounts. beancount allows
    letters, digits and hyphens only.

    >>> account_name(ACCOUNTS["4101.R"], FundCode("F-HEAR"))
    'Income:4101-R-Donations:F-HEAR'

    """
    return f"{_NAMES[account.code]}:{fund}"


def _name(account: Account) -> str:
    words, *_ = account.en.split(",")  # The class of income and expense is in the code.
    return f"{account.kind}:{re.sub('[^A-Za-z0-9]+', '-', f'{account.code} {words}')}"


_NAMES = {code: _name(account) for code, account in ACCOUNTS.items()}
