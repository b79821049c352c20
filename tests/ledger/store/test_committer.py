"""One thread stores for all: whatever waits goes in together, and everyone hears their own."""

import asyncio
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from ledger.books.tallies import AVAILABLE, of_fund
from ledger.commands import Ledger
from ledger.kernel.errors import Conflict, Overloaded
from ledger.kernel.ids import new_id
from ledger.store.commits import Commit, Receipt, StoreFailed
from ledger.store.committer import BATCH_EVENTS_MAX, QUEUE_MAX
from tests.samples import HEAR, REGISTERED
from tests.spec import FORM
from tests.stores import busy, connected

FREE = of_fund(HEAR, AVAILABLE)


def commit(stream=None, **other):
    event = FORM.to_stored_event(REGISTERED.stamped(1, stream or new_id()))
    what = {"command": new_id(), "about": "it", "version": 1, "events": (event,), "changes": {}}
    return Commit(**(what | other))


@pytest.fixture(name="ledger")
def _ledger(place):
    with closing(Ledger(place)) as ledger:
        yield ledger


async def queued(committer, commits):
    """Queue ``commits`` behind one that is already being stored; return what will come of them."""
    first = asyncio.create_task(committer.commit_async(commit()))
    await asyncio.sleep(0)
    while committer.waiting:  # noqa: ASYNC110  # A thread takes it, and tells nobody.
        await asyncio.sleep(0)
    rest = [asyncio.create_task(committer.commit_async(each)) for each in commits]
    await asyncio.sleep(0)
    return [first, *rest]


def test_what_came_first_is_stored_first(ledger, place):
    streams = [new_id() for _ in range(50)]

    async def scenario():
        with busy(place):
            tasks = await queued(ledger.committer, [commit(each) for each in streams])
        return await asyncio.gather(*tasks)

    receipts = asyncio.run(scenario())

    assert [each.position for each in receipts] == list(range(1, 52))
    assert [each.originator_id for each in ledger.store.history(1, 100)] == streams


def test_what_waits_is_stored_together(place):
    batches = []
    with closing(Ledger(place)) as ledger:
        ledger.committer.on_stored = lambda: batches.append(1)

        async def scenario():
            with busy(place):
                tasks = await queued(ledger.committer, [commit() for _ in range(100)])
            await asyncio.gather(*tasks)

        asyncio.run(scenario())

    assert len(batches) == 2


def test_what_is_asked_for_in_the_same_turn_is_stored_together_though_nobody_waits(place):
    batches = []
    with closing(Ledger(place)) as ledger:
        ledger.committer.on_stored = lambda: batches.append(1)

        async def scenario():
            await asyncio.gather(*(ledger.committer.commit_async(commit()) for _ in range(20)))

        asyncio.run(scenario())

    assert len(batches) == 1


def test_a_batch_has_a_greatest_size(place):
    large = tuple(commit().events[0] for _ in range(BATCH_EVENTS_MAX // 2))
    batches = []
    with closing(Ledger(place)) as ledger:
        ledger.committer.on_stored = lambda: batches.append(1)

        async def scenario():
            with busy(place):
                tasks = await queued(ledger.committer, [commit(events=large), commit(), commit()])
            await asyncio.gather(*tasks)
            with busy(place):
                other = [commit(events=tuple(commit().events[0] for _ in large)) for _ in "abc"]
                tasks = await queued(ledger.committer, other)
            await asyncio.gather(*tasks)

        asyncio.run(scenario())

    assert len(batches) == 2 + 3


def test_who_lost_to_a_rival_hears_of_it_and_no_neighbour_does(ledger, place):
    contested = new_id()
    waiting = [commit(), commit(contested), commit(contested), commit()]

    async def scenario():
        with busy(place):
            tasks = await queued(ledger.committer, waiting)
        return await asyncio.gather(*tasks)

    outcomes = asyncio.run(scenario())

    assert [type(each) for each in outcomes] == [Receipt, Receipt, Receipt, Conflict, Receipt]
    assert ledger.store.last_position() == 4


def test_rivals_from_many_threads_have_one_winner(ledger):
    contested = new_id()
    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(ledger.committer.commit, [commit(contested) for _ in range(16)]))

    assert Counter(type(each) for each in outcomes) == {Receipt: 1, Conflict: 15}


def test_more_than_can_wait_is_refused_and_the_rest_is_stored(ledger, place):
    async def scenario():
        with busy(place):
            tasks = await queued(ledger.committer, [commit(events=()) for _ in range(QUEUE_MAX)])
            assert ledger.committer.waiting == QUEUE_MAX
            with pytest.raises(Overloaded):
                await ledger.committer.commit_async(commit())
            with pytest.raises(Overloaded):
                ledger.committer.commit(commit())
        return await asyncio.gather(*tasks)

    outcomes = asyncio.run(scenario())

    assert Counter(type(each) for each in outcomes) == {Receipt: QUEUE_MAX + 1}
    assert ledger.committer.waiting == 0
    assert type(ledger.committer.commit(commit())) is Receipt


def test_closing_stores_what_waits(place):
    ledger = Ledger(place)

    async def scenario():
        with busy(place):
            tasks = await queued(ledger.committer, [commit() for _ in range(20)])
            closed = asyncio.create_task(asyncio.to_thread(ledger.committer.close))
            while not ledger.committer._closing:  # noqa: ASYNC110, SLF001  # Nothing else says so.
                await asyncio.sleep(0)
        await closed
        return await asyncio.gather(*tasks)

    outcomes = asyncio.run(scenario())

    assert Counter(type(each) for each in outcomes) == {Receipt: 21}
    with closing(ledger), pytest.raises(Overloaded):
        ledger.committer.commit(commit())
    with closing(Ledger(place)) as reopened:
        assert reopened.store.last_position() == 21


def test_who_gives_up_waiting_has_it_stored_all_the_same(ledger, place):
    async def scenario():
        with busy(place):
            first, impatient, patient = await queued(ledger.committer, [commit(), commit()])
            impatient.cancel()
        await asyncio.gather(first, patient)
        assert impatient.cancelled()

    asyncio.run(scenario())

    assert ledger.store.last_position() == 3


def test_a_loop_that_is_gone_stops_nobody(ledger, place):
    async def leaves():
        await queued(ledger.committer, [commit() for _ in range(3)])

    with busy(place):
        asyncio.run(leaves())

    assert ledger.committer.commit(commit()).position == 5


def rename(place, table, name):
    with connected(place) as connection:
        connection.execute(f"ALTER TABLE {table} RENAME TO {name}")


def test_a_failing_store_is_told_to_every_caller_and_stops_nobody(ledger, place, caplog):
    rename(place, "tallies", "lost")
    failed = [ledger.committer.commit(commit(changes={FREE: 1})) for _ in range(2)]
    rename(place, "lost", "tallies")

    assert [type(each) for each in failed] == [StoreFailed, StoreFailed]
    assert re.search("nothing was written: .*tallies", str(failed[0]))
    assert "a batch of 1 could not be stored" in caplog.text
    assert ledger.committer.commit(commit(changes={FREE: 1})).position == 1
    assert ledger.store.tallies([FREE]) == {FREE: 1}


def test_an_idle_committer_closes_at_once(place):
    with closing(Ledger(place)) as ledger:
        assert ledger.committer.waiting == 0
    with pytest.raises(Overloaded):
        ledger.committer.commit(commit())
