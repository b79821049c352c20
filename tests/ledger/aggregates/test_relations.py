"""Who is related to a payee says so, and then takes no part in deciding for them."""

from datetime import timedelta
from uuid import UUID

import pytest

from ledger.aggregates.relations import Relations
from ledger.kernel.duties import RelatedPayee
from ledger.kernel.errors import Invalid
from ledger.kernel.ids import new_id
from tests.charity import charity
from tests.samples import CENTRE, DECLARED, WANG, ZHAO
from tests.spec import TODAY, act, given, replay

NAME = "爱丽聋儿康复中心"
TO_CENTRE = DECLARED.but(organisation=None, party=CENTRE, relation="work")


def declare(*, party=None, organisation=None, relation="family", on=TODAY):
    said = {"party": party, "organisation": organisation, "relation": relation, "on": on}
    return lambda relations: relations.declare(act(WANG), **said)


# Declaring.


def test_a_relation_is_to_an_organisation_by_name_or_to_a_party_by_id():
    given(TO_CENTRE).when(declare(organisation=NAME)).then(DECLARED)
    given(DECLARED).when(declare(party=CENTRE, relation="work")).then(TO_CENTRE)


@pytest.mark.parametrize("both", [{}, {"party": CENTRE, "organisation": NAME}])
def test_it_is_to_one_of_them(both):
    given(DECLARED).when(declare(**both)).then_refused(Invalid, "name either")


@pytest.mark.parametrize("name", ["", "——", "13812345678"])
def test_an_organisation_has_a_name_that_may_be_in_the_history(name):
    given(DECLARED).when(declare(organisation=name)).then_refused(Invalid, "organisation: ")


def test_nobody_is_related_from_tomorrow_on():
    tomorrow = TODAY + timedelta(days=1)

    given(TO_CENTRE).when(declare(organisation=NAME, on=tomorrow)).then_refused(Invalid, "future")


@pytest.mark.parametrize("again", [{"organisation": f" {NAME}。"}, {"organisation": NAME}])
def test_declared_again_is_the_first_time(again):
    given(TO_CENTRE, DECLARED).when(declare(relation="other", **again)).then_repeats(2)


# Whom it binds to.


@pytest.mark.parametrize(
    ("payee", "name"),
    [
        ("x", NAME),
        ("x", "爱丽 聋儿康复中心"),
        ("x", "爱丽聋儿康复中心。"),
        (CENTRE, None),
        (CENTRE, "别的名字"),
    ],
)
def test_it_binds_however_the_payee_is_written(payee, name):
    assert replay(DECLARED, TO_CENTRE).ties.bind(payee, name)


def test_half_and_full_width_and_case_do_not_matter():
    ties = replay(DECLARED.but(organisation="ABC贸易(长沙)有限公司")).ties

    assert ties.bind("x", "ａｂｃ贸易（长沙）有限公司")


@pytest.mark.parametrize(("payee", "name"), [("x", None), ("x", "爱丽中心"), ("x", "——")])
def test_it_binds_to_nobody_else(payee, name):
    assert not replay(DECLARED, TO_CENTRE).ties.bind(payee, name)


# In a ledger.


@pytest.fixture(name="house")
def _house(place):
    with charity(place) as house:
        house.open_fund()
        house.gift(1_000_00)
        yield house


def tied(house, who, **to):
    said = {"party": None, "organisation": None, "relation": "family", "on": TODAY} | to
    return house.do("declare_relation", who=who, **said)


def test_who_declared_a_relation_does_not_approve_for_that_payee(house):
    mine, other = house.request(), house.request()
    tied(house, WANG, party=CENTRE)

    with pytest.raises(RelatedPayee):
        house.approve(mine, WANG)
    assert house.approve(other, ZHAO).version == 2


def test_everybody_has_relations_of_their_own(house):
    first, second = tied(house, WANG, organisation=NAME), tied(house, ZHAO, organisation=NAME)

    assert first.id != second.id
    assert [each.actor for each in house.facts() if isinstance(each, Relations.Declared)] == [
        WANG,
        ZHAO,
    ]


def test_declared_twice_is_recorded_once(house):
    first = tied(house, WANG, organisation=NAME)
    again = tied(house, WANG, organisation=f"{NAME} ")

    assert (again.id, again.version, again.position) == (first.id, 1, first.position)
    assert again.repeated


def test_a_relation_to_one_payee_is_none_to_another(house):
    tied(house, WANG, party=str(new_id()), organisation=None)

    assert UUID(house.approve(house.request(), WANG).id)
