"""Other people's tools read the books, and add them up as we do.

Two stories on a real store, one that is written and one that chance writes.
"""

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

import pytest
from beancount import loader
from beancount.core.data import Transaction

from ledger.aggregates.funds import Fund
from ledger.aggregates.sales.facts import Item
from ledger.aggregates.sales.settlements import Statement
from ledger.books.accounts import ACCOUNTS
from ledger.books.postings import MANUAL, postings
from ledger.commands import Ledger
from ledger.commands.disbursements import acknowledge, approve, bounce, pay, request_aid, take_back
from ledger.commands.donations import (
    decide_excess,
    pledge,
    receive_payment,
    refund,
    withdraw_pledge,
)
from ledger.commands.donors import register_donor
from ledger.commands.funds import open_fund, transfer
from ledger.commands.sales import end_sale, open_sale, plan_sale, remit, settle_sale
from ledger.feeds.orders import OrderFeed, ReturnFeed, SaleFeed
from ledger.kernel.aggregate import Act
from ledger.kernel.errors import Refused
from ledger.kernel.ids import new_id
from ledger.kernel.names import PartyId, PersonId
from ledger.kernel.payments import Channel
from projections.exports.plain_text import EXPORTS, account_name
from projections.kernel.history import rest
from tests.folders import DATA

TV_SALE = DATA / "tv-sale"

BEAN_CHECK = Path(sys.executable).with_name("bean-check")
HLEDGER = shutil.which("hledger")

needs_hledger = pytest.mark.skipif(HLEDGER is None, reason="hledger is not installed")


class Desk:
    """Who does everything, on the days that a story asks for."""

    def __init__(self, path: Path):
        self.ledger = Ledger(path)
        self.today = date(2026, 1, 5)
        self.refs = 0

    def close(self):
        self.ledger.close()

    def act(self, who="treasurer", role="treasurer"):
        noon = datetime.combine(self.today, time(4), UTC)
        return Act(PersonId(who), role, new_id(), noon)

    def do(self, command, *args, who="treasurer", **kwargs):
        return self.ledger.record(command, self.act(who, command.by[0]), *args, **kwargs).id

    def ref(self):
        self.refs += 1
        return f"R-{self.refs}"

    def open_fund(self, code, restriction):
        self.do(
            open_fund,
            code=code,
            name="基金",
            purpose="助学",
            restriction=restriction,
            currency="CNY",
        )

    def gift(self, fund, promised, *paid: tuple[int, Channel], on=None) -> UUID:
        on = on or self.today
        donor = new_id()
        self.do(register_donor, donor, anonymous=False)
        donation = UUID(
            self.do(
                pledge,
                donor=donor,
                fund=fund,
                amount=promised,
                currency="CNY",
                pledged_on=on,
            )
        )
        for amount, channel in paid:
            self.do(
                receive_payment,
                donation,
                amount=amount,
                channel=channel,
                external_ref=self.ref(),
                received_on=on,
            )
        return donation

    def refund(self, donation, amount, cause):
        self.do(refund, donation, amount=amount, cause=cause, reason="退款", on=self.today)

    def decide_excess(self, donation, amount, decision):
        self.do(decide_excess, donation, amount=amount, decision=decision, on=self.today)

    def transfer(self, gives, takes, amount):
        basis = "捐赠人同意"
        self.do(transfer, gives, to=takes, amount=amount, basis=basis, on=self.today)

    def aid(self, fund, amount) -> UUID:
        """Ask, have it approved twice, and pay."""
        wanted = UUID(
            self.do(
                request_aid,
                who="clerk",
                fund=fund,
                payee_kind="organisation",
                payee=PartyId("school"),
                payee_name="小学",
                amount=amount,
                currency="CNY",
                purpose="助学",
                requested_on=self.today,
            )
        )
        for who in ("approver-1", "approver-2"):
            self.do(approve, wanted, who=who, on=self.today)
        self.pay(wanted)
        return wanted

    def pay(self, wanted):
        ref = self.ref()
        self.do(pay, wanted, who="cashier", external_ref=ref, paid_on=self.today)

    def take_back(self, wanted, amount):
        self.do(
            take_back,
            wanted,
            amount=amount,
            external_ref=self.ref(),
            received_on=self.today,
        )

    def bounce(self, wanted):
        self.do(bounce, wanted, reason="户名不符", on=self.today)

    def feed(self, kind: type[SaleFeed], sale, lines):
        feed = kind(self.ledger, self.act("partner"), sale)
        for start in range(0, len(lines), 1_000):
            feed.take_in(lines[start : start + 1_000])
        feed.flush()


