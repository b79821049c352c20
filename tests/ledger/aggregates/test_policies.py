"""How many must approve depends on the amount, by a rule that begins on a day and is never none."""

from datetime import date, timedelta

import pytest

from ledger.aggregates.disbursements.disbursement import Disbursement
from ledger.aggregates.policies import TWO, ApprovalPolicy, ApprovalRule
from ledger.kernel.duties import AlreadyApproved
from ledger.kernel.errors import Invalid, WrongState
from ledger.kernel.money import AMOUNT_MAX
from ledger.kernel.terms import Ties
from tests.charity import charity
from tests.samples import (
    CHEN,
    POLICY_SET,
    REQUESTED,
    RESERVED,
    SUN,
    WANG,
    WANG_APPROVED,
    ZHAO,
    ZHAO_APPROVED,
)
from tests.spec import STREAM, TODAY, act, given, replay

ONE_DAY = timedelta(days=1)
RULE = ApprovalRule(one_approval_up_to=200_00, three_approvals_above=50_000_00)
STRICT = ApprovalRule(three_approvals_above=0)
LI = "li"


def set_to(rule, *, start=TODAY, basis="resolution 2026-03"):
    said = {"currency": "CNY", "effective_from": start, "basis": basis}
    return lambda policy: (policy or ApprovalPolicy(STREAM)).set(act(SUN), rule, **said)


def policy(*versions):
    """Return the rules that began on these days, set in this order."""
    return replay(
        *(
            POLICY_SET.but(
                effective_from=start,
                one_approval_up_to=rule.one_approval_up_to,
                three_approvals_above=rule.three_approvals_above,
            )
            for start, rule in versions
        )
    )


# A rule.


@pytest.mark.parametrize(
    ("amount", "people"),
    [(1, 1), (200_00, 1), (200_01, 2), (50_000_00, 2), (50_000_01, 3), (AMOUNT_MAX, 3)],
)
def test_the_amount_says_how_many_people(amount, people):
    assert RULE.needed(amount) == people


@pytest.mark.parametrize("amount", [1, 100_00, AMOUNT_MAX])
def test_without_a_rule_it_is_two(amount):
    assert TWO.needed(amount) == 2
    assert ApprovalPolicy(STREAM).in_force(TODAY) == TWO


@pytest.mark.parametrize("petty", [0, 1, 10**9, AMOUNT_MAX])
@pytest.mark.parametrize("large", [None, AMOUNT_MAX])
@pytest.mark.parametrize("amount", [1, AMOUNT_MAX])
def test_no_rule_lets_anything_pass_without_one_person(petty, large, amount):
    assert ApprovalRule(petty, large).needed(amount) >= 1


def test_a_rule_is_set():
    given(POLICY_SET).when(set_to(RULE, start=TODAY + ONE_DAY)).then(
        POLICY_SET.but(effective_from=TODAY + ONE_DAY)
    )


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (ApprovalRule(-1), "one_approval_up_to"),
        (ApprovalRule(AMOUNT_MAX + 1), "one_approval_up_to"),
        (ApprovalRule(2, 1), "three_approvals_above"),
        (ApprovalRule(0, -1), "three_approvals_above"),
        (ApprovalRule(0, AMOUNT_MAX + 1), "three_approvals_above"),
    ],
)
def test_a_rules_figures_do_not_contradict_each_other(rule, field):
    given(POLICY_SET).when(set_to(rule)).then_refused(Invalid, f"{field}: ")


@pytest.mark.parametrize(
    "rule",
    [ApprovalRule(0, 0), ApprovalRule(0, AMOUNT_MAX), ApprovalRule(*[200_00] * 2)]
    + [ApprovalRule(AMOUNT_MAX, above) for above in (None, AMOUNT_MAX)],
)
def test_a_rules_figures_go_as_far_as_an_amount_does(rule):
    given(POLICY_SET).when(set_to(rule)).then(
        POLICY_SET.but(
            effective_from=TODAY,
            one_approval_up_to=rule.one_approval_up_to,
            three_approvals_above=rule.three_approvals_above,
        )
    )


def test_a_rule_does_not_begin_in_the_past():
    given(POLICY_SET).when(set_to(RULE, start=TODAY - ONE_DAY)).then_refused(
        Invalid, "effective_from: 2026-03-31 is in the past"
    )


def test_a_rule_names_its_basis():
    given(POLICY_SET).when(set_to(RULE, basis=" ")).then_refused(Invalid, "basis: ")


# Which rule is in force.


MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)


