"""``leifeng replay --policy`` says what another rule would have stopped, and changes nothing."""

import json

import pytest

from api.app import open_site
from api.cli.demo_data.story import Story
from ledger.aggregates.policies import ApprovalRule
from projections.replay.other_rule import held_to
from tests.charity import charity
from tests.samples import CHEN, SUN, WANG, ZHAO
from tests.spec import TODAY

STAGES = (11_880_000, 5_940_000, 1_980_000)
"""What the story paid, each time after two approvals."""


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    data = tmp_path_factory.mktemp("story") / "data"
    with open_site(data) as site:
        Story(site).play(lambda *_: None)
        site.follower.catch_up()
    return data


@pytest.fixture(name="ask")
def _ask(story, here, tmp_path):
    """Return what hands a rule to the command and reads what it prints."""

    def run(said, *options, name="rule.json", code=None):
        file = tmp_path / name
        file.write_text(said if isinstance(said, str) else json.dumps(said), encoding="utf-8")
        ran = here("replay", "--data", story, "--policy", file, *options)
        assert code is None or ran.returncode == code, ran
        return ran

    return run


def stopped(ran):
    return [each["amount"] for each in json.loads(ran.stdout)["stopped"]]


@pytest.mark.parametrize(
    ("above", "amounts"),
    [
        (0, STAGES),
        (1_979_999, STAGES),
        (1_980_000, STAGES[:2]),
        (5_940_000, STAGES[:1]),
        (11_880_000, ()),
        (None, ()),
    ],
)
def test_a_third_approval_above_a_limit_would_have_stopped_what_is_above_it(ask, above, amounts):
    ran = ask({"three_approvals_above": above}, "--json", code=3 if amounts else 0)

    assert stopped(ran) == list(amounts)
    assert json.loads(ran.stdout)["equal"] is True
    assert json.loads(ran.stdout)["payments"] == len(STAGES)


def test_each_is_named_with_what_it_lacked(ask):
    ran = ask({"one_approval_up_to": 1_000, "three_approvals_above": 10_000_000}, code=3)

    assert "the other rule would have stopped 1 of 3 payments" in ran.stdout
    assert "2026-04-10: 118,800.00 of F-HEAR, disbursement " in ran.stdout
    assert "approved by 2 of 3" in ran.stdout
    assert "every row served is what they add up to" in ran.stdout


def test_a_rule_may_be_written_as_toml(ask):
    said = "one_approval_up_to = 0\nthree_approvals_above = 5_940_000\n"

    assert stopped(ask(said, "--json", name="rule.toml", code=3)) == [STAGES[0]]


def test_only_what_was_paid_by_then_is_held_to_it(ask):
    assert stopped(ask({"three_approvals_above": 0}, "--json", "--until", 100, code=0)) == []


@pytest.mark.parametrize(
    ("said", "saying"),
    [
        ("{", "is no rule of approval"),
        ("[]", "is no rule of approval"),
        ({"three_above": 1}, "is no rule of approval"),
        ('{"one_approval_up_to": 1, "one_approval_up_to": 2}', "has a key twice"),
        ("[" * 2_000, "is no rule of approval"),
        ({"three_approvals_above": "1"}, "is no rule of approval"),
        ({"three_approvals_above": -1}, "three_approvals_above: "),
        ({"one_approval_up_to": 2, "three_approvals_above": 1}, "three_approvals_above: "),
    ],
)
def test_what_is_no_rule_is_refused_in_one_sentence(ask, said, saying):
    ran = ask(said, code=1)

    assert saying in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert ran.stdout == ""


def test_a_file_that_is_not_there_is_bad_usage(here, story, tmp_path):
    assert here("replay", "--data", story, "--policy", tmp_path / "none").returncode == 2


def test_a_difference_counts_for_more_than_a_payment_stopped(ask, story):
    with open_site(story) as site, site.views.begin() as views:
        views.exec_driver_sql("UPDATE fund_balances SET received = received + 1")
    try:
        ask({"three_approvals_above": 0}, code=1)
    finally:
        with open_site(story) as site, site.views.begin() as views:
            views.exec_driver_sql("UPDATE fund_balances SET received = received - 1")


# Over histories in which the rule changed.


def test_the_rule_that_was_in_force_is_not_asked_but_the_people_who_approved(place):
    with charity(place) as house:
        house.open_fund()
        house.gift(1_000_00)
        said = {"currency": "CNY", "effective_from": TODAY, "basis": "resolution"}
        house.do("set_approval_policy", ApprovalRule(20_00), who=SUN, **said)
        petty, usual = house.request(20_00), house.request(20_01)
        house.approve(petty, WANG)
        house.approve(usual, WANG)
        house.approve(usual, ZHAO)
        for wanted, ref in ((petty, "P-1"), (usual, "P-2")):
            house.do("pay", wanted, who=CHEN, external_ref=ref, paid_on=TODAY)
        last = house.ledger.store.last_position()

        strict = held_to(house.ledger, ApprovalRule())
        assert [(each.disbursement, each.approvals, each.needed) for each in strict.stopped] == [
            (petty, 1, 2)
        ]
        assert held_to(house.ledger, ApprovalRule(20_00)).stopped == []
        assert held_to(house.ledger, ApprovalRule(0, 0)).paid == 2
        assert house.ledger.store.last_position() == last


def test_a_second_try_after_a_bounce_is_held_to_the_approvals_of_the_first(place):
    with charity(place) as house:
        house.open_fund()
        house.gift(1_000_00)
        wanted = house.approved(10_00)
        house.pay_out(wanted)
        house.do("bounce", wanted, who=CHEN, reason="closed", on=TODAY)
        house.do("pay", wanted, who=CHEN, external_ref="P-2", paid_on=TODAY)

        assert held_to(house.ledger, ApprovalRule()).stopped == []
        assert len(held_to(house.ledger, ApprovalRule(0, 0)).stopped) == 2
