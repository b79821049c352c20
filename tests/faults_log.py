"""Kills a server that is at work and signs, and holds all that it ever signed to one history.

``python -m tests.faults_log --rounds 100 [--store postgres]`` takes some minutes.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from threading import Thread

import httpx2

from api.places import Places, key_file
from ledger.transparency.checkpoint import Checkpoint, open_checkpoint
from tests.faults import crew_of, retry, say, work_until_killed
from tests.logs import consistent, opened, verified, verifiers
from tests.server import ANSWER_S, TLS, Server, serving
from tests.stores import STORES, postgres_server


class Onlooker:
    """Somebody outside, who asks for the newest event's checkpoint all the time and forgets none.

    Attributes:
        seen: Every checkpoint that was shown, whole notes as they came.

    """

    def __init__(self) -> None:
        self.seen: set[bytes] = set()

    def look_at(self, server: Server) -> Thread:
        """Begin to ask, until the server goes away."""
        thread = Thread(target=self._look, args=(server.url,))
        thread.start()
        return thread

    def _look(self, url: str) -> None:
        with httpx2.Client(base_url=url, timeout=ANSWER_S, verify=TLS) as http:
            try:
                while True:
                    last = http.get("/readyz").json()["position"]
                    http.get("/v1/proofs/consistency", params={"from": 0, "at_least": last})
                    answer = http.get("/checkpoint")
                    if answer.status_code == 200:
                        self.seen.add(answer.content)
            except httpx2.TransportError:
                pass  # It was killed.


def check_log(data: Path, database: str | None, seen: set[bytes]) -> Checkpoint:
    """Open what a killed server left, and check it beside all that was ever shown."""
    places, keys = Places.at(database) if database else Places.in_folder(data), key_file(data)
    with opened(places.ledger, places.log, keys) as log:
        log.check()
        log.publish()
        newest = verified(log, keys)
        checkpoints = sorted({open_checkpoint(each, verifiers(keys)) for each in seen})
        assert len({each.size for each in checkpoints}) == len(checkpoints), "two roots of one size"
        for each in checkpoints:
            consistent(log, each, newest)
    return newest


def kill_while_signing(
    rounds: int,
    data: Path,
    database: str | None = None,
    *,
    seed: int = 0,
    report: Callable[[str], object] = lambda _: None,
) -> Onlooker:
    """Kill the server in each of ``rounds``, and check its log each time."""
    chance, crew, onlooker = Random(seed), None, Onlooker()
    for number in range(1, rounds + 1):
        with serving(data, database, undisturbed=False) as server:
            crew = crew or crew_of(server)
            retry(crew, server)
            looking = onlooker.look_at(server)
            work_until_killed(crew, server, chance)
            looking.join()
        newest = check_log(data, database, onlooker.seen)
        report(f"round {number}: {len(onlooker.seen)} checkpoints, {newest.size} events")
    return onlooker


def main() -> None:
    """Do it at length, and say how far it is."""
    parser = ArgumentParser(prog="python -m tests.faults_log", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--store", choices=STORES, default=STORES[0])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with ExitStack() as stack:
        data = Path(stack.enter_context(TemporaryDirectory(prefix="leifeng-faults-"))) / "data"
        data.mkdir()
        url = None
        if options.store == "postgres":
            url = stack.enter_context(stack.enter_context(postgres_server()).database())
        kill_while_signing(options.rounds, data, url, seed=options.seed, report=say)
    say(
        f"{options.rounds} kills on {options.store}: every checkpoint ever shown extends the others"
    )


if __name__ == "__main__":
    main()