@pytest.mark.parametrize(
    ("day", "rule"),
    [(MAY - ONE_DAY, TWO), (MAY, RULE), (JUNE - ONE_DAY, RULE), (JUNE, STRICT), (date.max, STRICT)],
)
def test_a_rule_is_in_force_until_the_next_begins(day, rule):
    assert policy((MAY, RULE), (JUNE, STRICT)).in_force(day) == rule
    assert policy((JUNE, STRICT), (MAY, RULE)).in_force(day) == rule


def test_of_two_rules_of_one_day_the_one_that_was_set_last_counts():
    assert policy((MAY, STRICT), (MAY, RULE)).in_force(MAY) == RULE


def test_who_dates_a_decision_back_escapes_no_stricter_rule():
    rules = policy((MAY, RULE), (JUNE, STRICT))

    assert rules.needed(100_00, on=MAY, today=MAY) == 1
    assert rules.needed(100_00, on=MAY, today=JUNE) == 3


def test_who_dates_a_decision_back_gains_nothing_by_a_looser_rule():
    rules = policy((MAY, STRICT), (JUNE, RULE))

    assert rules.needed(100_00, on=MAY, today=JUNE) == 3


# What it does to a disbursement.


def approve(who, needed):
    return lambda wanted: wanted.approve(act(who), on=TODAY, needed=needed, ties=Ties())


def test_a_petty_amount_is_set_aside_by_one_other_person():
    given(REQUESTED).when(approve(WANG, 1)).then(
        WANG_APPROVED, RESERVED.but(actor=WANG, approvals=1)
    )


def test_a_large_amount_waits_for_the_third_person():
    given(REQUESTED, WANG_APPROVED).when(approve(ZHAO, 3)).then(ZHAO_APPROVED)
    given(REQUESTED, WANG_APPROVED, ZHAO_APPROVED).when(approve(LI, 3)).then(
        WANG_APPROVED.but(actor=LI), RESERVED.but(actor=LI, approvals=3)
    )


def test_three_approvals_are_three_peoples():
    given(REQUESTED, WANG_APPROVED, ZHAO_APPROVED).when(approve(WANG, 3)).then_refused(
        AlreadyApproved
    )


def test_two_who_approved_under_a_stricter_rule_are_enough_once_it_is_looser():
    given(REQUESTED, WANG_APPROVED, ZHAO_APPROVED).when(approve(LI, 2)).then(
        WANG_APPROVED.but(actor=LI), RESERVED.but(actor=LI, approvals=2)
    )


def test_money_set_aside_by_two_was_written_down_without_saying_so():
    assert b"approvals" not in RESERVED.but(approvals=2).stored()
    assert b'"approvals":3' in RESERVED.but(approvals=3).stored()


# In a ledger.


@pytest.fixture(name="house")
def _house(place):
    with charity(place) as house:
        house.open_fund()
        house.gift(1_000_00)
        yield house


def set_in(house, rule, start=TODAY, on_day=TODAY):
    said = {"currency": "CNY", "effective_from": start, "basis": "resolution"}
    house.do("set_approval_policy", rule, who=SUN, on_day=on_day, **said)


def reserved(house):
    return [each.approvals for each in house.facts() if isinstance(each, Disbursement.Reserved)]


def test_the_rule_of_the_day_decides(house):
    set_in(house, ApprovalRule(50_00, 100_00))
    petty, usual, large = (house.request(amount) for amount in (50_00, 100_00, 100_01))
    for each in (petty, usual, large):
        house.approve(each, WANG)
    assert reserved(house) == [1]

    for each in (usual, large):
        house.approve(each, ZHAO)
    assert reserved(house) == [1, 2]

    house.approve(large, LI)
    assert reserved(house) == [1, 2, 3]
    house.check_tallies()


def test_a_rule_of_tomorrow_decides_nothing_today(house):
    set_in(house, STRICT, start=TODAY + ONE_DAY)
    today, later = house.request(10_00), house.request(10_00)
    for who in (WANG, ZHAO):
        house.approve(today, who)
    house.approve(later, WANG)
    house.do("approve", later, who=ZHAO, on_day=TODAY + ONE_DAY, on=TODAY + ONE_DAY)

    assert reserved(house) == [2]


def test_what_was_set_aside_stays_so_under_a_later_rule(house):
    wanted = house.approved(10_00)
    set_in(house, STRICT)

    assert house.do("pay", wanted, who=CHEN, external_ref="P-1", paid_on=TODAY).version == 5


def test_petty_money_still_takes_somebody_else(house):
    set_in(house, ApprovalRule(50_00))
    wanted = house.request(10_00)

    with pytest.raises(WrongState):
        house.pay_out(wanted)
