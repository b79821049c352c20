"""Years of a charity's life by chance, allowed and forbidden: the books hold after every step."""

import json
from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, timedelta
from operator import attrgetter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import ClassVar
from uuid import UUID

from hypothesis import HealthCheck, currently_in_test_context, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run
from msgspec.structs import asdict

from ledger.aggregates.donations.donation import Donation
from ledger.aggregates.donations.facts import Instalment
from ledger.aggregates.policies import ApprovalRule
from ledger.aggregates.sales.facts import Item
from ledger.aggregates.sales.sale import CharitySale, SaleState
from ledger.aggregates.sales.settlements import Statement
from ledger.aggregates.staff import StaffMember
from ledger.books.movements import COLUMNS
from ledger.books.postings import postings
from ledger.books.tallies import AVAILABLE, of_fund, of_sale
from ledger.commands import Ledger, every
from ledger.feeds.orders import OrderFeed, ReturnFeed
from ledger.kernel.aggregate import project
from ledger.kernel.errors import LedgerError
from ledger.kernel.ids import new_id
from ledger.kernel.money import CNY
from ledger.kernel.names import DonorId
from ledger.kernel.roles import MONEY_ROLES, Role
from tests.charity import Charity
from tests.ledger.books.test_movements import added_up, check_against_the_books
from tests.samples import ANNOUNCED, CENTRE, CHEN, GENERAL, HEAR, LIN, MEI, SUN, WANG, WARM, ZHAO
from tests.spec import act, act_for, state
from tests.stores import Postgres

RUNS, STEPS = 30, 60
"""Enough that every command is both carried out and refused, and done in seconds."""

FEW_RUNS = 10
"""Where each step is as many round trips; the decisions are the same code."""

NOBODY = new_id()

FUNDS = (HEAR, HEAR, GENERAL, WARM)
AMOUNTS = (0, 1, 20_00, 33_33, 100_00, 100_00, 150_00)
NEWEST = (0, 0, 0, 1, 2)
DAYS_AGO = (*[0] * 12, 1, 9, 400, -1)
REFERENCES = (*[None] * 6, "B-1", "B 1")
REASONS = (*["as agreed"] * 6, "call 13812345678")

STAFF = (str(UUID(int=0x5A)), str(UUID(int=0x5B)))
ROLES_OF_STAFF = (
    [Role.ADMIN],
    [Role.CASHIER, Role.CLERK],
    [Role.CLERK],
    [Role.ADMIN, Role.CASHIER],
)

COMMANDS = {"OrderFeed", "ReturnFeed", *every.COMMANDS}
"""Everything that decides. A new command must be simulated, too."""

CHANCES = []
"""What may happen, and the choices that it leaves open."""


def chance(**choices):
    """Say that the step below may happen, with any of these."""

    def mark(step):
        CHANCES.append((step, choices))
        return step

    return mark


