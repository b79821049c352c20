"""People with every role try everything, by chance, and separation of duties always holds.

What must hold is worked out here from the history alone, and not by the table that the ledger uses.
"""

from collections import defaultdict
from datetime import timedelta
from random import Random
from uuid import UUID

import pytest

from ledger.aggregates.disbursements.disbursement import Disbursement
from ledger.aggregates.donations.donation import Donation
from ledger.aggregates.policies import ApprovalPolicy, ApprovalRule
from ledger.aggregates.relations import Relations
from ledger.kernel.confirmations import ConfirmationDiffers
from ledger.kernel.duties import APART
from ledger.kernel.errors import LedgerError
from ledger.kernel.names import DisbursementId
from tests.charity import charity
from tests.samples import HEAR
from tests.spec import TODAY

PEOPLE = ("an", "bo", "chen", "di")
"""So few that whoever is left is mostly somebody who may not."""

PAYEES = ("嘉禾商行", "爱丽聋儿康复中心", "雨花 印刷")
SPELLINGS = (*PAYEES, "嘉禾商行 ", "雨花印刷", "别处")
SEEDS, STEPS = range(12), 250


class Attempts:
    """What four people who may do everything try to do."""

    def __init__(self, house, seed):
        self.house = house
        self.dice = Random(seed)
        self.today = TODAY
        self.requests, self.gifts, self.names = [], [], {}
        self.refused = set()

    def go_on(self):
        """Let somebody try something, and remember by which rule it was refused."""
        steps = [
            *[self.request, self.pay_in],
            *[self.approve] * 6,
            *[self.pay, self.pay, self.bounce],
            *[self.confirm_payout, self.confirm_gift] * 2,
            self.time_goes_by,
        ]
        if self.dice.random() < 1 / 20:
            steps = [self.declare, self.set_rule]
        try:
            self.dice.choice(steps)(self.dice.choice(PEOPLE))
        except LedgerError as error:
            self.refused.add(type(error))

    def do(self, command, *args, who, **said):
        return self.house.do(command, *args, who=who, on_day=self.today, **said)

    def request(self, who):
        name = self.dice.choice((*PAYEES, None))
        payee = f"party-{self.dice.randrange(3)}"
        asked = self.do(
            "request_aid",
            who=who,
            fund=HEAR,
            payee_kind="organisation" if name else "person",
            payee=payee,
            payee_name=name,
            amount=self.dice.choice((10_00, 50_00, 90_00)),
            currency="CNY",
            purpose="aid",
            requested_on=self.today,
        )
        self.requests.append(DisbursementId(UUID(asked.id)))

    def approve(self, who):
        ago = timedelta(self.dice.choice((0, 0, 0, 5)))
        self.do("approve", self.dice.choice(self.requests), who=who, on=self.today - ago)

    def pay(self, who):
        wanted, ref = self.dice.choice(self.requests), f"P-{self.dice.random()}"
        self.do("pay", wanted, who=who, external_ref=ref, paid_on=self.today)

    def bounce(self, who):
        wanted = self.dice.choice(self.requests)
        self.do("bounce", wanted, who=who, reason="closed", on=self.today)

    def confirm_payout(self, who):
        wanted = self.dice.choice(self.requests)
        self.do("confirm_payout", wanted, who=who, statement_ref="ST-1", on=self.today)

    def pay_in(self, who):
        donation, ref = self.house.pledge(10_00), f"B-{len(self.gifts)}"
        said = {"amount": 10_00, "channel": "bank", "received_on": self.today}
        self.do("receive_payment", donation, who=who, external_ref=ref, **said)
        self.gifts.append((donation, ref))

    def confirm_gift(self, who):
        donation, ref = self.dice.choice(self.gifts)
        said = {"channel": "bank", "external_ref": ref, "on": self.today}
        said["statement_ref"] = self.dice.choice(("ST-1", "ST-1", "ST-2"))
        self.do("confirm_payment", donation, who=who, **said)

    def declare(self, who):
        to = self.dice.choice(
            (
                {"organisation": self.dice.choice(SPELLINGS), "party": None},
                {"organisation": None, "party": f"party-{self.dice.randrange(3)}"},
            )
        )
        self.do("declare_relation", who=who, relation="work", on=self.today, **to)

    def set_rule(self, who):
        start = self.today + timedelta(self.dice.choice((0, 3)))
        rule = ApprovalRule(self.dice.choice((0, 10_00)), self.dice.choice((None, 50_00)))
        said = {"currency": "CNY", "effective_from": start, "basis": "resolution"}
        self.do("set_approval_policy", rule, who=who, **said)

    def time_goes_by(self, _):
        self.today += timedelta(self.dice.choice((1, 4)))


