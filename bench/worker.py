"""Does one piece of work inside a revision whenever a line comes in, and prints what it took.

``python worker.py balances|audit DATA`` runs in the environment of either side of a comparison, and
this file is the same for both. What it measures it finds through that revision's own ``bench``,
which knows where its parts lie: they move, and what ``bench.replay`` and ``bench.audit`` call them
stays.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from time import perf_counter, process_time

# The script's own folder is this tree's bench; the other names in it must not be found by theirs.
sys.path[:] = [each for each in sys.path if Path(each) != Path(__file__).parent]

Work = Callable[[], tuple[int, str]]
"""Returns how many events it took in, and what came of it."""


def balances(data: Path) -> Work:
    """Fold the whole history to all balances, in integers."""
    from bench import replay as own  # noqa: PLC0415  # That of the revision that runs this.

    ledger = own.Ledger(data / "ledger.db")

    def work() -> tuple[int, str]:
        books = own.fold(ledger)
        tallies = sorted(books.all_tallies().items())
        return books.position, sha256(repr(tallies).encode()).hexdigest()

    return work


def audit(data: Path) -> Work:
    """Examine the whole ledger: every event hashed, compared and added up."""
    from bench import audit as own  # noqa: PLC0415  # That of the revision that runs this.

    places = own.Places.in_folder(data)
    with closing(own.Ledger(places.ledger)):
        pass  # Brings the files up to this revision's version of the tables.
    ledger = own.Ledger(places.ledger, writes=False)
    tiles, views = own.open_log(places.log), own.open_views(places.views)
    log = own.Log(ledger.store, tiles, own.key_file(data), lambda: datetime.now(UTC))
    policy = own.Policy((own.signed(data, ledger, log),))
    live = own.Live(ledger.store, tiles, views)

    def work() -> tuple[int, str]:
        examined = own.examine(live, policy)
        # A ledger that nobody refers to any more closes its store.
        return examined.events, repr((ledger.store.last_position(), examined.findings))

    return work


def main() -> None:
    """Do it once for each line that comes in."""
    name, data = sys.argv[1:]
    work = {"balances": balances, "audit": audit}[name](Path(data))
    for _ in sys.stdin:
        start, start_on_processor = perf_counter(), process_time()
        events, result = work()
        times = {
            "seconds": perf_counter() - start,
            "processor": process_time() - start_on_processor,
        }
        sys.stdout.write(json.dumps({"events": events, "result": result} | times) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
