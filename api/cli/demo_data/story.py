"""The story of the sale, played through the commands that the API uses.

演示数据 / ILLUSTRATIVE: derived from a news article of 2016 and dated in 2026; not real records.
The partner's feed beside this file has its repeats and mistakes, as such feeds do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from importlib.resources import files
from typing import Any, ParamSpec
from uuid import UUID

from api.kernel.site import Site
from ledger.aggregates.donations.facts import Instalment
from ledger.aggregates.policies import ApprovalRule
from ledger.aggregates.sales.facts import Item
from ledger.aggregates.sales.settlements import Statement
from ledger.commands.command import Command
from ledger.commands.disbursements import (
    acknowledge,
    approve,
    confirm_payout,
    pay,
    request_aid,
    take_back,
)
from ledger.commands.donations import confirm_payment, pledge, receive_payment, refund
from ledger.commands.donors import register_donor
from ledger.commands.funds import open_fund
from ledger.commands.policies import set_approval_policy
from ledger.commands.relations import declare_relation
from ledger.commands.sales import (
    confirm_remittance,
    end_sale,
    open_sale,
    plan_sale,
    remit,
    settle_sale,
)
from ledger.feeds.feed import CHUNK_LINES
from ledger.feeds.orders import OrderFeed, ReturnFeed
from ledger.kernel.aggregate import BUSINESS_ZONE, Act
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
from ledger.store.commits import Receipt

P = ParamSpec("P")

PEOPLE: Mapping[str, tuple[Role, ...]] = {
    "经办 clerk": (Role.CLERK,),
    "审批甲 first approver": (Role.APPROVER,),
    "审批乙 second approver": (Role.APPROVER,),
    "出纳 cashier": (Role.CASHIER,),
    "会计 bookkeeper": (Role.BOOKKEEPER,),
    "司库 treasurer": (Role.TREASURER,),
    "审计 auditor": (Role.AUDITOR,),
    "管理员 admin": (Role.ADMIN,),
}
"""Who acts. Each wears one hat, so that nobody meets themselves."""

CLERK, APPROVER, SECOND, CASHIER, BOOKKEEPER, TREASURER, *_ = PEOPLE

HEAR, GENERAL, YOUTH = FundCode("F-HEAR"), FundCode("F-GEN"), FundCode("F-YOUTH")

ITEMS = (
    Item("L1", "电饭煲", 500, Fen(16_800)),
    Item("L2", "图书套装", 400, Fen(8_800)),
    Item("L3", "手工风筝", 600, Fen(5_000)),
    Item("L4", "茶油礼盒", 300, Fen(19_800)),
)

HOTLINE_PLEDGES = 13
HOTLINE_PLEDGE_FEN = 50_000
HOTLINE_KEPT = 10
HOTLINE_PART_FEN = 20_000

STAGES = (
    (11_880_000, "测听室设备首款60%", date(2026, 4, 1), date(2026, 4, 10)),
    (5_940_000, "安装完成30%", date(2026, 5, 12), date(2026, 5, 20)),
    (1_980_000, "验收后质保10%", date(2026, 6, 20), date(2026, 6, 25)),
)


class Story:
    """Plays the story, a day at a time."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._ledger = site.ledger
        self.tokens: dict[str, str] = {}
        self._people: dict[str, PersonId] = {}
        self.feeds: dict[str, Any] = {}

    def play(self, report: Callable[[int, int], None]) -> None:
        """Play it all, telling now and then how far it is."""
        chapters = (self._people_come, self._everyday, self._sale, self._promises, self._aid)
        for number, chapter in enumerate(chapters, start=1):
            chapter()
            report(number, len(chapters))

    def _people_come(self) -> None:
        identity, evening = self._site.identity, _evening(date(2026, 1, 4))
        for name, roles in PEOPLE.items():
            self.tokens[name] = identity.create_token(name, roles, at=evening)
            caller = identity.caller(self.tokens[name])
            assert caller is not None  # noqa: S101  # The token was made a line ago.
            self._people[name] = caller.person
        self._site.outbox.deliver()

    def _everyday(self) -> None:
        """Play the year outside the sale: small gifts, one paid twice, one used wrongly."""
        self._open(GENERAL, "社区爱心资金", "unrestricted", "社区公益")
        self._open(HEAR, "爱心测听室", "restricted", "为聋儿康复中心捐建测听室")
        self._open(YOUTH, "雨花润青苗", "restricted", "关爱青少年")
        self._rules()
        gift = self._pledge(GENERAL, 50_000, date(2026, 1, 20), donor=self._donor("匿名"))
        self._receive(gift, 50_000, "wechat", "WX-0120", date(2026, 1, 20))
        twice = self._pledge(GENERAL, 60_000, date(2026, 2, 2), donor=self._donor("捐赠人甲"))
        self._receive(twice, 60_000, "alipay", "ALI-0202", date(2026, 2, 2))
        with self._on(date(2026, 2, 3), TREASURER) as record:
            record(
                refund,
                twice,
                amount=30_000,
                cause="donor_or_law",
                reason="捐赠人重复付款",
            )
        quarters = [Instalment(date(2026, month, 15), Fen(500_000)) for month in (1, 2, 3, 4)]
        school = self._pledge(
            YOUTH, 2_000_000, date(2026, 1, 8), donor=self._donor("企业甲"), instalments=quarters
        )
        self._receive(school, 500_000, "bank", "BK-0115", date(2026, 1, 15))
        self._receive(school, 500_000, "bank", "BK-0215", date(2026, 2, 15))

    def _sale(self) -> None:
        """Play the sale: the plan, the evening, the returns, the settlement, the money."""
        with self._on(date(2026, 2, 24), TREASURER) as record:
            planned = record(
                plan_sale,
                name="雷锋e超市——让爱发声(演示)",
                fund=HEAR,
                partner="嘉丽购(演示)",
                starts_on=date(2026, 3, 8),
                ends_on=date(2026, 3, 14),
                return_days=7,
                partner_fee_bp=150,
                channel_fee_bp=60,
                items=ITEMS,
                plan_filing="DEMO-0001",
            )
        self.sale = SaleId(UUID(planned.id))
        with self._on(date(2026, 3, 8), TREASURER) as record:
            record(open_sale, self.sale, on=date(2026, 3, 8))
        self._feed("orders", OrderFeed, date(2026, 3, 14))
        with self._on(date(2026, 3, 14), TREASURER) as record:
            record(end_sale, self.sale, on=date(2026, 3, 14))
        self._feed("returns", ReturnFeed, date(2026, 3, 22))
        statement = Statement(20_138_000, 370_800, 296_508, 118_603, 19_352_089)
        with self._on(date(2026, 3, 28), TREASURER) as record:
            record(settle_sale, self.sale, statement, agreed_on=date(2026, 3, 28))
        with self._on(date(2026, 3, 30), CASHIER) as record:
            record(
                remit,
                self.sale,
                amount=statement.net_proceeds,
                external_ref="DEMO-BK-330",
                received_on=date(2026, 3, 30),
            )
        with self._on(date(2026, 4, 2), BOOKKEEPER) as record:
            record(
                confirm_remittance,
                self.sale,
                external_ref="DEMO-BK-330",
                statement_ref="DEMO-BK-2026-03",
                on=date(2026, 4, 2),
            )

    def _promises(self) -> None:
        """Play what was promised around the sale, and how much of it came."""
        merchant = self._pledge(
            HEAR, 1_600_000, date(2026, 2, 25), donor=self._donor("嘉丽购(演示)"), public=True
        )
        self._receive(merchant, 1_600_000, "bank", "DEMO-BK-331", date(2026, 3, 30))
        with self._on(date(2026, 4, 2), BOOKKEEPER) as record:
            record(
                confirm_payment,
                merchant,
                channel="bank",
                external_ref="DEMO-BK-331",
                statement_ref="DEMO-BK-2026-03",
                on=date(2026, 4, 2),
            )
        callers = [
            self._pledge(
                HEAR,
                HOTLINE_PLEDGE_FEN,
                date(2026, 3, 14),
                donor=self._donor(f"热线认捐人{number}"),
                public=True,
            )
            for number in range(1, HOTLINE_PLEDGES + 1)
        ]
        paid = [HOTLINE_PLEDGE_FEN] * HOTLINE_KEPT + [HOTLINE_PART_FEN]
        for number, (promise, amount) in enumerate(zip(callers, paid, strict=False), start=1):
            self._receive(promise, amount, "wechat", f"WX-HOT-{number}", date(2026, 3, 20))

    def _aid(self) -> None:
        """Play the hearing-test room: paid in three stages, signed for, a little sent back."""
        for amount, purpose, requested_on, paid_on in STAGES:
            last = self._disburse(amount, purpose, requested_on, paid_on)
        with self._on(date(2026, 6, 28), CASHIER) as record:
            record(
                take_back,
                last,
                amount=125_000,
                external_ref="DEMO-BK-628",
                received_on=date(2026, 6, 28),
            )

    def _disburse(
        self, amount: int, purpose: str, requested_on: date, paid_on: date
    ) -> DisbursementId:
        centre = "爱丽聋儿康复中心"
        with self._on(requested_on, CLERK) as record:
            receipt = record(
                request_aid,
                fund=HEAR,
                payee_kind="organisation",
                payee=self._party(centre),
                payee_name=centre,
                amount=amount,
                currency="CNY",
                purpose=purpose,
                requested_on=requested_on,
            )
        disbursement = DisbursementId(UUID(receipt.id))
        for approver in (APPROVER, SECOND):
            with self._on(requested_on, approver) as record:
                record(approve, disbursement, on=requested_on)
        with self._on(paid_on, CASHIER) as record:
            record(
                pay,
                disbursement,
                external_ref=f"DEMO-PAY-{paid_on:%m%d}",
                paid_on=paid_on,
            )
        with self._on(paid_on, BOOKKEEPER) as record:
            record(
                confirm_payout,
                disbursement,
                statement_ref=f"DEMO-BK-{paid_on:%Y-%m}",
                on=paid_on,
            )
        with self._on(paid_on, CLERK) as record:
            record(acknowledge, disbursement, by=self._party("院长"), on=paid_on)
        return disbursement

    # One step each.

    @contextmanager
    def _on(self, day: date, who: str) -> Iterator[Callable[..., Receipt]]:
        """Let ``who`` record something at the end of ``day``."""
        act = self._act(day, who)

        def record(command: Command[P], *args: P.args, **kwargs: P.kwargs) -> Receipt:
            return self._ledger.record(command, act, *args, **kwargs)

        yield record

    def _act(self, day: date, who: str) -> Act:
        role = PEOPLE[who][0]
        return Act(self._people[who], role, new_id(), _evening(day))

    def _open(self, code: FundCode, name: str, restriction: Any, purpose: str) -> None:
        with self._on(date(2026, 1, 4), TREASURER) as record:
            record(
                open_fund,
                code=code,
                name=name,
                purpose=purpose,
                restriction=restriction,
                currency="CNY",
            )

    def _rules(self) -> None:
        """Have three approve what is large and one what is petty; somebody declares a relation."""
        with self._on(date(2026, 1, 4), TREASURER) as record:
            record(
                set_approval_policy,
                ApprovalRule(one_approval_up_to=20_000, three_approvals_above=20_000_000),
                currency="CNY",
                effective_from=date(2026, 1, 4),
                basis="DEMO 理事会决议 2026-01",
            )
        with self._on(date(2026, 1, 4), SECOND) as record:
            record(
                declare_relation,
                party=None,
                organisation="社区文印店(演示)",
                relation="family",
                on=date(2026, 1, 4),
            )

    def _party(self, name: str) -> PartyId:
        return self._site.identity.vault.keep(PartyId(str(new_id())), {"name": name})

    def _donor(self, name: str) -> DonorId:
        donor = DonorId(UUID(self._party(name)))
        with self._on(date(2026, 1, 4), CLERK) as record:
            record(register_donor, donor, anonymous=True)
        return donor

    def _pledge(
        self,
        fund: FundCode,
        amount: int,
        day: date,
        *,
        donor: DonorId,
        instalments: list[Instalment] | None = None,
        public: bool = False,
    ) -> DonationId:
        with self._on(day, CLERK) as record:
            pledged = record(
                pledge,
                donor=donor,
                fund=fund,
                amount=amount,
                currency="CNY",
                pledged_on=day,
                instalments=instalments or (),
                public_promise=public,
            )
        return DonationId(UUID(pledged.id))

    def _receive(
        self, donation: DonationId, amount: int, channel: Any, reference: str, day: date
    ) -> None:
        with self._on(day, CASHIER) as record:
            record(
                receive_payment,
                donation,
                amount=amount,
                channel=channel,
                external_ref=reference,
                received_on=day,
            )

    def _feed(self, name: str, kind: type[OrderFeed | ReturnFeed], day: date) -> None:
        act = self._act(day, TREASURER)
        feed = kind(self._ledger, act, self.sale)
        lines = files("api.cli.demo_data").joinpath(f"{name}.ndjson").read_bytes().splitlines()
        for start in range(0, len(lines), CHUNK_LINES):
            feed.take_in(lines[start : start + CHUNK_LINES])
        feed.flush()
        self.feeds[name] = feed


def _evening(day: date) -> datetime:
    """Return when the day's events are written down."""
    return datetime.combine(day, time(18), BUSINESS_ZONE).astimezone(UTC)
