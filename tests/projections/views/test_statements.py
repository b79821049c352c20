"""A fund's statement: whatever the period, it opens, adds up and closes as the figures do."""

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from msgspec.structs import astuple

from api.app import open_site
from api.cli import main
from api.pages.public.flows import SHOWN_MAX, Moved, Side, flows, rows
from ledger.books.movements import movements
from projections.kernel.follow import Follower
from projections.kernel.periods import ALWAYS, Period
from projections.views.every import all_views
from projections.views.fund_balances import FundBalances, fund_balance, fund_rows
from projections.views.opening import open_views
from projections.views.purposes import TO_PERSONS, paid_for
from projections.views.statements import (
    Place,
    Span,
    Statements,
    came_from,
    events_within,
    kind_of,
    openings,
    span,
    statement,
)
from tests.charity import charity
from tests.samples import HEAR, LIN, WANG, ZHAO
from tests.spec import TODAY

ALL = 10_000
"""More lines than there are."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A ledger with some hundred made-up events of every kind, over three years."""
    data = tmp_path_factory.mktemp("made") / "data"
    with pytest.raises(SystemExit) as ended:
        main(["generate", "--events", "1500", "--data", str(data)])
    assert ended.value.code == 0
    with open_site(data) as opened:
        opened.follower.catch_up()
        yield opened


@pytest.fixture(scope="module")
def shown(site):
    with site.views.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def funds(shown):
    return [row["fund"] for row in fund_rows(shown)]


def days_of(shown, fund):
    return sorted({line.on for line in statement(shown, fund, limit=ALL).lines})


def balance(site, shown, fund, on):
    return fund_balance(shown, fund, site.follower.reached, as_of=on).balance


def test_a_statement_closes_with_the_balance_of_its_last_day(site, shown, funds):
    for fund in funds:
        for day in days_of(shown, fund)[::7]:
            found = statement(shown, fund, Period(None, day))

            assert (found.opening, found.closing) == (0, balance(site, shown, fund, day))


def test_a_statement_opens_with_what_the_one_before_it_closed(shown, funds):
    for fund in funds:
        days = days_of(shown, fund)[::11]
        for first, following in pairwise(days):
            earlier = statement(shown, fund, Period(first, following - timedelta(1)))
            later = statement(shown, fund, Period(following, None))

            assert later.opening == earlier.closing


def test_its_lines_add_up_from_opening_to_closing(shown, funds):
    for fund in funds:
        found = statement(shown, fund, Period(date(2027, 1, 1), date(2027, 12, 31)), limit=ALL)
        balances = [found.opening]
        for line in found.lines:
            balances.append(balances[-1] + line.came - line.went)

        assert [line.balance for line in found.lines] == balances[1:]
        assert found.closing == balances[-1]
        assert (found.carried, found.more) == (found.opening, False)


def test_parts_of_a_statement_are_the_whole_of_it(shown, funds):
    for fund in funds:
        whole = statement(shown, fund, limit=ALL)
        part = statement(shown, fund, limit=7)
        lines = list(part.lines)
        while part.more:
            after = Place(lines[-1].on, lines[-1].kind)
            part = statement(shown, fund, after=after, limit=7)
            assert part.carried == lines[-1].balance
            assert part.closing == whole.closing
            lines += part.lines

        assert tuple(lines) == whole.lines
        assert len(lines) > 7


def test_a_fund_that_is_not_there_has_an_empty_statement(shown):
    found = statement(shown, "F-NONE")

    assert (found.opening, found.closing, found.lines, found.more) == (0, 0, (), False)


def test_each_line_opens_into_exactly_its_events(site, shown, funds):
    for fund in funds:
        for line in statement(shown, fund, limit=ALL).lines:
            place = Place(line.on, line.kind)
            found = events_within(shown, span(shown, fund, place), fund, place, limit=ALL)
            told = [fact for _, fact in site.ledger.at(found)]
            moved = [each for each in told if money(each, fund)]

            assert len(moved) == line.events
            assert sum(money(each, fund) for each in moved) == line.came - line.went
            assert {(kind_of(each), each.on) for each in told} == {(line.kind, line.on)}


def money(fact, fund):
    return sum(each.received - each.paid for each in movements(fact) if each.fund == fund)