class Years(RuleBasedStateMachine):
    """One charity from its first day, with a clock that only its rules move."""

    outcomes: ClassVar[Counter] = Counter()
    """How often each command was carried out, and refused, in all runs together."""

    def __init__(self):
        super().__init__()
        self.opened = ExitStack()
        self.place = self.somewhere()
        self.ledger = Ledger(self.place)
        self.today = date(2026, 1, 1)
        self.live = {}
        self.charity = self.steps = 0
        self.donors, self.donations, self.disbursements, self.sales = [], [], [], []

    def somewhere(self):
        """Return where a new ledger can be kept."""
        return Path(self.opened.enter_context(TemporaryDirectory())) / "ledger.db"

    # Doing things, allowed or not.

    def attempt(self, step, /, *args, who=SUN, into=None, **said):
        """Carry out a command or be refused; remember what it made, and what it left."""
        command, made = every.COMMANDS[step], []

        def decide(ledger, act, *args, **said):
            decision = command.decide(ledger, act, *args, **said)
            made.append(decision.about)
            return decision

        remembering, by = replace(command, decide=decide), act_for(command, who, self.today)
        try:
            receipt = self.ledger.record(remembering, by, *args, **said)
        except LedgerError:
            self.outcomes[step, "refused"] += 1
        else:
            self.outcomes[step, "done"] += 1
            self.live[made[-1].id] = state(made[-1])
            if into is not None:
                into.append(UUID(receipt.id))

    def feed(self, kind, sale, line):
        try:
            feed = kind(self.ledger, act(SUN, self.today, kind.by[0]), sale)
            feed.take_in([json.dumps(line, default=str).encode()])
            feed.flush()
        except LedgerError:
            self.outcomes[kind.__name__, "refused"] += 1
        else:
            self.outcomes[kind.__name__, "done"] += feed.accepted
            self.outcomes[kind.__name__, "refused"] += len(feed.rejected)

    @rule(seed=st.integers(0, 2**32))
    def something_happens(self, seed):
        """Take one step. The seed says which, another one each time, so that all are as likely."""
        self.steps += 1
        dice = Random(f"{self.charity} {seed} {self.steps}")
        step, choices = dice.choice(CHANCES)
        chosen = {name: dice.choice(options) for name, options in choices.items()}
        if currently_in_test_context():
            note(f"{self.today} {step.__name__} {chosen}")
        step(self, **chosen)

    def day(self, ago):
        return self.today - timedelta(days=ago)

    @initialize(charity=st.integers(0, 2**32))
    def founding(self, charity):
        self.charity = charity
        for fund in (HEAR, GENERAL, WARM):
            self.open_fund(fund)
        self.attempt("register_donor", MEI, anonymous=True)
        self.give(HEAR, 300_00, 50_00)
        self.agree(HEAR, 100_00, paid=True)
        self.sell(HEAR)

    @chance(days=(1, 1, 3, 9, 40, 200))
    def time_goes_by(self, days):
        self.today = min(self.today + timedelta(days=days), date(2029, 12, 31))

    # Funds.

    @chance(fund=FUNDS)
    def open_fund(self, fund):
        restriction = "unrestricted" if fund == GENERAL else "restricted"
        what = {"name": "专项", "purpose": "aid", "restriction": restriction, "currency": CNY}
        self.attempt("open_fund", code=fund, **what)

    @chance(step=("freeze_fund", "thaw_fund"), fund=(WARM, GENERAL), reason=REASONS, ago=DAYS_AGO)
    def change_fund(self, step, fund, reason, ago):
        self.attempt(step, fund, reason=reason, on=self.day(ago))

    @chance(fund=(WARM, GENERAL), ago=DAYS_AGO)
    def review(self, fund, ago):
        self.attempt("freeze_fund", fund, reason="under review", on=self.day(ago))
        self.attempt("thaw_fund", fund, reason="review done", on=self.today)

    @chance(fund=(WARM, GENERAL), reason=REASONS)
    def close_fund(self, fund, reason):
        self.attempt("close_fund", fund, reason=reason, on=self.today)

    @chance(fund=FUNDS, to=FUNDS, amount=AMOUNTS, basis=(*REASONS, None), ago=DAYS_AGO)
    def transfer(self, fund, to, amount, basis, ago):
        self.attempt("transfer", fund, to=to, amount=amount, basis=basis, on=self.day(ago))

    @chance(fund=(HEAR, WARM))
    def give_and_move_on(self, fund):
        self.give(fund, 100_00, 0)
        self.transfer(fund, GENERAL, 20_00, "as agreed", 0)

    # Donors.

    @chance(donor=(MEI, None, None))
    def register(self, donor):
        new = donor or DonorId(new_id())
        self.attempt("register_donor", new, anonymous=False, into=self.donors)

    @chance(
        newest=NEWEST,
        basis=("donor-request", "statutory-retention"),
        days=(None, -1, 30, 4_000),
    )
    def restrict(self, newest, basis, days):
        said = {"basis": basis, "until": None if days is None else self.day(-days)}
        self.attempt("restrict_donor", pick(self.donors, newest), **said)

    @chance(newest=NEWEST, reason=("asked-by-donor", None))
    def erase(self, newest, reason):
        donor = pick(self.donors, newest)
        theirs = [each for each in self.donations if self.ledger.get(Donation, each).donor == donor]
        said = {"basis": "consent-withdrawn", "reason": reason, "donations": theirs}
        self.attempt("erase_donor", donor, **said)

    @chance()
    def ask_to_be_left_alone(self):
        self.register(None)
        self.restrict(0, "donor-request", None)

    # Donations.

    @chance(
        newest=(None, None, 0, 1),
        fund=FUNDS,
        amount=AMOUNTS,
        public=(True, False),
        off=(None, 0, 1),
    )
    def pledge(self, newest, fund, amount, public, off):
        donor = MEI if newest is None else pick(self.donors, newest)
        first = Instalment(self.today, amount // 2)
        parts = (first, Instalment(self.today, amount - first.amount + (off or 0)))
        money = {"fund": fund, "amount": amount, "currency": CNY, "pledged_on": self.today}
        promise = {"instalments": () if off is None else parts, "public_promise": public}
        self.attempt("pledge", donor=donor, into=self.donations, **money, **promise)

    @chance(
        newest=NEWEST,
        amount=AMOUNTS,
        channel=("bank", "wechat", "alipay", "cash"),
        ref=REFERENCES,
        ago=DAYS_AGO,
    )
    def receive(self, newest, amount, channel, ref, ago):
        said = {"amount": amount, "channel": channel, "external_ref": ref or new_id().hex}
        donation = pick(self.donations, newest)
        self.attempt("receive_payment", donation, received_on=self.day(ago), **said)

    @chance(newest=NEWEST, who=(SUN, SUN, CHEN), known=(True, True, True, False), ago=DAYS_AGO)
    def confirm(self, newest, who, known, ago):
        donation = pick(self.donations, newest)
        payments = {} if donation == NOBODY else self.ledger.get(Donation, donation).payments
        channel, ref = next(iter(payments), ("bank", "B-9")) if known else ("cash", "C-9")
        said = {"channel": channel, "external_ref": ref, "statement_ref": f"ST-{ago}"}
        self.attempt("confirm_payment", donation, who=who, on=self.day(ago), **said)

    @chance(newest=NEWEST, reason=REASONS)
    def withdraw(self, newest, reason):
        self.attempt("withdraw_pledge", pick(self.donations, newest), reason=reason)

    @chance(
        newest=NEWEST,
        amount=AMOUNTS,
        cause=("duplicate", "error", "donor_or_law", "own_fault"),
        ago=DAYS_AGO,
    )
    def refund(self, newest, amount, cause, ago):
        said = {"amount": amount, "cause": cause, "reason": "asked", "on": self.day(ago)}
        self.attempt("refund", pick(self.donations, newest), **said)

    @chance(newest=NEWEST, amount=AMOUNTS, decision=("give", "return"), ago=DAYS_AGO)
    def decide_excess(self, newest, amount, decision, ago):
        said = {"amount": amount, "decision": decision, "on": self.day(ago)}
        self.attempt("decide_excess", pick(self.donations, newest), **said)

    @chance(fund=FUNDS, amount=(100_00, 300_00), beyond=(0, 50_00))
    def give(self, fund, amount, beyond):
        self.pledge(None, fund, amount, public=False, off=None)
        self.receive(0, amount + beyond, "bank", None, 0)

    @chance(fund=FUNDS, public=(True, False))
    def regret(self, fund, public):
        self.pledge(None, fund, 100_00, public, off=None)
        self.withdraw(0, "moved away")

    # Aid.

    @chance(fund=FUNDS, amount=AMOUNTS, purpose=REASONS)
    def request(self, fund, amount, purpose):
        payee = {"payee_kind": "person", "payee": CENTRE, "payee_name": None}
        money = {"fund": fund, "amount": amount, "currency": CNY}
        said = {"purpose": purpose, "requested_on": self.today}
        self.attempt("request_aid", who=LIN, into=self.disbursements, **payee, **money, **said)

    @chance(newest=NEWEST, who=(LIN, WANG, WANG, ZHAO, ZHAO), ago=DAYS_AGO)
    def approve(self, newest, who, ago):
        self.attempt("approve", pick(self.disbursements, newest), who=who, on=self.day(ago))

    @chance(fund=FUNDS, amount=(20_00, 100_00), paid=(True, False))
    def agree(self, fund, amount, paid):
        self.request(fund, amount, "aid")
        self.approve(0, WANG, 0)
        self.approve(0, ZHAO, 0)
        if paid:
            self.pay(0, CHEN, None, 0)

    @chance(newest=NEWEST, step=("reject", "cancel"), reason=REASONS)
    def drop(self, newest, step, reason):
        self.attempt(step, pick(self.disbursements, newest), reason=reason)

    @chance(fund=FUNDS, step=("reject", "cancel"))
    def ask_in_vain(self, fund, step):
        self.request(fund, 20_00, "aid")
        self.drop(0, step, "helped otherwise")

    @chance(newest=NEWEST, who=(CHEN, CHEN, WANG), ref=REFERENCES, ago=DAYS_AGO)
    def pay(self, newest, who, ref, ago):
        said = {"external_ref": ref or new_id().hex, "paid_on": self.day(ago)}
        self.attempt("pay", pick(self.disbursements, newest), who=who, **said)

    @chance(newest=NEWEST, who=(SUN, SUN, CHEN), ago=DAYS_AGO)
    def confirm_payout(self, newest, who, ago):
        said = {"statement_ref": f"ST-{ago}", "on": self.day(ago)}
        self.attempt("confirm_payout", pick(self.disbursements, newest), who=who, **said)

    @chance(newest=NEWEST, reason=REASONS, ago=DAYS_AGO)
    def bounce(self, newest, reason, ago):
        self.attempt("bounce", pick(self.disbursements, newest), reason=reason, on=self.day(ago))

    @chance(fund=FUNDS)
    def pay_in_vain(self, fund):
        self.agree(fund, 20_00, paid=True)
        self.bounce(0, "no such account", 0)

    @chance(newest=NEWEST, ago=DAYS_AGO)
    def acknowledge(self, newest, ago):
        self.attempt("acknowledge", pick(self.disbursements, newest), by=CENTRE, on=self.day(ago))

    @chance(newest=NEWEST, amount=AMOUNTS, ref=REFERENCES, ago=DAYS_AGO)
    def take_back(self, newest, amount, ref, ago):
        said = {"external_ref": ref or new_id().hex, "received_on": self.day(ago)}
        self.attempt("take_back", pick(self.disbursements, newest), amount=amount, **said)

    # Rules and relations.

    @chance(petty=(0, 0, 20_00), large=(None, None, 50_00, 10_00), ago=(0, 0, -9, 1))
    def set_policy(self, petty, large, ago):
        said = {"currency": CNY, "effective_from": self.day(ago), "basis": "resolution"}
        self.attempt("set_approval_policy", ApprovalRule(petty, large), **said)

    @chance(who=(SUN, CHEN, ZHAO), name=("嘉禾商行", "嘉禾 商行", "——"), ago=DAYS_AGO)
    def declare(self, who, name, ago):
        said = {"organisation": name, "party": None, "relation": "work", "on": self.day(ago)}
        self.attempt("declare_relation", who=who, **said)

    # Sales.

    @chance(fund=FUNDS, consigned=(0, 3, 3), fee_bp=(0, 150))
    def plan_sale(self, fund, consigned, fee_bp):
        days = {"starts_on": self.today, "ends_on": self.today + timedelta(days=1)}
        names = {"name": "义卖", "fund": fund, "partner": "嘉丽购"}
        terms = {"return_days": 2, "partner_fee_bp": fee_bp, "channel_fee_bp": 60}
        items = [Item("L1", "电饭煲", consigned, 168_00)]
        self.attempt("plan_sale", items=items, into=self.sales, **names, **days, **terms)

    @chance(fund=(HEAR, GENERAL))
    def sell(self, fund):
        self.plan_sale(fund, 3, 150)
        self.step_sale(0, "open_sale", 0)
        self.order(0, "A", 2, 0)

    @chance(newest=NEWEST, step=("open_sale", "open_sale", "end_sale"), ago=DAYS_AGO)
    def step_sale(self, newest, step, ago):
        self.attempt(step, pick(self.sales, newest), on=self.day(ago))

    @chance(
        newest=NEWEST,
        no="ABC",
        quantity=(0, 1, 1, 2),
        ago=DAYS_AGO,
    )
    def order(self, newest, no, quantity, ago):
        line = {"sku": "L1", "quantity": quantity, "unit_price": 168_00}
        said = {"order_no": no, "placed_at": f"{self.day(ago)}T12:00:00+08:00", "lines": [line]}
        self.feed(OrderFeed, pick(self.sales, newest), said)

    @chance(newest=NEWEST, no="ABC", back="12", ago=DAYS_AGO)
    def goods_back(self, newest, no, back, ago):
        goods = {"lines": [{"sku": "L1", "quantity": 1}], "refund": 168_00}
        said = {"order_no": no, "return_no": back, "returned_on": self.day(ago), **goods}
        self.feed(ReturnFeed, pick(self.sales, newest), said)

    @chance(back="12")
    def sell_and_take_back(self, back):
        self.sell(HEAR)
        self.goods_back(0, "A", back, 0)

    @chance(newest=NEWEST, off=(0, 0, 0, 1), ago=DAYS_AGO)
    def settle(self, newest, off, ago):
        sale = pick(self.sales, newest)
        theirs = Statement(0, 0, 0, 0, 0)
        if sale != NOBODY:
            sold = self.ledger.store.tallies([of_sale(sale, each) for each in ("gross", "refunds")])
            figures = {name: sold.get(of_sale(sale, name), 0) for name in ("gross", "refunds")}
            ours = asdict(self.ledger.get(CharitySale, sale).statement(**figures))
            theirs = Statement(**ours | {"net_proceeds": ours["net_proceeds"] + off})
        self.attempt("settle_sale", sale, theirs, agreed_on=self.day(ago))

    @chance(part=(1, 2))
    def finish_sale(self, part):
        self.step_sale(0, "end_sale", 0)
        self.time_goes_by(9)
        self.settle(0, 0, 0)
        self.remit(0, part, 0)
        self.confirm_remittance(0, CHEN, 0)

    @chance(newest=NEWEST, part=(1, 2), more=(0, 0, 1))
    def remit(self, newest, part, more):
        sale = pick(self.sales, newest)
        settled = sale != NOBODY and self.ledger.get(CharitySale, sale).state is SaleState.SETTLED
        owed = self.ledger.get(CharitySale, sale).outstanding if settled else 1
        said = {"amount": owed // part + more, "external_ref": new_id().hex}
        self.attempt("remit", sale, received_on=self.today, **said)

    @chance(newest=NEWEST, who=(SUN, CHEN), ago=DAYS_AGO)
    def confirm_remittance(self, newest, who, ago):
        sale = pick(self.sales, newest)
        remitted = {} if sale == NOBODY else self.ledger.get(CharitySale, sale).remittances
        said = {"external_ref": next(iter(remitted), "B-9"), "statement_ref": f"ST-{ago}"}
        self.attempt("confirm_remittance", sale, who=who, on=self.day(ago), **said)

    # The public log.

    @chance(key=(ANNOUNCED.fields["key"], "no key"))
    def announce(self, key):
        self.attempt("announce_key", name="PeterNeumann", key=key)

    # Who comes in.

    @chance(who=STAFF, roles=ROLES_OF_STAFF)
    def add_person(self, who, roles):
        self.attempt("add_person", who, roles)

    @chance(who=STAFF, roles=ROLES_OF_STAFF)
    def enrol_person(self, who, roles):
        self.attempt("enrol_person", who, roles)

    @chance(who=STAFF, roles=ROLES_OF_STAFF)
    def grant_roles(self, who, roles):
        self.attempt("grant_roles", who, roles)

    @chance(who=STAFF, roles=ROLES_OF_STAFF)
    def withdraw_roles(self, who, roles):
        self.attempt("withdraw_roles", who, roles)

    @chance(who=STAFF)
    def disable_person(self, who):
        self.attempt("disable_person", who)

    @invariant()
    def no_admin_holds_a_money_role(self):
        for who in STAFF:
            member = self.ledger.find(StaffMember, UUID(who))
            roles = set() if member is None else member.roles
            assert Role.ADMIN not in roles or not MONEY_ROLES & roles

    # What holds after every step.

    @invariant()
    def the_books_hold(self):
        house = Charity(self.ledger)
        facts = house.facts()
        for each in facts:
            balance = defaultdict(int)
            for posting in postings(each):
                balance[posting.fund] += posting.amount
            assert not any(balance.values()), each
        check_against_the_books(facts)
        house.check_tallies()
        self.no_fund_is_overspent(facts)

    def no_fund_is_overspent(self, facts):
        figures = {column: added_up(facts, attrgetter(column)) for column in COLUMNS}
        for fund in (HEAR, GENERAL, WARM):
            of = {column: figures[column].get(fund, 0) for column in COLUMNS}
            free = of["received"] - of["paid"] - of["reserved"]
            kept = self.ledger.store.tallies([of_fund(fund, AVAILABLE)])
            assert kept.get(of_fund(fund, AVAILABLE), 0) == free >= 0
            assert 0 <= of["acknowledged"] <= of["paid"]
            assert min(of["reserved"], of["pledged"], of["suspense"], of["receivable"]) >= 0

    def teardown(self):
        self.ledger.close()
        again = Ledger(self.place)
        streams = defaultdict(list)
        for _, each in again.history(0, 1_000_000):
            streams[each.originator_id].append(each)
        for stream, live in self.live.items():
            assert state(project(None, streams[stream])) == live
        again.close()
        self.opened.close()


def seen(outcome):
    return {name for (name, each), times in Years.outcomes.items() if times and each == outcome}


def pick(pool, newest):
    """Return one of the newest; where there are none, what does not exist."""
    return pool[-1 - newest % len(pool)] if pool else NOBODY


class YearsOnPostgres(Years):
    """The same on the other store."""

    outcomes: ClassVar[Counter] = Counter()
    server: ClassVar[Postgres]

    def somewhere(self):
        return self.opened.enter_context(self.server.used_database())


def live_through(years, runs):
    run(
        years,
        settings=settings(
            max_examples=runs,
            stateful_step_count=STEPS,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_books_hold_in_any_years():
    live_through(Years, RUNS)

    assert sum(Years.outcomes.values()) > RUNS * STEPS / 2


def test_the_books_hold_whatever_command_is_carried_out_or_refused():
    """Hypothesis repeats itself, to make a fault shorter; a plain dice comes to everything."""
    Years.outcomes.clear()
    for charity in range(RUNS):
        years = Years()
        years.founding(charity)
        for _ in range(STEPS):
            years.something_happens(seed=0)
            years.the_books_hold()
            years.no_admin_holds_a_money_role()
        years.teardown()

    assert seen("done") == seen("refused") == COMMANDS, "what never happens is not tested"


def test_the_books_hold_on_postgresql_too(postgres):
    YearsOnPostgres.server = postgres
    live_through(YearsOnPostgres, FEW_RUNS)

    assert sum(YearsOnPostgres.outcomes.values()) > FEW_RUNS * STEPS / 2
