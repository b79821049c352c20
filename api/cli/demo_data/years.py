"""A charity's years, made up: as many events as asked for, in the mix of a real charity's.

演示数据 / ILLUSTRATIVE: nobody gave, bought or was helped. One seed is one history: the same steps
with the same people, days, amounts and references. Only ids, salts and what follows from them
differ, which come from nobody's seed. What is still open is kept in pools of a fixed size, so that
memory does not grow with the years.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from api.cli.demo_data.bulk import Bulk
from api.cli.demo_data.goods import CASHIER, CLERK, TREASURER, Selling
from api.cli.demo_data.randomness import FIRST_DAY, Luck
from ledger.aggregates.disbursements.disbursement import Disbursement
from ledger.aggregates.disbursements.states import DisbursementState
from ledger.aggregates.donations.donation import Donation
from ledger.aggregates.donations.facts import Instalment
from ledger.commands.disbursements import (
    acknowledge,
    approve,
    bounce,
    cancel,
    pay,
    reject,
    request_aid,
    take_back,
)
from ledger.commands.donations import (
    confirm_payment,
    decide_excess,
    pledge,
    receive_payment,
    refund,
    withdraw_pledge,
)
from ledger.commands.donors import register_donor
from ledger.commands.funds import open_fund, transfer
from ledger.kernel.ids import new_id
from ledger.kernel.money import CNY, Fen
from ledger.kernel.names import (
    DisbursementId,
    DonationId,
    DonorId,
    FundCode,
    PartyId,
    Position,
)
from ledger.kernel.payments import Channel
from ledger.kernel.terms import Restriction
from projections.kernel.follow import Progress, silent

DAYS = 3 * 365
"""Days that a history is spread over, however long it is."""

PROMISES_MAX, GIFTS_MAX, DONORS_MAX, CASES_MAX = 2_000, 500, 5_000, 200
"""How many are remembered at most: unpaid promises, paid ones, donors, and cases of aid."""

REPORTED_EVERY = 1_000

FUNDS: tuple[tuple[str, str, Restriction], ...] = (
    ("F-HEAR", "爱心测听室", "restricted"),
    ("F-GEN", "日常善款", "unrestricted"),
    ("F-YOUTH", "助学金", "restricted"),
    ("F-WARM", "暖冬行动", "restricted"),
    ("F-ELDER", "敬老午餐", "restricted"),
    ("F-FLOOD", "洪灾救助", "restricted"),
    ("F-BOOKS", "乡村图书角", "restricted"),
    ("F-SIGHT", "白内障手术", "restricted"),
    ("F-WATER", "饮水工程", "restricted"),
    ("F-ILL", "大病救助", "restricted"),
    ("F-GRID", "邻里互助", "unrestricted"),
    ("F-SPORT", "操场翻新", "restricted"),
)
"""Code, name and class of each fund; the first are the best known."""

CODES = [FundCode(code) for code, _, _ in FUNDS]
GIVEN_TO = [CODES[0]] * 12 + [CODES[1]] * 6 + CODES
"""Which fund the next gift is for: two fifths go to the one that was on television."""

WANG, ZHAO, BOOKKEEPER = "person-wang", "person-zhao", "person-bookkeeper"

YUAN = (10, 20, 50, 50, 100, 100, 100, 200, 500, 1_000, 10_000)
"""What people give."""

CHANNELS: tuple[Channel, ...] = ("wechat", "wechat", "wechat", "alipay", "alipay", "bank", "cash")

Kept = TypeVar("Kept", bound=UUID)


class Years:
    """One charity, living on until it has so many events."""

    def __init__(self, ledger: Bulk, *, events: int, seed: int) -> None:
        self._ledger = ledger
        self._events = events
        self._luck = Luck(seed)
        self._donors: list[DonorId] = []
        self._promises: list[DonationId] = []
        self._gifts: list[DonationId] = []
        self._cases: list[DisbursementId] = []
        self._selling = Selling(
            ledger, self._luck, CODES, days=max(30, min(300, 2_000 * DAYS // events))
        )
        self._steps: dict[Callable[[], object], float] = {
            self._pledge: 30,
            self._payment: 30,
            self._selling.order: 30,
            self._selling.goods_back: 2,
            self._aid: 5.5,
            self._donor: 1.5,
            self._confirmation: 0.5,
            self._refund: 0.4,
            self._excess: 0.3,
            self._withdrawal: 0.2,
            self._transfer: 0.1,
        }
        """What happens, and how often of a hundred times."""

    def live(self, progress: Progress = silent) -> None:
        """Make the history; tell ``progress`` how far it is."""
        self._found()
        steps, weights = list(self._steps), list(self._steps.values())
        while self._ledger.decided < self._events:
            for step in self._luck.choices(steps, weights, k=REPORTED_EVERY):
                if self._ledger.decided >= self._events:
                    break
                self._pass_time()
                step()
            progress(Position(self._ledger.decided), Position(self._events))
        self._ledger.flush()

    def _amount(self) -> Fen:
        """Return what somebody gives."""
        return Fen(self._luck.choice(YUAN) * 100)

    def _remember(self, pool: list[Kept], new: Kept, most: int) -> None:
        gone = self._luck.keep(pool, new, most)
        if gone is not None:
            self._ledger.forget(gone)

    def _pass_time(self) -> None:
        today = FIRST_DAY + timedelta(DAYS * self._ledger.decided // self._events)
        if today != self._luck.today:
            self._luck.today = today
            self._selling.new_day()

    def _found(self) -> None:
        for code, name, restriction in FUNDS:
            self._ledger.now(
                open_fund,
                self._luck.act(TREASURER, "treasurer"),
                code=code,
                name=name,
                purpose=f"{name}(演示)",
                restriction=restriction,
                currency=CNY,
            )
        self._donor()

    # Gifts.

    def _donor(self) -> None:
        donor = DonorId(new_id())
        act = self._luck.act(CLERK, "clerk")
        self._ledger.now(register_donor, act, donor, anonymous=True)
        self._remember(self._donors, donor, DONORS_MAX)

    def _pledge(self) -> None:
        amount = self._amount()
        twice = self._luck.random() < 1 / 20
        half = Fen(amount // 2)
        promised = self._ledger.now(
            pledge,
            self._luck.act(CLERK, "clerk"),
            donor=self._luck.choice(self._donors),
            fund=self._luck.choice(GIVEN_TO),
            amount=amount,
            currency=CNY,
            pledged_on=self._luck.lately(),
            instalments=self._halves(half) if twice else (),
            public_promise=self._luck.random() < 1 / 10,
        )
        self._remember(self._promises, DonationId(promised), PROMISES_MAX)

    def _halves(self, half: Fen) -> tuple[Instalment, ...]:
        due = self._luck.today + timedelta(30)
        return Instalment(due, half), Instalment(due + timedelta(30), half)

    def _payment(self) -> None:
        promise = self._luck.draw(self._promises)
        if promise is None:
            self._pledge()
            return
        due, luck = self._ledger.get(Donation, promise).open, self._luck.random()
        in_part = luck < 1 / 10
        amount = due // 2 if in_part else due + 20_00 if luck > 49 / 50 else due
        channel = self._luck.choice(CHANNELS)
        self._ledger.now(
            receive_payment,
            self._luck.act(CASHIER, "cashier"),
            promise,
            amount=amount,
            channel=channel,
            external_ref=self._luck.reference(channel),
            received_on=self._luck.lately(),
        )
        pool, most = (self._promises, PROMISES_MAX) if in_part else (self._gifts, GIFTS_MAX)
        self._remember(pool, promise, most)

    def _withdrawal(self) -> None:
        promise = self._luck.draw(self._promises)
        if promise is None:
            return
        if self._ledger.get(Donation, promise).public_promise:
            self._promises.append(promise)
            return
        act = self._luck.act(CLERK, "clerk")
        self._ledger.now(withdraw_pledge, act, promise, reason="搬家")
        self._ledger.forget(promise)

    def _refund(self) -> None:
        gift = self._luck.draw(self._gifts)
        if gift is None:
            return
        donation = self._ledger.get(Donation, gift)
        amount = sum(part.left for part in donation.kept) // self._luck.randint(1, 2)
        if 0 < amount <= self._ledger.available(donation.fund):
            self._ledger.now(
                refund,
                self._luck.act(TREASURER, "treasurer"),
                gift,
                amount=amount,
                cause=self._luck.choice(("duplicate", "error", "donor_or_law", "own_fault")),
                reason="多付",
                on=self._luck.today,
            )
        self._ledger.forget(gift)

    def _confirmation(self) -> None:
        """Find the first payment of one of the gifts on the bank's or platform's statement."""
        if not self._gifts:
            return
        gift = self._luck.choice(self._gifts)
        donation = self._ledger.get(Donation, gift)
        channel, reference = next(iter(donation.payments))
        if (channel, reference) not in donation.confirmed:
            self._ledger.now(
                confirm_payment,
                self._luck.act(BOOKKEEPER, "bookkeeper"),
                gift,
                channel=channel,
                external_ref=reference,
                statement_ref=f"{channel}-{self._luck.today:%Y-%m}",
                on=self._luck.today,
            )

    def _excess(self) -> None:
        """Decide about one of the gifts that were more than promised, if one is soon found."""
        for _ in range(100):
            if not self._gifts:
                return
            gift = self._luck.choice(self._gifts)
            waiting = sum(part.left for part in self._ledger.get(Donation, gift).excess)
            if waiting:
                self._ledger.now(
                    decide_excess,
                    self._luck.act(CLERK, "clerk"),
                    gift,
                    amount=waiting,
                    decision=self._luck.choice(("give", "give", "return")),
                    on=self._luck.today,
                )
                return

    def _transfer(self) -> None:
        gives, takes = self._luck.sample(CODES, 2)
        amount = self._ledger.available(gives) // 50
        if amount > 0:
            self._ledger.now(
                transfer,
                self._luck.act(TREASURER, "treasurer"),
                gives,
                to=takes,
                amount=amount,
                basis="捐赠人同意书",
                on=self._luck.today,
            )

    # Aid.

    def _aid(self) -> None:
        """Ask for aid, or take one of the cases a step further."""
        case = None if len(self._cases) < CASES_MAX // 4 else self._luck.draw(self._cases)
        if case is None:
            self._cases.append(self._request())
        elif self._further(self._ledger.get(Disbursement, case)):
            self._cases.append(case)
        else:
            self._ledger.forget(case)

    def _request(self) -> DisbursementId:
        party = self._luck.randrange(1_000)
        disbursement = self._ledger.now(
            request_aid,
            self._luck.act(CLERK, "clerk"),
            fund=self._luck.choice(GIVEN_TO),
            payee_kind=self._luck.choice(("person", "organisation", "supplier")),
            payee=PartyId(f"party-{party}"),
            payee_name=None,
            amount=self._luck.choice(YUAN) * 4_00,
            currency=CNY,
            purpose="救助",
            requested_on=self._luck.today,
            grid=f"网格{party % 40}",
        )
        return DisbursementId(disbursement)

    def _further(self, case: Disbursement) -> bool:
        """Take the next step; say whether there may be another."""
        ledger, disbursement, luck = self._ledger, DisbursementId(case.id), self._luck.random()
        match case.state:
            case DisbursementState.REQUESTED if luck < 1 / 25:
                ledger.now(
                    reject, self._luck.act(WANG, "approver"), disbursement, reason="重复申请"
                )
                return False
            case DisbursementState.REQUESTED:
                ledger.now(
                    approve, self._luck.act(WANG, "approver"), disbursement, on=self._luck.today
                )
            case DisbursementState.PARTLY_APPROVED if ledger.available(case.fund) >= case.amount:
                ledger.now(
                    approve, self._luck.act(ZHAO, "approver"), disbursement, on=self._luck.today
                )
            case DisbursementState.APPROVED if luck > 1 / 25:
                act, sent = self._luck.act(CASHIER, "cashier"), self._luck.reference("OUT")
                ledger.now(pay, act, disbursement, external_ref=sent, paid_on=self._luck.today)
            case DisbursementState.APPROVED | DisbursementState.PARTLY_APPROVED:
                ledger.now(cancel, self._luck.act(CLERK, "clerk"), disbursement, reason="已不需要")
                return False
            case DisbursementState.PAID if luck < 1 / 25:
                act = self._luck.act(CASHIER, "cashier")
                ledger.now(bounce, act, disbursement, reason="账号有误", on=self._luck.today)
            case DisbursementState.PAID:
                act = self._luck.act(CLERK, "clerk")
                ledger.now(acknowledge, act, disbursement, by=case.payee, on=self._luck.today)
                return luck < 1 / 10
            case _:
                ledger.now(
                    take_back,
                    self._luck.act(CASHIER, "cashier"),
                    disbursement,
                    amount=case.held // 4,
                    external_ref=self._luck.reference("BACK"),
                    received_on=self._luck.today,
                )
                return False
        return True