def test_the_events_of_a_line_are_found_a_few_at_a_time(tmp_path):
    with charity(tmp_path / "ledger.db") as house:
        house.open_fund()
        for amount in range(1, 8):
            house.gift(amount)
        views = open_views(tmp_path / "views.db")
        Follower(house.ledger, views, all_views()).catch_up()
        with views.connect() as shown:
            ((on, kind, events, *_),) = map(astuple, statement(shown, HEAR).lines)
            line = Place(on, kind)
            where = span(shown, HEAR, line)
            whole = events_within(shown, where, HEAR, line)
            found = []
            while part := events_within(shown, where, HEAR, line, limit=3):
                found += part
                where = Span(part[-1] + 1, where.last)
        views.dispose()

    assert found == whole
    assert len(found) == events == 7


def moved(shown, period=ALWAYS):
    before = {} if period.first is None else openings(shown, period.first)
    return Moved(came_from(shown, period), paid_for(shown, period), before)


@pytest.mark.parametrize(
    "period", [ALWAYS, Period(date(2027, 1, 1), date(2027, 6, 30)), Period(date(2028, 1, 1))]
)
def test_what_flows_into_each_fund_is_what_flows_out_of_it(shown, period):
    found = flows(moved(shown, period))
    into, out = Counter(), Counter()
    for flow in found:
        into[flow.target] += flow.amount
        out[flow.source] += flow.amount
    boxes = {each for each in into | out if each.side is Side.FUND}

    assert boxes
    assert all(flow.amount > 0 for flow in found)
    assert {each: into[each] for each in boxes} == {each: out[each] for each in boxes}


def test_what_is_kept_since_the_beginning_is_what_the_days_add_up_to(shown):
    ever = Period(date.min, date.max)

    assert came_from(shown) == came_from(shown, ever) != {}


def test_what_is_still_there_is_the_balance_of_the_funds(site, shown, funds):
    still = sum(
        flow.amount * (1 if flow.target.side is Side.USE else -1)
        for flow in flows(moved(shown))
        if "still-there" in {flow.source.name, flow.target.name}
    )

    assert still == sum(balance(site, shown, fund, None) for fund in funds)


def test_a_picture_shows_few_boxes_and_all_of_the_money():
    kinds = {(f"F-{n}", "donation.payment-received"): (n * 100, 0) for n in range(1, 31)}
    found = flows(Moved(kinds, {}, {}))

    for side in Side:
        assert len({node for flow in found for node in flow[:2] if node.side is side}) <= SHOWN_MAX
    assert sum(flow.amount for flow in found if flow.source.side is Side.SOURCE) == 46_500


def test_refunds_beyond_the_gifts_of_a_period_are_a_use():
    kinds = {("F-1", "donation.refunded"): (0, 500)}
    (before, back) = flows(Moved(kinds, {}, {"F-1": 500}))

    assert {before.source.name, back.target.name} == {"opening", "gifts"}
    assert {row["to"] for row in rows([back], {"F-1": "专项"}, str)} == {"Returned to donors"}


def test_what_persons_are_paid_for_is_told_to_nobody(tmp_path):
    with charity(tmp_path / "ledger.db") as house:
        house.open_fund()
        house.gift(100_00)
        asked = {"payee_kind": "person", "payee": "somebody", "payee_name": None}
        money = {"fund": "F-HEAR", "amount": 30_00, "currency": "CNY"}
        wanted = house.do(
            "request_aid",
            who=LIN,
            **asked,
            **money,
            purpose="an operation",
            requested_on=TODAY,
        )
        disbursement = UUID(wanted.id)
        for who in (WANG, ZHAO):
            house.approve(disbursement, who)
        house.pay_out(disbursement)
        views = open_views(tmp_path / "views.db")
        Follower(house.ledger, views, [Statements()]).catch_up()
        with views.connect() as connection:
            ever = Period(date.min, date.max)
            assert paid_for(connection) == {("F-HEAR", TO_PERSONS): 30_00}
            assert paid_for(connection, ever) == paid_for(connection)
        views.dispose()


def test_what_is_read_is_of_the_position_that_is_read_with_it(place, tmp_path):
    with charity(place) as house:
        house.open_fund()
        views = open_views(place if isinstance(place, str) else tmp_path / "views.db")
        follower = Follower(house.ledger, views, all_views())
        with follower.reading(FundBalances.name) as (connection, position):
            house.gift(100_00)
            follower.catch_up()
            seen = fund_balance(connection, "F-HEAR", position)
        with follower.reading(FundBalances.name) as (connection, later):
            assert fund_balance(connection, "F-HEAR", later).received == 100_00
        views.dispose()

        assert seen.received == 0
        assert later > position
