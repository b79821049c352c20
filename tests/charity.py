"""A real ledger on a real file or database, and the steps that tests take with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from eventsourcing.persistence import StoredEvent

from ledger.aggregates.sales.facts import Item
from ledger.books.tallies import AVAILABLE, Tally, changes, of_fund
from ledger.commands import Ledger
from ledger.commands.every import COMMANDS
from ledger.kernel.aggregate import Fact
from ledger.kernel.ids import new_id
from ledger.kernel.names import DisbursementId, DonationId, SaleId
from ledger.store.commits import Commit, Outcome, Receipt
from ledger.store.committer import Committer
from tests.samples import (
    CENTRE,
    CHEN,
    FIRST_DAY,
    HEAR,
    ITEMS,
    LAST_DAY,
    LIN,
    MEI,
    RESTRICTION,
    SUN,
    WANG,
    ZHAO,
)
from tests.spec import SOMEONE, TODAY, act_for


class Charity:
    """Short words for the commands, with sample data where it does not matter."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def do(
        self, command: str, *args: Any, who: str = SOMEONE, on_day: date = TODAY, **fields: Any
    ) -> Receipt:
        """Carry out a command by its name, as ``who``, recorded ``on_day``."""
        known = COMMANDS[command]
        return self.ledger.record(known, act_for(known, who, on_day), *args, **fields)

    def open_fund(self, code: str = HEAR) -> Receipt:
        return self.do(
            "open_fund",
            code=code,
            name="专项",
            purpose="aid",
            restriction=RESTRICTION[code],
            currency="CNY",
        )

    def pledge(self, amount: int = 100_00, fund: str = HEAR) -> DonationId:
        if self.ledger.find(object, MEI) is None:
            self.do("register_donor", MEI, anonymous=True)
        promise = {"fund": fund, "amount": amount, "currency": "CNY", "pledged_on": TODAY}
        return DonationId(UUID(self.do("pledge", donor=MEI, **promise).id))

    def pay_in(self, donation: DonationId, amount: int, ref: str | None = None) -> Receipt:
        return self.do(
            "receive_payment",
            donation,
            who=CHEN,
            amount=amount,
            channel="bank",
            external_ref=ref or new_id().hex,
            received_on=TODAY,
        )

    def gift(self, amount: int = 100_00, fund: str = HEAR) -> DonationId:
        donation = self.pledge(amount, fund)
        self.pay_in(donation, amount)
        return donation

    def request(self, amount: int = 50_00, fund: str = HEAR) -> DisbursementId:
        payee = {"payee_kind": "organisation", "payee": CENTRE, "payee_name": None}
        money = {"fund": fund, "amount": amount, "currency": "CNY"}
        receipt = self.do(
            "request_aid", who=LIN, **payee, **money, purpose="aid", requested_on=TODAY
        )
        return DisbursementId(UUID(receipt.id))

    def approve(self, disbursement: DisbursementId, who: str = WANG) -> Receipt:
        return self.do("approve", disbursement, who=who, on=TODAY)

    def approved(self, amount: int = 50_00, fund: str = HEAR) -> DisbursementId:
        disbursement = self.request(amount, fund)
        self.approve(disbursement, WANG)
        self.approve(disbursement, ZHAO)
        return disbursement

    def pay_out(self, disbursement: DisbursementId) -> Receipt:
        return self.do("pay", disbursement, who=CHEN, external_ref="P-1", paid_on=TODAY)

    def plan_sale(self, items: tuple[Item, ...] = ITEMS, fund: str = HEAR) -> SaleId:
        days = {"starts_on": FIRST_DAY, "ends_on": LAST_DAY, "return_days": 7}
        fees = {"partner_fee_bp": 150, "channel_fee_bp": 60}
        planned = self.do(
            "plan_sale",
            who=SUN,
            name="义卖",
            fund=fund,
            partner="嘉丽购",
            items=items,
            **days,
            **fees,
        )
        return SaleId(UUID(planned.id))

    def open_sale(self, items: tuple[Item, ...] = ITEMS, fund: str = HEAR) -> SaleId:
        sale = self.plan_sale(items, fund)
        self.do("open_sale", sale, who=SUN, on=FIRST_DAY)
        return sale

    def end_sale(self, sale: SaleId) -> Receipt:
        return self.do("end_sale", sale, who=SUN, on=LAST_DAY)

    def tally(self, tally: Tally) -> int:
        return self.ledger.store.tallies([tally]).get(tally, 0)

    def available(self, fund: str = HEAR) -> int:
        return self.tally(of_fund(fund, AVAILABLE))

    def facts(self) -> list[Fact]:
        """Return the whole history, after checking that its positions have no gaps."""
        history = list(self.ledger.history(0, 1_000_000))
        assert [position for position, _ in history] == list(range(1, len(history) + 1))
        return [each for _, each in history]

    def kinds(self) -> list[str]:
        return [each.TOPIC for each in self.facts()]

    def check_tallies(self) -> None:
        """Hold the stored tallies to a recount of the history from its first event."""
        kept = {tally: value for tally, value in self.ledger.store.all_tallies() if value}
        recount = {tally: value for tally, value in changes(self.facts()).items() if value}

        assert Counter(kept) == Counter(recount)


@contextmanager
def charity(place: Path | str) -> Iterator[Charity]:
    """Open the ledger in this file or database, and close it in the end."""
    with closing(Ledger(place)) as ledger:
        yield Charity(ledger)


@contextmanager
def stored_late(committer: Committer) -> Iterator[Sequence[Future[Outcome]]]:
    """Have everything stored only when somebody waits for it, which is as late as can be."""
    submit = committer.submit
    handed_over: list[Future[Outcome]] = []

    class Late(Future[Outcome]):
        def __init__(self, commit: Commit) -> None:
            super().__init__()
            self._commit = commit
            self._stored: Future[Outcome] | None = None
            handed_over.append(self)

        def result(self, timeout: float | None = None) -> Outcome:
            self._stored = self._stored or submit(self._commit)
            return self._stored.result(timeout)

    with pytest.MonkeyPatch.context() as late:
        late.setattr(committer, "submit", Late)
        yield handed_over


@contextmanager
def stored_once_looked_up(ledger: Ledger) -> Iterator[None]:
    """Have what is being stored land right after a feed looked up what is recorded."""
    streams = ledger.store.streams

    def looked_up(ids: Sequence[UUID]) -> Iterator[StoredEvent]:
        events = list(streams(ids))
        for each in handed_over:
            each.result()
        return iter(events)

    with stored_late(ledger.committer) as handed_over, pytest.MonkeyPatch.context() as early:
        early.setattr(ledger.store, "streams", looked_up)
        yield