class Watch:
    """Sees every event go by, and that no person was in two places."""

    def __init__(self):
        self.asked, self.payee, self.payer = {}, {}, {}
        self.approved, self.related = defaultdict(list), defaultdict(set)
        self.received, self.rules = {}, []
        self.reserved = self.confirmed = 0

    def see(self, fact):
        stream, who = fact.originator_id, fact.actor
        match fact:
            case Relations.Declared():
                self.related[who].add(letters(fact.organisation or fact.party))
            case ApprovalPolicy.Set():
                self.rules.append(fact)
            case Disbursement.Requested():
                self.asked[stream] = fact
                self.payee[stream] = {letters(fact.payee), letters(fact.payee_name or "-")}
            case Disbursement.ApprovalGiven():
                assert who != self.asked[stream].actor
                assert who not in self.approved[stream]
                assert not self.related[who] & self.payee[stream]
                self.approved[stream].append(who)
            case Disbursement.Reserved():
                self.see_reserved(fact)
            case Disbursement.Paid():
                assert who not in self.approved[stream]
                assert self.approved[stream]
                self.payer[stream] = who
            case Disbursement.PaymentConfirmed():
                assert who != self.payer[stream]
                self.confirmed += 1
            case Donation.PaymentReceived():
                self.received[stream, fact.external_ref] = who
            case Donation.PaymentConfirmed():
                assert who != self.received[stream, fact.external_ref]
                self.confirmed += 1

    def see_reserved(self, fact):
        """As many had approved as the stricter asks of the rules of then and of that day."""
        recorded = (fact.recorded_at + timedelta(hours=8)).date()
        needed = max(self.needed(fact.amount, day) for day in (fact.on, recorded))
        assert fact.approvals == needed
        assert len(self.approved[fact.originator_id]) >= needed >= 1
        self.reserved += 1

    def needed(self, amount, day):
        begun = [each for each in self.rules if each.effective_from <= day]
        if not begun:
            return 2
        newest = max(each.effective_from for each in begun)
        rule = [each for each in begun if each.effective_from == newest][-1]
        if amount <= rule.one_approval_up_to:
            return 1
        above = rule.three_approvals_above
        return 3 if above is not None and amount > above else 2


def letters(name):
    return "".join(name.split())


def lived_through(place, seed):
    """Let four people try things for a while; return what was seen and what was refused."""
    watch = Watch()
    with charity(place) as house:
        house.open_fund()
        house.gift(100_000_00)
        attempts = Attempts(house, seed)
        attempts.request("an")
        attempts.pay_in("an")
        for _ in range(STEPS):
            attempts.go_on()
        for fact in house.facts():
            watch.see(fact)
        house.check_tallies()
    return watch, attempts.refused


def test_separation_holds_whoever_tries_what(tmp_path):
    reserved = confirmed = 0
    refused = set()
    for seed in SEEDS:
        watch, rules = lived_through(tmp_path / f"{seed}.db", seed)
        reserved, confirmed = reserved + watch.reserved, confirmed + watch.confirmed
        refused |= rules

    every_rule = {each for cells in APART.values() for each in cells.values()}
    assert every_rule | {ConfirmationDiffers} <= refused, "what is never refused is not tested"
    assert reserved > len(SEEDS)
    assert confirmed > len(SEEDS)


def test_separation_holds_on_postgresql_too(postgres_url):
    watch, _ = lived_through(postgres_url, 0)

    assert watch.reserved


@pytest.mark.parametrize("seed", [0, 1])
def test_one_seed_is_one_history(tmp_path, seed):
    told = []
    for name in "ab":
        with charity(tmp_path / f"{name}.db") as house:
            house.open_fund()
            house.gift(100_000_00)
            attempts = Attempts(house, seed)
            attempts.request("an")
            attempts.pay_in("an")
            for _ in range(STEPS):
                attempts.go_on()
            told.append([(each.TOPIC, each.actor, each.on) for each in house.facts()])

    assert told[0] == told[1]
