"""One charity from its first day, with a clock that only its steps move."""

import json
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, timedelta
from operator import attrgetter
from uuid import UUID

from ledger.books.movements import COLUMNS
from ledger.books.postings import postings
from ledger.books.tallies import AVAILABLE, of_fund
from ledger.commands import Ledger, every
from ledger.kernel.aggregate import project
from ledger.kernel.errors import LedgerError
from tests.charity import Charity
from tests.ledger.books.test_movements import added_up, check_against_the_books
from tests.samples import GENERAL, HEAR, SUN, WARM
from tests.simulation.choices import NOBODY
from tests.spec import act, act_for, state

FIRST_DAY, LAST_DAY = date(2026, 1, 1), date(2029, 12, 31)


class Life:
    """What a charity does, allowed or not, and what holds of its books all the while.

    Attributes:
        outcomes: How often each command was carried out, and refused.
        pools: What was made so far of each noun, the newest last.

    """

    def __init__(self, place):
        self.place = place
        self.ledger = Ledger(place)
        self.today = FIRST_DAY
        self.outcomes = Counter()
        self.pools = defaultdict(list)
        self._left = {}

    def attempt(self, name, /, *args, who=SUN, into=None, **fields):
        """Carry out a command or be refused; remember what it made in a pool, and what it left."""
        command, made = every.COMMANDS[name], []

        def decide(ledger, act, *args, **fields):
            decision = command.decide(ledger, act, *args, **fields)
            made.append(decision.about)
            return decision

        remembering, by = replace(command, decide=decide), act_for(command, who, self.today)
        try:
            receipt = self.ledger.record(remembering, by, *args, **fields)
        except LedgerError:
            self.outcomes[name, "refused"] += 1
        else:
            self.outcomes[name, "done"] += 1
            self._left[made[-1].id] = state(made[-1])
            if into is not None:
                self.pools[into].append(UUID(receipt.id))

    def pick(self, noun, newest):
        """Return one of the newest of a noun; where there are none, what does not exist."""
        pool = self.pools[noun]
        return pool[-1 - newest % len(pool)] if pool else NOBODY

    def feed(self, kind, sale, line):
        """Take in one line of a feed of a sale."""
        try:
            feed = kind(self.ledger, act(SUN, self.today, kind.by[0]), sale)
            feed.take_in([json.dumps(line, default=str).encode()])
            feed.flush()
        except LedgerError:
            self.outcomes[kind.__name__, "refused"] += 1
        else:
            self.outcomes[kind.__name__, "done"] += feed.accepted
            self.outcomes[kind.__name__, "refused"] += len(feed.rejected)

    def pass_days(self, days):
        """Let days go by."""
        self.today = min(self.today + timedelta(days=days), LAST_DAY)

    def day(self, ago):
        """Return the day that was so many days ago."""
        return self.today - timedelta(days=ago)

    def check(self):
        """Hold the books to the history: every entry balances, no fund is overspent."""
        house = Charity(self.ledger)
        facts = house.facts()
        for each in facts:
            balance = defaultdict(int)
            for posting in postings(each):
                balance[posting.fund] += posting.amount
            assert not any(balance.values()), each
        check_against_the_books(facts)
        house.check_tallies()
        self._check_funds(facts)

    def _check_funds(self, facts):
        figures = {column: added_up(facts, attrgetter(column)) for column in COLUMNS}
        for fund in (HEAR, GENERAL, WARM):
            of = {column: figures[column].get(fund, 0) for column in COLUMNS}
            free = of["received"] - of["paid"] - of["reserved"]
            kept = self.ledger.store.tallies([of_fund(fund, AVAILABLE)])
            assert kept.get(of_fund(fund, AVAILABLE), 0) == free >= 0
            assert 0 <= of["acknowledged"] <= of["paid"]
            assert min(of["reserved"], of["pledged"], of["suspense"], of["receivable"]) >= 0

    def end(self):
        """See that whatever was left is what a replay of the history leads to."""
        self.ledger.close()
        again = Ledger(self.place)
        streams = defaultdict(list)
        for _, each in again.history(0, 1_000_000):
            streams[each.originator_id].append(each)
        again.close()
        for stream, left in self._left.items():
            assert state(project(None, streams[stream])) == left