def tell_the_story(desk: Desk):
    """Every kind of entry at least once, over two years."""
    ledger = desk.ledger
    desk.open_fund("F-HEAR", "restricted")
    desk.open_fund("GENERAL", "unrestricted")
    desk.gift("F-HEAR", 100_01, (60_00, "bank"), (40_01, "cash"))
    over = desk.gift("F-HEAR", 1_000_00, (500_00, "wechat"), (700_03, "alipay"))
    desk.decide_excess(over, 150_00, "give")
    desk.decide_excess(over, 50_01, "return")
    gift = desk.gift("GENERAL", 5_000_00, (5_000_00, "bank"))
    for cause in ("duplicate", "error", "donor_or_law", "own_fault"):
        desk.refund(gift, 11_11, cause)
        desk.refund(over, 7_77, cause)
    desk.do(withdraw_pledge, desk.gift("GENERAL", 99_00), reason="改主意")
    _sell(desk)
    desk.transfer("F-HEAR", "GENERAL", 10_000_07)
    desk.transfer("GENERAL", "F-HEAR", 3_00)
    bounced = desk.aid("F-HEAR", 20_000_00)
    desk.bounce(bounced)
    desk.pay(bounced)
    desk.do(acknowledge, bounced, by=PartyId("school"), on=desk.today)
    late = desk.aid("GENERAL", 800_00)
    desk.take_back(bounced, 1_23)
    desk.today = date(2027, 2, 1)
    desk.take_back(bounced, 4_56)
    desk.take_back(late, 800_00)
    desk.refund(over, 99_99, "donor_or_law")
    desk.gift("GENERAL", 1, (1, "cash"), on=date(2026, 12, 31))

    made = {type(fact) for _, fact in rest(ledger) if postings(fact)}
    assert made == {kind for kind, rule in MANUAL.items() if rule is not MANUAL[Fund.Opened]}


def _sell(desk: Desk):
    plan = json.loads((TV_SALE / "sale.json").read_text(encoding="utf-8"))
    sale = UUID(
        desk.do(
            plan_sale,
            name="让爱发声",
            fund="F-HEAR",
            partner="嘉丽购",
            starts_on=date(2026, 3, 8),
            ends_on=date(2026, 3, 14),
            return_days=7,
            partner_fee_bp=plan["partner_fee_bp"],
            channel_fee_bp=plan["channel_fee_bp"],
            items=[Item(**each) for each in plan["items"]],
        )
    )
    desk.today = date(2026, 4, 1)
    desk.do(open_sale, sale, on=date(2026, 3, 8))
    desk.feed(OrderFeed, sale, (TV_SALE / "orders.ndjson").read_bytes().splitlines())
    desk.feed(ReturnFeed, sale, (TV_SALE / "returns.ndjson").read_bytes().splitlines())
    desk.do(end_sale, sale, on=date(2026, 3, 14))
    statement = Statement(**{name: plan[name] for name in Statement.__struct_fields__})
    desk.do(settle_sale, sale, statement, agreed_on=date(2026, 3, 28))
    for amount in (1, plan["net_proceeds"] - 1):
        ref = desk.ref()
        desk.do(remit, sale, amount=amount, external_ref=ref, received_on=desk.today)


class Chance:
    """Two years and more of gifts, refunds, transfers and aid, some of them backdated."""

    FUNDS = ("A", "B2", "F-HEAR-2")

    def __init__(self, desk: Desk, seed: int):
        self.desk = desk
        self.random = Random(seed)
        self.gifts: list[UUID] = []
        self.aids: list[UUID] = []

    def tell(self):
        for code in self.FUNDS:
            self.desk.open_fund(code, self.random.choice(("restricted", "unrestricted")))
        self.give()
        steps = (*[self.give] * 3, *[self.aid] * 3, self.refund, self.decide_excess, self.transfer)
        later = (self.bounce, self.take_back)
        refused = 0
        while self.desk.ledger.store.last_position() < 600:
            self.desk.today += timedelta(days=self.random.randint(0, 6))
            try:
                self.random.choice(steps + later if self.aids else steps)()
            except Refused:
                refused += 1
        assert refused
        assert self.desk.today.year > 2026

    def fen(self) -> int:
        return round(10 ** self.random.uniform(0, 7))

    def give(self):
        channels: list[Channel] = ["bank", "wechat", "alipay", "cash"]
        paid = [
            (self.fen(), self.random.choice(channels)) for _ in range(self.random.randint(0, 2))
        ]
        on = max(date(2026, 1, 1), self.desk.today - timedelta(days=self.random.randint(0, 40)))
        self.gifts.append(self.desk.gift(self.random.choice(self.FUNDS), self.fen(), *paid, on=on))

    def refund(self):
        cause = self.random.choice(("duplicate", "error", "donor_or_law", "own_fault"))
        self.desk.refund(self.random.choice(self.gifts), self.fen(), cause)

    def decide_excess(self):
        decision = self.random.choice(("give", "return"))
        self.desk.decide_excess(self.random.choice(self.gifts), self.fen(), decision)

    def transfer(self):
        gives, takes = self.random.sample(self.FUNDS, 2)
        self.desk.transfer(gives, takes, self.fen())

    def aid(self):
        self.aids.append(self.desk.aid(self.random.choice(self.FUNDS), self.fen()))

    def bounce(self):
        self.desk.bounce(self.random.choice(self.aids))

    def take_back(self):
        self.desk.take_back(self.random.choice(self.aids), self.fen())


def ours(ledger: Ledger) -> Counter[str]:
    """Add up our own postings, in fen, by the name that the tools know the account by."""
    total: Counter[str] = Counter()
    for _, fact in rest(ledger):
        for line in postings(fact):
            total[account_name(ACCOUNTS[line.account], line.fund)] += line.amount
    return Counter({name: fen for name, fen in total.items() if fen})


def run(*command: str | Path) -> str:
    """Run a tool that must not complain, where nobody has set a locale; return what it says."""
    done = subprocess.run(  # noqa: S603  # Tools and files of our own choosing.
        command, env={"LC_ALL": "C"}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(scope="module", params=["story", 1, 2])
def ledger(request, tmp_path_factory) -> Iterator[Ledger]:
    with closing(Desk(tmp_path_factory.mktemp("desk") / "ledger.db")) as desk:
        if request.param == "story":
            tell_the_story(desk)
        else:
            Chance(desk, request.param).tell()
        yield desk.ledger


@pytest.fixture
def exported(ledger, tmp_path):
    def write(format_: str) -> Path:
        path = tmp_path / f"books.{format_}"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(EXPORTS[format_](rest(ledger)))
        return path

    return write


def test_beancount_adds_the_books_up_as_we_do(ledger, exported):
    path = exported("beancount")

    assert run(BEAN_CHECK, path) == ""
    entries, errors, _ = loader.load_file(path)
    assert not errors
    total: Counter[str] = Counter()
    for entry in entries:
        if isinstance(entry, Transaction):
            for line in entry.postings:
                assert line.units.currency == "CNY"
                total[line.account] += int(line.units.number.scaleb(2).to_integral_exact())
    assert {name: fen for name, fen in total.items() if fen} == ours(ledger)


@needs_hledger
def test_hledger_adds_the_books_up_as_we_do(ledger, exported):
    path = exported("hledger")

    for strictness in ((), ("--strict",)):
        assert run(HLEDGER, "-f", path, "check", *strictness) == ""
    said = run(HLEDGER, "-f", path, "balance", "--flat", "--no-total", "-O", "csv")
    rows = [row.replace('"', "").split(",") for row in said.splitlines()[1:]]
    total = {name: int(sum_.removesuffix(" CNY").replace(".", "")) for name, sum_ in rows}
    assert total == ours(ledger)


@needs_hledger
def test_hledger_knows_which_accounts_are_money(exported):
    said = run(HLEDGER, "-f", exported("hledger"), "accounts", "type:C", "--depth", "2")

    assert all(name[7:11] in {"1001", "1002", "1009"} for name in said.split())
    assert said


def test_every_entry_leads_back_to_its_event(ledger, exported):
    entries, _, _ = loader.load_file(exported("beancount"))
    told = {entry.meta["position"]: entry for entry in entries if isinstance(entry, Transaction)}

    for position, fact in rest(ledger):
        entry = told.pop(position, None)
        assert (entry is None) == (not postings(fact))
        if entry is not None:
            assert entry.date == fact.on
            assert entry.meta["topic"] == fact.TOPIC
            assert entry.meta["stream"] == str(fact.originator_id)
            assert entry.meta["actor"] == fact.actor
            assert entry.meta["command"] == str(fact.command)
    assert not told


def test_ndjson_has_every_event_and_its_stored_words(ledger, exported):
    lines = exported("ndjson").read_text(encoding="utf-8").splitlines()

    records = [json.loads(line) for line in lines]
    assert [each["position"] for each in records] == list(
        range(1, ledger.store.last_position() + 1)
    )
    stored = ledger.store.history(0, len(records))
    for record, each in zip(records, stored, strict=True):
        assert (record.pop("position"), record.pop("type")) == (each.id, each.topic)
        said = record.pop("data") | {"stream": record.pop("id")} | record
        assert said == json.loads(each.state)


def test_the_rest_begins_and_ends_where_it_is_told_to(ledger):
    newest = ledger.store.last_position()

    def positions(*args):
        return [position for position, _ in rest(ledger, *args)]

    assert positions(newest) == []
    assert positions(5, 8) == [6, 7, 8]
    assert positions(0, newest + 1) == list(range(1, newest + 1))
